"""Drafts: orders begun in a form and not sent. They survive restarts, and expire in an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.images import ImageLink
from bot.domain.pricing import SOURCE_SIZE, Quality

DRAFT_LIFETIME = timedelta(hours=1)

MAX_DRAFTS = 20
"""Drafts of one member in one server; a new one replaces the oldest. So they fit in an export."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that one member is preparing in one server."""

    id: int
    """The id of the interaction that began it."""
    guild_id: int
    member_id: int
    sources: tuple[ImageLink, ...] = ()
    """The images to choose from; empty if the form asks for one."""
    public: bool = False
    """Whether the sources were posted where everyone in the draft's channel sees them."""
    channel_id: int = 0
    private: bool = False
    """Whether only its member will see the result."""
    prompt: str = ""
    quality: Quality = Quality.MEDIUM
    size: str = SOURCE_SIZE
    count: int = 1
    chose_quality: bool = True
    chose_size: bool = True


class DraftBook(Protocol):
    """Drafts. Every method raises LedgerError if it did nothing."""

    async def keep(self, draft: Draft, *, now: datetime) -> None:
        """Store a draft, and replace one with the same id, or the oldest of `MAX_DRAFTS`."""
        ...

    async def find(self, draft_id: int, *, now: datetime) -> Draft | None:
        """Return a draft that hasn't expired."""
        ...

    async def take(self, draft_id: int, *, now: datetime) -> Draft | None:
        """Return a draft that hasn't expired to one of several callers, and hide it from others."""
        ...

    async def restore(self, draft_id: int, *, now: datetime) -> None:
        """Let a taken draft be found again, unless its member erased their data meanwhile."""
        ...

    async def erase(self, draft_id: int) -> None:
        """Erase a draft; one that is left behind is erased with the expired ones."""
        ...

    async def erase_older(self, before: datetime) -> int:
        """Erase the drafts that were stored before a moment, and count them."""
        ...
