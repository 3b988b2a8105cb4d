"""Downloads results, from public addresses and the edit API's own origin only."""

import asyncio
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from bot.domain.errors import NotAnImageError, ResultLostError, TooLargeError
from bot.domain.images import EVERYWHERE, MAX_RESULT_BYTES, ImageInfo
from bot.downloads.atomic_file import save_image
from bot.downloads.connections import Connections, TransientError, is_server_error
from bot.downloads.egress import ForbiddenAddressError, ResultAddresses, as_given
from bot.images.files import is_complete

MAX_REDIRECTS = 3
"""Redirects of one download that are followed, at most."""


class ResultDownloads:
    """Downloads results, without the edit API's key."""

    def __init__(self, connections: Connections, api_url: str | URL) -> None:
        """Use connections that the caller opens and closes."""
        self._connections = connections
        self._addresses = ResultAddresses(URL(api_url).origin())

    async def fetch(self, url: str, into: Path) -> ImageInfo:
        """Download a result to a file that exists only once it is whole.

        Retried, at most twice, where that may help.

        Raises:
            ResultLostError: it is gone, slow, too large, not an image or at a forbidden address.
            OSError: the disk doesn't take it.
        """
        limit = self._connections.timeouts.image_s
        try:
            async with asyncio.timeout(limit):
                return await self._connections.with_retries(lambda: self._fetch_once(url, into))
        except ForbiddenAddressError as forbidden:
            why = f"forbidden: {forbidden}"
        except NotAnImageError:
            why = "not an image"
        except (TooLargeError, TransientError) as fault:
            why = str(fault)
        except TimeoutError:
            why = f"not there after {limit:g} s"
        raise ResultLostError(why)

    async def _fetch_once(self, address: str, into: Path) -> ImageInfo:
        url = self._addresses.judge(address)
        for _ in range(1 + MAX_REDIRECTS):
            is_own = self._addresses.is_own(url)
            session = self._connections.trusted if is_own else self._connections.public_only
            async with self._connections.get(session, url) as response:
                if response.status == HTTPStatus.OK:
                    saved = await save_image(response, into, MAX_RESULT_BYTES)
                    return await asyncio.to_thread(_check_result, into, saved.image)
                if response.status in _RETRYABLE or is_server_error(response.status):
                    raise TransientError(f"HTTP {response.status}")
                if response.status not in _REDIRECTS:
                    raise ResultLostError(f"HTTP {response.status}")
                url = self._addresses.judge(_location(response))
        raise ResultLostError("redirected too often")


_RETRYABLE = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.GONE,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses of a result that may not have reached its server yet."""

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


def _location(response: aiohttp.ClientResponse) -> URL:
    try:
        return response.url.join(as_given(response.headers["Location"]))
    except (KeyError, ValueError):
        raise ResultLostError("redirected to nowhere") from None


def _check_result(path: Path, image: ImageInfo) -> ImageInfo:
    """Accept a result that is whole and of a format that Discord shows everywhere."""
    fault = None
    if image.format not in EVERYWHERE:
        fault = NotAnImageError()
    elif not is_complete(path, image.format):
        fault = TransientError("cut off")
    if fault is not None:
        path.unlink(missing_ok=True)
        raise fault
    return image
