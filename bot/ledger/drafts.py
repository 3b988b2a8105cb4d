"""What was begun and not ordered yet: it outlives a restart, and is erased after an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.images import ImageLink
from bot.domain.pricing import SOURCE_SIZE, Quality

LIFE = timedelta(hours=1)
"""From then on a draft is not found any more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An order in the making, of one member in one server."""

    id: int
    """The interaction's in which it was begun."""
    guild_id: int
    member_id: int
    sources: tuple[ImageLink, ...] = ()
    """What can be chosen from; none where the picture is yet to be given."""
    public: bool = False
    """Whether the sources were posted in public."""
    private: bool = False
    """Whether its member alone will see the result."""
    prompt: str = ""
    quality: Quality = Quality.MEDIUM
    size: str = SOURCE_SIZE
    count: int = 1
    chose_quality: bool = True
    chose_size: bool = True


class DraftBook(Protocol):
    """Drafts; every method raises LedgerFault when it did nothing."""

    async def keep(self, draft: Draft, *, now: datetime) -> None:
        """Keep a draft, in the place of one with the same id."""
        ...

    async def find(self, draft_id: int, *, now: datetime) -> Draft | None:
        """The draft, if there is one and it is not too old."""
        ...

    async def take(self, draft_id: int, *, now: datetime) -> Draft | None:
        """As `find`, and it is kept no more: of those who take it at once, one gets it."""
        ...

    async def erase_older(self, before: datetime) -> int:
        """Erase the drafts that were kept before a moment; how many."""
        ...
