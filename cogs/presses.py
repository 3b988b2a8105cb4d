"""The one listener for buttons: reads what was pressed and hands it to its feature."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord
import structlog
from discord.ext import commands

from bot.custom_ids import CustomIds, Holder, read_lasting
from bot.discord_replies import Asked, Replies
from bot.quotas import Member
from cogs.admission import Admission
from cogs.asking import as_member, asked_by, guild_of, holder_of
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


@dataclass(frozen=True, slots=True)
class LastingPress:
    """A button that works for ever, pressed by anybody; what they may do is for its feature."""

    asked: Asked
    member: Member
    """Whoever pressed it, in which server, with their roles."""
    permissions: discord.Permissions
    """Theirs in the channel, as the interaction says."""
    channel_id: int
    message_id: int
    """The message that the button is under."""
    row_id: int


Pressed = Callable[[Press], Awaitable[None]]
LastingPressed = Callable[[LastingPress], Awaitable[None]]


class PressesCog(commands.Cog):
    """Buttons under the bot's messages, by the names of their actions."""

    def __init__(
        self,
        custom_ids: CustomIds,
        replies: Replies,
        admission: Admission,
        failures: FailureHandler,
        actions: Mapping[str, Pressed],
        lasting: Mapping[str, LastingPressed],
    ) -> None:
        self._custom_ids = custom_ids
        self._replies = replies
        self._admission = admission
        self._failures = failures
        self._actions = actions
        self._lasting = lasting

    @commands.Cog.listener("on_interaction")
    async def press(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a press, whatever its custom id says."""
        if interaction.type is not discord.InteractionType.component:
            return
        if not await self._admission.admits(interaction):
            return
        answer = self._find(interaction)
        if answer is None:
            log.info("press.foreign")
            await self._replies.beside(asked_by(interaction), NOT_YOURS)
            return
        try:
            await answer()
        except Exception as error:
            await self._failures.answer(interaction, error)

    def _find(self, interaction: discord.Interaction[Any]) -> Callable[[], Awaitable[None]] | None:
        """What answers the press, if its custom id names anything for whoever pressed it."""
        custom_id = str((interaction.data or {}).get("custom_id", ""))
        if (lasting := read_lasting(custom_id)) is not None:
            pressed_lasting = self._lasting.get(lasting.name)
            if pressed_lasting is None:
                return None
            return partial(pressed_lasting, _lasting_press(interaction, lasting.row_id))
        holder = holder_of(interaction)
        action = self._custom_ids.read(custom_id, holder)
        pressed = None if action is None else self._actions.get(action.name)
        if action is None or pressed is None:
            return None
        return partial(pressed, Press(asked_by(interaction), holder, action.arguments))


def _lasting_press(interaction: discord.Interaction[Any], row_id: int) -> LastingPress:
    return LastingPress(
        asked=asked_by(interaction),
        member=as_member(interaction.user, guild_of(interaction)),
        permissions=interaction.permissions,
        channel_id=interaction.channel_id or 0,
        message_id=0 if interaction.message is None else interaction.message.id,
        row_id=row_id,
    )
