"""Writes a picture in the best quality that fits into so many bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from PIL import Image, PngImagePlugin

from bot.domain.images import Format


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format, and the options of Pillow's writer for it."""

    format: Format
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def _jpeg(quality: int, *, fine: bool = False) -> Encoding:
    return Encoding(Format.JPEG, {"quality": quality, "subsampling": 0 if fine else 2})


def _webp(quality: int, *, method: int = 4) -> Encoding:
    return Encoding(Format.WEBP, {"quality": quality, "method": method})


_PNG = Encoding(Format.PNG)
_QUICK_PNG = Encoding(Format.PNG, {"compress_level": 2})
_EXACT_WEBP = Encoding(Format.WEBP, {"lossless": True, "quality": 30, "method": 3})

EXACT_WEBP_PIXELS = 8_000_000
"""Pixels that are written as a WebP without loss, at most; more would take too long."""

EXACT_SAVES = 0.4
"""What is left of a PNG of a photo without loss, at best."""

SMALLEST_SIDE = 16
"""Pixels of the longer side, below which nothing is a picture any more."""


def encodings_for_model(image: Image.Image) -> tuple[Encoding, ...]:
    """How a picture is written for a model to look at, best first."""
    if image.mode == "RGBA":
        return _QUICK_PNG, _webp(95, method=2), _webp(80, method=2)
    return _jpeg(95, fine=True), _jpeg(90), _jpeg(80)


def encodings_for_discord(
    image: Image.Image, source: Format, *, saved: float
) -> tuple[Encoding, ...]:
    """How a picture is written for people to look at, best first.

    Args:
        image: the picture.
        source: what it was before.
        saved: what of its bytes it may still have, as a fraction.
    """
    lossy = (_webp(95), _webp(90), *(() if image.mode == "RGBA" else (_jpeg(85),)), _webp(80))
    if source is not Format.PNG or saved < EXACT_SAVES:
        return lossy
    is_quick = image.width * image.height <= EXACT_WEBP_PIXELS
    return _PNG, *((_EXACT_WEBP,) if is_quick else ()), *lossy


def write(
    image: Image.Image,
    into: BinaryIO,
    ways: Sequence[Encoding],
    *,
    most_bytes: int,
    xmp: bytes = b"",
) -> tuple[int, int] | None:
    """Write the picture in the first of the ways that fits, else ever smaller in the last one.

    Returns:
        The width and height in which it fits; None if it does in none.
    """
    size = 0
    for way in ways:
        size = _write_once(image, into, way, xmp)
        if size <= most_bytes:
            return image.size
    while True:
        factor = min(0.9, 0.95 * math.sqrt(most_bytes / size))
        smaller = (math.floor(image.width * factor), math.floor(image.height * factor))
        if min(smaller) < 1 or max(smaller) < SMALLEST_SIDE:
            return None
        image = image.resize(smaller, Image.Resampling.LANCZOS, reducing_gap=2.0)
        size = _write_once(image, into, ways[-1], xmp)
        if size <= most_bytes:
            return image.size


def _write_once(image: Image.Image, into: BinaryIO, way: Encoding, xmp: bytes) -> int:
    """The bytes that the picture takes, which are the file's from its beginning."""
    into.seek(0)
    into.truncate()
    options = dict(way.options)
    if xmp and way.format is Format.PNG:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp:
        options["xmp"] = xmp
    image.info = {}  # what the source said besides its pixels
    image.save(into, way.format.upper(), **options)
    into.flush()
    return into.seek(0, 2)
