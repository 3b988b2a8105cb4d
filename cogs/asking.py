"""What a command's or button's interaction says of whoever used it."""

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Any, cast

import discord

from bot.custom_ids import Holder
from bot.discord_replies import Asked


def asked_by(interaction: discord.Interaction[Any]) -> Asked:
    """Where the interaction is answered."""
    return Asked(
        interaction.application_id,
        interaction.id,
        interaction.token,
        by_button=interaction.type is discord.InteractionType.component,
    )


def holder_of(interaction: discord.Interaction[Any]) -> Holder:
    """In whose hands the buttons of its answer work."""
    return Holder(guild_of(interaction), interaction.user.id)


def guild_of(interaction: discord.Interaction[Any]) -> int:
    """The id of the server in which it was used."""
    return interaction.guild_id or 0


def place_of(interaction: discord.Interaction[Any]) -> int:
    """The id of the channel in which it was used; of a thread or a forum's post, its parent's."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return channel.parent_id
    return interaction.channel_id or 0


def roles_of(user: discord.abc.Snowflake, guild_id: int) -> Collection[int]:
    """The ids of a member's roles and of @everyone; of somebody who left, the latter alone."""
    if not isinstance(user, discord.Member):
        return (guild_id,)
    # `Member.roles` leaves out those that the gateway has not told of, as in an outage.
    role_ids = cast("Iterable[int]", attrgetter("_roles")(user))
    return (*role_ids, guild_id)
