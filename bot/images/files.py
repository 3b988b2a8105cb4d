"""Looks at pictures' files: at their headers, and whether they are there to their end."""

import os
from pathlib import Path
from typing import BinaryIO

from bot.domain.images import Format, ImageInfo
from bot.images.headers import HeaderProbe

WEBP_START = 8
"""Bytes up to where a WebP has said how many follow."""


def probe_file(path: Path) -> ImageInfo:
    """Read a file's header; raises NotAPicture."""
    probe = HeaderProbe()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if picture := probe.feed(block):
                return picture
    return probe.finish()


def is_whole(path: Path, format_: Format) -> bool:
    """Whether a picture's file has its end, as far as the formats that are posted mark it."""
    with path.open("rb") as file:
        match format_:
            case Format.PNG:
                return _has_png_end(file)
            case Format.JPEG:
                return _has_jpeg_end(file)
            case Format.WEBP:
                size = webp_size(file.read(WEBP_START))
                return file.seek(0, os.SEEK_END) >= size
            case _:
                return True


def webp_size(start: bytes) -> int:
    """Bytes that a WebP says it has, in its first `WEBP_START` (RFC 9649, section 2.4)."""
    return WEBP_START + int.from_bytes(start[4:], "little")


def contains(file: BinaryIO, wanted: bytes) -> bool:
    """Whether these bytes come anywhere from where the file is read."""
    before = b""
    while block := file.read(_BLOCK):
        if wanted in before + block:
            return True
        before = block[-len(wanted) :]
    return False


def _has_png_end(file: BinaryIO) -> bool:
    """Walk over the chunks to IEND."""
    file.seek(_PNG_SIGNATURE)
    while len(header := file.read(8)) == _PNG_CHUNK_HEADER:
        if header.endswith(b"IEND"):
            return len(file.read(4)) == _PNG_CHECKSUM
        file.seek(int.from_bytes(header[:4], "big") + _PNG_CHECKSUM, os.SEEK_CUR)
    return False


_PNG_SIGNATURE = 8
_PNG_CHUNK_HEADER = 8
_PNG_CHECKSUM = 4


def _has_jpeg_end(file: BinaryIO) -> bool:
    """Walk over the segments to the pixels, among which nothing but the end looks like EOI."""
    file.seek(2)
    while len(header := file.read(4)) == _JPEG_SEGMENT_HEADER:
        if header[1] == _JPEG_FILL:
            file.seek(-3, os.SEEK_CUR)
            continue
        file.seek(int.from_bytes(header[2:], "big") - 2, os.SEEK_CUR)
        if header[1] == _JPEG_SOS:
            return contains(file, b"\xff\xd9")
    return False


_JPEG_SEGMENT_HEADER = 4
_JPEG_SOS = 0xDA
_JPEG_FILL = 0xFF


_BLOCK = 2**18
