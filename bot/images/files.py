"""Checks on image files: their headers, and whether they are complete."""

from pathlib import Path

from bot.domain.images import Format, ImageInfo
from bot.images.headers import HeaderProbe, jpeg, png, webp
from bot.images.headers.searching import BLOCK

_ENDS = {Format.PNG: png.has_end, Format.JPEG: jpeg.has_end, Format.WEBP: webp.has_end}
"""Checks for the end, of the formats that are posted as they are."""


def probe_file(path: Path) -> ImageInfo:
    """Read a file's header; raises NotAnImageError."""
    probe = HeaderProbe()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if image := probe.feed(block):
                return image
    return probe.finish()


def is_complete(path: Path, format_: Format) -> bool:
    """Whether a file has its end. Formats that aren't posted count as complete."""
    has_end = _ENDS.get(format_)
    if has_end is None:
        return True
    with path.open("rb") as file:
        return has_end(file)
