"""The line before the edit API: gives places among the calls under way, in the queue's order."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.domain.edits import Order
from bot.domain.pricing import Quality
from bot.domain.refusals import LineFull, LineTooLong
from bot.scheduling.estimates import Estimates
from bot.scheduling.fair_order import QueueEntry, QueuePosition, fair_order, forecast, next_entry
from bot.scheduling.fair_slots import FairShare

EXPECTED_WITHIN = 0.5
"""Seconds that an edit has to be acknowledged and its source looked at, until later ones of its
member pass it."""

RESTART_PATIENCE = 2.0
"""Seconds that all edits have for it after a restart, until any passes them."""

FORESEEN_FOR = 0.5
"""Seconds for which the same look ahead serves all who ask."""

OVERDUE = 0.1
"""The part of the usual time that a call beyond it is thought to need still."""


@dataclass(slots=True)
class _Place:
    """An edit's place in the line."""

    member_id: int
    quality: Quality
    expected: bool = True
    """Whether it could start soon."""
    called: asyncio.Future[None] | None = None
    """Resolved at its turn; None until it could start."""

    @property
    def ready(self) -> bool:
        return self.called is not None and not self.called.done()


@dataclass(frozen=True, slots=True)
class _Call:
    """An edit's place among the calls."""

    member_id: int
    quality: Quality
    since: float


class EditQueue:
    """All edits of this process that wait for their turn, and those that have it."""

    def __init__(
        self,
        estimates: Estimates,
        *,
        places: int,
        limit: int,
        longest_wait: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let `limit` edits be open at most, and wait for `places`.

        None comes in that would foreseeably wait beyond `longest_wait`.
        """
        self._estimates = estimates
        self._places = places
        self._limit = limit
        self._longest_wait = longest_wait
        self._now = now
        self._open: set[int] = set()
        self._waiting: dict[int, _Place] = {}
        self._could_start = 0
        """So many of those who wait; while there are none, the line need not be gone through."""
        self._calls: dict[int, _Call] = {}
        self._qualities = Counter[Quality]()
        """Of all who wait and all calls."""
        self._rota = FairShare()
        self._patient = False
        self._foreseen: tuple[float, Mapping[int, QueuePosition]] | None = None

    def refuse(self, order: Order) -> LineFull | LineTooLong | None:
        """Why the order cannot come into the line, if it cannot."""
        if len(self._open) >= self._limit:
            return LineFull(self._limit)
        # As long as all of them together come to less, the order does not matter.
        known = sum(self._known(each) * count for each, count in self._qualities.items())
        spare = self._places - len(self._calls)
        if len(self._waiting) < spare or known <= self._longest_wait * self._places:
            return None
        newcomer = _Place(order.member_id, order.quality)
        standing = self._foresee({**self._waiting, order.id: newcomer}, self._known)[order.id]
        return LineTooLong(standing.wait) if standing.wait > self._longest_wait else None

    def join(self, order: Order, *, expected_within: float = EXPECTED_WITHIN) -> bool:
        """Come into the line, by the time of the command; False for one that is in it already."""
        if order.id in self._waiting or order.id in self._calls:
            return False
        self._open.add(order.id)
        place = self._waiting[order.id] = _Place(order.member_id, order.quality)
        self._qualities[order.quality] += 1
        asyncio.get_running_loop().call_later(expected_within, self._let_pass, place)
        return True

    def leave(self, edit_id: int) -> None:
        """Need no place any more: neither in the line nor among the calls, nor as an open edit."""
        self._open.discard(edit_id)
        self._give_back(edit_id)

    @asynccontextmanager
    async def turn(self, edit_id: int) -> AsyncGenerator[None]:
        """A place among the calls, for one that is in the line and could start."""
        called = asyncio.get_running_loop().create_future()
        self._waiting[edit_id].called = called
        self._could_start += 1
        self._call_up()
        try:
            # Called and cancelled at once, it has a place, and gives it back all the same.
            await called
            yield
        finally:
            self._give_back(edit_id)

    def join_again(self, orders: Sequence[Order], *, rendered: Iterable[int] = ()) -> None:
        """Come into the line after a restart; for a while nobody passes who is not ready yet.

        `rendered` are open too, and wait for no turn any more.
        """
        self._open.update(rendered)
        if not orders:
            return
        for order in orders:
            self.join(order, expected_within=RESTART_PATIENCE)
        self._patient = True
        asyncio.get_running_loop().call_later(RESTART_PATIENCE, self._end_patience)

    def standing(self, edit_id: int) -> QueuePosition | None:
        """Where an edit in the line stands, as it was half a second ago at most."""
        now = self._now()
        if self._foreseen is None or now - self._foreseen[0] > FORESEEN_FOR:
            self._foreseen = (now, self._foresee(self._waiting, self._usual))
        return self._foreseen[1].get(edit_id)

    def _give_back(self, edit_id: int) -> None:
        """End a wait or a call; the edit may be open still."""
        if place := self._waiting.pop(edit_id, None):
            self._could_start -= place.called is not None
            self._qualities[place.quality] -= 1
        if call := self._calls.pop(edit_id, None):
            self._qualities[call.quality] -= 1
            self._rota.end(call.member_id)
        self._call_up()

    def _let_pass(self, place: _Place) -> None:
        place.expected = False
        self._call_up()

    def _end_patience(self) -> None:
        self._patient = False
        self._call_up()

    def _call_up(self) -> None:
        """Give the free places to those whose turn it is."""
        while self._could_start and len(self._calls) < self._places:
            waiting = [
                QueueEntry(edit_id, place.member_id, place.ready, place.expected)
                for edit_id, place in self._waiting.items()
            ]
            chosen = next_entry(
                waiting, self._rota.in_flight, self._rota.turns, patient=self._patient
            )
            if chosen is None:
                return
            place = self._waiting.pop(chosen.edit_id)
            self._calls[chosen.edit_id] = _Call(place.member_id, place.quality, self._now())
            self._rota.begin(place.member_id)
            if place.called is not None:
                self._could_start -= 1
                place.called.set_result(None)
        if not self._waiting:
            self._rota.forget()

    def _foresee(
        self, places: Mapping[int, _Place], seconds: Callable[[Quality], float]
    ) -> Mapping[int, QueuePosition]:
        waiting = (QueueEntry(edit_id, place.member_id) for edit_id, place in places.items())
        line = fair_order(waiting, self._rota.in_flight, self._rota.turns)
        takes = {edit_id: seconds(place.quality) for edit_id, place in places.items()}
        now = self._now()
        busy = [
            max(seconds(call.quality) - (now - call.since), OVERDUE * seconds(call.quality))
            for call in self._calls.values()
        ]
        return forecast(line, takes, busy, self._places)

    def _usual(self, quality: Quality) -> float:
        return self._estimates.typical(quality).call

    def _known(self, quality: Quality) -> float:
        """The same without a guess: nobody is refused for one."""
        known = self._estimates.measured(quality)
        return 0.0 if known is None else known.call
