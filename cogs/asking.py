"""What a command's or button's interaction says of whoever used it."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, cast

import discord

from bot.custom_ids import Holder
from bot.discord_replies import Asked
from bot.quotas import Member


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


def missing_for_pictures(interaction: discord.Interaction[Any]) -> tuple[str, ...]:
    """What the bot lacks here for an answer with pictures, by Discord's names.

    An answer goes by the interaction's token and needs neither View Channel nor Send Messages;
    these are for the day when that token is dead, on which most edits never come.
    """
    allowed = interaction.app_permissions
    return () if allowed.attach_files or allowed.administrator else ("Attach Files",)


def as_member(user: discord.abc.Snowflake, guild_id: int) -> Member:
    """Somebody as rules see them; whoever left has @everyone's role alone."""
    if not isinstance(user, discord.Member):
        return Member(guild_id, user.id, (guild_id,))
    # `Member.roles` leaves out those that the gateway has not told of, as in an outage.
    role_ids = cast("Iterable[int]", attrgetter("_roles")(user))
    return Member(guild_id, user.id, (*role_ids, guild_id))
