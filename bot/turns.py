"""Places that members take in turns: the queue's order for what is not a call of the edit API."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.queue import Waiting, next_up


class Turns:
    """So many places at once; whoever waits gets one in the queue's order."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: dict[int, tuple[Waiting, asyncio.Future[None]]] = {}
        self._in_flight: Counter[int] = Counter()
        self._turns: dict[int, int] = {}
        self._numbers = itertools.count()

    @asynccontextmanager
    async def take(self, who: Waiting) -> AsyncGenerator[None]:
        """A place, from its turn until the end of the context."""
        called = asyncio.get_running_loop().create_future()
        self._waiting[who.edit_id] = who, called
        self._call_up()
        try:
            await called
            yield
        finally:
            # Called and cancelled at once, it has a place, and gives it back all the same.
            if self._waiting.pop(who.edit_id, None) is None:
                self._in_flight[who.member_id] -= 1
            self._call_up()

    def _call_up(self) -> None:
        while self._in_flight.total() < self._places:
            waiting = (who for who, called in self._waiting.values() if not called.done())
            chosen = next_up(waiting, self._in_flight, self._turns)
            if chosen is None:
                break
            _, called = self._waiting.pop(chosen.edit_id)
            self._in_flight[chosen.member_id] += 1
            self._turns[chosen.member_id] = next(self._numbers)
            called.set_result(None)
        self._in_flight = +self._in_flight
        if not self._waiting:
            self._turns = {
                each: turn for each, turn in self._turns.items() if each in self._in_flight
            }
