"""A source is sent as a data URL if the API can't fetch it."""

import base64
import json
from pathlib import Path

import pytest

from bot.domain.errors import DeclinedError, ServiceFailedError, TooLargeError
from bot.domain.images import MAX_SENT_BYTES, Format, ImageInfo, Source
from bot.edit_api.wire import body_with_url
from tests.edit_clients import CALL, Names, call_with, connected, files_in, peak_memory, picture
from tests.http_server import (
    early,
    endless,
    head,
    raw,
    reply,
    serving,
    success,
    swallowed,
    throttled,
    unread,
)


async def test_a_converted_source_is_sent_as_a_data_url_and_not_fetched(tmp_path: Path):
    file = picture(Format.JPEG)
    (tmp_path / "converted").write_bytes(file)
    source = Source(ImageInfo(Format.JPEG, 64, 48), len(file), tmp_path / "converted")
    async with serving(success("a")) as api, connected(api.url) as clients:
        await clients.edits.edit(CALL, workspace=tmp_path, source=source)
    sent = json.loads(api.requests[0].body)["image"]
    assert sent == f"data:image/jpeg;base64,{base64.b64encode(file).decode()}"


async def test_a_source_is_sent_as_a_data_url_if_the_settings_say_so(tmp_path: Path):
    file = picture(Format.JPEG, padding=1_000_001)
    async with (
        serving(reply(200, file)) as cdn,
        serving(success("a")) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)

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


async def test_a_source_is_sent_as_a_data_url_if_the_api_could_not_fetch_it(tmp_path: Path):
    async with serving(reply(200, picture(Format.PNG))) as cdn, serving(success("a")) as api:
        names = Names(api.address)
        async with connected("http://api.example.com", resolver=names) as clients:
            await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert b'"image": "data:image/png;base64,' in api.requests[0].body


async def test_a_throttled_data_url_is_resent_whole(tmp_path: Path):
    answers = throttled(429, "1"), success("a")
    async with (
        serving(reply(200, picture(Format.PNG))) as cdn,
        serving(*answers) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert api.requests[0].body == api.requests[1].body
    assert len(cdn.requests) == 1


async def test_a_response_before_the_end_of_the_request_counts(tmp_path: Path):
    file = picture(Format.PNG, padding=8 * 2**20)
    async with (
        serving(reply(200, file)) as cdn,
        serving(early) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        with pytest.raises(DeclinedError) as refusal:
            await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert refusal.value.message == "too large"


async def test_a_data_url_that_is_cut_off_is_not_resent(tmp_path: Path):
    file = picture(Format.PNG, padding=4 * 2**20)
    async with (
        serving(reply(200, file)) as cdn,
        serving(unread) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        with pytest.raises(ServiceFailedError):
            await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert api.connections == 1
    assert files_in(tmp_path) == {}


async def test_a_source_whose_download_is_cut_off_is_read_again(tmp_path: Path):
    file = picture(Format.PNG, padding=2**20)
    cut = raw(head(content_length=len(file)) + file[:-1], cut=True)
    async with (
        serving(cut, reply(200, file)) as cdn,
        serving(success("a")) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert json.loads(api.requests[0].body)["image"].endswith(base64.b64encode(file).decode())


async def test_the_largest_source_takes_less_than_four_mebibytes(tmp_path: Path):
    file = picture(Format.JPEG)
    file += bytes(MAX_SENT_BYTES - len(file))
    async with (
        serving(reply(200, file)) as cdn,
        serving(swallowed) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        with peak_memory() as peak:
            await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert peak() < 4 * 2**20


async def test_an_endless_source_is_cut_at_its_limit_and_nothing_is_sent(tmp_path: Path):
    async with (
        serving(endless(picture(Format.PNG))) as cdn,
        serving(success("a")) as api,
        connected(api.url, source_mode="data") as clients,
    ):
        with pytest.raises(TooLargeError):
            await clients.edits.edit(call_with(cdn.url), workspace=tmp_path)
    assert api.connections == 0
    assert files_in(tmp_path) == {}
