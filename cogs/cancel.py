"""The button that cancels a queued edit."""

from collections.abc import Mapping

from bot.discord_io.replies import Replies, Reply
from bot.domain.edits import Edit
from bot.domain.lifecycle import State
from bot.editing.editor import Editor
from bot.ledger import Ledger
from cogs.ui.component_router import PersistentClick, PersistentClickHandler
from cogs.ui.interactions import Caller
from cogs.ui.waiting_card import CANCEL

UNKNOWN = "This edit no longer exists."
NOT_YOURS = "Only the person who started this edit, or someone with Manage Messages, can cancel it."
STARTED = (
    "This edit has already started, so it can't be canceled. You're only charged if it succeeds."
)
FINISHED = "This edit is already finished."
CANCELED = "Canceled. You weren't charged."


class CancelButton:
    """Cancels an edit that wasn't sent yet, for its member or a moderator."""

    def __init__(self, ledger: Ledger, editor: Editor, replies: Replies) -> None:
        self._ledger = ledger
        self._editor = editor
        self._replies = replies

    @property
    def persistent(self) -> Mapping[str, PersistentClickHandler]:
        """The handlers of its buttons that never expire."""
        return {CANCEL: self._click}

    async def _click(self, click: PersistentClick) -> None:
        await self._replies.respond_or_defer(click.interaction.as_new_message, self._cancel(click))

    async def _cancel(self, click: PersistentClick) -> Reply:
        edit = await self._ledger.find(click.row_id)
        if edit is None or edit.order.guild_id != click.caller.member.guild_id:
            return Reply(UNKNOWN)
        if not _may_cancel(click.caller, edit):
            return Reply(NOT_YOURS)
        if await self._editor.cancel(click.row_id):
            return Reply(CANCELED)
        edit = await self._ledger.find(click.row_id)
        started = edit is not None and edit.state in {State.SUBMITTED, State.RENDERED}
        return Reply(STARTED if started else FINISHED)


def _may_cancel(caller: Caller, edit: Edit) -> bool:
    if caller.member.id == edit.order.member_id:
        return True
    return caller.moderates and caller.channel_id == edit.order.channel_id
