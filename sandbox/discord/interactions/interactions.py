"""Interactions: what a member sent to the bot, and what became of it."""

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import IntEnum

from sandbox.discord.guilds import Channel, Member
from sandbox.discord.messages import Flag, Message
from sandbox.discord.world import FILE_LIMIT, World
from sandbox.signals import Signal
from sandbox.values import JsonObject, objects_at

SECONDS_TO_ACKNOWLEDGE = 3.0
TOKEN_SECONDS = 15 * 60.0
PATIENCE = 30.0


class InteractionType(IntEnum):
    """What a member did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class CallbackType(IntEnum):
    """How a bot may answer first."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The first answer: its type and flags, how long it took, and its message or other data."""

    type: int
    flags: int
    seconds: float
    message: Message | None
    data: JsonObject

    @property
    def ephemeral(self) -> bool:
        """Whether the member alone sees the answer."""
        return bool(self.flags & Flag.EPHEMERAL)

    @property
    def choices(self) -> list[JsonObject]:
        """What was suggested."""
        return objects_at(self.data, "choices")


class Interaction:
    """One interaction, from its sending to the last change of its answer."""

    def __init__(
        self, world: World, kind: InteractionType, channel: Channel, member: Member
    ) -> None:
        self.id = world.new_id()
        self.token = secrets.token_urlsafe(96)
        self.type = kind
        self.channel = channel
        self.member = member
        self.changed = Signal()
        self.acknowledgement: Acknowledgement | None = None
        self.message: Message | None = None
        self.source: Message | None = None
        self.form: Interaction | None = None
        self.submission: Interaction | None = None
        self.target: Message | Member | None = None
        self.followups: list[Message] = []
        self.attachment_size_limit = FILE_LIMIT
        self.payload: JsonObject = {}
        self.sent = world.clock.now()
        self._clock = world.clock
        self._sent_at = world.clock.seconds()
        self._deadline = self._sent_at + SECONDS_TO_ACKNOWLEDGE
        self._expires = self._sent_at + TOKEN_SECONDS

    def __repr__(self) -> str:
        return f"<Interaction {self.id} {self.type.name.lower()} by {self.member.name}>"

    @property
    def about(self) -> Message | None:
        """The message on which a command was run, or whose button or select was used."""
        return self.target if isinstance(self.target, Message) else self.source

    @property
    def seconds(self) -> float:
        """How long ago it was sent."""
        return self._clock.seconds() - self._sent_at

    @property
    def late(self) -> bool:
        """Whether its three seconds are over."""
        return self._clock.seconds() > self._deadline

    @property
    def expired(self) -> bool:
        """Whether its token is dead."""
        return self._clock.seconds() > self._expires

    @property
    def failed(self) -> bool:
        """Whether the member reads "The application did not respond"."""
        return self.acknowledgement is None and self.late

    def too_late(self) -> None:
        """Let its three seconds be over at once."""
        self._deadline = self._clock.seconds() - 1

    def expire(self) -> None:
        """Let its token be dead at once."""
        self._expires = self._clock.seconds() - 1

    def acknowledge(
        self, kind: int, flags: int, message: Message | None, data: JsonObject
    ) -> Acknowledgement:
        """Note the first answer."""
        self.message = message
        self.acknowledgement = Acknowledgement(kind, flags, self.seconds, message, data)
        self.changed.fire()
        return self.acknowledgement

    def acknowledged(
        self, *, timeout: float = PATIENCE
    ) -> Coroutine[object, object, Acknowledgement]:
        """Wait for the first answer; raises TimeoutError."""
        return self.changed.until(lambda: self.acknowledgement, timeout=timeout)

    def settled(self, *, timeout: float = PATIENCE) -> Coroutine[object, object, Message]:
        """Wait for an answer that is more than "thinking"; raises TimeoutError."""
        return self.until(lambda message: not message.loading, timeout=timeout)

    def posted(self, *, timeout: float = PATIENCE) -> Coroutine[object, object, Message]:
        """Wait for an answer with files; raises TimeoutError."""
        return self.until(lambda message: bool(message.files), timeout=timeout)

    def until(
        self, satisfied: Callable[[Message], bool], *, timeout: float = PATIENCE
    ) -> Coroutine[object, object, Message]:
        """Wait until the answer's message satisfies a condition; raises TimeoutError."""

        def look() -> Message | None:
            message = self.message
            return message if message is not None and satisfied(message) else None

        return self.changed.until(look, timeout=timeout)

    def metadata(self) -> JsonObject:
        """Return what the answer's message tells of this interaction."""
        body: JsonObject = {
            "id": str(self.id),
            "type": self.type,
            "user": self.member.user.to_json(),
            "authorizing_integration_owners": self.payload["authorizing_integration_owners"],
        }
        match self.target:
            case Message():
                body["target_message_id"] = str(self.target.id)
            case Member():
                body["target_user"] = self.target.user.to_json()
            case None:
                pass
        if self.form is not None:
            body["triggering_interaction_metadata"] = self.form.metadata()
        elif self.source is not None:
            body["interacted_message_id"] = str(self.source.id)
        return body
