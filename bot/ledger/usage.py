"""What servers spent: sums by day, quality, member and reason, and every edit as a row."""

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
    """Delivered edits only."""
    images: int
    credits: int


@dataclass(frozen=True, slots=True)
class MemberUse:
    """What one member was charged; `name` is None once erased."""

    member_id: int
    name: str | None
    images: int
    credits: int


@dataclass(frozen=True, slots=True)
class Usage:
    """A server's use in a window."""

    window: Window
    period: Period
    budget: int | None
    daily: tuple[DailyUse, ...]
    """From the day that was asked for, which can be before the window."""
    top: tuple[MemberUse, ...]
    failures: Mapping[Reason, int]
    """Edits that ended without images, by reason."""
    held: int
    sent: int
    """Credits of edits that were sent to the edit API and may have cost something there."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One edit, for exports."""

    held_at: datetime
    edit_id: int
    member_id: int
    member_name: str | None
    """None once erased."""
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
    """One server's sums in a window, for the operator who pays for the API key."""

    guild_id: int
    window: Window | None
    """None: all time."""
    edits: int
    images: int
    charged: int
    sent: int
    held: int


class UsageBook(Protocol):
    """Reports of what was spent. Every method raises LedgerError if it can't read."""

    async def usage(self, guild_id: int, *, window: Window, since: date, limit: int) -> Usage:
        """Return a window's sums, the daily ones from `since` on, and the top `limit` members."""
        ...

    async def period(self, guild_id: int) -> Period:
        """Return how long the server's window is."""
        ...

    async def rows(
        self, guild_id: int, window: Window | None, *, after: int, limit: int
    ) -> Sequence[UsageRow]:
        """Return up to `limit` of a server's edits with ids greater than `after`, by id."""
        ...

    async def servers(self) -> Sequence[int]:
        """Return the servers in which anything was ever held."""
        ...

    async def server(self, guild_id: int, window: Window | None) -> ServerUse:
        """Return one server's sums."""
        ...
