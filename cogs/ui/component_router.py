"""Routes clicks on buttons, and sent forms, to their features by their custom ids."""

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
from cogs.ui.interactions import Caller, caller_of, interaction_ref

NOT_YOURS = (
    "This button doesn't work for you: it's from an old message, it was shown to someone else, or "
    "you no longer have *Manage Server*. Nothing changed. Run the command again to get a new one."
)

UNKNOWN_FORM = "This form is out of date. You weren't charged. Run the command again."

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignedClick:
    """A click by the member whom the button was shown to."""

    caller: Caller
    arguments: tuple[str, ...]

    @property
    def interaction(self) -> InteractionRef:
        """The handle to respond with."""
        return self.caller.interaction

    @property
    def scope(self) -> SignatureScope:
        """For whom the button works, and since when; the next page's ids inherit it."""
        return self.caller.scope


@dataclass(frozen=True, slots=True)
class PersistentClick:
    """A click by anybody on a button that never expires; its feature checks permissions."""

    caller: Caller
    row_id: int
    message_id: int
    """The message that the button is under."""
    components: tuple[Component, ...]
    """That message's."""
    ephemeral: bool
    """Whether only one member sees that message."""

    @property
    def interaction(self) -> InteractionRef:
        """The handle to respond with."""
        return self.caller.interaction


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that a member sent; its feature checks whether it was shown to them."""

    caller: Caller
    draft_id: int
    filled: SubmittedForm


ClickHandler = Callable[[SignedClick], Awaitable[None]]
PersistentClickHandler = Callable[[PersistentClick], Awaitable[None]]
FormHandler = Callable[[SentForm], Awaitable[None]]
Respond = Callable[[], Awaitable[None]]


class ComponentRouter(commands.Cog):
    """Finds the handler for a button or form by the name in its custom id."""

    def __init__(
        self,
        custom_ids: CustomIds,
        replies: Replies,
        admission: Admission,
        failures: FailureHandler,
        *,
        signed: Mapping[str, ClickHandler],
        persistent: Mapping[str, PersistentClickHandler],
        forms: Mapping[str, FormHandler],
    ) -> None:
        self._custom_ids = custom_ids
        self._replies = replies
        self._admission = admission
        self._failures = failures
        self._signed = signed
        self._persistent = persistent
        self._forms = forms

    @commands.Cog.listener("on_interaction")
    async def route(self, interaction: discord.Interaction[Any]) -> None:
        """Respond to a click or a sent form, whatever its custom id is."""
        match interaction.type:
            case discord.InteractionType.component:
                find, otherwise = self._find_click, NOT_YOURS
            case discord.InteractionType.modal_submit:
                find, otherwise = self._find_form, UNKNOWN_FORM
            case _:
                return
        if not await self._admission.admits(interaction):
            return
        try:
            respond = find(interaction)
            if respond is None:
                log.info("press.foreign")
                await self._replies.respond_separately(interaction_ref(interaction), otherwise)
            else:
                await respond()
        except Exception as error:
            await self._failures.handle(interaction, error)

    def _find_click(self, interaction: discord.Interaction[Any]) -> Respond | None:
        custom_id = _custom_id(interaction)
        if (persistent := read_persistent(custom_id)) is not None:
            handler = self._persistent.get(persistent.name)
            if handler is None:
                return None
            return partial(handler, _persistent_click(interaction, persistent.row_id))
        caller = caller_of(interaction)
        signed = self._custom_ids.read(custom_id, caller.scope)
        if signed is None:
            return None
        action, scope = signed
        signed_handler = self._signed.get(action.name)
        if signed_handler is None:
            return None
        return partial(signed_handler, SignedClick(replace(caller, scope=scope), action.arguments))

    def _find_form(self, interaction: discord.Interaction[Any]) -> Respond | None:
        named = read_persistent(_custom_id(interaction))
        handler = None if named is None else self._forms.get(named.name)
        if named is None or handler is None:
            return None
        filled = read_form(cast("Mapping[str, Any]", interaction.data or {}))
        return partial(handler, SentForm(caller_of(interaction), named.row_id, filled))


def _custom_id(interaction: discord.Interaction[Any]) -> str:
    return str((interaction.data or {}).get("custom_id", ""))


def _persistent_click(interaction: discord.Interaction[Any], row_id: int) -> PersistentClick:
    message = interaction.message
    components = () if message is None else message.components
    return PersistentClick(
        caller=caller_of(interaction),
        row_id=row_id,
        message_id=0 if message is None else message.id,
        components=tuple(cast("Component", component.to_dict()) for component in components),
        ephemeral=message is not None and bool(message.flags.value & EPHEMERAL),
    )
