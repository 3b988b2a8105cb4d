"""Lets answers that are due within seconds go before all that can wait, while many are due.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response
"""

import asyncio
import contextlib
from collections.abc import Generator

MAX_PENDING_REPLIES = 8
"""Answers that are due at once and delay nothing else."""

PATIENCE = 3.0
"""Seconds that anything waits for them at most: by then those are given or too late."""


def deadline() -> float:
    """The loop's time until which what begins now may have to wait."""
    return asyncio.get_running_loop().time() + PATIENCE


class ReplyPriority:
    """The answers that are due, and what lets them pass."""

    def __init__(self) -> None:
        self._due = 0
        self._few = asyncio.Event()
        self._few.set()

    @contextlib.contextmanager
    def replying(self) -> Generator[None]:
        """An answer is due until the end of the context."""
        self._count(+1)
        try:
            yield
        finally:
            self._count(-1)

    async def yield_to_replies(self, *, until: float) -> None:
        """Wait while more than a few are due, until the loop's time at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._few.wait()

    def _count(self, more: int) -> None:
        self._due += more
        if self._due > MAX_PENDING_REPLIES:
            self._few.clear()
        else:
            self._few.set()
