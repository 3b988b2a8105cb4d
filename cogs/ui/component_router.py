"""The one listener for buttons and forms: reads what was used and hands it to its feature."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import discord
import structlog
from discord.ext import commands

from bot.discord_io.custom_ids import CustomIds, SignatureScope, read_persistent
from bot.discord_io.modals import SubmittedForm, read_form
from bot.discord_io.replies import EPHEMERAL, Component, InteractionRef, Replies
from cogs.ui.admission import Admission
from cogs.ui.failures import FailureHandler
from cogs.ui.interactions import Caller, asked_by, caller_of

NOT_YOURS = (
    "This button doesn't work for you: it's from an old message, it was shown to someone else, or "
    "you no longer have *Manage Server*. Nothing was changed. Run the command again to get a new "
    "one."
)

UNKNOWN_FORM = (
    "The bot does not know this form, so nothing was done with it. Nothing was charged. "
    "Run the command that it came from again."
)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignedClick:
    """A button that was pressed by the member to whom it was shown."""

    caller: Caller
    arguments: tuple[str, ...]

    @property
    def asked(self) -> InteractionRef:
        """Where it is answered."""
        return self.caller.asked

    @property
    def by(self) -> SignatureScope:
        """In whose hands it works, and since when; the ids of the next page are theirs."""
        return self.caller.holder


@dataclass(frozen=True, slots=True)
class PersistentClick:
    """A button that works for ever, pressed by anybody; what they may do is for its feature."""

    caller: Caller
    row_id: int
    message_id: int
    """The message that the button is under."""
    components: tuple[Component, ...]
    """That message's."""
    ephemeral: bool
    """Whether one member alone sees it."""

    @property
    def asked(self) -> InteractionRef:
        """Where it is answered."""
        return self.caller.asked


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that a member sent; whether it was shown to them is for its feature."""

    caller: Caller
    draft_id: int
    filled: SubmittedForm


ClickHandler = Callable[[SignedClick], Awaitable[None]]
PersistentClickHandler = Callable[[PersistentClick], Awaitable[None]]
FormSent = Callable[[SentForm], Awaitable[None]]
Answering = Callable[[], Awaitable[None]]


class PressesCog(commands.Cog):
    """Buttons under the bot's messages, and forms, by the names of their actions."""

    def __init__(
        self,
        custom_ids: CustomIds,
        replies: Replies,
        admission: Admission,
        failures: FailureHandler,
        actions: Mapping[str, ClickHandler],
        lasting: Mapping[str, PersistentClickHandler],
        forms: Mapping[str, FormSent],
    ) -> None:
        self._custom_ids = custom_ids
        self._replies = replies
        self._admission = admission
        self._failures = failures
        self._actions = actions
        self._lasting = lasting
        self._forms = forms

    @commands.Cog.listener("on_interaction")
    async def press(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a press or a sent form, whatever its custom id says."""
        match interaction.type:
            case discord.InteractionType.component:
                find, otherwise = self._find_press, NOT_YOURS
            case discord.InteractionType.modal_submit:
                find, otherwise = self._find_form, UNKNOWN_FORM
            case _:
                return
        if not await self._admission.admits(interaction):
            return
        try:
            answer = find(interaction)
            if answer is None:
                log.info("press.foreign")
                await self._replies.respond_separately(asked_by(interaction), otherwise)
            else:
                await answer()
        except Exception as error:
            await self._failures.answer(interaction, error)

    def _find_press(self, interaction: discord.Interaction[Any]) -> Answering | None:
        """What answers a press, if its custom id names anything for whoever pressed it."""
        custom_id = _custom_id(interaction)
        if (lasting := read_persistent(custom_id)) is not None:
            pressed_lasting = self._lasting.get(lasting.name)
            if pressed_lasting is None:
                return None
            return partial(pressed_lasting, _lasting_press(interaction, lasting.row_id))
        caller = caller_of(interaction)
        signed = self._custom_ids.read(custom_id, caller.holder)
        if signed is None:
            return None
        action, holder = signed
        pressed = self._actions.get(action.name)
        if pressed is None:
            return None
        return partial(pressed, SignedClick(replace(caller, holder=holder), action.arguments))

    def _find_form(self, interaction: discord.Interaction[Any]) -> Answering | None:
        """What takes a form, if its custom id names anything."""
        named = read_persistent(_custom_id(interaction))
        sent = None if named is None else self._forms.get(named.name)
        if named is None or sent is None:
            return None
        filled = read_form(cast("Mapping[str, Any]", interaction.data or {}))
        return partial(sent, SentForm(caller_of(interaction), named.row_id, filled))


def _custom_id(interaction: discord.Interaction[Any]) -> str:
    return str((interaction.data or {}).get("custom_id", ""))


def _lasting_press(interaction: discord.Interaction[Any], row_id: int) -> PersistentClick:
    message = interaction.message
    components = () if message is None else message.components
    return PersistentClick(
        caller=caller_of(interaction),
        row_id=row_id,
        message_id=0 if message is None else message.id,
        components=tuple(cast("Component", component.to_dict()) for component in components),
        ephemeral=message is not None and bool(message.flags.value & EPHEMERAL),
    )
