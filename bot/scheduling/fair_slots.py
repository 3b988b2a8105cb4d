"""Places that members take in turns, in the queue's order; `edit_queue` has those for calls."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.scheduling.fair_order import QueueEntry, next_entry


class FairShare:
    """Which members have places, and when each had the latest."""

    def __init__(self) -> None:
        self.in_flight: Counter[int] = Counter()
        """Places by member."""
        self.turns: dict[int, int] = {}
        """The number of each member's latest turn."""
        self._numbers = itertools.count()

    def begin(self, member_id: int) -> None:
        """Count a place that a member gets."""
        self.in_flight[member_id] += 1
        self.turns[member_id] = next(self._numbers)

    def end(self, member_id: int) -> None:
        """Count a place that a member gives back."""
        self.in_flight[member_id] -= 1
        if not self.in_flight[member_id]:
            del self.in_flight[member_id]

    def forget(self) -> None:
        """When nobody waits, whoever comes next takes turns with those alone who have places."""
        self.turns = {each: turn for each, turn in self.turns.items() if each in self.in_flight}


class FairSlots:
    """A fixed number of places, given in the queue's order, and only so many to one member."""

    def __init__(self, places: int, *, per_member: int) -> None:
        self._places = places
        self._per_member = per_member
        self._waiting: dict[int, tuple[QueueEntry, asyncio.Future[None]]] = {}
        self._rota = FairShare()

    @asynccontextmanager
    async def take(self, who: QueueEntry) -> AsyncGenerator[None]:
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
                self._rota.end(who.member_id)
            self._call_up()

    def _call_up(self) -> None:
        while self._rota.in_flight.total() < self._places:
            waiting = (
                who
                for who, called in self._waiting.values()
                if not called.done() and self._rota.in_flight[who.member_id] < self._per_member
            )
            chosen = next_entry(waiting, self._rota.in_flight, self._rota.turns)
            if chosen is None:
                break
            _, called = self._waiting.pop(chosen.edit_id)
            self._rota.begin(chosen.member_id)
            called.set_result(None)
        if not self._waiting:
            self._rota.forget()
