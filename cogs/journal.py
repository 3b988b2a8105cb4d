"""What a server's log channel says of an edit that ended."""

from bot.ledger import Edit
from bot.states import State
from cogs.plain_text import as_plain
from cogs.wording import count_credits

LONGEST_PROMPT = 300
"""Characters of a prompt that a note shows."""


def journal_line(edit: Edit) -> str:
    """One note; of a private edit only the member, the price and the outcome."""
    order = edit.order
    facts = [f"<@{order.member_id}>", count_credits(edit.charged), _outcome(edit)]
    if order.private:
        return " · ".join([*facts, "private"])
    facts += [f"{order.quality.capitalize()} × {order.count}", _place(edit)]
    return f"{' · '.join(facts)}\n> {as_plain(order.prompt.replace(chr(10), ' '), LONGEST_PROMPT)}"


def _outcome(edit: Edit) -> str:
    if edit.state is State.DELIVERED:
        return f"{edit.posted} of {edit.order.count} posted"
    reason = f" ({edit.reason.replace('_', ' ')})" if edit.reason is not None else ""
    return f"{edit.state}{reason}"


def _place(edit: Edit) -> str:
    """Where the edit's message is; its channel, if that is not known."""
    order = edit.order
    if edit.message_id is None:
        return f"<#{order.channel_id}>"
    return f"https://discord.com/channels/{order.guild_id}/{order.channel_id}/{edit.message_id}"
