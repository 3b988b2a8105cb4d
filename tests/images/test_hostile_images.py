"""What decoders are attacked with ends a child at most: whatever the file, the bot goes on."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from bot.domain.errors import NotAnImageError, SourceError
from bot.domain.images import EVERYWHERE, ImageInfo, Source
from bot.images.conversions import Conversions
from bot.images.files import probe_file
from tests.images_made import HEIC, draw_corners

Bytes = Callable[[], bytes]


def saved(kind: str, **options: object) -> bytes:
    """A small picture's file."""
    file = io.BytesIO()
    draw_corners().save(file, kind, **options)
    return file.getvalue()


# Containers that lead round and round, or down and down.


def tiff(*directories: bytes, following: Callable[[int], int]) -> bytes:
    """A TIFF of such directories; what follows on each, by the place of the next one."""
    file = bytearray(b"II*\0" + struct.pack("<I", 8))
    for directory in directories:
        after = len(file) + len(directory) + 4
        file += directory + struct.pack("<I", following(after))
    return bytes(file)


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    """A directory of a TIFF: tags, types, counts and values."""
    sized = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (262, 3, 1, 1), *entries]
    return struct.pack("<H", len(sized)) + b"".join(struct.pack("<HHII", *each) for each in sized)


STRIPS = ((273, 4, 1, 8), (278, 3, 1, 8), (279, 4, 1, 64))
MOST = 2**32 - 1


def many_directories() -> bytes:
    deep = [directory(*STRIPS)] * 100_000
    return tiff(*deep, following=lambda after: after)


def boxes(depth: int, kind: bytes) -> bytes:
    """HEIF's boxes, each within the one before."""
    nested = b""
    for _ in range(depth):
        nested = struct.pack(">I4s4x", len(nested) + 12, kind) + nested
    return nested


def heif(*parts: bytes) -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"".join(parts)


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


CANVAS = b"\x02\0\0\0" + b"\x3f\0\0\x2f\0\0"
FRAME = bytes(6) + b"\x3f\0\0\x2f\0\0" + bytes(4)

NESTED = {
    "TIFF round": lambda: tiff(directory(*STRIPS), following=lambda _: 8),
    "TIFF down": many_directories,
    "TIFF within itself": lambda: tiff(
        directory(*STRIPS, (330, 4, 1, 8), (34665, 4, 1, 8)), following=lambda _: 0
    ),
    "TIFF of endless strips": lambda: tiff(
        directory((273, 4, MOST, 8), (278, 3, 1, 1), (279, 4, MOST, 8)), following=lambda _: 0
    ),
    "TIFF of values outside": lambda: tiff(
        directory((273, 4, 9, MOST), (279, 4, 9, MOST)), following=lambda _: MOST
    ),
    "HEIF down": lambda: heif(boxes(5_000, b"meta")),
    "HEIF round": lambda: HEIC.read_bytes().replace(b"ipco", b"iprp"),
    "WebP within WebP": lambda: webp(
        (b"VP8X", CANVAS), *[(b"ANMF", FRAME + webp((b"VP8X", CANVAS)))] * 1000
    ),
    "WebP of frames without a picture": lambda: webp(
        (b"VP8X", CANVAS), (b"ANIM", bytes(6)), *[(b"ANMF", FRAME)] * 50_000
    ),
}


# Data beside the picture, of which there is too much.


def png(*chunks: tuple[bytes, bytes], pixels: bytes = b"") -> bytes:
    """A PNG with chunks before its pixels."""
    header = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    pixels = pixels or zlib.compress(bytes(48 * (1 + 3 * 64)))
    named = ((b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in named
    )


def packed(mebibytes: int) -> bytes:
    """Zeros, compressed: of one MiB only, and that so many times."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    part = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = ((mebibytes * 2**20 % 65_521) << 16) + 1
    return b"\x78\x9c" + part * mebibytes + b"\3\0" + struct.pack(">I", checksum)


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with segments before its own."""
    given = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments
    )
    return b"\xff\xd8" + given + saved("JPEG")[2:]


def exif(start: bytes) -> tuple[int, bytes]:
    return 0xE1, b"Exif\0\0II*\0" + start


HUGE = {
    "PNG's profile": lambda: png((b"iCCP", b"x\0\0" + packed(512))),
    "PNG's text": lambda: png((b"zTXt", b"x\0\0" + packed(512))),
    "PNG's texts": lambda: png(*[(b"zTXt", b"x\0\0" + packed(1))] * 500),
    "PNG's international text": lambda: png((b"iTXt", b"x\0\1\0\0\0" + packed(512))),
    "PNG's pixels": lambda: png(pixels=packed(512)),
    "JPEG's profile": lambda: jpeg(
        *[(0xE2, b"ICC_PROFILE\0" + bytes([part, 255]) + bytes(65_000)) for part in range(1, 256)]
    ),
    "JPEG's comments": lambda: jpeg(*[(0xFE, bytes(65_000))] * 200),
    "JPEG's Exif of many entries": lambda: jpeg(
        exif(struct.pack("<IH", 8, 5_000) + struct.pack("<HHII", 0x112, 3, 1, 6) * 5_000)
    ),
    "JPEG's Exif round": lambda: jpeg(
        exif(struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 8)), exif(b"\x08\0\0\0")
    ),
}


# Parts that are not as they should be.


def exif_of(tag: int, kind: int) -> bytes:
    """A JPEG that lies on its side, with one more value, of a kind that does not belong to it."""
    entries = struct.pack("<HHIIHHII", 0x112, 3, 1, 6, tag, kind, 1, 7)
    return jpeg(exif(struct.pack("<IH", 8, 2) + entries + bytes(4)))


def broken(file: bytes, seed: int) -> bytes:
    """A file of which every hundredth byte or so is another, but not its very beginning."""
    rng, spoilt = Random(seed), bytearray(file)
    for _ in range(1 + len(file) // 100):
        spoilt[rng.randrange(min(40, len(file) - 1), len(file))] = rng.randrange(256)
    return bytes(spoilt)


BROKEN = {
    "Exif's width": lambda: exif_of(0x100, 1),
    "Exif's height": lambda: exif_of(0x101, 16),
    "Exif's description": lambda: exif_of(0x10E, 5),
    "Exif's camera": lambda: exif_of(0x110, 11),
    "PNG's checksum": lambda: png((b"gAMA", b"\0\0\xb1\x8f")).replace(b"gAMA\0", b"gAMA\1"),
    "PNG's palette": lambda: png((b"PLTE", bytes(7))),
    "PNG's pixels": lambda: png(pixels=b"no pixels"),
    "PNG's length": lambda: png().replace(b"\0\0\0\0IEND", b"\x7f\xff\xff\xffIDAT"),
    "GIF's frame": lambda: b"GIF89a\x40\0\x30\0\0\0\0,\xff\xff\xff\xff\xff\xff\xff\xff\0\x0c\xff;",
    "GIF without a frame": lambda: b"GIF89a\x40\0\x30\0\0\0\0;",
    "BMP's height": lambda: saved("BMP")[:22] + b"\0\0\0\x80" + saved("BMP")[26:],
    "BMP's bits": lambda: saved("BMP")[:28] + b"\0\0" + saved("BMP")[30:],
    "BMP's compression": lambda: saved("BMP")[:30] + b"\1\0\0\0" + saved("BMP")[34:],
    "BMP's colours": lambda: saved("BMP")[:46] + b"\xff\xff\xff\x7f" + saved("BMP")[50:],
}


# Files that are something else as well.

POLYGLOTS = {
    "PNG and ZIP": lambda: png() + b"PK\5\6" + bytes(18),
    "JPEG and HTML": lambda: jpeg((0xFE, b"<script>alert(1)</script>")),
    "GIF and JavaScript": lambda: b"GIF89a/*" + saved("GIF")[8:] + b"*/=1;alert(1)",
    "JPEG and JPEG": lambda: saved("JPEG") * 3,
    "TIFF and PDF": lambda: saved("TIFF") + b"%PDF-1.7\n%%EOF",
    "BMP and PNG": lambda: saved("BMP") + png(),
}


def attacks() -> list[object]:
    kinds = {"nested": NESTED, "huge": HUGE, "broken": BROKEN, "both": POLYGLOTS}
    return [
        pytest.param(make, id=f"{kind} {name}")
        for kind, named in kinds.items()
        for name, make in named.items()
    ]


@pytest.mark.parametrize("make", attacks())
async def test_a_file_that_was_made_to_do_harm_is_refused_or_written_anew(
    tmp_path: Path, make: Bytes
):
    await survives(tmp_path, make())


@pytest.mark.drill
@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF", "WEBP", "GIF", "PNG", "JPEG", "BMP"])
async def test_files_with_broken_bytes_are_refused_or_written_anew(tmp_path: Path, kind: str):
    whole = HEIC.read_bytes() if kind == "HEIF" else saved(kind)
    for seed in range(30):
        await survives(tmp_path, broken(whole, seed))


async def survives(folder: Path, content: bytes) -> None:
    """See that a file is no picture, or ends its child well or as a fault of the source."""
    file, into = folder / "a", folder / "b"
    file.write_bytes(content)
    into.unlink(missing_ok=True)
    try:
        picture: ImageInfo | None = probe_file(file)
    except NotAnImageError:
        return
    try:
        source: Source | None = await Conversions().to_edit(file, picture, into)
    except SourceError:
        source = None
    if source is not None:
        assert source.image.format in EVERYWHERE
        assert see(into) == (source.image.width, source.image.height)
    assert into.exists() is (source is not None)


def see(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        image.load()
        return image.size
