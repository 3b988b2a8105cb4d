"""A server's credit limits, and the log of changes, for moderators."""

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
from cogs.text.balances import balance_lines, limit_text, role_link
from cogs.text.formats import date_and_time, plural, relative_time
from cogs.text.markdown import as_code

CHANGED_MEANWHILE = "Someone else just changed this limit, so it wasn't removed."
NO_CHANGES = "No changes yet."
NO_MORE_CHANGES = "No more changes."
NOTHING_TO_REMOVE = "Pick a `user` or a `role` to remove a limit from."
IS_A_BOT = "Bots can't use credits. Pick a member."
NOT_LOADED = "Couldn't load the limits. Try `/quota show` in a minute."

_RESETS = {
    Period.DAY: "Resets daily at midnight UTC ({relative})",
    Period.WEEK: "Resets every Monday at midnight UTC ({relative})",
    Period.MONTH: "Resets on the 1st of each month at midnight UTC ({relative})",
}
_NEW_PERIOD = {
    Period.DAY: "Credits now reset daily at midnight UTC (was {before}).",
    Period.WEEK: "Credits now reset every Monday at midnight UTC (was {before}).",
    Period.MONTH: "Credits now reset monthly, on the 1st at midnight UTC (was {before}).",
}
_PERIODS = {Period.DAY: "daily", Period.WEEK: "weekly", Period.MONTH: "monthly"}

_NEW_LIMIT = {
    Scope.MEMBER: "{subject}'s limit is now **{after}** (was {before}).",
    Scope.ROLE: "The limit for {subject} is now **{after}** (was {before}).",
    Scope.DEFAULT: "The default limit is now **{after}** (was {before}).",
    Scope.BUDGET: "The server budget is now **{after}** (was {before}).",
}
_REMOVED = {
    Scope.MEMBER: "Removed {subject}'s limit (was {before}).",
    Scope.ROLE: "Removed the limit for {subject} (was {before}).",
    Scope.DEFAULT: "Removed the default limit (was {before}).",
    Scope.BUDGET: "Removed the server budget (was {before}).",
}
_NOT_SET = {
    Scope.MEMBER: "{subject} doesn't have a personal limit.",
    Scope.ROLE: "{subject} doesn't have a limit.",
    Scope.DEFAULT: "This server doesn't have a default limit.",
    Scope.BUDGET: "This server doesn't have a budget.",
}


def overview_heading(overview: Overview, limits: OperatorLimits) -> str:
    """Show what applies to the whole server, and what was used of it."""
    rules, used = overview.rules, overview.held + overview.spent
    lines = [
        "**Credit limits**",
        _RESETS[rules.period].format(relative=relative_time(overview.window.ends_at)),
        f"{overview.spent:,} used · {overview.held:,} reserved",
    ]
    budget = rules.limits.get(SERVER_BUDGET)
    if budget is not None and budget.credits is not None:
        left = max(0, budget.credits - used)
        lines.append(f"Server budget: {left:,} of {budget.credits:,} left")
    if SERVER_DEFAULT not in rules.limits:
        lines.append(f"Everyone: {limit_text(limits.default_quota)} (bot default)")
    return "\n".join(lines)


def rule_line(key: RuleKey, limit: Limit | None, guild_id: int) -> str:
    """Show one limit."""
    return f"{_subject(key, guild_id)}: {_limit(limit)}"


def member_text(member_id: int, balance: Balance, guild_id: int) -> str:
    """Show what a member has left, and which limit applies."""
    return "\n".join([f"**{mention(member_id)}**", *balance_lines(balance, guild_id)])


def changed_text(
    key: RuleKey, before: Limit | None, after: Limit, guild_id: int, *, members: int | None
) -> str:
    """Tell how a limit changed, and who is affected."""
    text = _NEW_LIMIT[key.scope].format(
        subject=_subject(key, guild_id), before=_limit(before), after=_limit(after)
    )
    return "\n".join([text, *_affected(key.scope, members)])


def cleared_text(before: Mapping[RuleKey, Limit | None], guild_id: int) -> str:
    """Tell which limits were removed, and which weren't set."""
    return "\n".join(
        _NOT_SET[key.scope].format(subject=_subject(key, guild_id))
        if limit is None
        else removed_text(key, limit, guild_id)
        for key, limit in before.items()
    )


def removed_text(key: RuleKey, before: Limit, guild_id: int) -> str:
    """Tell that a limit was removed, and who is affected."""
    text = _REMOVED[key.scope].format(subject=_subject(key, guild_id), before=_limit(before))
    return " ".join([text, *_affected(key.scope, None)])


def granted_text(member_id: int, amount: int, granted: Grant) -> str:
    """Tell how many bonus credits a member got, and has in all."""
    return plural(
        amount,
        "Gave {member} {count} bonus credit, valid until {ends}. Total bonus: {total}.",
        "Gave {member} {count} bonus credits, valid until {ends}. Total bonus: {total}.",
        member=mention(member_id),
        ends=date_and_time(granted.window.ends_at),
        total=f"{granted.after:,}",
    )


def period_changed_text(before: Period, after: Period, now: datetime) -> str:
    """Tell how often credits reset from now on, and that used credits still count."""
    return "\n".join(
        [
            _NEW_PERIOD[after].format(before=_PERIODS[before]),
            f"Next reset: {date_and_time(window_at(now, after).ends_at)}",
            "Credits already used, reserved, or given in this period still count.",
            *_affected(Scope.BUDGET, None),
        ]
    )


def log_heading(about: int | None) -> str:
    """Title the log of all changes, or of those about one member."""
    return "**Change log**" if about is None else f"**Change log for {mention(about)}**"


def change_line(change: Change, guild_id: int) -> str:
    """Show one change."""
    when, author = date_and_time(change.made_at), mention(change.author_id)
    line = f"{when} · {author} · {_change(change, guild_id)}"
    if change.reason is None:
        return line
    return f"{line}\n> {as_code(change.reason)}"


def mention(member_id: int) -> str:
    """Mention a member; messages with this ping nobody."""
    return f"<@{member_id}>"


def _change(change: Change, guild_id: int) -> str:
    before, after = _value(change, change.before), _value(change, change.after)
    match change.topic:
        case Topic.WINDOW:
            subject = "Period"
        case Topic.GRANT:
            subject = f"Bonus for {mention(change.subject_id)}"
        case Topic.SETTING:
            subject = f"Setting `{change.setting}`"
        case Topic.MEMBER | Topic.ROLE | Topic.DEFAULT | Topic.BUDGET:
            subject = _subject(RuleKey(Scope(change.topic.value), change.subject_id), guild_id)
    return f"{subject}: {before} → {after}"


def _value(change: Change, value: str | None) -> str:
    if value is None:
        return "not set"
    # A setting may be a channel's id.
    is_credits = change.topic is not Topic.SETTING and value.isdecimal()
    return as_code(f"{int(value):,}" if is_credits else value)


def _subject(key: RuleKey, guild_id: int) -> str:
    match key.scope:
        case Scope.MEMBER:
            return mention(key.subject_id)
        case Scope.ROLE:
            return role_link(key.subject_id, guild_id)
        case Scope.DEFAULT:
            return "Everyone"
        case Scope.BUDGET:
            return "Server budget"


def _limit(limit: Limit | None) -> str:
    return "not set" if limit is None else limit_text(limit.credits)


def _affected(scope: Scope, members: int | None) -> list[str]:
    match scope:
        case Scope.MEMBER:
            return []
        case Scope.ROLE:
            return ["Affects everyone with this role who doesn't have a personal limit."]
        case Scope.DEFAULT:
            if members is None:
                return ["Affects everyone who doesn't have a role or personal limit."]
            return [
                plural(
                    members,
                    "Affects up to {count} member who doesn't have a role or personal limit.",
                    "Affects up to {count} members who don't have a role or personal limit.",
                )
            ]
        case Scope.BUDGET:
            return ["Affects everyone in this server."]
