"""BMP."""

import struct

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format
from bot.images.headers.exif import UPRIGHT
from bot.images.headers.reading import Parser, Read, displayed, little_endian


def read_header() -> Parser:
    """Read the size after the file header, as 16-bit (OS/2) or 32-bit numbers."""
    length = little_endian((yield Read(4, skip=12)))
    if length == _OS2_BYTES:
        width, height = struct.unpack("<HH", (yield Read(4)))
    elif length in _WINDOWS_BYTES:
        width, height = struct.unpack("<ii", (yield Read(8)))
    else:
        raise NotAnImageError
    return displayed(Format.BMP, width, abs(height), UPRIGHT)  # negative: rows from the top down


_OS2_BYTES = 12
_WINDOWS_BYTES = frozenset({40, 52, 56, 64, 108, 124})
