"""What is said no to before anything is held, from what the command itself already shows."""

import unicodedata
from dataclasses import dataclass

from bot.ledger import Order, OverQuota
from bot.pictures import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS, looks_like_picture

MAX_PROMPT = 4_000
"""Characters; the most that Discord lets a member write too."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What Discord says of the source, before any of its bytes was read."""

    name: str
    content_type: str | None
    size: int
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class NoPicture:
    """The file is none of the formats that are taken."""


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
class LedgerSilent:
    """The ledger did not carry out the hold."""


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Something broke; the log has more under the same reference."""

    reference: str


Refusal = (
    NoPicture
    | FileTooLarge
    | PictureTooLarge
    | PromptBlank
    | PromptTooLong
    | OverQuota
    | LedgerSilent
    | Unforeseen
)


def refuse_order(order: Order, attachment: Attachment) -> Refusal | None:
    """The first thing that is wrong with the options themselves, if anything is."""
    if not any(map(_is_seen, order.prompt)):
        return PromptBlank()
    if len(order.prompt) > MAX_PROMPT:
        return PromptTooLong(len(order.prompt))
    if not looks_like_picture(attachment.name, attachment.content_type):
        return NoPicture()
    if attachment.size > MAX_SOURCE_BYTES:
        return FileTooLarge(attachment.size)
    width, height = attachment.width or 0, attachment.height or 0
    if width * height > MAX_SOURCE_PIXELS:
        return PictureTooLarge(width, height)
    return None


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN and character not in _BLANK


_UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"})
"""Unicode's categories of characters that show nothing by themselves."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul's fillers and the empty braille cell: letters and symbols that show nothing."""
