"""What the interaction of a command, a button or a form says of whoever used it."""

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
    """Whoever used a command, a button or a form, as far as an order takes it from there."""

    asked: InteractionRef
    member: Member
    name: str
    moderates: bool
    """Whether they may manage the channel's messages."""
    channel_id: int
    place_id: int
    """The channel, or a thread's parent."""
    upload_limit: int
    """Bytes that Discord takes in one file here."""
    can_post: bool
    """Whether the bot may answer with pictures here."""
    holder: SignatureScope
    """In whose hands the buttons of its answer work."""


def caller_of(interaction: discord.Interaction[Any]) -> Caller:
    """Who used it, and where."""
    permissions = interaction.permissions
    return Caller(
        asked=asked_by(interaction),
        member=as_member(interaction.user, guild_of(interaction)),
        name=interaction.user.display_name,
        moderates=permissions.manage_messages or permissions.administrator,
        channel_id=interaction.channel_id or 0,
        place_id=place_of(interaction),
        upload_limit=interaction.filesize_limit,
        can_post=_can_post_pictures(interaction),
        holder=holder_of(interaction),
    )


def asked_by(interaction: discord.Interaction[Any]) -> InteractionRef:
    """Where the interaction is answered."""
    return InteractionRef(
        interaction.application_id,
        interaction.id,
        interaction.token,
        by_button=interaction.type is discord.InteractionType.component,
    )


def holder_of(interaction: discord.Interaction[Any]) -> SignatureScope:
    """In whose hands the buttons of its answer work."""
    permissions = interaction.permissions
    return SignatureScope(
        guild_of(interaction),
        interaction.user.id,
        manages_server=permissions.manage_guild or permissions.administrator,
    )


def guild_of(interaction: discord.Interaction[Any]) -> int:
    """The id of the server in which it was used; `Admission` lets no others pass."""
    if interaction.guild_id is None:
        raise ValueError("the interaction is of no server")
    return interaction.guild_id


def place_of(interaction: discord.Interaction[Any]) -> int:
    """The id of the channel in which it was used; of a thread or a forum's post, its parent's."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return channel.parent_id
    return interaction.channel_id or 0


def as_member(user: discord.abc.Snowflake, guild_id: int) -> Member:
    """Somebody as rules see them; whoever left has @everyone's role alone."""
    if not isinstance(user, discord.Member):
        return Member(guild_id, user.id, (guild_id,))
    # `Member.roles` leaves out those that the gateway has not told of, as in an outage.
    role_ids = cast("Iterable[int]", attrgetter("_roles")(user))
    return Member(guild_id, user.id, (*role_ids, guild_id))


def _can_post_pictures(interaction: discord.Interaction[Any]) -> bool:
    # Neither View Channel nor Send Messages: an answer goes by the interaction's own token.
    allowed = interaction.app_permissions
    return allowed.attach_files or allowed.administrator
