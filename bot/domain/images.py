"""Images as values: their formats, limits and what was done to them."""

import mimetypes
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from bot.domain.errors import TooManyPixelsError

MAX_SOURCE_BYTES = 100 * 2**20
"""A source's bytes, at most: 100 MiB."""


MAX_SOURCE_PIXELS = 200_000_000
"""A source's pixels, at most: 200 megapixels of a million each, as cameras count them."""


MAX_SENT_BYTES = 20 * 2**20
"""Bytes of an image that is sent to the edit API, at most: 20 MiB."""


MAX_SENT_PIXELS = 25_000_000
"""Pixels of an image that is sent to the edit API, at most."""


MAX_RESULT_BYTES = 32 * 2**20
"""A result's bytes, at most: 32 MiB."""


class Format(StrEnum):
    """The formats that are edited; the first three as they are, the others once converted."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"
    TIFF = "tiff"
    BMP = "bmp"
    GIF = "gif"

    @property
    def content_type(self) -> str:
        """The media type, as in `Content-Type` and in data URLs."""
        return f"image/{self}"

    @property
    def suffix(self) -> str:
        """How the name of such a file ends, with the dot."""
        return ".jpg" if self is Format.JPEG else f".{self}"


EVERYWHERE = (Format.PNG, Format.JPEG, Format.WEBP)
"""The formats that the edit API and Discord surely take."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image's format, and its size in pixels as displayed, after Exif's rotation."""

    format: Format
    width: int
    height: int
    plain: bool = True
    """Whether its header shows a single frame of 8 bits per channel in RGB or gray."""

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height


class SourceChange(StrEnum):
    """What was done to a source before it was sent, besides writing it in another format."""

    FIRST_FRAME = "first_frame"
    """It has several, and only the first was sent."""
    MADE_SMALLER = "made_smaller"


@dataclass(frozen=True, slots=True)
class Source:
    """What is edited: where it was sent by its member, or as a file."""

    image: ImageInfo
    size: int
    """Bytes."""
    path: Path | None = None
    """Its file; None: it lies where its address says."""
    changes: tuple[SourceChange, ...] = ()

    @property
    def can_be_sent(self) -> bool:
        """Whether the edit API surely takes it as it is."""
        return (
            self.image.format in EVERYWHERE
            and self.image.plain
            and self.image.pixels <= MAX_SENT_PIXELS
            and self.size <= MAX_SENT_BYTES
        )


def check_source(image: ImageInfo) -> None:
    """Refuse a source that has more than `MAX_SOURCE_PIXELS`.

    Raises:
        TooManyPixels: it has.
    """
    if image.pixels > MAX_SOURCE_PIXELS:
        raise TooManyPixelsError(image.width, image.height)


def looks_like_image(filename: str, content_type: str | None) -> bool:
    """Whether a file may be an image of a supported format; its bytes decide later.

    False only if the content type or the name's extension says that it is something else.
    """
    claimed = None if content_type is None else content_type.partition(";")[0].strip().lower()
    if claimed not in {None, _UNKNOWN} and claimed not in _CONTENT_TYPES:
        return False
    guessed, encoding = _guess_type(filename)
    if guessed is None:
        return encoding is None and claimed != _UNKNOWN
    return has_image_name(filename)


def has_image_name(filename: str) -> bool:
    """Whether a name has the extension of a supported format."""
    guessed, encoding = _guess_type(filename)
    return encoding is None and guessed in _CONTENT_TYPES


def _guess_type(filename: str) -> tuple[str | None, str | None]:
    return _TYPES.guess_type(f"name{PurePosixPath(filename).suffix}", strict=False)


_CONTENT_TYPES = frozenset(
    {
        *(known.content_type for known in Format),
        *("image/jpg", "image/apng", "image/heif", "image/x-ms-bmp"),
        *("image/heic-sequence", "image/heif-sequence", "image/avif-sequence"),
    }
)


_UNKNOWN = "application/octet-stream"


_TYPES = mimetypes.MimeTypes()
for _ending in ("heic", "heif", "avif", "apng"):
    _TYPES.add_type(f"image/{_ending}", f".{_ending}")
"""Python's own table, without the system's, which differs from machine to machine."""


@dataclass(frozen=True, slots=True)
class ImageLink:
    """An image that Discord hosts: its address, and what is known before it is read."""

    url: str
    name: str
    content_type: str | None = None
    size: int = 0
    """Bytes; 0 where Discord does not say."""
    width: int | None = None
    height: int | None = None
    spoiler: bool = False
