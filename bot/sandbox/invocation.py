"""What a member's client sends: a command's options checked, resolved, put into a payload."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.sandbox.cdn import StoredFile, guess_type
from bot.sandbox.commands import InvalidInvocation, OptionType, check_options, contexts_of
from bot.sandbox.guilds import Channel, Member, Role
from bot.sandbox.permissions import Permission
from bot.sandbox.values import JsonObject, objects_at, text_at
from bot.sandbox.world import safe_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sandbox.interactions import Interaction
    from bot.sandbox.world import World

LARGEST_UPLOAD = 500 * 1024 * 1024


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
