"""The ledger: what each member was granted, holds and spent, and every edit that was ever held.

This module is the interface that a store implements, with `quota_rules`, `usage` and `archive` for
what moderators set, what they look up, and members' own data; `sqlite` is the store on one machine.
Only this package knows SQL. Whatever a store does is one transaction, on the disk when the call
returns.
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
    """What a store does. Every method raises LedgerFault when its transaction did not happen.

    The methods that move an edit return its row after the move, or None where the edit was not in
    a state that the arrow leaves: then nothing was changed.
    """

    async def hold(
        self, order: Order, *, limits: OperatorLimits, owner: str, now: datetime
    ) -> Held | OverQuota | OverLimit | AlreadyHeld:
        """Set the order's price aside, unless a quota, a budget or open edits forbid it."""
        ...

    async def acknowledge(self, edit_id: int, *, message_id: int | None, now: datetime) -> None:
        """Note that Discord took the acknowledgement, and as which message."""
        ...

    async def submit(
        self, edit_id: int, *, ratio: str, now: datetime, changes: Sequence[SourceChange] = ()
    ) -> Edit | None:
        """Note, before it is made, that the paid call may have been made, and with which source."""
        ...

    async def render(self, edit_id: int, results: Sequence[str], *, now: datetime) -> Edit | None:
        """Keep the addresses of the API's pictures."""
        ...

    async def capture(
        self, edit_id: int, *, posted: int, now: datetime, place: MessageRef | None = None
    ) -> Edit | None:
        """Charge for the pictures that were posted, void the rest, and erase the token.

        `place` is where they stand, if that is not the message known so far.
        """
        ...

    async def void(
        self, edit_id: int, reason: Reason, *, detail: str | None, now: datetime
    ) -> Edit | None:
        """Give the hold back. The token stays until `forget_token`, so that the member is told."""
        ...

    async def forget_token(self, edit_id: int) -> None:
        """Erase an ended edit's token: its member was told, or cannot be told any more."""
        ...

    async def find(self, edit_id: int) -> Edit | None:
        """The edit, if there ever was one; what of it was erased is empty."""
        ...

    async def unfinished(self) -> list[Edit]:
        """Edits that are open or whose members were not told of the end, oldest first."""
        ...

    async def latest_times(self, *, most: int) -> Mapping[Quality, Sequence[Durations]]:
        """How long the latest delivered edits of each quality took, oldest first."""
        ...

    async def balance(self, member: Member, *, limits: OperatorLimits, now: datetime) -> Balance:
        """A member's credits over the window that `now` lies in."""
        ...

    async def statement(
        self, member: Member, *, limits: OperatorLimits, now: datetime, latest: int
    ) -> tuple[Balance, list[PastEdit]]:
        """A member's balance and their latest edits, as they were at one moment."""
        ...
