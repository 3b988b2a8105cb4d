"""Erases old drafts, and personal data by age. Accounts and sums stay."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from bot.ledger.archive import Archive
from bot.ledger.drafts import DRAFT_LIFETIME, DraftBook

BATCH = 200
"""Edits erased in one transaction, so that no hold waits long for the writer."""

BATCH_PAUSE_S = 0.05
SWEEP_INTERVAL_S = 3_600.0
RETRY_DELAY_S = 60.0
DRAFT_SWEEP_INTERVAL_S = 300.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Retention:
    """Sweeps away personal data that has been kept long enough, in small batches."""

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
        """Sweep now and every hour until cancelled; retry a sweep that fails."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("retention.failed", seconds=RETRY_DELAY_S)
                await self._wait(RETRY_DELAY_S)
            else:
                await self._wait(SWEEP_INTERVAL_S)

    async def sweep(self) -> int:
        """Erase everything that is too old, and count its edits.

        Raises:
            LedgerError: a batch failed; earlier ones are erased.
        """
        before = self._clock() - self._keep
        erased = 0
        while batch := await self._archive.erase_older(before, limit=BATCH):
            erased += batch
            await self._wait(BATCH_PAUSE_S)
        if erased:
            log.info("retention.erased", edits=erased)
        return erased


async def erase_old_drafts(
    drafts: DraftBook,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Erase expired drafts every few minutes until cancelled, even after errors."""
    while True:
        try:
            await drafts.erase_older(clock() - DRAFT_LIFETIME)
        except Exception:
            log.exception("retention.failed", seconds=DRAFT_SWEEP_INTERVAL_S)
        await wait(DRAFT_SWEEP_INTERVAL_S)


@asynccontextmanager
async def keeping_retention(
    archive: Archive, drafts: DraftBook, keep: timedelta | None
) -> AsyncGenerator[None]:
    """Erase expired drafts in the background, and personal data older than `keep`, if given."""
    tasks = {asyncio.create_task(erase_old_drafts(drafts))}
    if keep is not None:
        tasks.add(asyncio.create_task(Retention(archive, keep).run()))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
