"""Who used a command, button or form, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast

import discord

from bot.discord_io.custom_ids import SignatureScope
from bot.discord_io.replies import InteractionRef
from bot.domain.quotas import Member


@dataclass(frozen=True, slots=True)
class Caller:
    """The member who used a command, button or form, and what they can do there."""

    interaction: InteractionRef
    member: Member
    name: str
    moderates: bool
    """Whether they have Manage Messages in the channel."""
    channel_id: int
    parent_channel_id: int
    """The channel, or a thread's parent."""
    upload_limit: int
    """Bytes that Discord takes in one file here."""
    can_post: bool
    """Whether the bot can respond with images here."""
    scope: SignatureScope
    """For whom the signed buttons of the response work."""


def caller_of(interaction: discord.Interaction[Any]) -> Caller:
    """Read the caller from an interaction."""
    permissions = interaction.permissions
    return Caller(
        interaction=interaction_ref(interaction),
        member=as_member(interaction.user, guild_id_of(interaction)),
        name=interaction.user.display_name,
        moderates=permissions.manage_messages or permissions.administrator,
        channel_id=interaction.channel_id or 0,
        parent_channel_id=_parent_channel_id(interaction),
        upload_limit=interaction.filesize_limit,
        can_post=_can_post_images(interaction),
        scope=scope_of(interaction),
    )


def interaction_ref(interaction: discord.Interaction[Any]) -> InteractionRef:
    """Return the handle to respond to an interaction with."""
    return InteractionRef(
        interaction.application_id,
        interaction.id,
        interaction.token,
        by_button=interaction.type is discord.InteractionType.component,
    )


def scope_of(interaction: discord.Interaction[Any]) -> SignatureScope:
    """Return for whom the signed buttons of the response work."""
    permissions = interaction.permissions
    return SignatureScope(
        guild_id_of(interaction),
        interaction.user.id,
        manages_server=permissions.manage_guild or permissions.administrator,
    )


def guild_id_of(interaction: discord.Interaction[Any]) -> int:
    """Return the server's id; `Admission` stops interactions outside of servers."""
    if interaction.guild_id is None:
        raise ValueError("the interaction isn't from a server")
    return interaction.guild_id


def as_member(user: discord.abc.Snowflake, guild_id: int) -> Member:
    """Return the user with their roles; a user who left the server only has @everyone's."""
    if not isinstance(user, discord.Member):
        return Member(guild_id, user.id, (guild_id,))
    # `Member.roles` leaves out roles that the gateway hasn't sent, as in an outage.
    role_ids = cast("Iterable[int]", attrgetter("_roles")(user))
    return Member(guild_id, user.id, (*role_ids, guild_id))


def _parent_channel_id(interaction: discord.Interaction[Any]) -> int:
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return channel.parent_id
    return interaction.channel_id or 0


def _can_post_images(interaction: discord.Interaction[Any]) -> bool:
    # Responses use the interaction's token, so View Channel and Send Messages aren't needed.
    permissions = interaction.app_permissions
    return permissions.attach_files or permissions.administrator
