"""`/credits`: what a member has left, holds and spent, and what their latest edits cost."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_front import DiscordFront
from bot.ledger import Ledger, PastEdit
from bot.quotas import Balance, window_at
from bot.states import OPEN_STATES, State
from cogs.wording import count_credits, day_and_time

LATEST = 10
"""Edits that are listed."""


class CreditsCog(commands.Cog):
    """A member's own accounts, shown to them alone."""

    def __init__(
        self,
        ledger: Ledger,
        front: DiscordFront,
        default_quota: int | None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._front = front
        self._default_quota = default_quota
        self._clock = clock

    @app_commands.command(
        name="credits", description="What you can still spend, and what you spent"
    )
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def credits(self, interaction: discord.Interaction) -> None:
        """Answer with the balance and the latest edits."""
        balance, edits = await self._ledger.statement(
            interaction.guild_id or 0,
            interaction.user.id,
            window=window_at(self._clock()),
            default_quota=self._default_quota,
            latest=LATEST,
        )
        await self._front.reply(
            interaction.application_id,
            interaction.id,
            interaction.token,
            credits_text(balance, edits),
        )


def credits_text(balance: Balance, edits: Sequence[PastEdit]) -> str:
    """The balance on a line that programs can read, and a line for each edit."""
    left = "unlimited" if balance.left is None else balance.left
    lines = [
        f"Left {left} · Held {balance.held} · Spent {balance.spent}",
        f"This window ends on {day_and_time(balance.window.ends_at)}.",
    ]
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
