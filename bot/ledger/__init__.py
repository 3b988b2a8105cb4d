"""The ledger: every edit that was ever held, and what each member was granted, holds and spent.

This module, `quota_rules`, `usage`, `archive` and `drafts` are the interfaces that a storage engine
implements; `sqlite` does so on one machine. Only this package knows SQL. Each method is a
transaction, which is on disk when the call returns.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.edits import (
    AlreadyHeld,
    Durations,
    Edit,
    Held,
    MessageRef,
    Order,
    OverLimit,
    OverQuota,
    PastEdit,
)
from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason
from bot.domain.pricing import Quality
from bot.domain.quotas import Balance, Member, OperatorLimits


class Ledger(Protocol):
    """Edits and accounts. Every method raises LedgerError if its transaction failed.

    A method that moves an edit to another state returns its new row, or None if the edit isn't in a
    state that it can be moved from. Then nothing changes.
    """

    async def hold(
        self, order: Order, *, limits: OperatorLimits, owner: str, now: datetime
    ) -> Held | OverQuota | OverLimit | AlreadyHeld:
        """Set the order's price aside, unless a quota, a budget or open edits forbid it."""
        ...

    async def acknowledge(self, edit_id: int, *, message_id: int | None, now: datetime) -> None:
        """Record that Discord accepted the acknowledgement, and as which message."""
        ...

    async def submit(
        self, edit_id: int, *, ratio: str, now: datetime, changes: Sequence[SourceChange] = ()
    ) -> Edit | None:
        """Record, ahead of the paid call, that it may have been made and with which source."""
        ...

    async def render(self, edit_id: int, results: Sequence[str], *, now: datetime) -> Edit | None:
        """Store the addresses of the edit API's images."""
        ...

    async def capture(
        self, edit_id: int, *, posted: int, now: datetime, message: MessageRef | None = None
    ) -> Edit | None:
        """Charge for the images that were posted, void the rest, and erase the token.

        Pass `message` if they aren't in the message that the edit already has.
        """
        ...

    async def void(
        self, edit_id: int, reason: Reason, *, detail: str | None, now: datetime
    ) -> Edit | None:
        """Release the hold. The token stays until `forget_token`, to notify the member with."""
        ...

    async def forget_token(self, edit_id: int) -> None:
        """Erase an ended edit's token: its member is notified, or can't be any more."""
        ...

    async def find(self, edit_id: int) -> Edit | None:
        """Return the edit, if there ever was one, without what was erased."""
        ...

    async def unfinished(self) -> list[Edit]:
        """Return edits that are open or whose members aren't notified of the end, oldest first."""
        ...

    async def latest_times(self, *, limit: int) -> Mapping[Quality, Sequence[Durations]]:
        """Return how long the latest delivered edits of each quality took, oldest first."""
        ...

    async def balance(self, member: Member, *, limits: OperatorLimits, now: datetime) -> Balance:
        """Return a member's credits in the window that contains `now`."""
        ...

    async def statement(
        self, member: Member, *, limits: OperatorLimits, now: datetime, latest: int
    ) -> tuple[Balance, list[PastEdit]]:
        """Return a member's balance and latest edits, both from one snapshot."""
        ...
