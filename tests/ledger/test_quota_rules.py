"""What moderators set, as a ledger keeps it, and what it makes of members' balances."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.edits import Held, Order, OverQuota
from bot.domain.errors import LedgerError
from bot.domain.lifecycle import MAY_HAVE_COST, Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import (
    SERVER_BUDGET,
    SERVER_DEFAULT,
    Balance,
    Bound,
    Budget,
    Limit,
    Member,
    OperatorLimits,
    Period,
    RuleKey,
    Scope,
    window_at,
)
from bot.domain.server_settings import SettingName
from bot.ledger.quota_rules import Author, Grant, Topic
from bot.ledger.sqlite import SqliteStores
from tests.orders import order
from tests.store_faults import broken

ADA = RuleKey(Scope.MEMBER, 40)
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""The fifth day of its week and the 27th of its month."""
LIMITS = OperatorLimits(default_quota=80)
MOD = Author(99, FRIDAY, "because")


async def hold(
    stores: SqliteStores, wanted: Order, now: datetime, limits: OperatorLimits = LIMITS
) -> bool:
    held = await stores.ledger.hold(wanted, limits=limits, owner="test", now=now)
    assert isinstance(held, Held | OverQuota)
    return isinstance(held, Held)


async def spend(stores: SqliteStores, wanted: Order, now: datetime) -> None:
    assert await hold(stores, wanted, now)
    await stores.ledger.submit(wanted.id, ratio="1:1", now=now)
    await stores.ledger.render(wanted.id, ["https://a/1"], now=now)
    assert await stores.ledger.capture(wanted.id, posted=wanted.count, now=now)


async def balance(stores: SqliteStores, now: datetime, limits: OperatorLimits = LIMITS) -> Balance:
    return await stores.ledger.balance(Member(20, 40, (20,)), limits=limits, now=now)


async def test_from_day_to_month_and_back_no_credit_is_lost_or_won(stores: SqliteStores) -> None:
    wednesday = FRIDAY - timedelta(days=2)
    early = FRIDAY.replace(day=2)
    await stores.quota_rules.grant(20, 40, 5, Author(99, early))
    await spend(stores, order(1, quality=Quality.HIGH), early)
    await spend(stores, order(2, quality=Quality.MEDIUM), wednesday)
    await spend(stores, order(3, quality=Quality.LOW), FRIDAY)
    await hold(stores, order(4, quality=Quality.LOW), FRIDAY)

    async def left() -> tuple[int | None, int, int]:
        now = await balance(stores, FRIDAY)
        return now.left, now.held, now.spent

    day = (80 - 4 - 4, 4, 4)
    assert await left() == day
    await stores.quota_rules.set_period(20, Period.MONTH, MOD)
    assert await left() == (80 + 5 - 16 - 8 - 4 - 4, 4, 28)
    await stores.quota_rules.set_period(20, Period.WEEK, MOD)
    assert await left() == (80 - 8 - 4 - 4, 4, 12)
    await stores.quota_rules.set_period(20, Period.DAY, MOD)
    assert await left() == day


async def test_a_new_window_gives_nobody_a_fresh_quota(stores: SqliteStores) -> None:
    await spend(stores, order(1, quality=Quality.HIGH, count=4), FRIDAY)
    for period in (Period.MONTH, Period.WEEK, Period.DAY):
        await stores.quota_rules.set_period(20, period, MOD)
        assert not await hold(stores, order(2, quality=Quality.HIGH, count=2), FRIDAY)


async def test_what_was_spent_on_other_days_of_a_window_counts_against_its_quota(
    stores: SqliteStores,
) -> None:
    await stores.quota_rules.set_period(20, Period.MONTH, MOD)
    await stores.quota_rules.set_limits(20, {SERVER_BUDGET: Limit(100)}, MOD)
    await spend(stores, order(1, quality=Quality.HIGH, count=4), FRIDAY.replace(day=2))
    assert not await hold(stores, order(2, quality=Quality.HIGH, count=2), FRIDAY)
    assert not await hold(stores, order(3, member_id=41, quality=Quality.HIGH, count=3), FRIDAY)
    assert await hold(stores, order(4, quality=Quality.HIGH), FRIDAY)


async def test_what_was_spent_before_a_window_counts_against_nothing_in_it(
    stores: SqliteStores,
) -> None:
    limits = OperatorLimits(80, daily_budget=80)
    await stores.quota_rules.set_limits(20, {SERVER_BUDGET: Limit(80)}, MOD)
    await spend(stores, order(1, quality=Quality.HIGH, count=4), FRIDAY)
    assert not await hold(stores, order(2, quality=Quality.HIGH, count=4), FRIDAY, limits)
    tomorrow = FRIDAY + timedelta(days=1)
    assert await hold(stores, order(3, quality=Quality.HIGH, count=4), tomorrow, limits)


async def test_a_grant_counts_in_every_window_with_its_day(stores: SqliteStores) -> None:
    granted = await stores.quota_rules.grant(20, 40, 10, MOD)
    assert (granted.before, granted.after) == (0, 10)
    assert (await balance(stores, FRIDAY)).left == 90
    tomorrow = FRIDAY + timedelta(days=1)
    assert (await balance(stores, tomorrow)).left == 80
    await stores.quota_rules.set_period(20, Period.WEEK, MOD)
    assert (await balance(stores, tomorrow)).left == 90


async def test_a_grant_says_what_was_granted_before_in_its_window(stores: SqliteStores) -> None:
    await stores.quota_rules.set_period(20, Period.WEEK, MOD)
    for days_ago, member_id, credits in ((7, 40, 1), (1, 40, 2), (0, 41, 4)):
        author = Author(99, FRIDAY - timedelta(days=days_ago))
        await stores.quota_rules.grant(20, member_id, credits, author)
    granted = await stores.quota_rules.grant(20, 40, 8, MOD)
    assert granted == Grant(before=2, after=10, window=window_at(FRIDAY, Period.WEEK))


async def test_stricter_rules_leave_nothing_and_take_nothing_away(stores: SqliteStores) -> None:
    await spend(stores, order(1, quality=Quality.HIGH, count=4), FRIDAY)
    await stores.quota_rules.set_limits(20, {SERVER_DEFAULT: Limit(10)}, MOD)
    now = await balance(stores, FRIDAY)
    assert (now.left, now.spent) == (0, 64)


async def test_a_budget_is_checked_where_a_quota_would_allow(stores: SqliteStores) -> None:
    await stores.quota_rules.set_limits(20, {SERVER_BUDGET: Limit(12), ADA: Limit(None)}, MOD)
    assert await hold(stores, order(1, member_id=41), FRIDAY)
    assert not await hold(stores, order(2), FRIDAY)
    assert await hold(stores, order(3, quality=Quality.LOW), FRIDAY)
    now = await balance(stores, FRIDAY)
    assert (now.left, now.bound, now.held) == (0, Bound.BUDGET, 4)
    assert await hold(stores, order(4, guild_id=21), FRIDAY)


async def test_a_balance_shows_what_all_members_used_of_each_budget(stores: SqliteStores) -> None:
    limits = OperatorLimits(80, daily_budget=200)
    await stores.quota_rules.set_period(20, Period.WEEK, MOD)
    await stores.quota_rules.set_limits(20, {SERVER_BUDGET: Limit(100)}, MOD)
    await spend(stores, order(1, quality=Quality.HIGH), FRIDAY - timedelta(days=7))
    await spend(stores, order(2, member_id=41), FRIDAY - timedelta(days=2))
    await hold(stores, order(3, quality=Quality.LOW), FRIDAY)
    now = await balance(stores, FRIDAY, limits)
    assert now.budget == Budget(100, 8 + 4, window_at(FRIDAY, Period.WEEK))
    assert now.operator_budget == Budget(200, 4, window_at(FRIDAY))


@pytest.mark.parametrize("reason", [each for each in Reason if each.state is State.FAILED])
async def test_the_operators_budget_counts_what_was_sent_and_not_surely_refused(
    stores: SqliteStores, reason: Reason
) -> None:
    limits = OperatorLimits(default_quota=None, daily_budget=16)
    assert await hold(stores, order(1, quality=Quality.HIGH), FRIDAY, limits)
    assert (await balance(stores, FRIDAY, limits)).left == 0
    await stores.ledger.submit(1, ratio="1:1", now=FRIDAY)
    await stores.ledger.void(1, reason, detail=None, now=FRIDAY)

    lost = reason in MAY_HAVE_COST
    now = await balance(stores, FRIDAY, limits)
    assert now.left == (0 if lost else 16)
    assert await hold(stores, order(2, guild_id=21), FRIDAY, limits) != lost
    assert (await balance(stores, FRIDAY + timedelta(days=1), limits)).left == 16


async def test_the_operators_budget_counts_pictures_that_were_sent_for_and_not_posted(
    stores: SqliteStores,
) -> None:
    limits = OperatorLimits(default_quota=None, daily_budget=40)
    await hold(stores, order(1, count=4), FRIDAY, limits)
    await stores.ledger.submit(1, ratio="1:1", now=FRIDAY)
    await stores.ledger.render(1, ["https://a/1"], now=FRIDAY)
    await stores.ledger.capture(1, posted=1, now=FRIDAY)
    now = await balance(stores, FRIDAY, limits)
    assert (now.spent, now.left, now.bound) == (8, 8, Bound.OPERATOR)


async def test_an_edit_that_was_never_sent_costs_the_operator_nothing(
    stores: SqliteStores,
) -> None:
    limits = OperatorLimits(default_quota=None, daily_budget=16)
    await hold(stores, order(1), FRIDAY, limits)
    await stores.ledger.void(1, Reason.UNFORESEEN, detail=None, now=FRIDAY)
    assert (await balance(stores, FRIDAY, limits)).left == 16


async def test_every_change_stands_in_the_trail_newest_first(stores: SqliteStores) -> None:
    await stores.quota_rules.set_limits(20, {ADA: Limit(5)}, MOD)
    await stores.quota_rules.set_limits(20, {ADA: None}, Author(98, FRIDAY))
    await stores.quota_rules.set_period(20, Period.WEEK, MOD)
    await stores.quota_rules.grant(20, 40, 7, MOD)
    put = [(SettingName.QUALITY, "high")]
    await stores.quota_rules.change_settings(20, put, [], Author(98, FRIDAY))
    await stores.quota_rules.set_limits(21, {ADA: Limit(1)}, MOD)

    changes = await stores.quota_rules.changes(20, about=None, skip=0, limit=10)
    assert [(change.topic, change.before, change.after) for change in changes] == [
        (Topic.SETTING, None, "high"),
        (Topic.GRANT, "0", "7"),
        (Topic.WINDOW, "day", "week"),
        (Topic.MEMBER, "5", None),
        (Topic.MEMBER, None, "5"),
    ]
    assert [change.author_id for change in changes] == [98, 99, 99, 98, 99]
    assert changes[-1].reason == "because"
    assert [change.subject_id for change in changes] == [0, 40, 0, 40, 40]
    assert [change.setting for change in changes] == [SettingName.QUALITY, *[None] * 4]
    assert {change.made_at for change in changes} == {FRIDAY}
    about = await stores.quota_rules.changes(20, about=40, skip=1, limit=10)
    assert [change.topic for change in about] == [Topic.MEMBER, Topic.MEMBER]


async def test_where_nothing_is_taken_back_nothing_is_noted(stores: SqliteStores) -> None:
    assert await stores.quota_rules.set_limits(20, {ADA: None}, MOD) == {ADA: None}
    assert await stores.quota_rules.changes(20, about=None, skip=0, limit=10) == []


async def test_a_rule_is_taken_back_as_it_was_shown_and_not_otherwise(
    stores: SqliteStores,
) -> None:
    await stores.quota_rules.set_limits(20, {ADA: Limit(5)}, MOD)
    assert not await stores.quota_rules.remove_limit(20, ADA, Limit(None), MOD)
    assert not await stores.quota_rules.remove_limit(21, ADA, Limit(5), MOD)
    assert await stores.quota_rules.remove_limit(20, ADA, Limit(5), MOD)
    assert not await stores.quota_rules.remove_limit(20, ADA, Limit(5), MOD)
    assert (await balance(stores, FRIDAY)).left == 80


async def test_a_change_that_cannot_be_noted_is_not_made(
    stores: SqliteStores, tmp_path: Path
) -> None:
    with broken(tmp_path / "bot.db", "change"):
        with pytest.raises(LedgerError):
            await stores.quota_rules.set_limits(20, {ADA: Limit(5)}, MOD)
        with pytest.raises(LedgerError):
            await stores.quota_rules.grant(20, 40, 5, MOD)
        with pytest.raises(LedgerError):
            await stores.quota_rules.set_period(20, Period.WEEK, MOD)
    now = await balance(stores, FRIDAY)
    assert (now.quota.credits, now.granted) == (80, 0)
    assert (now.window.end - now.window.first).days == 1
