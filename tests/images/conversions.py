"""Run conversions in tests, and make files for them."""

import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

from bot.domain.images import (
    Source,
)
from bot.images.conversions import Conversions
from bot.images.files import is_complete, probe_file


def write(path: Path, image: Image.Image, kind: str, **options: Any) -> Path:
    """Write a picture's file."""
    image.save(path, kind, **options)
    return path


async def convert(path: Path) -> tuple[Source, Image.Image]:
    """What is sent to the edit API of a file, and how it looks."""
    source = await Conversions().to_edit(path, probe_file(path), path.with_name("converted"))
    assert source.path is not None
    return source, see(source.path)


async def fit(path: Path, most: int) -> tuple[Source, Image.Image]:
    """What is posted of a file that is too large, and how it looks."""
    picture, into = probe_file(path), path.with_name("fitted")
    source = await Conversions().to_post(path, picture, into, max_bytes=most)
    assert source.path is not None
    assert source.size <= most
    assert is_complete(source.path, source.image.format)
    return source, see(source.path)


def see(path: Path) -> Image.Image:
    """A picture, decoded."""
    with Image.open(path) as image:
        image.load()
        return image


def png(width: int, height: int, pixels: bytes, *, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG's bytes."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def smooth(width: int = 600, height: int = 400) -> Image.Image:
    """A picture that is easy to make small."""
    return Image.radial_gradient("L").resize((width, height)).convert("RGB")


def cut(file: Path, part: float) -> None:
    """Leave so much of a file."""
    with file.open("r+b") as end:
        end.truncate(round(file.stat().st_size * part))
