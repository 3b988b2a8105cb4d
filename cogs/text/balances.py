"""A member's balance, and the limit behind it."""

from bot.domain.quotas import Balance, Bound, Quota, RuleKey, Scope
from cogs.text.formats import count_credits, date_and_time, plural, relative_time

BAR_CELLS = 10

_SUMMARY = "**{left}** · {held:,} reserved · {spent:,} used"
_BAR = "{bar} {used:,} used or reserved, limit {limit:,}"
_LIMIT = "Limit: {limit} ({source})"
_BUDGET = "This server's shared budget has only {left:,} of {budget} left for everyone."
_OPERATOR = "Darkroom has only {left} left for today across all servers. That resets {resets}."
_RESETS = "Resets {relative} ({exact})"


def sums_line(balance: Balance) -> str:
    """Return the line that programs read, as small text."""
    left = "unlimited" if balance.left is None else balance.left
    return f"-# Left {left} · Held {balance.held} · Spent {balance.spent}"


def balance_lines(balance: Balance, guild_id: int) -> list[str]:
    """Tell what is left, which limit applies, and when it resets."""
    lines = [
        _SUMMARY.format(left=_left(balance.left), held=balance.held, spent=balance.spent),
        bar_line(balance),
        _LIMIT.format(
            limit=limit_text(balance.quota.credits), source=_source(balance.quota, guild_id)
        ),
    ]
    if balance.granted:
        lines.append(
            plural(
                balance.granted,
                "Includes {count} bonus credit.",
                "Includes {count} bonus credits.",
            )
        )
    budget, operator_budget = balance.budget, balance.operator_budget
    if budget is not None and balance.bound is Bound.BUDGET:
        lines.append(_BUDGET.format(left=budget.left, budget=count_credits(budget.credits)))
    if operator_budget is not None and balance.bound is Bound.OPERATOR:
        lines.append(
            _OPERATOR.format(
                left=count_credits(operator_budget.left),
                resets=relative_time(operator_budget.window.ends_at),
            )
        )
    ends_at = balance.window.ends_at
    lines.append(_RESETS.format(relative=relative_time(ends_at), exact=date_and_time(ends_at)))
    return [line for line in lines if line]


def bar_line(balance: Balance) -> str:
    """Draw how much of the limit is gone; return nothing if there is no limit."""
    if balance.quota.credits is None:
        return ""
    limit = balance.quota.credits + balance.granted
    used = balance.spent + balance.held
    filled = BAR_CELLS if used >= limit else used * BAR_CELLS // limit
    # Even a little use is visible.
    filled = max(filled, 1) if used else filled
    bar = f"{'▰' * filled}{'▱' * (BAR_CELLS - filled)}"
    return _BAR.format(bar=bar, used=used, limit=limit)


def limit_text(credits: int | None) -> str:
    """Format a limit."""
    return "unlimited" if credits is None else count_credits(credits)


def _left(credits: int | None) -> str:
    return "Unlimited credits" if credits is None else f"{count_credits(credits)} left"


def _source(quota: Quota, guild_id: int) -> str:
    match quota.decided_by:
        case None:
            return "bot default"
        case RuleKey(scope=Scope.MEMBER):
            return "personal limit"
        case RuleKey(scope=Scope.ROLE, subject_id=role_id):
            return f"from {role_link(role_id, guild_id)}"
        case _:
            return "server default"


def role_link(role_id: int, guild_id: int) -> str:
    """Link a role; Discord doesn't render a link to @everyone's."""
    return "@everyone" if role_id == guild_id else f"<@&{role_id}>"
