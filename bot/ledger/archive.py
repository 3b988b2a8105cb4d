"""The personal data of members, to export or erase."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.domain.edits import Edit
from bot.ledger.drafts import Draft


@dataclass(frozen=True, slots=True)
class AccountDay:
    """A member's sums of one day."""

    day: date
    granted: int
    held: int
    spent: int
    sent: int


@dataclass(frozen=True, slots=True)
class MemberSummary:
    """A member's accounts, oldest first, the number of their edits, and their drafts."""

    accounts: Sequence[AccountDay]
    edits: int
    drafts: Sequence[Draft] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """How many edits were erased, and how many will be once they end."""

    erased: int
    pending: int
    complete: bool = True
    """False if a step failed and left data behind."""


class Archive(Protocol):
    """Members' data. Every method raises LedgerError if it did nothing.

    Edits come without their tokens, and without originals that belong to other members.
    """

    async def summary(self, guild_id: int, member_id: int) -> MemberSummary:
        """Return everything about a member in one server except the edits themselves."""
        ...

    async def edits(
        self, guild_id: int, member_id: int, *, before: Edit | None, limit: int
    ) -> Sequence[Edit]:
        """Return up to `limit` of a member's edits in one server, newest first, before `before`."""
        ...

    async def page(
        self, guild_id: int, member_id: int, *, skip: int, limit: int
    ) -> tuple[Sequence[Edit], int]:
        """Return one page of a member's edits in one server, newest first, and the total.

        Unlike `edits`, it doesn't wait behind long reports.
        """
        ...

    async def erase(self, guild_id: int, member_id: int) -> Erasure:
        """Erase the member's drafts and their edits' personal data; open edits' once they end.

        Reruns of these edits by other members lose the original. This runs in steps: after an error
        in a later step, call it again.
        """
        ...

    async def erase_links(self, edit_id: int) -> None:
        """Erase just the links of an edit's original and results.

        If the original is its member's own, all its reruns lose it too.
        """
        ...

    async def erase_older(self, before: datetime, *, limit: int) -> int:
        """Erase the data of up to `limit` ended edits held before a moment, and count them."""
        ...
