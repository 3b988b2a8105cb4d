"""Servers: who is in them with which roles, their channels, and who may do what there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from sandbox.discord import permissions
from sandbox.discord.permissions import Permission
from sandbox.values import JsonObject

ARCHIVE_MINUTES = 4320
"""After so many quiet minutes a thread leaves the list: three days."""


class ChannelType(IntEnum):
    """The types of channels that the sandbox has."""

    GUILD_TEXT = 0
    DIRECT_MESSAGES = 1
    PUBLIC_THREAD = 11


@dataclass(slots=True, eq=False)
class User:
    """A person or a bot, apart from any server."""

    id: int
    name: str
    bot: bool = False

    def to_json(self) -> JsonObject:
        """Return Discord's user object."""
        return {
            "id": str(self.id),
            "username": re.sub(r"[^a-z0-9._]", "", self.name.lower()) or f"user{self.id}",
            "global_name": None if self.bot else self.name,
            "discriminator": "0001" if self.bot else "0",
            "avatar": None,
            "avatar_decoration_data": None,
            "banner": None,
            "accent_color": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "collectibles": None,
            "primary_guild": None,
        }


@dataclass(slots=True, eq=False)
class Role:
    """A role of a server."""

    id: int
    name: str
    permissions: int
    position: int = 0

    def to_json(self) -> JsonObject:
        """Return Discord's role object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(self.permissions),
            "position": self.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


@dataclass(slots=True, eq=False)
class Member:
    """A user in a server; `permissions` come on top of what the roles give."""

    user: User
    guild: Guild = field(repr=False)
    joined_at: datetime
    roles: list[Role] = field(default_factory=list[Role], repr=False)
    permissions: int = 0

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    @property
    def name(self) -> str:
        """The user's shown name."""
        return self.user.name

    def to_json(self) -> JsonObject:
        """Return Discord's member object."""
        return {
            "user": self.user.to_json(),
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": [str(role.id) for role in self.roles],
            "joined_at": self.joined_at.isoformat(),
            "premium_since": None,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }


@dataclass(slots=True, eq=False)
class Overwrite:
    """What a channel allows and denies a role or a member beyond the server's own rules."""

    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel of a server, or somebody's direct messages with the bot."""

    id: int
    name: str
    guild: Guild | None = field(repr=False)
    position: int = 0
    recipient: User | None = None
    nsfw: bool = False
    overwrites: dict[int, Overwrite] = field(default_factory=dict[int, Overwrite])
    last_message_id: int | None = None
    message_count: int = 0
    total_message_sent: int = 0

    @property
    def type(self) -> ChannelType:
        """Its type."""
        return ChannelType.DIRECT_MESSAGES if self.guild is None else ChannelType.GUILD_TEXT

    @property
    def posting(self) -> Permission:
        """What a member needs to post here."""
        return Permission.SEND_MESSAGES

    def permissions_of(self, member: Member) -> int:
        """Return what a member may do here, by Discord's order of rules."""
        guild = member.guild
        base = guild.permissions_of(member)
        if base & Permission.ADMINISTRATOR:
            return permissions.EVERYTHING
        everyone = self.overwrites.get(guild.id)
        if everyone is not None:
            base = base & ~everyone.deny | everyone.allow
        roles = [self.overwrites[role.id] for role in member.roles if role.id in self.overwrites]
        for overwrite in roles:
            base &= ~overwrite.deny
        for overwrite in roles:
            base |= overwrite.allow
        own = self.overwrites.get(member.id)
        if own is not None:
            base = base & ~own.deny | own.allow
        return base

    def to_json(self) -> JsonObject:
        """Return Discord's channel object."""
        body = self._head()
        if self.guild is None:
            recipients = [] if self.recipient is None else [self.recipient.to_json()]
            return body | {"recipients": recipients}
        overwrites = [
            {
                "id": str(target),
                "type": 0 if target in self.guild.roles else 1,
                "allow": str(overwrite.allow),
                "deny": str(overwrite.deny),
            }
            for target, overwrite in self.overwrites.items()
        ]
        return body | {
            "guild_id": str(self.guild.id),
            "name": self.name,
            "topic": None,
            "position": self.position,
            "parent_id": None,
            "permission_overwrites": overwrites,
            "nsfw": self.nsfw,
            "rate_limit_per_user": 0,
        }

    def _head(self) -> JsonObject:
        """Return what channels of all types have."""
        last = self.last_message_id
        return {
            "id": str(self.id),
            "type": self.type,
            "last_message_id": None if last is None else str(last),
            "flags": 0,
            "last_pin_timestamp": None,
        }


@dataclass(slots=True, eq=False, kw_only=True)
class Thread(Channel):
    """A public thread under a text channel, whose rules hold in it too."""

    parent: Channel = field(repr=False)
    owner_id: int
    created: datetime

    @property
    def type(self) -> ChannelType:
        """Its type."""
        return ChannelType.PUBLIC_THREAD

    @property
    def posting(self) -> Permission:
        """What a member needs to post here."""
        return Permission.SEND_MESSAGES_IN_THREADS

    def permissions_of(self, member: Member) -> int:
        """Return what a member may do here: what the channel above allows."""
        return self.parent.permissions_of(member)

    def to_json(self) -> JsonObject:
        """Return Discord's thread object."""
        guild = self.parent.guild
        return self._head() | {
            "guild_id": None if guild is None else str(guild.id),
            "name": self.name,
            "parent_id": str(self.parent.id),
            "owner_id": str(self.owner_id),
            "rate_limit_per_user": 0,
            "message_count": self.message_count,
            "member_count": 1,
            "total_message_sent": self.total_message_sent,
            "thread_metadata": {
                "archived": False,
                "archive_timestamp": self.created.isoformat(),
                "auto_archive_duration": ARCHIVE_MINUTES,
                "locked": False,
                "create_timestamp": self.created.isoformat(),
            },
        }


@dataclass(slots=True, eq=False)
class Guild:
    """A server."""

    id: int
    name: str
    created: datetime
    locale: str = "en-US"
    owner_id: int = 0
    channels: list[Channel] = field(default_factory=list[Channel], repr=False)
    threads: list[Thread] = field(default_factory=list[Thread], repr=False)
    members: dict[int, Member] = field(default_factory=dict[int, Member], repr=False)
    roles: dict[int, Role] = field(default_factory=dict[int, Role], repr=False)

    @property
    def everyone(self) -> Role:
        """The role that every member has."""
        return self.roles[self.id]

    def permissions_of(self, member: Member) -> int:
        """Return what a member may do in the server as a whole."""
        if member.id == self.owner_id:
            return permissions.EVERYTHING
        given = self.everyone.permissions | member.permissions
        for role in member.roles:
            given |= role.permissions
        return permissions.EVERYTHING if given & Permission.ADMINISTRATOR else given

    def threads_for(self, member: Member) -> list[Thread]:
        """Return the threads that a member sees."""
        seen = Permission.VIEW_CHANNEL
        return [thread for thread in self.threads if thread.permissions_of(member) & seen]

    def remove_role(self, role: Role) -> None:
        """Take a role away from the server, from its members and from its channels' rules."""
        del self.roles[role.id]
        for member in self.members.values():
            member.roles = [each for each in member.roles if each is not role]
        for channel in self.channels:
            channel.overwrites.pop(role.id, None)

    def to_json(self) -> JsonObject:
        """Return Discord's guild object, as REST has it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "description": None,
            "home_header": None,
            "splash": None,
            "discovery_splash": None,
            "features": [],
            "banner": None,
            "owner_id": str(self.owner_id),
            "application_id": None,
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "widget_channel_id": None,
            "verification_level": 0,
            "roles": [role.to_json() for role in self.roles.values()],
            "default_message_notifications": 0,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_presences": None,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": self.locale,
            "rules_channel_id": None,
            "safety_alerts_channel_id": None,
            "public_updates_channel_id": None,
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "nsfw_level": 0,
            "emojis": [],
            "stickers": [],
            "incidents_data": None,
        }

    def to_gateway_json(self, bot: Member) -> JsonObject:
        """Return the guild as GUILD_CREATE has it; without privileged intents only the bot."""
        return self.to_json() | {
            "joined_at": bot.joined_at.isoformat(),
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "channels": [channel.to_json() for channel in self.channels],
            "threads": [thread.to_json() for thread in self.threads_for(bot)],
            "members": [bot.to_json()],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }
