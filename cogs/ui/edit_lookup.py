"""Looks up the edit of a button."""

from bot.domain.edits import Edit
from bot.ledger import Ledger
from cogs.ui.interactions import Caller

UNKNOWN_EDIT = (
    "Darkroom can't find this edit. Nothing changed and you weren't charged. Start a new one with "
    "`/edit`."
)


async def find_edit(ledger: Ledger, caller: Caller, edit_id: int) -> Edit | None:
    """Return the edit if it's the caller's own in this server, or public in this channel."""
    edit = await ledger.find(edit_id)
    if edit is None or edit.order.guild_id != caller.member.guild_id:
        return None
    order = edit.order
    public_here = not order.private and order.channel_id == caller.channel_id
    return edit if public_here or order.member_id == caller.member.id else None
