"""Answers commands and buttons to whoever used them, for their eyes alone, within Discord's limits.

The edit's own message is not answered here but by `discord_front`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog

from bot.discord_io.rest import (
    ALREADY_ACKNOWLEDGED,
    JSON,
    DiscordRest,
    File,
    FirstAnswer,
    in_seconds,
    list_files,
)

EPHEMERAL = 1 << 6
COMPONENTS_V2 = 1 << 15
"""https://docs.discord.com/developers/resources/message#message-object-message-flags"""

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM = 4, 5, 6, 7, 9
"""Types of the first answer to an interaction; the third and fourth are for a button's message.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
"""

TOKEN_LIFE = timedelta(minutes=15)
TOKEN_TRUSTED = timedelta(minutes=13)
"""From this age on an interaction's token is not relied on, so that no upload ends after it."""

ANSWER_PATIENCE = 1.0
"""Seconds that an answer has before it is announced, for the first answer is due within 3 s."""

FILE_TRIES = 3
"""Requests with the same files."""

TEXT_DISPLAY = 10
"""https://docs.discord.com/developers/components/reference#text-display"""

NO_MENTIONS: JSON = {"parse": []}

Component = dict[str, Any]

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InteractionRef:
    """A command or button that waits for its answer."""

    application_id: int
    id: int
    """The interaction's."""
    token: str = field(repr=False)
    by_button: bool = False
    """Whether the answer takes the place of the message that the button is under."""

    @property
    def as_new_message(self) -> "InteractionRef":
        """The same, answered with a message of its own whatever it was."""
        return replace(self, by_button=False)

    @property
    def answer(self) -> FirstAnswer:
        """Where its answer is edited."""
        return FirstAnswer(self.application_id, self.token)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a text, or components, which may show the files."""

    text: str = ""
    components: Sequence[Component] = ()
    files: Sequence[File] = ()


class AnnouncedFailureError(Exception):
    """Something broke after an answer was announced; its cause is what broke."""


class Replies:
    """Gives private answers; none of its methods raises because Discord does not take one."""

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest

    async def respond_or_defer(self, asked: InteractionRef, work: Awaitable[Reply]) -> None:
        """Give the reply that `work` comes to; if that takes a while, say first that it comes.

        What `work` raises is raised, as an AnnouncedFailure once it was said.
        """
        working = asyncio.ensure_future(work)
        await asyncio.wait({working}, timeout=ANSWER_PATIENCE)
        reply = await working if working.done() else None
        if reply is not None and not reply.files:
            await self.respond(asked, reply)
            return
        async with self.deferred(asked):
            await self.respond(asked, reply or await working, deferred=True)

    @asynccontextmanager
    async def deferred(self, asked: InteractionRef) -> AsyncGenerator[None]:
        """Say that an answer comes, before it is worked out.

        Raises:
            AnnouncedFailure: from what broke; that is to be told where the answer was to stand.
        """
        await self._defer(asked)
        try:
            yield
        except Exception as error:
            raise AnnouncedFailureError from error

    async def _defer(self, asked: InteractionRef) -> None:
        if asked.by_button:
            body: JSON = {"type": DEFERRED_UPDATE}
        else:
            body = {"type": DEFERRED, "data": {"flags": EPHEMERAL}}
        await self._rest.respond(asked.id, asked.token, body)

    async def respond(
        self, asked: InteractionRef, reply: Reply, *, deferred: bool = False, instead: bool = False
    ) -> bool:
        """Give the answer, or put it where one was announced; whether it surely stands there.

        If there is an answer already, it is this one, of a try that was repeated; or it is
        another, and `instead` puts this one in its place. Files need an announcement first.
        """
        if deferred:
            return await self._edit(asked, reply)
        kind = UPDATE if asked.by_button else MESSAGE
        answer = await self._rest.respond(
            asked.id, asked.token, {"type": kind, "data": _body(_fitting(asked, reply), EPHEMERAL)}
        )
        if answer is not None and answer.code == ALREADY_ACKNOWLEDGED:
            return await self._edit(asked, reply) if instead else True
        return answer is not None and answer.ok

    async def open_form(self, asked: InteractionRef, form: JSON) -> None:
        """Answer with a form, which cannot be announced before."""
        await self._rest.respond(asked.id, asked.token, {"type": FORM, "data": form})

    async def redraw(self, asked: InteractionRef, components: Sequence[Component]) -> bool:
        """Change the components of a button's message; the files that they show stay with it."""
        data = {"components": list(components), "allowed_mentions": NO_MENTIONS}
        answer = await self._rest.respond(asked.id, asked.token, {"type": UPDATE, "data": data})
        return answer is not None and answer.ok

    async def respond_separately(self, asked: InteractionRef, text: str) -> bool:
        """Answer with a message of its own, so that what a button is under stays."""
        answer = await self._rest.respond(
            asked.id, asked.token, {"type": MESSAGE, "data": _body(Reply(text), EPHEMERAL)}
        )
        return answer is not None and answer.ok

    async def _edit(self, asked: InteractionRef, reply: Reply) -> bool:
        answer = await self._rest.edit(
            asked.answer,
            _body(_fitting(asked, reply)),
            files=reply.files,
            tries=FILE_TRIES if reply.files else None,
            until=in_seconds(TOKEN_TRUSTED.total_seconds()),
            of_edit=False,
        )
        if answer is None or not answer.ok:
            log.warning("reply.not_given", interaction=str(asked.id))
        return answer is not None and answer.ok


def _fitting(asked: InteractionRef, reply: Reply) -> Reply:
    """The reply as its place takes it: messages with buttons show components and no bare text."""
    if not asked.by_button or reply.components:
        return reply
    return replace(reply, text="", components=[{"type": TEXT_DISPLAY, "content": reply.text}])


def _body(reply: Reply, flags: int = 0) -> JSON:
    """A message's fields; what is not among its files is taken off it."""
    body: dict[str, Any] = {
        "allowed_mentions": NO_MENTIONS,
        "attachments": list_files(reply.files),
    }
    if reply.components:
        body |= {"components": list(reply.components), "flags": flags | COMPONENTS_V2}
    else:
        body |= {"content": reply.text, "components": []}
        if flags:
            body["flags"] = flags
    return body
