"""A semaphore whose slots members take in turns."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.scheduling.fair_order import QueueEntry, next_entry


class FairShare:
    """Which members have slots, and in which order they were last served."""

    def __init__(self) -> None:
        self.in_flight: Counter[int] = Counter()
        """Slots by member."""
        self.last_served: dict[int, int] = {}
        """A rising number by member."""
        self._numbers = itertools.count()

    def begin(self, member_id: int) -> None:
        """Count a slot that a member gets."""
        self.in_flight[member_id] += 1
        self.last_served[member_id] = next(self._numbers)

    def end(self, member_id: int) -> None:
        """Count a slot that a member gives back."""
        self.in_flight[member_id] -= 1
        if not self.in_flight[member_id]:
            del self.in_flight[member_id]

    def forget(self) -> None:
        """Forget members without a slot, since nobody waits any longer."""
        self.last_served = {member: self.last_served[member] for member in self.in_flight}


class FairSlots:
    """A fixed number of slots, given in fair order, with a limit for each member."""

    def __init__(self, slots: int, *, per_member: int) -> None:
        self._slots = slots
        self._per_member = per_member
        self._waiting: dict[int, tuple[QueueEntry, asyncio.Future[None]]] = {}
        self._share = FairShare()

    @asynccontextmanager
    async def slot(self, entry: QueueEntry) -> AsyncGenerator[None]:
        """Wait for a slot, and keep it until the end of the context."""
        granted = asyncio.get_running_loop().create_future()
        self._waiting[entry.edit_id] = entry, granted
        self._grant()
        try:
            await granted
            yield
        finally:
            # A task that is cancelled right after the grant has a slot to give back, too.
            if self._waiting.pop(entry.edit_id, None) is None:
                self._share.end(entry.member_id)
            self._grant()

    def _grant(self) -> None:
        while self._share.in_flight.total() < self._slots:
            waiting = (
                entry
                for entry, granted in self._waiting.values()
                if not granted.done() and self._share.in_flight[entry.member_id] < self._per_member
            )
            chosen = next_entry(waiting, self._share.in_flight, self._share.last_served)
            if chosen is None:
                break
            _, granted = self._waiting.pop(chosen.edit_id)
            self._share.begin(chosen.member_id)
            granted.set_result(None)
        if not self._waiting:
            self._share.forget()
