"""The fault drill: whatever can go wrong does, on all sides at once, on and off at random.

The bot is kept running as a host would: whenever it has ended, for it was killed or could not
begin, it is started again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

from drills.checks import Broken, Kind
from drills.crowd import UNTIL_CONNECTED, Crowd
from drills.running import Report, Stage, set_stage, telling
from drills.troubles import OUTAGES, TROUBLES
from sandbox.bot_process import BotProcess

LONG, SHORT = 15 * 60.0, 20.0
"""Seconds."""

AT_ONCE = 6
"""Troubles at the same time, at most."""

PAUSE, LASTS = 0.3, 2.5
"""Seconds from one trouble's beginning to the next one's, and for which it lasts, on average."""

LONGEST = 12.0
"""Seconds that a trouble lasts at most."""

CALL = 0.3
"""Seconds that the edit API takes."""

BEFORE_RESTART = 0.2
"""Seconds."""


async def drill(seed: int, *, short: bool) -> Report:
    """Let things go wrong for a while, then all go well until nothing is open, and check."""
    async with set_stage(EDIT_TIMEOUT="5", SHUTDOWN_GRACE="3") as stage:
        stage.sandbox.edit_api.delay = CALL
        crowd = Crowd(stage.sandbox, Random(f"{seed} crowd"), size=16, patience=8)
        chaos = Chaos(stage, Random(f"{seed} troubles"), outages=not short)
        keeper = Keeper(stage.bot)
        async with telling(lambda: f"{chaos}, {crowd}"), keeper.at_work(), crowd.at_work():
            await chaos.reign(SHORT if short else LONG)
            if short:
                # A new process does not remember for how long the edit API was down.
                await stage.crash()
            await stage.sandbox.discord.connected(timeout=UNTIL_CONNECTED)
        verdict = await stage.end(crowd)
        verdict.broken += [Broken(Kind.WRONG, why) for why in keeper.crashes]
        return Report([str(chaos), str(keeper)], verdict)


class Chaos:
    """Switches troubles on and off."""

    def __init__(self, stage: Stage, rng: Random, *, outages: bool) -> None:
        self._stage = stage
        self._rng = rng
        self._troubles = {**TROUBLES, **(OUTAGES if outages else {})}
        self._happened: Counter[str] = Counter()
        self._on: set[str] = set()

    def __str__(self) -> str:
        kinds, known = len(self._happened), len(self._troubles)
        return f"{self._happened.total()} troubles, {kinds} of {known} kinds"

    async def reign(self, seconds: float) -> None:
        """Let troubles come and go for so long; at the end there is none."""
        loop, rng = asyncio.get_running_loop(), self._rng
        until = loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            while loop.time() < until:
                name, lasts = rng.choice(list(self._troubles)), rng.expovariate(1 / LASTS)
                if name not in self._on and len(self._on) < AT_ONCE:
                    group.create_task(self._let_happen(name, min(lasts, LONGEST)))
                await asyncio.sleep(rng.expovariate(1 / PAUSE))

    async def _let_happen(self, name: str, seconds: float) -> None:
        self._on.add(name)
        self._happened[name] += 1
        async with self._troubles[name](self._stage, self._rng):
            await asyncio.sleep(seconds)
        self._on.remove(name)


class Keeper:
    """Starts the bot again whenever it has ended."""

    def __init__(self, bot: BotProcess) -> None:
        self.crashes: list[str] = []
        """What it wrote where it ended by a fault of its own."""
        self._bot = bot
        self._kills = 0
        self._gave_up: Counter[int] = Counter()

    def __str__(self) -> str:
        ends = [f"{times} times with status {status}" for status, times in self._gave_up.items()]
        return f"{self._kills} kills; it gave up by itself: {', '.join(ends) or 'never'}"

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        """Keep it running meanwhile."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _keep(self) -> None:
        while True:
            status = await self._bot.ended()
            if self._bot.killed:
                self._kills += 1
            else:
                self._gave_up[status] += 1
                said = "\n".join(self._bot.last_lines)
                if "\nTraceback" in f"\n{said}":
                    self.crashes.append(f"the bot ended by an error of its own: {said}")
            self._bot.last_lines.clear()
            await asyncio.sleep(BEFORE_RESTART)
            await self._bot.start()
