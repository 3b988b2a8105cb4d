"""Shows an edit in a second message where Discord does not take its first one any more.

A public edit's is posted in the channel and mentions its member alone; a private one's is a direct
message. Posting, unlike editing, must not be repeated blindly. So the channel is looked through
first for a message of an earlier try, perhaps by an earlier process: one of the bot's own that
answers the edit's interaction or has the edit's id line. Nothing else in a message counts, since
prompts and names can contain any id. A nonce made of that id guards the minutes in which such a
message may not be seen yet.
"""

from collections.abc import Sequence
from http import HTTPStatus

from bot.discord_io.rest import (
    JSON,
    LISTED,
    MISSING_ACCESS,
    UNKNOWN_CHANNEL,
    Answer,
    DiscordRest,
    File,
    OwnMessage,
    is_failure,
)
from bot.domain.edits import Edit

PAGES = 20
"""Lists of messages that are looked through: what a very busy channel says in an hour."""


class SecondMessage:
    """Finds or posts an edit's second message."""

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest
        self._bot_id: str | None = None

    async def put(
        self,
        edit: Edit,
        body: JSON,
        *,
        files: Sequence[File],
        tries: int | None,
        until: float,
    ) -> Answer | None:
        """Show `body` in the edit's second message; what the last request came to.

        The loop's time `until` is when trying ends.
        """
        channel_id = edit.order.channel_id
        if edit.order.private:
            opened = await self._rest.open_direct_messages(edit.order.member_id, until=until)
            if opened is None or not opened.ok:
                return opened
            channel_id = int(opened.body["id"])
        try:
            found = await self._find(edit, channel_id, until)
            if found is None:
                answer = await self._rest.post(
                    channel_id,
                    {**body, "allowed_mentions": {"users": [str(edit.order.member_id)]}},
                    files=files,
                    nonce=f"{edit.order.id}{'-made' if files else '-end'}",
                    tries=tries,
                    until=until,
                )
                if not is_failure(answer):
                    return answer
                found = await self._find(edit, channel_id, until)
                if found is None:
                    return answer
        except _UnseenError as unseen:
            return unseen.answer
        return await self._rest.edit(found, body, files=files, tries=tries, until=until)

    async def _find(self, edit: Edit, channel_id: int, until: float) -> OwnMessage | None:
        """The edit's message in a channel, other than the first one, if there is one.

        Raises:
            _Unseen: the channel could not be looked through just now.
        """
        after = edit.order.id
        for _ in range(PAGES):
            answer = await self._rest.list_messages(channel_id, after=after, until=until)
            if answer is None or (not answer.ok and not _may_be_posted_in(answer)):
                raise _UnseenError(answer)
            if not answer.ok:
                return None
            ids = [int(message["id"]) for message in answer.items]
            for message_id, message in zip(ids, answer.items, strict=True):
                if message_id == edit.message_id or not _is_of(message, edit.order.id):
                    continue
                if message["author"]["id"] == await self._find_bot_id(until):
                    return OwnMessage(channel_id, message_id)
            if len(ids) < LISTED:
                break
            after = max(ids)
        return None

    async def _find_bot_id(self, until: float) -> str:
        """The bot's user id, which an old application's id differs from.

        Raises:
            _Unseen: Discord didn't tell it just now.
        """
        if self._bot_id is None:
            answer = await self._rest.get_bot_user(until=until)
            if answer is None or not answer.ok:
                raise _UnseenError(answer)
            self._bot_id = str(answer.body["id"])
        return self._bot_id


def id_line(edit_id: int) -> str:
    """The line that ends the first text of an edit's second message."""
    return f"-# Edit {edit_id}"


class _UnseenError(Exception):
    """What is in a channel could not be had now; `answer` is what Discord said."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__("the channel could not be looked through")
        self.answer = answer


def _may_be_posted_in(answer: Answer) -> bool:
    """Whether a channel takes messages, perhaps, although its messages are not shown.

    Then the nonce alone guards against posting twice.
    """
    passing = is_failure(answer) or answer.status == HTTPStatus.TOO_MANY_REQUESTS
    return not passing and answer.code not in {MISSING_ACCESS, UNKNOWN_CHANNEL}


def _is_of(message: JSON, edit_id: int) -> bool:
    """Whether a message answers the edit's interaction, or begins with a text with its id line.

    The nonce cannot tell: Discord returns it only when the message is made.
    """
    metadata: JSON = message.get("interaction_metadata") or {}
    if metadata.get("id") == str(edit_id):
        return True
    components: Sequence[JSON] = message.get("components") or ()
    if not components:
        return False
    return str(components[0].get("content", "")).split("\n")[-1] == id_line(edit_id)
