"""Members' data beside the sums: prompts, names and addresses, to be handed out or erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.pricing import Quality
from bot.states import Reason, State


@dataclass(frozen=True, slots=True)
class KeptEdit:
    """All that is kept of one edit; None where it was erased, or never was."""

    id: int
    held_at: datetime
    ended_at: datetime | None
    channel_id: int
    message_id: int | None
    quality: Quality
    size: str
    ratio: str | None
    count: int
    private: bool
    state: State
    reason: Reason | None
    posted: int
    charged: int
    member_name: str | None
    prompt: str | None
    source_name: str | None
    source_url: str | None
    results: tuple[str, ...]
    detail: str | None


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """A member's sums of one day."""

    day: date
    granted: int
    held: int
    spent: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and how many edits keep their data until they end."""

    erased: int
    under_way: int


class Archive(Protocol):
    """Members' data; every method raises LedgerFault when it did nothing."""

    async def export(
        self, guild_id: int, member_id: int
    ) -> tuple[Sequence[KeptAccount], Sequence[KeptEdit]]:
        """All that is kept of a member in one server, oldest first."""
        ...

    async def erase(self, guild_id: int, member_id: int) -> Erasure:
        """Erase prompts, names and addresses of a member's edits, those under way at their end."""
        ...

    async def erase_older(self, before: datetime, *, most: int) -> int:
        """Erase those of ended edits that were held before a moment, `most` at once; how many."""
        ...
