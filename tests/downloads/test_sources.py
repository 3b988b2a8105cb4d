"""A source is read as far as necessary."""

import struct
from pathlib import Path

import pytest

from bot.domain.errors import (
    NotAnImageError,
    SourceUnreadableError,
    TooLargeError,
    TooManyPixelsError,
)
from bot.domain.images import MAX_SOURCE_BYTES, Format, ImageInfo, Source
from bot.downloads.connections import Timeouts
from bot.downloads.sources import LAST_BYTES, PROBED_BYTES
from tests.edit_clients import SHORT_TIMEOUTS, connected, fault_of, files_in, peak_memory, picture
from tests.http_server import (
    Exchange,
    bomb,
    dripping,
    head,
    raw,
    reply,
    serving,
    silence,
    unused_address,
)


async def test_a_probe_reads_no_more_than_the_header():
    start = head(content_length=MAX_SOURCE_BYTES) + picture(Format.JPEG)[:1000]
    async with serving(raw(start)) as cdn, connected() as clients:
        probed = await clients.sources.probe(f"{cdn.url}/a.jpg")
        assert probed == Source(ImageInfo(Format.JPEG, 64, 48), MAX_SOURCE_BYTES)
        await cdn.hung_up.wait()
    assert "Authorization" not in cdn.requests[0].headers


async def test_a_signed_address_is_asked_for_as_it_is():
    async with serving(reply(200, picture(Format.PNG))) as cdn, connected() as clients:
        await clients.sources.probe(f"{cdn.url}/a%2Fb.png?is=%2F&hm=a%2Bb")
    assert cdn.requests[0].line == "GET /a%2Fb.png?is=%2F&hm=a%2Bb HTTP/1.1"


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
async def test_a_source_that_is_refused_is_not_asked_for_again(status: int):
    answer = reply(status, picture(Format.PNG), {"Location": "/elsewhere"})
    async with serving(answer) as cdn, connected() as clients:
        with pytest.raises(SourceUnreadableError):
            await clients.sources.probe(cdn.url)
    assert len(cdn.requests) == 1


async def test_a_source_is_asked_for_again_where_that_may_help():
    cut = raw(head(content_length=1000) + picture(Format.PNG)[:20], cut=True)
    answers = reply(500, b""), cut, reply(200, picture(Format.PNG))
    async with serving(*answers) as cdn, connected() as clients:
        probed = await clients.sources.probe(cdn.url)
        assert probed == Source(ImageInfo(Format.PNG, 64, 48), len(picture(Format.PNG)))
        assert clients.clock.slept == [0.5, 1]


async def test_a_source_whose_header_is_far_is_not_read_to_it():
    far = b"II*\0" + struct.pack("<I", 2 * PROBED_BYTES) + bytes(3 * PROBED_BYTES)
    async with serving(raw(head(content_length=len(far)) + far)) as cdn, connected() as clients:
        assert await clients.sources.probe(cdn.url) is None


async def test_a_source_of_unknown_size_is_not_known_by_its_header():
    file = picture(Format.PNG)
    answer = raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + file, cut=True)
    async with serving(answer) as cdn, connected() as clients:
        assert await clients.sources.probe(cdn.url) is None


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
    async with serving(reply(status, last)) as cdn, connected() as clients:
        assert await clients.sources.has_end(cdn.url, source) is has_end
    assert cdn.requests[0].headers["Range"] == f"bytes={100_000 - LAST_BYTES}-"


@pytest.mark.parametrize(("follow", "has_end"), [(0, True), (-1, True), (1, False)])
async def test_a_webp_is_as_long_as_it_says(follow: int, *, has_end: bool):
    file = bytearray(picture(Format.WEBP))
    file[4:8] = struct.pack("<I", len(file) - 8 + follow)
    async with serving(reply(200, bytes(file))) as cdn, connected() as clients:
        source = await clients.sources.probe(cdn.url)
        assert (source is not None) is has_end
        assert source is None or await clients.sources.has_end(cdn.url, source)
    assert len(cdn.requests) == 1


async def test_a_source_whose_last_bytes_do_not_come_is_taken_to_have_its_end():
    source = Source(ImageInfo(Format.JPEG, 64, 48), 100_000)
    async with serving(silence) as cdn, connected(timeouts=Timeouts(end_s=0.05)) as clients:
        assert await clients.sources.has_end(cdn.url, source)


async def test_a_source_is_fetched_byte_for_byte(tmp_path: Path):
    file = picture(Format.TIFF, padding=1_000_001)
    async with serving(reply(200, file)) as cdn, connected() as clients:
        fetched = await clients.sources.fetch(cdn.url, tmp_path / "1")
    assert fetched == Source(ImageInfo(Format.TIFF, 64, 48), len(file), tmp_path / "1")
    assert files_in(tmp_path) == {"1": file}


@pytest.mark.parametrize("answer", ["fails", "is cut", "is silent", "is not there"])
async def test_a_source_that_stays_away_is_unreadable(answer: str):
    plays = {"fails": reply(500, b""), "is cut": raw(b"", cut=True), "is silent": silence}
    async with (
        serving(plays.get(answer, silence)) as cdn,
        connected(timeouts=SHORT_TIMEOUTS) as clients,
    ):
        address = unused_address() if answer == "is not there" else cdn.url
        with pytest.raises(SourceUnreadableError):
            await clients.sources.probe(address)
        assert clients.clock.slept == [0.5, 1]
    assert len(cdn.requests) == (0 if answer == "is not there" else 3)


@pytest.mark.parametrize(
    ("status", "gone"),
    [(200, False), (401, True), (403, True), (404, True), (410, True), (429, False), (500, False)],
)
async def test_a_source_is_gone_where_that_is_said_for_good(status: int, gone: bool):
    async with serving(reply(status, picture(Format.PNG))) as cdn, connected() as clients:
        assert await clients.sources.is_gone(f"{cdn.url}/a.png?hm=1") is gone
    assert len(cdn.requests) == 1


async def test_a_source_that_nothing_is_heard_of_is_not_said_to_be_gone():
    async with serving(raw(b"", cut=True)) as cdn, connected(timeouts=SHORT_TIMEOUTS) as clients:
        assert not await clients.sources.is_gone(cdn.url)
        assert not await clients.sources.is_gone(unused_address())
        assert not await clients.sources.is_gone("http://[broken")
    async with serving(silence) as cdn, connected(timeouts=SHORT_TIMEOUTS) as clients:
        assert not await clients.sources.is_gone(cdn.url)


async def test_a_source_that_is_no_picture_is_read_once():
    async with serving(reply(200, b"%PDF-1.7" + bytes(100))) as cdn, connected() as clients:
        with pytest.raises(NotAnImageError):
            await clients.sources.probe(cdn.url)
    assert len(cdn.requests) == 1


async def test_a_source_that_ends_within_its_header_is_no_picture():
    async with serving(reply(200, picture(Format.PNG)[:20])) as cdn, connected() as clients:
        with pytest.raises(NotAnImageError):
            await clients.sources.probe(cdn.url)


async def test_a_source_of_too_many_pixels_is_refused():
    file = bytearray(picture(Format.WEBP, exif=True))
    file[24:30] = b"\xff\xff\x00\xff\xff\x00"
    async with serving(reply(200, bytes(file))) as cdn, connected() as clients:
        with pytest.raises(TooManyPixelsError):
            await clients.sources.probe(cdn.url)


async def test_a_source_that_says_that_it_is_too_large_is_not_read():
    start = head(content_length=MAX_SOURCE_BYTES + 1)
    async with serving(raw(start)) as cdn, connected() as clients:
        with pytest.raises(TooLargeError) as refusal:
            await clients.sources.probe(cdn.url)
    assert refusal.value.limit == MAX_SOURCE_BYTES


async def test_a_source_that_is_a_bomb_is_not_unpacked(tmp_path: Path):
    packed = reply(200, bomb(200 * 2**20), {"Content-Encoding": "gzip"})
    async with serving(packed) as cdn, connected() as clients:
        with peak_memory() as peak:
            assert isinstance(await fault_of(clients.sources.probe(cdn.url)), NotAnImageError)
            fetched = clients.sources.fetch(cdn.url, tmp_path / "1")
            assert isinstance(await fault_of(fetched), NotAnImageError)
    assert peak() < 2 * 2**20
    assert files_in(tmp_path) == {}


async def test_a_source_that_says_a_smaller_length_than_it_has_is_cut_there(tmp_path: Path):
    file = picture(Format.PNG, padding=5000)
    async with serving(raw(head(content_length=20) + file)) as cdn, connected() as clients:
        for read in (
            clients.sources.probe(cdn.url),
            clients.sources.fetch(cdn.url, tmp_path / "1"),
        ):
            assert isinstance(await fault_of(read), NotAnImageError | SourceUnreadableError)
    assert files_in(tmp_path) == {}


async def test_a_source_that_says_a_larger_length_than_it_has_is_unreadable(tmp_path: Path):
    file = picture(Format.PNG, padding=5000)
    lie = raw(head(content_length=len(file) + 1) + file, cut=True)
    async with serving(lie) as cdn, connected() as clients:
        with pytest.raises(SourceUnreadableError):
            await clients.sources.fetch(cdn.url, tmp_path / "1")
    assert len(cdn.requests) == 3
    assert files_in(tmp_path) == {}


async def test_a_source_that_drips_is_given_up_in_the_end(tmp_path: Path):
    drip = dripping(head(content_length=70_000) + b"\xff\xd8\xff\xe0\xff\xff")
    timeouts = Timeouts(silence_s=10, image_s=0.2)
    async with serving(drip) as cdn, connected(timeouts=timeouts) as clients:
        with pytest.raises(SourceUnreadableError):
            await clients.sources.probe(cdn.url)
        with pytest.raises(SourceUnreadableError):
            await clients.sources.fetch(cdn.url, tmp_path / "1")
    assert len(cdn.requests) == 2
    assert files_in(tmp_path) == {}


async def test_an_end_of_a_source_that_never_ends_is_cut_at_its_limit():
    start = b"HTTP/1.1 206 Partial Content\r\nConnection: close\r\n\r\n"

    async def play(exchange: Exchange) -> None:
        exchange.writer.write(start)
        while True:
            exchange.writer.write(bytes(2**16))
            await exchange.writer.drain()

    async with serving(play) as cdn, connected() as clients:
        with peak_memory() as peak:
            assert not await clients.sources.has_end(
                cdn.url, Source(ImageInfo(Format.PNG, 64, 48), 1000)
            )
        await cdn.hung_up.wait()
    assert peak() < 4 * 2**20
