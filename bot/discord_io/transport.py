"""Sends requests to Discord's REST API, and retries them within a deadline and its rate limits.

discord.py isn't used for this: it retries an acknowledgement past its three seconds, raises on a
429 without a `Via` header, and doesn't retry a request whose connection was cut.
"""

import asyncio
import contextlib
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from json import dumps
from pathlib import Path

import aiohttp
import structlog
from yarl import URL

from bot.discord_io.responses import JSON, RestResponse, is_inconclusive, read_response

REQUEST_TIMEOUT_S = 15.0
UPLOAD_TIMEOUT_S = 120.0
"""For one request with files, which may be 25 MiB."""

FIRST_PAUSE_S, MAX_PAUSE_S = 0.25, 30.0
"""Before a retry. Each pause is twice the one before."""

UPLOAD_PAUSE_S = 1.0
"""Before the first retry of an upload."""

UPLOADS = 16
"""Concurrent requests with files: this many for edits, and as many for everything else."""

MAX_BODY_BYTES = 4 * 2**20

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class File:
    """A file attached to a message; the description is its alt text."""

    name: str
    content: bytes | Path
    description: str | None = None


class Transport:
    """Requests under one base URL, over a session that the caller closes."""

    def __init__(self, session: aiohttp.ClientSession, base: URL) -> None:
        self._session = session
        self._base = base
        self._uploads = asyncio.Semaphore(UPLOADS)
        self._other_uploads = asyncio.Semaphore(UPLOADS)
        self._limits = _RateLimits()

    async def request(
        self,
        method: str,
        path: str,
        *,
        until: float,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: JSON | None = None,
        files: Sequence[File] = (),
        tries: int | None = None,
        max_pause: float = MAX_PAUSE_S,
        for_edit: bool = True,
        expects: Callable[[RestResponse], bool] = lambda _: True,
    ) -> RestResponse | None:
        """Send a request, and retry it until the loop's time `until` or `tries` failures.

        No response and a 5xx are failures, and so is a success that isn't what the route returns:
        something between Discord and the bot sent it. A 429 isn't a failure, and is waited out.
        Uploads `for_edit` never wait for others, such as exports.

        Returns:
            The last attempt's response; None if it got none.
        """
        response: RestResponse | None = None
        pause = UPLOAD_PAUSE_S if files else FIRST_PAUSE_S
        timeout = UPLOAD_TIMEOUT_S if files else REQUEST_TIMEOUT_S
        uploads = self._uploads if for_edit else self._other_uploads
        failed = 0
        while (left := until - _now()) > 0:
            if limited := self._limits.find(path):
                if limited.retry_after >= left:
                    return response if failed else response or limited
                await asyncio.sleep(limited.retry_after)
                continue
            async with uploads if files else contextlib.nullcontext():
                left = until - _now()
                # Waiting for other uploads took time, and one of them may have hit a rate limit.
                if left <= 0 or self._limits.find(path):
                    continue
                with _as_form(json, files) if files else contextlib.nullcontext() as form:
                    response = await self._send(
                        method,
                        path,
                        query=query,
                        headers=headers,
                        form=form,
                        json=None if files else json,
                        timeout=min(left, timeout),
                    )
            if response is not None and response.ok and not expects(response):
                log.warning("discord.unreadable", method=method, status=response.status)
                response = replace(response, status=HTTPStatus.BAD_GATEWAY)
            if failed and response is not None:
                response = replace(response, repeated=True)

            if response is not None and response.status == HTTPStatus.TOO_MANY_REQUESTS:
                continue
            if not is_inconclusive(response):
                return response
            failed += 1
            if failed == tries or _now() + pause >= until:
                return response
            await asyncio.sleep(pause)
            pause = min(2 * pause, max_pause)
        return response

    async def send_unless_limited(
        self, method: str, path: str, *, json: JSON, timeout: float
    ) -> RestResponse | None:
        """Send a request once; under a known rate limit, return that limit and send nothing."""
        return self._limits.find(path) or await self._send(method, path, json=json, timeout=timeout)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        form: aiohttp.FormData | None = None,
        json: JSON | None,
        timeout: float,
    ) -> RestResponse | None:
        """Send a request once, and remember the rate limit that a 429 reports."""
        try:
            async with self._session.request(
                method,
                # An interaction's token must go out exactly as it came.
                URL(f"{self._base}/{path}", encoded=True),
                params=query,
                headers=headers,
                data=form,
                json=json,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as reply:
                content = await _read(reply.content)
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            log.warning("discord.unanswered", method=method, fault=type(fault).__name__)
            return None
        response = read_response(reply.status, reply.headers, content)
        if not response.ok:
            log.warning(
                "discord.refused", method=method, status=response.status, code=response.code
            )
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._limits.note(path, response)
        return response


class _RateLimits:
    """The rate limits that 429s reported: of one route, or of all but interaction callbacks.

    https://docs.discord.com/developers/topics/rate-limits
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def find(self, path: str) -> RestResponse | None:
        """Return the limit in force for a route, as the 429 that Discord would send."""
        now = _now()
        until_all = 0.0 if path.startswith("interactions/") else self._until.get(_ALL_ROUTES, 0.0)
        left = max(until_all, self._until.get(path, 0.0)) - now
        if left <= 0:
            return None
        body = {"global": until_all > now}
        return RestResponse(HTTPStatus.TOO_MANY_REQUESTS, 0, retry_after=left, body=body)

    def note(self, path: str, limit: RestResponse) -> None:
        """Remember the limit that a 429 reported for a route."""
        now = _now()
        self._until = {route: until for route, until in self._until.items() if until > now}
        # A 429 without Discord's JSON comes from Cloudflare and applies to our IP address.
        is_global = limit.body.get("global") is True or not limit.body
        for route in (path, _ALL_ROUTES) if is_global else (path,):
            self._until[route] = now + max(limit.retry_after, FIRST_PAUSE_S)


_ALL_ROUTES = ""


def list_files(files: Sequence[File]) -> list[JSON]:
    """Return the `attachments` field of a message with these files.

    https://docs.discord.com/developers/reference#uploading-files
    """
    return [
        {"id": index, "filename": file.name}
        | ({} if file.description is None else {"description": file.description})
        for index, file in enumerate(files)
    ]


@contextlib.contextmanager
def _as_form(body: JSON | None, files: Sequence[File]) -> Generator[aiohttp.FormData]:
    """Build a multipart form of a message and its files, which stay open inside the context."""
    with contextlib.ExitStack() as opened:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", dumps(body), content_type="application/json")
        for index, file in enumerate(files):
            # aiohttp streams file objects, but would write bytes in one piece.
            content = file.content
            reader = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
            form.add_field(f"files[{index}]", opened.enter_context(reader), filename=file.name)
        yield form


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(2**16):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    return bytes(body)


def in_seconds(seconds: float) -> float:
    """Return the loop's time that many seconds from now, as requests take it in `until`."""
    return _now() + seconds


def _now() -> float:
    return asyncio.get_running_loop().time()
