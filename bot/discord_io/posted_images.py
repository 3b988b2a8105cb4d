"""Finds the current addresses of posted images, which expire although their messages don't."""

import asyncio
from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus

from bot.discord_io.message_images import TrustedHosts, find_images
from bot.discord_io.responses import RestResponse
from bot.discord_io.rest import DiscordRest, OwnMessage
from bot.discord_io.transport import in_seconds
from bot.domain.edits import MessageRef
from bot.domain.images import ImageLink

AT_ONCE = 16
"""Concurrent requests for lists of messages, of all members together."""

HIDDEN_S = 300.0
"""How long a channel that the bot may not read isn't asked again. Discord bans an IP address after
10,000 refused requests in ten minutes.

https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
"""


class MissingImage(Enum):
    """Why there is no image to show."""

    GONE = "gone"
    """The message or its channel was deleted."""
    EMPTY = "empty"
    """The message has no image."""
    HIDDEN = "hidden"
    """The bot can no longer read the channel."""
    UNKNOWN = "unknown"
    """Discord didn't respond in time."""


class PostedImages:
    """Reads the bot's own messages."""

    def __init__(self, rest: DiscordRest, hosts: TrustedHosts) -> None:
        self._rest = rest
        self._hosts = hosts
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._hidden_until: dict[int, float] = {}
        """By channel."""

    async def find_first_images(
        self, messages: Sequence[MessageRef], *, within: float
    ) -> Sequence[ImageLink | MissingImage]:
        """Return each message's first image, after at most `within` seconds."""
        until = in_seconds(within)
        return await asyncio.gather(*(self._find_first(message, until) for message in messages))

    async def find_all(
        self, message: MessageRef, *, within: float
    ) -> Sequence[ImageLink] | MissingImage:
        """Return all images of a message, after at most `within` seconds.

        This doesn't wait for the slots that lists share.
        """
        return await self._find(message, in_seconds(within))

    async def _find_first(self, message: MessageRef, until: float) -> ImageLink | MissingImage:
        try:
            async with asyncio.timeout_at(until), self._slots:
                found = await self._find(message, until)
        except TimeoutError:
            return MissingImage.UNKNOWN
        return found if isinstance(found, MissingImage) else found[0]

    async def _find(self, message: MessageRef, until: float) -> Sequence[ImageLink] | MissingImage:
        now = in_seconds(0)
        if self._hidden_until.get(message.channel_id, 0.0) > now:
            return MissingImage.HIDDEN
        own = OwnMessage(message.channel_id, message.message_id)
        response = await self._rest.get(own, until=until)
        if response is None or not response.ok:
            missing = _why_missing(response)
            if missing is MissingImage.HIDDEN:
                still_hidden = {
                    channel_id: end for channel_id, end in self._hidden_until.items() if end > now
                }
                self._hidden_until = still_hidden | {message.channel_id: now + HIDDEN_S}
            return missing
        return find_images(response.body, self._hosts) or MissingImage.EMPTY


def _why_missing(response: RestResponse | None) -> MissingImage:
    match response:
        case RestResponse(status=HTTPStatus.NOT_FOUND):
            return MissingImage.GONE
        case RestResponse(status=HTTPStatus.FORBIDDEN):
            return MissingImage.HIDDEN
        case _:
            return MissingImage.UNKNOWN
