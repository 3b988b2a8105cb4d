"""Encode an image in the best quality that fits a number of bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from PIL import Image, PngImagePlugin

from bot.domain.images import Format


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format, and options of Pillow's encoder."""

    format: Format
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def _jpeg(quality: int, *, fine: bool = False) -> Encoding:
    return Encoding(Format.JPEG, {"quality": quality, "subsampling": 0 if fine else 2})


def _webp(quality: int, *, method: int = 4) -> Encoding:
    return Encoding(Format.WEBP, {"quality": quality, "method": method})


_PNG = Encoding(Format.PNG)
_QUICK_PNG = Encoding(Format.PNG, {"compress_level": 2})
_LOSSLESS_WEBP = Encoding(Format.WEBP, {"lossless": True, "quality": 30, "method": 3})

MAX_LOSSLESS_WEBP_PIXELS = 8_000_000
"""Pixels up to which lossless WebP is fast enough."""

BEST_LOSSLESS_RATIO = 0.4
"""Size of a photo as lossless WebP relative to a PNG, at best."""

MIN_SIDE = 16
"""Pixels of the longer side, below which an image is useless."""


def encodings_for_model(image: Image.Image) -> tuple[Encoding, ...]:
    """Return encodings for the edit API's model, best first."""
    if image.mode == "RGBA":
        return _QUICK_PNG, _webp(95, method=2), _webp(80, method=2)
    return _jpeg(95, fine=True), _jpeg(90), _jpeg(80)


def encodings_for_discord(
    image: Image.Image, source: Format, *, target: float
) -> tuple[Encoding, ...]:
    """Return encodings for people to look at, best first.

    Args:
        image: the decoded image.
        source: the format it was decoded from.
        target: the size to reach, as a fraction of the original's.
    """
    lossy = (_webp(95), _webp(90), *(() if image.mode == "RGBA" else (_jpeg(85),)), _webp(80))
    if source is not Format.PNG or target < BEST_LOSSLESS_RATIO:
        return lossy
    is_fast = image.width * image.height <= MAX_LOSSLESS_WEBP_PIXELS
    return _PNG, *((_LOSSLESS_WEBP,) if is_fast else ()), *lossy


def write(
    image: Image.Image,
    into: BinaryIO,
    encodings: Sequence[Encoding],
    *,
    max_bytes: int,
    xmp: bytes = b"",
) -> tuple[int, int] | None:
    """Write the image in the first encoding that fits, else smaller and smaller in the last one.

    Returns:
        The width and height that fit; None if none does.
    """
    size = 0
    for encoding in encodings:
        size = _write_once(image, into, encoding, xmp)
        if size <= max_bytes:
            return image.size
    while True:
        factor = min(0.9, 0.95 * math.sqrt(max_bytes / size))
        smaller = (math.floor(image.width * factor), math.floor(image.height * factor))
        if min(smaller) < 1 or max(smaller) < MIN_SIDE:
            return None
        image = image.resize(smaller, Image.Resampling.LANCZOS, reducing_gap=2.0)
        size = _write_once(image, into, encodings[-1], xmp)
        if size <= max_bytes:
            return image.size


def _write_once(image: Image.Image, into: BinaryIO, encoding: Encoding, xmp: bytes) -> int:
    """Replace the file's content with the image and return its size in bytes."""
    into.seek(0)
    into.truncate()
    options = dict(encoding.options)
    if xmp and encoding.format is Format.PNG:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp:
        options["xmp"] = xmp
    image.info = {}  # drops the original's metadata
    image.save(into, encoding.format.upper(), **options)

    into.flush()
    return into.seek(0, 2)
