"""What a picture's first bytes say: its format and size. Headers only, in process; never pixels."""

import mimetypes
import struct
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from bot.errors import NotAPicture, TooManyPixels

MAX_SOURCE_BYTES = 25 * 2**20
"""A source's bytes, at most: 25 MiB."""

MAX_SOURCE_PIXELS = 64_000_000
"""A source's pixels, at most: 64 megapixels of a million each, as cameras count them."""

MAX_RESULT_BYTES = 32 * 2**20
"""A result's bytes, at most: 32 MiB."""


class Format(StrEnum):
    """The formats that are edited."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def content_type(self) -> str:
        """The media type, as in `Content-Type` and in data URLs."""
        return f"image/{self}"

    @property
    def suffix(self) -> str:
        """How the name of such a file ends, with the dot."""
        return ".jpg" if self is Format.JPEG else f".{self}"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's format, and its size in pixels as it is shown: after the turning by Exif."""

    format: Format
    width: int
    height: int


def check_source(picture: Picture) -> None:
    """Refuse a source that has more than `MAX_SOURCE_PIXELS`.

    Raises:
        TooManyPixels: it has.
    """
    if picture.width * picture.height > MAX_SOURCE_PIXELS:
        raise TooManyPixels(picture.width, picture.height)


def looks_like_picture(filename: str, content_type: str | None) -> bool:
    """Whether a file may be a picture of ours, by what is claimed of it; the bytes decide later.

    False only where the content type or the name's ending says that it is something else.
    """
    if content_type is not None and not _is_ours(content_type.partition(";")[0].strip()):
        return False
    guessed, encoding = _TYPES.guess_type(f"name{PurePosixPath(filename).suffix}", strict=False)
    return encoding is None and (guessed is None or _is_ours(guessed))


class HeaderProbe:
    """Reads a picture's header from a stream's chunks, however they are cut.

    It holds what it is reading (an Exif block, 64 KiB at most) and lets the rest pass, so a file of
    any size takes the same memory, and every byte is looked at once.
    """

    def __init__(self) -> None:
        self._parser = _read_picture()
        self._held = bytearray()
        self._steps = 0
        self._picture: Picture | None = None
        self._refused = False
        self._wanted = next(self._parser)
        self._to_skip = self._wanted.skip

    def feed(self, chunk: bytes) -> Picture | None:
        """Take the stream's next bytes.

        Returns:
            The picture, from the moment that its header is complete; until then None.

        Raises:
            NotAPicture: these bytes are none of the formats, or broken.
        """
        if self._refused:
            raise NotAPicture
        position = 0
        while self._picture is None:
            skipped = min(self._to_skip, len(chunk) - position)
            self._to_skip -= skipped
            position += skipped
            missing = self._wanted.length - len(self._held)
            self._held += chunk[position : position + missing]
            if self._to_skip or len(self._held) < self._wanted.length:
                return None
            position += missing
            self._step()
        return self._picture

    def finish(self) -> Picture:
        """Say that the stream has ended.

        Raises:
            NotAPicture: it ended before the header did.
        """
        if self._picture is None:
            self._refused = True
            raise NotAPicture
        return self._picture

    def _step(self) -> None:
        found = bytes(self._held)
        self._held.clear()
        self._steps += 1
        try:
            if self._steps > _MAX_STEPS:
                self._parser.throw(NotAPicture)
            self._wanted = self._parser.send(found)
        except StopIteration as decided:
            self._picture = decided.value
        except NotAPicture:
            self._refused = True
            raise
        else:
            self._to_skip = self._wanted.skip


_MAX_STEPS = 10_000
"""Reads for one header. Cameras' files take dozens; a file made of empty segments would take
millions, and hold up the loop."""

_MAX_EXIF = 2**16
"""Bytes of an Exif block that are read: all that fits in a JPEG's segment.

Longer blocks, which PNG and WebP allow, are cut: the first directory stands at the beginning."""


class _Read(NamedTuple):
    """A parser's wish: pass over `skip` bytes, then hand over exactly `length`."""

    length: int
    skip: int = 0


_Parser = Generator[_Read, bytes, Picture]


def _read_picture() -> _Parser:
    start = yield _Read(2)
    if start == b"\xff\xd8":
        return (yield from _read_jpeg())
    if start == b"\x89P" and (yield _Read(6)) == b"NG\r\n\x1a\n":
        return (yield from _read_png())
    if start == b"RI":
        rest = yield _Read(10)
        if rest.startswith(b"FF") and rest.endswith(b"WEBP"):
            return (yield from _read_webp(size=_little(rest[2:6])))
    raise NotAPicture


def _read_jpeg() -> _Parser:
    """Walk the segments up to the frame's header (ITU-T T.81, annex B)."""
    orientation = _UPRIGHT
    passed = 0
    while True:
        marker, length = yield from _read_segment_header(passed)
        if marker in _JPEG_FRAMES:
            _, height, width, components = _JPEG_FRAME.unpack((yield _Read(_JPEG_FRAME.size)))
            if not components or length != _JPEG_FRAME.size + 3 * components:
                raise NotAPicture
            return _shown(Format.JPEG, width, height, orientation)
        passed = length
        if marker == _JPEG_APP1 and orientation == _UPRIGHT:
            block = yield _Read(length)
            passed = 0
            if block.startswith(_EXIF_PREFIX):
                orientation = _orientation(block)


def _read_segment_header(passed: int) -> Generator[_Read, bytes, tuple[int, int]]:
    """Read the marker that comes `passed` bytes from here, and how many bytes belong to it."""
    prefix, marker = yield _Read(2, skip=passed)
    if prefix != _JPEG_FILL:
        raise NotAPicture
    while marker == _JPEG_FILL:  # any number of them may stand before a marker
        (marker,) = yield _Read(1)
    length = _big((yield _Read(2))) - 2
    if marker in _JPEG_BARE or marker in _JPEG_TOO_LATE or length < 0:
        raise NotAPicture
    return marker, length


_JPEG_FILL = 0xFF
_JPEG_APP1 = 0xE1
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15; the three left out are DHT, JPG and DAC."""
_JPEG_FRAME = struct.Struct(">BHHB")
"""A frame's precision, height, width and number of components."""
_JPEG_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Markers without a length, and no marker: none of them stands between a header's segments."""
_JPEG_TOO_LATE = frozenset({0xD9, 0xDA})
"""EOI and SOS: the frame's header would have come before."""


def _read_png() -> _Parser:
    """Walk the chunks up to the pixels (PNG, third edition, section 5)."""
    header = yield _Read(8 + 13 + 4)
    length, kind = _PNG_CHUNK.unpack(header[:8])
    if (length, kind) != (13, b"IHDR") or zlib.crc32(header[4:-4]) != _big(header[-4:]):
        raise NotAPicture
    width, height = struct.unpack(">II", header[8:16])
    if max(width, height) > _PNG_LARGEST:
        raise NotAPicture
    passed = 0
    while True:
        length, kind = _PNG_CHUNK.unpack((yield _Read(8, skip=passed)))
        if length > _PNG_LARGEST or not kind.isalpha() or kind in (b"IHDR", b"IEND"):
            raise NotAPicture
        if kind == b"IDAT":
            return _shown(Format.PNG, width, height, _UPRIGHT)
        if kind == b"eXIf":
            block = yield _Read(min(length, _MAX_EXIF))
            return _shown(Format.PNG, width, height, _orientation(block))
        passed = length + 4


_PNG_CHUNK = struct.Struct(">I4s")
_PNG_LARGEST = 2**31 - 1


def _read_webp(size: int) -> _Parser:
    """Read the first chunk, and look for Exif behind it where its flags say so (RFC 9649)."""
    kind, length = _WEBP_CHUNK.unpack((yield _Read(8)))
    if kind == b"VP8 ":
        frame = yield _Read(10)
        if frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":  # a key frame, and its start code
            raise NotAPicture
        width, height = (_little(side) & 0x3FFF for side in (frame[6:8], frame[8:10]))
        return _shown(Format.WEBP, width, height, _UPRIGHT)
    if kind == b"VP8L":
        signature, bits = struct.unpack("<BI", (yield _Read(5)))
        if signature != _VP8L_SIGNATURE or bits >> 29:  # the version, which is 0
            raise NotAPicture
        return _shown(Format.WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, _UPRIGHT)
    if kind != b"VP8X" or length < _VP8X_LENGTH:
        raise NotAPicture
    canvas = yield _Read(_VP8X_LENGTH)
    width, height = _little(canvas[4:7]) + 1, _little(canvas[7:10]) + 1
    orientation = _UPRIGHT
    if canvas[0] & _VP8X_HAS_EXIF:
        orientation = yield from _find_webp_orientation(
            room=size - 4 - 8 - _padded(length), passed=_padded(length) - _VP8X_LENGTH
        )
    return _shown(Format.WEBP, width, height, orientation)


def _find_webp_orientation(room: int, passed: int) -> Generator[_Read, bytes, int]:
    """Walk the chunks of the `room` bytes that begin `passed` bytes from here."""
    while room >= _WEBP_CHUNK.size:
        kind, length = _WEBP_CHUNK.unpack((yield _Read(8, skip=passed)))
        if kind == b"EXIF":
            return _orientation((yield _Read(min(length, _MAX_EXIF))))
        passed = _padded(length)
        room -= 8 + passed
    return _UPRIGHT


def _padded(length: int) -> int:
    return length + length % 2


_WEBP_CHUNK = struct.Struct("<4sI")
_VP8L_SIGNATURE = 0x2F
_VP8X_LENGTH = 10
_VP8X_HAS_EXIF = 0x08


def _shown(format_: Format, width: int, height: int, orientation: int) -> Picture:
    if not width or not height:
        raise NotAPicture
    if orientation in _ON_ITS_SIDE:
        width, height = height, width
    return Picture(format_, width, height)


def _orientation(block: bytes) -> int:
    """The orientation in an Exif block's first directory (TIFF 6.0, section 2), or upright.

    No other directory is followed, so a block that points to itself is read once like any other.
    """
    tiff = block.removeprefix(_EXIF_PREFIX)
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return _UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, kind) == (_TIFF_ORIENTATION, _TIFF_SHORT):
                return value
    except struct.error:  # it points outside of the block
        pass
    return _UPRIGHT


_UPRIGHT = 1
_ON_ITS_SIDE = range(5, 9)
_EXIF_PREFIX = b"Exif\0\0"
"""What JPEG puts before the TIFF structure, and some programs do in WebP and PNG as well."""
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TIFF_ORIENTATION = 0x0112
_TIFF_SHORT = 3


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")


def _is_ours(content_type: str) -> bool:
    return content_type.lower() in _CONTENT_TYPES


_CONTENT_TYPES = frozenset({*(known.content_type for known in Format), "image/jpg"})
_TYPES = mimetypes.MimeTypes()
"""Python's own table, without the system's, which differs from machine to machine."""
