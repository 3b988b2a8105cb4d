"""Everything the sandbox's Discord remembers: its servers, their messages, the files."""

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
from sandbox.discord.guilds import Channel, ChannelType, Guild, Member, Role, Thread, User
from sandbox.discord.messages import Message, Revision
from sandbox.signals import Signal

EPOCH_MS = 1_420_070_400_000
"""The first millisecond of Discord's ids, in 2015."""

FILE_LIMIT = 10 * 1024 * 1024
"""Bytes of a file that a bot may post to a server without boosts."""


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


class World:
    """The servers, and all that is in them."""

    def __init__(self, clock: Clock, cdn: Cdn, folder: Path) -> None:
        self.clock = clock
        self.cdn = cdn
        self.folder = folder
        self.changed = Signal()
        self.listeners: list[Callable[[Change], None]] = []
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
        """Who takes no direct messages of the bot's."""

    def new_id(self) -> int:
        """Return a new snowflake: the time in milliseconds above a counter."""
        made = (int(self.clock.timestamp() * 1000) - EPOCH_MS) << 22 | next(self._sequence) & 0xFFF
        self._last_id = max(made, self._last_id + 1)
        return self._last_id

    def add_guild(
        self,
        name: str,
        channels: Sequence[str] = ("general", "pictures"),
        *,
        owner: str | User = "Olive",
    ) -> Guild:
        """Add a server that the bot is in, with an owner, new or known, and text channels."""
        guild = Guild(self.new_id(), name, self.clock.now())
        guild.roles[guild.id] = Role(guild.id, "@everyone", permissions.MEMBER)
        guild.owner_id = self.add_member(guild, owner).id
        guild.members[self.bot.id] = Member(
            self.bot, guild, guild.created, permissions=self.bot_permissions
        )
        for channel in channels:
            self.add_channel(guild, channel)
        self.guilds.append(guild)
        return guild

    def add_channel(self, guild: Guild, name: str) -> Channel:
        """Add a text channel to a server."""
        channel = Channel(self.new_id(), name, guild, position=len(guild.channels))
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def add_thread(self, channel: Channel, name: str, owner: Member | None = None) -> Thread:
        """Add a public thread to a text channel, begun by the server's owner if by nobody else."""
        guild = channel.guild
        if guild is None or channel.type is not ChannelType.GUILD_TEXT:
            raise ValueError("only the text channels of servers have threads")
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
        return thread

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Add a role to a server, above those that it has."""
        position = max(role.position for role in guild.roles.values()) + 1
        role = Role(self.new_id(), name, permissions, position)
        guild.roles[role.id] = role
        return role

    def add_member(
        self,
        guild: Guild,
        who: str | User,
        *,
        permissions: int = 0,
        roles: Sequence[Role] = (),
        bot: bool = False,
    ) -> Member:
        """Add somebody to a server, a new person or bot by name, or one of another server.

        The permissions come on top of what everyone may do.
        """
        user = User(self.new_id(), who, bot) if isinstance(who, str) else who
        if user.id in guild.members:
            raise ValueError(f"{user.name} is in {guild.name} already")
        self.users[user.id] = user
        member = Member(user, guild, self.clock.now(), list(roles), permissions)
        guild.members[user.id] = member
        return member

    def guild(self, guild_id: int) -> Guild | None:
        """Find a server."""
        return next((guild for guild in self.guilds if guild.id == guild_id), None)

    def delete_channel(self, channel: Channel) -> None:
        """Take a server's channel away, with its threads and all that was said in them."""
        guild = channel.guild
        if guild is None or channel not in guild.channels:
            raise ValueError("only the text channels of servers can be deleted")
        threads = [thread for thread in guild.threads if thread.parent is channel]
        for gone in (channel, *threads):
            for message in list(self.history(gone).values()):
                self.deleted(message)
            del self.channels[gone.id]
            del self._history[gone.id]
        guild.channels.remove(channel)
        guild.threads = [thread for thread in guild.threads if thread not in threads]
        self.changed.fire()

    def direct_messages(self, user_id: int) -> Channel | None:
        """Return a person's direct messages with the bot, opened if need be."""
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
        """Tell whether somebody is in one of the bot's servers."""
        return any({user_id, self.bot.id} <= guild.members.keys() for guild in self.guilds)

    def bot_permissions_in(self, channel: Channel) -> int:
        """Return what the bot may do in a channel."""
        if channel.guild is None:
            return permissions.MEMBER
        member = channel.guild.members.get(self.bot.id)
        return 0 if member is None else channel.permissions_of(member)

    def store(self, file: StoredFile) -> StoredFile:
        """Give a file on the disk an id, an address and what its header tells."""
        file_id = self.new_id()
        kind = file.content_type or guess_type(file.name)
        picture = None
        if file.width is None and kind is not None and kind.startswith("image/"):
            picture = probe(file.path)
        url = self.cdn.sign(file.folder, file_id, file.name)
        stored = replace(file, id=file_id, content_type=kind, url=url)
        if picture is not None:
            stored = replace(stored, width=picture[0], height=picture[1])
        self.cdn.keep(stored)
        return stored

    def place(self, data: bytes) -> Path:
        """Put bytes on the disk, once for equal ones."""
        path = self.folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            path.write_bytes(data)
        return path

    def tell(self, change: Change) -> None:
        """Tell everyone who listens that something changed."""
        for listener in self.listeners:
            listener(change)
        self.changed.fire()

    def history(self, channel: Channel) -> dict[int, Message]:
        """Return a channel's messages by id, without deleted and ephemeral ones."""
        return self._history.setdefault(channel.id, {})

    def created(self, message: Message) -> None:
        """Add a new message to its channel's history, unless it is ephemeral."""
        if not message.ephemeral:
            self.history(message.channel)[message.id] = message
            message.channel.total_message_sent += 1
            self._count_messages(message.channel)
        self.tell(MessageCreated(message))

    def edited(self, message: Message, revision: Revision) -> None:
        """Edit a message, and forget the files that it no longer has."""
        kept = {file.id for file in revision.files}
        for file in message.files:
            if file.id not in kept:
                self.cdn.forget(file)
        message.revisions.append(revision)
        self.tell(MessageEdited(message))

    def deleted(self, message: Message) -> None:
        """Delete a message and its files."""
        message.deleted = True
        self.history(message.channel).pop(message.id, None)
        self._count_messages(message.channel)
        for file in message.files:
            self.cdn.forget(file)
        self.tell(MessageDeleted(message))

    def _count_messages(self, channel: Channel) -> None:
        history = self.history(channel)
        channel.message_count = len(history)
        channel.last_message_id = next(reversed(history), None)


def safe_name(name: str) -> str:
    """Return a posted file's name as Discord keeps it: letters, digits, `_`, `-` and dots."""
    cleaned = re.sub(r"[^A-Za-z0-9_.\-]", "", name.replace(" ", "_")).strip(".")
    return cleaned or "unknown"
