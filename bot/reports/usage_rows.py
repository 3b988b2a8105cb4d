"""Read edits in batches on the event loop, for a thread that writes them."""

import asyncio
from collections.abc import Iterator, Sequence

from bot.domain.quotas import Window
from bot.ledger.usage import UsageBook, UsageRow

BATCH = 2_000
"""Rows in memory at once."""


def in_batches(
    book: UsageBook, guild_id: int, window: Window | None, loop: asyncio.AbstractEventLoop
) -> Iterator[Sequence[UsageRow]]:
    """Yield all edits of a server in the order of their ids, reading on `loop` as needed.

    Call this from another thread than the loop's. Raises LedgerError.
    """
    after = 0
    while rows := asyncio.run_coroutine_threadsafe(
        book.rows(guild_id, window, after=after, limit=BATCH), loop
    ).result():
        yield rows
        after = rows[-1].edit_id
