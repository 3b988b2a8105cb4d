"""The ledger: what each member was granted, holds and spent, and every edit that was ever held.

This module is the interface that a store implements, with `rulebook`, `usage` and `archive` for
what moderators set, what they look up, and members' own data; `sqlite` is the store on one machine.
Only this package knows SQL. Whatever a store does is one transaction, on the disk when the call
returns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Balance, Member, OperatorLimits
from bot.images.headers import SourceChange
from bot.scheduling.estimates import Took


@dataclass(frozen=True, slots=True)
class Order:
    """What a member asked for, and all that is needed to answer them, as their command said it."""

    id: int
    """The interaction's id, so that the same interaction can never hold twice."""
    application_id: int
    guild_id: int
    channel_id: int
    member_id: int
    member_name: str
    token: str | None = field(repr=False)
    """The interaction's token; None once it was erased."""
    source_url: str
    source_name: str
    prompt: str
    quality: Quality
    size: str
    """One of `pricing.RATIOS`, or `pricing.SOURCE_SIZE`."""
    count: int
    private: bool
    upload_limit: int
    """Bytes that Discord takes in one file here, as the interaction said."""
    source_public: bool = False
    """Whether the source is a picture of a message that all of the channel see."""
    source_edit_id: int | None = None
    """The edit that the original was first given to; None: this one."""
    role_ids: tuple[int, ...] = ()
    """The roles that the member had, @everyone's among them."""

    @property
    def member(self) -> Member:
        """Whose order it is, as rules see them."""
        return Member(self.guild_id, self.member_id, self.role_ids)

    @property
    def hold(self) -> int:
        """Credits to set aside before anything is sent."""
        return self.quality.price * self.count


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands."""

    channel_id: int
    message_id: int

    def link(self, guild_id: int | None) -> str:
        """Its address in Discord; in somebody's direct messages, which are of no server, too."""
        server = "@me" if guild_id is None else guild_id
        return f"https://discord.com/channels/{server}/{self.channel_id}/{self.message_id}"


@dataclass(frozen=True, slots=True)
class Edit:
    """One row: an order and what became of it."""

    order: Order
    state: State
    reason: Reason | None
    """Why the hold was voided."""
    detail: str | None
    """What is told beside the reason: the API's own message, or a reference in the log."""
    message_id: int | None
    ratio: str | None
    """The ratio that the API was asked for."""
    results: tuple[str, ...]
    """The addresses of the API's pictures."""
    posted: int
    charged: int
    held_at: datetime
    acknowledged_at: datetime | None
    submitted_at: datetime | None
    rendered_at: datetime | None
    ended_at: datetime | None
    source_changes: tuple[SourceChange, ...] = ()
    """What was done to the source before it was sent."""
    doomed: bool = False
    """Whether its member had what is kept of it erased, as soon as it ends."""
    borrowed: bool = False
    """Whether its original is another member's: this edit was run again from one of theirs."""
    message_channel_id: int | None = None
    """The member's direct messages, where its message is in these."""

    @property
    def place(self) -> Place | None:
        """Where its message stands, as far as that is known."""
        if self.message_id is None:
            return None
        return Place(self.message_channel_id or self.order.channel_id, self.message_id)

    @property
    def erased(self) -> bool:
        """Whether its prompt, and all that lay with it, was erased: no prompt is ever empty."""
        return not self.order.prompt


@dataclass(frozen=True, slots=True)
class PastEdit:
    """One line of a member's list of edits."""

    held_at: datetime
    state: State
    quality: Quality
    count: int
    posted: int
    charged: int


@dataclass(frozen=True, slots=True)
class Held:
    """The price is set aside."""

    edit: Edit


@dataclass(frozen=True, slots=True)
class OverQuota:
    """Nothing was held, because it would have passed the quota or a budget."""

    hold: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class OverLimit:
    """Nothing was held, because the member has as many edits open as one may have."""

    most: int


@dataclass(frozen=True, slots=True)
class AlreadyHeld:
    """The interaction was here before; nothing was held again."""


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
        self, edit_id: int, *, posted: int, now: datetime, place: Place | None = None
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

    async def latest_times(self, *, most: int) -> Mapping[Quality, Sequence[Took]]:
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


__all__ = [
    "AlreadyHeld",
    "Edit",
    "Held",
    "Ledger",
    "Order",
    "OverLimit",
    "OverQuota",
    "PastEdit",
    "Place",
]
