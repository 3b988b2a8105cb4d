"""Updates an edit's message in Discord, from its row and with components that are handed in."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import structlog

from bot.discord_io.fallback_message import FallbackMessage
from bot.discord_io.replies import (
    COMPONENTS_V2,
    DEFERRED,
    EPHEMERAL,
    NO_MENTIONS,
    TOKEN_LIFETIME,
    TOKEN_TRUSTED,
    Component,
    InteractionRef,
    Replies,
    Reply,
)
from bot.discord_io.responses import (
    ALREADY_ACKNOWLEDGED,
    CANNOT_MESSAGE_USER,
    JSON,
    NO_MUTUAL_SERVER,
    THREAD_ARCHIVED,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    RestResponse,
    is_inconclusive,
    is_too_large,
    read_snowflake,
)
from bot.discord_io.rest import RESPONSE_TIMEOUT_S, DiscordRest, OriginalResponse, OwnMessage
from bot.discord_io.transport import UPLOAD_PAUSE_S, File, in_seconds, list_files
from bot.domain.edits import Edit, MessageRef, Order
from bot.domain.lifecycle import Reason
from bot.domain.refusals import Refusal
from bot.editing.ports import Acknowledgement, EditMessages, Outcome, Posted, Receipt, TooManyBytes
from bot.scheduling.progress import Stage
from bot.scheduling.status_updates import UpdateResult

POST_TRIES = 2
"""Attempts with images, before a message without them."""

LAST_TRY = timedelta(minutes=1)
"""For a private edit, which only its token reaches, even if that should have expired by now."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Cards(Protocol):
    """What members see, as Discord's components."""

    def result(self, edit: Edit, receipt: Receipt, names: Sequence[str]) -> list[Component]:
        """Show the images, attached under these names, and what they cost."""
        ...

    def waiting(self, edit: Edit, stage: Stage) -> tuple[str, list[Component]]:
        """Show an edit's progress: a text, and the buttons below it."""
        ...

    def ending(self, edit: Edit) -> list[Component]:
        """Show how an edit without images ended."""
        ...

    def in_fallback_message(self, edit: Edit, card: list[Component]) -> list[Component]:
        """Put a line above a card that names the edit's member and, by its id, the edit."""
        ...

    def alt_text(self, edit: Edit) -> str:
        """Describe each image for members who can't see it."""
        ...

    def refusal(self, refusal: Refusal) -> str:
        """Say why an edit is refused."""
        ...


class DiscordEditMessages(EditMessages):
    """Implements `EditMessages` over Discord's REST API."""

    def __init__(
        self,
        rest: DiscordRest,
        replies: Replies,
        cards: Cards,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rest = rest
        self._replies = replies
        self._cards = cards
        self._fallback = FallbackMessage(rest)
        self._clock = clock

    async def acknowledge(self, order: Order) -> Acknowledgement:
        data = {"flags": EPHEMERAL} if order.private else {}
        body = {"type": DEFERRED, "data": data}
        response = await self._rest.respond(order.id, _token(order), body)
        if response is None or is_inconclusive(response):
            return Acknowledgement(Outcome.UNANSWERED)
        if response.ok:
            return Acknowledgement(Outcome.ACCEPTED, _acknowledged_id(response))
        if response.code == ALREADY_ACKNOWLEDGED:
            # An earlier attempt got through, but its response, with the message's id, was lost.
            found = await self._find(order, timedelta(seconds=RESPONSE_TIMEOUT_S))
            return Acknowledgement(Outcome.ACCEPTED, found.message_id)
        return Acknowledgement(Outcome.UNANSWERED if response.repeated else Outcome.TOO_LATE)

    async def refuse(self, order: Order, refusal: Refusal, *, acknowledged: bool) -> None:
        interaction = InteractionRef(order.application_id, order.id, _token(order))
        await self._replies.respond(
            interaction, Reply(self._cards.refusal(refusal)), deferred=acknowledged
        )

    async def find_response(self, edit: Edit) -> Acknowledgement:
        return await self._find(edit.order, self._token_left(edit))

    async def post(self, edit: Edit, receipt: Receipt) -> Posted | TooManyBytes | Reason:
        alt_text = self._cards.alt_text(edit)
        files = [File(f"edit-{image.path.name}", image.path, alt_text) for image in receipt.images]
        card = self._cards.result(edit, receipt, [file.name for file in files])
        response = await self._put(edit, card, files=files, tries=POST_TRIES)
        if response is not None and response.ok:
            return Posted(_read_message_ref(response.body))
        if is_too_large(response):
            return TooManyBytes()
        return _why_not_posted(edit.order, response)

    async def show(self, edit: Edit, stage: Stage) -> UpdateResult:
        order = edit.order
        if order.token is None or self._token_left(edit) <= TOKEN_LIFETIME - TOKEN_TRUSTED:
            return UpdateResult(over=True)
        text, components = self._cards.waiting(edit, stage)
        # Plain content, without Components V2: once a result with those is posted, Discord refuses
        # this update, so one that arrives late can't replace the result.
        # https://docs.discord.com/developers/resources/message#edit-message
        body = {"content": text, "components": components, "allowed_mentions": NO_MENTIONS}
        return _read_update(await self._rest.edit_once(_original_response(order), body))

    async def notify(self, edit: Edit) -> None:
        response: RestResponse | None = None
        if edit.reason not in {Reason.ANSWER_DELETED, Reason.ANSWER_OUT_OF_REACH}:
            response = await self._put(edit, self._cards.ending(edit))
        if response is None or not response.ok:
            log.warning("edit.untold", edit=str(edit.order.id), reason=edit.reason)

    async def _put(
        self,
        edit: Edit,
        card: list[Component],
        *,
        files: Sequence[File] = (),
        tries: int | None = None,
    ) -> RestResponse | None:
        """Show a card in the edit's message: by its token, or by its channel once that is too old.

        If Discord refuses both, the card goes into a fallback message. A deleted message gets none.
        """
        order, body = edit.order, _card(card, files)
        message = _message_in_channel(edit)
        until = edit.held_at + (TOKEN_LIFETIME if message is None else TOKEN_TRUSTED)
        left = until - self._clock()
        if message is None:
            # Only the token reaches it. Discord decides when that expires: our clock may be off.
            left = max(left, LAST_TRY)
        if order.token is not None and left > timedelta(0):
            response = await self._rest.edit(
                _original_response(order, edit.message_id),
                body,
                files=files,
                tries=tries,
                until=_in(left),
            )
            in_time = until - self._clock() > timedelta(seconds=UPLOAD_PAUSE_S)
            if not _try_other_route(response, may_succeed_later=in_time and tries is not None):
                return response
        if message is not None:
            response = await self._rest.edit(
                message, body, files=files, tries=tries, until=_in(TOKEN_LIFETIME)
            )
            if not _is_refused(response):
                return response
        return await self._fallback.put(
            edit,
            _card(self._cards.in_fallback_message(edit, card), files),
            files=files,
            tries=tries,
            until=_in(TOKEN_LIFETIME),
        )

    async def _find(self, order: Order, timeout: timedelta) -> Acknowledgement:
        response = await self._rest.get(_original_response(order), until=_in(timeout))
        if response is None or is_inconclusive(response):
            return Acknowledgement(Outcome.UNANSWERED)
        if _is_deleted(response):
            return Acknowledgement(Outcome.DELETED)
        if not response.ok:
            return Acknowledgement(Outcome.TOO_LATE)
        return Acknowledgement(Outcome.ACCEPTED, response.id)

    def _token_left(self, edit: Edit) -> timedelta:
        return TOKEN_LIFETIME - (self._clock() - edit.held_at)


def _card(components: list[Component], files: Sequence[File]) -> JSON:
    """Return a Components V2 message with these files and no others."""
    return {
        "flags": COMPONENTS_V2,
        # Removes the text that showed progress.
        "content": None,
        "components": components,
        "attachments": list_files(files),
        "allowed_mentions": NO_MENTIONS,
    }


def _message_in_channel(edit: Edit) -> OwnMessage | None:
    """Return the edit's message as its channel's route reaches it; an ephemeral one has none."""
    if edit.order.private or edit.message is None:
        return None
    return OwnMessage(edit.message.channel_id, edit.message.message_id)


def _read_update(response: RestResponse | None) -> UpdateResult:
    if response is None:
        return UpdateResult(pause_s=0.0)
    if response.ok or is_inconclusive(response):
        return UpdateResult(pause_s=response.exhausted_for)
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return UpdateResult(response.retry_after, for_all=response.body.get("global") is not False)
    return UpdateResult(over=True)


def _try_other_route(response: RestResponse | None, *, may_succeed_later: bool) -> bool:
    """Whether the token expired or ran out of time, so that another route may work.

    An archived thread counts too: its messages can't be edited, but a new one reopens it.
    https://docs.discord.com/developers/topics/threads#active-archived-threads
    """
    if response is None or is_inconclusive(response):
        return not may_succeed_later
    expired = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
    return response.status in expired or response.code in {UNKNOWN_WEBHOOK, THREAD_ARCHIVED}


def _is_refused(response: RestResponse | None) -> bool:
    """Whether Discord refuses this in an existing message, but may accept it in a new one."""
    if response is None or response.ok or is_inconclusive(response) or _is_deleted(response):
        return False
    return response.status != HTTPStatus.TOO_MANY_REQUESTS and not is_too_large(response)


def _is_deleted(response: RestResponse | None) -> bool:
    return response is not None and response.code in {UNKNOWN_CHANNEL, UNKNOWN_MESSAGE}


def _why_not_posted(order: Order, response: RestResponse | None) -> Reason:
    if _is_deleted(response):
        return Reason.ANSWER_DELETED
    unreachable = {CANNOT_MESSAGE_USER, NO_MUTUAL_SERVER}
    if order.private and response is not None and response.code in unreachable:
        return Reason.ANSWER_OUT_OF_REACH
    return Reason.NOT_POSTED


def _acknowledged_id(response: RestResponse) -> int | None:
    """Return the id of the message that an acknowledgement created, if Discord sent it."""
    try:
        return read_snowflake(response.body["resource"]["message"]["id"])
    except (KeyError, TypeError):
        return None


def _read_message_ref(message: JSON) -> MessageRef | None:
    channel_id = read_snowflake(message.get("channel_id"))
    message_id = read_snowflake(message.get("id"))
    if channel_id is None or message_id is None:
        return None
    return MessageRef(channel_id, message_id)


def _original_response(order: Order, message_id: int | None = None) -> OriginalResponse:
    return OriginalResponse(order.application_id, _token(order), message_id)


def _token(order: Order) -> str:
    if order.token is None:
        raise ValueError("the interaction's token was already erased")
    return order.token


def _in(duration: timedelta) -> float:
    return in_seconds(duration.total_seconds())
