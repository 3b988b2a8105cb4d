"""Retries calls to the ledger that must be recorded, however long it fails."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from bot.clock import utc_now
from bot.domain.errors import LedgerError, WaitedTooLongError

T = TypeVar("T")

RETRY_DELAYS_S = (0.1, 0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds between tries; the last one repeats."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def until_recorded(
    call: Callable[[], Awaitable[T]], *, deadline: datetime | None = None
) -> T:
    """Call the ledger until it answers.

    Don't cancel a try to limit its time: the ledger may still carry it out.

    Raises:
        WaitedTooLongError: the next try would come after the deadline.
    """
    delays = itertools.chain(RETRY_DELAYS_S, itertools.repeat(RETRY_DELAYS_S[-1]))
    while True:
        try:
            return await call()
        except LedgerError as error:
            delay = next(delays)
            log.warning("ledger.retrying", fault=str(error), seconds=delay)
            if deadline is not None and utc_now() + timedelta(seconds=delay) > deadline:
                raise WaitedTooLongError from error
            await asyncio.sleep(delay)
