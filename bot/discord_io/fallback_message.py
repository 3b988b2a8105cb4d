"""Shows an edit in a second message if Discord no longer accepts changes to the first.

A public edit's message goes to its channel and mentions only its member; a private edit's is a
direct message. Posting can't be retried blindly, so the channel is first searched for a message
from an earlier attempt, maybe by an earlier process. Only a message of the bot's own counts, and
only if it responds to the edit's interaction or has the edit's id line: prompts and names can
contain any id. A nonce made from that id covers the minutes before such a message can be found.
"""

from collections.abc import Sequence

from bot.discord_io.responses import (
    JSON,
    MISSING_ACCESS,
    UNKNOWN_CHANNEL,
    RestResponse,
    is_inconclusive,
    is_retryable,
)
from bot.discord_io.rest import PAGE_SIZE, DiscordRest, OwnMessage
from bot.discord_io.transport import File
from bot.domain.edits import Edit

MAX_PAGES = 20
"""Lists of messages to search: about an hour of a very busy channel."""


class FallbackMessage:
    """Finds or posts an edit's second message."""

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest
        self._bot_id: str | None = None

    async def put(
        self, edit: Edit, body: JSON, *, files: Sequence[File], tries: int | None, until: float
    ) -> RestResponse | None:
        """Show `body` in the edit's second message, and return the last request's response."""
        channel_id = edit.order.channel_id
        if edit.order.private:
            opened = await self._rest.open_direct_messages(edit.order.member_id, until=until)
            if opened is None or not opened.ok or opened.id is None:
                return opened
            channel_id = opened.id
        try:
            found = await self._find(edit, channel_id, until)
            if found is None:
                response = await self._rest.post(
                    channel_id,
                    {**body, "allowed_mentions": {"users": [str(edit.order.member_id)]}},
                    files=files,
                    nonce=f"{edit.order.id}{'-made' if files else '-end'}",
                    tries=tries,
                    until=until,
                )
                if not is_inconclusive(response):
                    return response
                found = await self._find(edit, channel_id, until)
                if found is None:
                    return response
        except _SearchError as failed:
            return failed.response
        return await self._rest.edit(found, body, files=files, tries=tries, until=until)

    async def _find(self, edit: Edit, channel_id: int, until: float) -> OwnMessage | None:
        """Find the edit's message in a channel, other than its first one.

        Raises:
            _SearchError: the channel couldn't be searched.
        """
        after = edit.order.id
        for _ in range(MAX_PAGES):
            response = await self._rest.list_messages(channel_id, after=after, until=until)
            if response is None or (not response.ok and not _may_accept_posts(response)):
                raise _SearchError(response)
            if not response.ok:
                return None
            messages = response.items or ()
            ids = [int(message["id"]) for message in messages]
            for message_id, message in zip(ids, messages, strict=True):
                if message_id == edit.message_id or not _belongs_to(message, edit.order.id):
                    continue
                if message["author"].get("id") == await self._find_bot_id(until):
                    return OwnMessage(channel_id, message_id)
            if len(ids) < PAGE_SIZE:
                break
            after = max(ids)
        return None

    async def _find_bot_id(self, until: float) -> str:
        """Return the bot's user id, which isn't the application's id if that is an old one.

        Raises:
            _SearchError: Discord didn't return it.
        """
        if self._bot_id is None:
            response = await self._rest.get_bot_user(until=until)
            if response is None or not response.ok:
                raise _SearchError(response)
            self._bot_id = str(response.body["id"])
        return self._bot_id


def id_line(edit_id: int) -> str:
    """Return the line that ends the first text of an edit's second message."""
    return f"-# Edit {edit_id}"


class _SearchError(Exception):
    """A channel couldn't be searched; `response` is what Discord returned."""

    def __init__(self, response: RestResponse | None) -> None:
        super().__init__("the channel couldn't be searched")
        self.response = response


def _may_accept_posts(response: RestResponse) -> bool:
    """Whether a channel that doesn't list its messages may still accept new ones.

    In that case only the nonce keeps the bot from posting twice.
    """
    return not is_retryable(response) and response.code not in {MISSING_ACCESS, UNKNOWN_CHANNEL}


def _belongs_to(message: JSON, edit_id: int) -> bool:
    """Whether a message responds to the edit's interaction, or has its id line in the first text.

    The nonce doesn't help here: Discord only returns it when the message is created.
    """
    metadata: JSON = message.get("interaction_metadata") or {}
    if metadata.get("id") == str(edit_id):
        return True
    components: Sequence[JSON] = message.get("components") or ()
    if not components:
        return False
    return str(components[0].get("content", "")).split("\n")[-1] == id_line(edit_id)
