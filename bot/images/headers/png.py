"""PNG (third edition, section 5)."""

import os
import struct
import zlib
from typing import BinaryIO

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format
from bot.images.headers import exif
from bot.images.headers.reading import MAX_READS, Parser, Read, big_endian, displayed


def read_header() -> Parser:
    """Walk the chunks up to the pixels."""
    if (yield Read(6)) != b"NG\r\n\x1a\n":
        raise NotAnImageError
    header = yield Read(8 + 13 + 4)
    length, kind = _CHUNK.unpack(header[:8])
    if (length, kind) != (13, b"IHDR") or zlib.crc32(header[4:-4]) != big_endian(header[-4:]):
        raise NotAnImageError
    width, height, bits = struct.unpack(">IIB", header[8:17])
    if max(width, height) > _MAX:
        raise NotAnImageError
    block, plain = b"", bits <= _BITS
    unread = 0
    while True:
        length, kind = _CHUNK.unpack((yield Read(8, skip=unread)))
        if length > _MAX or not kind.isalpha() or kind in (b"IHDR", b"IEND"):
            raise NotAnImageError
        if kind == b"IDAT":
            orientation = exif.read_orientation(block)
            return displayed(Format.PNG, width, height, orientation, plain=plain)
        unread = length + _CHECKSUM_BYTES
        if kind == b"acTL":  # animated
            plain = False
        if kind == b"eXIf":
            block = yield Read(min(length, exif.MAX_BYTES))
            unread -= len(block)


def has_end(file: BinaryIO) -> bool:
    """Walk at most `MAX_READS` chunks to IEND."""
    file.seek(_SIGNATURE_BYTES)
    for _ in range(MAX_READS):
        header = file.read(_CHUNK.size)
        if len(header) < _CHUNK.size:
            break
        length, kind = _CHUNK.unpack(header)
        if kind == b"IEND":
            return len(file.read(_CHECKSUM_BYTES)) == _CHECKSUM_BYTES
        file.seek(length + _CHECKSUM_BYTES, os.SEEK_CUR)
    return False


_SIGNATURE_BYTES = 8
_CHUNK = struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
_MAX = 2**31 - 1
"""The largest side, and the largest length of a chunk."""
_BITS = 8
