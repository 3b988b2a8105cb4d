"""The one handler of what nobody foresaw in a command."""

from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.editing import new_reference
from cogs.wording import unforeseen_text

_REFUSED_OR_CUT = (discord.HTTPException, aiohttp.ClientError, OSError)

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
    except (discord.InteractionResponded, *_REFUSED_OR_CUT):
        # It may have been acknowledged: then the answer stands in its own message.
        try:
            await interaction.edit_original_response(content=text)
        except _REFUSED_OR_CUT as fault:
            log.warning("command.untold", reference=reference, fault=type(fault).__name__)
