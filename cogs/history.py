"""`/history`: a member's past edits, newest first, with the images that still exist."""

from collections.abc import Mapping, Sequence

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope, write_persistent
from bot.discord_io.posted_images import MissingImage, PostedImages
from bot.discord_io.replies import InteractionRef, Replies, Reply
from bot.domain.images import ImageLink
from bot.domain.lifecycle import OPEN_STATES, Reason, State
from bot.domain.pricing import SOURCE_SIZE
from bot.ledger.archive import Archive, Edit
from cogs.text import buttons
from cogs.text.formats import count_credits, relative_time
from cogs.text.markdown import as_line
from cogs.text.outcomes import STATE_LABELS, ending_text
from cogs.ui.cards import AGAIN, RUN
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button, Item, as_components, row_of
from cogs.ui.interactions import interaction_ref, scope_of
from cogs.ui.pages import page_buttons, page_count

PAGE_SIZE = 5
"""Edits on a page; with an image and a row of buttons each, more would exceed 40 components.

A page requests at most this many messages from Discord.
"""

MAX_PROMPT, MAX_QUOTE = 250, 150
"""Characters of a prompt and of the image service's message; a whole message has 4,000."""

IMAGES_TIMEOUT_S = 4.0
"""How long a page waits for Discord's links to its images."""

HISTORY_PAGE = "history.page"
"""Name of the page buttons' action in custom ids."""

NO_EDITS = "No edits yet. Make your first one with `/edit`, or see `/help`."

NO_IMAGE = {
    MissingImage.GONE: "Message deleted.",
    MissingImage.EMPTY: "Image removed.",
    MissingImage.HIDDEN: "Darkroom can't view that channel anymore.",
    MissingImage.UNKNOWN: "Couldn't load the image. Try again.",
}
PRIVATE = "Private edit. Discord doesn't keep these, so it can't be shown again."
PROMPT_DELETED = "Prompt deleted."

Preview = ImageLink | MissingImage | None
"""An edit's image, or why it can't be shown; None if there is nothing to show here."""


class HistoryCog(commands.Cog):
    """Shows members their own edits in one server, in private."""

    def __init__(
        self, archive: Archive, posted: PostedImages, replies: Replies, custom_ids: CustomIds
    ) -> None:
        self._archive = archive
        self._posted = posted
        self._replies = replies
        self._custom_ids = custom_ids

    @property
    def signed(self) -> Mapping[str, ClickHandler]:
        """The handlers of its signed buttons."""
        return {HISTORY_PAGE: self._turn}

    @app_commands.command(name="history", description="See your past edits in this server")
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def history(self, interaction: discord.Interaction) -> None:
        """Show the newest page."""
        await self._respond(interaction_ref(interaction), scope_of(interaction), 0)

    async def _turn(self, click: SignedClick) -> None:
        (number,) = click.arguments
        await self._respond(click.interaction, click.scope, int(number))

    async def _respond(
        self, interaction: InteractionRef, scope: SignatureScope, number: int
    ) -> None:
        async with self._replies.deferred(interaction):
            reply = await self._page(scope, number)
            await self._replies.respond(interaction, reply, deferred=True)

    async def _page(self, scope: SignatureScope, number: int) -> Reply:
        edits, count = await self._archive.page(
            scope.guild_id, scope.member_id, skip=number * PAGE_SIZE, limit=PAGE_SIZE
        )
        previews = await self._find_previews(edits)
        items: list[Item] = [ui.TextDisplay(heading_text(number, count))]
        for index, edit in enumerate(edits):
            if index:
                items.append(ui.Separator())
            items += entry(edit, previews.get(edit.order.id))
        turns = page_buttons(
            number, count, lambda to: self._page_id(scope, to), page_size=PAGE_SIZE
        )
        if turns:
            items.append(row_of(*turns))
        return Reply(components=as_components(*items))

    async def _find_previews(self, edits: Sequence[Edit]) -> Mapping[int, Preview]:
        messages = {
            edit.order.id: edit.message
            for edit in edits
            if edit.message is not None and not (edit.state in OPEN_STATES or _is_hidden(edit))
        }
        found = await self._posted.find_first_images(
            list(messages.values()), within=IMAGES_TIMEOUT_S
        )
        return dict(zip(messages, found, strict=True))

    def _page_id(self, scope: SignatureScope, number: int) -> str:
        return self._custom_ids.write(Action(HISTORY_PAGE, (str(number),)), scope)


def heading_text(number: int, count: int) -> str:
    """Show how many edits there are, and which page this is."""
    if not count:
        return NO_EDITS
    facts = ["**Your edits**", f"{count:,} total"]
    pages = page_count(count, page_size=PAGE_SIZE)
    if pages > 1:
        facts.append(f"Page {number + 1} of {pages:,}")
    return " · ".join(facts)


def entry(edit: Edit, preview: Preview) -> list[Item]:
    """Lay out one edit with its image and buttons."""
    text = ui.TextDisplay[ui.LayoutView](entry_text(edit, preview))
    items: list[Item] = [text]
    if isinstance(preview, ImageLink):
        items = [ui.Section(text, accessory=_thumbnail(edit, preview))]
    if row := buttons_for(edit, preview):
        items.append(row_of(*row))
    return items


def entry_text(edit: Edit, preview: Preview) -> str:
    """Show an edit's time, options, price, prompt and outcome."""
    facts = [
        relative_time(edit.held_at),
        f"{edit.order.quality.capitalize()} × {edit.order.count}",
        *_shape(edit),
        _price(edit),
    ]
    if edit.link is not None and preview is not MissingImage.GONE and not _is_hidden(edit):
        facts.append(f"[Open]({edit.link})")
    prompt = PROMPT_DELETED if edit.erased else as_line(edit.order.prompt, MAX_PROMPT)
    return "\n".join([" · ".join(facts), f"> {prompt}", *_outcome_lines(edit, preview)])


def buttons_for(edit: Edit, preview: Preview) -> list[Button]:
    """Return the buttons that work for this edit."""
    if edit.state in OPEN_STATES:
        return []
    row: list[Button] = []
    if isinstance(preview, ImageLink):
        row.append(Button(buttons.EDIT_THIS, write_persistent(AGAIN, edit.order.id)))
    if not edit.erased:
        row.append(Button(buttons.run_again(edit.order.hold), write_persistent(RUN, edit.order.id)))
    return row


def _outcome_lines(edit: Edit, preview: Preview) -> list[str]:
    if edit.state in OPEN_STATES:
        return []
    lines: list[str] = []
    if edit.state is not State.DELIVERED:
        ending = ending_text(edit, max_quote=MAX_QUOTE)
        lines.append(f"-# {STATE_LABELS[edit.state]}: {ending}")
        if preview is MissingImage.GONE and edit.reason is not Reason.ANSWER_DELETED:
            lines.append(f"-# {NO_IMAGE[preview]}")
        return lines
    if edit.posted < edit.order.count:
        lines.append(f"-# {edit.posted} of {edit.order.count} images posted.")
    if isinstance(preview, MissingImage):
        lines.append(f"-# {NO_IMAGE[preview]}")
    elif _is_hidden(edit):
        lines.append(f"-# {PRIVATE}")
    return lines


def _shape(edit: Edit) -> list[str]:
    """Return the aspect ratio, or nothing if it would follow from an image that wasn't opened."""
    shape = edit.ratio or edit.order.size
    return [] if shape == SOURCE_SIZE else [shape]


def _price(edit: Edit) -> str:
    if edit.state in OPEN_STATES:
        return f"in progress, {count_credits(edit.order.hold)} reserved"
    return count_credits(edit.charged)


def _is_hidden(edit: Edit) -> bool:
    """Check whether only its member sees its message, so that no bot can look it up."""
    return edit.order.private and edit.message_channel_id is None


def _thumbnail(edit: Edit, image: ImageLink) -> ui.Thumbnail[ui.LayoutView]:
    description = None if edit.erased else as_line(edit.order.prompt, MAX_PROMPT)

    return ui.Thumbnail(image.url, description=description, spoiler=image.spoiler)
