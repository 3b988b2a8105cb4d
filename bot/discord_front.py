"""Carries an edit's message in Discord, from its row alone, with words that are handed in."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import structlog

from bot.discord_replies import (
    COMPONENTS_V2,
    DEFERRED,
    EPHEMERAL,
    NO_MENTIONS,
    TOKEN_LIFE,
    TOKEN_TRUSTED,
    Asked,
    Component,
    Replies,
    Reply,
)
from bot.discord_rest import (
    ALREADY_ACKNOWLEDGED,
    ANSWER_WITHIN,
    JSON,
    Answer,
    DiscordRest,
    File,
    FirstAnswer,
    OwnMessage,
    is_failure,
    is_too_large,
    list_files,
)
from bot.editing import Acknowledgement, Front, Outcome, Posting, Receipt
from bot.ledger import Edit, Order
from bot.refusals import Refusal

POST_TRIES = 2
"""Requests with the pictures, before a message without them."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Cards(Protocol):
    """What members see, as Discord's components."""

    def result(self, edit: Edit, receipt: Receipt, names: Sequence[str]) -> list[Component]:
        """Lay out the pictures, which are attached under these names, and what they cost."""
        ...

    def ending(self, edit: Edit) -> list[Component]:
        """Say how an edit without pictures ended."""
        ...

    def alt_text(self, edit: Edit) -> str:
        """Describe each picture for those who do not see it."""
        ...

    def refusal(self, refusal: Refusal) -> str:
        """Say why an order is not taken."""
        ...


class DiscordFront(Front):
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
        self._clock = clock

    async def acknowledge(self, order: Order) -> Acknowledgement:
        data = {"flags": EPHEMERAL} if order.private else {}
        answer = await self._rest.respond(order.id, _token(order), {"type": DEFERRED, "data": data})
        if answer is None or is_failure(answer):
            return Acknowledgement(Outcome.UNANSWERED)
        if answer.ok:
            return Acknowledgement(Outcome.TAKEN, _message_id(answer))
        if answer.code == ALREADY_ACKNOWLEDGED:
            # The answer that was lost named the message.
            found = await self._look_up(order, timedelta(seconds=ANSWER_WITHIN))
            return Acknowledgement(Outcome.TAKEN, found.message_id)
        return Acknowledgement(Outcome.TOO_LATE)

    async def refuse(self, order: Order, refusal: Refusal, *, acknowledged: bool) -> None:
        asked = Asked(order.application_id, order.id, _token(order))
        await self._replies.give(asked, Reply(self._cards.refusal(refusal)), deferred=acknowledged)

    async def look_up(self, edit: Edit) -> Acknowledgement:
        return await self._look_up(edit.order, self._token_left(edit))

    async def post(self, edit: Edit, receipt: Receipt) -> Posting:
        alt_text = self._cards.alt_text(edit)
        files = [
            File(f"edit-{picture.path.name}", picture.path, alt_text)
            for picture in receipt.pictures
        ]
        body = _card(self._cards.result(edit, receipt, [file.name for file in files]), files)
        answer = await self._edit(edit, body, files=files, tries=POST_TRIES)
        if answer is None or not answer.ok:
            return Posting.TOO_LARGE if is_too_large(answer) else Posting.REFUSED
        return Posting.POSTED

    async def tell(self, edit: Edit) -> None:
        answer = await self._edit(edit, _card(self._cards.ending(edit), []))
        if answer is None or not answer.ok:
            log.warning("edit.untold", edit=str(edit.order.id), reason=edit.reason)

    async def _edit(
        self,
        edit: Edit,
        body: JSON,
        *,
        files: Sequence[File] = (),
        tries: int | None = None,
    ) -> Answer | None:
        """Edit the edit's message by its own token, or by its channel once that is too old."""
        order = edit.order
        channel_edits = not order.private and edit.message_id is not None
        left = self._token_left(edit)
        if channel_edits:
            left -= TOKEN_LIFE - TOKEN_TRUSTED
        answer: Answer | None = None
        if order.token is not None and left > timedelta(0):
            answer = await self._rest.edit(
                _first_answer(order), body, files=files, tries=tries, until=_in(left)
            )
            if not _ran_out_of_token(answer, tries):
                return answer
        if order.private or edit.message_id is None:
            return answer
        return await self._rest.edit(
            OwnMessage(order.channel_id, edit.message_id),
            body,
            files=files,
            tries=tries,
            until=_in(TOKEN_LIFE),
        )

    async def _look_up(self, order: Order, patience: timedelta) -> Acknowledgement:
        answer = await self._rest.get(_first_answer(order), until=_in(patience))
        if answer is None or is_failure(answer):
            return Acknowledgement(Outcome.UNANSWERED)
        if not answer.ok:
            return Acknowledgement(Outcome.TOO_LATE)
        return Acknowledgement(Outcome.TAKEN, _id_of(answer.body))

    def _token_left(self, edit: Edit) -> timedelta:
        return TOKEN_LIFE - (self._clock() - edit.held_at)


def _card(components: list[Component], files: Sequence[File]) -> JSON:
    """A Components V2 message; what is not among the files is taken off it."""
    return {
        "flags": COMPONENTS_V2,
        "components": components,
        "attachments": list_files(files),
        "allowed_mentions": NO_MENTIONS,
    }


def _ran_out_of_token(answer: Answer | None, tries: int | None) -> bool:
    """Whether it was the token's death, or the time until it, that ended a request's tries."""
    if answer is None or is_failure(answer):
        return tries is None
    return answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}


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


def _first_answer(order: Order) -> FirstAnswer:
    return FirstAnswer(order.application_id, _token(order))


def _token(order: Order) -> str:
    if order.token is None:
        raise ValueError("the interaction's token was erased already")
    return order.token


def _in(duration: timedelta) -> float:
    return asyncio.get_running_loop().time() + duration.total_seconds()
