"""Notes in a server's log channel."""

from bot.domain.edits import Edit
from bot.domain.lifecycle import State
from cogs.text.formats import count_credits
from cogs.text.markdown import as_line
from cogs.text.outcomes import outcome_label

MAX_PROMPT = 150
"""Characters of a prompt, and of the image service's message."""

FIRST_NOTE = "Darkroom will log every finished edit in this channel. To stop, use `/settings show`."


def log_note(edit: Edit) -> str:
    """Note how an edit ended; leave out what is private or deleted."""
    order = edit.order
    facts = [f"<@{order.member_id}>", count_credits(edit.charged)]
    if order.private or edit.erase_when_done:
        return " · ".join([*facts, outcome_label(edit), "private" if order.private else "deleted"])
    options = f"{order.quality.capitalize()} × {order.count}"
    lines = [
        " · ".join([*facts, options, _outcome(edit), _message(edit)]),
        f"> {as_line(order.prompt, MAX_PROMPT)}",
    ]
    if edit.detail:
        lines.append(f"> ↳ {as_line(edit.detail, MAX_PROMPT)}")
    return "\n".join(lines)


def _outcome(edit: Edit) -> str:
    missing = edit.order.count - edit.posted
    if edit.state is State.DELIVERED and missing:
        return f"Done, {edit.posted} of {edit.order.count}"
    return outcome_label(edit)


def _message(edit: Edit) -> str:
    """Link the edit's message, or its channel if the message isn't known."""
    order = edit.order
    return f"<#{order.channel_id}>" if edit.message is None else edit.message.link(order.guild_id)
