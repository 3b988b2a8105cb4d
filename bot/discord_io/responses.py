"""Responses of Discord's REST API, and how their bodies and headers are parsed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from json import loads
from typing import Any, cast

JSON = Mapping[str, Any]

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
ALREADY_ACKNOWLEDGED = 40060
THREAD_ARCHIVED = 50083
MISSING_ACCESS, CANNOT_MESSAGE_USER, NO_MUTUAL_SERVER = 50001, 50007, 50278
TOO_LARGE = frozenset({40005, 50045})
"""The request is too large; one of its files is.

https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
"""

DEFAULT_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class RestResponse:
    """One response of the REST API."""

    status: int
    code: int
    """Discord's own error code; 0 if there is none."""
    retry_after: float
    """Seconds that a 429 asks to wait."""
    body: JSON
    items: Sequence[JSON] = ()
    """The body, if it is a list."""
    exhausted_for: float = 0.0
    """Seconds during which this route takes at most one more request."""
    repeated: bool = False
    """Whether an earlier attempt failed but may have been carried out anyway."""

    @property
    def ok(self) -> bool:
        """Whether Discord carried out the request."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def read_response(status: int, headers: Mapping[str, str], content: bytes) -> RestResponse:
    """Read a response from its status, headers and raw body."""
    body, items = _parse(content)
    code = body.get("code")
    return RestResponse(
        status=status,
        code=code if isinstance(code, int) else 0,
        retry_after=_retry_after(body, headers.get("Retry-After")),
        body=body,
        items=items,
        exhausted_for=_exhausted_for(headers),
    )


def is_inconclusive(response: RestResponse | None) -> bool:
    """Whether Discord may or may not have carried out the request: no response, or a 5xx."""
    return response is None or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def is_retryable(response: RestResponse | None) -> bool:
    """Whether the same request may succeed later."""
    if response is None:
        return True
    return is_inconclusive(response) or response.status == HTTPStatus.TOO_MANY_REQUESTS


def is_too_large(response: RestResponse | None) -> bool:
    """Whether Discord refused the request because of its size."""
    return response is not None and (
        response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or response.code in TOO_LARGE
    )


def _parse(content: bytes) -> tuple[JSON, Sequence[JSON]]:
    """Return the body as an object and as a list. A proxy's body is neither, so both are empty."""
    try:
        parsed: object = loads(content)
    except ValueError:
        return {}, ()
    if isinstance(parsed, list):
        return {}, cast("list[JSON]", parsed)
    return cast("JSON", parsed) if isinstance(parsed, dict) else {}, ()


def _retry_after(body: JSON, header: str | None) -> float:
    """Return the seconds to wait after a 429. A proxy may send them only in the header."""
    for value in (body.get("retry_after"), header):
        try:
            seconds = float(value or "")
        except (TypeError, ValueError, OverflowError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return DEFAULT_RETRY_AFTER_S


def _exhausted_for(headers: Mapping[str, str]) -> float:
    """Return for how many seconds the route's rate limit leaves one request or none.

    https://docs.discord.com/developers/topics/rate-limits#header-format
    """
    try:
        remaining = float(headers.get("X-RateLimit-Remaining", ""))
        seconds = float(headers.get("X-RateLimit-Reset-After", ""))
    except ValueError:
        return 0.0
    return seconds if remaining <= 1 and math.isfinite(seconds) else 0.0
