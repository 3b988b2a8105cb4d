"""What the use case asks of Discord, the edit API and downloads, and the values they return."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from bot.domain.edits import Edit, MessageRef, Order
from bot.domain.images import ImageInfo, Source
from bot.domain.lifecycle import Reason
from bot.domain.refusals import Refusal
from bot.edit_api.wire import EditCall
from bot.editing.spool import SpooledImage
from bot.scheduling.status_updates import ProgressSink


class EditApi(Protocol):
    """Makes the paid call; `EditClient` says how, and which errors it raises."""

    async def edit(
        self, call: EditCall, *, workspace: Path, source: Source | None = None
    ) -> tuple[str, ...]:
        """Make the paid call and return the results' addresses."""
        ...


class Results(Protocol):
    """Downloads results; `ResultDownloads` says how, and which errors it raises."""

    async def fetch(self, url: str, into: Path) -> ImageInfo:
        """Download a result to a file that exists only once it is whole."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """An edit's images as they are posted, and what they cost."""

    images: tuple[SpooledImage, ...]
    charged: int
    left: int | None
    """Credits that the member has left in this window; None if there is no limit."""
    spoiler: bool = False
    """Whether the images are hidden behind a spoiler."""

    @property
    def reencoded(self) -> int:
        """The number of images that were re-encoded to fit."""
        return sum(image.reencoded for image in self.images)


class Outcome(Enum):
    """What became of the first response to a command."""

    ACCEPTED = "accepted"
    TOO_LATE = "too_late"
    """The interaction is unknown by now, so nothing can be said there."""
    DELETED = "deleted"
    """Somebody deleted the response."""
    UNANSWERED = "unanswered"
    """Discord didn't answer in time; it may still have accepted the response."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The outcome of a first response, and its message's id if Discord sent it."""

    outcome: Outcome
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The images were posted."""

    message: MessageRef | None
    """None if Discord didn't say which message it is."""


@dataclass(frozen=True, slots=True)
class TooManyBytes:
    """Discord doesn't accept images of this size."""


class EditMessages(ProgressSink, Protocol):
    """Responds to members. The methods retry by themselves and don't raise."""

    async def acknowledge(self, order: Order) -> Acknowledgement:
        """Acknowledge the command in the time that Discord allows."""
        ...

    async def refuse(self, order: Order, refusal: Refusal, *, acknowledged: bool) -> None:
        """Say why the order is refused, in the deferred response if it was acknowledged."""
        ...

    async def find_response(self, edit: Edit) -> Acknowledgement:
        """Find out whether the response to the edit's command exists."""
        ...

    async def post(self, edit: Edit, receipt: Receipt) -> Posted | TooManyBytes | Reason:
        """Post the images in the edit's message, or in a new one that its member will find."""
        ...

    async def notify(self, edit: Edit) -> None:
        """Say how an edit without images ended, unless its member can't be reached."""
        ...


class ServerLog(Protocol):
    """Logs how edits ended in the channel that a server chose for it."""

    def note(self, ended: Edit) -> None:
        """Log how an edit ended, soon."""
        ...
