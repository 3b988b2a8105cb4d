"""`/settings`: moderators say how edits are made in their server, and see what they said."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import discord
from discord import ChannelType, app_commands
from discord.ext import commands

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope
from bot.discord_io.log_channel import DiscordJournal
from bot.discord_io.replies import Replies, Reply
from bot.domain.banned_phrases import fold
from bot.domain.errors import LedgerError, ListFullError
from bot.domain.pricing import MAX_COUNT
from bot.domain.server_settings import MAX_LISTED, Setting, SettingName, as_kept, read_settings
from bot.ledger.quota_rules import Author, QuotaRules
from cogs.text.log_channel import FIRST_NOTE
from cogs.text.settings import (
    NO_LONGER_SET,
    NOTHING_GIVEN,
    TAKEN_BACK_UNSEEN,
    Named,
    changes_text,
    log_refusal_text,
    setting_line,
    settings_heading,
    taken_back_text,
    value_text,
)
from cogs.ui.choices import QUALITIES, SIZES
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button
from cogs.ui.interactions import asked_by, guild_of, holder_of
from cogs.ui.option_parsing import (
    BadOptionError,
    ChannelOption,
    NamedChannel,
    or_bad_option,
    read_max_count,
    read_phrase,
    read_quality,
    read_size,
)
from cogs.ui.pages import PAGE, Entry, page, pages_of, turning

SHOW_PAGE, TAKE_BACK = "settings.show", "settings.back"
"""What the buttons do: turn to a page, take a setting back."""

THREADS = (ChannelType.public_thread, ChannelType.private_thread, ChannelType.news_thread)
# Discord's description of its API knows no media channels; a post names the one that it is in.
PLACES = ChannelOption(
    ChannelType.text,
    ChannelType.news,
    ChannelType.forum,
    ChannelType.voice,
    ChannelType.stage_voice,
    *THREADS,
)
LOGS = ChannelOption(ChannelType.text, ChannelType.news, ChannelType.voice, *THREADS)

Clock = Callable[[], datetime]
T = TypeVar("T")


class SettingsCog(commands.Cog):
    """The settings of a server."""

    settings = app_commands.Group(
        name="settings",
        description="Manage how Darkroom works in this server",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )

    def __init__(
        self,
        quota_rules: QuotaRules,
        journal: DiscordJournal,
        replies: Replies,
        custom_ids: CustomIds,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._quota_rules = quota_rules
        self._journal = journal
        self._replies = replies
        self._custom_ids = custom_ids
        self._clock = clock

    @property
    def actions(self) -> Mapping[str, ClickHandler]:
        """What its buttons do."""
        return {SHOW_PAGE: self._turn, TAKE_BACK: self._take_back}

    @settings.command(
        name="set", description="Change one or more settings. Everything else stays the same"
    )
    @app_commands.describe(
        quality="Default quality",
        size="Default aspect ratio",
        max_count="Max images per edit",
        channel="Allow edits in this channel. If none are set, edits work everywhere",
        allow="Use with channel: False removes it from the allowed list",
        log_channel="Post a log of every edit in this channel",
        refuse="Block prompts that contain this word or phrase",
        spoiler="Mark results as spoilers",
        private="Let members make edits only they can see",
    )
    @app_commands.choices(quality=QUALITIES, size=SIZES)
    async def set(
        self,
        interaction: discord.Interaction,
        quality: str | None = None,
        size: str | None = None,
        max_count: app_commands.Range[int, 1, MAX_COUNT] | None = None,
        channel: app_commands.Transform[NamedChannel, PLACES] | None = None,
        allow: bool | None = None,
        log_channel: app_commands.Transform[NamedChannel, LOGS] | None = None,
        refuse: str | None = None,
        spoiler: bool | None = None,
        private: bool | None = None,
    ) -> None:
        """Change what was given, all or nothing."""

        async def work() -> Reply:
            put = [
                *_given(SettingName.QUALITY, quality, read_quality),
                *_given(SettingName.SIZE, size, read_size),
                *_given(SettingName.MAX_COUNT, max_count, read_max_count),
                *_given(SettingName.REFUSE, refuse, read_phrase),
                *_given(SettingName.SPOILER, spoiler, as_kept),
                *_given(SettingName.PRIVATE, private, as_kept),
                *_given(SettingName.LOG_CHANNEL, log_channel, partial(_read_log, interaction)),
            ]
            place = _given(SettingName.CHANNEL, channel, partial(_read_place, interaction))
            if allow is not None and not place:
                raise BadOptionError(
                    "allow", f"{allow} without `channel`", "a channel in `channel`"
                )
            if allow is False:
                return await self._set(interaction, put, place)
            return await self._set(interaction, [*put, *place], [])

        await self._replies.respond_or_defer(asked_by(interaction), or_bad_option(work()))

    @settings.command(name="show", description="See this server's settings and defaults")
    async def show(self, interaction: discord.Interaction) -> None:
        """Answer with all that is set."""
        await self._replies.respond_or_defer(
            asked_by(interaction), self._show(holder_of(interaction), 0)
        )

    # What the commands come to.

    async def _set(
        self, interaction: discord.Interaction, put: Sequence[Named], removed: Sequence[Named]
    ) -> Reply:
        if not put and not removed:
            return Reply(NOTHING_GIVEN)
        guild_id = guild_of(interaction)
        rows = await self._quota_rules.list_settings(guild_id)
        put = [_as_listed(name, value, rows) for name, value in put]
        if refusal := await self._try_log(put):
            return Reply(refusal)
        author = Author(interaction.user.id, self._clock())
        try:
            changes = await self._quota_rules.change_settings(guild_id, put, removed, author)
        except ListFullError as full:
            takes = (
                f"{MAX_LISTED} of them at most, and there are as many; `/settings show` takes back"
            )
            got = value_text(SettingName(full.name), full.value)
            raise BadOptionError(full.name, got, takes) from full
        return Reply(changes_text(changes, put, removed, _places_after(rows, put, removed)))

    async def _try_log(self, put: Sequence[Named]) -> str | None:
        """Why the channel that is to be the log cannot be, if one is and it cannot."""
        for name, channel_id in put:
            if name is SettingName.LOG_CHANNEL:
                trial = await self._journal.try_out(int(channel_id), FIRST_NOTE)
                return log_refusal_text(int(channel_id), trial)
        return None

    async def _show(self, holder: SignatureScope, number: int, note: str = "") -> Reply:
        return self._page(
            holder, await self._quota_rules.list_settings(holder.guild_id), number, note
        )

    def _page(
        self, holder: SignatureScope, rows: Sequence[Setting], number: int, note: str
    ) -> Reply:
        number = min(number, pages_of(len(rows)) - 1)
        entries = [
            Entry(
                setting_line(row),
                Button("Take back", self._write(TAKE_BACK, holder, row.id, number)),
            )
            for row in sorted(rows, key=_by_rank)[number * PAGE : (number + 1) * PAGE]
        ]
        below = turning(number, len(rows), partial(self._write, SHOW_PAGE, holder))
        return Reply(components=page(settings_heading(rows, note), entries, below=below))

    # What the buttons come to.

    async def _turn(self, press: SignedClick) -> None:
        (number,) = press.arguments
        await self._replies.respond_or_defer(press.asked, self._show(press.by, int(number)))

    async def _take_back(self, press: SignedClick) -> None:
        setting_id, number = map(int, press.arguments)
        guild_id = press.by.guild_id

        async def work() -> Reply:
            author = Author(press.by.member_id, self._clock())
            taken = await self._quota_rules.take_back(guild_id, setting_id, author)
            if taken is None:
                return await self._show(press.by, number, NO_LONGER_SET)
            try:
                rows = await self._quota_rules.list_settings(guild_id)
            except LedgerError:
                # That it was taken back is true all the same.
                return Reply(TAKEN_BACK_UNSEEN)
            note = taken_back_text(taken, read_settings(rows).channel_ids)
            return self._page(press.by, rows, number, note)

        await self._replies.respond_or_defer(press.asked, work())

    def _write(self, name: str, holder: SignatureScope, *arguments: int) -> str:
        return self._custom_ids.write(Action(name, tuple(map(str, arguments))), holder)


def _given(name: SettingName, given: T | None, read: Callable[[T], str]) -> list[Named]:
    return [] if given is None else [(name, read(given))]


def _read_log(interaction: discord.Interaction, given: NamedChannel) -> str:
    return str(LOGS.read("log_channel", given, interaction).id)


def _read_place(interaction: discord.Interaction, given: NamedChannel) -> str:
    """The channel, or a thread's parent."""
    channel = PLACES.read("channel", given, interaction)
    if isinstance(channel, app_commands.AppCommandThread):
        return str(channel.parent_id)
    return str(channel.id)


def _as_listed(name: SettingName, value: str, rows: Sequence[Setting]) -> Named:
    """A phrase as it is listed already, if one that finds the same is."""
    if name is SettingName.REFUSE:
        same = (row.value for row in rows if row.name is name and fold(row.value) == fold(value))
        value = next(same, value)
    return name, value


def _places_after(
    rows: Sequence[Setting], put: Sequence[Named], removed: Sequence[Named]
) -> frozenset[int]:
    """Where edits may be made after a change."""
    added = {int(value) for name, value in put if name is SettingName.CHANNEL}
    return (read_settings(rows).channel_ids | added) - {int(value) for _, value in removed}


def _by_rank(setting: Setting) -> tuple[int, int]:
    """In the order of the options, and then of their setting."""
    return list(SettingName).index(setting.name), setting.id
