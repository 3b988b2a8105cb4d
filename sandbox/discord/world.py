"""The state of the sandbox's Discord: servers, messages and files."""

import hashlib
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from sandbox.clock import Clock
from sandbox.discord import permissions
from sandbox.discord.cdn import Cdn, StoredFile, guess_type, probe
from sandbox.discord.gateway_sessions import Intent
from sandbox.discord.guilds import (
    Channel,
    ChannelType,
    Guild,
    Member,
    Overwrite,
    Role,
    Thread,
    User,
)
from sandbox.discord.messages import Message, Revision
from sandbox.discord.permissions import Permission
from sandbox.signals import Signal
from sandbox.values import JsonObject

EPOCH_MS = 1_420_070_400_000
"""Discord's snowflakes count from 2015."""

FILE_LIMIT = 10 * 1024 * 1024
"""Bytes per file in a server without boosts."""


@dataclass(frozen=True, slots=True)
class MessageCreated:
    """A message was posted."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A message was edited."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message was deleted."""

    message: Message


Change: TypeAlias = MessageCreated | MessageEdited | MessageDeleted


@dataclass(frozen=True, slots=True)
class GuildEvent:
    """A change to a server, as the gateway's event of that name reports it."""

    name: str
    guild: Guild
    body: JsonObject
    intent: int = Intent.GUILDS


class World:
    """The servers and everything in them. Tells its listeners about each change."""

    def __init__(self, clock: Clock, cdn: Cdn, folder: Path) -> None:
        self.clock = clock
        self.cdn = cdn
        self.folder = folder
        self.changed = Signal()
        self.listeners: list[Callable[[Change], None]] = []
        self.guild_listeners: list[Callable[[GuildEvent], None]] = []
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self._history: dict[int, dict[int, Message]] = {}
        self._sequence = itertools.count()
        self._last_id = 0
        self.application_id = self.new_id()
        self.bot = User(self.application_id, "Darkroom", bot=True)
        self.users = {self.bot.id: self.bot}
        self.bot_permissions: int = permissions.MEMBER
        self.closed_to_bot: set[int] = set()
        """The users who block direct messages from the bot."""

    def new_id(self) -> int:
        """Return a new snowflake."""
        made = (int(self.clock.timestamp() * 1000) - EPOCH_MS) << 22 | next(self._sequence) & 0xFFF
        self._last_id = max(made, self._last_id + 1)
        return self._last_id

    def add_guild(
        self,
        name: str,
        channels: Sequence[str] = ("general", "images"),
        *,
        owner: str | User = "Olive",
    ) -> Guild:
        """Add a server with text channels, an owner, and the bot."""
        guild = Guild(self.new_id(), name, self.clock.now())
        guild.roles[guild.id] = Role(guild.id, "@everyone", permissions.MEMBER)
        guild.owner_id = self._join(guild, owner).id
        guild.members[self.bot.id] = Member(
            self.bot, guild, guild.created, permissions=self.bot_permissions
        )
        for channel in channels:
            self.add_channel(guild, channel)
        self.guilds.append(guild)
        self._emit("GUILD_CREATE", guild, guild.to_gateway_json(guild.members[self.bot.id]))
        return guild

    def expel_bot(self, guild: Guild) -> None:
        """Kick the bot out of a server."""
        del guild.members[self.bot.id]
        self._emit("GUILD_DELETE", guild, {"id": str(guild.id)})

    def add_channel(self, guild: Guild, name: str) -> Channel:
        """Add a text channel to a server."""
        channel = Channel(self.new_id(), name, guild, position=len(guild.channels))
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def add_thread(self, channel: Channel, name: str, owner: Member | None = None) -> Thread:
        """Add a public thread to a text channel. By default, the server's owner starts it."""
        guild = channel.guild
        if guild is None or channel.type is not ChannelType.GUILD_TEXT:
            raise ValueError("only a server's text channels have threads")
        thread = Thread(
            self.new_id(),
            name,
            guild,
            nsfw=channel.nsfw,
            parent=channel,
            owner_id=guild.owner_id if owner is None else owner.id,
            created=self.clock.now(),
        )
        guild.threads.append(thread)
        self.channels[thread.id] = thread
        if self.bot_permissions_in(thread) & Permission.VIEW_CHANNEL:
            self._emit("THREAD_CREATE", guild, thread.to_json() | {"newly_created": True})
        return thread

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Add a role above the server's other roles."""
        position = max(role.position for role in guild.roles.values()) + 1
        role = Role(self.new_id(), name, permissions, position)
        guild.roles[role.id] = role
        self._emit_in("GUILD_ROLE_CREATE", guild, {"role": role.to_json()})
        return role

    def delete_role(self, guild: Guild, role: Role) -> None:
        """Delete a role, and remove it from its members and channels."""
        guild.remove_role(role)
        self._emit_in("GUILD_ROLE_DELETE", guild, {"role_id": str(role.id)})

    def give_role(self, member: Member, role: Role) -> None:
        """Give a role to a member."""
        if role not in member.roles:
            member.roles.append(role)
            self._update_member(member)

    def take_role(self, member: Member, role: Role) -> None:
        """Remove a role from a member."""
        if role in member.roles:
            member.roles.remove(role)
            self._update_member(member)

    def _update_member(self, member: Member) -> None:
        # A bot needs no intent for updates of itself
        # (https://discord.com/developers/docs/events/gateway#caveats).
        intent = 0 if member.id == self.bot.id else Intent.GUILD_MEMBERS
        self._emit_in("GUILD_MEMBER_UPDATE", member.guild, member.to_json(), intent)

    def add_member(
        self,
        guild: Guild,
        who: str | User,
        *,
        permissions: int = 0,
        roles: Sequence[Role] = (),
        bot: bool = False,
    ) -> Member:
        """Add a new user by name, or an existing user, with extra permissions."""
        member = self._join(guild, who, permissions=permissions, roles=roles, bot=bot)
        self._emit_in("GUILD_MEMBER_ADD", guild, member.to_json(), Intent.GUILD_MEMBERS)
        return member

    def _join(
        self,
        guild: Guild,
        who: str | User,
        *,
        permissions: int = 0,
        roles: Sequence[Role] = (),
        bot: bool = False,
    ) -> Member:
        user = User(self.new_id(), who, bot) if isinstance(who, str) else who
        if user.id in guild.members:
            raise ValueError(f"{user.name} is already in {guild.name}")
        self.users[user.id] = user
        member = Member(user, guild, self.clock.now(), list(roles), permissions)
        guild.members[user.id] = member
        return member

    def leave(self, member: Member) -> None:
        """Remove a member from their server. The user still exists."""
        del member.guild.members[member.id]
        body: JsonObject = {"user": member.user.to_json()}
        self._emit_in("GUILD_MEMBER_REMOVE", member.guild, body, Intent.GUILD_MEMBERS)

    def forbid(self, channel: Channel, target: Role | Member, permissions: int) -> None:
        """Deny permissions to a role or a member in a channel."""
        self._overwrite(channel, target, deny=permissions)

    def permit(self, channel: Channel, target: Role | Member, permissions: int) -> None:
        """Allow permissions to a role or a member in a channel."""
        self._overwrite(channel, target, allow=permissions)

    def _overwrite(
        self, channel: Channel, target: Role | Member, *, allow: int = 0, deny: int = 0
    ) -> None:
        guild = channel.guild
        if guild is None or channel.type is not ChannelType.GUILD_TEXT:
            raise ValueError("only a server's text channels have permission overwrites")
        old = channel.overwrites.get(target.id, Overwrite())
        channel.overwrites[target.id] = Overwrite(
            old.allow & ~deny | allow, old.deny & ~allow | deny
        )
        self._emit("CHANNEL_UPDATE", guild, channel.to_json())

    def close_direct_messages(self, member: Member) -> None:
        """Make a user block direct messages from the bot."""
        self.closed_to_bot.add(member.id)

    def guild(self, guild_id: int) -> Guild | None:
        """Return a server by its id."""
        return next((guild for guild in self.guilds if guild.id == guild_id), None)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a text channel with its threads and messages."""
        guild, body = channel.guild, channel.to_json()
        if guild is None or channel not in guild.channels:
            raise ValueError("only a server's text channels can be deleted")
        threads = [thread for thread in guild.threads if thread.parent is channel]
        for gone in (channel, *threads):
            for message in list(self.history(gone).values()):
                self.deleted(message)
            del self.channels[gone.id]
            del self._history[gone.id]
        guild.channels.remove(channel)
        guild.threads = [thread for thread in guild.threads if thread not in threads]
        self._emit("CHANNEL_DELETE", guild, body)
        self.changed.fire()

    def direct_messages(self, user_id: int) -> Channel | None:
        """Return a user's DM channel with the bot. Open it if necessary."""
        for channel in self.channels.values():
            if channel.recipient is not None and channel.recipient.id == user_id:
                return channel
        for guild in self.guilds:
            if user_id in guild.members:
                user = guild.members[user_id].user
                channel = Channel(self.new_id(), user.name, None, recipient=user)
                self.channels[channel.id] = channel
                return channel
        return None

    def shares_server_with_bot(self, user_id: int) -> bool:
        """Return whether a user is in any of the bot's servers."""
        return any({user_id, self.bot.id} <= guild.members.keys() for guild in self.guilds)

    def bot_permissions_in(self, channel: Channel) -> int:
        """Return the bot's permissions in a channel."""
        if channel.guild is None:
            return permissions.MEMBER
        member = channel.guild.members.get(self.bot.id)
        return 0 if member is None else channel.permissions_of(member)

    def store(self, file: StoredFile) -> StoredFile:
        """Publish a file, with an id, a signed URL and its image size."""
        file_id = self.new_id()
        kind = file.content_type or guess_type(file.name)
        size = None
        if file.width is None and kind is not None and kind.startswith("image/"):
            size = probe(file.path)
        url = self.cdn.sign(file.folder, file_id, file.name)
        stored = replace(file, id=file_id, content_type=kind, url=url)
        if size is not None:
            stored = replace(stored, width=size[0], height=size[1])
        self.cdn.keep(stored)
        return stored

    def write(self, data: bytes) -> Path:
        """Write bytes to a file named by their hash."""
        path = self.folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            path.write_bytes(data)
        return path

    def history(self, channel: Channel) -> dict[int, Message]:
        """Return a channel's messages by id, except deleted and ephemeral ones."""
        return self._history.setdefault(channel.id, {})

    def created(self, message: Message) -> None:
        """Add a new message to its channel's history, unless it is ephemeral."""
        if not message.ephemeral:
            self.history(message.channel)[message.id] = message
            message.channel.total_message_sent += 1
            self._count_messages(message.channel)
        self._tell(MessageCreated(message))

    def edited(self, message: Message, revision: Revision) -> None:
        """Edit a message, and delete the files that it no longer has."""
        kept = {file.id for file in revision.files}
        for file in message.files:
            if file.id not in kept:
                self.cdn.forget(file)
        message.revisions.append(revision)
        self._tell(MessageEdited(message))

    def deleted(self, message: Message) -> None:
        """Delete a message and its files."""
        message.deleted = True
        self.history(message.channel).pop(message.id, None)
        self._count_messages(message.channel)
        for file in message.files:
            self.cdn.forget(file)
        self._tell(MessageDeleted(message))

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            listener(change)
        self.changed.fire()

    def _emit_in(
        self, name: str, guild: Guild, body: JsonObject, intent: int = Intent.GUILDS
    ) -> None:
        self._emit(name, guild, {"guild_id": str(guild.id)} | body, intent)

    def _emit(self, name: str, guild: Guild, body: JsonObject, intent: int = Intent.GUILDS) -> None:
        for listener in self.guild_listeners:
            listener(GuildEvent(name, guild, body, intent))

    def _count_messages(self, channel: Channel) -> None:
        history = self.history(channel)
        channel.message_count = len(history)
        channel.last_message_id = next(reversed(history), None)


def safe_name(name: str) -> str:
    """Return a filename with only the characters that Discord keeps."""
    cleaned = re.sub(r"[^A-Za-z0-9_.\-]", "", name.replace(" ", "_")).strip(".")
    return cleaned or "unknown"
