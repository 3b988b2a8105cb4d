"""Puts a server's rules, and the trail of their changes, into words for its moderators."""

from collections.abc import Mapping
from datetime import datetime

from bot.domain.quotas import (
    SERVER_BUDGET,
    SERVER_DEFAULT,
    Balance,
    Limit,
    OperatorLimits,
    Period,
    RuleKey,
    Scope,
    window_at,
)
from bot.ledger.quota_rules import Change, Grant, Overview, Topic
from cogs.text.balances import details_lines, limit_text, rule_text, sums_line, window_text
from cogs.text.markdown import as_code
from cogs.text.outcomes import count_credits, day_and_time

CHANGED_MEANWHILE = "That rule was changed meanwhile, so it was left as it is now."
UNSEEN = (
    "The bot cannot reach its ledger just now to show the rules; run `/quota show` in a minute."
)


def overview_heading(overview: Overview, limits: OperatorLimits) -> str:
    """What holds for everybody, and what was spent of it."""
    rules, used = overview.rules, overview.held + overview.spent
    lines = [
        "**The rules of this server**",
        f"Window: {window_text(rules.period)}.",
        f"This one ends on {day_and_time(overview.window.ends_at)}.",
        f"Spent in it: {overview.spent}; held: {overview.held}.",
    ]
    budget = rules.limits.get(SERVER_BUDGET)
    if budget is not None and budget.credits is not None:
        lines.append(f"Left of the budget: {max(0, budget.credits - used)} of {budget.credits}.")
    if SERVER_DEFAULT not in rules.limits:
        lines.append(f"Default: {limit_text(limits.default_quota)}, which is the bot's own.")
    return "\n".join(lines)


def rule_line(key: RuleKey, limit: Limit | None, guild_id: int) -> str:
    """One rule."""
    subject = _capitalised(rule_text(key, guild_id))
    if limit is None:
        return f"{subject}: no rule."
    return f"{subject}: {limit_text(limit.credits)}."


def member_text(member_id: int, balance: Balance, guild_id: int) -> str:
    """What a member may spend, and why."""
    return "\n".join(
        [f"**{named(member_id)}**", sums_line(balance), *details_lines(balance, guild_id)]
    )


def changed_text(
    key: RuleKey, before: Limit | None, after: Limit, guild_id: int, *, members: int | None
) -> str:
    """A rule before and after, and whom it touches."""
    subject = _capitalised(rule_text(key, guild_id))
    return f"{subject}: {_limit(before)} → {_limit(after)}.\n{_touches(key, members)}"


def cleared_text(before: Mapping[RuleKey, Limit | None], guild_id: int) -> str:
    """What was taken back, and where there was nothing."""
    lines = [_cleared(key, limit, guild_id) for key, limit in before.items()]
    if not any(before.values()):
        lines.append("Nothing was changed.")
    return "\n".join(lines)


def _cleared(key: RuleKey, before: Limit | None, guild_id: int) -> str:
    subject = rule_text(key, guild_id)
    if before is None:
        return f"`{_OPTIONS[key.scope]}`: got {subject}, without a quota here; it takes one with."
    return taken_back_text(key, before, guild_id)


def taken_back_text(key: RuleKey, before: Limit, guild_id: int) -> str:
    """A rule that is there no more, and whom that touches."""
    subject = _capitalised(rule_text(key, guild_id))
    return f"{subject}: {_limit(before)} → no rule. {_touches(key, None)}"


def granted_text(member_id: int, amount: int, granted: Grant) -> str:
    """A grant, and what a member was granted in all."""
    return (
        f"{named(member_id)}: {count_credits(amount)} granted; "
        f"{granted.before} → {granted.after} on top of the quota until "
        f"{day_and_time(granted.window.ends_at)}.\nTouches 1 member."
    )


def window_changed_text(
    before: Period, after: Period, now: datetime, *, members: int | None
) -> str:
    """How long a window was and is, and that nothing is lost or won."""
    ends = day_and_time(window_at(now, after).ends_at)
    return (
        f"Window: {before} → {after}, {window_text(after)}; this one ends on {ends}.\n"
        "What was spent, held and granted in it so far counts.\n"
        f"{_touches(SERVER_BUDGET, members)}"
    )


def change_line(change: Change, guild_id: int) -> str:
    """One entry of the trail."""
    when, who = f"<t:{change.made_at.timestamp():.0f}:f>", named(change.author_id)
    line = f"{when} · {who} · {_what(change, guild_id)}"
    if change.reason is None:
        return line
    return f"{line}\n> {as_code(change.reason)}"


def named(member_id: int) -> str:
    """A member, as Discord shows their name; the message pings nobody."""
    return f"<@{member_id}>"


def _what(change: Change, guild_id: int) -> str:
    before, after = (as_code(value or "nothing") for value in (change.before, change.after))
    match change.topic:
        case Topic.WINDOW:
            subject = "window"
        case Topic.GRANT:
            subject = f"granted to {named(change.subject_id)}"
        case Topic.SETTING:
            subject = f"setting {change.setting}"
        case Topic.MEMBER | Topic.ROLE | Topic.DEFAULT | Topic.BUDGET:
            subject = rule_text(RuleKey(Scope(change.topic.value), change.subject_id), guild_id)
    return f"{subject}: {before} → {after}"


_OPTIONS = {Scope.MEMBER: "user", Scope.ROLE: "role"}


def _limit(limit: Limit | None) -> str:
    return "no rule" if limit is None else limit_text(limit.credits)


def _touches(key: RuleKey, members: int | None) -> str:
    match key.scope:
        case Scope.MEMBER:
            return "Touches 1 member."
        case Scope.ROLE:
            return "Touches everybody with the role, but those with a quota of their own."
        case Scope.DEFAULT:
            at_most = "" if members is None else f", at most {members:,} members"
            return f"Touches everybody whom no other rule is for{at_most}."
        case Scope.BUDGET:
            return "Touches everybody here." if members is None else f"Touches {members:,} members."


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
