"""The one handler of what broke in a command or button."""

from typing import Any

import discord
import structlog

from bot.discord_io.replies import DeferredFailureError, InteractionRef, Replies, Reply
from bot.domain.errors import LedgerError
from bot.editing.editor import new_reference
from cogs.text.outcomes import LEDGER_SILENT, refusal_text, unforeseen_text
from cogs.ui.choices import NotOfferedError
from cogs.ui.interactions import asked_by

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class FailureHandler:
    """Says what is not offered, that the ledger does not answer, or where the log has the error."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def answer(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Answer in the command's stead, or in the place of the answer that it gave."""
        if interaction.type is discord.InteractionType.autocomplete:
            log.error("autocomplete.failed", exc_info=error)
            return
        cause: object = getattr(error, "original", error)
        announced = isinstance(cause, DeferredFailureError)
        if isinstance(cause, DeferredFailureError):
            cause = cause.__cause__
        if isinstance(cause, LedgerError):
            log.error("ledger.silent", fault=str(cause))
            text = LEDGER_SILENT
        elif isinstance(cause, NotOfferedError):
            text = refusal_text(cause.refusal)
        else:
            reference = new_reference()
            log.error("command.failed", reference=reference, exc_info=error)
            text = unforeseen_text(reference)
        asked = asked_by(interaction)
        if not await self._tell(asked, text, announced=announced):
            log.warning("command.untold", interaction=str(interaction.id))

    async def _tell(self, asked: InteractionRef, text: str, *, announced: bool) -> bool:
        """Say it where an answer is awaited; a button's page stays, if it can."""
        if announced:
            return await self._replies.respond(asked, Reply(text), deferred=True)
        if asked.by_button and await self._replies.respond_separately(asked, text):
            return True
        return await self._replies.respond(asked, Reply(text), instead=True)
