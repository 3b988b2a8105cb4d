"""The buttons that delete an edit's message, after a question."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import discord
import structlog
from discord import ui

from bot.discord_io.custom_ids import Action, CustomIds, write_persistent
from bot.discord_io.replies import TEXT_DISPLAY, Component, Replies, Reply
from bot.discord_io.responses import RestResponse
from bot.discord_io.rest import DiscordRest, OwnMessage
from bot.discord_io.transport import in_seconds
from bot.domain.edits import Edit
from bot.domain.lifecycle import OPEN_STATES
from bot.ledger import Ledger
from bot.ledger.archive import Archive
from cogs.text import buttons
from cogs.ui.cards import DELETE, DELETE_SURELY, KEEP, buttons_row, is_card_of
from cogs.ui.component_router import (
    ClickHandler,
    PersistentClick,
    PersistentClickHandler,
    SignedClick,
)
from cogs.ui.components import Button, Item, as_components, row_of, without_buttons
from cogs.ui.edit_lookup import UNKNOWN_EDIT, find_edit
from cogs.ui.interactions import Caller
from cogs.ui.order_intake import within_deadline

CONFIRM = "delete.confirm"
"""Name of the action of the private question's button in custom ids."""

DELETE_TIMEOUT_S = 10.0

NOT_YOURS_TO_DELETE = (
    "Only the person who made this edit, or someone with Manage Messages, can delete it."
)
IN_PROGRESS = "This edit is still in progress. You can delete it when it's done."
QUESTION = "**Delete this edit?**\nYou can't undo this."
QUESTION_OF_COST = "**Delete this edit?**\nYou can't undo this. Credits won't be refunded."
DELETED = "Deleted."
NOT_DELETED = (
    "Darkroom couldn't delete that message. Nothing changed. Try again later, or ask a moderator "
    "to delete it."
)
EMPTIED = "Images deleted. To hide this message, select *Dismiss message* below."

_OLD_QUESTION = (
    "**Delete this message for good?**\nThe message goes, and the links of its pictures are erased."
)
_QUESTIONS = frozenset(
    {QUESTION, QUESTION_OF_COST, _OLD_QUESTION, f"{_OLD_QUESTION} What it cost stays charged."}
)
"""Private cards from before the new wording may still show an old one."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DeleteButton:
    """Deletes an edit's message and its image links, for its member or a moderator."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        rest: DiscordRest,
        replies: Replies,
        custom_ids: CustomIds,
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._rest = rest
        self._replies = replies
        self._custom_ids = custom_ids

    @property
    def persistent(self) -> Mapping[str, PersistentClickHandler]:
        """The handlers of its buttons that never expire."""
        return {DELETE: self._ask, DELETE_SURELY: self._delete_in_place, KEEP: self._keep}

    @property
    def signed(self) -> Mapping[str, ClickHandler]:
        """The handler of the private question's button."""
        return {CONFIRM: self._confirm}

    async def _ask(self, click: PersistentClick) -> None:
        edit = await within_deadline(self._find_shown(click))
        if isinstance(edit, Reply):
            await self._replies.respond(click.interaction.as_new_message, edit)
            return
        if click.ephemeral:
            # Only the token of a button under it can delete a private message.
            await self._redraw(click, _confirm_in_place(edit), _question(edit))
            return
        confirm = Action(CONFIRM, (str(edit.order.id), str(click.message_id)))
        row = row_of(_confirm_button(self._custom_ids.write(confirm, click.caller.scope)))
        question = Reply(components=as_components(ui.TextDisplay(_question(edit)), row))
        await self._replies.respond(click.interaction.as_new_message, question)

    async def _confirm(self, click: SignedClick) -> None:
        await self._replies.respond_or_defer(click.interaction, self._delete(click))

    async def _delete(self, click: SignedClick) -> Reply:
        edit_id, message_id = map(int, click.arguments)
        edit = await self._find_deletable(click.caller, edit_id)
        if isinstance(edit, Reply):
            return edit
        message = OwnMessage(click.caller.channel_id, message_id)
        if not _is_deleted(await self._rest.delete(message, until=in_seconds(DELETE_TIMEOUT_S))):
            return Reply(NOT_DELETED)
        await self._delete_links(edit)
        return Reply(DELETED)

    async def _delete_in_place(self, click: PersistentClick) -> None:
        edit = await within_deadline(self._find_shown(click))
        if isinstance(edit, Reply):
            await self._replies.respond(click.interaction.as_new_message, edit)
            return
        async with self._replies.deferred(click.interaction):
            await self._delete_links(edit)
            until = in_seconds(DELETE_TIMEOUT_S)
            if not _is_deleted(await self._rest.delete(click.interaction.response, until=until)):
                await self._replies.respond(click.interaction, Reply(EMPTIED), deferred=True)

    async def _keep(self, click: PersistentClick) -> None:
        edit = await within_deadline(find_edit(self._ledger, click.caller, click.row_id))
        if edit is None or not click.ephemeral or not _is_under(click, edit):
            await self._replies.respond(click.interaction.as_new_message, Reply(UNKNOWN_EDIT))
            return
        await self._redraw(click, buttons_row(edit))

    async def _redraw(self, click: PersistentClick, row: Item, question: str | None = None) -> None:
        """Replace a card's buttons; refer to its images by file name, else by URL."""
        for attached in (True, False):
            card = _with_row(click.components, row, question, attached=attached)
            if await self._replies.redraw(click.interaction, card):
                return

    async def _delete_links(self, edit: Edit) -> None:
        await self._archive.erase_links(edit.order.id)
        log.info("edit.deleted", edit=str(edit.order.id))

    async def _find_deletable(self, caller: Caller, edit_id: int) -> Edit | Reply:
        """Return the edit if the caller may delete it now, else the refusal."""
        edit = await find_edit(self._ledger, caller, edit_id)
        if edit is None:
            return Reply(UNKNOWN_EDIT)
        if caller.member.id != edit.order.member_id and not caller.moderates:
            return Reply(NOT_YOURS_TO_DELETE)
        return Reply(IN_PROGRESS) if edit.state in OPEN_STATES else edit

    async def _find_shown(self, click: PersistentClick) -> Edit | Reply:
        """Find the edit like `_find_deletable`, if the button is under its own message."""
        edit = await self._find_deletable(click.caller, click.row_id)
        if isinstance(edit, Edit) and not _is_under(click, edit):
            return Reply(UNKNOWN_EDIT)
        return edit


def _confirm_button(custom_id: str) -> Button:
    return Button(buttons.CONFIRM_DELETE, custom_id, discord.ButtonStyle.danger)


def _confirm_in_place(edit: Edit) -> Item:
    return row_of(
        _confirm_button(write_persistent(DELETE_SURELY, edit.order.id)),
        Button(buttons.CANCEL, write_persistent(KEEP, edit.order.id)),
    )


def _question(edit: Edit) -> str:
    return QUESTION_OF_COST if edit.posted else QUESTION


def _is_deleted(answer: RestResponse | None) -> bool:
    return answer is not None and (answer.ok or answer.status == HTTPStatus.NOT_FOUND)


def _is_under(click: PersistentClick, edit: Edit) -> bool:
    """Check whether the button is under the edit's own message."""
    message = edit.message
    is_known = message is not None and message.message_id == click.message_id
    return is_known or is_card_of(edit, click.components)


def _with_row(
    components: Sequence[Component], row: Item, question: str | None, *, attached: bool
) -> list[Component]:
    """Replace a card's buttons, and its question."""
    (card, *_) = components
    shown = without_buttons(card.get("components", []))
    kept = [_without_id(part) for part in shown if not _is_question(part)]
    parts = [_reattached(part) if attached else part for part in kept]
    below: list[Item] = [row] if question is None else [ui.TextDisplay(question), row]
    return [{**_without_id(card), "components": [*parts, *as_components(*below)]}]


def _is_question(part: Component) -> bool:
    return part.get("type") == TEXT_DISPLAY and part.get("content") in _QUESTIONS


def _reattached(part: Component) -> Component:
    """Refer to a gallery's images as the message's own files instead of by URL."""
    if part.get("type") != discord.ComponentType.media_gallery.value:
        return part
    items = [{**item, "media": _attachment(item["media"])} for item in part.get("items", [])]
    return {**part, "items": items}


def _without_id(part: Component) -> Component:
    # Discord assigns new ids, which then can't collide with those of the new parts.
    return {key: value for key, value in part.items() if key != "id"}


def _attachment(media: Component) -> Component:
    name = str(media.get("url", "")).partition("?")[0].rpartition("/")[2]
    return {"url": f"attachment://{name}"}
