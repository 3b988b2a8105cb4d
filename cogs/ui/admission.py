"""Keeps the bot to servers, and of these to those that its operator named."""

from collections.abc import Set as AbstractSet
from typing import Any

import discord

from bot.discord_io.replies import Replies
from cogs.ui.interactions import asked_by

NOT_SERVED = (
    "This bot's owner has not opened it to this server, so it does nothing here. "
    "Nothing was charged. Ask the owner to add the server's id, {guild_id}, to SERVERS."
)


ONLY_IN_SERVERS = (
    "This bot works in servers alone, where credits are counted. Nothing was charged. "
    "Run the command in a server that has it."
)


class Admission:
    """Lets interactions of some servers, or of all, go on."""

    def __init__(self, replies: Replies, servers: AbstractSet[int] | None) -> None:
        self._replies = replies
        self._servers = servers

    async def admits(self, interaction: discord.Interaction[Any]) -> bool:
        """Whether it is from a server that is served; it is answered here if it is not."""
        guild_id = interaction.guild_id
        if guild_id is not None and (self._servers is None or guild_id in self._servers):
            return True
        if interaction.type is discord.InteractionType.autocomplete:
            await interaction.response.autocomplete([])
            return False
        text = ONLY_IN_SERVERS if guild_id is None else NOT_SERVED.format(guild_id=guild_id)
        await self._replies.respond_separately(asked_by(interaction), text)
        return False
