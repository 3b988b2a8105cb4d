"""If a source or the edit API fails, the member is notified and not charged.

Each failure goes through the whole bot, from the command to the ledger's file.
"""

import asyncio
import struct
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from bot.domain.images import Source
from bot.domain.refusals import PictureElsewhere
from bot.downloads.connections import Timeouts
from bot.downloads.sources import SourceDownloads
from cogs.text.formats import relative_time
from cogs.text.outcomes import NOT_CHARGED, refusal_text
from sandbox.faults import (
    Address,
    Answer,
    CutAfter,
    CutBefore,
    CutInside,
    DownloadAction,
    DownloadFault,
    Drip,
    EditAction,
    EditFault,
    Endless,
    Hang,
    Images,
    NotAnImage,
    Redirect,
    Stall,
    declined,
    failed,
    not_json,
    other_shape,
)
from sandbox.sandbox import Sandbox, Upload
from tests.conftest import Events, RunningBot, StartBot
from tests.editing.ends import fails, succeeds
from tests.images_made import make_image, photo
from tests.members import Person

pytestmark = pytest.mark.usefixtures("small_results")

MIB = 2**20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
SHORT_TIMEOUTS = Timeouts(silence_s=0.1, image_s=0.8, pause_s=0.01)


def claim_size(image: bytes, width: int, height: int) -> bytes:
    """A PNG whose header has another size than its pixels."""
    header = b"IHDR" + struct.pack(">II", width, height) + image[24:29]
    return image[:12] + header + struct.pack(">I", zlib.crc32(header)) + image[33:]


# Refusals: what the command itself shows.

REFUSED: list[Any] = [
    pytest.param(
        {"image": Upload("notes.txt", b"Dear diary", "text/plain")},
        "can't edit that file. Attach a PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP, or GIF",
        id="type",
    ),
    pytest.param(
        {"image": Upload("logo.svg", make_image(), "image/png")},
        "can't edit that file",
        id="name",
    ),
    pytest.param(
        {"image": Upload("big.png", make_image(), "image/png", size=101 * MIB)},
        "That file is 101 MB. The limit is 100 MB.",
        id="bytes",
    ),
    pytest.param(
        {"image": Upload("wide.png", make_image(), "image/png", width=20_000, height=10_001)},
        "too large (20000 × 10001). The limit is 200 megapixels.",
        id="pixels",
    ),
    pytest.param({"prompt": " \n\t "}, "Your prompt is empty.", id="blank prompt"),
    pytest.param({"prompt": "\u200b\u2060"}, "Your prompt is empty.", id="invisible prompt"),
    pytest.param({"prompt": "\u2800\u3164\ufe0f"}, "Your prompt is empty.", id="blank letters"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED)
async def test_invalid_options_are_refused_privately_without_a_hold(
    sandbox: Sandbox, bot: RunningBot, ada: Person, options: dict[str, Any], said: str
):
    edit = await ada.edit(**options)
    answer = await edit.acknowledged()

    assert (answer.type, answer.ephemeral) == (4, True)
    message = await edit.settled()
    assert said in message.text
    assert NOT_CHARGED in message.text
    assert ada.row(edit) is None
    assert ada.account() == (0, 0)
    assert sandbox.edit_api.calls == []


@pytest.mark.parametrize(
    ("name", "kind", "value", "said"),
    [
        ("size", 3, "5:1", "“5\\:1” isn't an option for size."),
        ("size", 3, "**@everyone**", "“\\*\\*@\u200beveryone\\*\\*” isn't an option for size."),
        ("count", 4, 0, "“0” isn't an option for count."),
        ("count", 4, -1, "“\\-1” isn't an option for count."),
        ("count", 4, 2**53, "allows up to 4 images per edit"),
        ("prompt", 3, "x" * 6000, "Your prompt is 6,000 characters."),
        ("quality", 3, "ultra", "“ultra” isn't an option for quality."),
        ("quality", 3, {"low": 1}, ""),
        ("count", 3, "two", ""),
        ("private", 3, "yes", ""),
        ("image", 11, "1", ""),
    ],
)
async def test_options_that_no_client_offers_are_refused_privately_without_a_hold(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: int,
    value: object,
    said: str,
):
    dispatch = sandbox.discord.gateway.dispatch

    def dispatch_changed(event: str, payload: Any, *, guild_id: int | None) -> None:
        data = payload["data"]
        others = [option for option in data["options"] if option["name"] != name]
        data["options"] = [*others, {"name": name, "type": kind, "value": value}]
        dispatch(event, payload, guild_id=guild_id)

    monkeypatch.setattr(sandbox.discord.gateway, "dispatch", dispatch_changed)
    edit = await ada.edit()
    message = await edit.settled()
    assert message.ephemeral
    assert said in message.text
    assert NOT_CHARGED in message.text
    assert ada.row(edit) is None
    assert sandbox.edit_api.calls == []


async def test_an_image_that_is_not_hosted_by_discord_is_refused_without_a_connection(
    sandbox: Sandbox, bot: RunningBot, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _, writer: connections.append(writer), "127.0.0.1", 0
    )
    elsewhere = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/photo.png"
    dispatch = sandbox.discord.gateway.dispatch

    def dispatch_elsewhere(name: str, payload: Any, *, guild_id: int | None) -> None:
        for file in payload["data"]["resolved"]["attachments"].values():
            file["url"] = elsewhere
        dispatch(name, payload, guild_id=guild_id)

    monkeypatch.setattr(sandbox.discord.gateway, "dispatch", dispatch_elsewhere)
    edit = await ada.edit()
    answer = await edit.settled()
    assert answer.ephemeral
    assert answer.text == refusal_text(PictureElsewhere())
    assert ada.row(edit) is None
    server.close()
    assert connections == []


@pytest.mark.parametrize("quota", [0, 15])
async def test_an_edit_over_the_quota_is_refused_with_its_price_and_the_balance(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, quota: int
):
    await start_bot(default_quota=quota)
    edit = await ada.edit(quality="high")
    answer = await edit.acknowledged()

    assert (answer.type, answer.ephemeral) == (4, True)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    text = (await edit.settled()).text
    assert f"This edit costs 16 credits and you have {quota} left" in text
    midnight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    assert f"Your credits reset {relative_time(midnight)}." in text
    assert NOT_CHARGED in text
    assert ada.row(edit) is None
    assert sandbox.edit_api.calls == []


async def test_only_one_of_two_simultaneous_edits_is_held_if_credits_cover_one(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(default_quota=8)
    edits = [await ada.edit(), await ada.edit()]
    answers = [await edit.acknowledged() for edit in edits]

    assert sorted(answer.type for answer in answers) == [4, 5]
    taken = next(edit for edit, answer in zip(edits, answers, strict=True) if answer.type == 5)
    await succeeds(ada, events, taken)
    assert len(sandbox.edit_api.calls) == 1


# Sources: what only the bytes show.


async def test_a_file_whose_bytes_are_not_an_image_voids_the_hold(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit = await ada.edit(image=Upload("a.png", SVG, "image/png"))
    message = await fails(ada, events, edit, "failed", "not_a_picture")
    assert "Attach a PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP, or GIF" in message.text
    assert sandbox.edit_api.calls == []


async def test_a_file_larger_than_declared_voids_the_hold(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, tmp_path: Path
):
    file = tmp_path / "large.png"
    with file.open("wb") as large:
        large.truncate(101 * MIB)
    edit = await ada.edit(image=Upload("large.png", file, "image/png", size=1000))
    message = await fails(ada, events, edit, "failed", "too_large")
    assert "The limit is 100 MB" in message.text
    assert sandbox.edit_api.calls == []


async def test_an_image_with_more_pixels_than_declared_voids_the_hold(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    data = claim_size(make_image(), 60_000, 60_000)
    edit = await ada.edit(image=Upload("a.png", data, "image/png", width=90, height=80))
    message = await fails(ada, events, edit, "failed", "too_many_pixels")
    assert "The limit is 200 megapixels" in message.text
    assert sandbox.edit_api.calls == []


async def test_a_source_that_is_gone_from_discord_voids_the_hold(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, tmp_path: Path
):
    file = tmp_path / "gone.png"
    file.write_bytes(make_image())
    edit = await ada.edit(image=Upload("gone.png", file, "image/png"))
    file.unlink()
    message = await fails(ada, events, edit, "failed", "source_unreadable")
    assert "Attach it again." in message.text
    assert sandbox.edit_api.calls == []


# Edits that the API declines.

DECLINED: list[Any] = [
    pytest.param(
        declined("No faces, please."), "declined this edit: “No faces, please.”", id="code"
    ),
    pytest.param(declined(""), "Try a different prompt or image.", id="code without a message"),
    pytest.param(failed(400, "Too blue."), "declined this edit: “Too blue.”", id="400"),
    pytest.param(failed(422, "Too blue."), "declined this edit: “Too blue.”", id="422"),
    pytest.param(
        Answer(413, body=b"<p>no</p>"), "declined this edit. Try a different", id="no message"
    ),
]


@pytest.mark.parametrize(("action", "said"), DECLINED)
async def test_a_declined_edit_quotes_the_api_and_is_free(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, action: EditAction, said: str
):
    sandbox.faults.edit_api.add(EditFault(action=action))
    message = await fails(ada, events, await ada.edit(), "declined", "api_declined")
    assert said in message.text
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("@everyone and @here", "@\u200beveryone and @\u200bhere"),
        ("<@{member}> <@&{guild}>", "\\<@\u200b{member}>"),
        ("**bold** __line__ ||hidden|| `code`", "\\*\\*bold\\*\\*"),
        ("[free](https://evil.example) <https://evil.example>", "\\[free\\]("),
        ("Sorry.\n# We charge twice\n> quoted", "\n\\# We charge twice"),
        ("top" + "\n" * 4000 + "bottom", "top"),
        ("a\n\u202eb" * 900, "a\nb"),
    ],
    ids=["everyone", "mentions", "markdown", "masked link", "heading", "newlines", "long"],
)
async def test_the_apis_message_is_escaped(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, message: str, shown: str
):
    ids = {"member": str(ada.member.id), "guild": str(ada.member.guild.id)}
    for name, value in ids.items():
        message = message.replace(f"{{{name}}}", value)
        shown = shown.replace(f"{{{name}}}", value)
    sandbox.faults.edit_api.add(EditFault(action=declined(message)))
    told = await fails(ada, events, await ada.edit(), "declined", "api_declined")

    assert shown in told.text
    assert "\n\n\n" not in told.text
    assert len(told.text) < 1_200
    assert not told.pinged


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_rejected_key_is_logged_for_the_owner_and_not_quoted_to_members(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, status: int
):
    sandbox.faults.edit_api.add(EditFault(action=failed(status, "Your card was refused")))
    message = await fails(ada, events, await ada.edit(), "failed", "api_misconfigured")
    assert "because of a setup problem" in message.text
    assert "Let the bot owner know" in message.text
    assert "card" not in message.text
    await events.logs("edit.faulted", level="error", reason="api_misconfigured")
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("@everyone <@{member}> ||hidden||", "@\u200beveryone \\<@\u200b{member}> \\|\\|hidden"),
        (
            "[free](https://evil.example)\n# Heading",
            "\\[free\\](https\\://evil.example)\n\\# Heading",
        ),
        ("top" + "\n" * 3990 + "bottom", "top\nbottom"),
        ("*" * 4000, "\\*" * 149 + "…"),
    ],
    ids=["mentions", "masked link", "newlines", "long"],
)
async def test_a_prompt_is_escaped(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, prompt: str, shown: str
):
    member = str(ada.member.id)
    edit = await ada.edit(prompt=prompt.replace("{member}", member))
    message = await succeeds(ada, events, edit)
    assert shown.replace("{member}", member) in message.text
    assert len(message.text) < 1_200
    assert not message.pinged
    assert not message.now.mentions


# Throttling.


def soon() -> str:
    """The next second, as an HTTP date."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
async def test_a_throttled_call_is_retried_when_the_api_says(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, status: int, as_date: bool
):
    retry_after = soon() if as_date else "0.1"
    throttled = failed(status, "slow down", Retry_After=retry_after)
    sandbox.faults.edit_api.add(EditFault(action=throttled))
    await succeeds(ada, events, await ada.edit())
    assert len(sandbox.edit_api.calls) == 2


BUSY: list[Any] = [
    pytest.param(failed(429, "slow down", Retry_After="0.05"), 3, id="three times 429"),
    pytest.param(failed(503, "slow down", Retry_After="0.05"), 3, id="three times 503"),
    pytest.param(failed(429, "slow down", Retry_After="61"), 1, id="more than a minute"),
    pytest.param(
        failed(429, "slow down", Retry_After="Fri, 31 Dec 2100 23:59:59 GMT"), 1, id="a far date"
    ),
    pytest.param(failed(429, "slow down"), 1, id="429 that does not say how long"),
]


@pytest.mark.parametrize(("action", "calls"), BUSY)
async def test_a_busy_api_is_called_at_most_three_times_within_a_minute(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, action: EditAction, calls: int
):
    sandbox.faults.edit_api.add(EditFault(action=action, times=None))
    message = await fails(ada, events, await ada.edit(), "failed", "api_busy")
    assert "The image service is busy. Try again in a few minutes." in message.text
    assert len(sandbox.edit_api.calls) == calls


# Failures of the API.

SERVICE_FAILS: list[Any] = [
    pytest.param(failed(500), id="500"),
    pytest.param(failed(502), id="502"),
    pytest.param(failed(503), id="503 that does not say how long"),
    pytest.param(CutBefore(), id="cut before the body"),
    pytest.param(CutAfter(), id="cut after the body"),
    pytest.param(Hang(), id="time-out"),
    pytest.param(not_json(), id="no JSON"),
    pytest.param(other_shape(), id="another shape"),
    pytest.param(Answer(200, []), id="an array"),
    pytest.param(Answer(200, {"code": "0", "data": None}), id="a code that is no number"),
    pytest.param(Answer(302, headers={"Location": "/v2/images/edit"}), id="redirect"),
]


@pytest.mark.parametrize("action", SERVICE_FAILS)
async def test_a_call_that_may_have_been_executed_is_never_retried(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, action: EditAction
):
    await start_bot(edit_timeout=0.5)
    sandbox.faults.edit_api.add(EditFault(action=action))
    message = await fails(ada, events, await ada.edit(), "failed", "api_failed")
    assert "The image service ran into an error. Try again." in message.text
    assert len(sandbox.edit_api.calls) == 1


async def test_a_failed_connection_is_retried(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    await sandbox.edit_api.stop_listening()
    edit = await ada.edit()
    await events.logs("edit.sent", edit=str(edit.id))
    await sandbox.edit_api.start_listening()
    await succeeds(ada, events, edit)
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize("api_url", [None, "http://api.invalid"], ids=["refused", "no such name"])
async def test_an_unreachable_api_is_never_called_and_the_edit_fails(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, api_url: str | None
):
    await start_bot(SHORT_TIMEOUTS, **({"edit_api_url": URL(api_url)} if api_url else {}))
    await sandbox.edit_api.stop_listening()
    message = await fails(ada, events, await ada.edit(), "failed", "api_unreachable")
    assert "The image service ran into an error. Try again." in message.text
    assert sandbox.edit_api.calls == []


# Failures of the results.


@pytest.mark.parametrize(("asked", "given", "charged"), [(2, 1, 1), (4, 3, 3), (1, 3, 1)])
async def test_only_images_that_were_requested_and_received_are_posted_and_charged(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    asked: int,
    given: int,
    charged: int,
):
    sandbox.faults.edit_api.add(EditFault(action=Images(given)))
    message = await succeeds(ada, events, await ada.edit(count=asked), images=charged)
    assert f" · {8 * charged} credits · " in message.text
    assert f"Left {80 - 8 * charged} " in await ada.credits()
    missing = f"{asked - charged} of {asked} images failed. You weren't charged for"
    assert (missing in message.text) is (charged < asked)


async def test_a_success_without_images_is_free(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=Images(0)))
    message = await fails(ada, events, await ada.edit(), "failed", "no_result")
    assert "didn't return an image. Try again." in message.text
    assert len(sandbox.edit_api.calls) == 1


async def test_a_lost_image_is_not_charged_and_the_others_are_posted(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(SHORT_TIMEOUTS)
    lost = DownloadFault(action=Answer(410), image=0, times=None)
    sandbox.faults.downloads.add(lost)
    message = await succeeds(ada, events, await ada.edit(count=2), images=1)
    assert "1 of 2 images failed. You weren't charged for it." in message.text
    assert lost.fired == 3
    assert len(sandbox.edit_api.calls) == 1


async def test_an_interrupted_download_is_restarted(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(SHORT_TIMEOUTS)
    cut = sandbox.faults.downloads.add(DownloadFault(action=CutInside(100)))
    await succeeds(ada, events, await ada.edit())
    assert cut.fired == 1
    assert len(sandbox.edit_api.calls) == 1


LOST: list[Any] = [
    pytest.param(NotAnImage(), 1, id="no picture"),
    pytest.param(Endless(), 1, id="too large"),
    pytest.param(Answer(403), 1, id="forbidden"),
    pytest.param(Answer(410), 3, id="gone"),
    pytest.param(Redirect(), 4, id="redirected for ever"),
    pytest.param(Redirect("http://169.254.169.254/latest"), 1, id="redirected to a metadata host"),
    pytest.param(Redirect("http://[::ffff:10.0.0.1]/"), 1, id="redirected to a private address"),
    pytest.param(Redirect("file:///etc/passwd"), 1, id="redirected to a file"),
    pytest.param(Stall(), 3, id="silent"),
    pytest.param(Drip(0.01), 1, id="slow"),
]


@pytest.mark.parametrize(("action", "requests"), LOST)
async def test_a_lost_result_is_free_and_only_its_download_is_retried(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    action: DownloadAction,
    requests: int,
):
    await start_bot(SHORT_TIMEOUTS)
    fault = sandbox.faults.downloads.add(DownloadFault(action=action, times=None))
    message = await fails(ada, events, await ada.edit(), "failed", "no_result")
    assert "didn't return an image. Try again." in message.text
    assert fault.fired == requests
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/a.png",
        "http://2130706433/a.png",
        "http://[fd00::1]/a.png",
        "ftp://example.com/a.png",
        "a.png",
    ],
)
async def test_a_result_at_a_forbidden_address_is_free_and_never_fetched(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, address: str
):
    sandbox.faults.edit_api.add(EditFault(action=Address(address)))
    await fails(ada, events, await ada.edit(), "failed", "no_result")
    assert sandbox.edit_api.results.downloads == 0
    assert len(sandbox.edit_api.calls) == 1


# Sources that never arrive, and unexpected errors.


async def test_an_edit_whose_source_never_arrives_expires(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.scheduling.call_schedule.MAX_WAIT", timedelta(seconds=0.3))

    async def never(_downloads: SourceDownloads, _url: str) -> Source | None:
        return await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(SourceDownloads, "probe", never)
    message = await fails(ada, events, await ada.edit(), "expired", "expired")
    assert "waited in the queue" in message.text
    assert sandbox.edit_api.calls == []


async def test_a_source_that_never_arrives_delays_no_other_edit(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    await start_bot(edit_concurrency=1)
    probe, begun = SourceDownloads.probe, asyncio.Event()

    async def never_the_first(downloads: SourceDownloads, url: str) -> Source | None:
        if not begun.is_set():
            begun.set()
            await asyncio.get_running_loop().create_future()
        return await probe(downloads, url)

    monkeypatch.setattr(SourceDownloads, "probe", never_the_first)
    await ada.edit()
    await begun.wait()
    assert len((await (await ada.edit()).settled()).files) == 1


async def test_an_unexpected_error_ends_with_a_reference_that_is_in_the_log(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, monkeypatch: pytest.MonkeyPatch
):
    async def fail(_downloads: SourceDownloads, _url: str) -> Source | None:
        raise LookupError("unexpected")

    monkeypatch.setattr(SourceDownloads, "probe", fail)
    edit = await ada.edit()
    message = await fails(ada, events, edit, "failed", "unforeseen")
    logged = await events.logs("edit.unforeseen", edit=str(edit.id))
    assert f"this code: `{logged['reference']}`" in message.text
    assert sandbox.edit_api.calls == []


async def test_failed_edits_do_not_stop_later_ones(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    for action in (failed(500), declined("no"), Images(0), CutAfter()):
        sandbox.faults.edit_api.add(EditFault(action=action))
    edits = [await ada.edit(image=photo(f"{number}.png")) for number in range(6)]
    for edit in edits:
        await edit.settled()
        await events.logs("edit.closed", edit=str(edit.id))

    assert sum(len(edit.message.files) for edit in edits if edit.message) == 2
    assert ada.account() == (0, 16)
    assert len(sandbox.edit_api.calls) == 6
