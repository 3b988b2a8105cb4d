"""TIFF (TIFF 6.0, section 2) and BigTIFF."""

import struct

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format
from bot.images.headers.exif import ORIENTATION, UPRIGHT
from bot.images.headers.reading import Parser, Read, displayed


def read_header(order: str) -> Parser:
    """Go to the first directory, wherever it is in the file; `order` is struct's byte order."""
    (version,) = struct.unpack(f"{order}H", (yield Read(2)))
    if version not in _LAYOUTS:
        raise NotAnImageError
    offset, number, entry = (struct.Struct(order + layout) for layout in _LAYOUTS[version])
    (start,) = offset.unpack((yield Read(offset.size)))
    position = 4 + offset.size
    if start < position:
        raise NotAnImageError
    (count,) = number.unpack((yield Read(number.size, skip=start - position)))
    if count > _MAX_ENTRIES:
        raise NotAnImageError
    values: dict[int, int] = {}
    for tag, kind, value in entry.iter_unpack((yield Read(count * entry.size))):
        if kind in _NUMBERS:
            values[tag] = struct.unpack_from(f"{order}{_NUMBERS[kind]}", value)[0]
    width, height = values.get(_WIDTH, 0), values.get(_HEIGHT, 0)
    return displayed(Format.TIFF, width, height, values.get(ORIENTATION, UPRIGHT))


_LAYOUTS = {42: ("I", "H", "HH4x4s"), 43: ("4xQ", "Q", "HH8x8s")}
"""By version: how the directory's offset, its number of entries and an entry are written."""
_MAX_ENTRIES = 1_000
_WIDTH, _HEIGHT = 0x0100, 0x0101
_NUMBERS = {3: "H", 4: "I"}
"""Types of values that are numbers: SHORT and LONG."""
