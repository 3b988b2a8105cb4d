"""Finds where the pictures of posted edits stand now: addresses run out, messages do not."""

import asyncio
from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus

from bot.discord_io.message_images import DiscordsPlaces, find_images
from bot.discord_io.rest import Answer, DiscordRest, OwnMessage, in_seconds
from bot.domain.edits import MessageRef
from bot.domain.images import ImageLink

AT_ONCE = 16
"""Messages of lists that are looked up at once, for all members together."""


class Unshown(Enum):
    """Why there is no picture to show."""

    GONE = "gone"
    """The message or its channel was deleted."""
    EMPTY = "empty"
    """The message shows no picture."""
    HIDDEN = "hidden"
    """The bot may not read there any more."""
    UNKNOWN = "unknown"
    """Discord did not say in time."""


class PostedImages:
    """Looks the bot's own messages up, of lists a bounded number at once."""

    def __init__(self, rest: DiscordRest, places: DiscordsPlaces) -> None:
        self._rest = rest
        self._places = places
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def find_firsts(
        self, messages: Sequence[MessageRef], *, within: float
    ) -> Sequence[ImageLink | Unshown]:
        """The first picture of each message, after at most so many seconds."""
        until = in_seconds(within)
        found = await asyncio.gather(*(self._find_in_turn(each, until) for each in messages))
        return [each if isinstance(each, Unshown) else each[0] for each in found]

    async def find_all(
        self, message: MessageRef, *, within: float
    ) -> Sequence[ImageLink] | Unshown:
        """All pictures of a message, at least one, after at most so many seconds.

        It is looked up at once, whoever lists many meanwhile.
        """
        return await self._find(message, in_seconds(within))

    async def _find_in_turn(
        self, message: MessageRef, until: float
    ) -> Sequence[ImageLink] | Unshown:
        try:
            async with asyncio.timeout_at(until), self._turns:
                return await self._find(message, until)
        except TimeoutError:
            return Unshown.UNKNOWN

    async def _find(self, message: MessageRef, until: float) -> Sequence[ImageLink] | Unshown:
        own = OwnMessage(message.channel_id, message.message_id)
        answer = await self._rest.get(own, until=until)
        if answer is None or not answer.ok:
            return _why(answer)
        return find_images(answer.body, self._places) or Unshown.EMPTY


def _why(answer: Answer | None) -> Unshown:
    match answer:
        case Answer(status=HTTPStatus.NOT_FOUND):
            return Unshown.GONE
        case Answer(status=HTTPStatus.FORBIDDEN):
            return Unshown.HIDDEN
        case _:
            return Unshown.UNKNOWN
