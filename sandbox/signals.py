"""Waiting until something is so, woken by changes instead of looking again and again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")


class Signal:
    """Wakes whoever waits on it whenever it is fired, and tells those who listen."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[], object]] = []
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Let everyone who waits look again."""
        for listener in list(self.listeners):
            listener()
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def until(
        self, look: Callable[[], T | None], *, timeout: float | None
    ) -> Coroutine[object, object, T]:
        """Return what `look` finds as soon as it finds something; raises TimeoutError."""
        return self._until(look, timeout)

    async def _until(self, look: Callable[[], T | None], patience: float | None) -> T:
        async with asyncio.timeout(patience):
            while (found := look()) is None:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.add(future)
                try:
                    await future
                finally:
                    self._waiting.discard(future)
        return found
