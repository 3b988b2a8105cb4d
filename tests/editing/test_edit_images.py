"""Images of every kind go through the whole bot, and results are posted in sizes that fit."""

import io
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from PIL import Image

from sandbox.faults import Hang, token_dead, too_large
from sandbox.sandbox import Interaction, Sandbox, Upload
from tests.conftest import Events, RunningBot, StartBot
from tests.editing.ends import fails, succeeds
from tests.images_made import HEIC, camera_exif, draw_corners, wide_profile
from tests.members import Person
from tests.services import at_discord, take_the_slot

MIB = 2**20
FIRST_FRAME = "Only the first frame of your image was used."
MADE_SMALLER = "Your image was resized before editing."
REENCODED = "to fit this server's upload limit"

FRAMES: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (300, 200))]}


@cache
def encode(kind: str, mode: str = "RGB", size: tuple[int, int] = (300, 200)) -> bytes:
    """Encode an image with a different color in each corner."""
    return save(draw_corners(*size, mode=mode), kind)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode an image."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def upload(name: str, data: bytes) -> Upload:
    """A file as a member attaches it."""
    ending = name.rpartition(".")[2]
    return Upload(name, data, f"image/{ {'jpg': 'jpeg', 'tif': 'tiff'}.get(ending, ending) }")


# Sources.

SUPPORTED: list[Any] = [
    pytest.param("a.png", lambda: encode("PNG"), id="PNG"),
    pytest.param("a.png", lambda: encode("PNG", "RGBA"), id="transparent PNG"),
    pytest.param(
        "a.jpg",
        lambda: save(draw_corners(), "JPEG", exif=camera_exif(6), icc_profile=wide_profile()),
        id="JPEG on its side",
    ),
    pytest.param("a.webp", lambda: encode("WEBP"), id="WebP"),
]


@pytest.mark.parametrize(("name", "make"), SUPPORTED)
@pytest.mark.usefixtures("small_results")
async def test_a_source_that_the_api_supports_is_sent_as_a_url(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    name: str,
    make: Callable[[], bytes],
):
    data = make()
    message = await succeeds(ada, events, await ada.edit(image=upload(name, data)))
    [call] = sandbox.edit_api.calls
    assert str(call.body["image"]).startswith("http://")
    assert call.source_bytes == len(data)
    assert "original" not in message.text


CONVERTED: list[Any] = [
    pytest.param("a.heic", HEIC.read_bytes, [], id="HEIC"),
    pytest.param("a.avif", lambda: encode("AVIF"), [], id="AVIF"),
    pytest.param("a.tif", lambda: encode("TIFF"), [], id="TIFF"),
    pytest.param("a.bmp", lambda: encode("BMP"), [], id="BMP"),
    pytest.param("a.gif", lambda: encode("GIF"), [], id="GIF"),
    pytest.param(
        "a.gif", lambda: save(draw_corners(), "GIF", **FRAMES), [FIRST_FRAME], id="animated GIF"
    ),
    pytest.param(
        "a.webp", lambda: save(draw_corners(), "WEBP", **FRAMES), [FIRST_FRAME], id="animated WebP"
    ),
    pytest.param("a.jpg", lambda: encode("JPEG", "CMYK"), [], id="CMYK"),
    pytest.param("a.png", lambda: save(Image.new("I;16", (300, 200)), "PNG"), [], id="16 bits"),
    pytest.param(
        "a.jpg", lambda: encode("JPEG", "L", (5300, 5000)), [MADE_SMALLER], id="26 megapixels"
    ),
    pytest.param(
        "a.png", lambda: encode("PNG") + bytes(20 * MIB), [MADE_SMALLER], id="more than 20 MiB"
    ),
]


@pytest.mark.parametrize(("name", "make", "said"), CONVERTED)
async def test_a_source_that_the_api_may_not_support_is_converted_once_and_sent_as_data(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    name: str,
    make: Callable[[], bytes],
    said: list[str],
):
    message = await succeeds(ada, events, await ada.edit(image=upload(name, make())))
    [call] = sandbox.edit_api.calls
    assert str(call.body["image"]).startswith("data:image/jpeg;base64,")
    assert call.body["size"] in {"4:3", "1:1"}
    for note in (FIRST_FRAME, MADE_SMALLER):
        assert (note in message.text) is (note in said)


async def test_a_source_whose_header_is_last_is_read_whole_and_sent_as_a_url(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    picture = Image.frombytes("RGB", (900, 700), os.urandom(900 * 700 * 3))
    data = save(picture, "WEBP", lossless=True, quality=0, exif=camera_exif(6))
    assert len(data) > MIB
    await succeeds(ada, events, await ada.edit(image=upload("a.webp", data)))
    [call] = sandbox.edit_api.calls
    assert str(call.body["image"]).startswith("http://")
    assert call.body["size"] == "3:4"


def half(data: bytes) -> bytes:
    """The first half of a file."""
    return data[: len(data) // 2]


BROKEN: list[Any] = [
    pytest.param("a.jpg", lambda: half(encode("JPEG", size=(1500, 1000))), id="JPEG"),
    pytest.param("a.png", lambda: half(encode("PNG", size=(1500, 1000))), id="PNG"),
    pytest.param("a.webp", lambda: half(encode("WEBP", size=(1500, 1000))), id="WebP"),
    pytest.param("a.tif", lambda: half(encode("TIFF")), id="TIFF"),
    pytest.param("a.heic", lambda: HEIC.read_bytes()[:-100], id="HEIC"),
    pytest.param("a.jpg", lambda: half(encode("JPEG", "CMYK", (900, 700))), id="CMYK"),
]


@pytest.mark.parametrize(("name", "make"), BROKEN)
async def test_a_broken_image_is_reported_and_free(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    name: str,
    make: Callable[[], bytes],
):
    edit = await ada.edit(image=upload(name, make()))
    message = await fails(ada, events, edit, "failed", "source_broken")
    assert "That image file is damaged" in message.text
    assert sandbox.edit_api.calls == []


async def test_changes_to_a_source_are_mentioned_after_a_restart_too(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot()
    post = at_discord(sandbox, Hang(), method="PATCH", path="@original$")
    edit = await ada.edit(image=upload("a.gif", save(draw_corners(), "GIF", **FRAMES)))
    await post.happened()
    await bot.stop()
    await start_bot()
    assert FIRST_FRAME in (await succeeds(ada, events, edit)).text


async def test_the_source_of_a_queued_edit_is_converted_again_after_a_restart(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    await take_the_slot(sandbox, ada)
    edit = await ada.edit(image=upload("a.tif", encode("TIFF")))
    await events.logs("edit.ready", edit=str(edit.id))
    await bot.stop()
    await start_bot(edit_concurrency=1)
    await succeeds(ada, events, edit)
    assert str(sandbox.edit_api.calls[-1].body["image"]).startswith("data:image/jpeg;base64,")


# Results.


@cache
def noise(size: int) -> bytes:
    """A PNG of at least `size` bytes that hardly compresses."""
    side = 1 + int((size / 3) ** 0.5)
    return save(Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)), "PNG")


async def edit_within(ada: Person, limit: int, count: int = 1) -> Interaction:
    """Run `/edit` in a server with this upload limit."""
    image = upload("a.png", encode("PNG"))
    options = {"image": image, "prompt": "make it blue", "count": count}
    return await ada.sandbox.discord.invoke(
        ada.channel, ada.member, "edit", options, attachment_size_limit=limit
    )


async def test_a_result_that_fits_is_posted_byte_for_byte(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    result = noise(MIB)
    sandbox.edit_api.answer_with([result])
    message = await succeeds(ada, events, await edit_within(ada, len(result)))
    assert [file.path.read_bytes() for file in message.files] == [result]
    assert REENCODED not in message.text


async def test_a_result_that_is_too_large_is_reencoded_in_the_best_quality_that_fits(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    small, large = encode("PNG"), noise(MIB)
    sandbox.edit_api.answer_with([small, large])
    message = await succeeds(ada, events, await edit_within(ada, MIB // 2, 2), images=2)
    first, second = message.files
    assert first.path.read_bytes() == small
    assert MIB // 8 < second.size <= MIB // 2
    assert second.name.endswith(".webp")
    assert "1 of 2 images compressed to fit" in message.text
    assert "images failed" not in message.text


async def test_images_that_only_fit_one_by_one_are_all_posted(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.editing.delivery.UPLOAD_LIMIT", 3 * MIB)
    result = noise(MIB)
    sandbox.edit_api.answer_with([result])
    message = await succeeds(ada, events, await edit_within(ada, 2 * MIB, 4), images=4)
    assert sum(file.size for file in message.files) <= 3 * MIB
    assert "images compressed" in message.text


async def test_images_that_discord_finds_too_large_are_halved(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.edit_api.answer_with([noise(MIB)])
    refused = at_discord(sandbox, too_large(), method="PATCH", path="@original$", times=2)
    message = await succeeds(ada, events, await edit_within(ada, 2 * MIB))
    assert refused.fired == 2
    assert message.files[0].size <= MIB // 2
    assert "Compressed to fit" in message.text
    assert ada.sandbox.discord.messages(ada.channel) == [message]


async def test_images_that_the_channel_route_finds_too_large_are_halved(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.edit_api.answer_with([noise(MIB)])
    for action, path, times in (
        (token_dead(), "@original$", None),
        (too_large(), r"^/channels/\d+/messages/\d+$", 2),
    ):
        at_discord(sandbox, action, method="PATCH", path=path, times=times)
    message = await succeeds(ada, events, await edit_within(ada, 2 * MIB))
    assert message.files[0].size <= MIB // 2
    assert ada.sandbox.discord.messages(ada.channel) == [message]


async def test_reencoding_of_a_result_is_mentioned_after_a_restart_too(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot()
    sandbox.edit_api.answer_with([noise(MIB)])
    post = at_discord(sandbox, Hang(), method="PATCH", path="@original$")
    edit = await edit_within(ada, MIB // 2)
    await post.happened()
    await bot.stop()
    await start_bot()
    message = await succeeds(ada, events, edit)
    assert message.files[0].size <= MIB // 2
    assert "Compressed to fit" in message.text
