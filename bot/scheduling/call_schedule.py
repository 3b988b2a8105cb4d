"""Decides when edits are sent, by the queue, the circuit breaker and the estimates."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime, timedelta

from bot.clock import utc_now
from bot.domain.edits import Durations, Edit, Order
from bot.domain.errors import (
    BusyError,
    DeclinedError,
    ServiceFailedError,
    UnreachableError,
    WaitedTooLongError,
)
from bot.domain.lifecycle import State
from bot.domain.pricing import Quality
from bot.domain.refusals import LineFull, LineTooLong, ServiceDown
from bot.scheduling.circuit_breaker import CircuitBreaker
from bot.scheduling.edit_queue import EditQueue
from bot.scheduling.estimates import Estimates
from bot.scheduling.fair_order import QueuePosition

MAX_WAIT = timedelta(minutes=8)
"""An edit that isn't sent within this time of its command expires, before or after a restart."""


class CallSchedule:
    """The schedule of one process; an edit that joined must leave."""

    def __init__(self, *, concurrency: int, queue_limit: int) -> None:
        self.estimates = Estimates()
        self._breaker = CircuitBreaker()
        self._queue = EditQueue(
            self.estimates,
            slots=concurrency,
            limit=queue_limit,
            max_wait_s=MAX_WAIT.total_seconds(),
        )

    def restore(
        self, unfinished: Sequence[Edit], latest: Mapping[Quality, Sequence[Durations]]
    ) -> None:
        """Continue after a restart with open edits and the durations of the latest ones."""
        self.estimates.learn(latest)
        self._queue.restore(
            [edit.order for edit in unfinished if edit.state is State.HELD],
            rendered=[edit.order.id for edit in unfinished if edit.state is State.RENDERED],
        )

    def refuse(self, order: Order) -> LineFull | LineTooLong | ServiceDown | None:
        """Return why the order can't be queued now, or None if it can."""
        if refusal := self._queue.refuse(order):
            return refusal
        wait_s = self._breaker.refuse(order.id, order.member_id)
        return None if wait_s is None else ServiceDown(wait_s)

    def join(self, order: Order) -> bool:
        """Queue an edit; False if it is queued or called already."""
        return self._queue.join(order)

    def leave(self, edit_id: int, *, queued: bool = True) -> None:
        """Free what an edit has; pass what `join` returned, since a repeated order has no entry."""
        self._breaker.leave(edit_id)
        if queued:
            self._queue.leave(edit_id)

    def position(self, edit_id: int) -> QueuePosition | None:
        """Return a queued edit's position."""
        return self._queue.position(edit_id)

    def deadline(self, edit: Edit) -> datetime:
        """Return the time by which the edit must be sent."""
        return edit.held_at + MAX_WAIT

    @asynccontextmanager
    async def within_deadline(self, edit: Edit) -> AsyncGenerator[None]:
        """Limit the context to the time until the edit's deadline.

        Raises:
            WaitedTooLongError: the deadline passed.
        """
        left = self.deadline(edit) - utc_now()
        if left <= timedelta(0):
            raise WaitedTooLongError
        limit = asyncio.timeout(left.total_seconds())
        try:
            async with limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise WaitedTooLongError from None
            raise

    @asynccontextmanager
    async def slot(self, edit: Edit) -> AsyncGenerator[None]:
        """Wait until a queued edit may be sent, and keep its slot until the context ends.

        Raises:
            WaitedTooLongError: its deadline passed first.
        """
        async with AsyncExitStack() as stack:
            async with self.within_deadline(edit):
                await stack.enter_async_context(self._queue.slot(edit.order.id))
                await self._breaker.wait_to_call(edit.order.id, edit.order.member_id)
            yield

    @contextmanager
    def recording_call(self, order: Order) -> Generator[None]:
        """Tell the circuit breaker how the call inside the context went."""
        try:
            yield
        except DeclinedError:
            self._breaker.record_answer()
            raise
        except (ServiceFailedError, UnreachableError, BusyError):
            self._breaker.record_failure(order.id, order.member_id)
            raise
        self._breaker.record_answer()

    def record_delivery(self, edit: Edit) -> None:
        """Learn from a delivered edit's durations."""
        submitted, rendered = edit.submitted_at, edit.rendered_at
        if submitted is None or rendered is None or edit.ended_at is None:
            raise ValueError("the edit wasn't delivered")
        durations = Durations(
            call=(rendered - submitted).total_seconds(),
            posting=(edit.ended_at - rendered).total_seconds(),
        )
        self.estimates.learn({edit.order.quality: [durations]})
