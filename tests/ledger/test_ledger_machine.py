"""Whatever is done to a ledger, in any order, what must always be true of it is true.

Hypothesis chooses the moves, several at once as well; a model in plain Python keeps the sums.
"""

import asyncio
import tempfile
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.domain.edits import Held, Order, OverQuota
from bot.domain.lifecycle import LEAVES_FROM, OPEN_STATES, Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Member, OperatorLimits
from bot.ledger.sqlite import open_sqlite
from tests.invariants import find_contradictions, find_overrun
from tests.orders import order

T = TypeVar("T")

QUOTA = 60
LIMITS = OperatorLimits(QUOTA)
MEMBERS = (40, 41)


@dataclass(slots=True)
class Known:
    """What the model knows of one edit."""

    order: Order
    day: str
    state: State = State.HELD
    charged: int = 0


class LedgerMachine(RuleBasedStateMachine):
    """Orders, moves and days, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "bot.db"
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.ledger = self.run(self.stack.enter_async_context(open_sqlite(self.path))).ledger
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.edits: dict[int, Known] = {}

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    @rule(
        orders=st.lists(
            st.tuples(st.sampled_from(MEMBERS), st.sampled_from(Quality), st.integers(1, 4)),
            min_size=1,
            max_size=8,
        )
    )
    def hold_at_once(self, orders: list[tuple[int, Quality, int]]) -> None:
        first = len(self.edits) * 100 + 1
        wanted = [
            order(first + place, member_id=member, quality=quality, count=count)
            for place, (member, quality, count) in enumerate(orders)
        ]

        async def hold_all() -> list[object]:
            return await asyncio.gather(
                *(
                    self.ledger.hold(each, limits=LIMITS, owner="test", now=self.now)
                    for each in wanted
                )
            )

        day = self.now.date().isoformat()
        for each, outcome in zip(wanted, self.run(hold_all()), strict=True):
            if isinstance(outcome, Held):
                self.edits[each.id] = Known(each, day)
            else:
                # One writer takes them in the order in which they came.
                assert isinstance(outcome, OverQuota)
                assert self.expected(each.member_id, day) + each.hold > QUOTA

    @rule(place=st.integers(0, 50))
    def submit(self, place: int) -> None:
        if edit := self.choose(place):
            moved = self.run(self.ledger.submit(edit.order.id, ratio="1:1", now=self.now))
            self.expect(edit, moved, leaves=(State.HELD,), to=State.SUBMITTED)

    @rule(place=st.integers(0, 50))
    def render(self, place: int) -> None:
        if edit := self.choose(place):
            moved = self.run(self.ledger.render(edit.order.id, ["https://a/1"], now=self.now))
            self.expect(edit, moved, leaves=(State.SUBMITTED,), to=State.RENDERED)

    @rule(place=st.integers(0, 50), posted=st.integers(1, 4))
    def capture(self, place: int, posted: int) -> None:
        if edit := self.choose(place):
            posted = min(posted, edit.order.count)
            moved = self.run(self.ledger.capture(edit.order.id, posted=posted, now=self.now))
            self.expect(edit, moved, leaves=(State.RENDERED,), to=State.DELIVERED)
            if moved is not None:
                edit.charged = edit.order.quality.price * posted

    @rule(place=st.integers(0, 50), reason=st.sampled_from(Reason))
    def void(self, place: int, reason: Reason) -> None:
        if edit := self.choose(place):
            moved = self.run(self.ledger.void(edit.order.id, reason, detail=None, now=self.now))
            self.expect(edit, moved, leaves=LEAVES_FROM[reason.state], to=reason.state)

    @rule(hours=st.integers(1, 30))
    def let_time_pass(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def start_again(self) -> None:
        self.run(self.stack.aclose())
        self.ledger = self.run(self.stack.enter_async_context(open_sqlite(self.path))).ledger

    @invariant()
    def the_file_contradicts_itself_nowhere(self) -> None:
        assert find_contradictions(self.path) == []
        assert find_overrun(self.path, QUOTA) == []

    @invariant()
    def the_balances_are_the_models(self) -> None:
        for member in MEMBERS:
            balance = self.run(
                self.ledger.balance(Member(20, member, ()), limits=LIMITS, now=self.now)
            )
            day = self.now.date().isoformat()
            assert balance.held + balance.spent == self.expected(member, day)

    def choose(self, place: int) -> Known | None:
        edits = list(self.edits.values())
        return edits[place % len(edits)] if edits else None

    def expect(self, edit: Known, moved: object, *, leaves: tuple[State, ...], to: State) -> None:
        assert (moved is not None) == (edit.state in leaves)
        if moved is not None:
            edit.state = to

    def expected(self, member_id: int, day: str) -> int:
        mine = [
            edit
            for edit in self.edits.values()
            if edit.order.member_id == member_id and edit.day == day
        ]
        held = sum(edit.order.hold for edit in mine if edit.state in OPEN_STATES)
        return held + sum(edit.charged for edit in mine)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=15, stateful_step_count=25)


@pytest.mark.drill
class TestLedgerMachineForLonger(TestLedgerMachine):
    """The same, with ten times as many examples."""

    settings = settings(max_examples=150, stateful_step_count=25)
