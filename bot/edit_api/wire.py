"""The edit API's request and response as plain values: no I/O.

Strict in what is sent, lenient in what is read. The API's page publishes the request's fields and
the answer to a success (`POST /v1/images/edit`); errors are read as HTTP defines their statuses.
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

MAX_ANSWER_BYTES = 2**20
"""Bytes of an answer that are read, at most: 1 MiB, where a success takes less than one KiB."""

MAX_MESSAGE = 2_000
"""Characters that are kept of what the API says."""

MAX_ADDRESS = 8_192
"""Characters of a result's address, at most; signed ones take about a thousand."""


@dataclass(frozen=True, slots=True)
class EditCall:
    """One paid call: `count` pictures of one of `pricing.RATIOS`, made from the source at a URL."""

    prompt: str = field(repr=False)
    source_url: str = field(repr=False)
    ratio: str
    quality: Quality
    count: int


class ThrottledError(BusyError):
    """The API did not execute the call, and says in how many seconds it may be made again."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"turned away for {retry_after:g} s")
        self.retry_after = retry_after


def body_around_image(call: EditCall) -> tuple[bytes, bytes]:
    """The request's JSON before and after the text of its `image`.

    What is put between must need no escaping in JSON: base64, or a data URL of it.
    """
    before = json.dumps({"prompt": call.prompt})
    after = json.dumps(
        {"model": MODEL, "size": call.ratio, "quality": call.quality.value, "n": call.count}
    )
    return f'{before[:-1]}, "image": "'.encode(), f'", {after[1:]}'.encode()


def body_with_url(call: EditCall) -> bytes:
    """The request's JSON with the source as its URL."""
    before, after = body_around_image(call)
    return before + json.dumps(call.source_url)[1:-1].encode() + after


def parse_answer(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    count: int,
    now: datetime,
    secrets: Sequence[str] = (),
) -> tuple[str, ...]:
    """Read an answer: the status decides, and only then the body.

    Args:
        status: the HTTP status.
        headers: the answer's headers; names in any case.
        body: at most `MAX_ANSWER_BYTES` of JSON.
        count: how many pictures were asked for.
        now: for a `Retry-After` that is a date.
        secrets: the key and the source's address, which no quoted message may contain.

    Returns:
        The results' addresses, at least one and at most `count`; none was judged.

    Raises:
        Declined: the API refused this edit, with another 4xx or a `code` that is not 0.
        Misconfigured: HTTP 401, 402 or 403.
        Throttled: 429 or 503 that says when to come again.
        Busy: 429 that does not.
        ServiceFailed: any other status, no JSON, or JSON of another shape.
        ResultLost: a success without a single usable address.
    """
    if status in _TURNED_AWAY:
        retry_after = parse_retry_after(_header(headers, "Retry-After"), now)
        if retry_after is not None:
            raise ThrottledError(retry_after)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise BusyError("HTTP 429")
    if status in _OPERATORS:
        raise MisconfiguredError(status)
    answer = _as_object(_parsed(body))
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise DeclinedError(_message(answer, secrets))
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise ServiceFailedError(f"HTTP {status}")
    return _read_results(answer, secrets)[:count]


def _read_results(answer: Mapping[str, object], secrets: Sequence[str]) -> tuple[str, ...]:
    code = answer.get("code")
    if not isinstance(code, int | float | str) or isinstance(code, bool):
        raise ServiceFailedError("an answer of another shape")
    if code not in _SUCCESS:
        raise DeclinedError(_message(answer, secrets))
    images = _as_object(answer.get("data")).get("images")
    if not isinstance(images, list):
        raise ServiceFailedError("a success of another shape")
    urls = (_as_object(image).get("url") for image in cast("list[object]", images))
    addresses = tuple(url for url in urls if isinstance(url, str) and _is_usable(url))
    if not addresses:
        raise ResultLostError("an answer without addresses")
    return addresses


_SUCCESS = (0, "0")
"""The page shows the number; a text is read as well, for pictures that were paid for."""

_TURNED_AWAY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_OPERATORS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN})


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header (RFC 9110, section 10.2.3); None if unusable.

    Fractions are taken as well, which the standard does not have and some services send. A date
    that has passed is 0.
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
    """Whether the API could not reach the source: it is local, and the API is not."""
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


def _message(answer: Mapping[str, object], secrets: Sequence[str]) -> str | None:
    error = answer.get("error")
    for said in (answer.get("message"), error, _as_object(error).get("message")):
        if isinstance(said, str):
            # NUL and halves of surrogate pairs are legal in JSON, and cannot be stored or posted
            clean = said.replace("\0", "").encode(errors="replace").decode()
            # Cut secrets first: half of one is none that would be found.
            text = _without(secrets, clean)[:MAX_MESSAGE].strip()
            if text:
                return text
    return None


def _without(secrets: Sequence[str], text: str) -> str:
    """Replace secrets, and every part of a secret address that tells more than its host."""
    forms = {form for secret in secrets for form in _forms_of(secret)}
    if not forms:
        return text
    longest_first = map(re.escape, sorted(forms, key=len, reverse=True))
    return re.sub("|".join(longest_first), "…", text, flags=re.IGNORECASE)


def _forms_of(secret: str) -> Iterator[str]:
    address = urlsplit(secret)
    name = address.path.rpartition("/")[2]
    values = (value for _, value in parse_qsl(address.query))
    for part in (secret, address.path, name, address.query, *values):
        for form in (part, unquote(part), quote(part, safe=""), html.escape(part)):
            if len(form) >= _TELLING:
                yield form


_TELLING = 5
"""Characters from which on a part of an address tells which it is."""


def _is_usable(url: str) -> bool:
    return 0 < len(url) <= MAX_ADDRESS and url.isprintable()
