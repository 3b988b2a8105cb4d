"""Places among the calls are given in the queue's order, and none is ever lost."""

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

PATIENCE = 5
"""Seconds after which somebody's turn will not come any more."""


class Crew:
    """Edits that wait in a line, and the order in which their turns came."""

    def __init__(self, line: EditQueue) -> None:
        self.line = line
        self.called: list[int] = []
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
        self.line.join(order(edit_id, member_id=member_id), timeout_s=timeout_s)
        if ready:
            self.be_ready(edit_id)

    def be_ready(self, edit_id: int) -> None:
        self._releases[edit_id] = asyncio.Event()
        self._tasks[edit_id] = asyncio.create_task(self._take_turn(edit_id))

    def cancel(self, edit_id: int) -> None:
        self._tasks[edit_id].cancel()

    async def end(self, edit_id: int) -> None:
        self._releases[edit_id].set()
        async with asyncio.timeout(PATIENCE):
            await self._tasks[edit_id]
        await settle()

    async def end_all(self) -> None:
        for edit_id in list(self._tasks):
            self._releases[edit_id].set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _take_turn(self, edit_id: int) -> None:
        async with self.line.slot(edit_id):
            self.called.append(edit_id)
            await self._releases[edit_id].wait()


def make_line(
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
    crew = Crew(make_line())
    for edit_id in range(1, 6):
        crew.come(edit_id)
        if edit_id == before:
            # Those that came so far have their turn, or wait, before the next ones come.
            await settle()
    crew.come(6, BOB)
    await settle()
    for edit_id in (1, 6, 2, 3, 4, 5):
        await crew.end(edit_id)
    assert crew.called == [1, 6, 2, 3, 4, 5]


async def test_an_edit_that_is_not_ready_is_passed_and_keeps_its_position():
    crew = Crew(make_line())
    crew.come(1, ready=False)
    crew.come(2, BOB)
    crew.come(3, BOB)
    crew.be_ready(1)
    await settle()
    await crew.end(2)
    assert crew.called == [2, 1]
    await crew.end(1)
    await crew.end(3)


async def test_a_members_edits_wait_for_an_earlier_one_that_is_preparing():
    crew = Crew(make_line(slots=2))
    crew.come(1, ready=False)
    crew.come(2)
    await settle()
    assert crew.called == []
    crew.be_ready(1)
    await settle()
    assert crew.called == [1, 2]
    await crew.end_all()


async def test_a_members_edits_pass_an_earlier_one_that_does_not_get_ready():
    line = make_line(slots=2)
    crew = Crew(line)
    line.join(order(1), timeout_s=0)
    crew.come(2)
    await settle()
    assert crew.called == [2]
    await crew.end_all()


async def test_no_edit_is_passed_right_after_a_restart():
    line = make_line()
    line.restore([order(1), by_bob(2)])
    crew = Crew(line)
    crew.be_ready(2)
    await settle()
    assert crew.called == []
    crew.be_ready(1)
    await settle()
    assert crew.called == [1]
    await crew.end_all()


async def test_an_edit_is_queued_once():
    line = make_line()
    assert line.join(order(1))
    assert not line.join(order(1))
    crew = Crew(line)
    crew.be_ready(1)
    await settle()
    assert not line.join(order(1))
    await crew.end_all()
    assert line.join(order(1))


async def test_an_edit_that_leaves_makes_room():
    line = make_line()
    crew = Crew(line)
    for edit_id in (1, 2, 3):
        crew.come(edit_id)
    await settle()
    crew.cancel(2)
    await settle()
    await crew.end(1)
    assert crew.called == [1, 3]
    await crew.end_all()


async def test_a_task_canceled_right_after_the_grant_gives_its_slot_back():
    crew = Crew(make_line())
    for edit_id in (1, 2, 3):
        crew.come(edit_id)
    await settle()
    crew.line.leave(1)
    # Its turn has come, and it does not know yet.
    crew.cancel(2)
    await settle()
    assert crew.called == [1, 3]
    await crew.end_all()


@pytest.mark.parametrize("seed", range(20))
async def test_no_slot_is_lost_however_edits_come_end_and_are_canceled(seed: int):
    dice = random.Random(seed)
    crew = Crew(make_line(slots=3))
    for edit_id in range(1, 80):
        # One that is cancelled before its first step is expected, and holds up all of its member's.
        crew.come(edit_id, dice.choice([ADA, BOB, 42]), timeout_s=0)
        for _ in range(dice.randrange(3)):
            victim = dice.randint(1, edit_id)
            if dice.random() < 0.5:
                crew.cancel(victim)
            elif victim in crew.called:
                crew.line.leave(victim)
        if dice.random() < 0.5:
            await settle()
    await crew.end_all()
    last = Crew(crew.line)
    for edit_id in (101, 102, 103, 104):
        last.come(edit_id)
    await settle()
    assert last.called == [101, 102, 103]
    await last.end_all()


# Who is refused, and what is foreseen.


async def test_an_edit_counts_toward_the_limit_until_it_leaves():
    line = make_line(slots=2, limit=3)
    crew = Crew(line)
    for edit_id in (1, 2, 3):
        assert line.refuse(order(edit_id)) is None
        crew.come(edit_id)
    assert line.refuse(order(4)) == LineFull(3)
    await settle()
    await crew.end(1)
    assert line.refuse(order(4)) == LineFull(3)
    line.leave(1)
    assert line.refuse(order(4)) is None
    await crew.end_all()


async def test_a_rendered_edit_counts_toward_the_limit_after_a_restart():
    line = make_line(limit=2)
    line.restore([order(1)], rendered=[2])
    assert line.refuse(order(3)) == LineFull(2)
    line.leave(2)
    assert line.refuse(order(3)) is None


async def test_an_edit_that_would_wait_over_eight_minutes_is_refused():
    clock = Clock()
    line = make_line(call=200, now=clock)
    crew = Crew(line)
    for edit_id in (1, 2, 3):
        assert line.refuse(order(edit_id)) is None
        crew.come(edit_id)
        await settle()
    assert line.refuse(order(4)) == LineTooLong(600)
    assert line.refuse(by_bob(4)) is None
    clock.seconds = 130
    assert line.refuse(order(4)) is None
    await crew.end_all()


async def test_no_edit_is_refused_on_default_durations():
    line = make_line()
    for edit_id in range(1, 200):
        assert line.refuse(order(edit_id)) is None
        line.join(order(edit_id))


async def test_positions_follow_from_the_order_and_the_calls_in_progress():
    clock = Clock()
    line = make_line(call=30, now=clock)
    crew = Crew(line)
    crew.come(1)
    await settle()
    crew.come(2)
    crew.come(3, BOB)
    assert line.position(3) == QueuePosition(1, 30)
    assert line.position(2) == QueuePosition(2, 60)
    clock.seconds = 20
    assert line.position(2) == QueuePosition(2, 40)
    clock.seconds = 300
    assert line.position(3) == QueuePosition(1, 3)
    assert line.position(1) is None
    await crew.end_all()
