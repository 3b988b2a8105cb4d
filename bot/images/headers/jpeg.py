"""JPEG (ITU-T T.81, annex B)."""

import os
import struct
from collections.abc import Generator
from typing import BinaryIO

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format
from bot.images.headers import exif
from bot.images.headers.reading import MAX_READS, Parser, Read, big_endian, displayed
from bot.images.headers.searching import contains


def read_header() -> Parser:
    """Walk the segments up to the frame header. Only the first Exif block counts."""
    orientation = None
    unread = 0
    while True:
        marker, length = yield from _read_segment_header(unread)
        if marker in _FRAMES:
            bits, height, width, components = _FRAME.unpack((yield Read(_FRAME.size)))
            if not components or length != _FRAME.size + 3 * components:
                raise NotAnImageError
            plain = marker in _COMMON_FRAMES and bits == _BITS and components in _GRAY_OR_RGB
            return displayed(Format.JPEG, width, height, orientation or exif.UPRIGHT, plain=plain)
        unread = length
        if marker == _APP1 and orientation is None:
            block = yield Read(length)
            unread = 0
            if block.startswith(exif.PREFIX):
                orientation = exif.read_orientation(block)


def has_end(file: BinaryIO) -> bool:
    """Walk at most `MAX_READS` segments to the pixels, where only the end looks like EOI."""
    file.seek(2)
    for _ in range(MAX_READS):
        header = file.read(_SEGMENT_HEADER_BYTES)
        if len(header) < _SEGMENT_HEADER_BYTES:
            break
        if header[1] == _FILL:
            file.seek(-3, os.SEEK_CUR)
            continue
        file.seek(big_endian(header[2:]) - 2, os.SEEK_CUR)
        if header[1] == _SOS:
            return contains(file, b"\xff\xd9")
    return False


def _read_segment_header(unread: int) -> Generator[Read, bytes, tuple[int, int]]:
    """Skip `unread` bytes, then return the marker there and the length of its segment."""
    prefix, marker = yield Read(2, skip=unread)
    if prefix != _FILL:
        raise NotAnImageError
    while marker == _FILL:  # any number of fill bytes may precede a marker
        (marker,) = yield Read(1)
    length = big_endian((yield Read(2))) - 2
    if marker in _WITHOUT_LENGTH or marker in _TOO_LATE or length < 0:
        raise NotAnImageError
    return marker, length


_FILL = 0xFF
_APP1 = 0xE1
_EOI, _SOS = 0xD9, 0xDA
_SEGMENT_HEADER_BYTES = 4
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15, without DHT, JPG and DAC."""
_COMMON_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Sequential and progressive, with Huffman coding. Few programs read the others."""
_GRAY_OR_RGB = frozenset({1, 3})
_BITS = 8
_FRAME = struct.Struct(">BHHB")
"""A frame's precision, height, width and number of components."""
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Markers without a length, and bytes that are no marker. Neither belongs in a header."""
_TOO_LATE = frozenset({_EOI, _SOS})
"""The frame header comes before these."""
