"""`/credits`: what a member has left, holds and spent, and what their latest edits cost."""

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
from cogs.text.balances import details_lines, sums_line
from cogs.text.outcomes import count_credits
from cogs.ui.interactions import as_member, asked_by, guild_of

LATEST = 10
"""Edits that are listed."""


class CreditsCog(commands.Cog):
    """A member's own accounts, shown to them alone."""

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
        """Answer with the balance and the latest edits."""
        await self._replies.respond_or_defer(asked_by(interaction), self._state(interaction))

    async def _state(self, interaction: discord.Interaction) -> Reply:
        balance, edits = await self._ledger.statement(
            as_member(interaction.user, guild_of(interaction)),
            limits=self._limits,
            now=self._clock(),
            latest=LATEST,
        )
        return Reply(credits_text(balance, edits, guild_of(interaction)))


def credits_text(balance: Balance, edits: Sequence[PastEdit], guild_id: int) -> str:
    """The balance on a line that programs can read, how it comes about, and the latest edits."""
    lines = [sums_line(balance), *details_lines(balance, guild_id)]
    if edits:
        lines += ["", "**Your latest edits**", *map(_line, edits)]
    return "\n".join(lines)


def _line(edit: PastEdit) -> str:
    order = f"{edit.quality.capitalize()} × {edit.count}"
    return f"- <t:{edit.held_at.timestamp():.0f}:R> · {order} · {_outcome(edit)}"


def _outcome(edit: PastEdit) -> str:
    if edit.state in OPEN_STATES:
        return f"under way, {count_credits(edit.quality.price * edit.count)} held"
    if edit.state is State.DELIVERED:
        return count_credits(edit.charged)
    return f"{edit.state}, {count_credits(0)}"
