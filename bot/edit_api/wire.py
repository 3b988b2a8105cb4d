"""The edit API's request and response as plain values: no I/O.

The API documents the request's fields and a successful response (`POST /v1/images/edit`). Errors
are read by the meaning that HTTP gives to their status.
"""

import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from yarl import URL

from bot.domain.errors import (
    BusyError,
    DeclinedError,
    MisconfiguredError,
    ResultLostError,
    ServiceFailedError,
)
from bot.domain.pricing import Quality
from bot.downloads.egress import is_local_host

MODEL = "gpt-image-2"

MAX_RESPONSE_BYTES = 2**20
"""A success takes less than one KiB."""

MAX_MESSAGE = 2_000
"""Characters of the API's message that are kept."""

MAX_URL = 8_192
"""Characters; a signed URL takes about a thousand."""


@dataclass(frozen=True, slots=True)
class EditCall:
    """One paid call: `count` images in one of `pricing.RATIOS`, made from the source."""

    prompt: str = field(repr=False)
    source_url: str = field(repr=False)
    ratio: str
    quality: Quality
    count: int


class ThrottledError(BusyError):
    """The API didn't execute the call, and says in how many seconds to retry it."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"throttled for {retry_after:g} s")
        self.retry_after = retry_after


def body_around_image(call: EditCall) -> tuple[bytes, bytes]:
    """Return the request's JSON before and after the value of its `image`.

    The value must need no escaping, like a data URL in base64.
    """
    before = json.dumps({"prompt": call.prompt})
    after = json.dumps(
        {"model": MODEL, "size": call.ratio, "quality": call.quality.value, "n": call.count}
    )
    return f'{before[:-1]}, "image": "'.encode(), f'", {after[1:]}'.encode()


def body_with_url(call: EditCall) -> bytes:
    """Return the request's JSON with the source as a URL."""
    before, after = body_around_image(call)
    return before + json.dumps(call.source_url)[1:-1].encode() + after


def parse_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    count: int,
    now: datetime,
    secrets: Sequence[str] = (),
) -> tuple[str, ...]:
    """Parse a response by its status first and its body second.

    Args:
        status: the HTTP status.
        headers: names in any case.
        body: at most `MAX_RESPONSE_BYTES` of JSON.
        count: the number of requested images.
        now: for a `Retry-After` that is a date.
        secrets: the key and the source's URL, which are cut from the API's message.

    Returns:
        The results' URLs, at least one and at most `count`. The caller must check their hosts.

    Raises:
        DeclinedError: another 4xx, or a `code` other than 0.
        MisconfiguredError: 401, 402 or 403.
        ThrottledError: 429 or 503 with a `Retry-After`.
        BusyError: 429 without one.
        ServiceFailedError: any other status, or a malformed body.
        ResultLostError: a success without a usable URL.
    """
    if status in _THROTTLING:
        retry_after = parse_retry_after(_header(headers, "Retry-After"), now)
        if retry_after is not None:
            raise ThrottledError(retry_after)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise BusyError("HTTP 429")
    if status in _MISCONFIGURED:
        raise MisconfiguredError(status)
    content = _as_object(_parsed(body))
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise DeclinedError(_message(content, secrets))
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise ServiceFailedError(f"HTTP {status}")
    return _read_results(content, secrets)[:count]


def _read_results(content: Mapping[str, object], secrets: Sequence[str]) -> tuple[str, ...]:
    code = content.get("code")
    if not isinstance(code, int | float | str) or isinstance(code, bool):
        raise ServiceFailedError("a malformed response")
    if code not in _SUCCESS:
        raise DeclinedError(_message(content, secrets))
    images = _as_object(content.get("data")).get("images")
    if not isinstance(images, list):
        raise ServiceFailedError("a malformed success")
    urls = (_as_object(image).get("url") for image in cast("list[object]", images))
    usable = tuple(url for url in urls if isinstance(url, str) and _is_usable(url))
    if not usable:
        raise ResultLostError("a success without URLs")
    return usable


_SUCCESS = (0, "0")
"""A number in the docs; the string is accepted too, since the images are paid for."""

_THROTTLING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_MISCONFIGURED = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN}
)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header (RFC 9110, section 10.2.3); None if unusable.

    Fractions are accepted, since some services send them. A date in the past is 0.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return seconds if math.isfinite(seconds) else None
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # "-0000"
            date = date.replace(tzinfo=UTC)
        return max(0.0, (date - now).total_seconds())
    except (ValueError, OverflowError):
        return None


_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def needs_data_url(source_url: str, api_url: str | URL) -> bool:
    """Return whether the source is local and the API isn't, so that it can't fetch the source."""
    source, api = URL(source_url), URL(api_url)
    return is_local_host(source.raw_host or "") and not is_local_host(api.raw_host or "")


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _as_object(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _message(content: Mapping[str, object], secrets: Sequence[str]) -> str | None:
    error = content.get("error")
    for message in (content.get("message"), error, _as_object(error).get("message")):
        if isinstance(message, str):
            # NUL and lone surrogates are legal in JSON, but can't be stored or posted.
            clean = message.replace("\0", "").encode(errors="replace").decode()
            # Cut secrets before truncating, or half of one could remain.
            text = _without(secrets, _ENCODED.sub("…", clean))[:MAX_MESSAGE].strip()
            if text:
                return text
    return None


_ENCODED = re.compile(r"data:[\w/+.;=-]*,[\w+/=%-]*|[\w+/-]{40,}={0,2}", re.ASCII)
"""Data URLs, and base64 on its own: a service may quote the image that it was sent."""


def _without(secrets: Sequence[str], text: str) -> str:
    """Replace secrets, and each part of a secret URL that tells more than its host."""
    forms = {form for secret in secrets for form in _forms_of(secret)}
    if not forms:
        return text
    longest_first = map(re.escape, sorted(forms, key=len, reverse=True))
    return re.sub("|".join(longest_first), "…", text, flags=re.IGNORECASE)


def _forms_of(secret: str) -> Iterator[str]:
    url = urlsplit(secret)
    name = url.path.rpartition("/")[2]
    values = (value for _, value in parse_qsl(url.query))
    for part in (secret, url.path, name, url.query, *values):
        for form in (part, unquote(part), quote(part, safe=""), html.escape(part)):
            if len(form) >= _TELLING:
                yield form


_TELLING = 5
"""Characters from which on a part of a URL can identify it."""


def _is_usable(url: str) -> bool:
    return 0 < len(url) <= MAX_URL and url.isprintable()
