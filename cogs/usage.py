"""`/usage`: what a server spent, as a chart, as sums and as a file."""

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
from bot.domain.quotas import Window, window_at, window_before
from bot.editing.fitting import UPLOAD_LIMIT
from bot.ledger.usage import Usage, UsageBook
from bot.reports.charts import Charts
from bot.reports.exports import MAKING, Exports
from bot.reports.usage_chart import UsageChart, alt_text
from bot.reports.usage_csv import write_csv_or_zip
from bot.reports.usage_rows import in_batches
from cogs.text.markdown import as_plain
from cogs.text.outcomes import EXPORT_RUNNING, count_credits, day_text
from cogs.ui.components import Item, as_components
from cogs.ui.interactions import asked_by, guild_of
from cogs.ui.option_parsing import BadOptionError, read_choice

EXPORT_TOO_LARGE = (
    "This export is too large for Discord, even as a zip file. Pick a period, or ask the bot "
    "owner to run `python -m bot usage --csv`."
)
PERIOD_TOO_LARGE = (
    "This period's export is too large for Discord, even as a zip file. Ask the bot owner to run "
    "`python -m bot usage --csv`."
)

TOP = 10
"""Members that are named."""

LEAST_DAYS = 14
"""A chart of fewer days says little, so those before the window come with it."""

CHART = "usage.png"

NOT_DRAWN = "The chart could not be drawn; the sums are as they are."
NOT_UPLOADED = (
    "Discord did not take the files; the sums are as they are. Run the command again in a minute."
)

CHART_ROOM = 2**20
"""Bytes of a message that are kept for the chart."""

LONGEST_NAME = 40


class Span(StrEnum):
    """Which window's use is shown."""

    THIS = "this"
    LAST = "last"


log: structlog.stdlib.BoundLogger = structlog.get_logger()


class UsageCog(commands.Cog):
    """A server's use, shown to its moderators."""

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
        # Its own, so that no edit waits for a thread behind exports.
        self._threads = ThreadPoolExecutor(MAKING, thread_name_prefix="usage-export")

    async def cog_unload(self) -> None:
        """Take no more exports."""
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
        """Answer with the chart and the sums, or with the file as well."""
        if not export:
            await self._answer(interaction, window)
            return
        with self._exports.begin(interaction.user.id) as begun:
            if not begun:
                await self._replies.respond(asked_by(interaction), Reply(EXPORT_RUNNING))
                return
            async with self._exports.folder(interaction.id) as folder:
                await self._answer(interaction, window, folder)

    async def _answer(
        self, interaction: discord.Interaction, window: str | None, folder: Path | None = None
    ) -> None:
        """Answer with the chart, the sums, and the files of an export into `folder`, if any."""
        asked, guild_id = asked_by(interaction), guild_of(interaction)
        async with self._replies.deferred(asked):
            try:
                span = None if window is None else read_choice("window", window, Span)
            except BadOptionError as bad:
                await self._replies.respond(asked, Reply(str(bad)), deferred=True)
                return
            report = await self._look_up(guild_id, span)
            if folder is not None:
                # Covers all time unless a period was picked.
                exported = None if span is None else report.usage.window
                limit = interaction.filesize_limit
                async with self._exports.making():
                    report.export = await self._export(guild_id, exported, folder, limit)
                if report.export is None:
                    report.note = EXPORT_TOO_LARGE if exported is None else PERIOD_TOO_LARGE
            if not await self._replies.respond(asked, report.whole(), deferred=True):
                await self._replies.respond(asked, report.without_files(), deferred=True)

    async def _look_up(self, guild_id: int, span: Span | None) -> "_Report":
        """The sums over a window, and the chart of these, if it can be drawn."""
        now = self._clock()
        # The child gets ready while the ledger is read.
        async with self._charts.drawing() as draw:
            period = await self._book.period(guild_id)
            window = window_at(now, period)
            if span is Span.LAST:
                window = window_before(window, period)
            usage = await self._book.usage(
                guild_id, window=window, since=_first_day(window), most=TOP
            )
            chart = chart_of(usage, now)
            try:
                drawn = File(CHART, await draw(chart), alt_text(chart))
            except ChildFailedError as fault:
                log.warning("usage.not_drawn", why=str(fault))
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
    """The chart of a server's use; a budget of more than a day is spread over its days."""
    window = usage.window
    days = Window(_first_day(window), window.end).days
    charged = {(each.day, each.quality): each.credits for each in usage.daily}
    length = len(window.days)
    return UsageChart(
        title="Credits a day",
        days=days,
        credits={
            quality: tuple(charged.get((day, quality), 0) for day in days) for quality in Quality
        },
        budget_per_day=None if usage.budget is None else usage.budget / length,
        now=now.astimezone(UTC).date(),
    )


@dataclass(slots=True)
class _Report:
    """What the command answers."""

    usage: Usage
    now: datetime
    chart: File | None
    export: Path | None = None
    note: str | None = None
    """Why there is no export."""

    def whole(self) -> Reply:
        """The chart, the sums, and the export or why there is none."""
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
        """The sums alone, for when Discord does not take the files."""
        return Reply(components=as_components(ui.TextDisplay(NOT_UPLOADED), *self._texts()))

    def _texts(self) -> list[Item]:
        sums, usage = _sums_text(self.usage, self.now), self.usage
        texts = (sums, _top_text(usage), _failures_text(usage))
        return [ui.TextDisplay(text) for text in texts if text]


def _sums_text(usage: Usage, now: datetime) -> str:
    here = [each for each in usage.daily if usage.window.first <= each.day]
    charged = sum(each.credits for each in here)
    pictures, edits = sum(each.pictures for each in here), sum(each.edits for each in here)
    by_quality = [
        (quality, sum(each.credits for each in here if each.quality is quality))
        for quality in Quality
    ]
    lines = [
        f"**Usage, {_span(usage.window)}**",
        f"{count_credits(charged)} charged · pictures: {pictures} · edits: {edits}",
        " · ".join(f"{quality.capitalize()}: {credits}" for quality, credits in by_quality),
        f"Held: {usage.held}",
    ]
    if usage.budget is not None:
        left = max(0, usage.budget - charged - usage.held)
        still = f", of which {left} are left" if now in usage.window else ""
        lines.append(f"Budget: {usage.budget} a {usage.period}{still}")
    return "\n".join(lines)


def _span(window: Window) -> str:
    first, last = day_text(window.first), day_text(window.end - timedelta(days=1))
    return first if first == last else f"{first} to {last}"


def _top_text(usage: Usage) -> str:
    lines = [
        f"{place}. {_name(each.member_id, each.name)}: {count_credits(each.credits)}, "
        f"{each.pictures} pictures"
        for place, each in enumerate(usage.top, 1)
    ]
    return "\n".join(["**Who spent most**", *lines]) if lines else ""


def _failures_text(usage: Usage) -> str:
    kinds = [f"{reason.replace('_', ' ')}: {count}" for reason, count in usage.failures.items()]
    return "**Ended without pictures, at no cost**\n" + " · ".join(kinds) if kinds else ""


def _name(member_id: int, name: str | None) -> str:
    """A member's name as it was; the mention of one whose name was erased, which pings nobody."""
    return as_plain(name, LONGEST_NAME) if name else f"<@{member_id}>"


def _first_day(window: Window) -> date:
    """The first day of the chart."""
    if len(window.days) > 1:
        return window.first
    return window.end - timedelta(days=LEAST_DAYS)
