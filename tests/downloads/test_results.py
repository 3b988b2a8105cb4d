"""A result is downloaded whole, or there is no file; it comes from where it may."""

import asyncio
import gzip
from pathlib import Path

import pytest

from bot.domain.errors import ResultLostError
from bot.domain.images import EVERYWHERE, MAX_RESULT_BYTES, Format, ImageInfo
from bot.downloads.connections import Timeouts
from tests.edit_clients import (
    CALL,
    SHORT_TIMEOUTS,
    Names,
    connected,
    files_in,
    noisy,
    peak_memory,
    picture,
)
from tests.http_server import dripping, endless, head, raw, reply, serving, silence, success
from tests.store_faults import on_linux


@pytest.mark.parametrize("format_", EVERYWHERE)
async def test_a_result_is_kept_byte_for_byte(tmp_path: Path, format_: Format):
    file = picture(format_, padding=1_000_001)
    async with serving(reply(200, file)) as api, connected(api.url) as clients:
        assert await clients.results.fetch(f"{api.url}/1", tmp_path / "1") == ImageInfo(
            format_, 64, 48
        )
    assert files_in(tmp_path) == {"1": file}
    assert "Authorization" not in api.requests[0].headers


@on_linux
@pytest.mark.parametrize("padding", [1_000, 1_000_000], ids=["at its end", "in the middle"])
async def test_a_result_that_a_full_disk_does_not_take_leaves_nothing_there(
    tmp_path: Path, padding: int
):
    (tmp_path / "1.part").symlink_to("/dev/full")
    file = picture(Format.PNG, padding=padding)
    async with serving(reply(200, file)) as api, connected(api.url) as clients:
        with pytest.raises(OSError, match="No space left"):
            await clients.results.fetch(f"{api.url}/1", tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


@on_linux
async def test_a_result_that_is_cut_off_on_a_full_disk_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # So little that it is still in memory when it is thrown away, and the disk full.
    monkeypatch.setattr("bot.downloads.atomic_file._BLOCK", 1)
    (tmp_path / "1.part").symlink_to("/dev/full")
    file = picture(Format.PNG, padding=1_000)
    cut_off = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + file, cut=True)
    async with serving(cut_off, reply(200, file)) as api, connected(api.url) as clients:
        await clients.results.fetch(f"{api.url}/1", tmp_path / "1")
    assert files_in(tmp_path) == {"1": file}


async def test_a_result_at_the_apis_origin_comes_over_the_calls_connection(tmp_path: Path):
    async with (
        serving(success("a"), reply(200, picture(Format.PNG))) as api,
        connected(api.url) as clients,
    ):
        await clients.edits.edit(CALL, workspace=tmp_path)
        await clients.results.fetch(f"{api.url}/1", tmp_path / "1")
    assert api.connections == 1


async def test_a_result_elsewhere_is_fetched_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.downloads.egress.is_public", bool)
    async with (
        serving(reply(200, picture(Format.PNG))) as cdn,
        connected("http://api.example.com", resolver=Names(cdn.address)) as clients,
    ):
        await clients.results.fetch("http://cdn.example.com/1", tmp_path / "1")
    assert "Authorization" not in cdn.requests[0].headers
    assert cdn.requests[0].headers["Host"] == "cdn.example.com"


@pytest.mark.parametrize("status", [404, 410, 429, 500, 503])
async def test_what_may_pass_is_tried_again(tmp_path: Path, status: int):
    file = picture(Format.PNG, padding=2**20)
    cut = raw(head(content_length=len(file)) + file[:-1], cut=True)
    async with (
        serving(reply(status, b""), cut, reply(200, file)) as api,
        connected(api.url) as clients,
    ):
        await clients.results.fetch(api.url, tmp_path / "1")
        assert clients.clock.slept == [0.5, 1]
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
    async with (
        serving(plays[answer]) as api,
        connected(api.url, timeouts=SHORT_TIMEOUTS) as clients,
    ):
        with pytest.raises(ResultLostError):
            await clients.results.fetch(api.url, tmp_path / "1")
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
    async with serving(short, raw(start + file, cut=True)) as api, connected(api.url) as clients:
        await clients.results.fetch(api.url, tmp_path / "1")
        assert files_in(tmp_path) == {"1": file}
    async with serving(short) as api, connected(api.url) as clients:
        with pytest.raises(ResultLostError, match="cut off"):
            await clients.results.fetch(api.url, tmp_path / "2")
        assert len(api.requests) == 3
    assert list(files_in(tmp_path)) == ["1"]


@pytest.mark.parametrize("format_", [Format.GIF, Format.AVIF, Format.TIFF])
async def test_a_result_that_discord_may_not_show_is_none(tmp_path: Path, format_: Format):
    async with serving(reply(200, picture(format_))) as api, connected(api.url) as clients:
        with pytest.raises(ResultLostError, match="not an image"):
            await clients.results.fetch(api.url, tmp_path / "1")
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
    async with serving(reply(*answer)) as api, connected(api.url) as clients:
        with pytest.raises(ResultLostError):
            await clients.results.fetch(api.url, tmp_path / "1")
    assert len(api.requests) == 1
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("location", ["http://[::1", "", "ftp://127.0.0.1/", "http://u:p@1.1.1.1/"])
async def test_a_redirect_to_no_address_is_not_followed(tmp_path: Path, location: str):
    answer = reply(302, b"", {"Location": location})
    async with serving(answer) as api, connected(api.url) as clients:
        with pytest.raises(ResultLostError):
            await clients.results.fetch(api.url, tmp_path / "1")


async def test_an_encoding_is_not_undone(tmp_path: Path):
    packed = gzip.compress(picture(Format.PNG))
    answer = reply(200, packed, {"Content-Encoding": "gzip"})
    async with serving(answer) as api, connected(api.url) as clients:
        with pytest.raises(ResultLostError, match="not an image"):
            await clients.results.fetch(api.url, tmp_path / "1")


async def test_a_result_that_says_that_it_is_too_large_is_not_read(tmp_path: Path):
    async with (
        serving(raw(head(content_length=MAX_RESULT_BYTES + 1))) as api,
        connected(api.url) as clients,
    ):
        with pytest.raises(ResultLostError):
            await clients.results.fetch(api.url, tmp_path / "1")
    assert len(api.requests) == 1


async def test_an_endless_result_is_cut_at_its_limit(tmp_path: Path):
    async with serving(endless(picture(Format.PNG))) as api, connected(api.url) as clients:
        with peak_memory() as peak, pytest.raises(ResultLostError):
            await clients.results.fetch(api.url, tmp_path / "1")
        await api.hung_up.wait()
    assert peak() < 4 * 2**20
    assert len(api.requests) == 1
    assert files_in(tmp_path) == {}


async def test_a_result_that_drips_is_given_up_in_the_end(tmp_path: Path):
    drip = dripping(head(content_length=5000) + picture(Format.PNG))
    timeouts = Timeouts(silence_s=10, image_s=0.2)
    async with serving(drip) as api, connected(api.url, timeouts=timeouts) as clients:
        with pytest.raises(ResultLostError, match="not there after"):
            await clients.results.fetch(api.url, tmp_path / "1")
    assert len(api.requests) == 1
    assert files_in(tmp_path) == {}


async def test_a_download_that_is_cancelled_leaves_no_file(tmp_path: Path):
    start = head(content_length=MAX_RESULT_BYTES) + picture(Format.PNG, padding=2**20)
    async with serving(raw(start)) as api, connected(api.url) as clients:
        download = asyncio.create_task(clients.results.fetch(api.url, tmp_path / "1"))
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
    async with serving(reply(200, picture(Format.PNG))) as victim, connected() as clients:
        with pytest.raises(ResultLostError, match="forbidden"):
            await clients.results.fetch(f"http://{host}:{victim.address[1]}/1", tmp_path / "1")
    assert victim.connections == 0


@pytest.mark.parametrize("host", [*LOOPBACK, "inside.example.com"])
async def test_a_redirect_to_this_machine_is_never_followed(tmp_path: Path, host: str):
    async with serving(reply(200, picture(Format.PNG))) as victim:
        location = f"http://{host}:{victim.address[1]}/1"
        async with (
            serving(reply(302, b"", {"Location": location})) as api,
            connected(api.url, resolver=Names(victim.address)) as clients,
        ):
            with pytest.raises(ResultLostError, match=r"forbidden|nowhere"):
                await clients.results.fetch(api.url, tmp_path / "1")
    assert (len(api.requests), victim.connections) == (1, 0)


async def test_a_name_of_this_machine_is_never_connected_to(tmp_path: Path):
    async with serving(reply(200, picture(Format.PNG))) as victim:
        names = Names(victim.address)
        async with connected("http://127.0.0.1:1", resolver=names) as clients:
            with pytest.raises(ResultLostError, match="forbidden"):
                await clients.results.fetch("http://inside.example.com/1", tmp_path / "1")
    assert names.asked == ["inside.example.com"]
    assert victim.connections == 0


async def test_a_name_is_connected_to_where_it_was_judged_and_not_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.downloads.egress.is_public", bool)
    async with serving(reply(500, b"")) as judged, serving(silence) as victim:
        names = Names(judged.address, victim.address)
        async with connected("http://127.0.0.1:1", resolver=names) as clients:
            with pytest.raises(ResultLostError):
                await clients.results.fetch("http://rebinding.example.com/1", tmp_path / "1")
    assert names.asked == ["rebinding.example.com"]
    assert (judged.connections, victim.connections) == (1, 0)


async def test_redirects_within_the_apis_origin_are_followed_three_times(tmp_path: Path):
    hop = reply(307, b"", {"Location": "/next"})
    async with (
        serving(hop, hop, hop, reply(200, picture(Format.PNG))) as api,
        connected(api.url) as clients,
    ):
        await clients.results.fetch(f"{api.url}/first", tmp_path / "1")
    assert [request.line.split()[1] for request in api.requests] == ["/first", *["/next"] * 3]


async def test_a_fourth_redirect_is_not_followed(tmp_path: Path):
    async with (
        serving(reply(307, b"", {"Location": "/next"})) as api,
        connected(api.url) as clients,
    ):
        with pytest.raises(ResultLostError, match="redirected too often"):
            await clients.results.fetch(api.url, tmp_path / "1")
    assert len(api.requests) == 4
