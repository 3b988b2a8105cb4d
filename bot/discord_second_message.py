"""Shows an edit in a second message where Discord does not take its first one any more.

A public edit's is posted in the channel and mentions its member alone; a private one's is a direct
message. Posting, unlike editing, must not be repeated blindly. So the channel is looked through
first for a message of an earlier try, perhaps by an earlier process: the bot's own that names the
edit's id. A nonce made of that id guards the minutes in which such a message may not be seen yet.
"""

from collections.abc import Sequence
from http import HTTPStatus
from json import dumps

from bot.discord_rest import (
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
from bot.ledger import Edit

PAGES = 20
"""Lists of messages that are looked through: what a very busy channel says in an hour."""


class SecondMessage:
    """Finds or posts an edit's second message."""

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest

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
        except _Unseen as unseen:
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
                raise _Unseen(answer)
            if not answer.ok:
                return None
            ids = [int(message["id"]) for message in answer.items]
            for message_id, message in zip(ids, answer.items, strict=True):
                if message_id != edit.message_id and _names(message, edit.order.id):
                    return OwnMessage(channel_id, message_id)
            if len(ids) < LISTED:
                break
            after = max(ids)
        return None


class _Unseen(Exception):
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


def _names(message: JSON, edit_id: int) -> bool:
    """Whether a bot's message answers the edit's command or has its id in what it shows.

    The nonce cannot tell: Discord returns it only when the message is made.
    """
    author: JSON = message.get("author") or {}
    if not author.get("bot"):
        return False
    told = [message.get("interaction_metadata"), message.get("components")]
    return str(edit_id) in dumps(told)
