"""HEIC and AVIF, which share a container (ISO 14496-12 and 23008-12)."""

import struct
from collections.abc import Iterator

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format, ImageInfo
from bot.images.headers.exif import ROTATED, UPRIGHT
from bot.images.headers.reading import Parser, Read, big_endian, displayed

MAX_META_BYTES = 2**17
"""Bytes of a `meta` box that are read. 200 megapixels in tiles of 512 take about 40,000."""


def read_header() -> Parser:
    """Read the brands, and the properties of the primary item."""
    start = yield Read(6)
    size = big_endian(start[:2])
    if not start.endswith(b"ftyp") or not _MIN_FTYP_BYTES <= size <= _MAX_FTYP_BYTES:
        raise NotAnImageError
    names = yield Read(size - 8)
    brands = {names[at : at + 4] for at in range(0, len(names), 4)}
    if brands & _AVIF_BRANDS:
        format_ = Format.AVIF
    elif brands & _HEIC_BRANDS:
        format_ = Format.HEIC
    else:
        raise NotAnImageError
    unread = 0
    while True:
        length, kind = _BOX.unpack((yield Read(8, skip=unread)))
        unread = length - 8
        if length == _LENGTH_FOLLOWS:
            unread = big_endian((yield Read(8))) - 16
        if unread < 0:  # also a last box, which extends to the end of the file
            raise NotAnImageError
        if kind == b"meta":
            if unread > MAX_META_BYTES:
                raise NotAnImageError
            return _read_primary_item(format_, (yield Read(unread)))


def _read_primary_item(format_: Format, meta: bytes) -> ImageInfo:
    try:
        boxes = dict(_boxes(meta[4:]))
        version, primary = boxes[b"pitm"][0], boxes[b"pitm"][4:]
        item = big_endian(primary[: 4 if version else 2])
        parts = dict(_boxes(boxes[b"iprp"]))
        properties = list(_boxes(parts[b"ipco"]))
        width = height = turns = 0
        for index in _property_indexes(item, parts[b"ipma"]):
            kind, value = properties[index - 1]
            if kind == b"ispe":
                width, height = struct.unpack_from(">4xII", value)
            elif kind == b"irot":
                turns += value[0]
    except (KeyError, IndexError, struct.error):
        raise NotAnImageError from None
    return displayed(format_, width, height, ROTATED if turns % 2 else UPRIGHT)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and content of each box inside another."""
    at = 0
    while at + _BOX.size <= len(data):
        length, kind = _BOX.unpack_from(data, at)
        if length < _BOX.size:
            raise NotAnImageError
        yield kind, data[at + 8 : at + length]
        at += length


def _property_indexes(item: int, associations: bytes) -> list[int]:
    """Return the indexes of an item's properties, counted from one, in order."""
    version, flags = associations[0], associations[3]
    number, index = ("I" if version else "H"), ("H" if flags & 1 else "B")
    essential = 0x8000 if flags & 1 else 0x80
    head = struct.Struct(f">{number}B")
    at = 8
    for _ in range(big_endian(associations[4:8])):
        found, count = head.unpack_from(associations, at)
        at += head.size
        if found == item:
            indexes = struct.unpack_from(f">{count}{index}", associations, at)
            return [flagged & ~essential for flagged in indexes]
        at += count * struct.calcsize(index)
    return []


_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_MIN_FTYP_BYTES, _MAX_FTYP_BYTES = 16, 1024
_BOX = struct.Struct(">I4s")
_LENGTH_FOLLOWS = 1
"""A box's length that says: 64 bits with the real one follow."""
