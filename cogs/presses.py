"""The one listener for buttons: reads what was pressed and hands it to its feature."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import discord
import structlog
from discord.ext import commands

from bot.custom_ids import CustomIds, Holder
from bot.discord_replies import Asked, Replies
from cogs.admission import Admission
from cogs.asking import asked_by, holder_of
from cogs.failures import FailureHandler

NOT_YOURS = (
    "This button does nothing for you any more: it is from an old message, or was shown to "
    "somebody else. Run the command yourself to get one of your own."
)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed by the member to whom it was shown."""

    asked: Asked
    by: Holder
    arguments: tuple[str, ...]


Pressed = Callable[[Press], Awaitable[None]]


class PressesCog(commands.Cog):
    """Buttons under the bot's messages, by the names of their actions."""

    def __init__(
        self,
        custom_ids: CustomIds,
        replies: Replies,
        admission: Admission,
        failures: FailureHandler,
        actions: Mapping[str, Pressed],
    ) -> None:
        self._custom_ids = custom_ids
        self._replies = replies
        self._admission = admission
        self._failures = failures
        self._actions = actions

    @commands.Cog.listener("on_interaction")
    async def press(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a press, whatever its custom id says."""
        if interaction.type is not discord.InteractionType.component:
            return
        if not await self._admission.admits(interaction):
            return
        holder = holder_of(interaction)
        custom_id = str((interaction.data or {}).get("custom_id", ""))
        action = self._custom_ids.read(custom_id, holder)
        pressed = None if action is None else self._actions.get(action.name)
        if action is None or pressed is None:
            log.info("press.foreign")
            await self._replies.beside(asked_by(interaction), NOT_YOURS)
            return
        try:
            await pressed(Press(asked_by(interaction), holder, action.arguments))
        except Exception as error:
            await self._failures.answer(interaction, error)
