"""An image's format and size, read from its first bytes. Pixels are never decoded here."""

from collections.abc import Callable
from functools import partial

from bot.domain.errors import NotAnImageError
from bot.domain.images import ImageInfo
from bot.images.headers import bmp, gif, heif, jpeg, png, tiff, webp
from bot.images.headers.reading import MAX_READS, Parser, Read

READERS: dict[bytes, Callable[[], Parser]] = {
    b"\xff\xd8": jpeg.read_header,
    b"\x89P": png.read_header,
    b"RI": webp.read_header,
    b"\0\0": heif.read_header,
    b"II": partial(tiff.read_header, "<"),
    b"MM": partial(tiff.read_header, ">"),
    b"BM": bmp.read_header,
    b"GI": gif.read_header,
}
"""Header parsers by a file's first two bytes. Each parser continues after these."""


class HeaderProbe:
    """Reads an image's header from a stream of chunks, however they are cut.

    It buffers only what it is reading (an Exif block, 64 KiB at most) and skips the rest. So memory
    use doesn't depend on the file's size, and each byte is looked at once.
    """

    def __init__(self) -> None:
        self._parser = _read_header()
        self._buffer = bytearray()
        self._reads = 0
        self._image: ImageInfo | None = None
        self._refused = False
        self._wanted = next(self._parser)
        self._to_skip = self._wanted.skip

    def feed(self, chunk: bytes) -> ImageInfo | None:
        """Take the next bytes of the stream.

        Returns:
            The image once its header is complete; None until then.

        Raises:
            NotAnImageError: the bytes are in no known format, or broken.
        """
        if self._refused:
            raise NotAnImageError
        position = 0
        while self._image is None:
            skipped = min(self._to_skip, len(chunk) - position)
            self._to_skip -= skipped
            position += skipped
            missing = self._wanted.length - len(self._buffer)
            self._buffer += chunk[position : position + missing]
            if self._to_skip or len(self._buffer) < self._wanted.length:
                return None
            position += missing
            self._step()
        return self._image

    def finish(self) -> ImageInfo:
        """Return the image at the end of the stream.

        Raises:
            NotAnImageError: the stream ended before the header did.
        """
        if self._image is None:
            self._refused = True
            raise NotAnImageError
        return self._image

    def _step(self) -> None:
        read = bytes(self._buffer)
        self._buffer.clear()
        self._reads += 1
        try:
            if self._reads > MAX_READS:
                self._parser.throw(NotAnImageError)
            self._wanted = self._parser.send(read)
        except StopIteration as done:
            self._image = done.value
        except NotAnImageError:
            self._refused = True
            raise
        else:
            self._to_skip = self._wanted.skip


def _read_header() -> Parser:
    start = yield Read(2)
    if start not in READERS:
        raise NotAnImageError
    return (yield from READERS[start]())
