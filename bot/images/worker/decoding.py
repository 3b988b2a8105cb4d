"""Decode an image of any supported format: its first frame, upright, in sRGB, 8 bits per channel.

Only in a child process: crafted files have taken over decoders before.
"""

import io
import math
import struct
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

# No module can be imported once the child's limits are set, so all are imported here.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import HeifImageFile, options

from bot.domain.images import MAX_SOURCE_PIXELS, Format
from bot.images.tasks import Problem

MAX_SIDE = 16_383
"""Pixels of a converted image's side, which is WebP's limit."""

MIN_DRAFT_PIXELS = 12_500_000
"""Pixels to which a JPEG is decoded at least, before it's resized to fewer."""


class UnreadableError(Exception):
    """The file can't be decoded."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image in mode L, RGB or RGBA, and what was left out."""

    image: Image.Image
    xmp: bytes
    is_first_frame: bool
    """Whether the file has more frames."""
    is_smaller: bool
    """Whether the file has more pixels."""


def decode(file: BinaryIO, format_: Format, *, max_pixels: int) -> Decoded:
    """Decode an image, and resize it if it has more than `max_pixels`.

    Raises:
        UnreadableError: it is broken, or has too many pixels.
        MemoryError: it takes more memory than this process may use.
    """
    with _translating_errors():
        opened = _DECODERS[format_](file)
        width, height = opened.size
        if width * height > MAX_SOURCE_PIXELS:
            raise UnreadableError(Problem.TOO_MANY_PIXELS)
        several = bool(getattr(opened, "is_animated", False))
        xmp = opened.info.get("xmp", b"")
        max_size = _size_within(width, height, max_pixels)
        if max_size != opened.size:
            draft_pixels = min(max_pixels, MIN_DRAFT_PIXELS)
            opened.draft(opened.mode, _size_within(width, height, draft_pixels))
        opened.load()
        image = _without_palette(opened)
    if image.width > max_size[0] or image.height > max_size[1]:
        resized = image.resize(max_size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        image = _with_info(resized, image)
    image = _to_eight_bits(image)
    with suppress(*_DECODER_ERRORS):  # a broken Exif block rotates nothing
        ImageOps.exif_transpose(image, in_place=True)
    return Decoded(
        _to_srgb(image),
        xmp,
        is_first_frame=several,
        is_smaller=image.width * image.height < width * height,
    )


_DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, RuntimeError),
    *(ArithmeticError, AttributeError, struct.error),
)
"""Errors that decoders raise at broken files."""


@contextmanager
def _translating_errors() -> Generator[None]:
    try:
        yield
    except _DECODER_ERRORS as error:
        raise UnreadableError(Problem.BROKEN) from error


_DECODERS: Mapping[Format, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    Format.PNG: PngImagePlugin.PngImageFile,
    Format.JPEG: JpegImagePlugin.JpegImageFile,
    Format.WEBP: WebPImagePlugin.WebPImageFile,
    Format.HEIC: HeifImageFile,
    Format.AVIF: AvifImagePlugin.AvifImageFile,
    Format.TIFF: TiffImagePlugin.TiffImageFile,
    Format.BMP: BmpImagePlugin.BmpImageFile,
    Format.GIF: GifImagePlugin.GifImageFile,
}
Image.preinit()
Image.MAX_IMAGE_PIXELS = None  # `decode` counts them
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
options.DECODE_THREADS = 1
"""A child uses one core."""


def _size_within(width: int, height: int, max_pixels: int) -> tuple[int, int]:
    factor = min(1.0, math.sqrt(max_pixels / (width * height)), MAX_SIDE / max(width, height))
    return max(1, math.floor(width * factor)), max(1, math.floor(height * factor))


def _without_palette(image: Image.Image) -> Image.Image:
    """Convert to a mode whose values can be averaged, which resizing needs."""
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    match image.mode:
        case "P":
            return image.convert("RGB")
        case "1":
            return image.convert("L")
        case "I;16" | "I;16B" | "I;16L" | "I;16N":
            return image.convert("I")
        case _:
            return image


def _with_info(image: Image.Image, original: Image.Image) -> Image.Image:
    image.info = original.info
    return image


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert to 8 bits per channel. White is the lowest plausible value that no pixel exceeds."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")  # opaque everywhere
    if image.mode not in {"I;16", "I", "F"}:
        return image
    whites = _WHITES if image.mode == "F" else _WHITES[2:]
    match image.getextrema():
        case (_, float() | int() as brightest):
            white = next((white for white in whites if brightest <= white), whites[-1])
        case _:
            white = whites[-1]
    gray = image.convert("F").point(lambda value: value * (255 / white))
    return _with_info(gray.convert("L"), image)


_WHITES = (1.0, 255.0, 65_535.0, 2.0**32 - 1)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Convert to sRGB, which programs assume where no profile is given."""
    profile = _read_profile(image)
    try:
        if profile is not None:
            return _convert(image, profile)
    except (ImageCms.PyCMSError, *_DECODER_ERRORS):
        pass  # broken, or for another color space: treated as no profile
    return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB")


def _read_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """Return the image's color profile; None if it has none, or has sRGB's."""
    if image.mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.core.createProfile("LAB"))
    data = image.info.get("icc_profile")
    if not data:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        is_srgb = "sRGB" in ImageCms.getProfileDescription(profile)
    except (ImageCms.PyCMSError, *_DECODER_ERRORS):
        return None
    return None if is_srgb else profile


def _convert(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    into = image.mode if image.mode in {"RGB", "RGBA"} else "RGB"
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.ImageCmsProfile(ImageCms.core.createProfile("sRGB")),
        image.mode,
        into,
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if into != image.mode:
        return transform.apply(image)
    return transform.apply_in_place(image)  # a copy would double the memory
