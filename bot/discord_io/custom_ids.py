"""The custom ids of buttons and forms, in two families. No message keeps anything in memory.

An `Action` has arguments, and works for one member in one server for up to two hours. Its id has
the time of the first message of its chain, and whether the member had Manage Server then. It ends
with a keyed digest of all of it, so an id that is made up, expired, or from another member or
server isn't read. A `PersistentAction` names an action and a row of the ledger, and never expires:
the bot checks at the click who may do what with the row.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

VERSION, PERSISTENT = "3", "2"
"""The prefixes of both families. Signed ids with a 1 had no time of their first message."""

MAX_LENGTH = 100
"""Characters of a custom id.

https://docs.discord.com/developers/components/reference#anatomy-of-a-component-custom-id
"""

LIFETIME = timedelta(hours=2)
"""How long buttons work after the first message of their chain. By then, the member may no longer
be allowed to run the command."""

MAX_ROW_ID = 2**63 - 1

MANAGER = "m"
"""Marks ids of members who had Manage Server when the first message was shown."""

_SEPARATOR = ":"
_NAME = re.compile("[a-z_.]{1,40}")
_PERSISTENT = re.compile(f"{PERSISTENT}:({_NAME.pattern}):([0-9]{{1,19}})")
_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class SignatureScope:
    """The member and server that a button works for.

    A new page uses the scope that `read` returned, so its ids expire with those of the first page.
    """

    guild_id: int
    member_id: int
    manages_server: bool = False
    """Whether they have Manage Server; in a scope read from an id, whether they had it at first."""
    first_shown: datetime | None = None
    """When the chain's first message was shown; None for that message itself."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a button does."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersistentAction:
    """What a button does with a row of the ledger, for everyone and forever."""

    name: str
    row_id: int


def write_persistent(name: str, row_id: int) -> str:
    """Return a persistent action's custom id.

    Raises:
        ValueError: `name` isn't an action's name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name} isn't an action's name")
    return _SEPARATOR.join((PERSISTENT, name, str(row_id)))


def read_persistent(custom_id: str) -> PersistentAction | None:
    """Read a custom id; None if it belongs to the other family or is made up."""
    found = _PERSISTENT.fullmatch(custom_id)
    if found is None or int(found[2]) > MAX_ROW_ID:
        return None
    return PersistentAction(found[1], int(found[2]))


class CustomIds:
    """Writes and reads signed custom ids, with a key derived from a secret."""

    def __init__(
        self, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._key = hashlib.sha256(f"custom ids\0{secret}".encode()).digest()
        self._clock = clock

    def write(self, action: Action, scope: SignatureScope) -> str:
        """Return an action's custom id.

        Raises:
            ValueError: it would be too long, or a part has a colon.
        """
        first_shown = scope.first_shown or self._clock()
        parts = (
            VERSION,
            f"{int(first_shown.timestamp()):x}",
            MANAGER if scope.manages_server else "",
            action.name,
            *action.arguments,
        )
        if any(_SEPARATOR in part for part in parts):
            raise ValueError(f"a part of {parts} has the separator in it")
        body = _SEPARATOR.join(parts)
        custom_id = _SEPARATOR.join((body, self._digest(body, scope)))
        if len(custom_id) > MAX_LENGTH:
            raise ValueError(f"the custom id {custom_id} is too long")
        return custom_id

    def read(self, custom_id: str, clicker: SignatureScope) -> tuple[Action, SignatureScope] | None:
        """Return a custom id's action and its scope; None unless it works for the clicker now."""
        body, _, digest = custom_id.rpartition(_SEPARATOR)
        if not hmac.compare_digest(_encode(digest), _encode(self._digest(body, clicker))):
            return None
        version, *rest = body.split(_SEPARATOR)
        if version != VERSION:
            return None
        seconds, manager, name, *arguments = rest
        first_shown = datetime.fromtimestamp(int(seconds, 16), UTC)
        if not timedelta(0) <= self._clock() - first_shown < LIFETIME:
            return None
        if manager and not clicker.manages_server:
            return None
        scope = replace(clicker, manages_server=bool(manager), first_shown=first_shown)
        return Action(name, tuple(arguments)), scope

    def _digest(self, body: str, scope: SignatureScope) -> str:
        signed = _encode(f"{scope.guild_id}\0{scope.member_id}\0{body}")
        digest = hmac.digest(self._key, signed, "sha256")[:_DIGEST_BYTES]
        return base64.urlsafe_b64encode(digest).decode()


def _encode(text: str) -> bytes:
    """Encode any text, even with half of a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")
