"""Puts a member's balance, and the rule behind it, into words."""

from bot.domain.quotas import Balance, Bound, Period, Quota, RuleKey, Scope
from cogs.text.outcomes import count_credits, day_and_time

BAR = 10
"""Cells of the bar."""


def sums_line(balance: Balance) -> str:
    """The line that programs can read: what is left, held and spent."""
    return f"Left {amount(balance.left)} · Held {balance.held} · Spent {balance.spent}"


def details_lines(balance: Balance, guild_id: int) -> list[str]:
    """How the sums come about: the rule, what was granted, what limits, until when."""
    lines = [bar_line(balance), f"Quota: {quota_text(balance.quota, guild_id)}."]
    if balance.granted:
        lines.append(f"Granted on top in this window: {balance.granted}.")
    if balance.budget is not None and balance.bound is Bound.BUDGET:
        lines.append(
            f"What limits is this server's budget: {balance.budget.left} of "
            f"{balance.budget.credits} left for everybody together."
        )
    if balance.operator_budget is not None and balance.bound is Bound.OPERATOR:
        lines.append(
            "What limits is the bot's own budget for all servers today; it renews on "
            f"{day_and_time(balance.operator_budget.window.ends_at)}."
        )
    lines.append(f"This window ends on {day_and_time(balance.window.ends_at)}.")
    return [line for line in lines if line]


def bar_line(balance: Balance) -> str:
    """How much of the quota and the grants is used, as a bar; empty where nothing limits."""
    if balance.quota.credits is None:
        return ""
    whole = balance.quota.credits + balance.granted
    used = balance.spent + balance.held
    filled = BAR if used >= whole else used * BAR // whole
    # A little use shows, too.
    filled = max(filled, 1) if used else filled
    return f"{'▰' * filled}{'▱' * (BAR - filled)} {used} of {whole} used"


def quota_text(quota: Quota, guild_id: int) -> str:
    """A quota and which rule it is by."""
    return f"{amount(quota.credits)}, {_by(quota.decided_by, guild_id)}"


def amount(credits: int | None) -> str:
    """A number of credits that may be unlimited."""
    return "unlimited" if credits is None else str(credits)


def limit_text(credits: int | None) -> str:
    """A limit, in words."""
    return "unlimited" if credits is None else count_credits(credits)


def window_text(period: Period) -> str:
    """How long a window is."""
    match period:
        case Period.DAY:
            return "a day, from midnight UTC"
        case Period.WEEK:
            return "a week, from Monday, midnight UTC"
        case Period.MONTH:
            return "a month, from its first, midnight UTC"


def rule_text(key: RuleKey, guild_id: int) -> str:
    """What a rule is for."""
    match key.scope:
        case Scope.MEMBER:
            return f"<@{key.subject_id}>"
        case Scope.ROLE if key.subject_id == guild_id:
            return "@everyone"
        case Scope.ROLE:
            return f"<@&{key.subject_id}>"
        case Scope.DEFAULT:
            return "this server's default"
        case Scope.BUDGET:
            return "this server's budget"


def _by(key: RuleKey | None, guild_id: int) -> str:
    match key:
        case None:
            return "the bot's default"
        case RuleKey(scope=Scope.MEMBER):
            return "by the member's own rule"
        case RuleKey(scope=Scope.ROLE):
            return f"by the role {rule_text(key, guild_id)}"
        case _:
            return "this server's default"
