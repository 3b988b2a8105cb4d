"""Turns commands, buttons and forms into orders, and opens the forms."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import discord

from bot.discord_io.message_images import TrustedHosts
from bot.discord_io.modals import Form, SubmittedForm
from bot.discord_io.replies import Replies, Reply
from bot.domain.edits import Edit, Order, PersonalData
from bot.domain.errors import LedgerError
from bot.domain.images import ImageLink
from bot.domain.pricing import MAX_COUNT, RATIOS, SOURCE_SIZE, Quality
from bot.domain.refusals import NoPicture, NotOffered, OrderRequest
from bot.domain.server_settings import ServerSettings, read_settings
from bot.editing.editor import Editor
from bot.ledger.drafts import Draft, DraftBook
from bot.ledger.quota_rules import QuotaRules
from cogs.text import buttons
from cogs.text.outcomes import refusal_text
from cogs.ui.choices import RefusedInputError
from cogs.ui.component_router import SentForm
from cogs.ui.edit_forms import COUNT, IMAGE, PICTURE, PROMPT, QUALITY, SIZE, edit_form
from cogs.ui.interactions import Caller

PREPARE_TIMEOUT_S = 2.2
"""The time before a form or a hold, of the three seconds that Discord waits."""

DRAFT_TIMEOUT_S = 0.5
"""How long a form waits for its draft to be saved; filling it in takes longer."""

DRAFT_TRIES = 12
"""With a busy ledger, each try to save a draft takes five seconds."""

SOURCE_CHECK_TIMEOUT_S = 0.8
"""How long to check whether an original is gone; after that, the edit itself finds out."""

FORM_EXPIRED = "This form expired. You weren't charged. Open it again to make your edit."

NO_PROMPT = (
    "This edit's prompt was deleted, so it can't be run again. You weren't charged. Start a new "
    "one with `/edit`, or use *Apps → Edit image* on an image."
)

T = TypeVar("T")

Response = OrderRequest | Form | Reply
"""An order, a form to fill one in, or a message."""


class Orders:
    """Hands orders to the editor, and opens forms for them."""

    def __init__(
        self,
        editor: Editor,
        quota_rules: QuotaRules,
        drafts: DraftBook,
        replies: Replies,
        trusted_hosts: TrustedHosts,
        is_gone: Callable[[str], Awaitable[bool]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._editor = editor
        self._quota_rules = quota_rules
        self._drafts = drafts
        self._replies = replies
        self._trusted_hosts = trusted_hosts
        self._is_gone = is_gone
        self._clock = clock
        self._saving: dict[int, asyncio.Task[None]] = {}

    async def respond_with(self, caller: Caller, work: Awaitable[Response]) -> None:
        """Await `work`, then take the order, open the form, or respond, in time for Discord.

        Raises:
            LedgerError: it took too long.
        """
        match await within_deadline(work):
            case OrderRequest() as request:
                await self._editor.take(request)
            case Form() as form:
                await self._replies.open_form(caller.interaction, form.to_json())
            case reply:
                await self._replies.respond(caller.interaction.as_new_message, reply)

    async def open_form(
        self,
        caller: Caller,
        sources: Sequence[ImageLink],
        title: str,
        *,
        public: bool,
        private: bool,
        template: Order | None = None,
        prompt: str = "",
    ) -> Form:
        """Save a draft and build the form for it.

        Args:
            caller: the member who will fill it in.
            sources: the images to choose from; if there are none, the form asks for a file.
            title: the form's title.
            public: whether everyone in this channel can see the sources.
            private: whether only the caller will see the result.
            template: the order to fill in quality, size and count from; None: server defaults.
            prompt: the prompt to fill in.

        Raises:
            LedgerError: the draft wasn't saved.
        """
        settings = await self.read_settings(caller)
        draft = Draft(
            id=caller.interaction.id,
            guild_id=caller.member.guild_id,
            member_id=caller.member.id,
            sources=tuple(sources),
            public=public,
            channel_id=caller.channel_id,
            private=private,
            prompt=prompt,
            quality=template.quality if template else settings.quality or Quality.MEDIUM,
            size=template.size if template else settings.size or SOURCE_SIZE,
            count=template.count if template else 1,
        )
        await self.save_draft(draft)
        return edit_form(draft, settings, title)

    async def save_draft(self, draft: Draft) -> None:
        """Save a form's draft; if the ledger is slow, go on while the member fills in the form.

        Raises:
            LedgerError: it wasn't saved.
        """
        saving = asyncio.create_task(self._save(draft))
        await asyncio.wait({saving}, timeout=DRAFT_TIMEOUT_S)
        if saving.done():
            saving.result()
            return
        self._saving[draft.id] = saving
        saving.add_done_callback(lambda saved: saved.cancelled() or saved.exception())
        saving.add_done_callback(lambda _: self._saving.pop(draft.id))

    async def run_again(self, caller: Caller, edit: Edit) -> Response:
        """Repeat an order at the caller's cost, or open a form if its original is gone.

        The original still belongs to its member, no matter who runs the edit again or how often.
        """
        order, personal = edit.order, edit.order.personal
        if personal is None:
            return Reply(NO_PROMPT)

        public = order.source_public and caller.channel_id == order.channel_id
        if order.source_url and not await self.is_gone(order.source_url, SOURCE_CHECK_TIMEOUT_S):
            return order_request(
                caller,
                ImageLink(personal.source_url, personal.source_name),
                prompt=order.prompt,
                quality=order.quality,
                size=order.size,
                count=order.count,
                private=order.private,
                public=public,
                source_edit_id=personal.source_edit_id or order.id,
            )
        return await self.open_form(
            caller,
            [],
            buttons.RUN_AGAIN,
            public=False,
            private=order.private,
            template=order,
            prompt=order.prompt,
        )

    async def take_form(self, sent: SentForm) -> None:
        """Take the order from a form that `open_form` opened."""
        await self.respond_with(sent.caller, self._read(sent))

    async def find_draft(self, caller: Caller, draft_id: int) -> Draft | None:
        """Return a draft if the caller began it and it hasn't expired."""
        if saving := self._saving.get(draft_id):
            await asyncio.wait({saving})
        draft = await self._drafts.find(draft_id, now=self._clock())
        return draft if draft is not None and is_own(caller, draft) else None

    async def is_gone(self, url: str, timeout: float) -> bool:
        """Check whether Discord no longer has an original; return False if that isn't known."""
        try:
            async with asyncio.timeout(timeout):
                return await self._is_gone(url)
        except TimeoutError:
            return False

    async def read_settings(self, caller: Caller) -> ServerSettings:
        """Return the settings of the caller's server."""
        return read_settings(await self._quota_rules.list_settings(caller.member.guild_id))

    async def _save(self, draft: Draft) -> None:
        for _ in range(DRAFT_TRIES - 1):
            with suppress(LedgerError):
                return await self._drafts.keep(draft, now=self._clock())
        return await self._drafts.keep(draft, now=self._clock())

    async def _read(self, sent: SentForm) -> OrderRequest | Reply:
        draft = await self.find_draft(sent.caller, sent.draft_id)
        if draft is None:
            return Reply(FORM_EXPIRED)
        try:
            return self._order_in(sent.caller, draft, sent.filled)
        except RefusedInputError as error:
            return Reply(refusal_text(error.refusal))

    def _order_in(self, caller: Caller, draft: Draft, filled: SubmittedForm) -> OrderRequest:
        return order_request(
            caller,
            self._source_in(draft, filled),
            prompt=filled.text(PROMPT),
            quality=Quality(_offered(filled, QUALITY, list(Quality))),
            size=_offered(filled, SIZE, [SOURCE_SIZE, *RATIOS]),
            count=int(_offered(filled, COUNT, [str(count) for count in range(1, MAX_COUNT + 1)])),
            private=draft.private,
            # A forged client can send the form from another channel.
            public=draft.public and draft.channel_id == caller.channel_id,
        )

    def _source_in(self, draft: Draft, filled: SubmittedForm) -> ImageLink:
        if not draft.sources:
            return self._uploaded(filled)
        if len(draft.sources) == 1:
            return draft.sources[0]
        indexes = [str(index) for index in range(len(draft.sources))]
        return draft.sources[int(_offered(filled, PICTURE, indexes))]

    def _uploaded(self, filled: SubmittedForm) -> ImageLink:
        """Return the attached file if Discord hosts it."""
        file = filled.files.get(IMAGE, {})
        url, name = file.get("url"), file.get("filename")
        if (
            not isinstance(url, str)
            or not isinstance(name, str)
            or not self._trusted_hosts.has(url)
        ):
            raise RefusedInputError(NoPicture())
        return ImageLink(
            url,
            name,
            content_type=file.get("content_type"),
            size=file.get("size") or 0,
            width=file.get("width"),
            height=file.get("height"),
        )


def order_request(
    caller: Caller,
    source: ImageLink,
    *,
    prompt: str,
    quality: Quality,
    size: str,
    count: int,
    private: bool,
    public: bool = False,
    source_edit_id: int | None = None,
    chose_quality: bool = True,
    chose_size: bool = True,
) -> OrderRequest:
    """Build the order request; `public` is `Order.source_public`."""
    order = Order(
        id=caller.interaction.id,
        application_id=caller.interaction.application_id,
        guild_id=caller.member.guild_id,
        channel_id=caller.channel_id,
        member_id=caller.member.id,
        token=caller.interaction.token,
        quality=quality,
        size=size,
        count=count,
        private=private,
        upload_limit=caller.upload_limit,
        source_public=public,
        personal=PersonalData(
            member_name=caller.name,
            prompt=prompt,
            source_url=source.url,
            source_name=source.name,
            source_edit_id=source_edit_id,
            role_ids=caller.member.role_ids,
        ),
    )
    return OrderRequest(
        order,
        source,
        place_id=caller.parent_channel_id,
        chose_quality=chose_quality,
        chose_size=chose_size,
        can_post=caller.can_post,
    )


def image_link(image: discord.Attachment) -> ImageLink:
    """Return the link to a command's attachment."""
    return ImageLink(
        url=image.url,
        name=image.filename,
        content_type=image.content_type,
        size=image.size,
        width=image.width,
        height=image.height,
    )


def is_own(caller: Caller, draft: Draft) -> bool:
    """Check whether the caller began the draft, in this server."""
    return (draft.guild_id, draft.member_id) == (caller.member.guild_id, caller.member.id)


async def within_deadline(work: Awaitable[T], timeout: float = PREPARE_TIMEOUT_S) -> T:
    """Await `work`.

    Raises:
        LedgerError: it took too long; it goes on, but its result is lost.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=timeout)
    if not task.done():
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise LedgerError("it took too long to respond in time")
    return await task


def _offered(filled: SubmittedForm, field: str, values: Sequence[str]) -> str:
    """Return the choice in a field if it's one of the values."""
    got = filled.text(field)
    if got not in values:
        raise RefusedInputError(NotOffered(field, got))
    return got
