"""The edit API over aiohttp: time-outs, what is repeated and what never is, downloads.

The paid call is repeated only where it surely was not executed. Results are fetched from public
addresses alone, and everything big goes through the disk in chunks.
"""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Literal, Self, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from yarl import URL

from bot.domain.errors import (
    NotAnImageError,
    ResultLostError,
    ServiceFailedError,
    SourceUnreadableError,
    TooLargeError,
    UnreachableError,
)
from bot.domain.images import (
    EVERYWHERE,
    MAX_RESULT_BYTES,
    MAX_SOURCE_BYTES,
    Format,
    ImageInfo,
    Source,
    check_source,
)
from bot.downloads.egress import ForbiddenAddressError, GuardedResolver, ResultAddresses, as_given
from bot.edit_api.wire import (
    MAX_ANSWER_BYTES,
    EditCall,
    ThrottledError,
    body_around_image,
    body_with_url,
    needs_data_url,
    parse_answer,
)
from bot.images.files import WEBP_START, is_whole, webp_size
from bot.images.headers import HeaderProbe

T = TypeVar("T")

MAX_TRIES = 3
"""Times that a call or a download is begun, at most."""

MAX_REDIRECTS = 3
"""Redirects of one download that are followed, at most."""

LAST_BYTES = 2**16
"""Bytes of a source among which its end is looked for; some programs write something behind it."""

PROBED_BYTES = 2**20
"""Bytes of a source that are read for its header alone; some formats have it at their end."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what, in seconds."""

    connect: float = 10
    """Until a connection stands, with the look-up of its name and TLS."""
    throttled: float = 60
    """From the first call of an edit to its last, where the API says when to call again."""
    silence: float = 30
    """Without a byte of a picture."""
    picture: float = 120
    """For one picture, over all its tries."""
    end: float = 3
    """For a source's last bytes."""
    pause: float = 0.5
    """Before the second try; twice that before the third."""


class EditClient:
    """Sends edits to the API, reads their sources and fetches their results.

    An async context manager; it owns two connection pools. One is kept warm for the API, and
    fetches sources too; the other is for results, and connects to public addresses only. The API's
    key goes with the paid call alone. Neither pool limits its connections: whoever calls bounds the
    edits in flight, and a limit here could only use up a paid call's time.
    """

    def __init__(
        self,
        api_url: str | URL,
        api_key: str,
        *,
        timeout: float,
        source_mode: Literal["url", "data"] = "url",
        patience: Patience = Patience(),
        resolver: AbstractResolver | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Set up; nothing is opened before the context is entered.

        Args:
            api_url: the API's address, to which `/v1/images/edit` is added.
            api_key: its key.
            timeout: seconds for one call of the API, from connecting to the answer's last byte.
            source_mode: whether sources go as their URL, or as a data URL.
            patience: all other time-outs.
            resolver: looks names up; aiohttp's own by default. It is not closed.
            sleep: waits for so many seconds.
            monotonic: a clock for durations.
            now: the wall's clock, for a `Retry-After` that is a date.
        """
        self._api_url = URL(api_url)
        self._authorization = {"Authorization": f"Bearer {api_key}"}
        self._api_key = api_key
        self._timeout = timeout
        self._source_mode = source_mode
        self._patience = patience
        self._resolver = resolver
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._addresses = ResultAddresses(self._api_url.origin())
        self._opened = AsyncExitStack()
        self._api: aiohttp.ClientSession
        self._foreign: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        resolver = self._resolver
        if resolver is None:
            resolver = aiohttp.DefaultResolver()
            self._opened.push_async_callback(resolver.close)
        self._api = await self._opened.enter_async_context(_session(resolver))
        self._foreign = await self._opened.enter_async_context(_session(GuardedResolver(resolver)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def probe_source(self, url: str) -> Source | None:
        """Read a source's header, and no more of it than that takes.

        Returns:
            The source, which has no path; None where only the whole of it says enough, as of a
            WebP that is shorter than it says.

        Raises:
            SourceUnreadable: it is not given, or not in three tries.
            NotAPicture: it is none of our formats.
            TooManyPixels: it has more than an edit takes.
            TooLarge: it has more bytes than an edit takes, as far as was seen.
        """
        return await self._read_source(url, self._probe_source_once)

    async def is_gone(self, url: str) -> bool:
        """Whether a source is surely not given any more; False where that is not known."""
        try:
            async with self._get(self._api, as_given(url)) as response:
                return response.status in _GONE
        except (TransientError, ValueError):
            return False

    async def has_end(self, url: str, source: Source) -> bool:
        """Whether the source has what a PNG or JPEG ends with; other formats do not mark their end.

        Also true where its last bytes cannot be had, for then nothing speaks against it; false
        where the whole is given in their stead.
        """
        mark = _END_MARKS.get(source.picture.format)
        if mark is None:
            return True
        part = f"{max(0, source.size - LAST_BYTES)}-"
        try:
            async with (
                asyncio.timeout(self._patience.end),
                self._get(self._api, as_given(url), headers={"Range": f"bytes={part}"}) as response,
            ):
                if response.status != HTTPStatus.PARTIAL_CONTENT:
                    return response.status != HTTPStatus.OK
                return mark in await _read_answer(response, most_bytes=LAST_BYTES)
        except (TransientError, TimeoutError):
            return True

    async def fetch_source(self, url: str, into: Path) -> Source:
        """Fetch a source, to a file that exists only once it is whole; raises as `probe_source`."""
        return await self._read_source(url, lambda address: self._fetch_source_once(address, into))

    async def edit(
        self, call: EditCall, *, workspace: Path, source: Source | None = None
    ) -> tuple[str, ...]:
        """Make the paid call.

        It is made again, at most twice, where no connection was made, or where the API turned it
        away and said for how long; never after a byte of it may have been executed.

        Args:
            call: what is asked for.
            workspace: a folder for the source, should it have to be fetched to be sent as a data
                URL; it is gone from there afterwards.
            source: the source's file, if it was converted.

        Returns:
            The results' addresses, at least one and at most `call.count`.

        Raises:
            Declined, Misconfigured, Busy, ServiceFailed, ResultLost: as `edit_api.parse_answer`.
            ServiceFailed: also a time-out or a cut connection.
            Unreachable: no connection could be made.
            SourceFault: the source that had to be sent could not be read, or is none.
            OSError: the disk does not take it.
        """
        if source is not None and source.path is not None:
            return await self._call_with_file(call, source.picture, source.path)
        if self._source_mode == "url" and not needs_data_url(call.source_url, self._api_url):
            return await self._call(call, _Content(body_with_url(call)))
        fetched = workspace / "source"
        try:
            whole = await self.fetch_source(call.source_url, fetched)
            return await self._call_with_file(call, whole.picture, fetched)
        finally:
            fetched.unlink(missing_ok=True)

    async def download(self, url: str, into: Path) -> ImageInfo:
        """Fetch a result, to a file that exists only once it is whole.

        It is asked for again, at most twice, where that may help.

        Raises:
            ResultLost: it is gone, slow, too large, no picture, or at a forbidden address.
            OSError: the disk does not take it.
        """
        try:
            async with asyncio.timeout(self._patience.picture):
                return await self._tried(lambda: self._download_once(url, into))
        except ForbiddenAddressError as forbidden:
            why = f"forbidden: {forbidden}"
        except NotAnImageError:
            why = "no picture"
        except (TooLargeError, TransientError) as fault:
            why = str(fault)
        except TimeoutError:
            why = f"not there after {self._patience.picture:g} s"
        raise ResultLostError(why)

    async def _call_with_file(
        self, call: EditCall, picture: ImageInfo, file: Path
    ) -> tuple[str, ...]:
        before, after = body_around_image(call)
        before += f"data:{picture.format.content_type};base64,".encode()
        return await self._call(call, _Content(before, file, after))

    async def _call(self, call: EditCall, content: "_Content") -> tuple[str, ...]:
        started = self._monotonic()
        for made in range(1, MAX_TRIES):
            try:
                return await self._call_once(call, content)
            except UnreachableError:
                wait = self._pause_after(made)
            except ThrottledError as turned_away:
                wait = turned_away.retry_after
                if self._monotonic() - started + wait > self._patience.throttled:
                    raise
            await self._sleep(wait)
        return await self._call_once(call, content)

    async def _call_once(self, call: EditCall, content: "_Content") -> tuple[str, ...]:
        body = _Body(content)
        try:
            async with self._api.post(
                self._api_url / "v1/images/edit",
                data=body,
                headers=self._authorization,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._timeout, connect=self._patience.connect),
            ) as response:
                answer = await _read_answer(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        else:
            return self._parse(call, response.status, response.headers, answer)
        # Outside of the handler, to chain nothing: aiohttp's errors carry the headers with the key.
        raise ServiceFailedError(failure) if body.begun else UnreachableError(failure)

    def _parse(
        self, call: EditCall, status: int, headers: Mapping[str, str], answer: bytes
    ) -> tuple[str, ...]:
        return parse_answer(
            status,
            headers,
            answer,
            count=call.count,
            now=self._now(),
            secrets=(self._api_key, call.source_url),
        )

    async def _read_source(self, url: str, read: Callable[[URL], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._patience.picture):
                source = await self._tried(lambda: read(as_given(url)))
        except (TransientError, TimeoutError):
            raise SourceUnreadableError from None
        if isinstance(source, Source):
            check_source(source.picture)
        return source

    async def _probe_source_once(self, url: URL) -> Source | None:
        async with self._get_source(url) as response:
            return await _read_header(response)

    async def _fetch_source_once(self, url: URL, into: Path) -> Source:
        async with self._get_source(url) as response:
            return await _store(response, into, MAX_SOURCE_BYTES)

    @asynccontextmanager
    async def _get_source(self, url: URL) -> AsyncGenerator[aiohttp.ClientResponse]:
        async with self._get(self._api, url) as response:
            if _is_servers_fault(response.status):
                raise TransientError(f"HTTP {response.status}")
            if response.status != HTTPStatus.OK:
                raise SourceUnreadableError(f"HTTP {response.status}")
            yield response

    async def _download_once(self, address: str, into: Path) -> ImageInfo:
        url = self._addresses.judge(address)
        for _ in range(1 + MAX_REDIRECTS):
            session = self._api if self._addresses.is_own(url) else self._foreign
            async with self._get(session, url) as response:
                if response.status == HTTPStatus.OK:
                    stored = await _store(response, into, MAX_RESULT_BYTES)
                    return await asyncio.to_thread(_check_result, into, stored.picture)
                if response.status in _PASSING or _is_servers_fault(response.status):
                    raise TransientError(f"HTTP {response.status}")
                if response.status not in _REDIRECTS:
                    raise ResultLostError(f"HTTP {response.status}")
                url = self._addresses.judge(_location(response))
        raise ResultLostError("redirected too often")

    @asynccontextmanager
    async def _get(
        self, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Open a picture as it lies there: no redirect is followed, no encoding undone."""
        failure = None
        try:
            async with session.get(
                url,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    connect=self._patience.connect, sock_read=self._patience.silence
                ),
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        if failure is not None:  # nothing is chained: aiohttp's errors quote signed addresses
            raise TransientError(failure)

    async def _tried(self, fetch: Callable[[], Awaitable[T]]) -> T:
        for made in range(1, MAX_TRIES):
            try:
                return await fetch()
            except TransientError:
                await self._sleep(self._pause_after(made))
        return await fetch()

    def _pause_after(self, made: int) -> float:
        return self._patience.pause * 2 ** (made - 1)


_END_MARKS = {Format.PNG: b"IEND", Format.JPEG: b"\xff\xd9"}


class TransientError(Exception):
    """A picture could not be had this time; the next try may go better."""


_PASSING = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.GONE,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses of a result that may not have reached the place it is served from yet."""

_GONE = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
    }
)
"""Statuses of a source that was removed, or whose address has run out."""

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


def _is_servers_fault(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _session(resolver: AbstractResolver) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=60, ttl_dns_cache=300, resolver=resolver
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
        middlewares=(_send_once,),
    )


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating requests by itself, as it does where a connection is cut.

    It spares those that are not idempotent, but here every try is counted.
    """
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionCutError from error


class _ConnectionCutError(aiohttp.ClientError):
    """The connection was cut before an answer began."""


async def _read_answer(
    response: aiohttp.ClientResponse, *, most_bytes: int = MAX_ANSWER_BYTES
) -> bytes:
    """As much of the answer as comes, and at most so much of it.

    The status may say enough where the rest is cut off, and half of a JSON text is none.
    """
    answer = bytearray()
    try:
        while len(answer) < most_bytes:
            chunk = await response.content.readany()
            if not chunk:
                break
            answer += chunk
    except (aiohttp.ClientError, TimeoutError):
        pass
    del answer[most_bytes:]
    return bytes(answer)


def _location(response: aiohttp.ClientResponse) -> URL:
    try:
        return response.url.join(as_given(response.headers["Location"]))
    except (KeyError, ValueError):
        raise ResultLostError("redirected to nowhere") from None


async def _read_header(response: aiohttp.ClientResponse) -> Source | None:
    """Read a source as far as its header.

    Returns:
        The source; None where its header is far, its size is not said, or a WebP is cut off.

    Raises:
        TooLarge: it has more bytes than are taken.
        NotAPicture: it is none of our formats.
    """
    size = response.content_length
    if (size or 0) > MAX_SOURCE_BYTES:
        raise TooLargeError(MAX_SOURCE_BYTES)
    probe = HeaderProbe()
    start = b""
    taken = 0
    async for chunk in response.content.iter_any():
        taken += len(chunk)
        start += chunk[: WEBP_START - len(start)]
        if picture := probe.feed(chunk):
            if size is None or (picture.format is Format.WEBP and size < webp_size(start)):
                return None
            return Source(picture, size)
        if taken > PROBED_BYTES:
            return None
    return Source(probe.finish(), taken)


async def _store(response: aiohttp.ClientResponse, into: Path, limit: int) -> Source:
    """Keep a picture of at most `limit` bytes.

    Raises:
        TooLarge: it has more bytes.
        NotAPicture: it is none of our formats.
    """
    if (response.content_length or 0) > limit:
        raise TooLargeError(limit)
    probe = HeaderProbe()
    taken = 0
    async with _Spool(into) as spool:
        async for chunk in response.content.iter_any():
            taken += len(chunk)
            if taken > limit:
                raise TooLargeError(limit)
            probe.feed(chunk)
            await spool.write(chunk)
        return Source(probe.finish(), taken, into)


def _check_result(path: Path, picture: ImageInfo) -> ImageInfo:
    """Let a result pass that is of a format for everybody, and came to its end."""
    fault = None
    if picture.format not in EVERYWHERE:
        fault = NotAnImageError()
    elif not is_whole(path, picture.format):
        fault = TransientError("cut off")
    if fault is not None:
        path.unlink(missing_ok=True)
        raise fault
    return picture


class _Spool:
    """A file that is written block by block in a thread, and takes its name once it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._held: list[bytes] = []
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
        self._held.append(chunk)
        self._size += len(chunk)
        if self._size >= _BLOCK:
            held, self._held, self._size = self._held, [], 0
            await asyncio.to_thread(self._file.writelines, held)

    def _complete(self) -> None:
        self._file.writelines(self._held)
        self._file.close()
        self._part.replace(self._path)

    def _discard(self) -> None:
        with contextlib.suppress(OSError):  # A full disk does not take what is buffered, either.
            self._file.close()
        self._part.unlink(missing_ok=True)


_BLOCK = 3 * 2**15
"""Bytes that are read or written in one go: 96 KiB, a multiple of base64's 3."""


@dataclass(frozen=True, slots=True)
class _Content:
    """A body: a text, or a text with a file's base64 within it."""

    before: bytes
    source: Path | None = None
    after: bytes = b""

    def size(self) -> int:
        encoded = 0 if self.source is None else -(-self.source.stat().st_size // 3) * 4
        return len(self.before) + encoded + len(self.after)


class _Body(aiohttp.Payload):
    """Sends a content of known length, and remembers whether a connection was given any of it.

    aiohttp holds the headers back until the body begins, and no server executes a call without its
    body: as long as `begun` is false, it surely was not.
    """

    def __init__(self, content: _Content) -> None:
        super().__init__(content, content_type="application/json")
        self._content = content
        self._size = content.size()
        self.begun = False

    async def write(self, writer: AbstractStreamWriter) -> None:
        self.begun = True
        await writer.write(self._content.before)
        if self._content.source is not None:
            with self._content.source.open("rb") as file:
                while block := await asyncio.to_thread(_encoded_block, file):
                    await writer.write(block)
            await writer.write(self._content.after)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("the body is streamed, and never a text as a whole")


def _encoded_block(file: BinaryIO) -> bytes:
    return base64.b64encode(file.read(_BLOCK))
