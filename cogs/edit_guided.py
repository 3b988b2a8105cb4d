"""`/edit-guided`: asks for what a good request has, and shows the prompt that comes of it."""

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
from bot.domain.refusals import PromptBlank, is_blank, refuse_picture
from bot.editing.editor import Editor
from bot.ledger.drafts import Draft, DraftBook
from cogs.text.markdown import as_block
from cogs.text.outcomes import count_credits, refusal_text
from cogs.ui.choices import EDIT_OPTIONS, QUALITIES, SIZES, read_offered_quality
from cogs.ui.component_router import ClickHandler, FormSent, SentForm, SignedClick
from cogs.ui.components import Button, Item, as_components, row_of
from cogs.ui.edit_forms import CHANGE, GUIDED_FORM, KEEP, LOOK, TEXT, guided_form
from cogs.ui.interactions import caller_of
from cogs.ui.order_intake import FORM_TOO_OLD, Orders, ask_for, is_own, link_to, within_deadline
from cogs.ui.pages import MOST_TEXT

MAKE, DISCARD = "guided.make", "guided.discard"
"""What the buttons do."""

NOT_THERE = (
    "This draft is not there any more: it was made or discarded already, or is older than an "
    "hour. Nothing more was charged. Run `/edit-guided` again."
)
DISCARDED = "Discarded. Nothing was charged."
TOO_LONG = "The four parts are too long together. Nothing was charged. Make them shorter."


class EditGuidedCog(commands.Cog):
    """An edit whose prompt is composed of answers."""

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
    def actions(self) -> Mapping[str, ClickHandler]:
        """What its buttons do."""
        return {MAKE: self._make, DISCARD: self._discard}

    @property
    def forms(self) -> Mapping[str, FormSent]:
        """What becomes of its form."""
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
        """Answer with the form."""
        caller = caller_of(interaction)
        draft = Draft(
            id=interaction.id,
            guild_id=caller.member.guild_id,
            member_id=caller.member.id,
            sources=(link_to(image),),
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
        if refusal := refuse_picture(source):
            return Reply(refusal_text(refusal))
        await self._orders.keep_draft(draft)
        return guided_form(draft)

    async def _show_prompt(self, sent: SentForm) -> None:
        await self._orders.respond_with(sent.caller, self._composed(sent))

    async def _composed(self, sent: SentForm) -> Reply:
        draft = await self._orders.find_draft(sent.caller, sent.draft_id)
        if draft is None:
            return Reply(FORM_TOO_OLD)
        keep, change, look, text = map(sent.filled.text, (KEEP, CHANGE, LOOK, TEXT))
        if is_blank(change):
            return Reply(refusal_text(PromptBlank()))
        settings = await self._orders.read_settings(sent.caller)
        draft = replace(
            draft,
            id=sent.caller.asked.id,
            prompt=compose_prompt(keep=keep, change=change, look=look, text=text),
            quality=draft.quality if draft.chose_quality else settings.quality or draft.quality,
            size=draft.size if draft.chose_size else settings.size or draft.size,
        )
        shown = preview_text(draft)
        if len(shown) > MOST_TEXT:
            return Reply(TOO_LONG)
        await self._drafts.keep(draft, now=self._clock())
        return Reply(components=as_components(ui.TextDisplay(shown), self._row(draft)))

    def _row(self, draft: Draft) -> Item:
        holder = SignatureScope(draft.guild_id, draft.member_id)

        def custom_id(name: str) -> str:
            return self._custom_ids.write(Action(name, (str(draft.id),)), holder)

        return row_of(
            Button("Make it", custom_id(MAKE), discord.ButtonStyle.primary),
            Button("Discard", custom_id(DISCARD)),
        )

    async def _make(self, press: SignedClick) -> None:
        draft = await within_deadline(self._take(press))
        if draft is None:
            await self._replies.respond_separately(press.asked, NOT_THERE)
            return
        (source,) = draft.sources
        held = await self._editor.take(
            ask_for(
                press.caller,
                source,
                prompt=draft.prompt,
                quality=draft.quality,
                size=draft.size,
                count=draft.count,
                private=draft.private,
            )
        )
        if not held:
            # So that it can be made when what forbade it is over.
            with suppress(LedgerError):
                await self._drafts.keep(draft, now=self._clock())

    async def _discard(self, press: SignedClick) -> None:
        await within_deadline(self._take(press))
        await self._replies.respond(press.asked, Reply(DISCARDED))

    async def _take(self, press: SignedClick) -> Draft | None:
        draft = await self._drafts.take(int(press.arguments[0]), now=self._clock())
        return draft if draft is not None and is_own(press.caller, draft) else None


def preview_text(draft: Draft) -> str:
    """The prompt to the letter, and what it costs to have it made."""
    order = f"{draft.quality.capitalize()} × {draft.count}"
    price = count_credits(draft.quality.price * draft.count)
    return (
        f"**This is what will be asked for**\n{as_block(draft.prompt)}\n"
        f"{order} costs {price}. Nothing is held or charged before you choose *Make it*."
    )
