"""The button that cancels an edit while it waits."""

from collections.abc import Mapping

from bot.discord_io.replies import Replies, Reply
from bot.domain.edits import Edit
from bot.domain.lifecycle import State
from bot.editing.editor import Editor
from bot.ledger import Ledger
from cogs.ui.component_router import PersistentClick, PersistentClickHandler
from cogs.ui.interactions import Caller
from cogs.ui.waiting_card import CANCEL

UNKNOWN = "This bot knows no such edit in this server any more, so there is nothing to cancel."
NOT_YOURS = (
    "Only the member who asked for an edit can cancel it, or a moderator who may manage messages "
    "in its channel."
)
UNDER_WAY = (
    "This edit is being made already and cannot be stopped any more. It is charged only if its "
    "pictures are posted."
)
ENDED = "This edit has ended already, so there is nothing to cancel."
CANCELLED = "The edit was cancelled. Nothing was charged."


class CancelButton:
    """Ends an edit that was not sent yet, for its member or a moderator."""

    def __init__(self, ledger: Ledger, editor: Editor, replies: Replies) -> None:
        self._ledger = ledger
        self._editor = editor
        self._replies = replies

    @property
    def lasting(self) -> Mapping[str, PersistentClickHandler]:
        """What it answers."""
        return {CANCEL: self.press}

    async def press(self, press: PersistentClick) -> None:
        """Cancel the edit, or say privately why it is not cancelled."""
        await self._replies.respond_or_defer(press.asked.as_new_message, self._cancel(press))

    async def _cancel(self, press: PersistentClick) -> Reply:
        return Reply(await self._outcome(press))

    async def _outcome(self, press: PersistentClick) -> str:
        edit = await self._ledger.find(press.row_id)
        if edit is None or edit.order.guild_id != press.caller.member.guild_id:
            return UNKNOWN
        if not may_cancel(press.caller, edit):
            return NOT_YOURS
        if await self._editor.cancel(press.row_id):
            return CANCELLED
        edit = await self._ledger.find(press.row_id)
        if edit is not None and edit.state in {State.SUBMITTED, State.RENDERED}:
            return UNDER_WAY
        return ENDED


def may_cancel(caller: Caller, edit: Edit) -> bool:
    """Whether it is the caller's own edit, or one in a channel that they moderate."""
    if caller.member.id == edit.order.member_id:
        return True
    return caller.moderates and caller.channel_id == edit.order.channel_id
