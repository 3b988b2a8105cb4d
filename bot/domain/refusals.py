"""What is said no to before anything is held: by what a command shows, and by where it is run."""

import unicodedata
from dataclasses import dataclass, replace

from bot.domain.banned_phrases import find_phrase
from bot.domain.edits import Order, OverQuota
from bot.domain.images import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS, ImageLink, looks_like_image
from bot.domain.pricing import RATIOS, SOURCE_SIZE
from bot.domain.server_settings import ServerSettings

MAX_PROMPT = 4_000
"""Characters; the most that Discord lets a member write too."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it was given, before the server's settings were applied to it."""

    order: Order
    """With the bot's own defaults where the member chose nothing."""
    source: ImageLink
    """What Discord says of it, before any of its bytes was read."""
    place_id: int
    """The channel, or a thread's parent: what the server's settings name."""
    chose_quality: bool = True
    chose_size: bool = True
    can_post: bool = True
    """Whether the bot may post images there."""

    def completed(self, settings: ServerSettings) -> Order:
        """The order with the server's defaults for what the member left open."""
        order = self.order
        if not self.chose_quality and settings.quality is not None:
            order = replace(order, quality=settings.quality)
        if not self.chose_size and settings.size is not None:
            order = replace(order, size=settings.size)
        return order


@dataclass(frozen=True, slots=True)
class CannotPost:
    """The bot lacks the permission to post images there."""


@dataclass(frozen=True, slots=True)
class NoPicture:
    """The file is none of the formats that are taken."""


@dataclass(frozen=True, slots=True)
class PictureElsewhere:
    """The image isn't hosted where the platform keeps its members' uploads."""


@dataclass(frozen=True, slots=True)
class FileTooLarge:
    """More bytes than are taken."""

    size: int


@dataclass(frozen=True, slots=True)
class PictureTooLarge:
    """More pixels than are taken."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PromptBlank:
    """Nothing was asked for."""


@dataclass(frozen=True, slots=True)
class PromptTooLong:
    """More characters than are taken."""

    length: int


@dataclass(frozen=True, slots=True)
class NotOffered:
    """A choice was made that was never offered."""

    field: str
    got: str


@dataclass(frozen=True, slots=True)
class NotHere:
    """Edits may be made in other channels of the server alone."""

    channel_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TooManyPictures:
    """More images than the server allows in one edit."""

    count: int
    most: int


@dataclass(frozen=True, slots=True)
class PromptRefused:
    """The server refuses prompts with this word or phrase."""

    phrase: str


@dataclass(frozen=True, slots=True)
class NotInPrivate:
    """The server wants every edit to be seen."""


@dataclass(frozen=True, slots=True)
class CannotAfford:
    """The quota or a budget leaves too little."""

    over: OverQuota
    most: int
    """Images that the server allows in one edit."""


@dataclass(frozen=True, slots=True)
class TooManyOpen:
    """The member has as many edits under way as one may have."""

    most: int


@dataclass(frozen=True, slots=True)
class LineFull:
    """As many edits are open as may be, of all members together."""

    most: int


@dataclass(frozen=True, slots=True)
class LineTooLong:
    """The edit's turn would not come in time."""

    wait: float
    """Seconds, by how long edits took lately."""


@dataclass(frozen=True, slots=True)
class ServiceDown:
    """The edit API failed for one edit after the other."""

    wait: float
    """Seconds after which to try again."""


@dataclass(frozen=True, slots=True)
class SourcesPaused:
    """Too many of the member's images were costly to open, so none is opened for a while."""

    wait: float
    """Seconds after which to try again."""


@dataclass(frozen=True, slots=True)
class ShuttingDown:
    """The bot is being stopped, as for a new version."""


@dataclass(frozen=True, slots=True)
class LedgerSilent:
    """The ledger did not carry out the hold."""


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Something broke; the log has more under the same reference."""

    reference: str


Refusal = (
    CannotPost
    | NoPicture
    | PictureElsewhere
    | FileTooLarge
    | PictureTooLarge
    | PromptBlank
    | PromptTooLong
    | NotOffered
    | NotHere
    | TooManyPictures
    | PromptRefused
    | NotInPrivate
    | CannotAfford
    | TooManyOpen
    | LineFull
    | LineTooLong
    | ServiceDown
    | SourcesPaused
    | ShuttingDown
    | LedgerSilent
    | Unforeseen
)


def refuse_place(ask: OrderRequest) -> Refusal | None:
    """What keeps the bot from posting where the order was given, if anything does."""
    return None if ask.can_post else CannotPost()


def refuse_order(order: Order, source: ImageLink) -> Refusal | None:
    """The first thing that is wrong with the options themselves, if anything is."""
    if is_blank(order.prompt):
        return PromptBlank()
    if len(order.prompt) > MAX_PROMPT:
        return PromptTooLong(len(order.prompt))
    if order.size not in {SOURCE_SIZE, *RATIOS}:
        return NotOffered("size", order.size)
    if order.count < 1:
        return NotOffered("count", str(order.count))
    return refuse_image(source)


def refuse_image(source: ImageLink) -> Refusal | None:
    """What is wrong with the source, as far as it is told without reading it."""
    if not looks_like_image(source.name, source.content_type):
        return NoPicture()
    if source.size > MAX_SOURCE_BYTES:
        return FileTooLarge(source.size)
    width, height = source.width or 0, source.height or 0
    if width * height > MAX_SOURCE_PIXELS:
        return PictureTooLarge(width, height)
    return None


def refuse_here(order: Order, place_id: int, settings: ServerSettings) -> Refusal | None:
    """The first thing that the server's settings forbid, if anything is."""
    if settings.channel_ids and place_id not in settings.channel_ids:
        return NotHere(tuple(sorted(settings.channel_ids)))
    if order.count > settings.max_count:
        return TooManyPictures(order.count, settings.max_count)
    if order.private and not settings.private:
        return NotInPrivate()
    if phrase := find_phrase(order.prompt, settings.refused):
        return PromptRefused(phrase)
    return None


def is_blank(text: str) -> bool:
    """Whether a text shows nothing."""
    return not any(map(_is_seen, text))


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN and character not in _BLANK


_UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"})
"""Unicode's categories of characters that show nothing by themselves."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul's fillers and the empty braille cell: letters and symbols that show nothing."""
