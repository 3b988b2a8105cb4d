"""While quotas change, grants land and windows turn, every hold is decided as a model decides it.

Hypothesis chooses orders and changes, many at once; the model in plain Python takes them one by one
in the order in which they were given, for the ledger has one writer.
"""

import asyncio
import tempfile
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.domain.edits import Held, Order
from bot.domain.lifecycle import LEAVES_FROM, MAY_HAVE_COST, Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import (
    SERVER_BUDGET,
    SERVER_DEFAULT,
    Limit,
    Member,
    OperatorLimits,
    Period,
    RuleKey,
    Scope,
)
from bot.ledger.quota_rules import Author
from bot.ledger.sqlite import SqliteStores, open_sqlite
from tests.invariants import find_contradictions
from tests.orders import order

T = TypeVar("T")

GUILDS = (20, 21)
MEMBERS = (40, 41)
ROLES = {40: (50, 51), 41: (51,)}
DEFAULT_QUOTA = 40
KEYS = (
    SERVER_DEFAULT,
    SERVER_BUDGET,
    *(RuleKey(Scope.ROLE, role_id) for role_id in (50, 51)),
    *(RuleKey(Scope.MEMBER, member_id) for member_id in MEMBERS),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit to be ordered."""

    guild_id: int
    member_id: int
    quality: Quality
    count: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule to be set, or taken back."""

    guild_id: int
    key: RuleKey
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits to be granted."""

    guild_id: int
    member_id: int
    credits: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A window's length to be set."""

    guild_id: int
    period: Period


Move = Edit | Rule | Grant | Turn

guilds = st.sampled_from((20, 20, 20, 21))
members = st.sampled_from(MEMBERS)
limits = st.none() | st.builds(Limit, st.none() | st.integers(0, 100))
edits = st.builds(Edit, guilds, members, st.sampled_from(Quality), st.integers(1, 4))
changes = st.one_of(
    st.builds(Rule, guilds, st.sampled_from(KEYS), limits),
    st.builds(Grant, guilds, members, st.integers(1, 30)),
    st.builds(Turn, guilds, st.sampled_from(Period)),
)


@dataclass(slots=True)
class Known:
    """What the model knows of an edit that was held."""

    order: Order
    day: date
    held: int
    charged: int = 0
    sent: int = 0


class RulesMachine(RuleBasedStateMachine):
    """Orders and changes at once, endings, and days that go by."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "bot.db"
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.stores: SqliteStores = self.run(self.stack.enter_async_context(open_sqlite(self.path)))
        self.now = datetime(2026, 11, 27, 12, tzinfo=UTC)
        self.edits: list[Known] = []
        self.known_rules: dict[tuple[int, RuleKey], int | None] = {}
        self.grants: list[tuple[int, int, date, int]] = []
        self.periods: dict[int, Period] = {}
        self.ids = iter(range(1, 1_000_000))
        self.limits = OperatorLimits(DEFAULT_QUOTA)

    @initialize(
        daily_budget=st.none() | st.integers(0, 200),
        period=st.sampled_from(Period),
        changed=st.lists(changes, min_size=4, max_size=12),
    )
    def set_up(self, daily_budget: int | None, period: Period, changed: list[Move]) -> None:
        self.limits = OperatorLimits(DEFAULT_QUOTA, daily_budget)
        self.do_at_once([Turn(20, period), *changed])

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    @rule(wanted=st.lists(edits | edits | changes, min_size=1, max_size=12))
    def order_and_change(self, wanted: list[Move]) -> None:
        self.do_at_once(wanted)

    def do_at_once(self, wanted: list[Move]) -> None:
        orders = {
            place: self.make_order(move)
            for place, move in enumerate(wanted)
            if isinstance(move, Edit)
        }

        async def do_all() -> list[object]:
            return await asyncio.gather(
                *(self.do(move, orders.get(place)) for place, move in enumerate(wanted))
            )

        for place, (move, outcome) in enumerate(zip(wanted, self.run(do_all()), strict=True)):
            ordered = orders.get(place)
            if ordered is None:
                self.note(move)
            else:
                assert isinstance(outcome, Held) == self.fits(ordered)
                if isinstance(outcome, Held):
                    self.edits.append(Known(ordered, self.now.date(), ordered.hold))

    def make_order(self, move: Edit) -> Order:
        return order(
            next(self.ids),
            guild_id=move.guild_id,
            member_id=move.member_id,
            quality=move.quality,
            count=move.count,
            role_ids=ROLES[move.member_id],
        )

    async def do(self, move: Move, ordered: Order | None) -> object:
        author = Author(99, self.now)
        match move:
            case Edit():
                assert ordered is not None
                return await self.stores.ledger.hold(
                    ordered, limits=self.limits, owner="test", now=self.now
                )
            case Rule(guild_id, key, limit):
                return await self.stores.quota_rules.set_limits(guild_id, {key: limit}, author)
            case Grant(guild_id, member_id, credits):
                return await self.stores.quota_rules.grant(guild_id, member_id, credits, author)
            case Turn(guild_id, period):
                return await self.stores.quota_rules.set_period(guild_id, period, author)

    @rule(place=st.integers(0, 50), posted=st.integers(0, 4), reason=st.sampled_from(Reason))
    def end(self, place: int, posted: int, reason: Reason) -> None:
        """Deliver so many pictures, or give the hold back after the edit was sent."""
        still_open = [edit for edit in self.edits if edit.held]
        if not still_open:
            return
        edit = still_open[place % len(still_open)]
        posted = min(posted, edit.order.count)
        self.run(self.carry_to_its_end(edit, posted, reason))

    async def carry_to_its_end(self, edit: Known, posted: int, reason: Reason) -> None:
        ledger, edit_id = self.stores.ledger, edit.order.id
        if LEAVES_FROM[reason.state] == (State.HELD,) and not posted:
            await ledger.void(edit_id, reason, detail=None, now=self.now)
        else:
            await ledger.submit(edit_id, ratio="1:1", now=self.now)
            if posted:
                await ledger.render(edit_id, ["https://a/1"], now=self.now)
                await ledger.capture(edit_id, posted=posted, now=self.now)
            else:
                await ledger.void(edit_id, reason, detail=None, now=self.now)
            if posted or reason in MAY_HAVE_COST:
                edit.sent = edit.held
        edit.held, edit.charged = 0, edit.order.quality.price * posted

    @rule(days=st.sampled_from((1, 1, 1, 2, 7)))
    def let_days_pass(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def the_file_contradicts_itself_nowhere(self) -> None:
        assert find_contradictions(self.path) == []

    @invariant()
    def what_is_left_is_the_models(self) -> None:
        for guild_id in GUILDS:
            for member_id in MEMBERS:
                balance = self.run(
                    self.stores.ledger.balance(
                        Member(guild_id, member_id, ROLES[member_id]),
                        limits=self.limits,
                        now=self.now,
                    )
                )
                room = self.room(guild_id, member_id)
                assert balance.left == (None if room is None else max(0, room))

    # The model.

    def note(self, move: Move) -> None:
        match move:
            case Rule(guild_id, key, limit):
                self.known_rules.pop((guild_id, key), None)
                if limit is not None:
                    self.known_rules[guild_id, key] = limit.credits
            case Grant(guild_id, member_id, credits):
                self.grants.append((guild_id, member_id, self.now.date(), credits))
            case Turn(guild_id, period):
                self.periods[guild_id] = period
            case Edit():
                pass

    def fits(self, wanted: Order) -> bool:
        room = self.room(wanted.guild_id, wanted.member_id)
        return room is None or wanted.hold <= room

    def room(self, guild_id: int, member_id: int) -> int | None:
        """What a member could still hold; below nothing where rules became stricter."""
        rooms: list[int] = []
        used = {id(edit): edit.held + edit.charged for edit in self.edits}
        here = [
            edit
            for edit in self.edits
            if edit.order.guild_id == guild_id and self.is_now(guild_id, edit.day)
        ]
        quota = self.quota(guild_id, member_id)
        if quota is not None:
            mine = sum(used[id(edit)] for edit in here if edit.order.member_id == member_id)
            granted = sum(
                credits
                for guild, member, day, credits in self.grants
                if (guild, member) == (guild_id, member_id) and self.is_now(guild_id, day)
            )
            rooms.append(quota + granted - mine)
        budget = self.known_rules.get((guild_id, SERVER_BUDGET))
        if budget is not None:
            rooms.append(budget - sum(used[id(edit)] for edit in here))
        if self.limits.daily_budget is not None:
            today = [edit for edit in self.edits if edit.day == self.now.date()]
            rooms.append(self.limits.daily_budget - sum(edit.held + edit.sent for edit in today))
        return min(rooms, default=None)

    def quota(self, guild_id: int, member_id: int) -> int | None:
        own = (guild_id, RuleKey(Scope.MEMBER, member_id))
        if own in self.known_rules:
            return self.known_rules[own]
        of_roles = [
            self.known_rules[key]
            for role_id in ROLES[member_id]
            if (key := (guild_id, RuleKey(Scope.ROLE, role_id))) in self.known_rules
        ]
        if of_roles:
            numbers = [credits for credits in of_roles if credits is not None]
            return max(numbers) if len(numbers) == len(of_roles) else None
        return self.known_rules.get((guild_id, SERVER_DEFAULT), DEFAULT_QUOTA)

    def is_now(self, guild_id: int, day: date) -> bool:
        today = self.now.date()
        match self.periods.get(guild_id, Period.DAY):
            case Period.DAY:
                return day == today
            case Period.WEEK:
                return day.isocalendar()[:2] == today.isocalendar()[:2]
            case Period.MONTH:
                return (day.year, day.month) == (today.year, today.month)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()


TestRulesMachine = RulesMachine.TestCase
TestRulesMachine.settings = settings(max_examples=15, stateful_step_count=25)


@pytest.mark.drill
class TestRulesMachineForLonger(TestRulesMachine):
    """The same, with ten times as many examples."""

    settings = settings(max_examples=150, stateful_step_count=25)
