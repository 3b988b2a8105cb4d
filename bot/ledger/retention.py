"""Erases members' data by age: prompts, names and addresses, never an account or a sum; drafts."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from bot.ledger.archive import Archive
from bot.ledger.drafts import LIFE, DraftBook

STEP = 200
"""Edits whose data is erased in one transaction, so that no hold waits long for the writer."""

BETWEEN_STEPS = 0.05
BETWEEN_SWEEPS = 3_600.0
AFTER_FAULT = 60.0
"""Seconds: for others between two steps, from one sweep to the next, and to one that failed."""

BETWEEN_DRAFTS = 300.0
"""Seconds from one look for old drafts to the next."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Retention:
    """Erases, in sweeps of small steps, what is older than it may be kept."""

    def __init__(
        self,
        archive: Archive,
        keep: timedelta,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._archive = archive
        self._keep = keep
        self._clock = clock
        self._wait = wait

    async def run(self) -> None:
        """Sweep now and every hour until cancelled; a sweep that fails is made again."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("retention.failed", seconds=AFTER_FAULT)
                await self._wait(AFTER_FAULT)
            else:
                await self._wait(BETWEEN_SWEEPS)

    async def sweep(self) -> int:
        """Erase all that is too old by now; of how many edits.

        Raises:
            LedgerFault: the ledger did not carry out a step; those before it stand.
        """
        before = self._clock() - self._keep
        erased = 0
        while step := await self._archive.erase_older(before, most=STEP):
            erased += step
            await self._wait(BETWEEN_STEPS)
        if erased:
            log.info("retention.erased", edits=erased)
        return erased


async def erase_old_drafts(
    drafts: DraftBook,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Erase drafts whose life is over, until cancelled, whatever fails."""
    while True:
        try:
            await drafts.erase_older(clock() - LIFE)
        except Exception:
            log.exception("retention.failed", seconds=BETWEEN_DRAFTS)
        await wait(BETWEEN_DRAFTS)


@asynccontextmanager
async def keeping_retention(
    archive: Archive, drafts: DraftBook, keep: timedelta | None
) -> AsyncGenerator[None]:
    """Erase meanwhile old drafts, and what is older than `keep`; None: that is kept for ever."""
    tasks = {asyncio.create_task(erase_old_drafts(drafts))}
    if keep is not None:
        tasks.add(asyncio.create_task(Retention(archive, keep).run()))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
