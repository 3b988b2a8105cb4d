"""The paid call to the edit API, retried only if it surely wasn't executed."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import aiohttp
from yarl import URL

from bot.domain.errors import ServiceFailedError, UnreachableError
from bot.domain.images import ImageInfo, Source
from bot.downloads.connections import MAX_TRIES, Connections, read_at_most
from bot.downloads.sources import SourceDownloads
from bot.edit_api.streamed_body import Content, StreamedBody
from bot.edit_api.wire import (
    MAX_RESPONSE_BYTES,
    EditCall,
    ThrottledError,
    body_around_image,
    body_with_url,
    needs_data_url,
    parse_response,
)


class EditClient:
    """Sends edits to the API. Only this call carries the API key."""

    def __init__(
        self,
        api_url: str | URL,
        api_key: str,
        connections: Connections,
        *,
        timeout: float,
        source_mode: Literal["url", "data"] = "url",
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Set up.

        Args:
            api_url: the base URL.
            api_key: the key.
            connections: opened and closed by the caller.
            timeout: seconds for one call, from connecting to the response's last byte.
            source_mode: whether sources are sent as their URL or as a data URL.
            monotonic: a clock for durations.
            now: the wall clock, for a `Retry-After` that is a date.
        """
        self._api_url = URL(api_url)
        self._authorization = {"Authorization": f"Bearer {api_key}"}
        self._api_key = api_key
        self._connections = connections
        self._sources = SourceDownloads(connections)
        self._timeout = timeout
        self._source_mode = source_mode
        self._monotonic = monotonic
        self._now = now

    async def edit(
        self, call: EditCall, *, workspace: Path, source: Source | None = None
    ) -> tuple[str, ...]:
        """Make the paid call.

        The call is retried at most twice: if no connection was made, or if the API throttled it
        with a `Retry-After`. It is never retried if the API may have executed it.

        Args:
            call: the edit.
            workspace: a folder for a source that is sent as a data URL.
            source: the source's file, if it was converted.

        Returns:
            The results' URLs, at least one and at most `call.count`.

        Raises:
            DeclinedError, MisconfiguredError, BusyError, ResultLostError: as in `parse_response`.
            ServiceFailedError: as in `parse_response`; also for a timeout or a cut connection.
            UnreachableError: no connection could be made.
            SourceError: the source couldn't be read, or isn't a valid image.
            OSError: the disk couldn't keep the source.
        """
        if source is not None and source.path is not None:
            return await self._call_with_file(call, source.image, source.path)
        if self._source_mode == "url" and not needs_data_url(call.source_url, self._api_url):
            return await self._call(call, Content(body_with_url(call)))
        fetched = workspace / "source"
        try:
            whole = await self._sources.fetch(call.source_url, fetched)
            return await self._call_with_file(call, whole.image, fetched)
        finally:
            fetched.unlink(missing_ok=True)

    async def _call_with_file(
        self, call: EditCall, image: ImageInfo, file: Path
    ) -> tuple[str, ...]:
        before, after = body_around_image(call)
        before += f"data:{image.format.content_type};base64,".encode()
        return await self._call(call, Content(before, file, after))

    async def _call(self, call: EditCall, content: Content) -> tuple[str, ...]:
        started = self._monotonic()
        for attempt in range(1, MAX_TRIES):
            try:
                return await self._call_once(call, content)
            except UnreachableError:
                wait = self._connections.pause_after(attempt)
            except ThrottledError as throttled:
                wait = throttled.retry_after
                if self._monotonic() - started + wait > self._connections.timeouts.throttling_s:
                    raise
            await self._connections.sleep(wait)
        return await self._call_once(call, content)

    async def _call_once(self, call: EditCall, content: Content) -> tuple[str, ...]:
        payload = StreamedBody(content)
        try:
            async with self._connections.trusted.post(
                self._api_url / "v1/images/edit",
                data=payload,
                headers=self._authorization,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=self._timeout, connect=self._connections.timeouts.connect_s
                ),
            ) as response:
                body = await read_at_most(response, MAX_RESPONSE_BYTES)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        else:
            return self._parse(call, response.status, response.headers, body)
        # Raised outside the handler: aiohttp's errors carry the headers with the key.
        raise ServiceFailedError(failure) if payload.begun else UnreachableError(failure)

    def _parse(
        self, call: EditCall, status: int, headers: Mapping[str, str], body: bytes
    ) -> tuple[str, ...]:
        return parse_response(
            status,
            headers,
            body,
            count=call.count,
            now=self._now(),
            secrets=(self._api_key, call.source_url),
        )
