"""What a picture's first bytes say: its format and size. Headers only, in process; never pixels."""

import struct
import zlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import NamedTuple

from bot.domain.errors import NotAnImageError
from bot.domain.images import Format, ImageInfo


class HeaderProbe:
    """Reads a picture's header from a stream's chunks, however they are cut.

    It holds what it is reading (an Exif block, 64 KiB at most) and lets the rest pass, so a file of
    any size takes the same memory, and every byte is looked at once.
    """

    def __init__(self) -> None:
        self._parser = _read_picture()
        self._held = bytearray()
        self._steps = 0
        self._picture: ImageInfo | None = None
        self._refused = False
        self._wanted = next(self._parser)
        self._to_skip = self._wanted.skip

    def feed(self, chunk: bytes) -> ImageInfo | None:
        """Take the stream's next bytes.

        Returns:
            The picture, from the moment that its header is complete; until then None.

        Raises:
            NotAPicture: these bytes are none of the formats, or broken.
        """
        if self._refused:
            raise NotAnImageError
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

    def finish(self) -> ImageInfo:
        """Say that the stream has ended.

        Raises:
            NotAPicture: it ended before the header did.
        """
        if self._picture is None:
            self._refused = True
            raise NotAnImageError
        return self._picture

    def _step(self) -> None:
        found = bytes(self._held)
        self._held.clear()
        self._steps += 1
        try:
            if self._steps > _MAX_STEPS:
                self._parser.throw(NotAnImageError)
            self._wanted = self._parser.send(found)
        except StopIteration as decided:
            self._picture = decided.value
        except NotAnImageError:
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


_Parser = Generator[_Read, bytes, ImageInfo]


def _read_picture() -> _Parser:
    start = yield _Read(2)
    if start not in _READERS:
        raise NotAnImageError
    return (yield from _READERS[start]())


def _read_jpeg() -> _Parser:
    """Walk the segments up to the frame's header (ITU-T T.81, annex B)."""
    orientation = _UPRIGHT
    passed = 0
    while True:
        marker, length = yield from _read_segment_header(passed)
        if marker in _JPEG_FRAMES:
            bits, height, width, components = _JPEG_FRAME.unpack((yield _Read(_JPEG_FRAME.size)))
            if not components or length != _JPEG_FRAME.size + 3 * components:
                raise NotAnImageError
            plain = marker in _JPEG_COMMON and bits == _BITS and components in _GREY_OR_RGB
            return _shown(Format.JPEG, width, height, orientation, plain=plain)
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
        raise NotAnImageError
    while marker == _JPEG_FILL:  # any number of them may stand before a marker
        (marker,) = yield _Read(1)
    length = _big((yield _Read(2))) - 2
    if marker in _JPEG_BARE or marker in _JPEG_TOO_LATE or length < 0:
        raise NotAnImageError
    return marker, length


_JPEG_FILL = 0xFF
_JPEG_APP1 = 0xE1
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15; the three left out are DHT, JPG and DAC."""
_JPEG_COMMON = frozenset({0xC0, 0xC1, 0xC2})
"""Sequential and progressive by Huffman's code; few programs read the others."""
_GREY_OR_RGB = frozenset({1, 3})
_BITS = 8
_JPEG_FRAME = struct.Struct(">BHHB")
"""A frame's precision, height, width and number of components."""
_JPEG_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Markers without a length, and no marker: none of them stands between a header's segments."""
_JPEG_TOO_LATE = frozenset({0xD9, 0xDA})
"""EOI and SOS: the frame's header would have come before."""


def _read_png() -> _Parser:
    """Walk the chunks up to the pixels (PNG, third edition, section 5)."""
    if (yield _Read(6)) != b"NG\r\n\x1a\n":
        raise NotAnImageError
    header = yield _Read(8 + 13 + 4)
    length, kind = _PNG_CHUNK.unpack(header[:8])
    if (length, kind) != (13, b"IHDR") or zlib.crc32(header[4:-4]) != _big(header[-4:]):
        raise NotAnImageError
    width, height, bits = struct.unpack(">IIB", header[8:17])
    if max(width, height) > _PNG_LARGEST:
        raise NotAnImageError
    orientation, plain = _UPRIGHT, bits <= _BITS
    passed = 0
    while True:
        length, kind = _PNG_CHUNK.unpack((yield _Read(8, skip=passed)))
        if length > _PNG_LARGEST or not kind.isalpha() or kind in (b"IHDR", b"IEND"):
            raise NotAnImageError
        if kind == b"IDAT":
            return _shown(Format.PNG, width, height, orientation, plain=plain)
        passed = length + 4
        if kind == b"acTL":  # it is animated
            plain = False
        if kind == b"eXIf":
            block = yield _Read(min(length, _MAX_EXIF))
            passed -= len(block)
            orientation = _orientation(block)


_PNG_CHUNK = struct.Struct(">I4s")
_PNG_LARGEST = 2**31 - 1


def _read_webp() -> _Parser:
    """Read the first chunk, and look for Exif behind it where its flags say so (RFC 9649)."""
    start = yield _Read(10)
    if not (start.startswith(b"FF") and start.endswith(b"WEBP")):
        raise NotAnImageError
    size = _little(start[2:6])
    kind, length = _WEBP_CHUNK.unpack((yield _Read(8)))
    if kind == b"VP8 ":
        frame = yield _Read(10)
        if frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":  # a key frame, and its start code
            raise NotAnImageError
        width, height = (_little(side) & 0x3FFF for side in (frame[6:8], frame[8:10]))
        return _shown(Format.WEBP, width, height, _UPRIGHT)
    if kind == b"VP8L":
        signature, bits = struct.unpack("<BI", (yield _Read(5)))
        if signature != _VP8L_SIGNATURE or bits >> 29:  # the version, which is 0
            raise NotAnImageError
        return _shown(Format.WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, _UPRIGHT)
    if kind != b"VP8X" or length < _VP8X_LENGTH:
        raise NotAnImageError
    canvas = yield _Read(_VP8X_LENGTH)
    width, height = _little(canvas[4:7]) + 1, _little(canvas[7:10]) + 1
    orientation = _UPRIGHT
    if canvas[0] & _VP8X_HAS_EXIF:
        orientation = yield from _find_webp_orientation(
            room=size - 4 - 8 - _padded(length), passed=_padded(length) - _VP8X_LENGTH
        )
    plain = not canvas[0] & _VP8X_IS_ANIMATED
    return _shown(Format.WEBP, width, height, orientation, plain=plain)


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
_VP8X_IS_ANIMATED = 0x02


def _read_gif() -> _Parser:
    """Read the logical screen's size (GIF89a, section 18); how many frames come is not said."""
    if (yield _Read(4)) not in {b"F87a", b"F89a"}:
        raise NotAnImageError
    width, height = struct.unpack("<HH", (yield _Read(4)))
    return _shown(Format.GIF, width, height, _UPRIGHT)


def _read_bmp() -> _Parser:
    """Read the size behind the file's header, in the old form of 16 bits or the usual of 32."""
    length = _little((yield _Read(4, skip=12)))
    if length == _BMP_OLD:
        width, height = struct.unpack("<HH", (yield _Read(4)))
    elif length in _BMP_USUAL:
        width, height = struct.unpack("<ii", (yield _Read(8)))
    else:
        raise NotAnImageError
    return _shown(Format.BMP, width, abs(height), _UPRIGHT)  # below zero: from the top down


_BMP_OLD = 12
_BMP_USUAL = frozenset({40, 52, 56, 64, 108, 124})


def _read_tiff(order: str) -> _Parser:
    """Go to the first directory, wherever in the file it stands (TIFF 6.0, section 2; BigTIFF)."""
    (version,) = struct.unpack(f"{order}H", (yield _Read(2)))
    if version not in _TIFF_LAYOUTS:
        raise NotAnImageError
    address, number, rest = (struct.Struct(order + each) for each in _TIFF_LAYOUTS[version])
    (start,) = address.unpack((yield _Read(address.size)))
    passed = 4 + address.size
    if start < passed:
        raise NotAnImageError
    (count,) = number.unpack((yield _Read(number.size, skip=start - passed)))
    if count > _TIFF_MOST_ENTRIES:
        raise NotAnImageError
    values: dict[int, int] = {}
    for tag, kind, value in rest.iter_unpack((yield _Read(count * rest.size))):
        if kind in _TIFF_NUMBERS:
            values[tag] = struct.unpack_from(f"{order}{_TIFF_NUMBERS[kind]}", value)[0]
    return _shown(
        Format.TIFF,
        values.get(_TIFF_WIDTH, 0),
        values.get(_TIFF_HEIGHT, 0),
        values.get(_TIFF_ORIENTATION, _UPRIGHT),
    )


_TIFF_LAYOUTS = {42: ("I", "H", "HH4x4s"), 43: ("4xQ", "Q", "HH8x8s")}
"""By version, how the directory's address, its length and an entry are written."""
_TIFF_MOST_ENTRIES = 1_000
_TIFF_WIDTH, _TIFF_HEIGHT = 0x0100, 0x0101
_TIFF_NUMBERS = {3: "H", 4: "I"}


def _read_heif() -> _Parser:
    """Read the brands, and the properties of the primary item (ISO 14496-12 and 23008-12)."""
    start = yield _Read(6)
    size = _big(start[:2])
    if not start.endswith(b"ftyp") or not _FTYP_SMALLEST <= size <= _FTYP_LARGEST:
        raise NotAnImageError
    brands = yield _Read(size - 8)
    named = {brands[at : at + 4] for at in range(0, len(brands), 4)}
    if named & _AVIF_BRANDS:
        format_ = Format.AVIF
    elif named & _HEIC_BRANDS:
        format_ = Format.HEIC
    else:
        raise NotAnImageError
    passed = 0
    while True:
        header = yield _Read(8, skip=passed)
        length, kind = _BOX.unpack(header)
        passed = length - 8
        if length == _BOX_IS_LONG:
            passed = _big((yield _Read(8))) - 16
        if passed < 0:  # among them a last box, which reaches to the file's end
            raise NotAnImageError
        if kind == b"meta":
            if passed > _MAX_META:
                raise NotAnImageError
            return _primary_of(format_, (yield _Read(passed)))


def _primary_of(format_: Format, meta: bytes) -> ImageInfo:
    """The picture that the file is for, by its properties in order."""
    try:
        boxes = dict(_boxes(meta[4:]))
        versioned, primary = boxes[b"pitm"][0], boxes[b"pitm"][4:]
        item = _big(primary[: 4 if versioned else 2])
        parts = list(_boxes(boxes[b"iprp"]))
        properties = list(_boxes(dict(parts)[b"ipco"]))
        width = height = turns = 0
        for place in _properties_of(item, dict(parts)[b"ipma"]):
            kind, value = properties[place - 1]
            if kind == b"ispe":
                width, height = struct.unpack_from(">4xII", value)
            elif kind == b"irot":
                turns += value[0]
    except (KeyError, IndexError, struct.error):
        raise NotAnImageError from None
    return _shown(format_, width, height, _LYING if turns % 2 else _UPRIGHT)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kinds and contents of the boxes that lie in another."""
    at = 0
    while at + _BOX.size <= len(data):
        length, kind = _BOX.unpack_from(data, at)
        if length < _BOX.size:
            raise NotAnImageError
        yield kind, data[at + 8 : at + length]
        at += length


def _properties_of(item: int, associations: bytes) -> list[int]:
    """The places, from one, of an item's properties."""
    versioned, flags = associations[0], associations[3]
    number, place = ("I" if versioned else "H"), ("H" if flags & 1 else "B")
    essential = 0x8000 if flags & 1 else 0x80
    head = struct.Struct(f">{number}B")
    at = 8
    for _ in range(_big(associations[4:8])):
        found, count = head.unpack_from(associations, at)
        at += head.size
        if found == item:
            places = struct.unpack_from(f">{count}{place}", associations, at)
            return [each & ~essential for each in places]
        at += count * struct.calcsize(place)
    return []


_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_FTYP_SMALLEST, _FTYP_LARGEST = 16, 1024
_BOX = struct.Struct(">I4s")
_BOX_IS_LONG = 1
_MAX_META = 2**17
"""Bytes of a `meta` box that are read; 200 megapixels in tiles of 512 take about 40,000."""


_READERS: dict[bytes, Callable[[], _Parser]] = {
    b"\xff\xd8": _read_jpeg,
    b"\x89P": _read_png,
    b"RI": _read_webp,
    b"\0\0": _read_heif,
    b"II": partial(_read_tiff, "<"),
    b"MM": partial(_read_tiff, ">"),
    b"BM": _read_bmp,
    b"GI": _read_gif,
}
"""By a file's first two bytes; each goes on from there."""


def _shown(
    format_: Format, width: int, height: int, orientation: int, *, plain: bool = True
) -> ImageInfo:
    if width <= 0 or height <= 0:
        raise NotAnImageError
    if orientation in _ON_ITS_SIDE:
        width, height = height, width
    return ImageInfo(format_, width, height, plain)


def _orientation(block: bytes) -> int:
    """The orientation in an Exif block's first directory (TIFF 6.0, section 2), or upright.

    No other directory is followed, so a block that points to itself is read once like any other.
    """
    tiff = block.removeprefix(_EXIF_PREFIX)
    order = _BYTE_ORDERS.get(tiff[:2])
    if order is None:
        return _UPRIGHT
    try:
        if struct.unpack_from(f"{order}H", tiff, 2) != (_TIFF,):
            return _UPRIGHT
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, kind) == (_TIFF_ORIENTATION, _TIFF_SHORT):
                return value
    except struct.error:  # it points outside of the block
        pass
    return _UPRIGHT


_UPRIGHT, _LYING = 1, 6
_ON_ITS_SIDE = range(5, 9)
_EXIF_PREFIX = b"Exif\0\0"
"""What JPEG puts before the TIFF structure, and some programs do in WebP and PNG as well."""
_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_TIFF = 42
_TIFF_ORIENTATION = 0x0112
_TIFF_SHORT = 3


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
