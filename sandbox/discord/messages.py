"""Messages: what they show, what they showed before, and Discord's message object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.discord.cdn import StoredFile
from sandbox.discord.guilds import Channel, User
from sandbox.values import JsonObject, object_at, objects_at, text_at

REPLY = 19
COMMAND_ANSWER = 20
CONTEXT_COMMAND_ANSWER = 23


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
    """The mentions that `allowed_mentions` lets through; false if there are none."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)


NOBODY = Mentions()


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message shows from one point in time until its next edit."""

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
        """Whether the message consists of components alone."""
        return bool(self.flags & Flag.COMPONENTS_V2)

    @property
    def attachments(self) -> tuple[StoredFile, ...]:
        """The files that no component or embed shows."""
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
        """All visible text, one piece per line."""
        pieces = [self.content]
        for embed in self.embeds:
            pieces += _embed_texts(embed)
        pieces += texts_of(self.components)
        pieces += [text_at(object_at(each, "message"), "content") for each in self.snapshots]
        return "\n".join(piece for piece in pieces if piece)


def walk(components: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """Yield components and their children, from top to bottom."""
    for component in components:
        yield component
        yield from walk(objects_at(component, "components"))
        accessory = object_at(component, "accessory")
        if accessory:
            yield accessory


def texts_of(components: Sequence[JsonObject]) -> list[str]:
    """Return the contents of the text displays among components."""
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
"""The parts of embeds that show images, and the keys of their addresses."""


@dataclass(slots=True, eq=False)
class Message:
    """A message with all its revisions."""

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
        """The latest revision."""
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
        """Whether only one member sees it."""
        return bool(self.flags & Flag.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it is a deferred response that still shows "thinking"."""
        return bool(self.flags & Flag.LOADING)

    @property
    def attachments(self) -> tuple[StoredFile, ...]:
        """The files that no component or embed shows."""
        return self.now.attachments

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All files that it still has."""
        return self.now.files

    @property
    def text(self) -> str:
        """All visible text, one piece per line."""
        return self.now.text

    def to_json(self) -> JsonObject:
        """Return Discord's message object."""
        body, other = self.alone(), self.refers_to
        if other is not None:
            body["message_reference"] = other.reference()
            body["referenced_message"] = None if other.deleted else other.alone()
        return body

    def as_created(self) -> JsonObject:
        """Return the message object of its creation, the only one with its nonce."""
        return self.to_json() | ({} if self.nonce is None else {"nonce": self.nonce})

    def reference(self, kind: int = 0) -> JsonObject:
        """Return a reference to it from another message."""
        body: JsonObject = {
            "type": kind,
            "channel_id": str(self.channel.id),
            "message_id": str(self.id),
        }
        if self.channel.guild is not None:
            body["guild_id"] = str(self.channel.guild.id)
        return body

    def alone(self) -> JsonObject:
        """Return Discord's message object without the message that it refers to."""
        now = self.now
        # Replacing "thinking" does not count as an edit.
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
        """Return the users who can be mentioned in its channel, by id."""
        if self.channel.guild is not None:
            return {each.id: each.user for each in self.channel.guild.members.values()}
        here = (self.author, self.channel.recipient)
        return {user.id: user for user in here if user is not None}
