"""Edits in batches, for a thread that writes them while the event loop reads them."""

import asyncio
from collections.abc import Iterator, Sequence

from bot.domain.quotas import Window
from bot.ledger.usage import UsageBook, UsageRow

BATCH = 2_000
"""Rows that are in memory at once."""


def in_batches(
    book: UsageBook, guild_id: int, window: Window | None, loop: asyncio.AbstractEventLoop
) -> Iterator[Sequence[UsageRow]]:
    """All edits of a server in the order of their ids; read on `loop` as needed.

    To be used in another thread than the loop's. Raises LedgerFault where they cannot be read.
    """
    after = 0
    while rows := asyncio.run_coroutine_threadsafe(
        book.rows(guild_id, window, after=after, most=BATCH), loop
    ).result():
        yield rows
        after = rows[-1].edit_id
