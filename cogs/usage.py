"""`/usage`: the credits that a server used, as a chart, totals and a CSV file."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import discord
import structlog
from discord import app_commands, ui
from discord.ext import commands

from bot.discord_io.replies import Replies, Reply
from bot.discord_io.transport import File
from bot.domain.errors import ChildFailedError
from bot.domain.pricing import Quality
from bot.domain.quotas import Period, Window, window_at, window_before
from bot.editing.fitting import UPLOAD_LIMIT
from bot.ledger.usage import Usage, UsageBook
from bot.reports.charts import MAX_CONCURRENT, Charts
from bot.reports.exports import MAKING, Exports
from bot.reports.usage_chart import UsageChart, alt_text
from bot.reports.usage_csv import write_csv_or_zip
from bot.reports.usage_rows import in_batches
from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.fair_slots import FairSlots
from cogs.text.formats import count_credits, count_edits, count_images, day_text
from cogs.text.markdown import as_plain
from cogs.text.outcomes import EXPORT_RUNNING, REASON_LABELS
from cogs.ui.components import Item, as_components
from cogs.ui.interactions import guild_id_of, interaction_ref
from cogs.ui.option_parsing import BadOptionError, read_choice

EXPORT_TOO_LARGE = (
    "This export is too large for Discord, even as a zip file. Pick a period, or ask the bot "
    "owner to run `python -m bot usage --csv`."
)
PERIOD_TOO_LARGE = (
    "This period's export is too large for Discord, even as a zip file. Ask the bot owner to run "
    "`python -m bot usage --csv`."
)

NOT_DRAWN = "The chart couldn't be created. The totals below are correct."
NOT_UPLOADED = (
    "The files couldn't be uploaded. The totals below are correct. Run the command again in a "
    "minute."
)

_USED = "{credits} used"
_BUDGETS = {
    Period.DAY: "Budget: {budget} per day",
    Period.WEEK: "Budget: {budget} per week",
    Period.MONTH: "Budget: {budget} per month",
}

TOP = 10
"""Members to list."""

MIN_DAYS = 14
"""A chart of fewer days says little, so it starts before the period."""

CHART = "usage.png"

CHART_ROOM = 2**20
"""Bytes of a message that are reserved for the chart."""

MAX_NAME = 40


class Span(StrEnum):
    """The period to show."""

    THIS = "this"
    LAST = "last"


log: structlog.stdlib.BoundLogger = structlog.get_logger()


class UsageCog(commands.Cog):
    """Shows moderators what their server used."""

    def __init__(
        self,
        book: UsageBook,
        charts: Charts,
        replies: Replies,
        exports: Exports,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._book = book
        self._charts = charts
        self._replies = replies
        self._exports = exports
        self._clock = clock
        # One per member, so that a moderator's commands don't hold up other servers.
        self._slots = FairSlots(MAX_CONCURRENT, per_member=1)
        # A pool of its own, so that no edit waits for a thread behind exports.
        self._threads = ThreadPoolExecutor(MAKING, thread_name_prefix="usage-export")

    async def cog_unload(self) -> None:
        """Cancel exports that wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @app_commands.command(name="usage", description="See this server's credit usage")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    @app_commands.describe(
        window="Period (default: current)",
        export="Attach a CSV of every edit. Covers all time unless you pick a period",
    )
    @app_commands.choices(
        window=[
            app_commands.Choice(name="Current period", value=Span.THIS.value),
            app_commands.Choice(name="Previous period", value=Span.LAST.value),
        ]
    )
    async def usage(
        self, interaction: discord.Interaction, window: str | None = None, export: bool = False
    ) -> None:
        """Show the chart and the totals, and attach the CSV if asked for."""
        if not export:
            await self._answer(interaction, window)
            return
        with self._exports.begin(interaction.user.id) as begun:
            if not begun:
                await self._replies.respond(interaction_ref(interaction), Reply(EXPORT_RUNNING))
                return
            async with self._exports.folder(interaction.id) as folder:
                await self._answer(interaction, window, folder)

    async def _answer(
        self, interaction: discord.Interaction, window: str | None, folder: Path | None = None
    ) -> None:
        """Respond, with an export written to `folder` if there is one."""
        ref, guild_id = interaction_ref(interaction), guild_id_of(interaction)
        async with self._replies.deferred(ref):
            try:
                span = None if window is None else read_choice("window", window, Span)
            except BadOptionError as error:
                await self._replies.respond(ref, Reply(str(error)), deferred=True)
                return
            async with self._slots.slot(QueueEntry(interaction.id, interaction.user.id)):
                report = await self._look_up(guild_id, span)
            if folder is not None:
                # Without a period, an export covers all time.
                exported = None if span is None else report.usage.window
                limit = interaction.filesize_limit
                async with self._exports.making():
                    report.export = await self._export(guild_id, exported, folder, limit)
                if report.export is None:
                    report.note = EXPORT_TOO_LARGE if exported is None else PERIOD_TOO_LARGE
            if not await self._replies.respond(ref, report.whole(), deferred=True):
                await self._replies.respond(ref, report.without_files(), deferred=True)

    async def _look_up(self, guild_id: int, span: Span | None) -> "_Report":
        """Read a period's totals, and draw the chart if that works."""
        now = self._clock()
        # The child process starts while the ledger is read.
        async with self._charts.drawing() as draw:
            period = await self._book.period(guild_id)
            window = window_at(now, period)
            if span is Span.LAST:
                window = window_before(window, period)
            usage = await self._book.usage(
                guild_id, window=window, since=_first_day(window), limit=TOP
            )
            chart = chart_of(usage, now)
            try:
                drawn = File(CHART, await draw(chart), alt_text(chart))
            except ChildFailedError as error:
                log.warning("usage.not_drawn", why=str(error))
                drawn = None
        return _Report(usage, now, drawn)

    async def _export(
        self, guild_id: int, window: Window | None, folder: Path, upload_limit: int
    ) -> Path | None:
        loop = asyncio.get_running_loop()
        write = partial(
            write_csv_or_zip,
            in_batches(self._book, guild_id, window, loop),
            folder,
            name=f"usage-{guild_id}-{'all' if window is None else f'from-{window.first}'}",
            limit=min(upload_limit, UPLOAD_LIMIT - CHART_ROOM),
        )
        return await loop.run_in_executor(self._threads, write)


def chart_of(usage: Usage, now: datetime) -> UsageChart:
    """Build the chart; a budget for several days is spread over them."""
    window = usage.window
    days = Window(_first_day(window), window.end).days
    charged = {(row.day, row.quality): row.credits for row in usage.daily}
    length = len(window.days)
    return UsageChart(
        title="Credits per day",
        days=days,
        credits={
            quality: tuple(charged.get((day, quality), 0) for day in days) for quality in Quality
        },
        budget_per_day=None if usage.budget is None else usage.budget / length,
        now=now.astimezone(UTC).date(),
    )


@dataclass(slots=True)
class _Report:
    """The command's response."""

    usage: Usage
    now: datetime
    chart: File | None
    export: Path | None = None
    note: str | None = None
    """Why there is no export."""

    def whole(self) -> Reply:
        """Lay out the chart, the totals, and the export or why there is none."""
        exported = [] if self.export is None else [File(self.export.name, self.export)]
        if self.chart is None:
            chart: Item = ui.TextDisplay(NOT_DRAWN)
        else:
            chart = ui.MediaGallery(
                discord.MediaGalleryItem(
                    f"attachment://{CHART}", description=self.chart.description
                )
            )
        items = [chart, *self._texts()]
        items += [ui.File(f"attachment://{file.name}") for file in exported]
        if self.note is not None:
            items.append(ui.TextDisplay(self.note))
        files = [] if self.chart is None else [self.chart]
        return Reply(components=as_components(*items), files=[*files, *exported])

    def without_files(self) -> Reply:
        """Lay out only the totals, for when the upload failed."""
        return Reply(components=as_components(ui.TextDisplay(NOT_UPLOADED), *self._texts()))

    def _texts(self) -> list[Item]:
        usage = self.usage
        texts = (_sums_text(usage, self.now), _top_text(usage), _failures_text(usage))
        return [ui.TextDisplay(text) for text in texts if text]


def _sums_text(usage: Usage, now: datetime) -> str:
    days = [row for row in usage.daily if usage.window.first <= row.day]
    charged = sum(row.credits for row in days)
    totals = [
        _USED.format(credits=count_credits(charged)),
        count_images(sum(row.images for row in days)),
        count_edits(sum(row.edits for row in days)),
    ]
    by_quality = [
        f"{quality.capitalize()}: {sum(row.credits for row in days if row.quality is quality):,}"
        for quality in Quality
    ]
    lines = [
        f"**Usage, {_span(usage.window)}**",
        " · ".join(totals),
        " · ".join(by_quality),
        f"{usage.held:,} reserved",
    ]
    if usage.budget is not None:
        budget = _BUDGETS[usage.period].format(budget=f"{usage.budget:,}")
        left = max(0, usage.budget - charged - usage.held)
        lines.append(f"{budget} · {left:,} left" if now in usage.window else budget)
    return "\n".join(lines)


def _span(window: Window) -> str:
    first, last = day_text(window.first), day_text(window.end - timedelta(days=1))
    return first if first == last else f"{first} to {last}"


def _top_text(usage: Usage) -> str:
    lines = [
        f"{rank}. {_name(spender.member_id, spender.name)}: {count_credits(spender.credits)}, "
        f"{count_images(spender.images)}"
        for rank, spender in enumerate(usage.top, 1)
    ]
    return "\n".join(["**Top members**", *lines]) if lines else ""


def _failures_text(usage: Usage) -> str:
    counts = [f"{REASON_LABELS[reason]}: {count:,}" for reason, count in usage.failures.items()]
    return f"**Failed edits (not charged)**\n{' · '.join(counts)}" if counts else ""


def _name(member_id: int, name: str | None) -> str:
    """Return the member's name, or mention them, without a ping, if the name was deleted."""
    return as_plain(name, MAX_NAME) if name else f"<@{member_id}>"


def _first_day(window: Window) -> date:
    """Return the first day of the chart."""
    if len(window.days) > 1:
        return window.first
    return window.end - timedelta(days=MIN_DAYS)
