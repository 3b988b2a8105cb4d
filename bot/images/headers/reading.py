"""What header parsers share: how they ask for bytes, how often, and what they return."""

from collections.abc import Generator
from typing import NamedTuple

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format, ImageInfo

MAX_READS = 10_000
"""Reads for one header, and for one end. Camera files take dozens, large PNGs some thousands; a
file of empty segments would take millions."""


class Read(NamedTuple):
    """A parser's request: skip `skip` bytes, then pass exactly `length` bytes."""

    length: int
    skip: int = 0


Parser = Generator[Read, bytes, ImageInfo]


def displayed(
    format_: Format, width: int, height: int, orientation: int, *, plain: bool = True
) -> ImageInfo:
    """Return the image with its size as it is displayed, after Exif's rotation.

    Raises:
        NotAnImageError: a side isn't positive.
    """
    if width <= 0 or height <= 0:
        raise NotAnImageError
    if orientation in _SIDEWAYS:
        width, height = height, width
    return ImageInfo(format_, width, height, plain)


_SIDEWAYS = range(5, 9)
"""Exif's orientations that swap width and height."""


def big_endian(number: bytes) -> int:
    """Decode an unsigned big-endian number of any length."""
    return int.from_bytes(number, "big")


def little_endian(number: bytes) -> int:
    """Decode an unsigned little-endian number of any length."""
    return int.from_bytes(number, "little")
