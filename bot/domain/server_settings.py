"""What a server's moderators set for every edit in it: pure values, and how they are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.pricing import MAX_COUNT, Quality

MAX_LISTED = 200
"""Channels, or refused phrases, that a server can name."""

LONGEST_PHRASE = 100
"""Characters of a refused word or phrase."""


class SettingName(StrEnum):
    """What can be set, some of it many times with different values."""

    QUALITY = "quality"
    SIZE = "size"
    MAX_COUNT = "max_count"
    CHANNEL = "channel"
    """Where edits may be made; nowhere else, once there is one."""
    LOG_CHANNEL = "log_channel"
    REFUSE = "refuse"
    """A word or phrase whose prompts are refused."""
    SPOILER = "spoiler"
    PRIVATE = "private"

    @property
    def listed(self) -> bool:
        """Whether there can be several of it."""
        return self in {SettingName.CHANNEL, SettingName.REFUSE}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that was set, in the form in which it is kept."""

    id: int
    name: SettingName
    value: str


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All that was set; the defaults are what holds where nothing was."""

    quality: Quality | None = None
    """What an edit has whose member chose none; None: the bot's own default."""
    size: str | None = None
    max_count: int = MAX_COUNT
    channel_ids: frozenset[int] = frozenset()
    """Empty: everywhere."""
    log_channel_id: int | None = None
    refused: tuple[str, ...] = ()
    spoiler: bool = False
    private: bool = True
    """Whether edits that one member alone sees may be made."""


TRUE, FALSE = "true", "false"


def as_kept(value: bool) -> str:
    """The form in which a yes or no is kept."""
    return TRUE if value else FALSE


def read_settings(rows: Iterable[Setting]) -> ServerSettings:
    """What the kept settings say."""
    kept = list(rows)

    def values(name: SettingName) -> list[str]:
        return [row.value for row in kept if row.name is name]

    def value(name: SettingName) -> str | None:
        return next(iter(values(name)), None)

    quality = value(SettingName.QUALITY)
    log_channel = value(SettingName.LOG_CHANNEL)
    return ServerSettings(
        quality=None if quality is None else Quality(quality),
        size=value(SettingName.SIZE),
        max_count=int(value(SettingName.MAX_COUNT) or MAX_COUNT),
        channel_ids=frozenset(map(int, values(SettingName.CHANNEL))),
        log_channel_id=None if log_channel is None else int(log_channel),
        refused=tuple(values(SettingName.REFUSE)),
        spoiler=value(SettingName.SPOILER) == TRUE,
        private=value(SettingName.PRIVATE) != FALSE,
    )
