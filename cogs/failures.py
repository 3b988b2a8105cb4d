"""The one handler of what nobody foresaw in a command."""

from typing import Any

import discord
import structlog
from discord import app_commands

from bot.discord_front import DiscordFront
from bot.editing import new_reference
from cogs.wording import unforeseen_text

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class FailureHandler:
    """Tells a member a reference under which the log has the error."""

    def __init__(self, front: DiscordFront) -> None:
        self._front = front

    async def answer(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """Answer in the command's stead, or in the place of the answer that it gave."""
        reference = new_reference()
        log.error("command.failed", reference=reference, exc_info=error)
        told = await self._front.reply(
            interaction.application_id,
            interaction.id,
            interaction.token,
            unforeseen_text(reference),
            instead=True,
        )
        if not told:
            log.warning("command.untold", reference=reference)
