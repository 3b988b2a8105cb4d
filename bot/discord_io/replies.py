"""Responds to commands and buttons privately, within Discord's time limits.

An edit's own message is handled in `edit_messages`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog

from bot.discord_io.responses import ALREADY_ACKNOWLEDGED, JSON, RestResponse
from bot.discord_io.rest import DiscordRest, OriginalResponse
from bot.discord_io.transport import File, in_seconds, list_files

EPHEMERAL = 1 << 6
COMPONENTS_V2 = 1 << 15
"""https://docs.discord.com/developers/resources/message#message-object-message-flags"""

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM = 4, 5, 6, 7, 9
"""Interaction callback types; the two updates change the message that a button is on.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
"""

TOKEN_LIFETIME = timedelta(minutes=15)
TOKEN_TRUSTED = timedelta(minutes=13)
"""The age at which an interaction's token is no longer used, so that no upload outlives it."""

DEFER_AFTER_S = 1.0
"""How long a response may take before it is deferred: Discord waits 3 s for the first one."""

FILE_TRIES = 3
"""Attempts at a request with files."""

TEXT_DISPLAY = 10
"""https://docs.discord.com/developers/components/reference#text-display"""

NO_MENTIONS: JSON = {"parse": []}

Component = dict[str, Any]

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InteractionRef:
    """A command or button that waits for its response."""

    application_id: int
    id: int
    token: str = field(repr=False)
    by_button: bool = False
    """Whether the response replaces the message that the button is on."""

    @property
    def as_new_message(self) -> "InteractionRef":
        """The same interaction, with a response that is always a new message."""
        return replace(self, by_button=False)

    @property
    def response(self) -> OriginalResponse:
        """The message to edit later."""
        return OriginalResponse(self.application_id, self.token)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a response shows: a text, or components, which may show the files."""

    text: str = ""
    components: Sequence[Component] = ()
    files: Sequence[File] = ()


class DeferredFailureError(Exception):
    """A deferred response failed; the cause says why."""


class Replies:
    """Sends private responses. No method raises because Discord refuses one."""

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest

    async def respond_or_defer(self, interaction: InteractionRef, work: Awaitable[Reply]) -> None:
        """Respond with the result of `work`, and defer first if that takes a while.

        Raises:
            Exception: what `work` raises, as the cause of a DeferredFailureError once deferred.
        """
        working = asyncio.ensure_future(work)
        await asyncio.wait({working}, timeout=DEFER_AFTER_S)
        reply = await working if working.done() else None
        if reply is not None and not reply.files:
            await self.respond(interaction, reply)
            return
        async with self.deferred(interaction):
            await self.respond(interaction, reply or await working, deferred=True)

    @asynccontextmanager
    async def deferred(self, interaction: InteractionRef) -> AsyncGenerator[None]:
        """Defer the response, which is then prepared inside the context.

        Raises:
            DeferredFailureError: from the error inside, to be shown in the deferred response.
        """
        if interaction.by_button:
            body: JSON = {"type": DEFERRED_UPDATE}
        else:
            body = {"type": DEFERRED, "data": {"flags": EPHEMERAL}}
        await self._rest.respond(interaction.id, interaction.token, body)
        try:
            yield
        except Exception as error:
            raise DeferredFailureError from error

    async def respond(
        self,
        interaction: InteractionRef,
        reply: Reply,
        *,
        deferred: bool = False,
        instead: bool = False,
    ) -> bool:
        """Respond, or complete a deferred response. Return whether Discord confirmed it.

        If the interaction already has a response, it's this one from an earlier attempt, unless
        `instead` says that this one replaces it. A reply with files must be deferred first.
        """
        if deferred:
            return await self._edit(interaction, reply)
        kind = UPDATE if interaction.by_button else MESSAGE
        response = await self._send(
            interaction, kind, _body(_fit(interaction, reply), flags=EPHEMERAL)
        )
        if response is not None and response.code == ALREADY_ACKNOWLEDGED:
            return await self._edit(interaction, reply) if instead else True
        return _is_ok(response)

    async def open_form(self, interaction: InteractionRef, form: JSON) -> None:
        """Respond with a form, which can't be deferred."""
        await self._send(interaction, FORM, form)

    async def redraw(self, interaction: InteractionRef, components: Sequence[Component]) -> bool:
        """Replace the components of a button's message, and keep the files that they show."""
        data = {"components": list(components), "allowed_mentions": NO_MENTIONS}
        return _is_ok(await self._send(interaction, UPDATE, data))

    async def respond_separately(self, interaction: InteractionRef, text: str) -> bool:
        """Respond with a new message, and leave the message that a button is on unchanged."""
        body = _body(Reply(text), flags=EPHEMERAL)
        return _is_ok(await self._send(interaction, MESSAGE, body))

    async def _send(
        self, interaction: InteractionRef, kind: int, data: JSON
    ) -> RestResponse | None:
        return await self._rest.respond(
            interaction.id, interaction.token, {"type": kind, "data": data}
        )

    async def _edit(self, interaction: InteractionRef, reply: Reply) -> bool:
        response = await self._rest.edit(
            interaction.response,
            _body(_fit(interaction, reply)),
            files=reply.files,
            tries=FILE_TRIES if reply.files else None,
            until=in_seconds(TOKEN_TRUSTED.total_seconds()),
            for_edit=False,
        )
        if not _is_ok(response):
            log.warning("reply.not_given", interaction=str(interaction.id))
        return _is_ok(response)


def _is_ok(response: RestResponse | None) -> bool:
    return response is not None and response.ok


def _fit(interaction: InteractionRef, reply: Reply) -> Reply:
    """Turn a text into a component if it replaces a button's message, which can't show text."""
    if not interaction.by_button or reply.components:
        return reply
    return replace(reply, text="", components=[{"type": TEXT_DISPLAY, "content": reply.text}])


def _body(reply: Reply, flags: int = 0) -> JSON:
    """Return a message with the reply's files and no others."""
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
