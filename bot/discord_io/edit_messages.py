"""Carries an edit's message in Discord, from its row alone, with words that are handed in."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import structlog

from bot.discord_io.fallback_message import SecondMessage
from bot.discord_io.replies import (
    COMPONENTS_V2,
    DEFERRED,
    EPHEMERAL,
    NO_MENTIONS,
    TOKEN_LIFE,
    TOKEN_TRUSTED,
    Component,
    InteractionRef,
    Replies,
    Reply,
)
from bot.discord_io.rest import (
    ALREADY_ACKNOWLEDGED,
    ANSWER_WITHIN,
    CANNOT_MESSAGE_USER,
    JSON,
    NO_MUTUAL_SERVER,
    PAUSE_BEFORE_UPLOAD,
    THREAD_ARCHIVED,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    Answer,
    DiscordRest,
    File,
    FirstAnswer,
    OwnMessage,
    in_seconds,
    is_failure,
    is_too_large,
    list_files,
)
from bot.domain.edits import Edit, MessageRef, Order
from bot.domain.lifecycle import Reason
from bot.domain.refusals import Refusal
from bot.editing.ports import Acknowledgement, EditMessages, Outcome, Posted, Receipt, TooManyBytes
from bot.scheduling.progress import Stage
from bot.scheduling.status_updates import UpdateResult

POST_TRIES = 2
"""Requests with the pictures, before a message without them."""

LAST_TRY = timedelta(minutes=1)
"""For a private answer, which only its token reaches, also where that should have died by now."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Cards(Protocol):
    """What members see, as Discord's components."""

    def result(self, edit: Edit, receipt: Receipt, names: Sequence[str]) -> list[Component]:
        """Lay out the pictures, which are attached under these names, and what they cost."""
        ...

    def waiting(self, edit: Edit, stage: Stage) -> tuple[str, list[Component]]:
        """Say how far an edit is: a text, and the buttons under it."""
        ...

    def ending(self, edit: Edit) -> list[Component]:
        """Say how an edit without pictures ended."""
        ...

    def in_second_message(self, edit: Edit, card: list[Component]) -> list[Component]:
        """Say above a card whose edit it is about and which, by its id, in a message of its own."""
        ...

    def alt_text(self, edit: Edit) -> str:
        """Describe each picture for those who do not see it."""
        ...

    def refusal(self, refusal: Refusal) -> str:
        """Say why an order is not taken."""
        ...


class DiscordFront(EditMessages):
    """`editing.Front` over Discord's REST API."""

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
        self._second_message = SecondMessage(rest)
        self._clock = clock

    async def acknowledge(self, order: Order) -> Acknowledgement:
        data = {"flags": EPHEMERAL} if order.private else {}
        answer = await self._rest.respond(order.id, _token(order), {"type": DEFERRED, "data": data})
        if answer is None or is_failure(answer):
            return Acknowledgement(Outcome.UNANSWERED)
        if answer.ok:
            return Acknowledgement(Outcome.ACCEPTED, _message_id(answer))
        if answer.code == ALREADY_ACKNOWLEDGED:
            # The answer that was lost named the message.
            found = await self._look_up(order, timedelta(seconds=ANSWER_WITHIN))
            return Acknowledgement(Outcome.ACCEPTED, found.message_id)
        return Acknowledgement(Outcome.UNANSWERED if answer.repeated else Outcome.TOO_LATE)

    async def refuse(self, order: Order, refusal: Refusal, *, acknowledged: bool) -> None:
        asked = InteractionRef(order.application_id, order.id, _token(order))
        await self._replies.respond(
            asked, Reply(self._cards.refusal(refusal)), deferred=acknowledged
        )

    async def find_response(self, edit: Edit) -> Acknowledgement:
        return await self._look_up(edit.order, self._token_left(edit))

    async def post(self, edit: Edit, receipt: Receipt) -> Posted | TooManyBytes | Reason:
        alt_text = self._cards.alt_text(edit)
        files = [
            File(f"edit-{picture.path.name}", picture.path, alt_text) for picture in receipt.images
        ]
        card = self._cards.result(edit, receipt, [file.name for file in files])
        answer = await self._put(edit, card, files=files, tries=POST_TRIES)
        if answer is not None and answer.ok:
            return Posted(_place_of(answer.body))
        return TooManyBytes() if is_too_large(answer) else _why_not_posted(edit.order, answer)

    async def show(self, edit: Edit, stage: Stage) -> UpdateResult:
        order = edit.order
        if order.token is None or self._token_left(edit) <= TOKEN_LIFE - TOKEN_TRUSTED:
            return UpdateResult(over=True)
        text, components = self._cards.waiting(edit, stage)
        # Bare text and no Components V2: once a card with those stands, Discord refuses this one,
        # so that none that was under way can take the result's place.
        # https://docs.discord.com/developers/resources/message#edit-message
        body = {"content": text, "components": components, "allowed_mentions": NO_MENTIONS}
        return _read_shown(await self._rest.edit_once(_first_answer(order), body))

    async def notify(self, edit: Edit) -> None:
        answer: Answer | None = None
        if edit.reason not in {Reason.ANSWER_DELETED, Reason.ANSWER_OUT_OF_REACH}:
            answer = await self._put(edit, self._cards.ending(edit))
        if answer is None or not answer.ok:
            log.warning("edit.untold", edit=str(edit.order.id), reason=edit.reason)

    async def _put(
        self,
        edit: Edit,
        card: list[Component],
        *,
        files: Sequence[File] = (),
        tries: int | None = None,
    ) -> Answer | None:
        """Show a card in the edit's message, by its own token or by its channel once that is old.

        Where Discord takes neither, it is shown in a second message. A message that was deleted
        has no second one.
        """
        order, body = edit.order, _card(card, files)
        first = _message_in_channel(edit)
        until = edit.held_at + (TOKEN_LIFE if first is None else TOKEN_TRUSTED)
        left = until - self._clock()
        if first is None:
            # It has no other place, and Discord knows when its token dies: clocks can be set.
            left = max(left, LAST_TRY)
        if order.token is not None and left > timedelta(0):
            answer = await self._rest.edit(
                _first_answer(order), body, files=files, tries=tries, until=_in(left)
            )
            in_time = until - self._clock() > timedelta(seconds=PAUSE_BEFORE_UPLOAD)
            if not _may_pass_elsewhere(answer, may_pass_later=in_time and tries is not None):
                return answer
        if first is not None:
            answer = await self._rest.edit(
                first, body, files=files, tries=tries, until=_in(TOKEN_LIFE)
            )
            if not _is_refused(answer):
                return answer
        body = _card(self._cards.in_second_message(edit, card), files)
        return await self._second_message.put(
            edit, body, files=files, tries=tries, until=_in(TOKEN_LIFE)
        )

    async def _look_up(self, order: Order, patience: timedelta) -> Acknowledgement:
        answer = await self._rest.get(_first_answer(order), until=_in(patience))
        if answer is None or is_failure(answer):
            return Acknowledgement(Outcome.UNANSWERED)
        if _is_deleted(answer):
            return Acknowledgement(Outcome.DELETED)
        if not answer.ok:
            return Acknowledgement(Outcome.TOO_LATE)
        return Acknowledgement(Outcome.ACCEPTED, _id_of(answer.body))

    def _token_left(self, edit: Edit) -> timedelta:
        return TOKEN_LIFE - (self._clock() - edit.held_at)


def _card(components: list[Component], files: Sequence[File]) -> JSON:
    """A Components V2 message; what is not among the files is taken off it."""
    return {
        "flags": COMPONENTS_V2,
        # What a card said while the edit waited.
        "content": None,
        "components": components,
        "attachments": list_files(files),
        "allowed_mentions": NO_MENTIONS,
    }


def _message_in_channel(edit: Edit) -> OwnMessage | None:
    """The edit's message, where the channel's route reaches it: a private one has none."""
    if edit.order.private or edit.place is None:
        return None
    return OwnMessage(edit.place.channel_id, edit.place.message_id)


def _read_shown(answer: Answer | None) -> UpdateResult:
    if answer is None or answer.ok or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UpdateResult(pause_s=0.0 if answer is None else answer.exhausted_for)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return UpdateResult(answer.retry_after, for_all=answer.body.get("global") is not False)
    return UpdateResult(over=True)


def _may_pass_elsewhere(answer: Answer | None, *, may_pass_later: bool) -> bool:
    """Whether it was the token's death, or the time until it, that ended a request's tries.

    Or the thread was archived: nothing in it can be edited, but a new message reopens it.
    https://docs.discord.com/developers/topics/threads#active-archived-threads
    """
    if answer is None or is_failure(answer):
        return not may_pass_later
    dead = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
    return answer.status in dead or answer.code in {UNKNOWN_WEBHOOK, THREAD_ARCHIVED}


def _is_refused(answer: Answer | None) -> bool:
    """Whether Discord surely will not show this in a message that is there, but may in another."""
    if answer is None or answer.ok or is_failure(answer) or _is_deleted(answer):
        return False
    return answer.status != HTTPStatus.TOO_MANY_REQUESTS and not is_too_large(answer)


def _is_deleted(answer: Answer | None) -> bool:
    """Whether there is no message any more, or no channel, in which anything could be shown."""
    return answer is not None and answer.code in {UNKNOWN_CHANNEL, UNKNOWN_MESSAGE}


def _why_not_posted(order: Order, answer: Answer | None) -> Reason:
    if _is_deleted(answer):
        return Reason.ANSWER_DELETED
    unreachable = {CANNOT_MESSAGE_USER, NO_MUTUAL_SERVER}
    if order.private and answer is not None and answer.code in unreachable:
        return Reason.ANSWER_OUT_OF_REACH
    return Reason.NOT_POSTED


def _message_id(answer: Answer) -> int | None:
    """The id of the message that an acknowledgement made, where Discord told it."""
    try:
        return _id_of(answer.body["resource"]["message"])
    except (KeyError, TypeError):
        return None


def _id_of(message: JSON) -> int | None:
    try:
        return int(message["id"])
    except (KeyError, TypeError, ValueError):
        return None


def _place_of(message: JSON) -> MessageRef | None:
    try:
        return MessageRef(int(message["channel_id"]), int(message["id"]))
    except (KeyError, TypeError, ValueError):
        return None


def _first_answer(order: Order) -> FirstAnswer:
    return FirstAnswer(order.application_id, _token(order))


def _token(order: Order) -> str:
    if order.token is None:
        raise ValueError("the interaction's token was erased already")
    return order.token


def _in(duration: timedelta) -> float:
    return in_seconds(duration.total_seconds())
