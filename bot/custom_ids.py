"""What a button carries: a version, an action and its arguments, valid for one member's hands.

A made-up id, one of another member's buttons and one of another server read as nothing: the last
part is a keyed digest over all of it. Nothing is kept in memory for a message.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

VERSION = "1"

LONGEST = 100
"""Characters of a custom id.

https://docs.discord.com/developers/components/reference#anatomy-of-a-component-custom-id
"""

_SEPARATOR = ":"
_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class Holder:
    """The member in whose hands a button works, and in which server."""

    guild_id: int
    member_id: int


@dataclass(frozen=True, slots=True)
class Action:
    """What a button does."""

    name: str
    arguments: tuple[str, ...] = ()


class CustomIds:
    """Writes and reads custom ids under a key that is drawn from a secret of the bot's."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(f"custom ids\0{secret}".encode()).digest()

    def write(self, action: Action, holder: Holder) -> str:
        """The custom id of a button; raises ValueError where it gets too long or ambiguous."""
        parts = (VERSION, action.name, *action.arguments)
        if any(_SEPARATOR in part for part in parts):
            raise ValueError(f"a part of {parts} holds what separates them")
        body = _SEPARATOR.join(parts)
        custom_id = _SEPARATOR.join((body, self._digest(body, holder)))
        if len(custom_id) > LONGEST:
            raise ValueError(f"the custom id {custom_id} is too long")
        return custom_id

    def read(self, custom_id: str, holder: Holder) -> Action | None:
        """What a custom id asks for; None where it is not for these hands."""
        body, _, digest = custom_id.rpartition(_SEPARATOR)
        if not hmac.compare_digest(_encode(digest), _encode(self._digest(body, holder))):
            return None
        version, *parts = body.split(_SEPARATOR)
        if version != VERSION or not parts:
            return None
        return Action(parts[0], tuple(parts[1:]))

    def _digest(self, body: str, holder: Holder) -> str:
        signed = _encode(f"{holder.guild_id}\0{holder.member_id}\0{body}")
        digest = hmac.digest(self._key, signed, "sha256")[:_DIGEST_BYTES]
        return base64.urlsafe_b64encode(digest).decode()


def _encode(text: str) -> bytes:
    """Bytes of any text, of one with half a character too."""
    return text.encode("utf-8", "surrogatepass")
