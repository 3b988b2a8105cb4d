"""The crash drill: the bot is killed -9 at random moments under load, and started again.

A moment is one in which it is only starting, or any one in the seconds after, or the very moment in
which a request of its own reaches one of the servers or has taken effect there, unanswered.
"""

import asyncio
from dataclasses import dataclass
from random import Random

from drills.checks import count_edits
from drills.crowd import Crowd
from drills.running import Report, Stage, set_stage, telling
from sandbox.exchanges import Exchange

START = 1.0
"""Seconds that a start takes, about."""

LONGEST_LIFE = 4.0
"""Seconds after its start within which it is killed."""

MOST_REQUESTS = 200
"""Requests after its start within which it is killed."""

SLOWEST_CALL = 0.6
"""Seconds that the edit API takes, at most."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a drill goes: until there were as many of both."""

    kills: int
    edits: int


LONG, SHORT = Extent(kills=100, edits=5_000), Extent(kills=8, edits=150)


async def drill(seed: int, *, short: bool) -> Report:
    """Kill until it is enough, start it once more, and check."""
    extent = SHORT if short else LONG
    async with set_stage() as stage:
        crowd = Crowd(stage.sandbox, Random(f"{seed} crowd"), size=60, patience=60)
        killer = Killer(stage, Random(f"{seed} kills"))
        async with telling(lambda: f"{killer}, {crowd}"), crowd.at_work():
            while killer.kills < extent.kills or count_edits(stage.bot.ledger) < extent.edits:
                await killer.kill()
                await killer.start()
            await killer.ready()
        return Report([str(killer)], await stage.end(crowd))


class Killer:
    """Ends the bot without a chance to do anything, and starts it again."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        self.kills = 0
        self._unready = 0
        self._stage = stage
        self._bot = stage.bot
        self._edit_api = stage.sandbox.edit_api
        self._exchanges = stage.sandbox.exchanges
        self._rng = rng
        self._before = 0

    def __str__(self) -> str:
        return f"{self.kills} kills, {self._unready} of them before the bot was ready"

    async def kill(self) -> None:
        """Wait for a moment that is drawn, and kill."""
        match self._rng.choice(("starting", "any", "request", "request")):
            case "starting":
                await asyncio.sleep(self._rng.uniform(0, START))
            case "any":
                await self.ready()
                await asyncio.sleep(self._rng.uniform(0, LONGEST_LIFE))
            case _:
                await self.ready()
                await self._kill_at_a_request()
        self.kills += 1
        self._unready += self._bot.find("bot.ready", self._before) is None
        await self._stage.crash()

    async def start(self) -> None:
        """Start it again, with an edit API that is slower or faster than before."""
        self._edit_api.delay = self._rng.uniform(0, SLOWEST_CALL)
        self._before = len(self._bot.events)
        await self._bot.start()

    async def ready(self) -> None:
        """Wait until it is connected to Discord."""
        await self._bot.event("bot.ready", since=self._before)

    async def _kill_at_a_request(self) -> None:
        """Kill as soon as a number of requests have come, or have been carried out."""
        reached = asyncio.Event()
        carried_out = self._rng.random() < 1 / 2
        left = self._rng.randint(1, MOST_REQUESTS)

        def look(exchange: Exchange) -> None:
            nonlocal left
            if (exchange.seconds is not None) is carried_out:
                left -= 1
                if left == 0:
                    self._bot.kill()
                    reached.set()

        self._exchanges.listeners.append(look)
        try:
            async with asyncio.timeout(LONGEST_LIFE):
                await reached.wait()
        except TimeoutError:
            pass
        finally:
            self._exchanges.listeners.remove(look)
