"""The one handler of what nobody foresaw in a command."""

from typing import Any

import discord
import structlog
from discord import app_commands

from bot.editing import new_reference
from cogs.wording import unforeseen_text

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def answer_failure(
    interaction: discord.Interaction[Any], error: app_commands.AppCommandError
) -> None:
    """Tell the member a reference under which the log has the error."""
    reference = new_reference()
    log.error("command.failed", reference=reference, exc_info=error)
    text = unforeseen_text(reference)
    try:
        await interaction.response.send_message(text, ephemeral=True)
    except (discord.InteractionResponded, discord.HTTPException):
        # It was acknowledged: the answer stands in its own message.
        await interaction.edit_original_response(content=text)
