"""`/credits`: a member's balance and latest edits."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.replies import Replies, Reply
from bot.domain.edits import PastEdit
from bot.domain.lifecycle import OPEN_STATES, State
from bot.domain.quotas import Balance, OperatorLimits
from bot.ledger import Ledger
from cogs.text.balances import balance_lines, sums_line
from cogs.text.formats import count_credits, relative_time
from cogs.text.outcomes import STATE_LABELS
from cogs.ui.interactions import as_member, guild_id_of, interaction_ref

LATEST = 10
"""Edits to list."""


class CreditsCog(commands.Cog):
    """Shows members their own credits, in private."""

    def __init__(
        self,
        ledger: Ledger,
        replies: Replies,
        limits: OperatorLimits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._replies = replies
        self._limits = limits
        self._clock = clock

    @app_commands.command(name="credits", description="See how many credits you have left")
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def credits(self, interaction: discord.Interaction) -> None:
        """Show the balance and the latest edits."""
        await self._replies.respond_or_defer(
            interaction_ref(interaction), self._statement(interaction)
        )

    async def _statement(self, interaction: discord.Interaction) -> Reply:
        balance, edits = await self._ledger.statement(
            as_member(interaction.user, guild_id_of(interaction)),
            limits=self._limits,
            now=self._clock(),
            latest=LATEST,
        )
        return Reply(credits_text(balance, edits, guild_id_of(interaction)))


def credits_text(balance: Balance, edits: Sequence[PastEdit], guild_id: int) -> str:
    """Show the balance, the latest edits, and the line that programs read."""
    lines = balance_lines(balance, guild_id)
    if edits:
        lines += ["", "**Your latest edits**", *map(_line, edits)]
    return "\n".join([*lines, sums_line(balance)])


def _line(edit: PastEdit) -> str:
    order = f"{edit.quality.capitalize()} × {edit.count}"
    return f"- {relative_time(edit.held_at)} · {order} · {_outcome(edit)}"


def _outcome(edit: PastEdit) -> str:
    if edit.state in OPEN_STATES:
        return f"in progress, {count_credits(edit.quality.price * edit.count)} reserved"
    if edit.state is State.DELIVERED:
        return count_credits(edit.charged)
    return f"{STATE_LABELS[edit.state]}, {count_credits(0)}"
