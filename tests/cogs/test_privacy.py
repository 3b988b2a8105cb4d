"""`/privacy`: members get all that is kept about them, alone, and have it erased, asked once."""

import asyncio
import io
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bot.domain.quotas import OperatorLimits
from bot.ledger.archive import Erasure
from bot.ledger.sqlite import SqliteStores
from bot.reports.bounded_zip import BoundedZip
from bot.reports.member_export import KEYS, PAGE, MemberExport, export_member
from bot.settings import Settings
from cogs.privacy import KEPT, NOT_UPLOADED, NOTHING_LEFT, QUESTION, deleted_text
from cogs.text.formats import plural
from sandbox.discord.messages import Message
from sandbox.faults import Answer, DiscordFault, DownloadFault, EditFault, Hang, declined, too_large
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import make_image
from tests.invariants import find_contradictions
from tests.members import Person, buttons_of, look_up
from tests.orders import TOKEN, order
from tests.services import hang
from tests.store_faults import broken, locked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGINAL = "/messages/@original$"
PRIVATE = (
    *("member_name", "role_ids", "prompt", "source_name", "source_address"),
    *("result_addresses", "detail"),
)
Json = Mapping[str, Any]


@pytest.fixture(autouse=True)
def small_results(request: pytest.FixtureRequest) -> None:
    """The edit API, where there is one, answers with small pictures at once."""
    if "sandbox" in request.fixturenames:
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        sandbox.edit_api.answer_with([make_image(width=64, height=48)])


@pytest.fixture
def bob(sandbox: Sandbox, settings: Settings) -> Person:
    """Another member of the same server."""
    return Person.join(sandbox, settings, "Bob")


async def closed_edit(person: Person, events: Events, **options: Any) -> Interaction:
    """An edit of which nothing is left to be done."""
    edit = await person.edit(**options)
    await events.logs("edit.closed", edit=str(edit.id))
    return edit


def read_export(message: Message) -> Json:
    """The one file of an answer."""
    (file,) = message.files
    assert file.name == "my-data.json"
    return json.loads(file.path.read_text(encoding="utf-8"))


async def export(person: Person) -> Json:
    return read_export(await person.run("privacy export"))


async def pressed(person: Person, message: Message, label: str) -> str:
    """What the message says after a button of it was pressed."""
    await person.press(message, label)
    return (await shows(person, message, lambda text: QUESTION not in text)).text


async def shows(person: Person, message: Message, satisfied: Callable[[str], bool]) -> Message:
    """Wait until a message's text satisfies a condition."""
    return await person.sandbox.discord.world.changed.until(
        lambda: message if satisfied(message.text) else None, timeout=15
    )


# The file.


async def test_results_that_nobody_paid_for_are_not_exported(
    ada: Person, sandbox: Sandbox, events: Events, bot: RunningBot
):
    call = hang(sandbox)
    unpaid = await ada.edit(prompt="make it blue")
    await sandbox.edit_api.called()
    sandbox.discord.delete(await unpaid.until(lambda message: message.loading))
    call.release()
    await events.logs("edit.closed", edit=str(unpaid.id))
    sandbox.faults.downloads.add(DownloadFault(action=Answer(403), image=1))
    partly_paid = await closed_edit(ada, events, count=2)
    paid = await closed_edit(ada, events)

    edits = {edit["id"]: edit for edit in read_export(await ada.run("privacy export"))["edits"]}

    assert [edits[str(edit.id)]["charged"] for edit in (unpaid, partly_paid, paid)] == [0, 8, 8]
    assert edits[str(unpaid.id)]["result_addresses"] == []
    assert edits[str(partly_paid.id)]["result_addresses"] == []
    assert len(edits[str(paid.id)]["result_addresses"]) == 1


async def test_a_member_gets_all_that_is_kept_about_them_in_a_private_file(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    edit = await closed_edit(ada, events, prompt="É“\u2028”\n日本", count=2, quality="low")
    sandbox.faults.edit_api.add(EditFault(action=declined("No faces, please.")))
    await closed_edit(ada, events, private=True)

    answer = await ada.run("privacy export")

    assert answer.ephemeral
    assert "2 edits over 1 day." in answer.text
    data = read_export(answer)
    assert (data["server_id"], data["member_id"]) == (
        str(ada.member.guild.id),
        str(ada.member.id),
    )
    (account,) = data["accounts"]
    assert (account["granted"], account["held"], account["spent"], account["sent"]) == (0, 0, 8, 8)
    refused, delivered = data["edits"]
    assert edit.message is not None
    assert delivered == delivered | {
        "id": str(edit.id),
        "channel_id": str(ada.channel.id),
        "message": f"https://discord.com/channels/{ada.member.guild.id}/{ada.channel.id}/"
        f"{edit.message.id}",
        "quality": "low",
        "size": "source",
        "ratio": "4:3",
        "count": 2,
        "private": False,
        "price": 4,
        "state": "delivered",
        "reason": None,
        "posted": 2,
        "charged": 8,
        "erased": False,
        "member_name": "Ada",
        "role_ids": [str(ada.member.guild.id)],
        "prompt": "É“\u2028”\n日本",
        "source_name": "photo.png",
        "detail": None,
    }
    assert len(delivered["result_addresses"]) == 2
    assert delivered["source_address"].startswith("http")
    assert (refused["state"], refused["detail"]) == ("declined", "No faces, please.")
    assert (refused["private"], refused["charged"], refused["result_addresses"]) == (True, 0, [])
    assert data["edits_left_out"] == 0


async def test_times_are_utc_and_in_the_order_of_an_edits_life(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    data = await export(ada)
    (edit,), made_at = data["edits"], data["made_at"]
    steps = ("held_at", "acknowledged_at", "submitted_at", "rendered_at", "ended_at")
    times = [edit[step] for step in steps]
    assert all(time.endswith("Z") for time in [*times, made_at])
    assert sorted(times) == times
    assert datetime.now(UTC) - datetime.fromisoformat(made_at) < timedelta(minutes=1)


async def test_the_file_says_what_each_of_its_keys_means(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    data = await export(ada)
    said = ", ".join(data["keys"])
    for key in (*data, *data["edits"][0]):
        assert key in {"keys", "id", "channel_id"} or key in said
    assert data["keys"] == KEYS


async def test_no_token_of_an_interaction_is_ever_in_the_file(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    called = hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()

    (file,) = (await ada.run("privacy export")).files

    assert edit.token not in file.path.read_text(encoding="utf-8")
    assert '"state": "submitted"' in file.path.read_text(encoding="utf-8")
    called.release()
    await events.logs("edit.closed", edit=str(edit.id))


async def test_what_others_have_and_other_servers_is_not_in_the_file(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    await closed_edit(bob, events)
    other = sandbox.discord.add_guild("Elsewhere")
    elsewhere = Person.join(sandbox, ada.settings, "Ada", guild=other)
    await closed_edit(elsewhere, events)
    data = await export(ada)
    assert (data["accounts"], data["edits"]) == ([], [])


async def test_what_does_not_fit_even_so_is_told(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    chance = random.Random(1)
    for _ in range(4):
        await closed_edit(ada, events, quality="low", prompt=chance.randbytes(1_900).hex())

    command = await sandbox.discord.invoke(
        ada.channel, ada.member, "privacy export", attachment_size_limit=14_000
    )
    message = await command.settled()

    (file,) = message.files
    with ZipFile(file.path) as archive:
        data = json.loads(archive.read("my-data.json"))
    assert 0 < len(data["edits"]) < 4
    assert data["edits_left_out"] == 4 - len(data["edits"])
    assert (
        plural(
            data["edits_left_out"],
            "The oldest edit didn't fit",
            "The {count} oldest edits didn't fit",
        )
        in message.text
    )


async def test_a_file_that_discord_does_not_take_is_told(
    sandbox: Sandbox, bot: RunningBot, ada: Person
) -> None:
    sandbox.faults.discord.add(
        DiscordFault(action=too_large(), method="PATCH", path=ORIGINAL, with_files=True, times=None)
    )
    message = await ada.run("privacy export")
    assert NOT_UPLOADED in message.text
    assert message.files == ()


async def test_an_export_whose_ledger_fails_says_so(bot: RunningBot, ada: Person) -> None:
    with broken(bot.settings.database, "account"):
        message = await ada.run("privacy export")
    assert message.ephemeral
    assert "trouble saving" in message.text
    assert message.files == ()


# Files of any size.


async def hold_many(stores: SqliteStores, edits: int, *, prompt: int = 1_500) -> None:
    """Edits of Ada's, a minute after each other, with prompts that compress badly."""
    chance = random.Random(1)

    async def hold(edit_id: int) -> None:
        text = chance.randbytes(prompt // 2).hex()
        now = NOON + timedelta(minutes=edit_id)
        wanted = order(edit_id, prompt=text, member_name="Ada 日本")
        await stores.ledger.hold(wanted, limits=OperatorLimits(None), owner="test", now=now)

    await asyncio.gather(*map(hold, range(1, edits + 1)))


async def made(stores: SqliteStores, folder: Path, limit: int) -> tuple[MemberExport, Json]:
    """The file of Ada's, which is no larger than it may be, and what is in it."""
    file = await export_member(stores.archive, 20, 40, folder, limit=limit, now=NOON)
    content = file.file.read_bytes()
    assert len(content) <= limit
    if file.file.suffix == ".zip":
        with ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("my-data.json")
    assert TOKEN.encode() not in content
    return file, json.loads(content.decode())


async def test_a_file_of_many_pages_has_each_edit_once_and_the_newest_first(
    stores: SqliteStores, tmp_path: Path
) -> None:
    edits = 2 * PAGE + 1
    await hold_many(stores, edits, prompt=40)
    file, data = await made(stores, tmp_path, 10 * 2**20)
    assert [int(edit["id"]) for edit in data["edits"]] == list(range(edits, 0, -1))
    assert (file.file.name, file.edits, file.left_out, file.days) == ("my-data.json", edits, 0, 2)


async def test_a_file_that_is_too_large_for_discord_is_zipped(
    stores: SqliteStores, tmp_path: Path
) -> None:
    await hold_many(stores, 600)
    whole, _ = await made(stores, tmp_path, 10 * 2**20)
    assert whole.file.name == "my-data.json"
    file, data = await made(stores, tmp_path, whole.file.stat().st_size - 1)
    assert file.file.name == "my-data.json.zip"
    assert (len(data["edits"]), data["edits_left_out"]) == (600, 0)


@pytest.mark.parametrize("limit", [500_000, 800_000, 1_200_000, 2_000_000])
async def test_of_too_many_edits_the_newest_that_fit_are_in_the_file(
    stores: SqliteStores, tmp_path: Path, limit: int
) -> None:
    edits = PAGE + 100
    await hold_many(stores, edits, prompt=4_000)
    file, data = await made(stores, tmp_path, limit)
    ids = [int(edit["id"]) for edit in data["edits"]]
    assert ids == list(range(edits, edits - len(ids), -1))
    assert (file.edits, file.left_out) == (len(ids), edits - len(ids))
    assert data["edits_left_out"] == file.left_out
    # What it leaves unused is what the compression may have withheld, and no more.
    assert file.left_out == 0 or file.file.stat().st_size > limit - 400_000


@pytest.mark.parametrize("spare", [0, 1])
async def test_a_file_is_plain_as_long_as_it_fits_to_the_byte(
    stores: SqliteStores, tmp_path: Path, spare: int
) -> None:
    await hold_many(stores, 30)
    whole, _ = await made(stores, tmp_path, 10 * 2**20)
    # The foot has room for a number of twenty digits, and needs one.
    file, _ = await made(stores, tmp_path, whole.file.stat().st_size + 18 - spare)
    assert file.file.name == ("my-data.json.zip" if spare else "my-data.json")


async def test_the_loop_goes_on_while_a_large_file_is_written(
    stores: SqliteStores, tmp_path: Path
) -> None:
    await hold_many(stores, PAGE, prompt=4_000)
    writing = asyncio.create_task(made(stores, tmp_path, 600_000))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    await writing


def test_a_zip_that_is_full_takes_what_still_fits() -> None:
    file = io.BytesIO()
    with BoundedZip(file, "a", 1_000) as archive:
        assert not archive.holds(1_000)
        assert archive.holds(500)
        archive.write(bytes(500))
    assert len(file.getvalue()) < 1_000


# Erasing.


async def test_deleting_asks_once_in_private_and_says_what_goes_and_what_stays(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")
    assert question.ephemeral
    assert "your prompts, name, roles, image names and links" in question.text
    assert "their edits lose the links to your originals" in question.text
    assert "We keep your credits per day" in question.text
    assert "Posted messages stay in Discord" in question.text
    assert list(buttons_of(question)) == ["Delete my data", "Cancel"]
    assert (await export(ada))["edits"][0]["prompt"] == "make it blue"


async def test_whoever_cancels_keeps_everything(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")
    assert await pressed(ada, question, "Cancel") == KEPT
    assert buttons_of(question) == {}
    assert (await export(ada))["edits"][0]["prompt"] == "make it blue"


async def test_the_button_erases_and_says_of_how_many_edits(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")

    text = await pressed(ada, question, "Delete my data")

    assert text == "Deleted your prompts, name, and image links from 2 edits."
    assert buttons_of(question) == {}
    data = await export(ada)
    for edit in data["edits"]:
        assert edit["erased"]
        assert {edit[key] for key in PRIVATE} == {None}
    assert [edit["charged"] for edit in data["edits"]] == [0, 8]
    assert data["accounts"][0]["spent"] == 8
    text = await ada.credits()
    assert "Left 72 · Held 0 · Spent 8" in text
    assert "Medium × 1 · 8 credits" in text


async def test_an_edit_under_way_is_delivered_whole_and_then_its_data_is_gone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    called = hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()
    question = await ada.run("privacy delete")

    text = await pressed(ada, question, "Delete my data")
    assert "1 edit is still in progress. Its data will be deleted when it finishes." in text
    called.release()

    message = await edit.settled()
    assert "make it blue" in message.text
    assert len(message.files) == 1
    await events.logs("edit.closed", edit=str(edit.id))
    ((kept,),) = look_up(bot.settings.database, "SELECT count(*) FROM edit_private")
    assert kept == 0
    assert ada.account() == (0, 8)


async def test_a_restart_between_the_button_and_the_end_delivers_and_erases_all_the_same(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
) -> None:
    bot = await start_bot()
    post = sandbox.faults.discord.add(
        DiscordFault(action=Hang(), method="PATCH", path=ORIGINAL, with_files=True)
    )
    edit = await ada.edit()
    await post.happened()
    await pressed(ada, await ada.run("privacy delete"), "Delete my data")
    await bot.stop()

    await start_bot()
    message = await edit.settled()
    assert "make it blue" in message.text
    await events.logs("edit.closed", edit=str(edit.id))
    assert ada.account() == (0, 8)
    assert (await export(ada))["edits"][0]["erased"]


async def test_the_button_works_after_a_restart(
    start_bot: StartBot, ada: Person, events: Events
) -> None:
    bot = await start_bot()
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")
    await bot.stop()
    await start_bot()
    assert "from 1 edit." in await pressed(ada, question, "Delete my data")


async def test_a_second_member_who_presses_the_button_erases_nothing(
    bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    await closed_edit(bob, events)
    question = await ada.run("privacy delete")
    for label in ("Delete my data", "Cancel"):
        answer = await (await bob.press(question, label)).settled()
        assert answer.ephemeral
        assert "doesn't work for you" in answer.text
    assert QUESTION in question.text
    for person in (ada, bob):
        assert (await export(person))["edits"][0]["prompt"] == "make it blue"


async def test_what_others_have_and_other_servers_stays(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    await closed_edit(bob, events)
    await closed_edit(ada, events)
    await pressed(ada, await ada.run("privacy delete"), "Delete my data")
    assert (await export(bob))["edits"][0]["prompt"] == "make it blue"


@pytest.mark.usefixtures("announces_soon")
async def test_pressing_twice_erases_once_and_says_nothing_false(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")
    with locked(bot.settings.database):
        await asyncio.gather(*(ada.press(question, "Delete my data") for _ in range(2)))
    first = "Deleted your prompts, name, and image links from 1 edit."
    second = NOTHING_LEFT
    await shows(ada, question, lambda text: text == second)
    assert [revision.text for revision in question.revisions][-2:] == [first, second]
    assert (await export(ada))["edits"][0]["erased"]


@pytest.mark.usefixtures("announces_soon")
async def test_as_long_as_the_store_does_not_answer_no_erasing_is_claimed(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")
    with locked(bot.settings.database):
        answer = await (await ada.press(question, "Delete my data")).acknowledged()
        assert answer.type == 6
        assert QUESTION in question.text
    await shows(ada, question, lambda text: text.startswith("Deleted your"))
    assert (await export(ada))["edits"][0]["erased"]


async def test_an_erasing_that_the_store_did_not_take_is_not_claimed(
    bot: RunningBot, ada: Person, events: Events
) -> None:
    await closed_edit(ada, events)
    question = await ada.run("privacy delete")
    with broken(bot.settings.database, "edit_private"):
        answer = await (await ada.press(question, "Delete my data")).settled()
    assert answer.ephemeral
    assert "trouble saving" in answer.text
    assert "Nothing changed" in answer.text
    assert QUESTION in question.text
    assert (await export(ada))["edits"][0]["prompt"] == "make it blue"
    assert find_contradictions(bot.settings.database) == []


@pytest.mark.parametrize(
    ("erasure", "text"),
    [
        (Erasure(0, 0), NOTHING_LEFT),
        (
            Erasure(0, 2),
            (
                "Deleted your prompts, name, and image links from 0 edits.\n"
                "2 edits are still in progress. Their data will be deleted when they finish."
            ),
        ),
    ],
)
def test_what_was_erased_is_said_in_numbers(erasure: Erasure, text: str) -> None:
    assert deleted_text(erasure) == text
