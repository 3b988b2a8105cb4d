"""Files that exist only once they are whole, and images that are downloaded to one."""

import asyncio
import contextlib
from pathlib import Path
from typing import BinaryIO, Self

import aiohttp

from bot.domain.errors import TooLargeError
from bot.domain.images import Source
from bot.images.headers import HeaderProbe

_BLOCK = 3 * 2**15
"""Bytes that are written at once: 96 KiB."""


class AtomicFile:
    """A file that is written in blocks in a thread, and gets its name once it is whole."""

    def __init__(self, path: Path) -> None:
        """Set up without opening anything."""
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._buffered: list[bytes] = []
        self._size = 0
        self._file: BinaryIO

    async def __aenter__(self) -> Self:
        self._file = self._part.open("wb")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            await asyncio.to_thread(self._complete)
        except BaseException:
            self._discard()
            raise

    async def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._buffered.append(chunk)
        self._size += len(chunk)
        if self._size >= _BLOCK:
            buffered, self._buffered, self._size = self._buffered, [], 0
            await asyncio.to_thread(self._file.writelines, buffered)

    def _complete(self) -> None:
        self._file.writelines(self._buffered)
        self._file.close()
        self._part.replace(self._path)

    def _discard(self) -> None:
        with contextlib.suppress(OSError):  # A full disk can't take what is buffered, either.
            self._file.close()
        self._part.unlink(missing_ok=True)


async def save_image(response: aiohttp.ClientResponse, into: Path, limit: int) -> Source:
    """Save an image of at most `limit` bytes.

    Raises:
        TooLargeError: it has more bytes.
        NotAnImageError: it has none of our formats.
    """
    if (response.content_length or 0) > limit:
        raise TooLargeError(limit)
    probe = HeaderProbe()
    size = 0
    async with AtomicFile(into) as file:
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise TooLargeError(limit)
            probe.feed(chunk)
            await file.write(chunk)
        return Source(probe.finish(), size, into)
