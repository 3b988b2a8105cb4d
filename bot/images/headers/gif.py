"""GIF (GIF89a, section 18)."""

import struct

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format
from bot.images.headers.exif import UPRIGHT
from bot.images.headers.reading import Parser, Read, displayed


def read_header() -> Parser:
    """Read the logical screen's size. The header doesn't give the number of frames."""
    if (yield Read(4)) not in {b"F87a", b"F89a"}:
        raise NotAnImageError
    width, height = struct.unpack("<HH", (yield Read(4)))
    return displayed(Format.GIF, width, height, UPRIGHT)
