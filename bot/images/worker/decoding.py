"""Opens a picture of any format that is taken: its first frame, upright, in sRGB, 8 bits a channel.

In a child process only, for decoders have been talked into much by files that were made for it.
"""

import io
import math
import struct
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

# Once the child's limits are set no module can be opened any more: all that may be needed is here.
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

LONGEST_SIDE = 16_383
"""Pixels of a side, at most, of what is written; WebP takes no more."""

SHARP_ENOUGH = 12_500_000
"""Pixels that a JPEG is decoded to at least, where it has more than are wanted."""


class UnreadableError(Exception):
    """There is no picture to be had from the file."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture in one of the modes L, RGB and RGBA, and what was left out of its file."""

    image: Image.Image
    xmp: bytes
    is_first_frame: bool
    """Whether the file has more."""
    is_smaller: bool
    """Whether the file has more pixels."""


def decode(file: BinaryIO, format_: Format, *, most_pixels: int) -> Decoded:
    """Open a picture, made smaller where it has more than `most_pixels`.

    Raises:
        Unreadable: it is broken, or has too many pixels.
        MemoryError: it takes more than this process has.
    """
    with _judged_by_readers():
        opened = _READERS[format_](file)
        width, height = opened.size
        if width * height > MAX_SOURCE_PIXELS:
            raise UnreadableError(Problem.TOO_MANY_PIXELS)
        several = bool(getattr(opened, "is_animated", False))
        xmp = opened.info.get("xmp", b"")
        most = _size_within(width, height, most_pixels)
        if most != opened.size:
            enough = min(most_pixels, SHARP_ENOUGH)
            opened.draft(opened.mode, _size_within(width, height, enough))
        opened.load()
        image = _without_palette(opened)
    if image.width > most[0] or image.height > most[1]:
        image = _copying_info(image, image.resize(most, _FINE, reducing_gap=2.0))
    image = _to_eight_bits(image)
    with suppress(*_BROKEN):  # a broken Exif block turns nothing
        ImageOps.exif_transpose(image, in_place=True)
    return Decoded(
        _to_srgb(image),
        xmp,
        is_first_frame=several,
        is_smaller=image.width * image.height < width * height,
    )


_BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, RuntimeError),
    *(ArithmeticError, AttributeError, struct.error),
)
"""What the readers raise at files that are not as they should be."""


@contextmanager
def _judged_by_readers() -> Generator[None]:
    try:
        yield
    except _BROKEN as fault:
        raise UnreadableError(Problem.BROKEN) from fault


_READERS: Mapping[Format, Callable[[BinaryIO], ImageFile.ImageFile]] = {
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
Image.MAX_IMAGE_PIXELS = None  # they are counted here
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
options.DECODE_THREADS = 1
"""A child is to take one core."""


def _size_within(width: int, height: int, most_pixels: int) -> tuple[int, int]:
    factor = min(1.0, math.sqrt(most_pixels / (width * height)), LONGEST_SIDE / max(width, height))
    return max(1, math.floor(width * factor)), max(1, math.floor(height * factor))


def _without_palette(image: Image.Image) -> Image.Image:
    """The picture in a mode of which the colours of several pixels can be mixed."""
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


_FINE = Image.Resampling.LANCZOS


def _copying_info(image: Image.Image, made_of_it: Image.Image) -> Image.Image:
    made_of_it.info = image.info
    return made_of_it


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """The picture with eight bits a channel, white being the least that its mode may mean by it."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")  # nothing of it is transparent
    if image.mode not in {"I;16", "I", "F"}:
        return image
    whites = _WHITES if image.mode == "F" else _WHITES[2:]
    match image.getextrema():
        case (_, float() | int() as brightest):
            white = next((each for each in whites if brightest <= each), whites[-1])
        case _:
            white = whites[-1]
    grey = image.convert("F").point(lambda value: value * (255 / white))
    return _copying_info(image, grey.convert("L"))


_WHITES = (1.0, 255.0, 65_535.0, 2.0**32 - 1)


def _to_srgb(image: Image.Image) -> Image.Image:
    """The picture in the colours that everybody assumes where no profile is given."""
    profile = _read_profile(image)
    try:
        if profile is not None:
            return _convert(image, profile)
    except (ImageCms.PyCMSError, *_BROKEN):
        pass  # a profile for another kind of picture, or broken: as if there were none
    return image if image.mode in _WRITTEN else image.convert("RGB")


_WRITTEN = ("L", "RGB", "RGBA")


def _read_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The picture's colour profile, unless it has none, or the usual one."""
    if image.mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.core.createProfile("LAB"))
    data = image.info.get("icc_profile")
    if not data:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        usual = "sRGB" in ImageCms.getProfileDescription(profile)
    except (ImageCms.PyCMSError, *_BROKEN):
        return None
    return None if usual else profile


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
    return transform.apply_in_place(image)  # a copy would take as much memory again
