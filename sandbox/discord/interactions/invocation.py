"""What a member's client sends: a command's options checked, resolved, put into a payload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sandbox.discord.cdn import StoredFile, guess_type
from sandbox.discord.guilds import Channel, Member, Role
from sandbox.discord.interactions.commands import (
    CHOOSABLE,
    InvalidInvocation,
    OptionType,
    check_options,
    contexts_of,
)
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.discord.world import World, safe_name
from sandbox.values import JsonObject, as_array, object_at, objects_at, text_at

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


@dataclass(frozen=True, slots=True)
class RawId:
    """An id sent alone, with nothing resolved: that of a deleted role, or another server's."""

    id: int


Given: TypeAlias = "str | int | float | bool | Upload | Member | Channel | Role | RawId"
Chosen: TypeAlias = "str | Member | Channel | Role | RawId"
Filled: TypeAlias = "str | bool | Sequence[Chosen | Upload] | None"


@dataclass(slots=True)
class Resolved:
    """What a command's options, a select or a form name by id."""

    world: World
    channel: Channel
    member: Member
    attachments: JsonObject = field(default_factory=dict[str, object])
    users: JsonObject = field(default_factory=dict[str, object])
    members: JsonObject = field(default_factory=dict[str, object])
    channels: JsonObject = field(default_factory=dict[str, object])
    roles: JsonObject = field(default_factory=dict[str, object])

    def option(self, option: JsonObject, value: Given) -> JsonObject:
        """Return an option as it is sent, noting what it names."""
        name, kind = text_at(option, "name"), option["type"]
        sent: object = value
        if kind in NAMING:
            types = as_array(option.get("channel_types")) or ()
            sent = self.identify(name, kind, value, types)
        elif not isinstance(value, str | int | float):
            raise InvalidInvocation(f"{name}: takes no {type(value).__name__}")
        return {"name": name, "type": kind, "value": sent}

    def identify(
        self, name: str, kind: object, value: object, channel_types: Sequence[object] = ()
    ) -> str:
        """Return the id under which a person, role, channel or file is sent, noting what it is."""
        match value:
            case Upload() if kind == OptionType.ATTACHMENT:
                return self._attach(value)
            case Member() if kind in {OptionType.USER, OptionType.MENTIONABLE}:
                return self._name_user(name, value)
            case Role() if kind in {OptionType.ROLE, OptionType.MENTIONABLE}:
                return self._name_role(name, value)
            case Channel() if kind == OptionType.CHANNEL:
                return self._name_channel(name, value, channel_types)
            case RawId() if kind in NAMING - {OptionType.ATTACHMENT}:
                return str(value.id)
            case _:
                raise InvalidInvocation(f"{name}: takes no {type(value).__name__}")

    def _name_user(self, name: str, named: Member) -> str:
        """Resolve somebody; of one who is not in the server any more the user alone is left."""
        guild, key = self.channel.guild, str(named.id)
        if guild is not None and named.guild is not guild:
            raise InvalidInvocation(f"{name}: {named.name} is of another server")
        self.users[key] = named.user.to_json()
        if guild is not None and named.id in guild.members:
            allowed = self.channel.permissions_of(named)
            left_out = ("user", "deaf", "mute")
            partial = {at: value for at, value in named.to_json().items() if at not in left_out}
            self.members[key] = partial | {"permissions": str(allowed)}
        return key

    def _name_role(self, name: str, named: Role) -> str:
        guild, key = self.channel.guild, str(named.id)
        if guild is None or named.id not in guild.roles:
            raise InvalidInvocation(f"{name}: there is no role {named.name} here")
        self.roles[key] = named.to_json()
        return key

    def _name_channel(self, name: str, named: Channel, types: Sequence[object]) -> str:
        guild, key = self.channel.guild, str(named.id)
        if guild is None or named.guild is not guild:
            raise InvalidInvocation(f"{name}: there is no #{named.name} here")
        if types and named.type not in types:
            raise InvalidInvocation(f"{name}: takes no {named.type.name.lower()}")
        allowed = named.permissions_of(self.member)
        if not allowed & Permission.VIEW_CHANNEL:
            raise InvalidInvocation(f"{name}: {self.member.name} does not see #{named.name}")
        self.channels[key] = named.to_json() | {"permissions": str(allowed)}
        return key

    def _attach(self, upload: Upload) -> str:
        folder = f"ephemeral-attachments/{self.world.application_id}"
        stored = store_upload(self.world, upload, folder, ephemeral=True)
        self.attachments[str(stored.id)] = stored.attachment()
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


def store_upload(
    world: World, upload: Upload, folder: str, *, ephemeral: bool = False
) -> StoredFile:
    """Put a member's file at the CDN; raises InvalidInvocation for one that is too large."""
    path = upload.data if isinstance(upload.data, Path) else world.write(upload.data)
    size = path.stat().st_size if upload.size is None else upload.size
    if not 0 < size <= LARGEST_UPLOAD:
        raise InvalidInvocation(f"{upload.name}: {size} bytes cannot be uploaded")
    return world.store(
        StoredFile(
            id=0,
            name=safe_name(upload.name),
            path=path,
            size=size,
            content_type=upload.content_type or guess_type(upload.name),
            width=upload.width,
            height=upload.height,
            folder=folder,
            url="",
            spoiler=upload.name.startswith("SPOILER_"),
            ephemeral=ephemeral,
        )
    )


def check_presence(channel: Channel, member: Member) -> None:
    """Refuse somebody who cannot be where a channel is; raises InvalidInvocation."""
    guild, recipient = channel.guild, channel.recipient
    if guild is None:
        if recipient is not None and recipient.id != member.id:
            raise InvalidInvocation(f"{member.name} does not see {recipient.name}'s messages")
        return
    if guild.members.get(member.id) is not member:
        raise InvalidInvocation(f"{member.name} is not in {guild.name}")
    if not channel.permissions_of(member) & Permission.VIEW_CHANNEL:
        raise InvalidInvocation(f"{member.name} does not see #{channel.name}")


def check_leave(command: JsonObject, channel: Channel, member: Member) -> None:
    """Refuse a command that the member would not be offered; raises InvalidInvocation."""
    name = command["name"]
    if (0 if channel.guild is not None else 1) not in contexts_of(command):
        raise InvalidInvocation(f"/{name} is not offered here")
    check_presence(channel, member)
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
    command: JsonObject, path: list[str], given: Mapping[str, Given], resolved: Resolved
) -> JsonObject:
    """Return the data of a command's interaction, its options checked as a client checks them."""
    chain = _descend(command, path)
    check_options(chain[-1], given)
    registered = _options_of(chain[-1])
    options = [resolved.option(registered[name], value) for name, value in given.items()]
    data = _nest(chain, options)
    named = resolved.to_json()
    if named:
        data["resolved"] = named
    return data


def target_data(target: Message | Member, resolved: Resolved) -> JsonObject:
    """Return what a context menu command's interaction tells of what it was used on."""
    key = str(target.id)
    if isinstance(target, Member):
        resolved.identify(target.name, OptionType.USER, target)
        return {"target_id": key, "resolved": resolved.to_json()}
    if target.channel is not resolved.channel or target.deleted:
        raise InvalidInvocation("This message is not here any more.")
    return {"target_id": key, "resolved": {"messages": {key: target.to_json()}}}


def suggestion_data(
    command: JsonObject, path: list[str], typed: Mapping[str, Given], focused: str
) -> JsonObject:
    """Return the data of an interaction that asks what to suggest for one of a command's options.

    It carries whatever was given so far, as typed and with nothing resolved
    (https://discord.com/developers/docs/interactions/application-commands#autocomplete).
    """
    chain = _descend(command, path)
    registered = _options_of(chain[-1])
    for name in (*typed, focused):
        if name not in registered:
            raise InvalidInvocation(f"{name}: /{command['name']} has no such option")
    if not registered[focused].get("autocomplete"):
        raise InvalidInvocation(f"{focused}: nothing is suggested for this option")
    options = [
        _typed_option(registered[name], value) | ({"focused": True} if name == focused else {})
        for name, value in (dict(typed) | {focused: typed.get(focused, "")}).items()
    ]
    return _nest(chain, options)


def focused_kind(payload: JsonObject) -> object:
    """Return the kind of the option that an interaction asks suggestions for."""
    level = object_at(payload, "data")
    while nested := objects_at(level, "options"):
        level = next((each for each in nested if each.get("focused")), nested[0])
    return level.get("type")


def _typed_option(option: JsonObject, value: Given) -> JsonObject:
    name, kind = text_at(option, "name"), option["type"]
    match value:
        case bool() if kind == OptionType.BOOLEAN:
            sent: object = value
        case str() | int() | float() if kind in CHOOSABLE and not isinstance(value, bool):
            sent = str(value)
        case Member() | Role() | Channel() | RawId() if kind in NAMING - {OptionType.ATTACHMENT}:
            sent = str(value.id)
        case _:
            raise InvalidInvocation(f"{name}: takes no {type(value).__name__}")
    return {"name": name, "type": kind, "value": sent}


def _descend(command: JsonObject, path: list[str]) -> list[JsonObject]:
    """Return a command and those of its groups and subcommands that a path names."""
    chain = [command]
    for name in path:
        found = _options_of(chain[-1]).get(name)
        if found is None:
            raise InvalidInvocation(f"/{command['name']} has no {name}")
        chain.append(found)
    return chain


def _options_of(level: JsonObject) -> dict[str, JsonObject]:
    return {text_at(each, "name"): each for each in objects_at(level, "options")}


def _nest(chain: list[JsonObject], options: list[JsonObject]) -> JsonObject:
    """Return a command's data with options at the end of a path."""
    command, *inner = chain
    for level in reversed(inner):
        options = [{"name": level["name"], "type": level["type"], "options": options}]
    data: JsonObject = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if options:
        data["options"] = options
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
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
