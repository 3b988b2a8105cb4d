"""Erases members' data by age: prompts, names and addresses, never an account or a sum."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from bot.ledger.archive import Archive

STEP = 200
"""Edits whose data is erased in one transaction, so that no hold waits long for the writer."""

BETWEEN_STEPS = 0.05
BETWEEN_SWEEPS = 3_600.0
AFTER_FAULT = 60.0
"""Seconds: for others between two steps, from one sweep to the next, and to one that failed."""

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


@asynccontextmanager
async def keeping_retention(archive: Archive, keep: timedelta | None) -> AsyncGenerator[None]:
    """Erase meanwhile what is older than `keep`; None: it is kept for ever."""
    if keep is None:
        yield
        return
    task = asyncio.create_task(Retention(archive, keep).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
