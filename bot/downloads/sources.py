"""Downloads sources, whole or as far as their header."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import aiohttp
from yarl import URL

from bot.domain.errors import SourceUnreadableError, TooLargeError
from bot.domain.images import MAX_SOURCE_BYTES, Format, Source, check_source
from bot.downloads.atomic_file import save_image
from bot.downloads.connections import Connections, TransientError, is_server_error, read_at_most
from bot.downloads.egress import as_given
from bot.images.headers import HeaderProbe, webp

T = TypeVar("T")

LAST_BYTES = 2**16
"""Bytes at a source's end that are searched for its end mark; some programs append data to it."""

PROBED_BYTES = 2**20
"""Bytes that are read for a source's header alone; some formats have it at their end."""


class SourceDownloads:
    """Reads sources from the platform's own addresses."""

    def __init__(self, connections: Connections) -> None:
        """Use connections that the caller opens and closes."""
        self._connections = connections

    async def probe(self, url: str) -> Source | None:
        """Read a source's header, and no more than that takes.

        Returns:
            The source, without a path; None where only the whole file tells enough, such as a
            WebP that is shorter than its header says.

        Raises:
            SourceUnreadableError: it was refused, or all attempts failed.
            NotAnImageError: it has none of our formats.
            TooManyPixelsError: it has more pixels than an edit takes.
            TooLargeError: it has more bytes than an edit takes, as far as it was read.
        """
        return await self._read(url, self._probe_once)

    async def is_gone(self, url: str) -> bool:
        """Whether a source was surely removed; False where that isn't known."""
        try:
            async with self._connections.get(self._connections.trusted, as_given(url)) as response:
                return response.status in _GONE
        except (TransientError, ValueError):
            return False

    async def has_end(self, url: str, source: Source) -> bool:
        """Whether a PNG or JPEG has its end mark; other formats have none.

        Also true if the last bytes can't be read, since nothing shows that they are missing; false
        if the server sends the whole file instead of them.
        """
        mark = _END_MARKS.get(source.image.format)
        if mark is None:
            return True
        headers = {"Range": f"bytes={max(0, source.size - LAST_BYTES)}-"}
        try:
            async with (
                asyncio.timeout(self._connections.timeouts.end_s),
                self._connections.get(
                    self._connections.trusted, as_given(url), headers
                ) as response,
            ):
                if response.status != HTTPStatus.PARTIAL_CONTENT:
                    return response.status != HTTPStatus.OK
                return mark in await read_at_most(response, LAST_BYTES)
        except (TransientError, TimeoutError):
            return True

    async def fetch(self, url: str, into: Path) -> Source:
        """Download a source to a file that exists only once it is whole.

        Raises:
            SourceError: as for `probe`.
            OSError: the disk doesn't take it.
        """
        return await self._read(url, lambda address: self._fetch_once(address, into))

    async def _read(self, url: str, read: Callable[[URL], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._connections.timeouts.image_s):
                source = await self._connections.with_retries(lambda: read(as_given(url)))
        except (TransientError, TimeoutError):
            raise SourceUnreadableError from None
        if isinstance(source, Source):
            check_source(source.image)
        return source

    async def _probe_once(self, url: URL) -> Source | None:
        async with self._get(url) as response:
            return await _read_header(response)

    async def _fetch_once(self, url: URL, into: Path) -> Source:
        async with self._get(url) as response:
            return await save_image(response, into, MAX_SOURCE_BYTES)

    @asynccontextmanager
    async def _get(self, url: URL) -> AsyncGenerator[aiohttp.ClientResponse]:
        async with self._connections.get(self._connections.trusted, url) as response:
            if is_server_error(response.status):
                raise TransientError(f"HTTP {response.status}")
            if response.status != HTTPStatus.OK:
                raise SourceUnreadableError(f"HTTP {response.status}")
            yield response


_END_MARKS = {Format.PNG: b"IEND", Format.JPEG: b"\xff\xd9"}

_GONE = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
    }
)
"""Statuses of a source that was removed, or whose address has expired."""


async def _read_header(response: aiohttp.ClientResponse) -> Source | None:
    """Read a source as far as its header.

    Returns:
        The source; None if its header is far in, its size isn't known, or a WebP is cut off.

    Raises:
        TooLargeError: it has more bytes than an edit takes.
        NotAnImageError: it has none of our formats.
    """
    size = response.content_length
    if (size or 0) > MAX_SOURCE_BYTES:
        raise TooLargeError(MAX_SOURCE_BYTES)
    probe = HeaderProbe()
    start = b""
    read = 0
    async for chunk in response.content.iter_any():
        read += len(chunk)
        start += chunk[: webp.SIZE_ENDS_AT - len(start)]
        if image := probe.feed(chunk):
            if size is None or (image.format is Format.WEBP and size < webp.stated_size(start)):
                return None
            return Source(image, size)
        if read > PROBED_BYTES:
            return None
    return Source(probe.finish(), read)
