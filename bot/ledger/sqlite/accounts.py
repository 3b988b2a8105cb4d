"""Accounts: their sums, the rules that limit them, holding credits and settling holds.

Rows of `account` with member 0 are the server's own; those of server 0 are the whole bot's.
"""

from datetime import datetime
from typing import Any, NamedTuple

import apsw

from bot.domain.edits import Order
from bot.domain.lifecycle import MAY_HAVE_COST, Reason
from bot.domain.quotas import (
    Allowance,
    Balance,
    Budget,
    Limit,
    Member,
    OperatorLimits,
    Period,
    RuleKey,
    Rules,
    Scope,
    Window,
    day_of,
    decide,
    window_at,
)
from bot.ledger.sqlite.connection import rows

SERVER = 0
"""The member whose accounts are the server's."""

BOT = 0
"""The server whose accounts are the whole bot's."""


class Sums(NamedTuple):
    """Credits of an account over some days."""

    granted: int
    held: int
    spent: int
    sent: int


_SUMS = """
SELECT
    coalesce(sum(granted), 0), coalesce(sum(held), 0),
    coalesce(sum(spent), 0), coalesce(sum(sent), 0)
FROM account
WHERE guild_id = :guild_id AND member_id = :member_id AND day >= :first AND day < :end
"""


def read_sums(
    connection: apsw.Connection, guild_id: int, member_id: int, window: Window | None
) -> Sums:
    """Add up an account over a window, or over all time."""
    ((*sums,),) = rows(connection, _SUMS, guild_id=guild_id, member_id=member_id, **days_of(window))
    return Sums(*sums)


def days_of(window: Window | None) -> dict[str, str]:
    """Return the parameters `first` and `end` for a window, or for all time."""
    if window is None:
        return {"first": "0000-01-01", "end": "9999-12-31"}
    return {"first": window.first.isoformat(), "end": window.end.isoformat()}


_RULES = """
SELECT scope, subject_id, credits FROM rule
WHERE guild_id = :guild_id AND (:about IS NULL OR scope <> 'member' OR subject_id = :about)
"""


def read_rules(connection: apsw.Connection, guild_id: int, *, about: int | None = None) -> Rules:
    """Read a server's rules; with `about`, leave out those of all other members."""
    found = rows(connection, _RULES, guild_id=guild_id, about=about)
    return Rules(
        read_period(connection, guild_id),
        {RuleKey(Scope(scope), subject): Limit(credits) for scope, subject, credits in found},
    )


_PERIOD = "SELECT period FROM server WHERE guild_id = :guild_id"


def read_period(connection: apsw.Connection, guild_id: int) -> Period:
    """Read how long a server's window is."""
    found = rows(connection, _PERIOD, guild_id=guild_id)
    return Period(found[0][0]) if found else Period.DAY


def read_balance(
    connection: apsw.Connection, member: Member, limits: OperatorLimits, now: datetime
) -> Balance:
    """Read what a member and the budgets they share have left."""
    allowance = _read_allowance(connection, member, limits, now)
    window, today = allowance.window, window_at(now)
    own = read_sums(connection, member.guild_id, member.id, window)
    budget = operator_budget = None
    if allowance.budget is not None:
        server = read_sums(connection, member.guild_id, SERVER, window)
        budget = Budget(allowance.budget, server.held + server.spent, window)
    if limits.daily_budget is not None:
        bot = read_sums(connection, BOT, SERVER, today)
        operator_budget = Budget(limits.daily_budget, bot.held + bot.sent, today)
    return Balance(
        quota=allowance.quota,
        granted=own.granted,
        held=own.held,
        spent=own.spent,
        window=window,
        budget=budget,
        operator_budget=operator_budget,
    )


def _read_allowance(
    connection: apsw.Connection, member: Member, limits: OperatorLimits, now: datetime
) -> Allowance:
    rules = read_rules(connection, member.guild_id, about=member.id)
    return decide(rules, member, now, default_quota=limits.default_quota)


_HOLD = """
INSERT INTO account (guild_id, member_id, day, held)
SELECT :guild_id, :member_id, :day, :credits
WHERE :most IS NULL OR :credits + (
    SELECT coalesce(sum({used}), 0)
    FROM account
    WHERE guild_id = :guild_id AND member_id = :member_id AND day >= :first AND day < :end
) <= :most
ON CONFLICT (guild_id, member_id, day) DO UPDATE SET held = account.held + excluded.held
RETURNING held
"""
_HOLD_WITHIN_LIMIT = _HOLD.format(used="spent + held - granted")
_HOLD_WITHIN_OPERATOR_BUDGET = _HOLD.format(used="sent + held")


def hold_credits(
    connection: apsw.Connection, order: Order, *, limits: OperatorLimits, now: datetime
) -> bool:
    """Add an order's price to the three accounts that count it, until a limit forbids one."""
    allowance = _read_allowance(connection, order.member, limits, now)
    guild_id, window, today = order.guild_id, allowance.window, window_at(now)
    guards = (
        (_HOLD_WITHIN_LIMIT, guild_id, order.member_id, allowance.quota.credits, window),
        (_HOLD_WITHIN_LIMIT, guild_id, SERVER, allowance.budget, window),
        (_HOLD_WITHIN_OPERATOR_BUDGET, BOT, SERVER, limits.daily_budget, today),
    )
    return all(
        rows(
            connection,
            statement,
            guild_id=guild,
            member_id=member_id,
            day=day_of(now).isoformat(),
            credits=order.hold,
            most=most,
            **days_of(counted),
        )
        for statement, guild, member_id, most, counted in guards
    )


_SETTLE = """
UPDATE account SET held = held - :hold, spent = spent + :charged, sent = sent + :sent
WHERE day = :day
AND (guild_id, member_id) IN (VALUES (:guild_id, :member_id), (:guild_id, 0), (0, 0))
"""


def settle(connection: apsw.Connection, ended: tuple[Any, ...], *, reason: Reason | None) -> None:
    """Release an ended edit's hold on all its accounts, charge them, and count what was sent.

    `ended` is what `CAPTURE` and `VOID` in `edits.py` return.
    """
    guild_id, member_id, day, hold, charged, submitted_at = ended
    may_have_cost = reason is None or reason in MAY_HAVE_COST
    rows(
        connection,
        _SETTLE,
        guild_id=guild_id,
        member_id=member_id,
        day=day,
        hold=hold,
        charged=charged,
        sent=hold if submitted_at is not None and may_have_cost else 0,
    )
