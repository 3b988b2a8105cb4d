"""Answers members in Discord, from an edit's row alone, with words that are handed in."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
import structlog

from bot.discord_rest import (
    ALREADY_ACKNOWLEDGED,
    ANSWER_WITHIN,
    JSON,
    Answer,
    DiscordRest,
    FirstAnswer,
    OwnMessage,
    is_failure,
)
from bot.editing import Acknowledgement, Front, Outcome, Receipt
from bot.ledger import Edit, Order
from bot.refusals import Refusal

EPHEMERAL = 1 << 6
COMPONENTS_V2 = 1 << 15
"""https://docs.discord.com/developers/resources/message#message-object-message-flags"""

MESSAGE, DEFERRED = 4, 5
"""Types of the first answer to an interaction.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
"""

TOKEN_LIFE = timedelta(minutes=15)
TOKEN_TRUSTED = timedelta(minutes=13)
"""From this age on the channel's route is used, so that no upload ends after its token."""

POST_TRIES = 2
"""Requests with the pictures, before a message without them."""

Component = dict[str, Any]

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
        cards: Cards,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rest = rest
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
        text = self._cards.refusal(refusal)
        if acknowledged:
            await self._rest.edit(_first_answer(order), _plain(text), until=_in(TOKEN_TRUSTED))
        else:
            await self.reply(order.application_id, order.id, _token(order), text)

    async def reply(
        self,
        application_id: int,
        interaction_id: int,
        token: str,
        text: str,
        *,
        instead: bool = False,
    ) -> bool:
        """Answer a command privately with a text; whether it surely stands there.

        If the command has an answer already, it is this one, of a try that was repeated; or it is
        another, and `instead` puts the text in its place.
        """
        data = {**_plain(text), "flags": EPHEMERAL}
        answer = await self._rest.respond(interaction_id, token, {"type": MESSAGE, "data": data})
        if answer is not None and answer.code == ALREADY_ACKNOWLEDGED:
            if not instead:
                return True
            answer = await self._rest.edit(
                FirstAnswer(application_id, token), _plain(text), until=_in(TOKEN_TRUSTED)
            )
        return answer is not None and answer.ok

    async def look_up(self, edit: Edit) -> Acknowledgement:
        return await self._look_up(edit.order, self._token_left(edit))

    async def post(self, edit: Edit, receipt: Receipt) -> bool:
        names = [f"edit-{picture.path.name}" for picture in receipt.pictures]
        body = _card(
            self._cards.result(edit, receipt, names),
            [
                {"id": place, "filename": name, "description": self._cards.alt_text(edit)}
                for place, name in enumerate(names)
            ],
        )
        with contextlib.ExitStack() as files:

            def form() -> aiohttp.FormData:
                files.close()
                data = aiohttp.FormData(quote_fields=False)
                data.add_field("payload_json", json.dumps(body), content_type="application/json")
                for place, (name, picture) in enumerate(zip(names, receipt.pictures, strict=True)):
                    file = files.enter_context(picture.path.open("rb"))
                    data.add_field(f"files[{place}]", file, filename=name)
                return data

            answer = await self._edit(edit, body, form=form, tries=POST_TRIES)
        return answer is not None and answer.ok

    async def tell(self, edit: Edit) -> None:
        answer = await self._edit(edit, _card(self._cards.ending(edit), []))
        if answer is None or not answer.ok:
            log.warning("edit.untold", edit=str(edit.order.id), reason=edit.reason)

    async def _edit(
        self,
        edit: Edit,
        body: JSON,
        *,
        form: Callable[[], aiohttp.FormData] | None = None,
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
                _first_answer(order), body, form=form, tries=tries, until=_in(left)
            )
            if not _ran_out_of_token(answer, tries):
                return answer
        if order.private or edit.message_id is None:
            return answer
        return await self._rest.edit(
            OwnMessage(order.channel_id, edit.message_id),
            body,
            form=form,
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


_NO_MENTIONS: JSON = {"parse": []}


def _card(components: list[Component], attachments: list[JSON]) -> JSON:
    """A Components V2 message; what is not in `attachments` is taken off it."""
    return {
        "flags": COMPONENTS_V2,
        "components": components,
        "attachments": attachments,
        "allowed_mentions": _NO_MENTIONS,
    }


def _plain(text: str) -> JSON:
    return {"content": text, "allowed_mentions": _NO_MENTIONS}


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
