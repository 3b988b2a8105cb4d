"""What buttons and forms carry, in two families; nothing is kept in memory for a message.

An `Action` has arguments and works in one member's hands for up to two hours. Its id carries the
time of the first message of its chain, and whether its holder had Manage Server then. The last part
is a keyed digest over all of it, so an id that is made up, old, or from another member or server
reads as nothing. A `Lasting` one names an action and a row of the ledger, and works for ever: who
may do what with the row is looked up when it is used.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

VERSION, LASTING = "3", "2"
"""How custom ids of each family begin; a 1 began signed ids that did not carry their first time."""

LONGEST = 100
"""Characters of a custom id.

https://docs.discord.com/developers/components/reference#anatomy-of-a-component-custom-id
"""

LIFETIME = timedelta(hours=2)
"""How long buttons work after the first message of their chain: since then, their holder may have
lost what let them run the command."""

LARGEST_ROW_ID = 2**63 - 1

MANAGER = "m"
"""Marks ids whose holder had Manage Server when the first message was shown."""

_SEPARATOR = ":"
_NAME = re.compile("[a-z_.]{1,40}")
_LASTING = re.compile(f"{LASTING}:({_NAME.pattern}):([0-9]{{1,19}})")
_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class SignatureScope:
    """The member in whose hands a button works, and in which server.

    A new page gets its ids from the holder that `read` returned, so they expire with the first.
    """

    guild_id: int
    member_id: int
    manages_server: bool = False
    """Whether they have Manage Server; as read from an id, whether they had it at first."""
    first_shown: datetime | None = None
    """When the first message of the chain was shown; None if that is happening now."""


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

    def write(self, action: Action, holder: SignatureScope) -> str:
        """The custom id of a button; raises ValueError where it gets too long or ambiguous."""
        first_shown = holder.first_shown or self._clock()
        parts = (
            VERSION,
            f"{int(first_shown.timestamp()):x}",
            MANAGER if holder.manages_server else "",
            action.name,
            *action.arguments,
        )
        if any(_SEPARATOR in part for part in parts):
            raise ValueError(f"a part of {parts} holds what separates them")
        body = _SEPARATOR.join(parts)
        custom_id = _SEPARATOR.join((body, self._digest(body, holder)))
        if len(custom_id) > LONGEST:
            raise ValueError(f"the custom id {custom_id} is too long")
        return custom_id

    def read(self, custom_id: str, presser: SignatureScope) -> tuple[Action, SignatureScope] | None:
        """What a custom id asks for, and its holder; None unless it works for the presser now."""
        body, _, digest = custom_id.rpartition(_SEPARATOR)
        if not hmac.compare_digest(_encode(digest), _encode(self._digest(body, presser))):
            return None
        version, *rest = body.split(_SEPARATOR)
        if version != VERSION:
            return None
        seconds, manager, name, *arguments = rest
        first_shown = datetime.fromtimestamp(int(seconds, 16), UTC)
        if not timedelta(0) <= self._clock() - first_shown < LIFETIME:
            return None
        if manager and not presser.manages_server:
            return None
        holder = replace(presser, manages_server=bool(manager), first_shown=first_shown)
        return Action(name, tuple(arguments)), holder

    def _digest(self, body: str, holder: SignatureScope) -> str:
        signed = _encode(f"{holder.guild_id}\0{holder.member_id}\0{body}")
        digest = hmac.digest(self._key, signed, "sha256")[:_DIGEST_BYTES]
        return base64.urlsafe_b64encode(digest).decode()


def _encode(text: str) -> bytes:
    """Bytes of any text, of one with half a character too."""
    return text.encode("utf-8", "surrogatepass")
