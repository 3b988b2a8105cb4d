"""Who may spend how much: the rules and windows, without a database."""

import sys
import time as clock
from collections.abc import Generator
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.quotas import (
    SERVER_BUDGET,
    SERVER_DEFAULT,
    Balance,
    Bound,
    Budget,
    Limit,
    Member,
    Period,
    Quota,
    RuleKey,
    Rules,
    Scope,
    Window,
    decide,
    window_at,
    window_before,
)

ADA = 40
PAINTERS, PATRONS = 50, 51
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TODAY = window_at(NOW)

MEMBER = RuleKey(Scope.MEMBER, ADA)
PAINTERS_ROLE = RuleKey(Scope.ROLE, PAINTERS)
PATRONS_ROLE = RuleKey(Scope.ROLE, PATRONS)

moments = st.datetimes(
    min_value=datetime.fromisoformat("2020-01-01"),
    max_value=datetime.fromisoformat("2040-01-01"),
    timezones=st.just(UTC),
)


def quota(limits: dict[RuleKey, int | None], role_ids: tuple[int, ...] = ()) -> Quota:
    rules = Rules(Period.DAY, {key: Limit(credits) for key, credits in limits.items()})
    return decide(rules, Member(20, ADA, role_ids), NOW, default_quota=80).quota


def test_without_rules_the_bots_default_decides() -> None:
    assert quota({}) == Quota(80, None)


def test_a_members_own_quota_comes_before_all_others() -> None:
    limits = {MEMBER: 0, PAINTERS_ROLE: None, SERVER_DEFAULT: 500}
    assert quota(limits, (PAINTERS,)) == Quota(0, MEMBER)


def test_of_several_roles_the_most_generous_decides() -> None:
    limits: dict[RuleKey, int | None] = {PAINTERS_ROLE: 100, PATRONS_ROLE: 300}
    assert quota(limits, (PATRONS, PAINTERS)) == Quota(300, PATRONS_ROLE)
    limits[PAINTERS_ROLE] = None
    assert quota(limits, (PATRONS, PAINTERS)) == Quota(None, PAINTERS_ROLE)


def test_a_role_decides_before_the_servers_default_even_if_it_is_less() -> None:
    limits: dict[RuleKey, int | None] = {PAINTERS_ROLE: 10, SERVER_DEFAULT: 500}
    assert quota(limits, (PAINTERS,)) == Quota(10, PAINTERS_ROLE)


def test_roles_that_a_member_does_not_have_decide_nothing() -> None:
    limits: dict[RuleKey, int | None] = {PAINTERS_ROLE: None, SERVER_DEFAULT: 20}
    assert quota(limits) == Quota(20, SERVER_DEFAULT)


def test_the_budget_is_no_quota() -> None:
    assert quota({SERVER_BUDGET: 5}) == Quota(80, None)


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        (Period.DAY, date(2026, 11, 25), date(2026, 11, 26)),
        (Period.WEEK, date(2026, 11, 23), date(2026, 11, 30)),
        (Period.MONTH, date(2026, 11, 1), date(2026, 12, 1)),
    ],
)
def test_windows_are_calendar_days_weeks_from_monday_and_months(
    period: Period, first: date, end: date
) -> None:
    assert window_at(NOW, period) == Window(first, end)


def test_a_window_is_that_of_utc_whatever_zone_a_moment_is_given_in() -> None:
    auckland = timezone(timedelta(hours=13))
    new_year = datetime(2027, 1, 1, 6, tzinfo=auckland)
    assert window_at(new_year, Period.MONTH) == Window(date(2026, 12, 1), date(2027, 1, 1))


@pytest.fixture
def machine_in_auckland(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """The machine's own time zone is 13 hours ahead of UTC."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "NZDT-13")
        clock.tzset()
        yield
    clock.tzset()


@pytest.mark.skipif(sys.platform == "win32", reason="only Unix lets a program change its time zone")
@pytest.mark.usefixtures("machine_in_auckland")
def test_a_window_is_that_of_utc_whatever_zone_the_machine_is_in() -> None:
    evening = datetime(2026, 11, 30, 20, tzinfo=UTC)
    window = window_at(evening, Period.MONTH)
    assert window == Window(date(2026, 11, 1), date(2026, 12, 1))
    assert window_before(window, Period.MONTH) == Window(date(2026, 10, 1), date(2026, 11, 1))
    today = window_at(evening)
    assert window_before(today, Period.DAY).end == today.first == date(2026, 11, 30)


@given(moments, st.sampled_from(Period))
def test_every_moment_lies_in_its_window_and_in_no_other(moment: datetime, period: Period) -> None:
    window = window_at(moment, period)
    before = window_before(window, period)
    assert moment in window
    assert moment not in before
    assert before.end == window.first
    assert before == window_at(datetime.combine(before.first, time.min, UTC), period)
    assert window_at(window.ends_at, period).first == window.end
    assert window.days[0] == window.first
    assert len(window.days) <= 31


def balance(
    quota: int | None,
    *,
    granted: int = 0,
    held: int = 0,
    spent: int = 0,
    budget: tuple[int, int] | None = None,
    operator: tuple[int, int] | None = None,
) -> Balance:
    return Balance(
        quota=Quota(quota, None),
        granted=granted,
        held=held,
        spent=spent,
        window=TODAY,
        budget=None if budget is None else Budget(*budget, TODAY),
        operator_budget=None if operator is None else Budget(*operator, TODAY),
    )


def test_what_is_left_is_quota_and_grants_without_what_is_spent_and_held() -> None:
    assert balance(80, granted=20, held=8, spent=40).left == 52


def test_what_is_left_is_never_below_nothing() -> None:
    assert balance(10, held=8, spent=40).left == 0
    assert balance(None, budget=(10, 500)).left == 0
    assert balance(None, operator=(10, 500)).left == 0
    assert Budget(10, 500, TODAY).left == 0


def test_a_budget_leaves_no_more_than_it_has() -> None:
    limited = balance(80, budget=(100, 70))
    assert (limited.left, limited.bound) == (30, Bound.BUDGET)


def test_the_operators_budget_leaves_no_more_than_it_has() -> None:
    limited = balance(None, budget=(100, 0), operator=(50, 40))
    assert (limited.left, limited.bound) == (10, Bound.OPERATOR)


def test_nothing_limits_only_where_there_is_no_limit_at_all() -> None:
    assert (balance(None).left, balance(None).bound) == (None, None)
    assert balance(None, budget=(5, 0)).left == 5


def test_of_limits_that_leave_the_same_the_members_own_is_named() -> None:
    assert balance(0, budget=(0, 0), operator=(0, 0)).bound is Bound.QUOTA


def test_what_is_given_back_comes_back_to_the_member_and_the_server_alone() -> None:
    held = balance(80, held=32, budget=(40, 32), operator=(100, 95))
    assert held.left_after(0) == 5
    assert balance(80, held=32).left_after(16) == 64
    assert balance(80, held=32, budget=(40, 32)).left_after(16) == 24
    assert held.left_after(16) == 5
