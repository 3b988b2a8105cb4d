"""Edits as values: what a member asked for, what became of it, and how a hold ends."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Balance, Member


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
class MessageRef:
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
    erase_when_done: bool = False
    """Whether its member had what is kept of it erased, as soon as it ends."""
    borrowed: bool = False
    """Whether its original is another member's: this edit was run again from one of theirs."""
    message_channel_id: int | None = None
    """The member's direct messages, where its message is in these."""

    @property
    def place(self) -> MessageRef | None:
        """Where its message stands, as far as that is known."""
        if self.message_id is None:
            return None
        return MessageRef(self.message_channel_id or self.order.channel_id, self.message_id)

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


LONGEST = 1_800.0
"""Seconds that a step of an edit may have taken; by more, or less than none, a clock was set."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds of one edit's way."""

    call: float
    """From sending it to the API to the API's answer."""
    posting: float
    """From then until the pictures were posted."""

    @property
    def is_plausible(self) -> bool:
        """Whether an edit can have taken so long; its times are the wall's clock's."""
        return 0 <= self.call <= LONGEST and 0 <= self.posting <= LONGEST

    @property
    def whole(self) -> float:
        """From sending it to the posted pictures."""
        return self.call + self.posting
