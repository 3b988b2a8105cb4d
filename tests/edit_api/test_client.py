"""The paid call is made at most once."""

import asyncio
import contextlib
import gzip
import html
import json
import socket
import traceback
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from bot.domain.errors import (
    BusyError,
    DeclinedError,
    MisconfiguredError,
    ServiceFailedError,
    UnreachableError,
)
from bot.downloads.connections import Timeouts
from bot.edit_api.wire import MAX_MESSAGE, MAX_RESPONSE_BYTES, body_with_url
from tests.edit_clients import CALL, KEY, SHORT_TIMEOUTS, Names, connected, fault_of, peak_memory
from tests.http_server import (
    Play,
    bomb,
    dripping,
    endless,
    images,
    raw,
    reply,
    serving,
    silence,
    success,
    throttled,
    unused_address,
)

# Requests and responses.


async def test_the_call_is_as_documented(tmp_path: Path):
    async with serving(success("https://r/1")) as api, connected(api.url) as clients:
        assert await clients.edits.edit(CALL, workspace=tmp_path) == ("https://r/1",)

    [request] = api.requests
    assert request.line == "POST /v1/images/edit HTTP/1.1"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.body == body_with_url(CALL)


async def test_the_path_is_appended_to_the_api_url(tmp_path: Path):
    async with serving(success("a")) as api, connected(f"{api.url}/below/") as clients:
        await clients.edits.edit(CALL, workspace=tmp_path)
    assert api.requests[0].line == "POST /below/v1/images/edit HTTP/1.1"


async def test_the_connection_is_reused(tmp_path: Path):
    async with serving(success("a")) as api, connected(api.url) as clients:
        await clients.edits.edit(CALL, workspace=tmp_path)
        await clients.edits.edit(CALL, workspace=tmp_path)
    assert (api.connections, len(api.requests)) == (1, 2)


async def test_a_compressed_response_is_read(tmp_path: Path):
    body = gzip.compress(json.dumps(images("a")).encode())
    answer = reply(200, body, {"Content-Encoding": "gzip"})
    async with serving(answer) as api, connected(api.url) as clients:
        assert await clients.edits.edit(CALL, workspace=tmp_path) == ("a",)


async def test_a_decompression_bomb_is_cut_off_at_the_limit(tmp_path: Path):
    answer = reply(200, bomb(200 * 2**20), {"Content-Encoding": "gzip"})
    async with serving(answer) as api, connected(api.url) as clients:
        with peak_memory() as peak, pytest.raises(ServiceFailedError):
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert peak() < 8 * 2**20


async def test_an_endless_response_is_cut_off_at_the_limit(tmp_path: Path):
    async with serving(endless(b" ")) as api, connected(api.url) as clients:
        with pytest.raises(ServiceFailedError):
            await clients.edits.edit(CALL, workspace=tmp_path)
        await api.hung_up.wait()


@pytest.mark.parametrize("excess", [0, 1])
async def test_a_response_may_have_one_mebibyte_at_most(tmp_path: Path, excess: int):
    body = json.dumps(images("a")).encode().rjust(MAX_RESPONSE_BYTES + excess)
    async with serving(reply(200, body)) as api, connected(api.url) as clients:
        if excess:
            with pytest.raises(ServiceFailedError):
                await clients.edits.edit(CALL, workspace=tmp_path)
        else:
            assert await clients.edits.edit(CALL, workspace=tmp_path) == ("a",)


async def test_a_cookie_is_not_sent_back(tmp_path: Path):
    body = json.dumps(images("a")).encode()
    async with serving(reply(200, body, {"Set-Cookie": "who=ada; Path=/"})) as api:
        # By name, since aiohttp's cookie jar ignores bare IP addresses.
        url = f"http://api.example.com:{api.address[1]}"
        async with connected(url, resolver=Names(api.address)) as clients:
            await clients.edits.edit(CALL, workspace=tmp_path)
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 2
    assert "Cookie" not in api.requests[1].headers


async def test_a_rejected_key_needs_no_readable_body(tmp_path: Path):
    answer = raw(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 50\r\n\r\n{", cut=True)
    async with serving(answer) as api, connected(api.url) as clients:
        with pytest.raises(MisconfiguredError):
            await clients.edits.edit(CALL, workspace=tmp_path)


# Calls that may have been executed are never retried.


CUT_IN_BODY = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"code": 0'


def lying(length: str) -> Play:
    """A success with a wrong `Content-Length`."""
    body = json.dumps(images("a")).encode()
    return raw(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body, cut=True)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(b"", cut=True), id="cut at once"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nConte", cut=True), id="cut in the headers"),
        pytest.param(raw(CUT_IN_BODY, cut=True), id="cut in the body"),
        pytest.param(reply(500, b""), id="500"),
        pytest.param(reply(502, b"<html>"), id="502"),
        pytest.param(reply(503, b""), id="503 without a time"),
        pytest.param(reply(200, b"<html>"), id="no JSON"),
        pytest.param(reply(200, b"[]"), id="another shape"),
        pytest.param(lying("5"), id="length too small"),
        pytest.param(lying("-1"), id="negative length"),
        pytest.param(lying("1e3"), id="length in exponents"),
        pytest.param(lying("5, 99"), id="two lengths"),
        pytest.param(lying(""), id="empty length"),
    ],
)
async def test_a_cut_or_meaningless_response_ends_the_edit(tmp_path: Path, answer: Play):
    async with serving(answer) as api, connected(api.url) as clients:
        with pytest.raises(ServiceFailedError):
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_reused_connection_that_is_cut_ends_the_edit(tmp_path: Path):
    async with serving(success("a"), raw(b"", cut=True)) as api, connected(api.url) as clients:
        await clients.edits.edit(CALL, workspace=tmp_path)
        with pytest.raises(ServiceFailedError):
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert (api.connections, len(api.requests)) == (1, 2)


async def test_a_call_that_times_out_ends_the_edit(tmp_path: Path):
    async with serving(silence) as api, connected(api.url, timeout=0.5) as clients:
        async with asyncio.timeout(10):
            with pytest.raises(ServiceFailedError):
                await clients.edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_dripping_response_does_not_extend_the_timeout(tmp_path: Path):
    async with (
        serving(dripping(b"HTTP/1.1 200 OK\r\n\r\n")) as api,
        connected(api.url, timeout=0.5) as clients,
    ):
        async with asyncio.timeout(10):
            with pytest.raises(ServiceFailedError):
                await clients.edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_declined_call_ends_the_edit(tmp_path: Path):
    async with serving(reply(400, b'{"message": "no"}')) as api, connected(api.url) as clients:
        with pytest.raises(DeclinedError) as refusal:
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert refusal.value.message == "no"
    assert len(api.requests) == 1


async def test_a_key_that_the_api_quotes_is_redacted(tmp_path: Path):
    answer = json.dumps({"message": f"no such key: {KEY}"}).encode()
    async with serving(reply(400, answer)) as api, connected(api.url) as clients:
        fault = await fault_of(clients.edits.edit(CALL, workspace=tmp_path))
    assert isinstance(fault, DeclinedError)
    assert fault.message == "no such key: …"
    assert KEY not in "".join(traceback.format_exception(fault))


def quotations(address: str) -> list[str]:
    """Return the forms in which a service may quote a URL."""
    scheme, _, rest = address.partition("://")
    return [
        address,
        f"<{rest}>",
        f"{scheme.upper()}://{rest}",
        quote(address, safe=""),
        html.escape(address),
        rest.partition("?")[0],
        rest.rpartition("/")[2],
        f"File {unquote(rest.partition('?')[0].rpartition('/')[2])} is too large",
        f"Bad signature {address.rpartition('hm=')[2]}",
        "x" * (MAX_MESSAGE - 20) + address,
    ]


SIGNED = (
    "https://cdn.discordapp.com/ephemeral-attachments/1/2/my%20cat.png?ex=6a&hm=0123456789abcdef"
)


@pytest.mark.parametrize("said", quotations(SIGNED))
async def test_a_source_url_that_the_api_quotes_is_redacted(tmp_path: Path, said: str):
    answer = json.dumps({"message": f"cannot read {said}"}).encode()
    async with serving(reply(400, answer)) as api, connected(api.url) as clients:
        with pytest.raises(DeclinedError) as refusal:
            await clients.edits.edit(replace(CALL, source_url=SIGNED), workspace=tmp_path)
    assert refusal.value.message is not None
    message = unquote(refusal.value.message.casefold())
    assert "cannot read" in message
    assert not any(part in message for part in ("my cat", "0123456789", "hm=", "attachments/1/2/m"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_call_does_not_follow_redirects(tmp_path: Path, status: int):
    async with serving(success("a")) as other:
        answer = reply(status, b"", {"Location": f"{other.url}/v1/images/edit"})
        async with serving(answer) as api, connected(api.url) as clients:
            with pytest.raises(ServiceFailedError):
                await clients.edits.edit(CALL, workspace=tmp_path)
    assert (len(api.requests), other.connections) == (1, 0)


# Calls that surely weren't executed are retried a few times.


async def test_a_throttled_call_is_retried_when_the_api_says(tmp_path: Path):
    answers = throttled(429, "7"), throttled(503, "Sun, 01 Jun 2025 12:00:09 GMT"), success("a")
    async with serving(*answers) as api, connected(api.url) as clients:
        assert await clients.edits.edit(CALL, workspace=tmp_path) == ("a",)
        assert clients.clock.slept == [7, 9]
    assert [request.body for request in api.requests] == [body_with_url(CALL)] * 3


async def test_a_throttled_call_is_made_three_times_at_most(tmp_path: Path):
    async with serving(throttled(429, "1")) as api, connected(api.url) as clients:
        with pytest.raises(BusyError):
            await clients.edits.edit(CALL, workspace=tmp_path)
        assert clients.clock.slept == [1, 1]
    assert len(api.requests) == 3


async def test_a_retry_after_that_is_too_long_is_not_waited_for(tmp_path: Path):
    async with serving(throttled(503, "61")) as api, connected(api.url) as clients:
        with pytest.raises(BusyError):
            await clients.edits.edit(CALL, workspace=tmp_path)
        assert clients.clock.slept == []
    assert len(api.requests) == 1


async def test_the_waits_of_one_edit_add_up(tmp_path: Path):
    async with serving(throttled(429, "40")) as api, connected(api.url) as clients:
        with pytest.raises(BusyError):
            await clients.edits.edit(CALL, workspace=tmp_path)
        assert clients.clock.slept == [40]
    assert len(api.requests) == 2


async def test_a_429_without_a_retry_after_is_not_retried(tmp_path: Path):
    async with serving(reply(429, b"")) as api, connected(api.url) as clients:
        with pytest.raises(BusyError):
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_refused_connection_is_tried_three_times(tmp_path: Path):
    async with connected(unused_address()) as clients:
        with pytest.raises(UnreachableError):
            await clients.edits.edit(CALL, workspace=tmp_path)
        assert clients.clock.slept == [0.5, 1]


async def test_a_call_succeeds_once_the_api_is_up(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with (
        contextlib.AsyncExitStack() as later,
        connected(f"http://127.0.0.1:{port}") as clients,
    ):

        async def start(seconds: float) -> None:
            if seconds == 1:
                await later.enter_async_context(serving(success("a"), port=port))

        clients.clock.meanwhile = start
        assert await clients.edits.edit(CALL, workspace=tmp_path) == ("a",)


async def test_an_unknown_host_is_looked_up_three_times(tmp_path: Path):
    names = Names()
    async with connected("http://api.example.com", resolver=names) as clients:
        with pytest.raises(UnreachableError):
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert names.asked == ["api.example.com"] * 3


async def test_a_hanging_dns_lookup_counts_as_unreachable(tmp_path: Path):
    names = Names(hangs=True)
    async with connected(
        "http://api.example.com", resolver=names, timeouts=SHORT_TIMEOUTS
    ) as clients:
        with pytest.raises(UnreachableError):
            await clients.edits.edit(CALL, workspace=tmp_path)


@pytest.mark.parametrize(
    ("timeout", "timeouts"),
    [
        pytest.param(60, SHORT_TIMEOUTS, id="in the time for connecting"),
        pytest.param(0.5, Timeouts(), id="in the call's whole time"),
    ],
)
async def test_a_hanging_handshake_counts_as_unreachable(
    tmp_path: Path, timeout: float, timeouts: Timeouts
):
    async with serving(silence) as api:
        address = api.url.replace("http:", "https:")
        async with connected(address, timeout=timeout, timeouts=timeouts) as clients:
            with pytest.raises(UnreachableError):
                await clients.edits.edit(CALL, workspace=tmp_path)
    assert api.connections == 3


async def test_a_server_with_an_untrusted_certificate_gets_nothing(tmp_path: Path):
    async with (
        serving(success("a"), tls=True) as api,
        connected(api.url.replace("http:", "https:")) as clients,
    ):
        with pytest.raises(UnreachableError):
            await clients.edits.edit(CALL, workspace=tmp_path)
    assert api.requests == []
