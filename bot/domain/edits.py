"""Edits as values: what a member ordered, what became of it, and the outcomes of a hold."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Balance, Member


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What members gave with an order and can have erased once the edit has ended."""

    member_name: str
    prompt: str
    source_url: str
    """Empty once the links are erased, as `source_name` is."""
    source_name: str
    source_edit_id: int | None = None
    """The edit that the original was first given to; None: this one."""
    role_ids: tuple[int, ...] = ()
    """The roles that the member had, including @everyone's."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a member ordered, and what it takes to respond to them."""

    id: int
    """The interaction's id, so that one interaction never holds twice."""
    application_id: int
    guild_id: int
    channel_id: int
    member_id: int
    token: str | None = field(repr=False)
    """The interaction's token; None once erased."""
    quality: Quality
    size: str
    """One of `pricing.RATIOS`, or `pricing.SOURCE_SIZE`."""
    count: int
    private: bool
    upload_limit: int
    """The largest file, in bytes, that the interaction said Discord takes here."""
    personal: PersonalData | None
    """None once erased, which no open edit's data is."""
    source_public: bool = False
    """Whether the source was posted where everyone in the channel sees it."""

    @property
    def member(self) -> Member:
        """Return the member, as quota rules see them."""
        role_ids = () if self.personal is None else self.personal.role_ids
        return Member(self.guild_id, self.member_id, role_ids)

    @property
    def prompt(self) -> str:
        """Return the prompt, or nothing once it's erased: no order has a blank one."""
        return "" if self.personal is None else self.personal.prompt

    @property
    def source_url(self) -> str:
        """Return the original's address, or nothing once it's erased."""
        return "" if self.personal is None else self.personal.source_url

    @property
    def hold(self) -> int:
        """Return the credits to set aside before anything is sent."""
        return self.quality.price * self.count


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message's channel and id."""

    channel_id: int
    message_id: int

    def link(self, guild_id: int | None) -> str:
        """Return its address in Discord; direct messages have no server."""
        server = "@me" if guild_id is None else guild_id
        return f"https://discord.com/channels/{server}/{self.channel_id}/{self.message_id}"


@dataclass(frozen=True, slots=True)
class Edit:
    """An order and what became of it."""

    order: Order
    price: int
    """Credits per image, as of the hold."""
    state: State
    reason: Reason | None
    """Why the hold was voided."""
    detail: str | None
    """The edit API's own message or a reference to the log; None once erased."""
    message_id: int | None
    ratio: str | None
    """The ratio that was requested from the edit API."""
    results: tuple[str, ...]
    """The addresses of the edit API's images; empty once erased."""
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
    """Whether its member asked to erase its data, which happens when it ends."""
    borrowed: bool = False
    """Whether another member gave the original: this is a rerun of their edit."""
    message_channel_id: int | None = None
    """The member's direct messages, if its message is there."""

    @property
    def message(self) -> MessageRef | None:
        """Return its message, if it's known."""
        if self.message_id is None:
            return None
        return MessageRef(self.message_channel_id or self.order.channel_id, self.message_id)

    @property
    def link(self) -> str | None:
        """Return its message's address in Discord, if it's known."""
        if self.message is None:
            return None
        return self.message.link(self.order.guild_id if self.message_channel_id is None else None)

    @property
    def erased(self) -> bool:
        """Tell whether its personal data is erased."""
        return self.order.personal is None


@dataclass(frozen=True, slots=True)
class PastEdit:
    """A line in a member's list of edits."""

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
    """Nothing was held: it would exceed the quota or a budget."""

    hold: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class OverLimit:
    """Nothing was held: the member already has as many open edits as one can have."""

    most: int


@dataclass(frozen=True, slots=True)
class AlreadyHeld:
    """Nothing was held: this interaction already has an edit."""


MAX_PLAUSIBLE_S = 1_800.0
"""A longer or negative duration means that somebody set the clock."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the steps of one edit took, in seconds."""

    call: float
    """From sending it to the edit API's response."""
    posting: float
    """From that response until the images were posted."""

    @property
    def is_plausible(self) -> bool:
        """Tell whether an edit can have taken this long; the times are wall-clock times."""
        return 0 <= self.call <= MAX_PLAUSIBLE_S and 0 <= self.posting <= MAX_PLAUSIBLE_S

    @property
    def whole(self) -> float:
        """Return the time from sending it to the posted images."""
        return self.call + self.posting
