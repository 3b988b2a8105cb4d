"""An original stays with the member who gave it, no matter who runs the edit again."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.settings import Settings
from cogs.delete_button import DELETED
from cogs.result_buttons import ORIGINAL_NOT_SHARED, SOURCE_DELETED
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.faults import EditFault, declined
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import object_at, objects_at, text_at
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person, look_up
from tests.services import hang

pytestmark = pytest.mark.usefixtures("small_results")


@pytest.fixture
def bob(sandbox: Sandbox, settings: Settings) -> Person:
    """Join as another member of the same server."""
    return Person.join(sandbox, settings, "Bob")


@pytest.fixture
def carol(sandbox: Sandbox, settings: Settings) -> Person:
    """Join as a third member."""
    return Person.join(sandbox, settings, "Carol")


async def finished(edit: Interaction, events: Events) -> Message:
    """Wait for an edit to close, and return its message."""
    await events.logs("edit.closed", edit=str(edit.id))
    return await edit.settled()


async def run_again(person: Person, card: Message, events: Events) -> Message:
    """Run a card's edit again, and return the new card with its result."""
    again = await finished(await person.press(card, "Run again"), events)
    assert len(again.files) == 1
    return again


async def compared(person: Person, card: Message) -> list[str]:
    """Return the addresses that Compare shows, without their signatures."""
    answer = await (await person.press(card, "Before & after")).settled()
    assert answer.ephemeral
    return [
        text_at(object_at(item, "media"), "url").partition("?")[0]
        for part in walk(answer.components)
        for item in objects_at(part, "items")
    ]


async def exported(person: Person) -> tuple[str, list[Mapping[str, Any]]]:
    """Return a member's export as text, and its edits, newest first."""
    (file,) = (await person.run("privacy export")).files
    text = file.path.read_text(encoding="utf-8")
    return text, json.loads(text)["edits"]


async def erase_all(person: Person) -> None:
    """Erase a member's data with `/privacy delete`."""
    question = await person.run("privacy delete")
    await person.press(question, "Delete my data")
    await says(question, person, "Deleted your ")


async def delete(person: Person, card: Message) -> None:
    """Delete a card with its button."""
    question = await (await person.press(card, "Delete")).settled()
    await person.press(question, "Delete")
    await says(question, person, DELETED)


async def says(message: Message, person: Person, text: str) -> None:
    """Wait until a message contains a text."""
    await person.sandbox.discord.world.changed.until(
        lambda: text in message.text or None, timeout=15
    )


async def asks_for_an_image(person: Person, card: Message) -> bool:
    """Tell whether Run again opens a form with a field for an image."""
    shown = await (await person.press(card, "Run again")).acknowledged()
    labels = objects_at(shown.data, "components") if shown.type == CallbackType.MODAL else []
    return any(object_at(label, "component").get("custom_id") == "image" for label in labels)


def address_sent(sandbox: Sandbox, call: int) -> str:
    """Return the address of the image that a call sent to the edit API, without its signature."""
    return str(sandbox.edit_api.calls[call].body["image"]).partition("?")[0]


def copies_of(bot: RunningBot, address: str) -> int:
    """Count the rows that have an address."""
    query = "SELECT source_url FROM edit_private"
    return sum(url.startswith(address) for (url,) in look_up(bot.settings.database, query))


# Running an edit again.


async def test_a_member_who_runs_anothers_edit_again_gets_the_result_alone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, carol: Person, events: Events
) -> None:
    card = await finished(await ada.edit(), events)
    again = await run_again(bob, card, events)

    original = address_sent(sandbox, 0)
    assert address_sent(sandbox, 1) == original
    for person in (bob, carol, ada):
        assert await person.told(again, "Before & after") == ORIGINAL_NOT_SHARED
    text, (edit,) = await exported(bob)
    assert (edit["source_name"], edit["source_address"]) == (None, None)
    assert edit["prompt"] == "make it blue"
    assert original not in text
    assert "photo.png" not in text
    assert copies_of(bot, original) == 1

    assert (await compared(ada, card))[0] == original
    _, (edit,) = await exported(ada)
    assert edit["source_address"].startswith(original)
    assert edit["source_name"] == "photo.png"


async def test_an_original_stays_its_members_along_a_chain_of_reruns_and_after_a_restart(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, carol: Person, events: Events
) -> None:
    bot = await start_bot()
    adas = await finished(await ada.edit(), events)
    bobs = await run_again(bob, adas, events)
    await bot.stop()
    bot = await start_bot()

    carols = await run_again(carol, bobs, events)
    assert await bob.told(bobs, "Before & after") == ORIGINAL_NOT_SHARED
    assert await carol.told(carols, "Before & after") == ORIGINAL_NOT_SHARED
    original = address_sent(sandbox, 0)
    for person in (bob, carol):
        assert original not in (await exported(person))[0]

    adas_again = await run_again(ada, carols, events)
    assert [address_sent(sandbox, call) for call in range(4)] == [original] * 4
    assert (await compared(ada, adas_again))[0] == original
    _, edits = await exported(ada)
    assert [edit["source_address"].startswith(original) for edit in edits] == [True, True]
    assert copies_of(bot, original) == 1


async def test_a_rerun_that_is_open_or_failed_shows_no_original_either(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await finished(await ada.edit(), events)
    called = hang(sandbox)
    again = await bob.press(card, "Run again")
    await sandbox.edit_api.called(2)
    _, (edit,) = await exported(bob)
    assert (edit["state"], edit["source_name"], edit["source_address"]) == ("submitted", None, None)
    called.release()
    await finished(again, events)

    url = str(sandbox.edit_api.calls[0].body["image"])
    sandbox.faults.edit_api.add(EditFault(action=declined(f"Cannot read {url}: a cat.")))
    failed = await finished(await bob.press(card, "Run again"), events)
    assert "a cat" not in failed.text
    text, _ = await exported(bob)
    for shown in (failed.text, text):
        assert address_sent(sandbox, 0) not in shown
    assert copies_of(bot, address_sent(sandbox, 0)) == 1


async def test_an_image_that_was_posted_in_the_channel_is_compared_there_after_a_rerun_too(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, carol: Person, events: Events
) -> None:
    card = await finished(await ada.edit(), events)
    form = await ada.press(card, "Edit this")
    await form.acknowledged()
    second = await finished(await sandbox.discord.submit(form, {"prompt": "red"}), events)
    again = await run_again(bob, second, events)
    posted = card.files[0].url.partition("?")[0]
    for person in (bob, carol):
        assert (await compared(person, again))[0] == posted
    assert posted not in (await exported(bob))[0]


async def test_editing_again_starts_from_the_result_and_not_from_the_original(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    again = await run_again(bob, await finished(await ada.edit(), events), events)
    form = await bob.press(again, "Edit this")
    await form.acknowledged()
    edited = await finished(await sandbox.discord.submit(form, {"prompt": "red"}), events)
    result = again.files[0].url.partition("?")[0]
    assert address_sent(sandbox, -1) == result
    assert (await compared(bob, edited))[0] == result
    assert address_sent(sandbox, 0) not in (await exported(bob))[0]


# Erasing it.


@pytest.mark.parametrize("deleted", ["first", "rerun"])
async def test_the_first_members_delete_reaches_every_edit_that_used_their_original(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    bob: Person,
    carol: Person,
    events: Events,
    deleted: str,
) -> None:
    first = await finished(await ada.edit(), events)
    rerun = await run_again(ada, first, events)
    bobs = await run_again(bob, rerun, events)
    carols = await run_again(carol, bobs, events)

    await delete(ada, first if deleted == "first" else rerun)

    left = rerun if deleted == "first" else first
    assert await ada.told(left, "Before & after") == SOURCE_DELETED
    for person, card in ((ada, left), (bob, bobs), (carol, carols), (bob, carols)):
        assert await asks_for_an_image(person, card)
    assert copies_of(bot, address_sent(sandbox, 0)) == 0
    assert (await exported(bob))[1][0]["prompt"] == "make it blue"


async def test_the_first_members_privacy_delete_reaches_every_edit_that_used_their_original(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, carol: Person, events: Events
) -> None:
    adas = await finished(await ada.edit(), events)
    bobs = await run_again(bob, adas, events)
    carols = await run_again(carol, bobs, events)
    own = await finished(await bob.edit(), events)

    await erase_all(ada)

    assert copies_of(bot, address_sent(sandbox, 0)) == 0
    for person, card in ((bob, bobs), (carol, carols), (ada, carols)):
        assert await asks_for_an_image(person, card)
    assert (await exported(bob))[1][1]["prompt"] == "make it blue"
    assert (await compared(bob, own))[0] == address_sent(sandbox, 3)


@pytest.mark.parametrize("way", ["delete", "moderator", "privacy"])
async def test_what_is_erased_of_a_rerun_leaves_the_first_members_original(
    sandbox: Sandbox,
    settings: Settings,
    bot: RunningBot,
    ada: Person,
    bob: Person,
    events: Events,
    way: str,
) -> None:
    adas = await finished(await ada.edit(), events)
    bobs = await run_again(bob, adas, events)
    match way:
        case "delete":
            await delete(bob, bobs)
        case "moderator":
            permissions = Permission.MANAGE_MESSAGES
            mod = Person.join(sandbox, settings, "Mod", permissions=permissions)
            await delete(mod, bobs)
        case _:
            await erase_all(bob)
    assert (await compared(ada, adas))[0] == address_sent(sandbox, 0)
    await run_again(bob, adas, events)


async def test_an_open_rerun_outlives_the_original_and_a_restart_but_keeps_nothing_of_it(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, carol: Person, events: Events
) -> None:
    bot = await start_bot(edit_concurrency=1)
    adas = await finished(await ada.edit(), events)
    original = address_sent(sandbox, 0)
    hang(sandbox)
    await carol.edit()
    await sandbox.edit_api.called(2)
    waiting = await bob.press(adas, "Run again")
    await events.logs("edit.acknowledged", edit=str(waiting.id))

    await erase_all(ada)
    assert copies_of(bot, original) == 1
    assert original not in (await exported(bob))[0]
    await bot.stop()
    bot = await start_bot()

    card = await finished(waiting, events)
    assert len(card.files) == 1
    assert address_sent(sandbox, -1) == original
    assert copies_of(bot, original) == 0
    assert await asks_for_an_image(bob, card)
