"""Stops interactions outside of servers, and from servers that the bot doesn't serve."""

from collections.abc import Set as AbstractSet
from typing import Any

import discord

from bot.discord_io.replies import Replies
from cogs.ui.interactions import interaction_ref

NOT_SERVED = (
    "Darkroom isn't turned on for this server. You weren't charged. Ask the bot owner to add this "
    "server's ID: `{guild_id}`."
)
ONLY_IN_SERVERS = (
    "Darkroom only works in servers. You weren't charged. Run this command in a server where it's "
    "installed."
)


class Admission:
    """Admits interactions from the operator's servers, or from all servers."""

    def __init__(self, replies: Replies, servers: AbstractSet[int] | None) -> None:
        self._replies = replies
        self._servers = servers

    async def admits(self, interaction: discord.Interaction[Any]) -> bool:
        """Check where an interaction is from, and respond here if it isn't admitted."""
        guild_id = interaction.guild_id
        if guild_id is not None and (self._servers is None or guild_id in self._servers):
            return True
        if interaction.type is discord.InteractionType.autocomplete:
            await interaction.response.autocomplete([])
            return False
        text = ONLY_IN_SERVERS if guild_id is None else NOT_SERVED.format(guild_id=guild_id)
        await self._replies.respond_separately(interaction_ref(interaction), text)
        return False
