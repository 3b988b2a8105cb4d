"""`/history`: a member's own edits, newest first, with their pictures where these still stand."""

from collections.abc import Mapping, Sequence

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope, write_persistent
from bot.discord_io.posted_images import MissingImage, PostedImages
from bot.discord_io.replies import Replies, Reply
from bot.domain.images import ImageLink
from bot.domain.lifecycle import OPEN_STATES, Reason, State
from bot.domain.pricing import SOURCE_SIZE
from bot.ledger.archive import Archive, KeptEdit
from cogs.text.markdown import as_line
from cogs.text.outcomes import count_credits, ending_text
from cogs.ui.cards import AGAIN, RUN
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button, Item, as_components, row_of
from cogs.ui.interactions import asked_by, holder_of
from cogs.ui.pages import pages_of, turning

PAGE = 5
"""Edits on a page: with a picture and a row of buttons each, Discord's 40 components take no more.

Each page asks Discord for as many messages at most.
"""

LONGEST_PROMPT, LONGEST_QUOTE = 250, 150
"""Characters of a prompt, and of what the editing service said: of 4,000 in a whole message."""

PICTURES_WITHIN = 4.0
"""Seconds that a page waits for Discord to say where pictures stand."""

HISTORY_PAGE = "history.page"
"""What the buttons under a page do."""

NOTHING = "You have made no edit in this server yet. Run `/edit`, or see `/help`."

NO_PICTURE = {
    MissingImage.GONE: "Its message was deleted in Discord, so its picture is gone.",
    MissingImage.EMPTY: "Its picture was removed from its message, so it is gone.",
    MissingImage.HIDDEN: "The bot may not read in its channel any more, so it cannot show it.",
    MissingImage.UNKNOWN: "Discord did not show its picture just now. Run the command again.",
}
NO_MESSAGE = "Its message was deleted in Discord."
PRIVATE = "It was for you alone, and of such answers Discord keeps nothing that can be shown again."
ERASED = "Its prompt was erased."

Shown = ImageLink | MissingImage | None
"""An edit's picture, or why it is not shown; None where there never was one to be shown here."""


class HistoryCog(commands.Cog):
    """A member's own edits in one server, shown to them alone."""

    def __init__(
        self, archive: Archive, pictures: PostedImages, replies: Replies, custom_ids: CustomIds
    ) -> None:
        self._archive = archive
        self._pictures = pictures
        self._replies = replies
        self._custom_ids = custom_ids

    @property
    def actions(self) -> Mapping[str, ClickHandler]:
        """What its buttons do."""
        return {HISTORY_PAGE: self._turn}

    @app_commands.command(name="history", description="See your past edits in this server")
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def history(self, interaction: discord.Interaction) -> None:
        """Answer with the newest page."""
        asked = asked_by(interaction)
        async with self._replies.deferred(asked):
            reply = await self._show(holder_of(interaction), 0)
            await self._replies.respond(asked, reply, deferred=True)

    async def _turn(self, press: SignedClick) -> None:
        (number,) = press.arguments
        async with self._replies.deferred(press.asked):
            reply = await self._show(press.by, int(number))
            await self._replies.respond(press.asked, reply, deferred=True)

    async def _show(self, holder: SignatureScope, number: int) -> Reply:
        edits, count = await self._archive.page(
            holder.guild_id, holder.member_id, skip=number * PAGE, most=PAGE
        )
        shown = await self._find_pictures(edits)
        items: list[Item] = [ui.TextDisplay(heading_text(number, count))]
        for place, edit in enumerate(edits):
            if place:
                items.append(ui.Separator())
            items += entry(edit, shown.get(edit.id), holder.guild_id)
        turns = turning(number, count, lambda to: self._page_id(holder, to), most=PAGE)
        if turns:
            items.append(row_of(*turns))
        return Reply(components=as_components(*items))

    async def _find_pictures(self, edits: Sequence[KeptEdit]) -> Mapping[int, Shown]:
        """By the edits' ids."""
        places = {
            edit.id: edit.place
            for edit in edits
            if edit.place is not None and not (edit.state in OPEN_STATES or _is_hidden(edit))
        }
        found = await self._pictures.find_first_images(
            list(places.values()), within=PICTURES_WITHIN
        )
        return dict(zip(places, found, strict=True))

    def _page_id(self, holder: SignatureScope, number: int) -> str:
        return self._custom_ids.write(Action(HISTORY_PAGE, (str(number),)), holder)


def heading_text(number: int, count: int) -> str:
    """What the page is of."""
    if not count:
        return NOTHING
    edits = f"{count:,} edit{'' if count == 1 else 's'}"
    pages = pages_of(count, most=PAGE)
    of = f", page {number + 1} of {pages}" if pages > 1 else ""
    return f"**Your edits in this server**, the newest first: {edits}{of}"


def entry(edit: KeptEdit, shown: Shown, guild_id: int) -> list[Item]:
    """One edit: what it was and became, its picture, and what can be done with it."""
    text = ui.TextDisplay[ui.LayoutView](entry_text(edit, shown, guild_id))
    items: list[Item] = [text]
    if isinstance(shown, ImageLink):
        items = [ui.Section(text, accessory=_thumbnail(edit, shown))]
    if buttons := buttons_for(edit, shown):
        items.append(row_of(*buttons))
    return items


def entry_text(edit: KeptEdit, shown: Shown, guild_id: int) -> str:
    """When and what it was, what it cost, the prompt, and what became of it."""
    facts = [
        f"<t:{edit.held_at.timestamp():.0f}:R>",
        f"{edit.quality.capitalize()} × {edit.count}",
        *_shape(edit),
        _price(edit),
    ]
    link = edit.link(guild_id)
    if link is not None and shown is not MissingImage.GONE and not _is_hidden(edit):
        facts.append(f"[Open]({link})")
    prompt = ERASED if edit.prompt is None else as_line(edit.prompt, LONGEST_PROMPT)
    return "\n".join([" · ".join(facts), f"> {prompt}", *_outcome_lines(edit, shown)])


def buttons_for(edit: KeptEdit, shown: Shown) -> list[Button]:
    """The lasting buttons that have something to work with."""
    buttons: list[Button] = []
    if edit.state in OPEN_STATES:
        return buttons
    if isinstance(shown, ImageLink):
        buttons.append(Button("Edit again", write_persistent(AGAIN, edit.id)))
    if edit.prompt is not None:
        label = f"Run again · {edit.quality.price * edit.count}"
        buttons.append(Button(label, write_persistent(RUN, edit.id)))
    return buttons


def _outcome_lines(edit: KeptEdit, shown: Shown) -> list[str]:
    """What there is to say beside the price."""
    if edit.state in OPEN_STATES:
        return []
    lines: list[str] = []
    if edit.state is not State.DELIVERED:
        lines.append(
            f"-# {edit.state.capitalize()}: {ending_text(edit, most_quoted=LONGEST_QUOTE)}"
        )
        if shown is MissingImage.GONE and edit.reason is not Reason.ANSWER_DELETED:
            lines.append(f"-# {NO_MESSAGE}")
        return lines
    if edit.posted < edit.count:
        lines.append(f"-# {edit.posted} of {edit.count} pictures were posted.")
    if isinstance(shown, MissingImage):
        lines.append(f"-# {NO_PICTURE[shown]}")
    elif _is_hidden(edit):
        lines.append(f"-# {PRIVATE}")
    return lines


def _shape(edit: KeptEdit) -> list[str]:
    """The result's ratio, or nothing where it follows from a source that was never looked at."""
    shape = edit.ratio or edit.size
    return [] if shape == SOURCE_SIZE else [shape]


def _price(edit: KeptEdit) -> str:
    if edit.state in OPEN_STATES:
        return f"under way, {count_credits(edit.quality.price * edit.count)} held"
    return count_credits(edit.charged)


def _is_hidden(edit: KeptEdit) -> bool:
    """Whether its message is one that its member alone sees, which no bot can look up."""
    return edit.private and edit.message_channel_id is None


def _thumbnail(edit: KeptEdit, picture: ImageLink) -> ui.Thumbnail[ui.LayoutView]:
    described = as_line(edit.prompt, LONGEST_PROMPT) if edit.prompt else None
    return ui.Thumbnail(picture.url, description=described, spoiler=picture.spoiler)
