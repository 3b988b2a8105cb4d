"""Responses of Discord's REST API, and how their bodies and headers are parsed."""

import math
import re
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

MAX_RETRY_AFTER_S = 3_600.0
"""Discord never asks for more. A proxy's mistake mustn't keep the bot silent until a restart."""


@dataclass(frozen=True, slots=True)
class RestResponse:
    """One response of the REST API."""

    status: int
    code: int
    """Discord's own error code; 0 if there is none."""
    retry_after: float
    """Seconds that a 429 asks to wait."""
    body: JSON
    items: Sequence[JSON] | None = None
    """The body, if it is a list of objects."""
    exhausted_for: float = 0.0
    """Seconds during which this route takes at most one more request."""
    repeated: bool = False
    """Whether an earlier attempt failed but may have been carried out anyway."""

    @property
    def ok(self) -> bool:
        """Whether Discord carried out the request."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def id(self) -> int | None:
        """The id of the returned object; None if the body isn't an object with one."""
        return read_snowflake(self.body.get("id"))


def read_snowflake(value: object) -> int | None:
    """Read an id as Discord sends it; None for anything else.

    https://docs.discord.com/developers/reference#snowflakes
    """
    if not isinstance(value, str) or not _SNOWFLAKE.fullmatch(value):
        return None
    snowflake = int(value)
    return snowflake if snowflake < 2**63 else None


_SNOWFLAKE = re.compile("[0-9]{1,19}")


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


def _parse(content: bytes) -> tuple[JSON, Sequence[JSON] | None]:
    """Return the body as an object and as a list of objects. A proxy's body may be neither."""
    try:
        parsed: object = loads(content)
    except (ValueError, RecursionError):
        return {}, None
    if isinstance(parsed, list):
        items = cast("list[object]", parsed)
        if all(isinstance(item, dict) for item in items):
            return {}, cast("list[JSON]", items)
    return cast("JSON", parsed) if isinstance(parsed, dict) else {}, None


def _retry_after(body: JSON, header: str | None) -> float:
    """Return the seconds to wait after a 429. A proxy may send them only in the header."""
    for value in (body.get("retry_after"), header):
        try:
            seconds = float(value or "")
        except (TypeError, ValueError, OverflowError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, MAX_RETRY_AFTER_S)
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
    is_exhausted = remaining <= 1 and math.isfinite(seconds)
    return min(seconds, MAX_RETRY_AFTER_S) if is_exhausted else 0.0
