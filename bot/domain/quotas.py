"""Who may spend how much, and in which window of days: pure, `now` is passed in.

What moderators set are rules. `decide` makes of them the numbers that the ledger's guards compare
with; a `Balance` is what those numbers leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

LARGEST_LIMIT = 1_000_000
"""Credits; the most that a moderator can name in a rule."""

LARGEST_GRANT = 100_000
"""Credits in one grant."""


class Period(StrEnum):
    """How long a server's window is; all of them begin at midnight, UTC."""

    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Window:
    """Whole UTC days over which spending is counted: from `first` until before `end`."""

    first: date
    end: date

    @property
    def ends_at(self) -> datetime:
        """The moment at which the next window begins."""
        return datetime.combine(self.end, time.min, UTC)

    @property
    def days(self) -> tuple[date, ...]:
        """Every day in it."""
        return tuple(self.first + timedelta(days=n) for n in range((self.end - self.first).days))

    def __contains__(self, moment: datetime) -> bool:
        return self.first <= day_of(moment) < self.end


def day_of(moment: datetime) -> date:
    """The UTC day whose accounts a moment counts in."""
    return moment.astimezone(UTC).date()


def window_at(now: datetime, period: Period = Period.DAY) -> Window:
    """The window that `now` lies in."""
    today = day_of(now)
    match period:
        case Period.DAY:
            return Window(today, today + timedelta(days=1))
        case Period.WEEK:
            monday = today - timedelta(days=today.weekday())
            return Window(monday, monday + timedelta(days=7))
        case Period.MONTH:
            first = today.replace(day=1)
            return Window(first, (first + timedelta(days=31)).replace(day=1))


def window_before(window: Window, period: Period) -> Window:
    """The window that ended where this one began."""
    eve = window.first - timedelta(days=1)
    return window_at(datetime.combine(eve, time.min, UTC), period)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a server, with the roles by which rules are for them."""

    guild_id: int
    id: int
    role_ids: tuple[int, ...]
    """@everyone's among them."""


class Scope(StrEnum):
    """Whom a rule is about."""

    MEMBER = "member"
    ROLE = "role"
    DEFAULT = "default"
    """All members that no other rule is about."""
    BUDGET = "budget"
    """The server's members together."""


@dataclass(frozen=True, slots=True)
class RuleKey:
    """What there can be one rule for; `subject_id` is the member's or the role's."""

    scope: Scope
    subject_id: int = 0


SERVER_DEFAULT = RuleKey(Scope.DEFAULT)
SERVER_BUDGET = RuleKey(Scope.BUDGET)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many credits may be spent in a window; None: as many as one likes."""

    credits: int | None

    @property
    def generosity(self) -> float:
        """What the more generous of two limits has more of."""
        return float("inf") if self.credits is None else self.credits


@dataclass(frozen=True, slots=True)
class OperatorLimits:
    """What whoever runs the bot set for all servers; None: unlimited."""

    default_quota: int | None
    """Credits a member may spend in a window where the server has no rule of its own."""
    daily_budget: int | None = None
    """Credits a UTC day over all servers, held or sent to the API."""
    open_edits: int | None = None
    """Edits of one member that are held, submitted or rendered at once, over all servers."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one server's moderators set."""

    period: Period
    limits: Mapping[RuleKey, Limit]


@dataclass(frozen=True, slots=True)
class Quota:
    """How many credits a member may spend in a window, and the rule that says so."""

    credits: int | None
    decided_by: RuleKey | None
    """None: nothing is set in the server, so the bot's own default holds."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The numbers that a hold is guarded by; None: unlimited."""

    window: Window
    quota: Quota
    budget: int | None


def decide(rules: Rules, member: Member, now: datetime, *, default_quota: int | None) -> Allowance:
    """How much a member may spend, and in which window.

    Their own quota decides; else the most generous of their roles'; else the server's default;
    else `default_quota`. The budget binds on top.
    """
    budget = rules.limits.get(SERVER_BUDGET)
    return Allowance(
        window=window_at(now, rules.period),
        quota=_decide_quota(rules.limits, member, default_quota),
        budget=None if budget is None else budget.credits,
    )


def _decide_quota(
    limits: Mapping[RuleKey, Limit], member: Member, default_quota: int | None
) -> Quota:
    own = RuleKey(Scope.MEMBER, member.id)
    if own in limits:
        return Quota(limits[own].credits, own)
    roles = [key for key in map(_role_key, sorted(member.role_ids)) if key in limits]
    if roles:
        kindest = max(roles, key=lambda key: limits[key].generosity)
        return Quota(limits[kindest].credits, kindest)
    if SERVER_DEFAULT in limits:
        return Quota(limits[SERVER_DEFAULT].credits, SERVER_DEFAULT)
    return Quota(default_quota, None)


def _role_key(role_id: int) -> RuleKey:
    return RuleKey(Scope.ROLE, role_id)


class Bound(StrEnum):
    """What leaves a member the least."""

    QUOTA = "quota"
    BUDGET = "budget"
    """The server's."""
    OPERATOR = "operator"
    """The bot's own budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Credits that many members spend from together."""

    credits: int
    used: int
    """What all of them hold and spent."""
    window: Window

    @property
    def left(self) -> int:
        """Credits that could still be held."""
        return max(0, self.credits - self.used)


@dataclass(frozen=True, slots=True)
class Balance:
    """A member's credits in one server over a window, and the budgets that they share in."""

    quota: Quota
    granted: int
    held: int
    spent: int
    window: Window
    budget: Budget | None = None
    operator_budget: Budget | None = None

    @property
    def left(self) -> int | None:
        """Credits that could still be held; None where nothing limits."""
        return self.left_after(0)

    @property
    def bound(self) -> Bound | None:
        """What limits the most; None where nothing does."""
        rooms = self._rooms(0)
        return min(rooms, key=lambda bound: rooms[bound]) if rooms else None

    @property
    def ends_at(self) -> datetime:
        """When what limits the most begins anew."""
        match self.bound, self.operator_budget:
            case Bound.OPERATOR, Budget(window=window):
                return window.ends_at
            case _:
                return self.window.ends_at

    def left_after(self, given_back: int) -> int | None:
        """What will be left once `given_back` of the held credits were voided.

        Nothing comes back to the operator's budget, which counts what was sent.
        """
        return min(self._rooms(given_back).values(), default=None)

    def _rooms(self, given_back: int) -> dict[Bound, int]:
        """What each limit leaves; of equals the first is named."""
        rooms: dict[Bound, int] = {}
        if self.quota.credits is not None:
            room = self.quota.credits + self.granted - self.spent - self.held + given_back
            rooms[Bound.QUOTA] = max(0, room)
        if self.budget is not None:
            rooms[Bound.BUDGET] = max(0, self.budget.credits - self.budget.used + given_back)
        if self.operator_budget is not None:
            rooms[Bound.OPERATOR] = self.operator_budget.left
        return rooms
