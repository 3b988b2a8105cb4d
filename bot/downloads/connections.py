"""The connection pools for the edit API and for images, and the retries of downloads."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.downloads.egress import GuardedResolver

T = TypeVar("T")

MAX_TRIES = 3
"""Attempts at a call or a download, including the first."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts, in seconds."""

    connect_s: float = 10
    """To connect, including the DNS lookup and TLS."""
    throttling_s: float = 60
    """From an edit's first call to its last, when the API says when to retry."""
    silence_s: float = 30
    """Without a byte of an image."""
    image_s: float = 120
    """For one image, over all attempts."""
    end_s: float = 3
    """For a source's last bytes."""
    pause_s: float = 0.5
    """Before the second attempt; doubled before the third."""


class TransientError(Exception):
    """A download failed in a way that a retry may fix."""


class Connections:
    """Two connection pools, open while the async context is entered.

    `trusted` is kept warm for the edit API, and fetches sources too; `public_only` is for results
    and connects to public addresses only. Neither limits its connections: callers bound the edits
    in flight, and a limit here could only use up a paid call's time.
    """

    trusted: aiohttp.ClientSession
    public_only: aiohttp.ClientSession

    def __init__(
        self,
        *,
        timeouts: Timeouts = Timeouts(),
        resolver: AbstractResolver | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Set up without opening anything.

        Args:
            timeouts: all timeouts but the paid call's own.
            resolver: resolves names; aiohttp's own by default. The caller closes it.
            sleep: waits for a number of seconds.
        """
        self.timeouts = timeouts
        self.sleep = sleep
        self._resolver = resolver
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        resolver = self._resolver
        if resolver is None:
            resolver = aiohttp.DefaultResolver()
            self._opened.push_async_callback(resolver.close)
        self.trusted = await self._opened.enter_async_context(_session(resolver))
        self.public_only = await self._opened.enter_async_context(
            _session(GuardedResolver(resolver))
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    @asynccontextmanager
    async def get(
        self, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Get an image's bytes as they are, without following redirects or decompressing.

        Raises:
            TransientError: the connection failed, or was silent for too long.
        """
        failure = None
        try:
            async with session.get(
                url,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    connect=self.timeouts.connect_s, sock_read=self.timeouts.silence_s
                ),
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        if failure is not None:  # nothing is chained: aiohttp's errors quote signed addresses
            raise TransientError(failure)

    async def with_retries(self, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `fetch`, retried after transient errors."""
        for attempt in range(1, MAX_TRIES):
            try:
                return await fetch()
            except TransientError:
                await self.sleep(self.pause_after(attempt))
        return await fetch()

    def pause_after(self, attempt: int) -> float:
        """Return the seconds to wait after a failed attempt, counted from 1."""
        return self.timeouts.pause_s * 2 ** (attempt - 1)


def is_server_error(status: int) -> bool:
    """Whether the server failed, so that a retry may help."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR


async def read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return as much of a body as arrives, up to `limit` bytes.

    A body that is cut off isn't an error: the status may say enough.
    """
    body = bytearray()
    try:
        while len(body) < limit:
            chunk = await response.content.readany()
            if not chunk:
                break
            body += chunk
    except (aiohttp.ClientError, TimeoutError):
        pass
    del body[limit:]
    return bytes(body)


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
    """Keep aiohttp from retrying by itself, as it does when a connection is cut.

    It only retries idempotent requests, but here every attempt is counted.
    """
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionCutError from error


class _ConnectionCutError(aiohttp.ClientError):
    """The connection was cut before an answer began."""
