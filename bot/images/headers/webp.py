"""WebP (RFC 9649)."""

import os
import struct
from collections.abc import Generator
from typing import BinaryIO

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format
from bot.images.headers import exif
from bot.images.headers.reading import Parser, Read, displayed, little_endian

SIZE_ENDS_AT = 8
"""Bytes from the start to the end of the field that gives the file's size."""


def read_header() -> Parser:
    """Read the first chunk, then look for Exif after it if its flags announce some."""
    start = yield Read(10)
    if not (start.startswith(b"FF") and start.endswith(b"WEBP")):
        raise NotAnImageError
    size = little_endian(start[2:6])
    kind, length = _CHUNK.unpack((yield Read(8)))
    if kind == b"VP8 ":
        frame = yield Read(10)
        if frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":  # a key frame, and its start code
            raise NotAnImageError
        width, height = (little_endian(side) & 0x3FFF for side in (frame[6:8], frame[8:10]))
        return displayed(Format.WEBP, width, height, exif.UPRIGHT)
    if kind == b"VP8L":
        signature, bits = struct.unpack("<BI", (yield Read(5)))
        if signature != _VP8L_SIGNATURE or bits >> 29:  # the version, which is 0
            raise NotAnImageError
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return displayed(Format.WEBP, width, height, exif.UPRIGHT)
    if kind != b"VP8X" or length < _VP8X_BYTES:
        raise NotAnImageError
    canvas = yield Read(_VP8X_BYTES)
    width, height = little_endian(canvas[4:7]) + 1, little_endian(canvas[7:10]) + 1
    orientation = exif.UPRIGHT
    if canvas[0] & _HAS_EXIF:
        orientation = yield from _find_orientation(
            left=size - 4 - 8 - _padded(length), unread=_padded(length) - _VP8X_BYTES
        )
    plain = not canvas[0] & _IS_ANIMATED
    return displayed(Format.WEBP, width, height, orientation, plain=plain)


def has_end(file: BinaryIO) -> bool:
    """Compare the file's size with the size in its header."""
    size = stated_size(file.read(SIZE_ENDS_AT))
    return file.seek(0, os.SEEK_END) >= size


def stated_size(start: bytes) -> int:
    """Return the size in the file's first `SIZE_ENDS_AT` bytes (section 2.4)."""
    return SIZE_ENDS_AT + little_endian(start[4:])


def _find_orientation(left: int, unread: int) -> Generator[Read, bytes, int]:
    """Skip `unread` bytes, then walk the chunks in the `left` bytes that follow."""
    while left >= _CHUNK.size:
        kind, length = _CHUNK.unpack((yield Read(8, skip=unread)))
        if kind == b"EXIF":
            return exif.read_orientation((yield Read(min(length, exif.MAX_BYTES))))
        unread = _padded(length)
        left -= 8 + unread
    return exif.UPRIGHT


def _padded(length: int) -> int:
    return length + length % 2


_CHUNK = struct.Struct("<4sI")
_VP8L_SIGNATURE = 0x2F
_VP8X_BYTES = 10
_HAS_EXIF = 0x08
_IS_ANIMATED = 0x02
