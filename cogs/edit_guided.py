"""`/edit-guided`: asks for the parts of a prompt, and shows the prompt before the edit starts."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope
from bot.discord_io.modals import Form
from bot.discord_io.replies import Replies, Reply
from bot.domain.errors import LedgerError
from bot.domain.guided_prompt import compose_prompt
from bot.domain.pricing import MAX_COUNT, SOURCE_SIZE
from bot.domain.refusals import PromptBlank, is_blank, refuse_image
from bot.editing.editor import Editor
from bot.ledger.drafts import Draft, DraftBook
from cogs.text import buttons
from cogs.text.formats import count_credits, plural
from cogs.text.markdown import as_block
from cogs.text.outcomes import refusal_text
from cogs.ui.choices import EDIT_OPTIONS, QUALITIES, SIZES, read_offered_quality
from cogs.ui.component_router import ClickHandler, FormHandler, SentForm, SignedClick
from cogs.ui.components import Button, Item, as_components, row_of
from cogs.ui.edit_forms import CHANGE, GUIDED_FORM, KEEP, LOOK, TEXT, guided_form
from cogs.ui.interactions import caller_of
from cogs.ui.order_intake import (
    FORM_EXPIRED,
    Orders,
    image_link,
    is_own,
    order_request,
    within_deadline,
)
from cogs.ui.pages import MAX_TEXT

MAKE, DISCARD = "guided.make", "guided.discard"
"""Names of the buttons' actions in custom ids."""

NO_DRAFT = (
    "This draft was already used, or it expired. You weren't charged again. Start over with "
    "`/edit-guided`."
)
DISCARDED = "Draft discarded. You weren't charged."
TOO_LONG = "Your answers are too long together. You weren't charged. Shorten them and try again."


class EditGuidedCog(commands.Cog):
    """Composes an edit's prompt from a member's answers."""

    def __init__(
        self,
        orders: Orders,
        editor: Editor,
        drafts: DraftBook,
        replies: Replies,
        custom_ids: CustomIds,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._orders = orders
        self._editor = editor
        self._drafts = drafts
        self._replies = replies
        self._custom_ids = custom_ids
        self._clock = clock

    @property
    def signed(self) -> Mapping[str, ClickHandler]:
        """The handlers of its signed buttons."""
        return {MAKE: self._make, DISCARD: self._discard}

    @property
    def forms(self) -> Mapping[str, FormHandler]:
        """The handler of its form."""
        return {GUIDED_FORM: self._show_prompt}

    @app_commands.command(
        name="edit-guided",
        description="Edit an image step by step: fill in a form, check the prompt, then make it",
    )
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    @app_commands.describe(**EDIT_OPTIONS)
    @app_commands.choices(quality=QUALITIES, size=SIZES)
    async def edit_guided(
        self,
        interaction: discord.Interaction,
        image: discord.Attachment,
        quality: str | None = None,
        size: str | None = None,
        count: app_commands.Range[int, 1, MAX_COUNT] = 1,
        private: bool = False,
    ) -> None:
        """Open the form."""
        caller = caller_of(interaction)
        draft = Draft(
            id=interaction.id,
            guild_id=caller.member.guild_id,
            member_id=caller.member.id,
            sources=(image_link(image),),
            private=private,
            quality=read_offered_quality(quality),
            size=size or SOURCE_SIZE,
            count=count,
            chose_quality=quality is not None,
            chose_size=size is not None,
        )
        await self._orders.respond_with(caller, self._open(draft))

    async def _open(self, draft: Draft) -> Form | Reply:
        (source,) = draft.sources
        if refusal := refuse_image(source):
            return Reply(refusal_text(refusal))
        await self._orders.save_draft(draft)
        return guided_form(draft)

    async def _show_prompt(self, sent: SentForm) -> None:
        await self._orders.respond_with(sent.caller, self._composed(sent))

    async def _composed(self, sent: SentForm) -> Reply:
        draft = await self._orders.find_draft(sent.caller, sent.draft_id)
        if draft is None:
            return Reply(FORM_EXPIRED)
        keep, change, look, text = map(sent.filled.text, (KEEP, CHANGE, LOOK, TEXT))
        if is_blank(change):
            return Reply(refusal_text(PromptBlank()))
        settings = await self._orders.read_settings(sent.caller)
        draft = replace(
            draft,
            id=sent.caller.interaction.id,
            prompt=compose_prompt(keep=keep, change=change, look=look, text=text),
            quality=draft.quality if draft.chose_quality else settings.quality or draft.quality,
            size=draft.size if draft.chose_size else settings.size or draft.size,
        )
        preview = preview_text(draft)
        if len(preview) > MAX_TEXT:
            return Reply(TOO_LONG)
        await self._drafts.keep(draft, now=self._clock())
        return Reply(components=as_components(ui.TextDisplay(preview), self._row(draft)))

    def _row(self, draft: Draft) -> Item:
        scope = SignatureScope(draft.guild_id, draft.member_id)

        def custom_id(name: str) -> str:
            return self._custom_ids.write(Action(name, (str(draft.id),)), scope)

        return row_of(
            Button(buttons.make_it(_price(draft)), custom_id(MAKE), discord.ButtonStyle.primary),
            Button(buttons.DISCARD, custom_id(DISCARD)),
        )

    async def _make(self, click: SignedClick) -> None:
        draft = await within_deadline(self._take(click))
        if draft is None:
            await self._replies.respond_separately(click.interaction, NO_DRAFT)
            return
        (source,) = draft.sources
        held = await self._editor.take(
            order_request(
                click.caller,
                source,
                prompt=draft.prompt,
                quality=draft.quality,
                size=draft.size,
                count=draft.count,
                private=draft.private,
            )
        )
        with suppress(LedgerError):
            if held:
                await self._drafts.erase(draft.id)
            else:
                # The member can try again once the refusal no longer applies.
                await self._drafts.restore(draft.id, now=self._clock())

    async def _discard(self, click: SignedClick) -> None:
        draft = await within_deadline(self._take(click))
        if draft is not None:
            await self._drafts.erase(draft.id)
        await self._replies.respond(click.interaction, Reply(DISCARDED))

    async def _take(self, click: SignedClick) -> Draft | None:
        draft = await self._drafts.take(int(click.arguments[0]), now=self._clock())
        return draft if draft is not None and is_own(click.caller, draft) else None


def preview_text(draft: Draft) -> str:
    """Show the prompt literally, and the price."""
    return plural(
        draft.count,
        "**Here's your prompt**\n{prompt}\n{count} {quality} image · {price}. "
        "You won't be charged until you select *{make_it}*.",
        "**Here's your prompt**\n{prompt}\n{count} {quality} images · {price}. "
        "You won't be charged until you select *{make_it}*.",
        prompt=as_block(draft.prompt),
        quality=draft.quality.capitalize(),
        price=count_credits(_price(draft)),
        make_it=buttons.MAKE_IT,
    )


def _price(draft: Draft) -> int:
    return draft.quality.price * draft.count
