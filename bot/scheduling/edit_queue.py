"""The queue in front of the edit API: edits get its slots in fair order."""

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

PREPARING_TIMEOUT_S = 0.5
"""Seconds that an edit has to become ready before its member's later edits may pass it."""

RESTART_TIMEOUT_S = 2.0
"""Seconds after a restart in which all edits keep their order, ready or not."""

FORECAST_LIFE_S = 0.5
"""Seconds for which one forecast serves all callers."""

OVERDUE = 0.1
"""Part of the typical duration that a call is expected to need still once it took longer."""


@dataclass(slots=True)
class _Waiting:
    """A queued edit."""

    member_id: int
    quality: Quality
    preparing: bool = True
    granted: asyncio.Future[None] | None = None
    """Resolved when it gets a slot; None until it is ready for one."""

    @property
    def ready(self) -> bool:
        return self.granted is not None and not self.granted.done()


@dataclass(frozen=True, slots=True)
class _Call:
    """An edit that has a slot."""

    member_id: int
    quality: Quality
    since: float


class EditQueue:
    """The edits of this process that wait for a slot, and those that have one."""

    def __init__(
        self,
        estimates: Estimates,
        *,
        slots: int,
        limit: int,
        max_wait_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Share `slots` among at most `limit` open edits; none may expect to wait `max_wait_s`."""
        self._estimates = estimates
        self._slots = slots
        self._limit = limit
        self._max_wait_s = max_wait_s
        self._now = now
        self._open: set[int] = set()
        self._waiting: dict[int, _Waiting] = {}
        self._ready = 0
        """How many of the waiting edits are ready: while none is, nothing is searched."""
        self._calls: dict[int, _Call] = {}
        self._qualities = Counter[Quality]()
        """Of all waiting edits and calls."""
        self._share = FairShare()
        self._strict = False
        self._forecast: tuple[float, Mapping[int, QueuePosition]] | None = None

    def refuse(self, order: Order) -> LineFull | LineTooLong | None:
        """Return why the order can't be queued, or None if it can."""
        if len(self._open) >= self._limit:
            return LineFull(self._limit)
        # Unless all edits together take longer than the limit, none can wait longer than it.
        total = sum(self._measured(quality) * count for quality, count in self._qualities.items())
        spare = self._slots - len(self._calls)
        if len(self._waiting) < spare or total <= self._max_wait_s * self._slots:
            return None
        newcomer = _Waiting(order.member_id, order.quality)
        positions = self._forecast_for({**self._waiting, order.id: newcomer}, self._measured)
        wait_s = positions[order.id].wait_s
        return LineTooLong(wait_s) if wait_s > self._max_wait_s else None

    def join(self, order: Order, *, timeout_s: float = PREPARING_TIMEOUT_S) -> bool:
        """Queue an edit; False if it is queued or called already."""
        if order.id in self._waiting or order.id in self._calls:
            return False
        self._open.add(order.id)
        entry = self._waiting[order.id] = _Waiting(order.member_id, order.quality)
        self._qualities[order.quality] += 1
        asyncio.get_running_loop().call_later(timeout_s, self._end_preparing, entry)
        return True

    def restore(self, held: Sequence[Order], *, rendered: Iterable[int] = ()) -> None:
        """Queue held edits after a restart, and count rendered ones as open."""
        self._open.update(rendered)
        if not held:
            return
        for order in held:
            self.join(order, timeout_s=RESTART_TIMEOUT_S)
        self._strict = True
        asyncio.get_running_loop().call_later(RESTART_TIMEOUT_S, self._end_strict)

    def leave(self, edit_id: int) -> None:
        """Take an edit out of the queue, out of its slot and out of the open edits."""
        self._open.discard(edit_id)
        self._give_back(edit_id)

    @asynccontextmanager
    async def slot(self, edit_id: int) -> AsyncGenerator[None]:
        """Wait for a slot as a queued edit that is ready, and keep it until the context ends."""
        granted = asyncio.get_running_loop().create_future()
        self._waiting[edit_id].granted = granted
        self._ready += 1
        self._grant()
        try:
            # A task that is cancelled right after the grant has a slot to give back, too.
            await granted
            yield
        finally:
            self._give_back(edit_id)

    def position(self, edit_id: int) -> QueuePosition | None:
        """Return a queued edit's position, at most half a second old."""
        now = self._now()
        if self._forecast is None or now - self._forecast[0] > FORECAST_LIFE_S:
            self._forecast = (now, self._forecast_for(self._waiting, self._typical))
        return self._forecast[1].get(edit_id)

    def _give_back(self, edit_id: int) -> None:
        """End a wait or a call; the edit may still be open."""
        if entry := self._waiting.pop(edit_id, None):
            self._ready -= entry.granted is not None
            self._qualities[entry.quality] -= 1
        if call := self._calls.pop(edit_id, None):
            self._qualities[call.quality] -= 1
            self._share.end(call.member_id)
        self._grant()

    def _end_preparing(self, entry: _Waiting) -> None:
        entry.preparing = False
        self._grant()

    def _end_strict(self) -> None:
        self._strict = False
        self._grant()

    def _grant(self) -> None:
        """Give free slots to the edits that are next."""
        while self._ready and len(self._calls) < self._slots:
            entries = [
                QueueEntry(edit_id, entry.member_id, entry.ready, entry.preparing)
                for edit_id, entry in self._waiting.items()
            ]
            chosen = next_entry(
                entries, self._share.in_flight, self._share.last_served, strict=self._strict
            )
            if chosen is None:
                return
            entry = self._waiting.pop(chosen.edit_id)
            self._calls[chosen.edit_id] = _Call(entry.member_id, entry.quality, self._now())
            self._share.begin(entry.member_id)
            if entry.granted is not None:
                self._ready -= 1
                entry.granted.set_result(None)
        if not self._waiting:
            self._share.forget()

    def _forecast_for(
        self, waiting: Mapping[int, _Waiting], duration_s: Callable[[Quality], float]
    ) -> Mapping[int, QueuePosition]:
        entries = (QueueEntry(edit_id, entry.member_id) for edit_id, entry in waiting.items())
        order = fair_order(entries, self._share.in_flight, self._share.last_served)
        durations_s = {edit_id: duration_s(entry.quality) for edit_id, entry in waiting.items()}
        now = self._now()
        remaining_s = [
            max(duration_s(call.quality) - (now - call.since), OVERDUE * duration_s(call.quality))
            for call in self._calls.values()
        ]
        return forecast(order, durations_s, remaining_s, self._slots)

    def _typical(self, quality: Quality) -> float:
        return self._estimates.typical(quality).call

    def _measured(self, quality: Quality) -> float:
        """Return 0 if nothing was measured, since no order is refused on a guess."""
        measured = self._estimates.measured(quality)
        return 0.0 if measured is None else measured.call
