"""What the drills share: the bot against the sandbox, what is said meanwhile, and the end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from drills.checks import Broken, Kind, Verdict, Witness, count_open, examine
from drills.crowd import QUOTA, Crowd
from sandbox.bot_process import BotProcess
from sandbox.sandbox import Sandbox

PROGRESS = 10.0
"""Seconds between two lines that say how far a drill is."""

UNTIL_QUIET = 240.0
"""Seconds in which all edits end once nothing goes wrong any more."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a drill did, and what it came to."""

    figures: list[str]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a drill takes place."""

    sandbox: Sandbox
    bot: BotProcess
    witness: Witness
    deaths: list[datetime] = field(default_factory=list[datetime])
    """When the bot was killed."""

    async def crash(self) -> None:
        """Kill the bot, and wait until it is dead."""
        self.deaths.append(self.sandbox.clock.now())
        await self.bot.crash()

    async def end(self, crowd: Crowd) -> Verdict:
        """Wait until nothing is open, stop the bot, and check everything."""
        broken: list[Broken] = []
        ledger, spool = self.bot.ledger, self.bot.spool
        try:
            await self.bot.changed.until(
                lambda: None if count_open(ledger) or any(spool.iterdir()) else True,
                timeout=UNTIL_QUIET,
            )
        except TimeoutError:
            broken.append(Broken(Kind.LOST, f"it does not end: {count_open(ledger)} edits"))
        self.bot.terminate()
        if status := await self.bot.ended():
            broken.append(Broken(Kind.WRONG, f"the bot ended with status {status}"))
        verdict = await asyncio.to_thread(
            examine,
            self.sandbox,
            self.witness,
            crowd.asked,
            ledger=ledger,
            spool=spool,
            deaths=self.deaths,
        )
        verdict.broken += broken
        return verdict


@asynccontextmanager
async def set_stage(**settings: str) -> AsyncGenerator[Stage]:
    """A sandbox and a bot that is ready, with a small quota for each member."""
    async with Sandbox() as sandbox:
        witness = Witness(sandbox.world)
        environment = sandbox.environment()
        given = {"DEFAULT_QUOTA": str(QUOTA), **settings}
        async with BotProcess(environment, settings=given) as bot:
            await bot.connected(sandbox.discord)
            yield Stage(sandbox, bot, witness)


@asynccontextmanager
async def telling(describe: Callable[[], str]) -> AsyncGenerator[None]:
    """Print now and then how far a drill is."""
    began = time.monotonic()

    async def tell() -> None:
        while True:
            await asyncio.sleep(PROGRESS)
            print(f"  {time.monotonic() - began:.0f} s: {describe()}", flush=True)

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()
