"""Everything the sandbox's Discord remembers: its servers, their messages, the files."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from sandbox.discord import permissions
from sandbox.discord.cdn import Cdn, StoredFile, guess_type, probe
from sandbox.discord.guilds import Channel, ChannelType, Guild, Member, Role, Thread, User
from sandbox.signals import Signal
from sandbox.values import object_at, objects_at, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sandbox.clock import Clock
    from sandbox.values import JsonObject

EPOCH_MS = 1_420_070_400_000
"""The first millisecond of Discord's ids, in 2015."""

FILE_LIMIT = 10 * 1024 * 1024
"""Bytes of a file that a bot may post to a server without boosts."""


class Flag:
    """Bits of a message's `flags`."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    HAS_SNAPSHOT = 1 << 14
    COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, slots=True)
class Mentions:
    """Who was mentioned and let through by `allowed_mentions`; false when nobody was."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)


NOBODY = Mentions()


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message showed from some moment on."""

    at: datetime
    content: str
    embeds: tuple[JsonObject, ...]
    components: tuple[JsonObject, ...]
    files: tuple[StoredFile, ...]
    flags: int
    mentions: Mentions = NOBODY
    snapshots: tuple[JsonObject, ...] = ()
    tts: bool = False

    @property
    def components_v2(self) -> bool:
        """Whether components are all there is to see."""
        return bool(self.flags & Flag.COMPONENTS_V2)

    @property
    def attachments(self) -> tuple[StoredFile, ...]:
        """The files that stand by themselves, and not in components or embeds."""
        if self.components_v2:
            return ()
        embedded = {
            text_at(object_at(embed, part), key)
            for embed in self.embeds
            for part, key in EMBED_MEDIA
        }
        return tuple(file for file in self.files if file.url not in embedded)

    @property
    def text(self) -> str:
        """All text to be read, a line for each piece."""
        pieces = [self.content]
        for embed in self.embeds:
            pieces += _embed_texts(embed)
        pieces += texts_of(self.components)
        pieces += [text_at(object_at(each, "message"), "content") for each in self.snapshots]
        return "\n".join(piece for piece in pieces if piece)


def walk(components: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """Yield components and what they hold, from top to bottom."""
    for component in components:
        yield component
        yield from walk(objects_at(component, "components"))
        accessory = object_at(component, "accessory")
        if accessory:
            yield accessory


def texts_of(components: Sequence[JsonObject]) -> list[str]:
    """Return what the text displays among components say."""
    return [text_at(part, "content") for part in walk(components)]


def _embed_texts(embed: JsonObject) -> list[str]:
    fields = [text_at(each, key) for each in objects_at(embed, "fields") for key in EMBED_FIELD]
    footer = text_at(object_at(embed, "footer"), "text")
    author = text_at(object_at(embed, "author"), "name")
    return [author, text_at(embed, "title"), text_at(embed, "description"), *fields, footer]


EMBED_FIELD = ("name", "value")
EMBED_MEDIA = (
    ("image", "url"),
    ("thumbnail", "url"),
    ("author", "icon_url"),
    ("footer", "icon_url"),
)
"""The parts of embeds that show pictures, and where their addresses stand."""


@dataclass(slots=True, eq=False)
class Message:
    """A message with all it ever showed."""

    id: int
    channel: Channel = field(repr=False)
    author: User = field(repr=False)
    revisions: list[Revision]
    pinged: Mentions = NOBODY
    nonce: str | None = None
    deleted: bool = False
    kind: int = 0
    application_id: int | None = None
    interaction_metadata: JsonObject | None = field(default=None, repr=False)
    refers_to: Message | None = field(default=None, repr=False)
    forwards: Message | None = field(default=None, repr=False)

    @property
    def now(self) -> Revision:
        """What it shows."""
        return self.revisions[-1]

    @property
    def content(self) -> str:
        """Its plain text."""
        return self.now.content

    @property
    def embeds(self) -> tuple[JsonObject, ...]:
        """Its embeds."""
        return self.now.embeds

    @property
    def components(self) -> tuple[JsonObject, ...]:
        """Its components, as Discord returns them."""
        return self.now.components

    @property
    def flags(self) -> int:
        """Its flags."""
        return self.now.flags

    @property
    def ephemeral(self) -> bool:
        """Whether one member alone sees it."""
        return bool(self.flags & Flag.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it is a deferred answer that shows "thinking" still."""
        return bool(self.flags & Flag.LOADING)

    @property
    def attachments(self) -> tuple[StoredFile, ...]:
        """The files that stand outside of components."""
        return self.now.attachments

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All files posted with it and still there."""
        return self.now.files

    @property
    def text(self) -> str:
        """All text to be read, a line for each piece."""
        return self.now.text

    def to_json(self) -> JsonObject:
        """Return Discord's message object."""
        body, other = self.alone(), self.refers_to
        if other is not None:
            body["message_reference"] = other.reference()
            body["referenced_message"] = None if other.deleted else other.alone()
        return body

    def as_created(self) -> JsonObject:
        """As it is told when it is made; never again is its nonce told."""
        return self.to_json() | ({} if self.nonce is None else {"nonce": self.nonce})

    def reference(self, kind: int = 0) -> JsonObject:
        """Return what points to it from another message."""
        body: JsonObject = {
            "type": kind,
            "channel_id": str(self.channel.id),
            "message_id": str(self.id),
        }
        if self.channel.guild is not None:
            body["guild_id"] = str(self.channel.guild.id)
        return body

    def alone(self) -> JsonObject:
        """Return Discord's message object without the message that it points to."""
        now = self.now
        # What first takes the place of "thinking" is no edit.
        shown = [each for each in self.revisions if not each.flags & Flag.LOADING]
        edited = now.at.isoformat() if len(shown) > 1 else None
        known = self._people()
        users = [known[user].to_json() for user in sorted(now.mentions.users) if user in known]
        body: JsonObject = {
            "id": str(self.id),
            "type": self.kind,
            "channel_id": str(self.channel.id),
            "author": self.author.to_json(),
            "content": now.content,
            "timestamp": self.revisions[0].at.isoformat(),
            "edited_timestamp": edited,
            "mention_everyone": now.mentions.everyone,
            "mentions": users,
            "mention_roles": [str(role) for role in sorted(now.mentions.roles)],
            "attachments": [file.attachment() for file in now.attachments],
            "embeds": list(now.embeds),
            "components": list(now.components),
            "pinned": False,
            "flags": now.flags,
            "tts": now.tts,
        }
        if now.snapshots:
            body["message_snapshots"] = list(now.snapshots)
        if self.application_id is not None:
            body["application_id"] = str(self.application_id)
            body["webhook_id"] = str(self.application_id)
        if self.interaction_metadata is not None:
            body["interaction_metadata"] = self.interaction_metadata
        if self.forwards is not None:
            body["message_reference"] = self.forwards.reference(1)
        return body

    def _people(self) -> dict[int, User]:
        """Return who can be mentioned where it is."""
        if self.channel.guild is not None:
            return {each.id: each.user for each in self.channel.guild.members.values()}
        here = (self.author, self.channel.recipient)
        return {user.id: user for user in here if user is not None}


@dataclass(frozen=True, slots=True)
class MessageCreated:
    """A message appeared."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A message shows something else."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message went."""

    message: Message


Change: TypeAlias = MessageCreated | MessageEdited | MessageDeleted


class World:
    """The servers, with whoever and whatever is in them."""

    def __init__(self, clock: Clock, cdn: Cdn, folder: Path) -> None:
        self.clock = clock
        self.cdn = cdn
        self.folder = folder
        self.changed = Signal()
        self.listeners: list[Callable[[Change], None]] = []
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
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
            for message in list(gone.messages.values()):
                self.deleted(message)
            del self.channels[gone.id]
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

    def created(self, message: Message) -> None:
        """Put a new message into its channel, unless one member alone sees it."""
        if not message.ephemeral:
            message.channel.messages[message.id] = message
            message.channel.sent += 1
        self.tell(MessageCreated(message))

    def edited(self, message: Message, revision: Revision) -> None:
        """Let a message show something else."""
        kept = {file.id for file in revision.files}
        for file in message.files:
            if file.id not in kept:
                self.cdn.forget(file)
        message.revisions.append(revision)
        self.tell(MessageEdited(message))

    def deleted(self, message: Message) -> None:
        """Take a message away."""
        message.deleted = True
        message.channel.messages.pop(message.id, None)
        for file in message.files:
            self.cdn.forget(file)
        self.tell(MessageDeleted(message))


def safe_name(name: str) -> str:
    """Return a posted file's name as Discord keeps it: letters, digits, `_`, `-` and dots."""
    cleaned = re.sub(r"[^A-Za-z0-9_.\-]", "", name.replace(" ", "_")).strip(".")
    return cleaned or "unknown"
