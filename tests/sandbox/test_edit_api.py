"""The edit API's stand-in: what it takes, how it imitates, and how it can fail."""

import asyncio
import base64
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from PIL import Image, ImageOps, ImageStat

from sandbox import faults
from sandbox.edit_api.imitation import Task, imitate
from sandbox.faults import DownloadFault, EditFault
from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, as_object, object_at, objects_at, parse, text_at


def image(form: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (400, 200)) -> bytes:
    out = io.BytesIO()
    ImageOps.fit(Image.linear_gradient("L"), size).convert(mode).save(out, form)
    return out.getvalue()


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


ORDER: JsonObject = {"prompt": "make it blue", "image": data_url(image()), "size": "1:1"}


@dataclass(frozen=True, slots=True)
class Client:
    """A caller of the edit API."""

    sandbox: Sandbox
    session: aiohttp.ClientSession

    async def edit(self, **changes: object) -> tuple[int, JsonObject]:
        """Call the API with the usual order, changed; None leaves a field out."""
        order = {key: value for key, value in (ORDER | changes).items() if value is not None}
        return await self.post(json=order)

    async def post(self, key: str | None = None, **body: object) -> tuple[int, JsonObject]:
        """Call the API with any body."""
        headers = {"Authorization": f"Bearer {key or self.sandbox.edit_api_key}"}
        url = f"{self.sandbox.edit_api_url}/v1/images/edit"
        async with self.session.post(
            url, json=body.get("json"), data=body.get("data"), headers=headers
        ) as response:
            text = await response.text()
            try:
                return response.status, as_object(parse(text)) or {}
            except ValueError:
                return response.status, {"text": text}

    async def download(self, url: str) -> bytes:
        """Download a result."""
        async with self.session.get(url) as response:
            response.raise_for_status()
            return await response.read()

    async def result(self, **changes: object) -> Image.Image:
        """Order one image and look at it."""
        _, body = await self.edit(**changes)
        return Image.open(io.BytesIO(await self.download(addresses(body)[0])))


def addresses(body: JsonObject) -> list[str]:
    return [text_at(each, "url") for each in objects_at(object_at(body, "data"), "images")]


@asynccontextmanager
async def connection() -> AsyncGenerator[Client]:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        yield Client(sandbox, session)


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with connection() as made:
        yield made


# What it takes.


async def test_an_order_is_answered_with_addresses_of_its_own(client: Client):
    status, body = await client.edit(n=3)
    assert (status, body["code"], body["message"]) == (200, 0, "ok")
    urls = addresses(body)
    assert len(set(urls)) == 3
    assert all(url.startswith(f"{client.sandbox.edit_api_url}/edits/") for url in urls)
    assert len({await client.download(url) for url in urls}) == 3
    (call,) = client.sandbox.edit_api.calls
    assert (call.status, call.results, call.source_bytes) == (200, urls, len(image()))
    assert "characters)" in text_at(call.body, "image")


async def test_without_its_key_a_call_is_refused_with_401(client: Client):
    status, body = await client.post(key="wrong", json=ORDER)
    assert (status, body["code"]) == (401, 401)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": None}, "prompt is required"),
        ({"prompt": "  "}, "prompt is required"),
        ({"prompt": 5}, "prompt is required"),
        ({"image": None}, "image must be"),
        ({"image": "photo.png"}, "image must be"),
        ({"image": "data:image/png;base64,%%%"}, "not valid base64"),
        ({"image": data_url(b"no image")}, "could not be read as an image"),
        ({"model": "gpt-image-1"}, "model must be gpt-image-2"),
        ({"size": "5:4"}, "size must be one of 1:1"),
        ({"size": 1}, "size must be one of 1:1"),
        ({"quality": "best"}, "quality must be one of"),
        ({"n": 0}, "n must be"),
        ({"n": "2"}, "n must be"),
        ({"n": True}, "n must be"),
        ({"seed": 1}, "unknown field: seed"),
    ],
)
async def test_an_order_that_its_page_does_not_allow_is_refused_with_400(
    client: Client, change: JsonObject, words: str
):
    status, body = await client.edit(**change)
    assert (status, body["code"]) == (400, 400)
    assert words in text_at(body, "message")


async def test_a_body_that_is_no_json_object_is_refused(client: Client):
    assert (await client.post(data=b"prompt=x"))[0] == 400
    assert (await client.post(json=[1]))[0] == 400


async def test_a_source_is_read_at_its_address(client: Client):
    fixed = client.sandbox.edit_api
    fixed.answer_with([image(size=(30, 20))])
    _, body = await client.edit()
    fixed.answer_with([])
    assert (await client.result(image=addresses(body)[0], size=None)).size == (1536, 1024)
    status, body = await client.edit(image=f"{client.sandbox.edit_api_url}/edits/none.png")
    assert status == 400
    assert "HTTP 404" in text_at(body, "message")


# How it imitates.


@pytest.mark.parametrize(
    ("size", "quality", "expected"),
    [
        ("1:1", "low", (1024, 1024)),
        ("16:9", "medium", (1536, 864)),
        ("9:21", "high", (658, 1536)),
        (None, None, (1536, 768)),
    ],
)
async def test_a_result_has_the_shape_that_was_asked_for(
    client: Client, size: str | None, quality: str | None, expected: tuple[int, int]
):
    assert (await client.result(size=size, quality=quality)).size == expected


def test_a_photograph_lying_on_its_side_is_turned_first():
    turned = Image.Exif()
    turned[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (400, 200), "red").save(out, "JPEG", exif=turned)
    made = Image.open(io.BytesIO(imitate(out, Task("x"))))
    assert made.size == (768, 1536)


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")])
def test_images_of_other_kinds_are_taken(form: str, mode: str):
    source = io.BytesIO(image(form, mode))
    assert Image.open(io.BytesIO(imitate(source, Task("x", "4:3")))).size == (1536, 1152)


def test_transparency_is_kept():
    out = io.BytesIO()
    Image.new("RGBA", (100, 100), (0, 200, 0, 0)).save(out, "PNG")
    made = Image.open(io.BytesIO(imitate(out, Task("x"))))
    assert made.getchannel("A").getextrema() == (0, 255)


def test_a_result_is_recoloured_and_labelled():
    source = io.BytesIO(image(size=(300, 300)))
    made = Image.open(io.BytesIO(imitate(source, Task("make it blue")))).convert("RGB")
    red, _, blue = ImageStat.Stat(made).mean
    assert blue > red
    label = made.crop((0, made.height - 20, made.width, made.height))
    assert label.getpixel((made.width - 1, 19)) == (16, 18, 24)


# How it fails.


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        (faults.declined("No faces."), 200, {"code": 1, "message": "No faces.", "data": None}),
        (faults.failed(402, "Pay."), 402, {"code": 402, "message": "Pay."}),
        (faults.failed(500), 500, {"code": 500, "message": "upstream error"}),
        (faults.not_json(), 200, {"text": "<html>It works!</html>"}),
    ],
)
async def test_a_fault_answers_in_place_of_images_as_often_as_it_should(
    client: Client, action: faults.Answer, status: int, body: JsonObject
):
    fault = client.sandbox.faults.edit_api.add(EditFault(action=action))
    assert await client.edit() == (status, body)
    assert fault.fired == 1
    assert (await client.edit())[0] == 200


async def test_retry_after_is_told_by_a_header(client: Client):
    action = faults.failed(429, "slow down", Retry_After="2")
    client.sandbox.faults.edit_api.add(EditFault(action=action))
    headers = {"Authorization": f"Bearer {client.sandbox.edit_api_key}"}
    url = f"{client.sandbox.edit_api_url}/v1/images/edit"
    async with client.session.post(url, json=ORDER, headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "2")


@pytest.mark.parametrize("action", [faults.CutReading(), faults.CutBefore(), faults.CutAfter()])
async def test_a_call_can_be_cut(client: Client, action: faults.EditAction):
    client.sandbox.faults.edit_api.add(EditFault(action=action))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.edit()
    (call,) = client.sandbox.edit_api.calls
    assert bool(call.body) is not isinstance(action, faults.CutReading)
    assert (call.status == 200) is isinstance(action, faults.CutAfter)


async def test_a_call_can_hang_until_it_is_released(client: Client):
    hang = faults.Hang()
    fault = client.sandbox.faults.edit_api.add(EditFault(action=hang))
    pending = asyncio.create_task(client.edit())
    await fault.happened()
    assert not pending.done()
    hang.release()
    assert (await pending)[0] == 200


@pytest.mark.parametrize("count", [0, 1])
async def test_fewer_images_can_come_than_were_ordered(client: Client, count: int):
    client.sandbox.faults.edit_api.add(EditFault(action=faults.Images(count)))
    _, body = await client.edit(n=3)
    assert len(addresses(body)) == count


async def test_an_address_can_be_another(client: Client):
    client.sandbox.faults.edit_api.add(EditFault(action=faults.Address("http://10.0.0.1/a.png")))
    _, body = await client.edit(n=2)
    assert addresses(body) == ["http://10.0.0.1/a.png"] * 2
    one = faults.Address("http://10.0.0.1/a.png", image=1)
    client.sandbox.faults.edit_api.add(EditFault(action=one))
    _, body = await client.edit(n=2)
    assert [url == one.url for url in addresses(body)] == [False, True]


async def test_a_fault_can_concern_the_calls_of_some_prompts_alone(client: Client):
    fault = EditFault(action=faults.failed(500), prompt="red", times=None)
    client.sandbox.faults.edit_api.add(fault)
    assert (await client.edit(prompt="make it blue"))[0] == 200
    assert (await client.edit(prompt="make it red"))[0] == 500


async def test_connections_can_be_refused_and_taken_again_on_the_same_port(client: Client):
    before = client.sandbox.edit_api_url
    await client.edit()
    await client.sandbox.edit_api.stop_listening()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.edit()
    await client.sandbox.edit_api.start_listening()
    assert client.sandbox.edit_api_url == before
    assert (await client.edit())[0] == 200


async def test_one_images_download_can_fail_and_the_others_not(client: Client):
    _, body = await client.edit(n=2)
    first, second = addresses(body)
    gone = faults.Answer(404)
    client.sandbox.faults.downloads.add(DownloadFault(action=gone, image=1, times=None))
    assert await client.download(first)
    with pytest.raises(aiohttp.ClientResponseError):
        await client.download(second)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (faults.Redirect(), aiohttp.TooManyRedirects),
        (faults.CutBefore(), aiohttp.ServerDisconnectedError),
        (faults.CutInside(), aiohttp.ClientPayloadError),
        (faults.LyingLength(by=10), aiohttp.ClientPayloadError),
    ],
)
async def test_a_download_can_fail(
    client: Client, action: faults.DownloadAction, error: type[Exception]
):
    _, body = await client.edit()
    client.sandbox.faults.downloads.add(DownloadFault(action=action, times=None))
    with pytest.raises(error):
        await client.download(addresses(body)[0])


async def test_a_download_can_be_endless_or_stall(client: Client):
    _, body = await client.edit()
    url = addresses(body)[0]
    client.sandbox.faults.downloads.add(DownloadFault(action=faults.Endless()))
    async with client.session.get(url) as response:
        await response.content.readexactly(20 * 1024 * 1024)
        response.close()
    stall = faults.Stall(after=10)
    client.sandbox.faults.downloads.add(DownloadFault(action=stall))
    async with client.session.get(url) as response:
        await response.content.readexactly(10)
        stall.release()
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_download_can_be_something_else_than_an_image(client: Client):
    _, body = await client.edit()
    client.sandbox.faults.downloads.add(DownloadFault(action=faults.NotAnImage()))
    assert await client.download(addresses(body)[0]) == b"This is not an image."


async def test_results_can_be_drawn_by_a_function_of_the_task(client: Client):
    client.sandbox.edit_api.answer_by(lambda task: f"{task.prompt} {task.variation}".encode())
    _, body = await client.edit(prompt="a cat", n=2)
    assert [await client.download(url) for url in addresses(body)] == [b"a cat 0", b"a cat 1"]
