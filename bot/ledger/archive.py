"""Members' data beside the sums: prompts, names and addresses, to be handed out or erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.domain.edits import MessageRef
from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.ledger.drafts import Draft


@dataclass(frozen=True, slots=True)
class KeptEdit:
    """All that is kept of one edit; None where it was erased, or never was.

    The source is None where it's another member's original.
    """

    id: int
    held_at: datetime
    acknowledged_at: datetime | None
    submitted_at: datetime | None
    rendered_at: datetime | None
    ended_at: datetime | None
    channel_id: int
    message_id: int | None
    quality: Quality
    size: str
    ratio: str | None
    count: int
    private: bool
    price: int
    """Credits for one picture."""
    state: State
    reason: Reason | None
    posted: int
    charged: int
    member_name: str | None
    prompt: str | None
    source_name: str | None
    source_url: str | None
    results: tuple[str, ...] | None
    detail: str | None
    role_ids: tuple[int, ...] | None
    source_changes: tuple[SourceChange, ...] = ()
    message_channel_id: int | None = None
    """The member's direct messages, where its message is in these."""

    @property
    def place(self) -> MessageRef | None:
        """Where its message stands, as far as that is known."""
        if self.message_id is None:
            return None
        return MessageRef(self.message_channel_id or self.channel_id, self.message_id)

    def link(self, guild_id: int) -> str | None:
        """The address of its message in Discord, for an edit made in this server."""
        if self.place is None:
            return None
        return self.place.link(guild_id if self.message_channel_id is None else None)


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """A member's sums of one day."""

    day: date
    granted: int
    held: int
    spent: int
    sent: int


@dataclass(frozen=True, slots=True)
class KeptSums:
    """A member's accounts, oldest first, how many edits are kept beside them, and drafts."""

    accounts: Sequence[KeptAccount]
    edits: int
    drafts: Sequence[Draft] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and how many edits keep their data until they end."""

    erased: int
    under_way: int
    whole: bool = True
    """Whether nothing else was left to be erased."""


class Archive(Protocol):
    """Members' data; every method raises LedgerFault when it did nothing."""

    async def sums(self, guild_id: int, member_id: int) -> KeptSums:
        """What is kept of a member in one server, but for the edits themselves."""
        ...

    async def edits(
        self, guild_id: int, member_id: int, *, before: KeptEdit | None, most: int
    ) -> Sequence[KeptEdit]:
        """At most so many of a member's edits in one server, newest first, older than `before`."""
        ...

    async def page(
        self, guild_id: int, member_id: int, *, skip: int, most: int
    ) -> tuple[Sequence[KeptEdit], int]:
        """At most so many of a member's edits in one server after the newest `skip`; of how many.

        It is for members who wait for it.
        """
        ...

    async def erase(self, guild_id: int, member_id: int) -> Erasure:
        """Erase prompts, names and addresses of a member's edits, those under way at their end.

        Drafts go at once. Other members' edits that were run again from these lose the original.
        It is done in steps, and a fault after the first leaves some for another time.
        """
        ...

    async def erase_links(self, edit_id: int) -> None:
        """Erase the links of an edit's original and results, and nothing else of it.

        If the original is its member's own, every edit that was run again from it loses it too.
        """
        ...

    async def erase_older(self, before: datetime, *, most: int) -> int:
        """Erase those of ended edits that were held before a moment, `most` at once; how many."""
        ...
