"""The orientation that cameras store in Exif."""

import struct

UPRIGHT, ROTATED = 1, 6

ORIENTATION = 0x0112
"""The tag, in Exif as in TIFF."""

MAX_BYTES = 2**16
"""Bytes of an Exif block that are read: as many as fit in a JPEG segment.

PNG and WebP allow longer blocks. They are cut, since the first directory is at the beginning."""

PREFIX = b"Exif\0\0"
"""JPEG puts this before the TIFF structure; some programs do so in WebP and PNG too."""


def read_orientation(block: bytes) -> int:
    """Return the orientation in a block's first directory, or `UPRIGHT` (TIFF 6.0, section 2).

    No other directory is followed, so a block that points to itself can't cause a loop.
    """
    tiff = block.removeprefix(PREFIX)
    order = _BYTE_ORDERS.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        if struct.unpack_from(f"{order}H", tiff, 2) != (_TIFF,):
            return UPRIGHT
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, kind) == (ORIENTATION, _SHORT):
                return value
    except struct.error:  # it points outside the block
        pass
    return UPRIGHT


_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_TIFF = 42
_SHORT = 3
