"""What a server spent: sums by day, quality, member and reason, and every edit as a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Period, Window


@dataclass(frozen=True, slots=True)
class DailyUse:
    """What was charged and posted on one day in one quality."""

    day: date
    quality: Quality
    edits: int
    """Those that were delivered."""
    pictures: int
    credits: int


@dataclass(frozen=True, slots=True)
class MemberUse:
    """What one member was charged; `name` is None where it was erased."""

    member_id: int
    name: str | None
    pictures: int
    credits: int


@dataclass(frozen=True, slots=True)
class Usage:
    """A server's use over a window."""

    window: Window
    period: Period
    budget: int | None
    daily: tuple[DailyUse, ...]
    """Over the days that were asked for, which may be more than the window's."""
    top: tuple[MemberUse, ...]
    failures: Mapping[Reason, int]
    """Edits that ended without pictures, by why."""
    held: int
    sent: int
    """Credits of what was sent to the API and not surely refused by it."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One edit, as exports have it."""

    held_at: datetime
    edit_id: int
    member_id: int
    member_name: str | None
    """None where it was erased."""
    channel_id: int
    quality: Quality
    size: str
    count: int
    posted: int
    charged: int
    state: State
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServerUse:
    """One server's sums over a window, for whoever pays for the key."""

    guild_id: int
    window: Window | None
    """None: since the beginning."""
    edits: int
    pictures: int
    charged: int
    sent: int
    held: int


class UsageBook(Protocol):
    """Reads what was spent; every method raises LedgerFault where it cannot."""

    async def usage(self, guild_id: int, *, window: Window, since: date, most: int) -> Usage:
        """The window's sums, the daily ones from the day `since` on, and the `most` top members."""
        ...

    async def period(self, guild_id: int) -> Period:
        """How long the server's window is."""
        ...

    async def rows(
        self, guild_id: int, window: Window | None, *, after: int, most: int
    ) -> Sequence[UsageRow]:
        """At most so many of a server's edits, in the order of their ids, beyond `after`."""
        ...

    async def servers(self) -> Sequence[int]:
        """Servers in which anything was ever held."""
        ...

    async def server(self, guild_id: int, window: Window | None) -> ServerUse:
        """One server's sums."""
        ...
