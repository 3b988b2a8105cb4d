"""What a server's log channel says: first of itself, then of each edit that ended."""

from bot.domain.edits import Edit
from bot.domain.lifecycle import State
from cogs.text.markdown import as_line
from cogs.text.outcomes import count_credits

LONGEST_PROMPT = 150
"""Characters of a prompt, and of what the editing service says, that a note shows."""

FIRST_NOTE = (
    "The bot can write here. As long as `/settings show` names this channel as `log_channel`, "
    "each edit in this server is noted here when it ends."
)


def journal_line(edit: Edit) -> str:
    """One note; of a private edit, or an erased one, only the member, the price and the outcome."""
    order = edit.order
    facts = [f"<@{order.member_id}>", count_credits(edit.charged)]
    if order.private or edit.erase_when_done:
        return " · ".join([*facts, _ended(edit), "private" if order.private else "erased"])
    asked = f"{order.quality.capitalize()} × {order.count}"
    lines = [
        " · ".join([*facts, asked, _outcome(edit), _place(edit)]),
        f"> {as_line(order.prompt, LONGEST_PROMPT)}",
    ]
    if edit.detail:
        lines.append(f"> ↳ {as_line(edit.detail, LONGEST_PROMPT)}")
    return "\n".join(lines)


def _outcome(edit: Edit) -> str:
    missing = edit.order.count - edit.posted
    if edit.state is State.DELIVERED and missing:
        return f"{_ended(edit)}, {edit.posted} of {edit.order.count}"
    return _ended(edit)


def _ended(edit: Edit) -> str:
    reason = f" ({edit.reason.replace('_', ' ')})" if edit.reason is not None else ""
    return f"{edit.state}{reason}"


def _place(edit: Edit) -> str:
    """Where the edit's message is; its channel, if that is not known."""
    order = edit.order
    return f"<#{order.channel_id}>" if edit.place is None else edit.place.link(order.guild_id)
