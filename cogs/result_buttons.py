"""The buttons under a result, which never expire, except for deleting."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import discord
from discord import ui

from bot.discord_io.message_images import TrustedHosts, find_images
from bot.discord_io.modals import Form
from bot.discord_io.posted_images import MissingImage, PostedImages
from bot.discord_io.replies import Component, Replies, Reply
from bot.discord_io.transport import File
from bot.domain.edits import Edit
from bot.domain.images import ImageLink
from bot.ledger import Ledger
from cogs.text import buttons
from cogs.text.markdown import as_block
from cogs.ui.cards import AGAIN, COMPARE, PROMPT, RUN, is_card_of
from cogs.ui.component_router import PersistentClick, PersistentClickHandler
from cogs.ui.components import Item, as_components
from cogs.ui.edit_lookup import UNKNOWN_EDIT, find_edit
from cogs.ui.order_intake import Orders, Response
from cogs.ui.pages import MAX_TEXT

MESSAGE_TIMEOUT_S = 0.8
"""How long to look up a message by its channel."""

SOURCE_CHECK_TIMEOUT_S = 2.0
"""How long to check whether an original is gone."""

NO_IMAGES = (
    "This edit's images are no longer on Discord. You weren't charged. Start a new one with "
    "`/edit`."
)
SOURCE_GONE = "The original image is no longer on Discord."
SOURCE_DELETED = "The link to the original image was deleted."
SOURCE_NOT_PUBLIC = (
    "The original wasn't posted in this channel, so only the person who made this edit can see it."
)
ORIGINAL_NOT_SHARED = (
    "This edit was run again from another member's. The original stays theirs, so there's nothing "
    "to compare the result with."
)
PROMPT_DELETED = "This edit's prompt was deleted."
PROMPT_ATTACHED = "The full prompt is attached."

_ONE_RESULT = ("Before and after", "Original image", "Edited image")
_SEVERAL_RESULTS = ("Before and after, image {number}", "Original image", "Edited image {number}")
"""A heading, and the alt texts of both images."""


class ResultButtons:
    """Edits a result, repeats its edit, compares it, and shows its prompt."""

    def __init__(
        self,
        orders: Orders,
        ledger: Ledger,
        replies: Replies,
        posted: PostedImages,
        trusted_hosts: TrustedHosts,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._replies = replies
        self._posted = posted
        self._trusted_hosts = trusted_hosts

    @property
    def persistent(self) -> Mapping[str, PersistentClickHandler]:
        """The handlers of its buttons that never expire."""
        return {
            AGAIN: self._edit_result,
            RUN: self._run_again,
            COMPARE: self._compare,
            PROMPT: self._show_prompt,
        }

    async def _edit_result(self, click: PersistentClick) -> None:
        await self._orders.respond_with(click.caller, self._result_form(click))

    async def _result_form(self, click: PersistentClick) -> Form | Reply:
        edit = await self._find(click)
        if edit is None:
            return Reply(UNKNOWN_EDIT)
        images = await self._images(click, edit)
        if not images:
            return Reply(NO_IMAGES)
        order = edit.order
        return await self._orders.open_form(
            click.caller,
            images,
            buttons.EDIT_THIS,
            public=not order.private and click.caller.channel_id == order.channel_id,
            private=order.private,
            template=replace(order, count=1),
        )

    async def _run_again(self, click: PersistentClick) -> None:
        await self._orders.respond_with(click.caller, self._same_order(click))

    async def _same_order(self, click: PersistentClick) -> Response:
        edit = await self._find(click)
        if edit is None:
            return Reply(UNKNOWN_EDIT)
        return await self._orders.run_again(click.caller, edit)

    async def _compare(self, click: PersistentClick) -> None:
        work = self._comparison(click)
        await self._replies.respond_or_defer(click.interaction.as_new_message, work)

    async def _comparison(self, click: PersistentClick) -> Reply:
        edit = await self._find(click)
        if edit is None:
            return Reply(UNKNOWN_EDIT)
        order = edit.order
        public_here = order.source_public and click.caller.channel_id == order.channel_id
        if not public_here and (edit.borrowed or click.caller.member.id != order.member_id):
            return Reply(ORIGINAL_NOT_SHARED if edit.borrowed else SOURCE_NOT_PUBLIC)
        if not order.source_url:
            return Reply(SOURCE_DELETED)
        images, gone = await asyncio.gather(
            self._images(click, edit),
            self._orders.is_gone(order.source_url, SOURCE_CHECK_TIMEOUT_S),
        )
        if gone:
            return Reply(SOURCE_GONE)
        if not images:
            return Reply(NO_IMAGES)
        return Reply(components=comparison(order.source_url, images))

    async def _show_prompt(self, click: PersistentClick) -> None:
        work = self._full_prompt(click)
        await self._replies.respond_or_defer(click.interaction.as_new_message, work)

    async def _full_prompt(self, click: PersistentClick) -> Reply:
        edit = await self._find(click)
        if edit is None:
            return Reply(UNKNOWN_EDIT)
        return Reply(PROMPT_DELETED) if edit.erased else prompt_reply(edit.order.prompt)

    async def _find(self, click: PersistentClick) -> Edit | None:
        return await find_edit(self._ledger, click.caller, click.row_id)

    async def _images(self, click: PersistentClick, edit: Edit) -> Sequence[ImageLink]:
        """Return working links to the edit's images, from its card or its message."""
        if is_card_of(edit, click.components):
            return find_images({"components": click.components}, self._trusted_hosts)
        if edit.message is None:
            return []
        found = await self._posted.find_all(edit.message, within=MESSAGE_TIMEOUT_S)
        return [] if isinstance(found, MissingImage) else found


def comparison(source_url: str, images: Sequence[ImageLink]) -> list[Component]:
    """Show the original next to each result."""
    texts = _SEVERAL_RESULTS if len(images) > 1 else _ONE_RESULT
    items: list[Item] = []
    for number, image in enumerate(images, 1):
        heading, original, edited = (text.format(number=number) for text in texts)
        items += [
            ui.TextDisplay(heading),
            ui.MediaGallery(
                discord.MediaGalleryItem(source_url, description=original, spoiler=image.spoiler),
                discord.MediaGalleryItem(image.url, description=edited, spoiler=image.spoiler),
            ),
        ]
    return as_components(*items)


def prompt_reply(prompt: str) -> Reply:
    """Show the full prompt literally, or attach it if it doesn't fit in a message."""
    block = as_block(prompt)
    if len(block) <= MAX_TEXT:
        return Reply(components=as_components(ui.TextDisplay(block)))
    return Reply(PROMPT_ATTACHED, files=[File("prompt.txt", prompt.encode("utf-8", "replace"))])
