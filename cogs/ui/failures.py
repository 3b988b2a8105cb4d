"""Handles errors that commands, buttons and forms raise."""

from typing import Any

import discord
import structlog

from bot.discord_io.replies import DeferredFailureError, InteractionRef, Replies, Reply
from bot.domain.errors import LedgerError
from bot.editing.editor import new_reference
from cogs.text.outcomes import LEDGER_SILENT, refusal_text, unforeseen_text
from cogs.ui.choices import RefusedInputError
from cogs.ui.interactions import interaction_ref

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class FailureHandler:
    """Logs an error and tells the member what happened."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def handle(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Respond in place of the command, or replace its response."""
        if interaction.type is discord.InteractionType.autocomplete:
            log.error("autocomplete.failed", exc_info=error)
            return
        cause: object = getattr(error, "original", error)
        deferred = isinstance(cause, DeferredFailureError)
        if isinstance(cause, DeferredFailureError):
            cause = cause.__cause__
        if isinstance(cause, LedgerError):
            log.error("ledger.silent", fault=str(cause))
            text = LEDGER_SILENT
        elif isinstance(cause, RefusedInputError):
            text = refusal_text(cause.refusal)
        else:
            reference = new_reference()
            log.error("command.failed", reference=reference, exc_info=error)
            text = unforeseen_text(reference)
        if not await self._respond(interaction_ref(interaction), text, deferred=deferred):
            log.warning("command.untold", interaction=str(interaction.id))

    async def _respond(self, interaction: InteractionRef, text: str, *, deferred: bool) -> bool:
        if deferred:
            return await self._replies.respond(interaction, Reply(text), deferred=True)
        # A new message leaves the message with the button alone.
        if interaction.by_button and await self._replies.respond_separately(interaction, text):
            return True
        return await self._replies.respond(interaction, Reply(text), instead=True)
