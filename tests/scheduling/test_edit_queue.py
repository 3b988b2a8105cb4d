"""Slots are granted in the queue's order, and none is ever lost."""

import asyncio
import random
from collections.abc import Callable

import pytest

from bot.domain.edits import Durations, Order
from bot.domain.pricing import Quality
from bot.domain.refusals import LineFull, LineTooLong
from bot.scheduling.edit_queue import PREPARING_TIMEOUT_S, EditQueue
from bot.scheduling.estimates import Estimates
from bot.scheduling.fair_order import QueuePosition
from tests.orders import order
from tests.passing_time import Clock, settle

ADA, BOB = 40, 41

TIMEOUT_S = 5
"""Seconds after which an edit won't get a slot any more."""


class Crew:
    """Edits that use a queue, and the order in which they got a slot."""

    def __init__(self, queue: EditQueue) -> None:
        self.queue = queue
        self.granted: list[int] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._releases: dict[int, asyncio.Event] = {}

    def come(
        self,
        edit_id: int,
        member_id: int = ADA,
        *,
        ready: bool = True,
        timeout_s: float = PREPARING_TIMEOUT_S,
    ) -> None:
        self.queue.join(order(edit_id, member_id=member_id), timeout_s=timeout_s)
        if ready:
            self.get_ready(edit_id)

    def get_ready(self, edit_id: int) -> None:
        self._releases[edit_id] = asyncio.Event()
        self._tasks[edit_id] = asyncio.create_task(self._use_slot(edit_id))

    def cancel(self, edit_id: int) -> None:
        self._tasks[edit_id].cancel()

    async def end(self, edit_id: int) -> None:
        self._releases[edit_id].set()
        async with asyncio.timeout(TIMEOUT_S):
            await self._tasks[edit_id]
        await settle()

    async def end_all(self) -> None:
        for edit_id in list(self._tasks):
            self._releases[edit_id].set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _use_slot(self, edit_id: int) -> None:
        async with self.queue.slot(edit_id):
            self.granted.append(edit_id)
            await self._releases[edit_id].wait()


def make_queue(
    *,
    slots: int = 1,
    limit: int = 500,
    call: float | None = None,
    now: Callable[[], float] | None = None,
) -> EditQueue:
    estimates = Estimates()
    if call is not None:
        estimates.learn({Quality.MEDIUM: [Durations(call=call, posting=1)]})
    return EditQueue(estimates, slots=slots, limit=limit, max_wait_s=480, now=now or Clock())


def by_bob(edit_id: int) -> Order:
    return order(edit_id, member_id=BOB)


@pytest.mark.parametrize("before", [0, 1, 5])
async def test_another_members_edit_is_next_after_a_burst_and_the_burst_stays_in_order(before: int):
    crew = Crew(make_queue())
    for edit_id in range(1, 6):
        crew.come(edit_id)
        if edit_id == before:
            # Let the edits so far get a slot or wait before the next ones come.
            await settle()
    crew.come(6, BOB)
    await settle()
    for edit_id in (1, 6, 2, 3, 4, 5):
        await crew.end(edit_id)
    assert crew.granted == [1, 6, 2, 3, 4, 5]


async def test_an_edit_that_is_not_ready_is_passed_and_keeps_its_position():
    crew = Crew(make_queue())
    crew.come(1, ready=False)
    crew.come(2, BOB)
    crew.come(3, BOB)
    crew.get_ready(1)
    await settle()
    await crew.end(2)
    assert crew.granted == [2, 1]
    await crew.end(1)
    await crew.end(3)


async def test_a_members_edits_wait_for_an_earlier_one_that_is_preparing():
    crew = Crew(make_queue(slots=2))
    crew.come(1, ready=False)
    crew.come(2)
    await settle()
    assert crew.granted == []
    crew.get_ready(1)
    await settle()
    assert crew.granted == [1, 2]
    await crew.end_all()


async def test_a_members_edits_pass_an_earlier_one_that_does_not_get_ready():
    queue = make_queue(slots=2)
    crew = Crew(queue)
    queue.join(order(1), timeout_s=0)
    crew.come(2)
    await settle()
    assert crew.granted == [2]
    await crew.end_all()


async def test_no_edit_is_passed_right_after_a_restart():
    queue = make_queue()
    queue.restore([order(1), by_bob(2)])
    crew = Crew(queue)
    crew.get_ready(2)
    await settle()
    assert crew.granted == []
    crew.get_ready(1)
    await settle()
    assert crew.granted == [1]
    await crew.end_all()


async def test_an_edit_is_queued_once():
    queue = make_queue()
    assert queue.join(order(1))
    assert not queue.join(order(1))
    crew = Crew(queue)
    crew.get_ready(1)
    await settle()
    assert not queue.join(order(1))
    await crew.end_all()
    assert queue.join(order(1))


async def test_an_edit_that_leaves_makes_room():
    queue = make_queue()
    crew = Crew(queue)
    for edit_id in (1, 2, 3):
        crew.come(edit_id)
    await settle()
    crew.cancel(2)
    await settle()
    await crew.end(1)
    assert crew.granted == [1, 3]
    await crew.end_all()


async def test_a_task_canceled_right_after_the_grant_gives_its_slot_back():
    crew = Crew(make_queue())
    for edit_id in (1, 2, 3):
        crew.come(edit_id)
    await settle()
    crew.queue.leave(1)
    # It has a slot, but its task hasn't run yet.
    crew.cancel(2)
    await settle()
    assert crew.granted == [1, 3]
    await crew.end_all()


@pytest.mark.parametrize("seed", range(20))
async def test_no_slot_is_lost_however_edits_come_end_and_are_canceled(seed: int):
    dice = random.Random(seed)
    crew = Crew(make_queue(slots=3))
    for edit_id in range(1, 80):
        # Without a timeout, an edit canceled before its first step would block its member's others.
        crew.come(edit_id, dice.choice([ADA, BOB, 42]), timeout_s=0)
        for _ in range(dice.randrange(3)):
            victim = dice.randint(1, edit_id)
            if dice.random() < 0.5:
                crew.cancel(victim)
            elif victim in crew.granted:
                crew.queue.leave(victim)
        if dice.random() < 0.5:
            await settle()
    await crew.end_all()
    last = Crew(crew.queue)
    for edit_id in (101, 102, 103, 104):
        last.come(edit_id)
    await settle()
    assert last.granted == [101, 102, 103]
    await last.end_all()


# Refusals and forecasts.


async def test_an_edit_counts_toward_the_limit_until_it_leaves():
    queue = make_queue(slots=2, limit=3)
    crew = Crew(queue)
    for edit_id in (1, 2, 3):
        assert queue.refuse(order(edit_id)) is None
        crew.come(edit_id)
    assert queue.refuse(order(4)) == LineFull(3)
    await settle()
    await crew.end(1)
    assert queue.refuse(order(4)) == LineFull(3)
    queue.leave(1)
    assert queue.refuse(order(4)) is None
    await crew.end_all()


async def test_a_rendered_edit_counts_toward_the_limit_after_a_restart():
    queue = make_queue(limit=2)
    queue.restore([order(1)], rendered=[2])
    assert queue.refuse(order(3)) == LineFull(2)
    queue.leave(2)
    assert queue.refuse(order(3)) is None


async def test_an_edit_that_would_wait_over_eight_minutes_is_refused():
    clock = Clock()
    queue = make_queue(call=200, now=clock)
    crew = Crew(queue)
    for edit_id in (1, 2, 3):
        assert queue.refuse(order(edit_id)) is None
        crew.come(edit_id)
        await settle()
    assert queue.refuse(order(4)) == LineTooLong(600)
    assert queue.refuse(by_bob(4)) is None
    clock.seconds = 130
    assert queue.refuse(order(4)) is None
    await crew.end_all()


async def test_no_edit_is_refused_on_default_durations():
    queue = make_queue()
    for edit_id in range(1, 200):
        assert queue.refuse(order(edit_id)) is None
        queue.join(order(edit_id))


async def test_positions_follow_from_the_order_and_the_calls_in_progress():
    clock = Clock()
    queue = make_queue(call=30, now=clock)
    crew = Crew(queue)
    crew.come(1)
    await settle()
    crew.come(2)
    crew.come(3, BOB)
    assert queue.position(3) == QueuePosition(1, 30)
    assert queue.position(2) == QueuePosition(2, 60)
    clock.seconds = 20
    assert queue.position(2) == QueuePosition(2, 40)
    clock.seconds = 300
    assert queue.position(3) == QueuePosition(1, 3)
    assert queue.position(1) is None
    await crew.end_all()
