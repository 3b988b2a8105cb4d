"""`/settings`: moderators choose how edits work in their server."""

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
from bot.domain.server_settings import Setting, SettingName, as_kept, read_settings
from bot.ledger.quota_rules import Author, QuotaRules
from cogs.text import buttons
from cogs.text.log_channel import FIRST_NOTE
from cogs.text.settings import (
    ALLOW_ALONE,
    ALREADY_RESET,
    NOTHING_GIVEN,
    RESET_NOT_LOADED,
    Named,
    changes_text,
    list_full_text,
    log_refusal_text,
    reset_text,
    setting_line,
    settings_heading,
)
from cogs.ui.choices import QUALITIES, SIZES
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button
from cogs.ui.interactions import guild_id_of, interaction_ref, scope_of
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
from cogs.ui.pages import PAGE_SIZE, Entry, page, page_buttons, page_count

SHOW_PAGE, RESET = "settings.show", "settings.back"
"""Names of the buttons' actions in custom ids."""

THREADS = (ChannelType.public_thread, ChannelType.private_thread, ChannelType.news_thread)
# Discord's OpenAPI description has no media channels; a post in one names it as its parent.
ALLOWED = ChannelOption(
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
    """Changes and shows a server's settings."""

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
        log_channel: DiscordJournal,
        replies: Replies,
        custom_ids: CustomIds,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._quota_rules = quota_rules
        self._log_channel = log_channel
        self._replies = replies
        self._custom_ids = custom_ids
        self._clock = clock

    @property
    def signed(self) -> Mapping[str, ClickHandler]:
        """The handlers of its signed buttons."""
        return {SHOW_PAGE: self._turn, RESET: self._reset}

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
        channel: app_commands.Transform[NamedChannel, ALLOWED] | None = None,
        allow: bool | None = None,
        log_channel: app_commands.Transform[NamedChannel, LOGS] | None = None,
        refuse: str | None = None,
        spoiler: bool | None = None,
        private: bool | None = None,
    ) -> None:
        """Change all given settings, or none."""

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
            allowed = _given(SettingName.CHANNEL, channel, partial(_read_allowed, interaction))
            if allow is not None and not allowed:
                raise BadOptionError(ALLOW_ALONE)
            if allow is False:
                return await self._set(interaction, put, allowed)
            return await self._set(interaction, [*put, *allowed], [])

        await self._replies.respond_or_defer(interaction_ref(interaction), or_bad_option(work()))

    @settings.command(name="show", description="See this server's settings and defaults")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show all settings."""
        await self._replies.respond_or_defer(
            interaction_ref(interaction), self._show(scope_of(interaction), 0)
        )

    async def _set(
        self, interaction: discord.Interaction, put: Sequence[Named], removed: Sequence[Named]
    ) -> Reply:
        if not put and not removed:
            return Reply(NOTHING_GIVEN)
        guild_id = guild_id_of(interaction)
        rows = await self._quota_rules.list_settings(guild_id)
        put = [_as_listed(name, value, rows) for name, value in put]
        if refusal := await self._try_log_channel(put):
            return Reply(refusal)
        author = Author(interaction.user.id, self._clock())
        try:
            changes = await self._quota_rules.change_settings(guild_id, put, removed, author)
        except ListFullError as error:
            raise BadOptionError(list_full_text(SettingName(error.name), error.value)) from error
        return Reply(changes_text(changes, put, removed, _allowed_after(rows, put, removed)))

    async def _try_log_channel(self, put: Sequence[Named]) -> str | None:
        """Post to a new log channel; return the refusal if that fails."""
        for name, channel_id in put:
            if name is SettingName.LOG_CHANNEL:
                trial = await self._log_channel.try_out(int(channel_id), FIRST_NOTE)
                return log_refusal_text(int(channel_id), trial)
        return None

    async def _show(self, scope: SignatureScope, number: int, note: str = "") -> Reply:
        return self._page(
            scope, await self._quota_rules.list_settings(scope.guild_id), number, note
        )

    def _page(
        self, scope: SignatureScope, rows: Sequence[Setting], number: int, note: str
    ) -> Reply:
        number = min(number, page_count(len(rows)) - 1)
        entries = [
            Entry(
                setting_line(row),
                Button(buttons.RESET, self._write(RESET, scope, row.id, number)),
            )
            for row in sorted(rows, key=_by_rank)[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        ]
        below = page_buttons(number, len(rows), partial(self._write, SHOW_PAGE, scope))
        return Reply(components=page(settings_heading(rows, note), entries, below=below))

    async def _turn(self, click: SignedClick) -> None:
        (number,) = click.arguments
        work = self._show(click.scope, int(number))
        await self._replies.respond_or_defer(click.interaction, work)

    async def _reset(self, click: SignedClick) -> None:
        setting_id, number = map(int, click.arguments)
        guild_id = click.scope.guild_id

        async def work() -> Reply:
            author = Author(click.scope.member_id, self._clock())
            removed = await self._quota_rules.remove_setting(guild_id, setting_id, author)
            if removed is None:
                return await self._show(click.scope, number, ALREADY_RESET)
            try:
                rows = await self._quota_rules.list_settings(guild_id)
            except LedgerError:
                # The reset itself succeeded.
                return Reply(RESET_NOT_LOADED)
            note = reset_text(removed, read_settings(rows).channel_ids)
            return self._page(click.scope, rows, number, note)

        await self._replies.respond_or_defer(click.interaction, work())

    def _write(self, name: str, scope: SignatureScope, *arguments: int) -> str:
        return self._custom_ids.write(Action(name, tuple(map(str, arguments))), scope)


def _given(name: SettingName, given: T | None, read: Callable[[T], str]) -> list[Named]:
    return [] if given is None else [(name, read(given))]


def _read_log(interaction: discord.Interaction, given: NamedChannel) -> str:
    return str(LOGS.read("log_channel", given, interaction).id)


def _read_allowed(interaction: discord.Interaction, given: NamedChannel) -> str:
    """Return the channel's id, or a thread's parent's."""
    channel = ALLOWED.read("channel", given, interaction)
    if isinstance(channel, app_commands.AppCommandThread):
        return str(channel.parent_id)
    return str(channel.id)


def _as_listed(name: SettingName, value: str, rows: Sequence[Setting]) -> Named:
    """Use a blocked phrase's existing spelling if an equal one is listed."""
    if name is SettingName.REFUSE:
        same = (row.value for row in rows if row.name is name and fold(row.value) == fold(value))
        value = next(same, value)
    return name, value


def _allowed_after(
    rows: Sequence[Setting], put: Sequence[Named], removed: Sequence[Named]
) -> frozenset[int]:
    """Return the allowed channels after a change."""
    added = {int(value) for name, value in put if name is SettingName.CHANNEL}
    return (read_settings(rows).channel_ids | added) - {int(value) for _, value in removed}


def _by_rank(setting: Setting) -> tuple[int, int]:
    """Sort by option, then by age."""
    return list(SettingName).index(setting.name), setting.id
