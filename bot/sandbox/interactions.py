"""Interactions: what a member sent to the bot, and what became of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.sandbox.cdn import StoredFile, guess_type
from bot.sandbox.commands import InvalidInvocation, OptionType, check_options, contexts_of
from bot.sandbox.permissions import Permission
from bot.sandbox.signals import Signal
from bot.sandbox.values import JsonObject, objects_at, text_at
from bot.sandbox.world import FILE_LIMIT, Channel, Member, Role, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from bot.sandbox.world import Message, World

SECONDS_TO_ACKNOWLEDGE = 3.0
TOKEN_SECONDS = 15 * 60.0
PATIENCE = 30.0
LARGEST_UPLOAD = 500 * 1024 * 1024


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
class Upload:
    """A file that a member gives to an option; what Discord reports of it can be made to differ."""

    name: str
    data: bytes | Path
    content_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None


Given: TypeAlias = "str | int | float | bool | Upload | Member | Channel | Role"


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
        return bool(self.flags & (1 << 6))


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
        self.followups: list[Message] = []
        self.attachment_size_limit = FILE_LIMIT
        self.payload: JsonObject = {}
        self._clock = world.clock
        self._sent_at = world.clock.seconds()
        self._deadline = self._sent_at + SECONDS_TO_ACKNOWLEDGE
        self._expires = self._sent_at + TOKEN_SECONDS

    def __repr__(self) -> str:
        return f"<Interaction {self.id} {self.type.name.lower()} by {self.member.name}>"

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
        if self.source is not None:
            body["interacted_message_id"] = str(self.source.id)
        return body


@dataclass(slots=True)
class Resolved:
    """What the options of a command name by id."""

    world: World
    attachments: JsonObject
    users: JsonObject
    members: JsonObject
    channels: JsonObject
    roles: JsonObject

    @classmethod
    def empty(cls, world: World) -> Resolved:
        """Start with nothing."""
        return cls(world, {}, {}, {}, {}, {})

    def option(self, option: JsonObject, value: Given) -> JsonObject:
        """Return an option as it is sent, noting what it names."""
        name, kind = text_at(option, "name"), option["type"]
        match value:
            case Upload() if kind == OptionType.ATTACHMENT:
                sent: object = self._attach(value)
            case Member() if kind in {OptionType.USER, OptionType.MENTIONABLE}:
                sent = str(value.id)
                self.users[str(value.id)] = value.user.to_json()
                partial = value.to_json()
                del partial["user"]
                self.members[str(value.id)] = partial | {"permissions": "0"}
            case Role() if kind in {OptionType.ROLE, OptionType.MENTIONABLE}:
                sent = str(value.id)
                self.roles[str(value.id)] = value.to_json()
            case Channel() if kind == OptionType.CHANNEL:
                sent = str(value.id)
                self.channels[str(value.id)] = value.to_json() | {"permissions": "0"}
            case str() | int() | float() if kind not in NAMING:
                sent = value
            case _:
                raise InvalidInvocation(f"{name}: takes no {type(value).__name__}")
        return {"name": name, "type": kind, "value": sent}

    def _attach(self, upload: Upload) -> str:
        path = upload.data if isinstance(upload.data, Path) else self.world.place(upload.data)
        size = path.stat().st_size if upload.size is None else upload.size
        if not 0 < size <= LARGEST_UPLOAD:
            raise InvalidInvocation(f"{upload.name}: {size} bytes cannot be uploaded")
        stored = self.world.store(
            StoredFile(
                id=0,
                name=safe_name(upload.name),
                path=path,
                size=size,
                content_type=upload.content_type or guess_type(upload.name),
                width=upload.width,
                height=upload.height,
                folder=f"ephemeral-attachments/{self.world.application_id}",
                url="",
                ephemeral=True,
            )
        )
        body = stored.attachment()
        self.attachments[str(stored.id)] = body
        return str(stored.id)

    def to_json(self) -> JsonObject:
        """Return the kinds that something was named of."""
        kinds = {
            "attachments": self.attachments,
            "users": self.users,
            "members": self.members,
            "channels": self.channels,
            "roles": self.roles,
        }
        return {kind: named for kind, named in kinds.items() if named}


NAMING = frozenset(
    {
        OptionType.ATTACHMENT,
        OptionType.USER,
        OptionType.CHANNEL,
        OptionType.ROLE,
        OptionType.MENTIONABLE,
    }
)


def check_leave(command: JsonObject, channel: Channel, member: Member) -> None:
    """Refuse a command that the member would not be offered; raises InvalidInvocation."""
    name = command["name"]
    if (0 if channel.guild is not None else 1) not in contexts_of(command):
        raise InvalidInvocation(f"/{name} is not offered here")
    if channel.guild is None:
        return
    allowed = channel.permissions_of(member)
    if not allowed & Permission.USE_APPLICATION_COMMANDS:
        raise InvalidInvocation(f"{member.name} may not use commands in #{channel.name}")
    needed = command.get("default_member_permissions")
    if isinstance(needed, str):
        bits = int(needed)
        if (bits == 0 or allowed & bits != bits) and not allowed & Permission.ADMINISTRATOR:
            raise InvalidInvocation(f"/{name} is not offered to {member.name}")


def command_data(
    world: World, command: JsonObject, path: list[str], given: Mapping[str, Given]
) -> JsonObject:
    """Return the data of a command's interaction, its options checked as a client checks them."""
    level: JsonObject = command
    chain: list[JsonObject] = []
    for name in path:
        inner = (each for each in objects_at(level, "options") if each["name"] == name)
        found = next(inner, None)
        if found is None:
            raise InvalidInvocation(f"/{command['name']} has no {name}")
        level = found
        chain.append(found)
    check_options(level, given)
    registered = {text_at(each, "name"): each for each in objects_at(level, "options")}
    resolved = Resolved.empty(world)
    options = [resolved.option(registered[name], value) for name, value in given.items()]
    for inner in reversed(chain):
        options = [{"name": inner["name"], "type": inner["type"], "options": options}]
    data: JsonObject = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if options:
        data["options"] = options
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    named = resolved.to_json()
    if named:
        data["resolved"] = named
    return data


def fill_payload(
    interaction: Interaction,
    world: World,
    data: JsonObject,
    *,
    app_permissions: int | None,
    attachment_size_limit: int,
) -> None:
    """Give an interaction the payload that INTERACTION_CREATE carries."""
    channel, member = interaction.channel, interaction.member
    guild = channel.guild
    bits = world.bot_permissions_in(channel) if app_permissions is None else app_permissions
    owner = "0" if guild is None else str(guild.id)
    body: JsonObject = {
        "id": str(interaction.id),
        "application_id": str(world.application_id),
        "type": interaction.type,
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "channel": channel.to_json(),
        "app_permissions": str(bits),
        "locale": "en-US",
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": {"0": owner},
        "context": 0 if guild is not None else 1,
        "attachment_size_limit": attachment_size_limit,
    }
    if guild is None:
        body["user"] = member.user.to_json()
    else:
        allowed = channel.permissions_of(member)
        body["guild_id"] = str(guild.id)
        body["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
        body["guild_locale"] = guild.locale
        body["member"] = member.to_json() | {"permissions": str(allowed)}
        body["channel"] = channel.to_json() | {"permissions": str(allowed)}
    if interaction.source is not None:
        body["message"] = interaction.source.to_json()
    interaction.attachment_size_limit = attachment_size_limit
    interaction.payload = body
