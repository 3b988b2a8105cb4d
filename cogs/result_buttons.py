"""The buttons under an edit's card: they carry the edit's id alone, and work for ever."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

import discord
import structlog
from discord import ui

from bot.discord_io.custom_ids import Action, CustomIds, write_persistent
from bot.discord_io.message_images import TrustedHosts, find_images, walk_components
from bot.discord_io.modals import Form
from bot.discord_io.posted_images import MissingImage, PostedImages
from bot.discord_io.replies import TEXT_DISPLAY, Component, Replies, Reply
from bot.discord_io.responses import RestResponse
from bot.discord_io.rest import DiscordRest, OwnMessage
from bot.discord_io.transport import File, in_seconds
from bot.domain.edits import Edit
from bot.domain.images import ImageLink
from bot.domain.lifecycle import OPEN_STATES
from bot.ledger import Ledger
from bot.ledger.archive import Archive
from cogs.text.markdown import as_block
from cogs.ui.cards import (
    AGAIN,
    COMPARE,
    DELETE,
    DELETE_SURELY,
    KEEP,
    PROMPT,
    RUN,
    asking_row,
    buttons_row,
)
from cogs.ui.component_router import (
    ClickHandler,
    PersistentClick,
    PersistentClickHandler,
    SignedClick,
)
from cogs.ui.components import Item, as_components, without_buttons
from cogs.ui.interactions import Caller
from cogs.ui.order_intake import Orders, Response, within_deadline
from cogs.ui.pages import MOST_TEXT

CONFIRM = "delete.confirm"
"""What the danger button under the private question does."""

LOOK_AT_MESSAGE, LOOK_AT_SOURCE, DELETE_PATIENCE = 0.8, 2.0, 10.0
"""Seconds for finding a message by its channel, a source gone, and for deleting a message."""

UNKNOWN = (
    "The bot does not know this edit in this server, so nothing was done. Nothing was charged. "
    "Run `/edit` yourself."
)
NO_PICTURES = (
    "The pictures of this edit cannot be found in Discord any more. Nothing was charged. "
    "Run `/edit` with a picture of your own."
)
SOURCE_GONE = "Discord has removed the picture that this edit was made from: it cannot be shown."
SOURCE_ERASED = "Where the picture lay that this edit was made from was erased: it cannot be shown."
SOURCE_NOT_PUBLIC = (
    "Only the member whose edit this is can compare it with its source, for that picture was not "
    "posted in this channel."
)
ORIGINAL_NOT_SHARED = (
    "This edit was run again from another member's. The original stays theirs, so there's nothing "
    "to compare the result with."
)
PROMPT_ERASED = "The prompt of this edit was erased."
NOT_YOURS_TO_DELETE = (
    "Only the member whose edit this is, and moderators with *Manage Messages*, can delete it."
)
UNDER_WAY = "This edit is under way still. Delete it when it has ended."
QUESTION = (
    "**Delete this message for good?**\nThe message goes, and the links of its pictures are erased."
)
QUESTION_OF_COST = f"{QUESTION} What it cost stays charged."
DELETED = "The message is deleted, and the links of its pictures are erased."
NOT_DELETED = (
    "Discord did not let the bot delete the message, so nothing was changed. Try again later, or "
    "ask a moderator to delete it."
)
EMPTIED = (
    "The pictures and their links are erased. Discord did not let the bot remove this message "
    "itself: choose *Dismiss message* under it."
)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ResultButtons:
    """What each button does, looked up from the edit's row and the message it is under."""

    def __init__(
        self,
        orders: Orders,
        ledger: Ledger,
        archive: Archive,
        rest: DiscordRest,
        replies: Replies,
        custom_ids: CustomIds,
        posted: PostedImages,
        places: TrustedHosts,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._archive = archive
        self._rest = rest
        self._replies = replies
        self._custom_ids = custom_ids
        self._posted = posted
        self._places = places

    @property
    def lasting(self) -> Mapping[str, PersistentClickHandler]:
        """What works for ever."""
        return {
            AGAIN: self._edit_again,
            RUN: self._run_again,
            COMPARE: self._compare,
            PROMPT: self._show_prompt,
            DELETE: self._ask_to_delete,
            DELETE_SURELY: self._delete_in_place,
            KEEP: self._keep,
        }

    @property
    def actions(self) -> Mapping[str, ClickHandler]:
        """What works in one member's hands."""
        return {CONFIRM: self._delete}

    # Orders.

    async def _edit_again(self, press: PersistentClick) -> None:
        await self._orders.respond_with(press.caller, self._form_for_result(press))

    async def _form_for_result(self, press: PersistentClick) -> Form | Reply:
        edit = await self._find(press.caller, press.row_id)
        if edit is None:
            return Reply(UNKNOWN)
        pictures = await self._pictures(press, edit)
        if not pictures:
            return Reply(NO_PICTURES)
        order = edit.order
        return await self._orders.open_form(
            press.caller,
            pictures,
            "Edit again",
            public=not order.private and press.caller.channel_id == order.channel_id,
            private=order.private,
            like=replace(order, count=1),
        )

    async def _run_again(self, press: PersistentClick) -> None:
        await self._orders.respond_with(press.caller, self._same_order(press))

    async def _same_order(self, press: PersistentClick) -> Response:
        edit = await self._find(press.caller, press.row_id)
        return Reply(UNKNOWN) if edit is None else await self._orders.run_again(press.caller, edit)

    # What is shown.

    async def _compare(self, press: PersistentClick) -> None:
        await self._replies.respond_or_defer(press.asked.as_new_message, self._comparison(press))

    async def _comparison(self, press: PersistentClick) -> Reply:
        edit = await self._find(press.caller, press.row_id)
        if edit is None:
            return Reply(UNKNOWN)
        order = edit.order
        shown_here = order.source_public and press.caller.channel_id == order.channel_id
        if not shown_here and (edit.borrowed or press.caller.member.id != order.member_id):
            return Reply(ORIGINAL_NOT_SHARED if edit.borrowed else SOURCE_NOT_PUBLIC)
        if not order.source_url:
            return Reply(SOURCE_ERASED)
        pictures, gone = await asyncio.gather(
            self._pictures(press, edit), self._orders.is_gone(order.source_url, LOOK_AT_SOURCE)
        )
        if gone:
            return Reply(SOURCE_GONE)
        if not pictures:
            return Reply(NO_PICTURES)
        return Reply(components=comparison(order.source_url, pictures))

    async def _show_prompt(self, press: PersistentClick) -> None:
        await self._replies.respond_or_defer(press.asked.as_new_message, self._whole_prompt(press))

    async def _whole_prompt(self, press: PersistentClick) -> Reply:
        edit = await self._find(press.caller, press.row_id)
        if edit is None:
            return Reply(UNKNOWN)
        return Reply(PROMPT_ERASED) if edit.erased else prompt_reply(edit.order.prompt)

    # Deleting.

    async def _ask_to_delete(self, press: PersistentClick) -> None:
        edit = await within_deadline(self._find_shown(press))
        if isinstance(edit, Reply):
            await self._replies.respond(press.asked.as_new_message, edit)
        elif press.ephemeral:
            # A private message can be deleted by the token of a button that is under it alone.
            row = asking_row(
                write_persistent(DELETE_SURELY, edit.order.id),
                write_persistent(KEEP, edit.order.id),
            )
            await self._redraw(press, row, _question(edit))
        else:
            asked = Action(CONFIRM, (str(edit.order.id), str(press.message_id)))
            row = asking_row(self._custom_ids.write(asked, press.caller.holder))
            question = as_components(ui.TextDisplay(_question(edit)), row)
            await self._replies.respond(press.asked.as_new_message, Reply(components=question))

    async def _delete(self, press: SignedClick) -> None:
        await self._replies.respond_or_defer(press.asked, self._delete_for_good(press))

    async def _delete_for_good(self, press: SignedClick) -> Reply:
        edit_id, message_id = map(int, press.arguments)
        edit = await self._find_to_delete(press.caller, edit_id)
        if isinstance(edit, Reply):
            return edit
        message = OwnMessage(press.caller.channel_id, message_id)
        if not _is_deleted(await self._rest.delete(message, until=in_seconds(DELETE_PATIENCE))):
            return Reply(NOT_DELETED)
        await self._erase_links(edit)
        return Reply(DELETED)

    async def _delete_in_place(self, press: PersistentClick) -> None:
        edit = await within_deadline(self._find_shown(press))
        if isinstance(edit, Reply):
            await self._replies.respond(press.asked.as_new_message, edit)
            return
        async with self._replies.deferred(press.asked):
            await self._erase_links(edit)
            answer = await self._rest.delete(
                press.asked.response, until=in_seconds(DELETE_PATIENCE)
            )
            if not _is_deleted(answer):
                await self._replies.respond(press.asked, Reply(EMPTIED), deferred=True)

    async def _keep(self, press: PersistentClick) -> None:
        edit = await within_deadline(self._find(press.caller, press.row_id))
        if edit is None or not press.ephemeral or not _is_under(press, edit):
            await self._replies.respond(press.asked.as_new_message, Reply(UNKNOWN))
            return
        await self._redraw(press, buttons_row(edit))

    async def _redraw(self, press: PersistentClick, row: Item, question: str | None = None) -> None:
        """Change a card's buttons; its pictures are named by address where not as its files."""
        for attached in (True, False):
            card = _with_row(press.components, row, question, attached=attached)
            if await self._replies.redraw(press.asked, card):
                return

    async def _erase_links(self, edit: Edit) -> None:
        await self._archive.erase_links(edit.order.id)
        log.info("edit.deleted", edit=str(edit.order.id))

    # Looking up.

    async def _find(self, caller: Caller, edit_id: int) -> Edit | None:
        """The edit, if it is the caller's in this server, or was seen in this channel by all."""
        edit = await self._ledger.find(edit_id)
        if edit is None or edit.order.guild_id != caller.member.guild_id:
            return None
        order = edit.order
        seen_here = not order.private and order.channel_id == caller.channel_id
        return edit if seen_here or order.member_id == caller.member.id else None

    async def _find_to_delete(self, caller: Caller, edit_id: int) -> Edit | Reply:
        """The edit, if it is one that the caller may delete now; else why they may not."""
        edit = await self._find(caller, edit_id)
        if edit is None:
            return Reply(UNKNOWN)
        if caller.member.id != edit.order.member_id and not caller.moderates:
            return Reply(NOT_YOURS_TO_DELETE)
        return Reply(UNDER_WAY) if edit.state in OPEN_STATES else edit

    async def _find_shown(self, press: PersistentClick) -> Edit | Reply:
        """As `_find_to_delete`, if the message that the button is under is the edit's own."""
        edit = await self._find_to_delete(press.caller, press.row_id)
        if isinstance(edit, Edit) and not _is_under(press, edit):
            return Reply(UNKNOWN)
        return edit

    async def _pictures(self, press: PersistentClick, edit: Edit) -> Sequence[ImageLink]:
        """The edit's pictures with addresses that work: of its card, or else of its message."""
        if _is_card(press.components, edit):
            return find_images({"components": press.components}, self._places)
        if edit.place is None:
            return []
        found = await self._posted.find_all(edit.place, within=LOOK_AT_MESSAGE)
        return [] if isinstance(found, MissingImage) else found


def comparison(source_url: str, pictures: Sequence[ImageLink]) -> list[Component]:
    """For each picture a gallery of two: the source, and it."""
    items: list[Item] = []
    for number, picture in enumerate(pictures, 1):
        which = f" {number}" if len(pictures) > 1 else ""
        items += [
            ui.TextDisplay(
                f"The source, and result{which}" if which else "The source, and the result"
            ),
            ui.MediaGallery(
                discord.MediaGalleryItem(
                    source_url, description="The source", spoiler=picture.spoiler
                ),
                discord.MediaGalleryItem(
                    picture.url, description=f"The result{which}", spoiler=picture.spoiler
                ),
            ),
        ]
    return as_components(*items)


def prompt_reply(prompt: str) -> Reply:
    """The whole prompt, to the letter; as a file, where a message does not take it."""
    block = as_block(prompt)
    if len(block) <= MOST_TEXT:
        return Reply(components=as_components(ui.TextDisplay(block)))
    file = File("prompt.txt", prompt.encode("utf-8", "replace"))
    return Reply("The whole prompt is in this file.", files=[file])


def _question(edit: Edit) -> str:
    return QUESTION_OF_COST if edit.posted else QUESTION


def _is_deleted(answer: RestResponse | None) -> bool:
    """Whether the message surely is not there any more."""
    return answer is not None and (answer.ok or answer.status == HTTPStatus.NOT_FOUND)


def _is_under(press: PersistentClick, edit: Edit) -> bool:
    """Whether the button is under the edit's own message, by its id where that is known."""
    place = edit.place
    return (place is not None and place.message_id == press.message_id) or _is_card(
        press.components, edit
    )


def _is_card(components: Sequence[Component], edit: Edit) -> bool:
    """Whether a message is the edit's own: it alone has the buttons that delete it."""
    deleting = {write_persistent(name, edit.order.id) for name in (DELETE, DELETE_SURELY)}
    parts = walk_components({"components": components})
    return any(part.get("custom_id") in deleting for part in parts)


def _with_row(
    components: Sequence[Component], row: Item, question: str | None, *, attached: bool
) -> list[Component]:
    """A card's components with another row of buttons, and a question above it or none."""
    (card, *_) = components
    shown = without_buttons(card.get("components", []))
    stay = [_unnumbered(part) for part in shown if not _is_question(part)]
    parts = [_reattached(part) if attached else part for part in stay]
    below: list[Item] = [row] if question is None else [ui.TextDisplay(question), row]
    return [{**_unnumbered(card), "components": [*parts, *as_components(*below)]}]


def _is_question(part: Component) -> bool:
    return part.get("type") == TEXT_DISPLAY and part.get("content") in {QUESTION, QUESTION_OF_COST}


def _reattached(part: Component) -> Component:
    """A gallery whose pictures are named as the message's own files, and not by their addresses."""
    if part.get("type") != discord.ComponentType.media_gallery.value:
        return part
    items = [{**item, "media": _attachment(item["media"])} for item in part.get("items", [])]
    return {**part, "items": items}


def _unnumbered(part: Component) -> Component:
    """Without the number that Discord gave it, so that it gives new ones beside the new parts'."""
    return {key: value for key, value in part.items() if key != "id"}


def _attachment(media: Component) -> Component:
    name = str(media.get("url", "")).partition("?")[0].rpartition("/")[2]
    return {"url": f"attachment://{name}"}
