"""Makes orders of what members use: commands, buttons and forms all go the same way from here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import discord

from bot.discord_io.message_images import TrustedHosts
from bot.discord_io.modals import Form, SubmittedForm
from bot.discord_io.replies import Replies, Reply
from bot.domain.edits import Edit, Order
from bot.domain.errors import LedgerError
from bot.domain.images import ImageLink
from bot.domain.pricing import MAX_COUNT, RATIOS, SOURCE_SIZE, Quality
from bot.domain.refusals import OrderRequest
from bot.domain.server_settings import ServerSettings, read_settings
from bot.editing.editor import Editor
from bot.ledger.drafts import Draft, DraftBook
from bot.ledger.quota_rules import QuotaRules
from cogs.text.outcomes import refusal_text
from cogs.ui.choices import NotOfferedError
from cogs.ui.component_router import SentForm
from cogs.ui.edit_forms import COUNT, IMAGE, PICTURE, PROMPT, QUALITY, SIZE, edit_form
from cogs.ui.interactions import Caller

PREPARED_WITHIN = 2.2
"""Seconds for whatever precedes a form or a hold, of the three that Discord waits."""

KEPT_WITHIN = 0.5
"""Seconds that a form waits for its draft to be kept; it takes longer to be filled in."""

KEEP_TRIES = 12
"""Times that it is tried to keep a draft; a ledger that is in use takes five seconds each time."""

LOOK_AT_SOURCE = 0.8
"""Seconds in which a source is found gone; later on the edit itself finds out."""

FORM_TOO_OLD = (
    "This form is not known any more: it was open for over an hour, or was shown to somebody "
    "else. Nothing was charged. Open it again."
)

ERASED = (
    "What this edit asked for was erased, so it cannot be run again. Nothing was charged. "
    "Run `/edit`, or use *Apps → Edit image* on a picture."
)

T = TypeVar("T")

Response = OrderRequest | Form | Reply
"""What something that was used comes to: an order, a form to write one in, or an answer."""


class Orders:
    """Takes orders, and opens the forms in which they are written."""

    def __init__(
        self,
        editor: Editor,
        quota_rules: QuotaRules,
        drafts: DraftBook,
        replies: Replies,
        places: TrustedHosts,
        is_gone: Callable[[str], Awaitable[bool]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._editor = editor
        self._quota_rules = quota_rules
        self._drafts = drafts
        self._replies = replies
        self._places = places
        self._is_gone = is_gone
        self._clock = clock
        self._keeping: dict[int, asyncio.Task[None]] = {}

    async def respond_with(self, caller: Caller, work: Awaitable[Response]) -> None:
        """Do what `work` comes to, in time for Discord.

        Raises:
            LedgerFault: it took too long.
        """
        match await within_deadline(work):
            case OrderRequest() as ask:
                await self._editor.take(ask)
            case Form() as form:
                await self._replies.open_form(caller.asked, form.to_json())
            case reply:
                await self._replies.respond(caller.asked.as_new_message, reply)

    async def open_form(
        self,
        caller: Caller,
        sources: Sequence[ImageLink],
        title: str,
        *,
        public: bool,
        private: bool,
        like: Order | None = None,
        prompt: str = "",
    ) -> Form:
        """A form for an edit of one of these sources; of a file that it asks for if there is none.

        Args:
            caller: whoever will fill it in.
            sources: what can be chosen from.
            title: what stands over it.
            public: whether all of this channel see the sources.
            private: whether the result is for the caller alone.
            like: whose quality, size and count are filled in; None: what the server's are.
            prompt: what is filled in as the prompt.

        Raises:
            LedgerFault: the draft could not be kept.
        """
        settings = await self.read_settings(caller)
        draft = Draft(
            id=caller.asked.id,
            guild_id=caller.member.guild_id,
            member_id=caller.member.id,
            sources=tuple(sources),
            public=public,
            private=private,
            prompt=prompt,
            quality=like.quality if like else settings.quality or Quality.MEDIUM,
            size=like.size if like else settings.size or SOURCE_SIZE,
            count=like.count if like else 1,
        )
        await self.keep_draft(draft)
        return edit_form(draft, settings, title)

    async def keep_draft(self, draft: Draft) -> None:
        """Keep what a form is about to be shown for; a slow ledger does so behind the open form.

        Raises:
            LedgerFault: it could not be kept.
        """
        keeping = asyncio.create_task(self._keep(draft))
        await asyncio.wait({keeping}, timeout=KEPT_WITHIN)
        if keeping.done():
            keeping.result()
            return
        self._keeping[draft.id] = keeping
        keeping.add_done_callback(lambda kept: kept.cancelled() or kept.exception())
        keeping.add_done_callback(lambda _: self._keeping.pop(draft.id))

    async def run_again(self, caller: Caller, edit: Edit) -> Response:
        """Repeat an order at the caller's cost, or open a form if its source is gone.

        The original stays its member's, no matter who runs the edit again or how often.
        """
        order = edit.order
        if edit.erased:
            return Reply(ERASED)
        public = order.source_public and caller.channel_id == order.channel_id
        if order.source_url and not await self.is_gone(order.source_url, LOOK_AT_SOURCE):
            return ask_for(
                caller,
                ImageLink(order.source_url, order.source_name),
                prompt=order.prompt,
                quality=order.quality,
                size=order.size,
                count=order.count,
                private=order.private,
                public=public,
                source_edit_id=order.source_edit_id or order.id,
            )
        return await self.open_form(
            caller,
            [],
            "Run again",
            public=False,
            private=order.private,
            like=order,
            prompt=order.prompt,
        )

    async def take_form(self, sent: SentForm) -> None:
        """Make an order of the form that `open_form` opened."""
        await self.respond_with(sent.caller, self._read(sent))

    async def find_draft(self, caller: Caller, draft_id: int) -> Draft | None:
        """A draft, if it is in its member's hands and not too old."""
        if keeping := self._keeping.get(draft_id):
            await asyncio.wait({keeping})
        draft = await self._drafts.find(draft_id, now=self._clock())
        return draft if draft is not None and is_own(caller, draft) else None

    async def is_gone(self, url: str, seconds: float) -> bool:
        """Whether Discord surely does not give a source any more; False where that is not known."""
        try:
            async with asyncio.timeout(seconds):
                return await self._is_gone(url)
        except TimeoutError:
            return False

    async def read_settings(self, caller: Caller) -> ServerSettings:
        """What the caller's server has set."""
        return read_settings(await self._quota_rules.list_settings(caller.member.guild_id))

    async def _keep(self, draft: Draft) -> None:
        for _ in range(KEEP_TRIES - 1):
            with suppress(LedgerError):
                return await self._drafts.keep(draft, now=self._clock())
        return await self._drafts.keep(draft, now=self._clock())

    async def _read(self, sent: SentForm) -> OrderRequest | Reply:
        draft = await self.find_draft(sent.caller, sent.draft_id)
        if draft is None:
            return Reply(FORM_TOO_OLD)
        try:
            return self._order_in(sent.caller, draft, sent.filled)
        except NotOfferedError as wrong:
            return Reply(refusal_text(wrong.refusal))

    def _order_in(self, caller: Caller, draft: Draft, filled: SubmittedForm) -> OrderRequest:
        return ask_for(
            caller,
            self._source_in(draft, filled),
            prompt=filled.text(PROMPT),
            quality=Quality(_offered(filled, QUALITY, list(Quality))),
            size=_offered(filled, SIZE, [SOURCE_SIZE, *RATIOS]),
            count=int(_offered(filled, COUNT, [str(each + 1) for each in range(MAX_COUNT)])),
            private=draft.private,
            public=draft.public,
        )

    def _source_in(self, draft: Draft, filled: SubmittedForm) -> ImageLink:
        if not draft.sources:
            return self._uploaded(filled)
        if len(draft.sources) == 1:
            return draft.sources[0]
        places = [str(place) for place in range(len(draft.sources))]
        return draft.sources[int(_offered(filled, PICTURE, places))]

    def _uploaded(self, filled: SubmittedForm) -> ImageLink:
        """The file that was given, which lies at Discord."""
        file = filled.files.get(IMAGE, {})
        url, name = file.get("url"), file.get("filename")
        if not isinstance(url, str) or not isinstance(name, str) or not self._places.has(url):
            raise NotOfferedError(IMAGE, "no file")
        return ImageLink(
            url,
            name,
            content_type=file.get("content_type"),
            size=file.get("size") or 0,
            width=file.get("width"),
            height=file.get("height"),
        )


def ask_for(
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
    """Build the order for the use case; `public` is `source_public` in `Order`."""
    order = Order(
        id=caller.asked.id,
        application_id=caller.asked.application_id,
        guild_id=caller.member.guild_id,
        channel_id=caller.channel_id,
        member_id=caller.member.id,
        member_name=caller.name,
        token=caller.asked.token,
        source_url=source.url,
        source_name=source.name,
        source_public=public,
        source_edit_id=source_edit_id,
        prompt=prompt,
        quality=quality,
        size=size,
        count=count,
        private=private,
        upload_limit=caller.upload_limit,
        role_ids=caller.member.role_ids,
    )
    return OrderRequest(
        order,
        source,
        place_id=caller.place_id,
        chose_quality=chose_quality,
        chose_size=chose_size,
        can_post=caller.can_post,
    )


def link_to(image: discord.Attachment) -> ImageLink:
    """A command's picture, which lies at Discord."""
    return ImageLink(
        url=image.url,
        name=image.filename,
        content_type=image.content_type,
        size=image.size,
        width=image.width,
        height=image.height,
    )


def is_own(caller: Caller, draft: Draft) -> bool:
    """Whether the caller began the draft, in this server."""
    return (draft.guild_id, draft.member_id) == (caller.member.guild_id, caller.member.id)


async def within_deadline(work: Awaitable[T], seconds: float = PREPARED_WITHIN) -> T:
    """What `work` comes to.

    Raises:
        LedgerFault: it did not in time; it is let go on, and what it comes to is lost.
    """
    working = asyncio.ensure_future(work)
    await asyncio.wait({working}, timeout=seconds)
    if not working.done():
        working.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise LedgerError("it took too long for an answer in time")
    return await working


def _offered(filled: SubmittedForm, field: str, values: Sequence[str]) -> str:
    """What was chosen in a field, if that is one of the values."""
    got = filled.text(field)
    if got not in values:
        raise NotOfferedError(field, got)
    return got
