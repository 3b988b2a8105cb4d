"""What buttons and forms carry, in two families; nothing is kept in memory for a message.

An `Action` has arguments and works in one member's hands, for an hour or two: a made-up id, another
member's, another server's and an old one read as nothing, for the last part is a keyed digest over
all of it and the hour. A `Lasting` one names an action and a row of the ledger, and works for ever:
who may do what with the row is looked up when it is used.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

VERSION, LASTING = "1", "2"
"""How custom ids of each family begin."""

LONGEST = 100
"""Characters of a custom id.

https://docs.discord.com/developers/components/reference#anatomy-of-a-component-custom-id
"""

HOURS = 1
"""For so many whole hours, and what is left of another, a button works: whoever presses it may have
lost since then what let them run the command."""

LARGEST_ROW_ID = 2**63 - 1

_SEPARATOR = ":"
_NAME = re.compile("[a-z_.]{1,40}")
_LASTING = re.compile(f"{LASTING}:({_NAME.pattern}):([0-9]{{1,19}})")
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


@dataclass(frozen=True, slots=True)
class Lasting:
    """What a button does with a row of the ledger, whoever presses it, however late."""

    name: str
    row_id: int


def write_lasting(name: str, row_id: int) -> str:
    """The custom id of a `Lasting` action; raises ValueError for a name that is none."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name} is no action's name")
    return _SEPARATOR.join((LASTING, name, str(row_id)))


def read_lasting(custom_id: str) -> Lasting | None:
    """What a custom id asks for; None where it is of another family, or made up."""
    found = _LASTING.fullmatch(custom_id)
    if found is None or int(found[2]) > LARGEST_ROW_ID:
        return None
    return Lasting(found[1], int(found[2]))


class CustomIds:
    """Writes and reads custom ids under a key that is drawn from a secret of the bot's."""

    def __init__(
        self, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._key = hashlib.sha256(f"custom ids\0{secret}".encode()).digest()
        self._clock = clock

    def write(self, action: Action, holder: Holder) -> str:
        """The custom id of a button; raises ValueError where it gets too long or ambiguous."""
        parts = (VERSION, action.name, *action.arguments)
        if any(_SEPARATOR in part for part in parts):
            raise ValueError(f"a part of {parts} holds what separates them")
        body = _SEPARATOR.join(parts)
        custom_id = _SEPARATOR.join((body, self._digest(body, holder, self._hour())))
        if len(custom_id) > LONGEST:
            raise ValueError(f"the custom id {custom_id} is too long")
        return custom_id

    def read(self, custom_id: str, holder: Holder) -> Action | None:
        """What a custom id asks for; None where it is not for these hands, or is too old."""
        body, _, digest = custom_id.rpartition(_SEPARATOR)
        now = self._hour()
        valid = [self._digest(body, holder, hour) for hour in range(now - HOURS, now + 1)]
        if not any(hmac.compare_digest(_encode(digest), _encode(each)) for each in valid):
            return None
        version, *parts = body.split(_SEPARATOR)
        if version != VERSION or not parts:
            return None
        return Action(parts[0], tuple(parts[1:]))

    def _hour(self) -> int:
        """The current hour since 1970."""
        return int(self._clock().timestamp() // 3600)

    def _digest(self, body: str, holder: Holder, hour: int) -> str:
        signed = _encode(f"{holder.guild_id}\0{holder.member_id}\0{hour}\0{body}")
        digest = hmac.digest(self._key, signed, "sha256")[:_DIGEST_BYTES]
        return base64.urlsafe_b64encode(digest).decode()


def _encode(text: str) -> bytes:
    """Bytes of any text, of one with half a character too."""
    return text.encode("utf-8", "surrogatepass")
