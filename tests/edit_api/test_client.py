"""The paid call is made once or surely not at all; results come from where they may."""

import asyncio
import base64
import contextlib
import gzip
import html
import io
import json
import socket
import ssl
import struct
import traceback
import tracemalloc
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from PIL import Image

from bot.domain.errors import (
    BusyError,
    DeclinedError,
    EditError,
    MisconfiguredError,
    NotAnImageError,
    ResultLostError,
    ServiceFailedError,
    SourceUnreadableError,
    TooLargeError,
    TooManyPixelsError,
    UnreachableError,
)
from bot.domain.images import (
    EVERYWHERE,
    MAX_RESULT_BYTES,
    MAX_SENT_BYTES,
    MAX_SOURCE_BYTES,
    Format,
    ImageInfo,
    Source,
)
from bot.domain.pricing import Quality
from bot.edit_api.client import LAST_BYTES, PROBED_BYTES, EditClient, Patience
from bot.edit_api.wire import MAX_ANSWER_BYTES, MAX_MESSAGE, EditCall, body_with_url
from tests.store_faults import on_linux

KEY = "key-that-nobody-may-see"
CALL = EditCall("make it blue", "https://cdn.example.com/a.png", "1:1", Quality.LOW, 2)
PATIENT = Patience()
IMPATIENT = Patience(connect=0.5, silence=0.05, picture=0.3)
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


# What is sent, and to whom.


async def test_the_call_is_what_the_apis_page_says(tmp_path: Path):
    async with serving(success("https://r/1")) as api, client(api.url) as edits:
        assert await edits.edit(CALL, workspace=tmp_path) == ("https://r/1",)

    [request] = api.requests
    assert request.line == "POST /v1/images/edit HTTP/1.1"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.body == body_with_url(CALL)


async def test_the_path_is_added_to_the_apis_address(tmp_path: Path):
    async with serving(success("a")) as api, client(f"{api.url}/below/") as edits:
        await edits.edit(CALL, workspace=tmp_path)
    assert api.requests[0].line == "POST /below/v1/images/edit HTTP/1.1"


async def test_the_connection_is_kept_for_the_next_call(tmp_path: Path):
    async with serving(success("a")) as api, client(api.url) as edits:
        await edits.edit(CALL, workspace=tmp_path)
        await edits.edit(CALL, workspace=tmp_path)
    assert (api.connections, len(api.requests)) == (1, 2)


async def test_a_compressed_answer_is_read_all_the_same(tmp_path: Path):
    body = gzip.compress(json.dumps(images("a")).encode())
    answer = reply(200, body, {"Content-Encoding": "gzip"})
    async with serving(answer) as api, client(api.url) as edits:
        assert await edits.edit(CALL, workspace=tmp_path) == ("a",)


async def test_an_answer_that_is_a_bomb_is_cut_at_its_limit(tmp_path: Path):
    answer = reply(200, bomb(200 * 2**20), {"Content-Encoding": "gzip"})
    async with serving(answer) as api, client(api.url) as edits:
        with peak_memory() as peak, pytest.raises(ServiceFailedError):
            await edits.edit(CALL, workspace=tmp_path)
    assert peak() < 8 * 2**20


async def test_an_endless_answer_is_cut_at_its_limit(tmp_path: Path):
    async with serving(endless(b" ")) as api, client(api.url) as edits:
        with pytest.raises(ServiceFailedError):
            await edits.edit(CALL, workspace=tmp_path)
        await api.hung_up.wait()


@pytest.mark.parametrize("excess", [0, 1])
async def test_an_answer_may_have_a_mebibyte_and_not_a_byte_more(tmp_path: Path, excess: int):
    body = json.dumps(images("a")).encode().rjust(MAX_ANSWER_BYTES + excess)
    async with serving(reply(200, body)) as api, client(api.url) as edits:
        if excess:
            with pytest.raises(ServiceFailedError):
                await edits.edit(CALL, workspace=tmp_path)
        else:
            assert await edits.edit(CALL, workspace=tmp_path) == ("a",)


async def test_a_cookie_is_not_sent_back(tmp_path: Path):
    body = json.dumps(images("a")).encode()
    async with serving(reply(200, body, {"Set-Cookie": "who=ada; Path=/"})) as api:
        # By name: aiohttp's own jar keeps no cookies for bare IP addresses.
        url = f"http://api.example.com:{api.address[1]}"
        async with client(url, resolver=Names(api.address)) as edits:
            await edits.edit(CALL, workspace=tmp_path)
            await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 2
    assert "Cookie" not in api.requests[1].headers


async def test_a_refusal_needs_no_body_that_can_be_read(tmp_path: Path):
    answer = raw(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 50\r\n\r\n{", cut=True)
    async with serving(answer) as api, client(api.url) as edits:
        with pytest.raises(MisconfiguredError):
            await edits.edit(CALL, workspace=tmp_path)


# What may have been executed is never sent again.


@pytest.mark.parametrize("cut_at", ["at once", "in the headers", "in the body"])
async def test_a_cut_connection_ends_the_edit(tmp_path: Path, cut_at: str):
    sent = {
        "at once": b"",
        "in the headers": b"HTTP/1.1 200 OK\r\nConte",
        "in the body": b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"code": 0',
    }[cut_at]
    async with serving(raw(sent, cut=True)) as api, client(api.url) as edits:
        with pytest.raises(ServiceFailedError):
            await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_kept_connection_that_is_cut_in_its_second_call_ends_the_edit(tmp_path: Path):
    async with serving(success("a"), raw(b"", cut=True)) as api, client(api.url) as edits:
        await edits.edit(CALL, workspace=tmp_path)
        with pytest.raises(ServiceFailedError):
            await edits.edit(CALL, workspace=tmp_path)
    assert (api.connections, len(api.requests)) == (1, 2)


async def test_a_call_without_an_answer_in_time_ends_the_edit(tmp_path: Path):
    async with serving(silence) as api, client(api.url, timeout=0.5) as edits:
        async with asyncio.timeout(10):
            with pytest.raises(ServiceFailedError):
                await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_an_answer_that_drips_does_not_gain_time(tmp_path: Path):
    async with (
        serving(dripping(b"HTTP/1.1 200 OK\r\n\r\n")) as api,
        client(api.url, timeout=0.5) as edits,
    ):
        async with asyncio.timeout(10):
            with pytest.raises(ServiceFailedError):
                await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((500, b""), id="500"),
        pytest.param((502, b"<html>"), id="502"),
        pytest.param((503, b""), id="503 without a time"),
        pytest.param((200, b"<html>"), id="no JSON"),
        pytest.param((200, b"[]"), id="another shape"),
    ],
)
async def test_an_answer_that_says_nothing_ends_the_edit(tmp_path: Path, answer: tuple[int, bytes]):
    async with serving(reply(*answer)) as api, client(api.url) as edits:
        with pytest.raises(ServiceFailedError):
            await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


@pytest.mark.parametrize("line", [b"X: y\r\n", b"X" * 64], ids=["too many", "too long"])
@pytest.mark.parametrize("asked_for", ["edit", "header", "source", "end", "result"])
async def test_a_flood_of_headers_is_cut_whatever_was_asked_for(
    tmp_path: Path, line: bytes, asked_for: str
):
    flood = b"HTTP/1.1 200 OK\r\n" + line * (64 * 2**20 // len(line))
    async with serving(raw(flood)) as api, client(api.url, timeout=5) as edits:
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "edit": lambda: edits.edit(CALL, workspace=tmp_path),
            "header": lambda: edits.probe_source(api.url),
            "source": lambda: edits.fetch_source(api.url, tmp_path / "1"),
            "result": lambda: edits.download(api.url, tmp_path / "1"),
        }
        with peak_memory() as peak:
            if asked_for == "end":
                source = Source(ImageInfo(Format.PNG, 64, 48), 1000)
                assert await edits.has_end(api.url, source)
            else:
                fault = await fault_of(asked[asked_for]())
                assert isinstance(
                    fault, ServiceFailedError | SourceUnreadableError | ResultLostError
                )
        await api.hung_up.wait()
    assert peak() < 4 * 2**20
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("length", ["5", "-1", "1e3", "5, 99", ""])
async def test_an_answer_whose_length_is_a_lie_ends_the_edit(tmp_path: Path, length: str):
    body = json.dumps(images("a")).encode()
    lie = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body
    async with serving(raw(lie, cut=True)) as api, client(api.url) as edits:
        with pytest.raises(ServiceFailedError):
            await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_declined_call_ends_the_edit(tmp_path: Path):
    async with serving(reply(400, b'{"message": "no"}')) as api, client(api.url) as edits:
        with pytest.raises(DeclinedError) as refusal:
            await edits.edit(CALL, workspace=tmp_path)
    assert refusal.value.message == "no"
    assert len(api.requests) == 1


async def test_a_key_that_the_api_quotes_is_not_passed_on(tmp_path: Path):
    answer = json.dumps({"message": f"no such key: {KEY}"}).encode()
    async with serving(reply(400, answer)) as api, client(api.url) as edits:
        fault = await fault_of(edits.edit(CALL, workspace=tmp_path))
    assert isinstance(fault, DeclinedError)
    assert fault.message == "no such key: …"
    assert KEY not in "".join(traceback.format_exception(fault))


def ways_to_quote(address: str) -> list[str]:
    """An address as a service may write it into a text."""
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


@pytest.mark.parametrize("said", ways_to_quote(SIGNED))
async def test_a_source_that_the_api_quotes_in_any_way_is_not_passed_on(tmp_path: Path, said: str):
    answer = json.dumps({"message": f"cannot read {said}"}).encode()
    async with serving(reply(400, answer)) as api, client(api.url) as edits:
        with pytest.raises(DeclinedError) as refusal:
            await edits.edit(replace(CALL, source_url=SIGNED), workspace=tmp_path)
    assert refusal.value.message is not None
    told = unquote(refusal.value.message.casefold())
    assert "cannot read" in told
    assert not any(part in told for part in ("my cat", "0123456789", "hm=", "attachments/1/2/m"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_call_is_not_sent_on_to_where_it_is_redirected(tmp_path: Path, status: int):
    async with serving(success("a")) as other:
        answer = reply(status, b"", {"Location": f"{other.url}/v1/images/edit"})
        async with serving(answer) as api, client(api.url) as edits:
            with pytest.raises(ServiceFailedError):
                await edits.edit(CALL, workspace=tmp_path)
    assert (len(api.requests), other.connections) == (1, 0)


# What was surely not executed is sent again, a few times.


async def test_a_throttled_call_is_made_again_when_the_api_says(tmp_path: Path):
    answers = throttled(429, "7"), throttled(503, "Sun, 01 Jun 2025 12:00:09 GMT"), success("a")
    async with serving(*answers) as api, client(api.url) as edits:
        assert await edits.edit(CALL, workspace=tmp_path) == ("a",)
        assert edits.clock.slept == [7, 9]
    assert [request.body for request in api.requests] == [body_with_url(CALL)] * 3


async def test_three_throttled_calls_are_enough(tmp_path: Path):
    async with serving(throttled(429, "1")) as api, client(api.url) as edits:
        with pytest.raises(BusyError):
            await edits.edit(CALL, workspace=tmp_path)
        assert edits.clock.slept == [1, 1]
    assert len(api.requests) == 3


async def test_a_wait_that_would_take_too_long_is_not_begun(tmp_path: Path):
    async with serving(throttled(503, "61")) as api, client(api.url) as edits:
        with pytest.raises(BusyError):
            await edits.edit(CALL, workspace=tmp_path)
        assert edits.clock.slept == []
    assert len(api.requests) == 1


async def test_the_waits_of_one_edit_are_counted_together(tmp_path: Path):
    async with serving(throttled(429, "40")) as api, client(api.url) as edits:
        with pytest.raises(BusyError):
            await edits.edit(CALL, workspace=tmp_path)
        assert edits.clock.slept == [40]
    assert len(api.requests) == 2


async def test_too_many_requests_without_a_time_is_not_waited_for(tmp_path: Path):
    async with serving(reply(429, b"")) as api, client(api.url) as edits:
        with pytest.raises(BusyError):
            await edits.edit(CALL, workspace=tmp_path)
    assert len(api.requests) == 1


async def test_a_call_that_finds_no_connection_is_made_three_times(tmp_path: Path):
    async with client(unused_address()) as edits:
        with pytest.raises(UnreachableError):
            await edits.edit(CALL, workspace=tmp_path)
        assert edits.clock.slept == [0.5, 1]


async def test_a_call_gets_through_once_the_api_is_there(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with (
        contextlib.AsyncExitStack() as later,
        client(f"http://127.0.0.1:{port}") as edits,
    ):

        async def start(seconds: float) -> None:
            if seconds == 1:
                await later.enter_async_context(serving(success("a"), port=port))

        edits.clock.meanwhile = start
        assert await edits.edit(CALL, workspace=tmp_path) == ("a",)


async def test_a_name_without_an_address_is_looked_up_three_times(tmp_path: Path):
    names = Names()
    async with client("http://api.example.com", resolver=names) as edits:
        with pytest.raises(UnreachableError):
            await edits.edit(CALL, workspace=tmp_path)
    assert names.asked == ["api.example.com"] * 3


async def test_a_look_up_without_an_answer_is_no_connection(tmp_path: Path):
    names = Names(hangs=True)
    async with client("http://api.example.com", resolver=names, patience=IMPATIENT) as edits:
        with pytest.raises(UnreachableError):
            await edits.edit(CALL, workspace=tmp_path)


@pytest.mark.parametrize(
    ("timeout", "patience"),
    [
        pytest.param(60, IMPATIENT, id="in the time for connecting"),
        pytest.param(0.5, Patience(), id="in the call's whole time"),
    ],
)
async def test_a_handshake_that_does_not_end_is_no_connection(
    tmp_path: Path, timeout: float, patience: Patience
):
    async with serving(silence) as api:
        address = api.url.replace("http:", "https:")
        async with client(address, timeout=timeout, patience=patience) as edits:
            with pytest.raises(UnreachableError):
                await edits.edit(CALL, workspace=tmp_path)
    assert api.connections == 3


async def test_a_server_without_a_trusted_certificate_gets_nothing(tmp_path: Path):
    async with (
        serving(success("a"), tls=True) as api,
        client(api.url.replace("http:", "https:")) as edits,
    ):
        with pytest.raises(UnreachableError):
            await edits.edit(CALL, workspace=tmp_path)
    assert api.requests == []


# A source is read as far as it must be, and sent as data where the API cannot fetch it.


async def test_a_probe_reads_no_more_than_the_header():
    start = head(content_length=MAX_SOURCE_BYTES) + picture(Format.JPEG)[:1000]
    async with serving(raw(start)) as cdn, client() as edits:
        probed = await edits.probe_source(f"{cdn.url}/a.jpg")
        assert probed == Source(ImageInfo(Format.JPEG, 64, 48), MAX_SOURCE_BYTES)
        await cdn.hung_up.wait()
    assert "Authorization" not in cdn.requests[0].headers


async def test_a_signed_address_is_asked_for_as_it_is():
    async with serving(reply(200, picture(Format.PNG))) as cdn, client() as edits:
        await edits.probe_source(f"{cdn.url}/a%2Fb.png?is=%2F&hm=a%2Bb")
    assert cdn.requests[0].line == "GET /a%2Fb.png?is=%2F&hm=a%2Bb HTTP/1.1"


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
async def test_a_source_that_is_refused_is_not_asked_for_again(status: int):
    answer = reply(status, picture(Format.PNG), {"Location": "/elsewhere"})
    async with serving(answer) as cdn, client() as edits:
        with pytest.raises(SourceUnreadableError):
            await edits.probe_source(cdn.url)
    assert len(cdn.requests) == 1


async def test_a_source_is_asked_for_again_where_that_may_help():
    cut = raw(head(content_length=1000) + picture(Format.PNG)[:20], cut=True)
    answers = reply(500, b""), cut, reply(200, picture(Format.PNG))
    async with serving(*answers) as cdn, client() as edits:
        probed = await edits.probe_source(cdn.url)
        assert probed == Source(ImageInfo(Format.PNG, 64, 48), len(picture(Format.PNG)))
        assert edits.clock.slept == [0.5, 1]


async def test_a_source_whose_header_is_far_is_not_read_to_it():
    far = b"II*\0" + struct.pack("<I", 2 * PROBED_BYTES) + bytes(3 * PROBED_BYTES)
    async with serving(raw(head(content_length=len(far)) + far)) as cdn, client() as edits:
        assert await edits.probe_source(cdn.url) is None


async def test_a_source_of_unknown_size_is_not_known_by_its_header():
    file = picture(Format.PNG)
    answer = raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + file, cut=True)
    async with serving(answer) as cdn, client() as edits:
        assert await edits.probe_source(cdn.url) is None


@pytest.mark.parametrize(
    ("status", "last", "has_end"),
    [
        (206, b"..\xff\xd9", True),
        (206, b"..\xff\xd9" + bytes(50_000), True),
        (206, b"..", False),
        (200, b"..\xff\xd9", False),
        (416, b"..", True),
        (500, b"..", True),
    ],
)
async def test_the_end_of_a_source_is_looked_for_in_its_last_bytes(
    status: int, last: bytes, *, has_end: bool
):
    source = Source(ImageInfo(Format.JPEG, 64, 48), 100_000)
    async with serving(reply(status, last)) as cdn, client() as edits:
        assert await edits.has_end(cdn.url, source) is has_end
    assert cdn.requests[0].headers["Range"] == f"bytes={100_000 - LAST_BYTES}-"


@pytest.mark.parametrize(("follow", "has_end"), [(0, True), (-1, True), (1, False)])
async def test_a_webp_is_as_long_as_it_says(follow: int, *, has_end: bool):
    file = bytearray(picture(Format.WEBP))
    file[4:8] = struct.pack("<I", len(file) - 8 + follow)
    async with serving(reply(200, bytes(file))) as cdn, client() as edits:
        source = await edits.probe_source(cdn.url)
        assert (source is not None) is has_end
        assert source is None or await edits.has_end(cdn.url, source)
    assert len(cdn.requests) == 1


async def test_a_source_whose_last_bytes_do_not_come_is_taken_to_have_its_end():
    source = Source(ImageInfo(Format.JPEG, 64, 48), 100_000)
    async with serving(silence) as cdn, client(patience=Patience(end=0.05)) as edits:
        assert await edits.has_end(cdn.url, source)


async def test_a_source_is_fetched_byte_for_byte(tmp_path: Path):
    file = picture(Format.TIFF, padding=1_000_001)
    async with serving(reply(200, file)) as cdn, client() as edits:
        fetched = await edits.fetch_source(cdn.url, tmp_path / "1")
    assert fetched == Source(ImageInfo(Format.TIFF, 64, 48), len(file), tmp_path / "1")
    assert files_in(tmp_path) == {"1": file}


async def test_a_converted_source_goes_as_a_data_url_and_is_not_fetched(tmp_path: Path):
    file = picture(Format.JPEG)
    (tmp_path / "converted").write_bytes(file)
    source = Source(ImageInfo(Format.JPEG, 64, 48), len(file), tmp_path / "converted")
    async with serving(success("a")) as api, client(api.url) as edits:
        await edits.edit(CALL, workspace=tmp_path, source=source)
    sent = json.loads(api.requests[0].body)["image"]
    assert sent == f"data:image/jpeg;base64,{base64.b64encode(file).decode()}"


@pytest.mark.parametrize("answer", ["fails", "is cut", "is silent", "is not there"])
async def test_a_source_that_stays_away_is_unreadable(answer: str):
    plays = {"fails": reply(500, b""), "is cut": raw(b"", cut=True), "is silent": silence}
    async with serving(plays.get(answer, silence)) as cdn, client(patience=IMPATIENT) as edits:
        address = unused_address() if answer == "is not there" else cdn.url
        with pytest.raises(SourceUnreadableError):
            await edits.probe_source(address)
        assert edits.clock.slept == [0.5, 1]
    assert len(cdn.requests) == (0 if answer == "is not there" else 3)


@pytest.mark.parametrize(
    ("status", "gone"),
    [(200, False), (401, True), (403, True), (404, True), (410, True), (429, False), (500, False)],
)
async def test_a_source_is_gone_where_that_is_said_for_good(status: int, gone: bool):
    async with serving(reply(status, picture(Format.PNG))) as cdn, client() as edits:
        assert await edits.is_gone(f"{cdn.url}/a.png?hm=1") is gone
    assert len(cdn.requests) == 1


async def test_a_source_that_nothing_is_heard_of_is_not_said_to_be_gone():
    async with serving(raw(b"", cut=True)) as cdn, client(patience=IMPATIENT) as edits:
        assert not await edits.is_gone(cdn.url)
        assert not await edits.is_gone(unused_address())
        assert not await edits.is_gone("http://[broken")
    async with serving(silence) as cdn, client(patience=IMPATIENT) as edits:
        assert not await edits.is_gone(cdn.url)


async def test_a_source_that_is_no_picture_is_read_once():
    async with serving(reply(200, b"%PDF-1.7" + bytes(100))) as cdn, client() as edits:
        with pytest.raises(NotAnImageError):
            await edits.probe_source(cdn.url)
    assert len(cdn.requests) == 1


async def test_a_source_that_ends_within_its_header_is_no_picture():
    async with serving(reply(200, picture(Format.PNG)[:20])) as cdn, client() as edits:
        with pytest.raises(NotAnImageError):
            await edits.probe_source(cdn.url)


async def test_a_source_of_too_many_pixels_is_refused():
    file = bytearray(picture(Format.WEBP, exif=True))
    file[24:30] = b"\xff\xff\x00\xff\xff\x00"
    async with serving(reply(200, bytes(file))) as cdn, client() as edits:
        with pytest.raises(TooManyPixelsError):
            await edits.probe_source(cdn.url)


async def test_a_source_that_says_that_it_is_too_large_is_not_read():
    start = head(content_length=MAX_SOURCE_BYTES + 1)
    async with serving(raw(start)) as cdn, client() as edits:
        with pytest.raises(TooLargeError) as refusal:
            await edits.probe_source(cdn.url)
    assert refusal.value.limit == MAX_SOURCE_BYTES


async def test_a_source_that_is_a_bomb_is_not_unpacked(tmp_path: Path):
    packed = reply(200, bomb(200 * 2**20), {"Content-Encoding": "gzip"})
    async with serving(packed) as cdn, client() as edits:
        with peak_memory() as peak:
            assert isinstance(await fault_of(edits.probe_source(cdn.url)), NotAnImageError)
            fetched = edits.fetch_source(cdn.url, tmp_path / "1")
            assert isinstance(await fault_of(fetched), NotAnImageError)
    assert peak() < 2 * 2**20
    assert files_in(tmp_path) == {}


async def test_a_source_that_says_a_smaller_length_than_it_has_is_cut_there(tmp_path: Path):
    file = picture(Format.PNG, padding=5000)
    async with serving(raw(head(content_length=20) + file)) as cdn, client() as edits:
        for read in (edits.probe_source(cdn.url), edits.fetch_source(cdn.url, tmp_path / "1")):
            assert isinstance(await fault_of(read), NotAnImageError | SourceUnreadableError)
    assert files_in(tmp_path) == {}


async def test_a_source_that_says_a_larger_length_than_it_has_is_unreadable(tmp_path: Path):
    file = picture(Format.PNG, padding=5000)
    lie = raw(head(content_length=len(file) + 1) + file, cut=True)
    async with serving(lie) as cdn, client() as edits:
        with pytest.raises(SourceUnreadableError):
            await edits.fetch_source(cdn.url, tmp_path / "1")
    assert len(cdn.requests) == 3
    assert files_in(tmp_path) == {}


async def test_a_source_that_drips_is_given_up_in_the_end(tmp_path: Path):
    drip = dripping(head(content_length=70_000) + b"\xff\xd8\xff\xe0\xff\xff")
    patience = Patience(silence=10, picture=0.2)
    async with serving(drip) as cdn, client(patience=patience) as edits:
        with pytest.raises(SourceUnreadableError):
            await edits.probe_source(cdn.url)
        with pytest.raises(SourceUnreadableError):
            await edits.fetch_source(cdn.url, tmp_path / "1")
    assert len(cdn.requests) == 2
    assert files_in(tmp_path) == {}


async def test_an_end_of_a_source_that_never_ends_is_cut_at_its_limit():
    start = b"HTTP/1.1 206 Partial Content\r\nConnection: close\r\n\r\n"

    async def play(exchange: Exchange) -> None:
        exchange.writer.write(start)
        while True:
            exchange.writer.write(bytes(2**16))
            await exchange.writer.drain()

    async with serving(play) as cdn, client() as edits:
        with peak_memory() as peak:
            assert not await edits.has_end(cdn.url, Source(ImageInfo(Format.PNG, 64, 48), 1000))
        await cdn.hung_up.wait()
    assert peak() < 4 * 2**20


async def test_a_source_goes_as_a_data_url_where_the_settings_say_so(tmp_path: Path):
    file = picture(Format.JPEG, padding=1_000_001)
    async with (
        serving(reply(200, file)) as cdn,
        serving(success("a")) as api,
        client(api.url, source_mode="data") as edits,
    ):
        await edits.edit(call_with(cdn.url), workspace=tmp_path)

    [request] = api.requests
    sent = json.loads(request.body)
    kind, _, encoded = sent.pop("image").partition(",")
    expected = json.loads(body_with_url(CALL))
    del expected["image"]
    assert sent == expected
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(encoded, validate=True) == file
    assert "Transfer-Encoding" not in request.headers
    assert "Authorization" not in cdn.requests[0].headers
    assert files_in(tmp_path) == {}


async def test_a_source_goes_as_a_data_url_where_the_api_could_not_fetch_it(tmp_path: Path):
    async with serving(reply(200, picture(Format.PNG))) as cdn, serving(success("a")) as api:
        names = Names(api.address)
        async with client("http://api.example.com", resolver=names) as edits:
            await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert b'"image": "data:image/png;base64,' in api.requests[0].body


async def test_a_throttled_data_url_is_sent_again_whole(tmp_path: Path):
    answers = throttled(429, "1"), success("a")
    async with (
        serving(reply(200, picture(Format.PNG))) as cdn,
        serving(*answers) as api,
        client(api.url, source_mode="data") as edits,
    ):
        await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert api.requests[0].body == api.requests[1].body
    assert len(cdn.requests) == 1


async def test_an_answer_counts_that_comes_before_the_whole_body_is_taken(tmp_path: Path):
    file = picture(Format.PNG, padding=8 * 2**20)
    async with (
        serving(reply(200, file)) as cdn,
        serving(early) as api,
        client(api.url, source_mode="data") as edits,
    ):
        with pytest.raises(DeclinedError) as refusal:
            await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert refusal.value.message == "too large"


async def test_a_data_url_that_is_cut_off_is_not_sent_again(tmp_path: Path):
    file = picture(Format.PNG, padding=4 * 2**20)
    async with (
        serving(reply(200, file)) as cdn,
        serving(unread) as api,
        client(api.url, source_mode="data") as edits,
    ):
        with pytest.raises(ServiceFailedError):
            await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert api.connections == 1
    assert files_in(tmp_path) == {}


async def test_a_source_that_is_cut_while_it_is_kept_is_read_again(tmp_path: Path):
    file = picture(Format.PNG, padding=2**20)
    cut = raw(head(content_length=len(file)) + file[:-1], cut=True)
    async with (
        serving(cut, reply(200, file)) as cdn,
        serving(success("a")) as api,
        client(api.url, source_mode="data") as edits,
    ):
        await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert json.loads(api.requests[0].body)["image"].endswith(base64.b64encode(file).decode())


async def test_the_largest_source_takes_less_than_four_mebibytes(tmp_path: Path):
    file = picture(Format.JPEG)
    file += bytes(MAX_SENT_BYTES - len(file))
    async with (
        serving(reply(200, file)) as cdn,
        serving(swallowed) as api,
        client(api.url, source_mode="data") as edits,
    ):
        with peak_memory() as peak:
            await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert peak() < 4 * 2**20


async def test_an_endless_source_is_cut_at_its_limit_and_nothing_is_sent(tmp_path: Path):
    async with (
        serving(endless(picture(Format.PNG))) as cdn,
        serving(success("a")) as api,
        client(api.url, source_mode="data") as edits,
    ):
        with pytest.raises(TooLargeError):
            await edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert api.connections == 0
    assert files_in(tmp_path) == {}


# A result is fetched whole, or there is no file.


@pytest.mark.parametrize("format_", EVERYWHERE)
async def test_a_result_is_kept_byte_for_byte(tmp_path: Path, format_: Format):
    file = picture(format_, padding=1_000_001)
    async with serving(reply(200, file)) as api, client(api.url) as edits:
        assert await edits.download(f"{api.url}/1", tmp_path / "1") == ImageInfo(format_, 64, 48)
    assert files_in(tmp_path) == {"1": file}
    assert "Authorization" not in api.requests[0].headers


@on_linux
@pytest.mark.parametrize("padding", [1_000, 1_000_000], ids=["at its end", "in the middle"])
async def test_a_result_that_a_full_disk_does_not_take_leaves_nothing_there(
    tmp_path: Path, padding: int
):
    (tmp_path / "1.part").symlink_to("/dev/full")
    file = picture(Format.PNG, padding=padding)
    async with serving(reply(200, file)) as api, client(api.url) as edits:
        with pytest.raises(OSError, match="No space left"):
            await edits.download(f"{api.url}/1", tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


@on_linux
async def test_a_result_that_is_cut_off_on_a_full_disk_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # So little that it is still in memory when it is thrown away, and the disk full.
    monkeypatch.setattr("bot.edit_api.client._BLOCK", 1)
    (tmp_path / "1.part").symlink_to("/dev/full")
    file = picture(Format.PNG, padding=1_000)
    cut_off = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + file, cut=True)
    async with serving(cut_off, reply(200, file)) as api, client(api.url) as edits:
        await edits.download(f"{api.url}/1", tmp_path / "1")
    assert files_in(tmp_path) == {"1": file}


async def test_a_result_at_the_apis_origin_comes_over_the_calls_connection(tmp_path: Path):
    async with (
        serving(success("a"), reply(200, picture(Format.PNG))) as api,
        client(api.url) as edits,
    ):
        await edits.edit(CALL, workspace=tmp_path)
        await edits.download(f"{api.url}/1", tmp_path / "1")
    assert api.connections == 1


async def test_a_result_elsewhere_is_fetched_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.downloads.egress.is_public", bool)
    async with (
        serving(reply(200, picture(Format.PNG))) as cdn,
        client("http://api.example.com", resolver=Names(cdn.address)) as edits,
    ):
        await edits.download("http://cdn.example.com/1", tmp_path / "1")
    assert "Authorization" not in cdn.requests[0].headers
    assert cdn.requests[0].headers["Host"] == "cdn.example.com"


@pytest.mark.parametrize("status", [404, 410, 429, 500, 503])
async def test_what_may_pass_is_tried_again(tmp_path: Path, status: int):
    file = picture(Format.PNG, padding=2**20)
    cut = raw(head(content_length=len(file)) + file[:-1], cut=True)
    async with serving(reply(status, b""), cut, reply(200, file)) as api, client(api.url) as edits:
        await edits.download(api.url, tmp_path / "1")
        assert edits.clock.slept == [0.5, 1]
    assert files_in(tmp_path) == {"1": file}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("gone", id="gone"),
        pytest.param("cut", id="cut"),
        pytest.param("lying", id="a length that lies"),
        pytest.param("silent", id="silent"),
    ],
)
async def test_a_result_is_tried_three_times(tmp_path: Path, answer: str):
    start = head(content_length=5000) + picture(Format.PNG)
    plays = {
        "gone": reply(404, b""),
        "cut": raw(b"", cut=True),
        "lying": raw(start, cut=True),
        "silent": raw(start),
    }
    async with serving(plays[answer]) as api, client(api.url, patience=IMPATIENT) as edits:
        with pytest.raises(ResultLostError):
            await edits.download(api.url, tmp_path / "1")
    assert len(api.requests) == 3
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("format_", EVERYWHERE)
@pytest.mark.parametrize("missing", [1, 5, 20])
async def test_a_result_that_is_cut_short_by_a_server_that_says_no_length_is_no_result(
    tmp_path: Path, format_: Format, missing: int
):
    file = noisy(format_)
    start = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    short = raw(start + file[:-missing], cut=True)
    async with serving(short, raw(start + file, cut=True)) as api, client(api.url) as edits:
        await edits.download(api.url, tmp_path / "1")
        assert files_in(tmp_path) == {"1": file}
    async with serving(short) as api, client(api.url) as edits:
        with pytest.raises(ResultLostError, match="cut off"):
            await edits.download(api.url, tmp_path / "2")
        assert len(api.requests) == 3
    assert list(files_in(tmp_path)) == ["1"]


@pytest.mark.parametrize("format_", [Format.GIF, Format.AVIF, Format.TIFF])
async def test_a_result_that_discord_may_not_show_is_none(tmp_path: Path, format_: Format):
    async with serving(reply(200, picture(format_))) as api, client(api.url) as edits:
        with pytest.raises(ResultLostError, match="no picture"):
            await edits.download(api.url, tmp_path / "1")
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((403, b""), id="refused"),
        pytest.param((206, b""), id="a part"),
        pytest.param((200, b"<html>"), id="no picture"),
        pytest.param((200, b""), id="nothing"),
        pytest.param((302, b""), id="redirected to nowhere"),
    ],
)
async def test_what_will_not_pass_is_tried_once(tmp_path: Path, answer: tuple[int, bytes]):
    async with serving(reply(*answer)) as api, client(api.url) as edits:
        with pytest.raises(ResultLostError):
            await edits.download(api.url, tmp_path / "1")
    assert len(api.requests) == 1
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("location", ["http://[::1", "", "ftp://127.0.0.1/", "http://u:p@1.1.1.1/"])
async def test_a_redirect_to_no_address_is_not_followed(tmp_path: Path, location: str):
    answer = reply(302, b"", {"Location": location})
    async with serving(answer) as api, client(api.url) as edits:
        with pytest.raises(ResultLostError):
            await edits.download(api.url, tmp_path / "1")


async def test_an_encoding_is_not_undone(tmp_path: Path):
    packed = gzip.compress(picture(Format.PNG))
    answer = reply(200, packed, {"Content-Encoding": "gzip"})
    async with serving(answer) as api, client(api.url) as edits:
        with pytest.raises(ResultLostError, match="no picture"):
            await edits.download(api.url, tmp_path / "1")


async def test_a_result_that_says_that_it_is_too_large_is_not_read(tmp_path: Path):
    async with (
        serving(raw(head(content_length=MAX_RESULT_BYTES + 1))) as api,
        client(api.url) as edits,
    ):
        with pytest.raises(ResultLostError):
            await edits.download(api.url, tmp_path / "1")
    assert len(api.requests) == 1


async def test_an_endless_result_is_cut_at_its_limit(tmp_path: Path):
    async with serving(endless(picture(Format.PNG))) as api, client(api.url) as edits:
        with peak_memory() as peak, pytest.raises(ResultLostError):
            await edits.download(api.url, tmp_path / "1")
        await api.hung_up.wait()
    assert peak() < 4 * 2**20
    assert len(api.requests) == 1
    assert files_in(tmp_path) == {}


async def test_a_result_that_drips_is_given_up_in_the_end(tmp_path: Path):
    drip = dripping(head(content_length=5000) + picture(Format.PNG))
    patience = Patience(silence=10, picture=0.2)
    async with serving(drip) as api, client(api.url, patience=patience) as edits:
        with pytest.raises(ResultLostError, match="not there after"):
            await edits.download(api.url, tmp_path / "1")
    assert len(api.requests) == 1
    assert files_in(tmp_path) == {}


async def test_a_download_that_is_cancelled_leaves_no_file(tmp_path: Path):
    start = head(content_length=MAX_RESULT_BYTES) + picture(Format.PNG, padding=2**20)
    async with serving(raw(start)) as api, client(api.url) as edits:
        download = asyncio.create_task(edits.download(api.url, tmp_path / "1"))
        await api.played.wait()
        download.cancel()
        with pytest.raises(asyncio.CancelledError):
            await download
    assert files_in(tmp_path) == {}


# What may not be fetched is never connected to: the server that must not be reached counts.


LOOPBACK = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.0.0.1", "127.0.0.1."),
    *(
        "0x0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
    ),
    *("localhost", "LOCALHOST", "localhost.", "a.localhost", "\u2460\u2461\u2466.0.0.1"),
    *("127\u30020\u30020\u30021", "%31%32%37.0.0.1", "\uff11\uff12\uff17.0.0.1", "loc\u2100lhost"),
)


@pytest.mark.parametrize("host", LOOPBACK)
async def test_a_result_on_this_machine_is_never_connected_to(tmp_path: Path, host: str):
    async with serving(reply(200, picture(Format.PNG))) as victim, client() as edits:
        with pytest.raises(ResultLostError, match="forbidden"):
            await edits.download(f"http://{host}:{victim.address[1]}/1", tmp_path / "1")
    assert victim.connections == 0


@pytest.mark.parametrize("host", [*LOOPBACK, "inside.example.com"])
async def test_a_redirect_to_this_machine_is_never_followed(tmp_path: Path, host: str):
    async with serving(reply(200, picture(Format.PNG))) as victim:
        location = f"http://{host}:{victim.address[1]}/1"
        async with (
            serving(reply(302, b"", {"Location": location})) as api,
            client(api.url, resolver=Names(victim.address)) as edits,
        ):
            with pytest.raises(ResultLostError, match=r"forbidden|nowhere"):
                await edits.download(api.url, tmp_path / "1")
    assert (len(api.requests), victim.connections) == (1, 0)


async def test_a_name_of_this_machine_is_never_connected_to(tmp_path: Path):
    async with serving(reply(200, picture(Format.PNG))) as victim:
        names = Names(victim.address)
        async with client("http://127.0.0.1:1", resolver=names) as edits:
            with pytest.raises(ResultLostError, match="forbidden"):
                await edits.download("http://inside.example.com/1", tmp_path / "1")
    assert names.asked == ["inside.example.com"]
    assert victim.connections == 0


async def test_a_name_is_connected_to_where_it_was_judged_and_not_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.downloads.egress.is_public", bool)
    async with serving(reply(500, b"")) as judged, serving(silence) as victim:
        names = Names(judged.address, victim.address)
        async with client("http://127.0.0.1:1", resolver=names) as edits:
            with pytest.raises(ResultLostError):
                await edits.download("http://rebinding.example.com/1", tmp_path / "1")
    assert names.asked == ["rebinding.example.com"]
    assert (judged.connections, victim.connections) == (1, 0)


async def test_redirects_within_the_apis_origin_are_followed_three_times(tmp_path: Path):
    hop = reply(307, b"", {"Location": "/next"})
    async with (
        serving(hop, hop, hop, reply(200, picture(Format.PNG))) as api,
        client(api.url) as edits,
    ):
        await edits.download(f"{api.url}/first", tmp_path / "1")
    assert [request.line.split()[1] for request in api.requests] == ["/first", *["/next"] * 3]


async def test_a_fourth_redirect_is_not_followed(tmp_path: Path):
    async with serving(reply(307, b"", {"Location": "/next"})) as api, client(api.url) as edits:
        with pytest.raises(ResultLostError, match="redirected too often"):
            await edits.download(api.url, tmp_path / "1")
    assert len(api.requests) == 4


# The key and signed addresses are in no fault, and in nothing that hangs on one.


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="cut"),
        pytest.param(b"HTTP/1.1 nonsense\r\n\r\n", id="bad status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X" * 20_000, id="flood"),
        pytest.param(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", id="refused"),
    ],
)
async def test_a_fault_keeps_them_to_itself(tmp_path: Path, answer: bytes):
    async with serving(raw(answer, cut=True)) as api, client(api.url) as edits:
        faults = [
            await fault_of(edits.edit(CALL, workspace=tmp_path)),
            await fault_of(edits.probe_source(f"{api.url}/?hm=signature")),
            await fault_of(edits.download(f"{api.url}/?hm=signature", tmp_path / "1")),
        ]
        told = repr(edits)
    for fault in faults:
        link: BaseException | None = fault
        while link is not None:
            told += f"{link} {link!r} {vars(link)}"
            link = link.__cause__ or link.__context__
        told += "".join(traceback.format_exception(fault))
    assert KEY not in told
    assert "signature" not in told


Play = Callable[["Exchange"], Awaitable[None]]
"""What a server does once it has read a request."""


@dataclass
class Request:
    """One request as it came over the wire."""

    line: str
    headers: CIMultiDict[str]
    body: bytes = b""


@dataclass
class Exchange:
    """A request and the way to answer it."""

    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass
class Server:
    """A server on a real socket that plays one answer after the other, and the last for ever."""

    plays: tuple[Play, ...]
    address: tuple[str, int] = ("", 0)
    connections: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    played: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.address[0]}:{self.address[1]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it is closed."""
        self.connections += 1
        try:
            while not writer.is_closing():
                await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = CIMultiDict(
            {name: text for name, _, text in (line.partition(": ") for line in lines) if name}
        )
        request = Request(line, headers)
        play = self.plays[min(len(self.requests), len(self.plays) - 1)]
        self.requests.append(request)
        if play not in {unread, early, swallowed}:
            request.body = await reader.readexactly(int(headers.get("Content-Length", 0)))
        await play(Exchange(request, reader, writer))
        self.played.set()


@asynccontextmanager
async def serving(*plays: Play, port: int = 0, tls: bool = False) -> AsyncGenerator[Server]:
    """Serve on loopback, with a certificate that nobody trusts if TLS is asked for."""
    server = Server(plays)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(server.serve(reader, writer)))

    listener = await asyncio.start_server(
        accept, "127.0.0.1", port, ssl=untrusted() if tls else None
    )
    server.address = listener.sockets[0].getsockname()
    async with listener:
        yield server
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def untrusted() -> ssl.SSLContext:
    """A server's side of TLS, with a key that is no secret: it was made for this test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self-signed.pem"))
    return context


def reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> Play:
    return raw(head(status, content_length=len(body), headers=headers or {}) + body)


def images(*urls: str) -> dict[str, object]:
    return {"code": 0, "message": "ok", "data": {"images": [{"url": url} for url in urls]}}


def success(*urls: str) -> Play:
    return reply(200, json.dumps(images(*urls)).encode())


def throttled(status: int, retry_after: str) -> Play:
    return reply(status, b"", {"Retry-After": retry_after})


def head(status: int = 200, *, content_length: int, headers: dict[str, str] | None = None) -> bytes:
    fields = {"Content-Length": str(content_length), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def raw(sent: bytes, *, cut: bool = False) -> Play:
    async def play(exchange: Exchange) -> None:
        for position in range(0, len(sent), 2**16):
            exchange.writer.write(sent[position : position + 2**16])
            await exchange.writer.drain()
        if cut:
            exchange.writer.close()

    return play


def endless(start: bytes) -> Play:
    async def play(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + start)
        while True:
            exchange.writer.write(bytes(2**16))
            await exchange.writer.drain()

    return play


def dripping(start: bytes) -> Play:
    async def play(exchange: Exchange) -> None:
        exchange.writer.write(start)
        hung_up = asyncio.ensure_future(exchange.reader.read(1))
        while not hung_up.done():
            # A byte each hundredth of a second, for as long as somebody takes them.
            await asyncio.wait({hung_up}, timeout=0.01)
            exchange.writer.write(b" ")
            await exchange.writer.drain()

    return play


async def silence(exchange: Exchange) -> None:
    await exchange.reader.read()
    exchange.writer.close()


async def unread(exchange: Exchange) -> None:
    exchange.writer.transport.abort()


async def early(exchange: Exchange) -> None:
    await reply(413, b'{"message": "too large"}')(exchange)
    while await exchange.reader.read(2**16):
        pass


async def swallowed(exchange: Exchange) -> None:
    left = int(exchange.request.headers["Content-Length"])
    while left:
        left -= len(await exchange.reader.read(2**16))
    await success("a")(exchange)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def picture(format_: Format, *, exif: bool = False, padding: int = 0) -> bytes:
    file = io.BytesIO()
    options = {"exif": b"II*\0\x08\0\0\0" + bytes(6)} if exif else {}
    Image.new("RGB", (64, 48), "teal").save(file, format_, **options)
    return file.getvalue() + bytes(padding)


def noisy(format_: Format) -> bytes:
    """A picture of which all but the last byte of its end mark is pixels."""
    file = io.BytesIO()
    Image.effect_noise((64, 48), 40).convert("RGB").save(file, format_)
    return file.getvalue()


def call_with(source_url: str) -> EditCall:
    return replace(CALL, source_url=source_url)


class Names(AbstractResolver):
    """Gives its addresses one after the other, whatever the name, and the last for ever."""

    def __init__(self, *addresses: tuple[str, int], hangs: bool = False) -> None:
        self.addresses = addresses
        self.hangs = hangs
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the next address, with its own port."""
        self.asked.append(host)
        if self.hangs:
            await asyncio.Event().wait()
        if not self.addresses:
            raise OSError("no such name")
        address, port = self.addresses[min(len(self.asked), len(self.addresses)) - 1]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is open."""


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[float], Awaitable[None]] | None = None

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self.slept.append(seconds)
        self.time += seconds
        if self.meanwhile is not None:
            await self.meanwhile(seconds)


class Edits(EditClient):
    """A client with its clock at hand."""

    clock: Clock


def client(
    api_url: str = "http://127.0.0.1:1",
    *,
    timeout: float = 60,
    source_mode: Literal["url", "data"] = "url",
    patience: Patience = PATIENT,
    resolver: AbstractResolver | None = None,
) -> Edits:
    clock = Clock()
    edits = Edits(
        api_url,
        KEY,
        timeout=timeout,
        source_mode=source_mode,
        patience=patience,
        resolver=resolver,
        sleep=clock.sleep,
        monotonic=lambda: clock.time,
        now=lambda: NOW,
    )
    edits.clock = clock
    return edits


async def fault_of(attempt: Awaitable[object]) -> EditError:
    with pytest.raises(EditError) as raised:
        await attempt
    return raised.value


@contextlib.contextmanager
def peak_memory() -> Generator[Callable[[], int]]:
    """Trace what is allocated within; then the call gives the peak in bytes."""
    peak = 0
    tracemalloc.start()
    try:
        yield lambda: peak
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()
