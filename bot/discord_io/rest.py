"""The routes of Discord's REST API that an edit's outcome depends on.

Methods return None if Discord didn't respond in time. `until` is a time of the loop.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from bot.discord_io.responses import JSON, RestResponse, read_snowflake
from bot.discord_io.transport import File, Transport, in_seconds

RESPONSE_TIMEOUT_S = 3.0
"""How long Discord waits for the first response to an interaction.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response
"""

MAX_RESPONSE_PAUSE_S = 0.5
"""Between attempts at that response, to use its three seconds to the end."""

CARD_TIMEOUT_S = 5.0
"""For a change to a message that a newer one replaces soon."""

PAGE_SIZE = 100
"""Messages in one list: the most that Discord returns."""


@dataclass(frozen=True, slots=True)
class OriginalResponse:
    """The original response to an interaction, reached by the interaction's own token."""

    application_id: int
    token: str = field(repr=False)
    message_id: int | None = None
    """Its id, if that is known."""

    @property
    def path(self) -> str:
        """Its route."""
        return f"webhooks/{self.application_id}/{self.token}/messages/@original"

    def is_in(self, response: RestResponse) -> bool:
        """Whether a response has this message."""
        return response.id is not None and self.message_id in {None, response.id}


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """One of the bot's messages, reached through its channel with the bot's token."""

    channel_id: int
    message_id: int

    @property
    def path(self) -> str:
        """Its route."""
        return f"channels/{self.channel_id}/messages/{self.message_id}"

    def is_in(self, response: RestResponse) -> bool:
        """Whether a response has this message."""
        return response.id == self.message_id


class DiscordRest:
    """Discord's REST API under one base URL, over a session that the caller closes."""

    def __init__(self, session: aiohttp.ClientSession, base: URL, bot_token: str) -> None:
        self._transport = Transport(session, base)
        self._authorization = {"Authorization": f"Bot {bot_token}"}

    async def respond(self, interaction_id: int, token: str, body: JSON) -> RestResponse | None:
        """Send the first response to an interaction, and retry for as long as Discord waits."""
        return await self._transport.request(
            "POST",
            f"interactions/{interaction_id}/{token}/callback",
            query={"with_response": "true"},
            json=body,
            until=in_seconds(RESPONSE_TIMEOUT_S),
            max_pause=MAX_RESPONSE_PAUSE_S,
        )

    async def post(
        self,
        channel_id: int,
        body: JSON,
        *,
        files: Sequence[File] = (),
        nonce: str | None = None,
        tries: int | None = None,
        until: float,
    ) -> RestResponse | None:
        """Post a message, and retry until Discord accepts or refuses it.

        The nonce keeps a retry from posting twice, for the few minutes that Discord remembers it.
        https://docs.discord.com/developers/resources/message#create-message-jsonform-params
        """
        return await self._transport.request(
            "POST",
            f"channels/{channel_id}/messages",
            headers=self._authorization,
            json={**body, "nonce": nonce or secrets.token_hex(12), "enforce_nonce": True},
            files=files,
            tries=tries,
            until=until,
            expects=_has_id,
        )

    async def open_direct_messages(self, user_id: int, *, until: float) -> RestResponse | None:
        """Return the channel of a user's direct messages, even if they don't accept any."""
        return await self._transport.request(
            "POST",
            "users/@me/channels",
            headers=self._authorization,
            json={"recipient_id": str(user_id)},
            until=until,
            expects=_has_id,
        )

    async def get_bot_user(self, *, until: float) -> RestResponse | None:
        """Return the bot's own user."""
        return await self._transport.request(
            "GET", "users/@me", headers=self._authorization, until=until, expects=_has_id
        )

    async def get(
        self, message: OriginalResponse | OwnMessage, *, until: float
    ) -> RestResponse | None:
        """Return one of the bot's messages."""
        return await self._transport.request(
            "GET",
            message.path,
            headers=self._headers_for(message),
            until=until,
            expects=message.is_in,
        )

    async def list_messages(
        self, channel_id: int, *, after: int, until: float
    ) -> RestResponse | None:
        """List a channel's first `PAGE_SIZE` messages after an id."""
        return await self._transport.request(
            "GET",
            f"channels/{channel_id}/messages",
            query={"after": str(after), "limit": str(PAGE_SIZE)},
            headers=self._authorization,
            until=until,
            expects=_is_message_list,
        )

    async def delete(
        self, message: OriginalResponse | OwnMessage, *, until: float
    ) -> RestResponse | None:
        """Delete one of the bot's messages. A 404 means that it was deleted before."""
        return await self._transport.request(
            "DELETE", message.path, headers=self._headers_for(message), until=until
        )

    async def edit(
        self,
        message: OriginalResponse | OwnMessage,
        body: JSON,
        *,
        files: Sequence[File] = (),
        tries: int | None = None,
        until: float,
        for_edit: bool = True,
    ) -> RestResponse | None:
        """Edit one of the bot's messages. Files that `body` doesn't name are removed from it."""
        return await self._transport.request(
            "PATCH",
            message.path,
            headers=self._headers_for(message),
            json=body,
            files=files,
            tries=tries,
            until=until,
            for_edit=for_edit,
            expects=message.is_in,
        )

    async def edit_once(self, message: OriginalResponse, body: JSON) -> RestResponse | None:
        """Edit a message in a single attempt, without waiting for rate limits.

        Under a known rate limit, return that limit and send nothing.
        """
        return await self._transport.send_unless_limited(
            "PATCH", message.path, json=body, timeout=CARD_TIMEOUT_S
        )

    def _headers_for(self, message: OriginalResponse | OwnMessage) -> Mapping[str, str] | None:
        """Return the headers for a message. An interaction's token, in the path, is enough."""
        return self._authorization if isinstance(message, OwnMessage) else None


def _has_id(response: RestResponse) -> bool:
    return response.id is not None


def _is_message_list(response: RestResponse) -> bool:
    return response.items is not None and all(
        read_snowflake(message.get("id")) is not None and isinstance(message.get("author"), dict)
        for message in response.items
    )
