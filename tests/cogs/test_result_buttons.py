"""The buttons under a result: who may use them, what they do, for how long, and when not."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from cogs.result_buttons import (
    DELETED,
    EMPTIED,
    NO_PICTURES,
    NOT_DELETED,
    NOT_YOURS_TO_DELETE,
    PROMPT_ERASED,
    QUESTION,
    QUESTION_OF_COST,
    SOURCE_ERASED,
    SOURCE_GONE,
    SOURCE_NOT_PUBLIC,
    UNDER_WAY,
    UNKNOWN,
)
from cogs.text.outcomes import LEDGER_SILENT
from cogs.ui.component_router import NOT_YOURS, UNKNOWN_FORM
from cogs.ui.order_intake import ERASED, FORM_TOO_OLD
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.faults import DiscordFault, EditFault, Hang, declined, refused
from sandbox.sandbox import Interaction, Sandbox, Upload
from sandbox.values import object_at, objects_at, text_at
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person, buttons_of, change, forget_sources, look_up
from tests.moderators import Moderator
from tests.services import at_discord
from tests.store_faults import broken, locked

pytestmark = pytest.mark.usefixtures("small_results")

GALLERY = 12
Made = Callable[..., Awaitable[Message]]


@pytest.fixture
def bob(sandbox: Sandbox, settings: Settings) -> Person:
    """Another member of the same server."""
    return Person.join(sandbox, settings, "Bob")


@pytest.fixture
def mod(sandbox: Sandbox, settings: Settings) -> Person:
    """Somebody who may delete others' messages."""
    return Person.join(sandbox, settings, "Mod", permissions=Permission.MANAGE_MESSAGES)


@pytest.fixture
def made(ada: Person, events: Events) -> Made:
    """Makes an edit of Ada's, and waits until nothing is left to be done for it."""

    async def make(**options: Any) -> Message:
        return await closed(await ada.edit(**options), events)

    return make


async def closed(edit: Interaction, events: Events) -> Message:
    """The message of an edit of which nothing is left to be done."""
    await events.logs("edit.closed", edit=str(edit.id))
    return await edit.settled()


async def form_of(pressed: Interaction) -> Mapping[str, Any]:
    """The form with which an interaction was answered at once."""
    shown = await pressed.acknowledged()
    assert shown.type == CallbackType.MODAL
    return shown.data


async def send(pressed: Interaction, person: Person, values: Mapping[str, Any]) -> Interaction:
    """Send the form with which an interaction is answered."""
    await form_of(pressed)
    return await person.sandbox.discord.submit(pressed, dict(values))


def fields_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """A form's fields, by their custom ids."""
    fields = [object_at(label, "component") for label in objects_at(dict(form), "components")]
    return {text_at(field, "custom_id"): field for field in fields}


def chosen(field: Mapping[str, Any]) -> list[str]:
    """What is filled in."""
    return [option["value"] for option in field["options"] if option["default"]]


def pictures_in(message: Message) -> list[list[str]]:
    """The addresses of each gallery's pictures, without what signs them."""
    galleries = [part for part in walk(message.components) if part["type"] == GALLERY]
    return [
        [
            text_at(object_at(item, "media"), "url").partition("?")[0]
            for item in objects_at(each, "items")
        ]
        for each in galleries
    ]


def last_call(sandbox: Sandbox) -> Mapping[str, Any]:
    """What the edit API was asked for last."""
    return sandbox.edit_api.calls[-1].body


def edit_in(database: Path, edit_id: int) -> dict[str, Any]:
    """What the ledger has of an edit."""
    query = """
        SELECT private, member_id, prompt, source_url, results
        FROM edit JOIN edit_private ON edit_id = id WHERE id = $1
    """
    ((*values,),) = look_up(database, query, edit_id)
    return dict(
        zip(("private", "member_id", "prompt", "source_url", "results"), values, strict=True)
    )


def row_id(message: Message) -> int:
    """The id of the edit that a card is of."""
    return int(buttons_of(message)["Delete"].rpartition(":")[2])


# The card.


async def test_a_card_shows_pictures_prompt_price_and_buttons(
    made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(count=3, quality="low")
    assert [len(gallery) for gallery in pictures_in(card)] == [3]
    assert "make it blue" in card.text
    assert list(buttons_of(card)) == ["Edit again", "Run again · 12", "Compare", "Delete"]
    edit = row_id(card)
    assert card.text.endswith(f" s · 68 left · <@{ada.member.id}>")
    assert not card.pinged
    assert buttons_of(card)["Edit again"] == f"2:again:{edit}"


async def test_a_long_prompt_is_folded_and_shown_whole_to_whoever_asks(
    made: Made, bot: RunningBot, bob: Person
) -> None:
    prompt = "\n".join(f"{number}. *make* it `blue`" for number in range(60))
    card = await made(prompt=prompt)
    assert len(card.text) < 500
    assert prompt in await bob.told(card, "Whole prompt")


async def test_a_prompt_of_many_lines_is_folded_too(made: Made, bot: RunningBot) -> None:
    card = await made(prompt="a\n" * 20)
    assert card.text.count("\n") < 10
    assert list(buttons_of(card))[-2:] == ["Whole prompt", "Delete"]


async def test_the_longest_prompt_comes_as_a_file(made: Made, bot: RunningBot, bob: Person) -> None:
    prompt = "`" * 4_000
    card = await made(prompt=prompt)
    answer = await (await bob.press(card, "Whole prompt")).settled()
    assert answer.ephemeral
    (file,) = answer.files
    assert file.path.read_text(encoding="utf-8") == prompt


async def test_a_card_without_pictures_can_be_run_again_and_deleted(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, events: Events
) -> None:
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    card = await made(quality="high")
    assert list(buttons_of(card)) == ["Run again · 16", "Delete"]
    again = await closed(await bob.press(card, "Run again"), events)
    assert len(again.files) == 1


# Edit again.


async def test_anybody_edits_a_result_again_at_their_own_cost(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made(quality="low", size="16:9")
    pressed = await bob.press(card, "Edit again")
    form = await form_of(pressed)
    fields = fields_of(form)
    assert list(fields) == ["prompt", "quality", "size", "count"]
    assert (chosen(fields["quality"]), chosen(fields["size"])) == (["low"], ["16:9"])

    sent = await sandbox.discord.submit(
        pressed, {"prompt": "now red", "quality": ["high"], "size": ["1:1"], "count": ["2"]}
    )
    first = await sent.acknowledged()
    again = await closed(sent, events)

    assert (first.type, first.ephemeral) == (5, False)
    assert again is not card
    assert len(again.files) == 2
    assert last_call(sandbox)["image"] == card.files[0].url
    asked = {key: last_call(sandbox)[key] for key in ("prompt", "quality", "size", "n")}
    assert asked == {"prompt": "now red", "quality": "high", "size": "1:1", "n": 2}
    assert (ada.account(), bob.account()) == ((0, 4), (0, 32))


async def test_one_of_several_results_is_chosen(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, events: Events
) -> None:
    card = await made(count=3)
    pressed = await bob.press(card, "Edit again")
    fields = fields_of(await form_of(pressed))
    assert [option["value"] for option in fields["picture"]["options"]] == ["0", "1", "2"]
    assert chosen(fields["count"]) == ["1"]
    await closed(await sandbox.discord.submit(pressed, {"prompt": "red", "picture": ["2"]}), events)
    assert last_call(sandbox)["image"] == card.files[2].url


@pytest.mark.parametrize(
    ("field", "got", "told"),
    [
        ("quality", "ultra", "quality: got “ultra”"),
        ("size", "5:1", "size: got “5\\:1”"),
        ("count", "5", "count: got “5”"),
        ("count", "0", "count: got “0”"),
        ("count", "\u0663", "count: got “\u0663”"),
        ("picture", "7", "picture: got “7”"),
        ("picture", "-1", "picture: got “\\-1”"),
        ("quality", "@everyone **x**", "@\u200beveryone"),
    ],
)
async def test_what_a_form_never_offered_is_refused(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, field: str, got: str, told: str
) -> None:
    pressed = await bob.press(await made(count=2), "Edit again")
    options = fields_of(await form_of(pressed))[field]["options"]
    options.append({"label": "x", "value": got})
    answer = await (
        await sandbox.discord.submit(pressed, {"prompt": "red", field: [got]})
    ).settled()
    assert answer.ephemeral
    assert told in answer.text
    assert "Nothing was charged." in answer.text
    assert bob.account() == (0, 0)


async def test_a_form_is_refused_for_what_edit_is_refused_for(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    card = await made()

    async def refusal(**values: Any) -> str:
        sent = await send(await bob.press(card, "Edit again"), bob, values)
        answer = await sent.settled()
        assert answer.ephemeral
        return answer.text

    assert "The prompt is empty." in await refusal(prompt=" \u200b ")
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    pressed = await bob.press(card, "Edit again")
    await pressed.acknowledged()
    await mod.set(max_count=1, refuse="dragon")
    answer = await sandbox.discord.submit(pressed, {"prompt": "x", "count": ["2"]})
    assert "count: got 2" in (await answer.settled()).text
    assert "dragon" in await refusal(prompt="a dragon")
    fields = fields_of(await form_of(await bob.press(card, "Edit again")))
    assert [option["value"] for option in fields["count"]["options"]] == ["1"]


async def test_what_a_member_cannot_afford_is_refused(
    sandbox: Sandbox, made: Made, start_bot: StartBot, bob: Person
) -> None:
    await start_bot(default_quota=16)
    card = await made()
    pressed = await bob.press(card, "Edit again")
    sent = await send(pressed, bob, {"prompt": "x", "count": ["4"]})
    answer = await sent.settled()
    assert answer.ephemeral
    assert "costs 32 credits and you have 16 left" in answer.text
    sent = await sandbox.discord.invoke(bob.channel, bob.member, "credits", {})
    assert "Left 16 · Held 0 · Spent 0" in (await sent.settled()).text


async def test_what_is_started_from_a_private_result_is_private(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, events: Events
) -> None:
    card = await made(private=True)
    pressed = await ada.press(card, "Edit again")
    edited = await send(pressed, ada, {"prompt": "red"})
    run = await ada.press(card, "Run again")
    for started in (edited, run):
        assert (await started.acknowledged()).ephemeral
        assert (await closed(started, events)).ephemeral
        assert edit_in(bot.settings.database, started.id)["private"] == 1


async def test_a_result_whose_prompt_was_erased_is_edited_again_all_the_same(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made(quality="low")
    question = await ada.run("privacy delete")
    await ada.press(question, "Erase my data")
    await sandbox.discord.world.changed.until(lambda: "Erased" in question.text or None, timeout=9)

    pressed = await bob.press(card, "Edit again")
    assert chosen(fields_of(await form_of(pressed))["quality"]) == ["low"]
    again = await closed(await sandbox.discord.submit(pressed, {"prompt": "red"}), events)
    assert len(again.files) == 1

    assert await bob.told(card, "Run again") == ERASED
    assert await ada.told(card, "Compare") == SOURCE_ERASED
    assert "Delete this message" in await ada.told(card, "Delete")


# Run again.


async def test_the_same_request_runs_once_more_as_a_new_message(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made(prompt="a *new* hat", quality="low", size="2:1", count=2)
    pressed = await bob.press(card, "Run again · 8")
    first = await pressed.acknowledged()
    again = await closed(pressed, events)

    assert (first.type, first.ephemeral) == (5, False)
    assert again.id != card.id
    before, after = sandbox.edit_api.calls
    assert before.body == after.body
    assert (ada.account(), bob.account()) == ((0, 8), (0, 8))
    kept = edit_in(bot.settings.database, pressed.id)
    assert (kept["member_id"], kept["private"]) == (bob.member.id, 0)


async def test_a_form_asks_for_the_picture_when_discord_has_removed_it(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, events: Events
) -> None:
    card = await made(prompt="a new hat", quality="low", size="2:1", count=2)
    forget_sources(sandbox)
    pressed = await bob.press(card, "Run again")
    fields = fields_of(await form_of(pressed))
    assert list(fields) == ["image", "prompt", "quality", "size", "count"]
    assert fields["prompt"]["value"] == "a new hat"
    assert (chosen(fields["quality"]), chosen(fields["size"])) == (["low"], ["2:1"])
    assert chosen(fields["count"]) == ["2"]

    sent = await sandbox.discord.submit(pressed, {"image": [photo("other.png")]})
    again = await closed(sent, events)
    assert len(again.files) == 2
    assert "other.png" in str(last_call(sandbox)["image"])
    assert last_call(sandbox)["prompt"] == "a new hat"


async def test_a_file_that_is_no_picture_is_refused_in_that_form(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    card = await made()
    forget_sources(sandbox)
    pressed = await bob.press(card, "Run again")
    notes = Upload("notes.txt", b"no picture")
    answer = await (await send(pressed, bob, {"image": [notes]})).settled()
    assert answer.ephemeral
    assert "not a picture" in answer.text


# Compare.


async def test_its_member_compares_the_source_with_each_result(
    made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(count=2)
    answer = await (await ada.press(card, "Compare")).settled()
    assert answer.ephemeral
    source = edit_in(bot.settings.database, row_id(card))["source_url"].partition("?")[0]
    results = [file.url.partition("?")[0] for file in card.files]
    assert pictures_in(answer) == [[source, results[0]], [source, results[1]]]
    assert not answer.files


async def test_others_compare_only_what_was_posted_in_public(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made()
    assert await bob.told(card, "Compare") == SOURCE_NOT_PUBLIC
    pressed = await ada.press(card, "Edit again")
    second = await closed(await send(pressed, ada, {"prompt": "red"}), events)
    answer = await (await bob.press(second, "Compare")).settled()
    first_picture, second_picture = card.files[0].url, second.files[0].url
    assert pictures_in(answer) == [
        [first_picture.partition("?")[0], second_picture.partition("?")[0]]
    ]
    # Run again, it is still the same public picture.
    third = await closed(await ada.press(second, "Run again"), events)
    assert len(pictures_in(await (await bob.press(third, "Compare")).settled())) == 1


async def test_a_source_that_is_gone_is_said_to_be_gone(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made()
    forget_sources(sandbox)
    assert await ada.told(card, "Compare") == SOURCE_GONE


async def test_what_is_behind_a_spoiler_stays_there_when_it_is_compared(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    await Moderator.join(sandbox, sandbox.discord.guilds[0]).set(spoiler=True)
    answer = await (await ada.press(await made(), "Compare")).settled()
    (gallery,) = [part for part in walk(answer.components) if part["type"] == GALLERY]
    assert all(item["spoiler"] for item in objects_at(gallery, "items"))


# Delete.


async def test_its_member_deletes_a_message_and_its_links_after_one_question(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, events: Events
) -> None:
    card = await made()
    asked = await ada.press(card, "Delete")
    question = await asked.settled()
    assert question.ephemeral
    assert question.text == QUESTION_OF_COST
    assert list(buttons_of(question)) == ["Delete for good"]
    assert not card.deleted

    await ada.press(question, "Delete for good")
    await says(sandbox, question, DELETED)
    assert card.deleted
    kept = edit_in(bot.settings.database, row_id(card))
    assert (kept["source_url"], json.loads(kept["results"])) == ("", [])
    assert kept["prompt"] == "make it blue"
    assert ada.account() == (0, 8)


async def test_moderators_delete_and_nobody_else_does(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, mod: Person
) -> None:
    card = await made()
    assert await bob.told(card, "Delete") == NOT_YOURS_TO_DELETE
    question = await (await mod.press(card, "Delete")).settled()
    assert await bob.told(question, "Delete for good") == NOT_YOURS
    assert not card.deleted
    await mod.press(question, "Delete for good")
    await says(sandbox, question, DELETED)
    assert card.deleted


async def test_whoever_stopped_being_a_moderator_deletes_nothing(
    sandbox: Sandbox, made: Made, bot: RunningBot, mod: Person
) -> None:
    card = await made()
    question = await (await mod.press(card, "Delete")).settled()
    mod.member.permissions = 0
    await mod.press(question, "Delete for good")
    await says(sandbox, question, NOT_YOURS_TO_DELETE)
    assert not card.deleted


async def test_a_message_that_is_deleted_already_is_fine(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made()
    question = await (await ada.press(card, "Delete")).settled()
    sandbox.discord.delete(card)
    await ada.press(question, "Delete for good")
    await says(sandbox, question, DELETED)


async def test_where_discord_forbids_the_deletion_it_is_said(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made()
    question = await (await ada.press(card, "Delete")).settled()
    sandbox.faults.discord.add(
        DiscordFault(action=refused(403, 50083, "Thread is archived"), method="DELETE")
    )
    await ada.press(question, "Delete for good")
    await says(sandbox, question, NOT_DELETED)
    assert edit_in(bot.settings.database, row_id(card))["source_url"]


async def test_a_private_result_is_asked_about_in_its_place_and_deleted(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, events: Events
) -> None:
    card = await made(private=True, count=2)
    edit, buttons = row_id(card), buttons_of(card)
    pictures = pictures_in(card)
    await (await ada.press(card, "Delete")).acknowledged()
    assert QUESTION_OF_COST in card.text
    assert list(buttons_of(card)) == ["Delete for good", "Keep it"]
    assert pictures_in(card) == pictures

    await (await ada.press(card, "Keep it")).acknowledged()
    assert QUESTION not in card.text
    assert buttons_of(card) == buttons
    assert pictures_in(card) == pictures

    await (await ada.press(card, "Delete")).acknowledged()
    await ada.press(card, "Delete for good")
    await events.logs("edit.deleted", edit=str(edit))
    await sandbox.discord.requested("DELETE", "@original")
    assert card.deleted
    assert edit_in(bot.settings.database, edit)["source_url"] == ""


async def test_a_private_result_is_asked_about_where_discord_does_not_take_its_files_names(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(private=True)
    sandbox.faults.discord.add(
        DiscordFault(
            action=refused(400, 50035, "Invalid Form Body"), method="POST", path="callback$"
        )
    )
    pressed = await ada.press(card, "Delete")
    await pressed.acknowledged()
    assert list(buttons_of(card)) == ["Delete for good", "Keep it"]
    assert len(pictures_in(card)) == 1


async def test_a_private_result_that_discord_does_not_delete_is_emptied(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(private=True)
    await (await ada.press(card, "Delete")).acknowledged()
    sandbox.faults.discord.add(
        DiscordFault(action=refused(403, 50013, "Missing Permissions"), method="DELETE")
    )
    await ada.press(card, "Delete for good")
    await says(sandbox, card, EMPTIED)
    assert not card.files


async def test_an_edit_under_way_is_not_deleted(made: Made, bot: RunningBot, ada: Person) -> None:
    card = await made()
    pressed = (
        "UPDATE edit SET state = 'rendered', posted = 0, charged = 0, ended_at = NULL WHERE id = $1"
    )
    undone = (
        "UPDATE edit SET state = 'delivered', posted = 1, charged = 8, ended_at = 1 WHERE id = $1"
    )
    change(bot.settings.database, pressed, row_id(card))
    assert await ada.told(card, "Delete") == UNDER_WAY
    change(bot.settings.database, undone, row_id(card))


async def says(sandbox: Sandbox, message: Message, text: str) -> None:
    """Wait until a message says something."""
    await sandbox.discord.world.changed.until(lambda: text in message.text or None, timeout=15)


# For ever, and for whatever is pressed.


async def test_buttons_and_forms_outlive_the_bot(
    sandbox: Sandbox, made: Made, start_bot: StartBot, ada: Person, bob: Person, events: Events
) -> None:
    bot = await start_bot()
    public, private = await made(), await made(private=True)
    open_form = await bob.press(public, "Edit again")
    await form_of(open_form)
    question = await (await ada.press(public, "Delete")).settled()
    await bot.stop()
    await start_bot()

    sent = await sandbox.discord.submit(open_form, {"prompt": "red"})
    assert len((await closed(sent, events)).files) == 1
    assert last_call(sandbox)["image"] == public.files[0].url
    assert (await form_of(await bob.press(public, "Edit again")))["title"] == "Edit again"
    assert len((await closed(await bob.press(public, "Run again"), events)).files) == 1
    assert len(pictures_in(await (await ada.press(public, "Compare")).settled())) == 1
    await (await ada.press(private, "Delete")).acknowledged()
    await ada.press(private, "Delete for good")
    await events.logs("edit.deleted", edit=str(row_id_before(private)))
    await ada.press(question, "Delete for good")
    await says(sandbox, question, DELETED)


def row_id_before(card: Message) -> int:
    """As `row_id`, of a card that a question has taken the buttons of."""
    return int(buttons_of(card)["Delete for good"].rpartition(":")[2])


async def test_a_year_later_the_buttons_work_although_what_was_private_is_erased(
    sandbox: Sandbox, made: Made, start_bot: StartBot, bob: Person, ada: Person
) -> None:
    bot = await start_bot()
    card = await made(prompt="x" * 400)
    await bot.stop()
    change(bot.settings.database, "DELETE FROM edit_private")
    change(bot.settings.database, "UPDATE edit SET held_at = held_at - $1", 366 * 86_400_000)
    await start_bot()

    assert "prompt" in fields_of(await form_of(await bob.press(card, "Edit again")))
    assert await bob.told(card, "Run again") == ERASED
    assert await ada.told(card, "Compare") == SOURCE_ERASED
    assert await bob.told(card, "Whole prompt") == PROMPT_ERASED
    question = await (await ada.press(card, "Delete")).settled()
    await ada.press(question, "Delete for good")
    await says(sandbox, question, DELETED)


async def test_a_custom_id_that_names_nothing_is_answered_politely(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    custom_ids = [
        *("", "2:", "2:again", "2:again:", "2:again:x", "2:again:-1", "2:again:1:2", "3:again:1"),
        *(
            "2:again:9999999999999999999",
            f"2:{'a' * 60}:1",
            "1:delete.confirm:1:2:AAAAAAAAAAAAAAAA",
        ),
        *("nothing", "form.edit", "2:form.edit:1", "é" * 500, "2:AGAIN:1", "2:again:\u0661"),
    ]
    card = await made()
    pressed = {each: await press_as(sandbox, bob, card, each) for each in custom_ids}
    assert await answers(pressed) == dict.fromkeys(custom_ids, (True, NOT_YOURS))


async def test_a_button_of_an_unknown_row_or_another_server_is_answered_politely(
    sandbox: Sandbox, settings: Settings, made: Made, bot: RunningBot, ada: Person
) -> None:
    names = ["again", "run", "compare", "delete", "prompt", "delete.surely", "delete.keep"]
    card = await made()
    row, unknown = row_id(card), 2**63 - 1
    pressed = {each: await press_as(sandbox, ada, card, f"2:{each}:{unknown}") for each in names}
    assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN))

    elsewhere = sandbox.discord.add_guild("Elsewhere")
    herself = sandbox.discord.add_member(elsewhere, ada.member.user)
    for member in (herself, sandbox.discord.add_member(elsewhere, "Eve")):
        there = Person(sandbox, settings, member, elsewhere.channels[0])
        here = await (await there.edit()).settled()
        pressed = {each: await press_as(sandbox, there, here, f"2:{each}:{row}") for each in names}
        assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN))


@pytest.mark.parametrize("private", [False, True])
async def test_a_button_made_up_of_an_edit_of_ones_own_does_nothing_to_anothers_message(
    sandbox: Sandbox,
    made: Made,
    bot: RunningBot,
    ada: Person,
    bob: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    *,
    private: bool,
) -> None:
    names = ["delete", "delete.surely", "delete.keep"]
    adas = await made()
    bobs = row_id(await closed(await bob.edit(private=private), events))
    dispatch, before, made_up = sandbox.discord.gateway.dispatch, adas.now, list(names)

    def dispatch_made_up(event: str, payload: Any, *, guild_id: int | None) -> None:
        payload["data"]["custom_id"] = f"2:{made_up.pop(0)}:{bobs}"
        dispatch(event, payload, guild_id=guild_id)

    monkeypatch.setattr(sandbox.discord.gateway, "dispatch", dispatch_made_up)
    pressed = {name: await bob.press(adas, "Delete") for name in names}
    assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN))
    assert adas.now is before
    assert not adas.deleted


@pytest.mark.parametrize("private", [False, True], ids=["elsewhere", "private"])
async def test_a_button_made_up_of_what_was_not_shown_to_its_presser_is_of_an_unknown_edit(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, *, private: bool
) -> None:
    names = ["again", "run", "compare", "prompt", "delete", "delete.surely"]
    adas = row_id(await made(private=private, prompt="the secret"))
    bob = bob if private else replace(bob, channel=ada.member.guild.channels[1])
    here = await (await bob.edit()).settled()
    pressed = {each: await press_as(sandbox, bob, here, f"2:{each}:{adas}") for each in names}
    assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN))


async def press_as(sandbox: Sandbox, person: Person, card: Message, custom_id: str) -> Interaction:
    """Press a button whose custom id was made up."""
    button = next(part for part in walk(card.components) if part.get("label") == "Delete")
    button["custom_id"] = custom_id
    return await sandbox.discord.press(card, person.member, custom_id)


async def answers(
    asked: Mapping[str, Interaction],
) -> dict[str, tuple[bool, str] | BaseException]:
    """Whether each was answered privately, and what; an error where there was no answer."""
    given = await asyncio.gather(
        *(each.settled() for each in asked.values()), return_exceptions=True
    )
    return {
        name: answer if isinstance(answer, BaseException) else (answer.ephemeral, answer.text)
        for name, answer in zip(asked, given, strict=True)
    }


async def test_a_form_that_the_bot_does_not_know_is_answered_politely(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    custom_ids = ["", "x", "2:form.edit:x", "2:run:1", "2:form.other:1", "y" * 300]
    card = await made()
    sent = {each: await submit_as(sandbox, bob, card, each) for each in custom_ids}
    assert await answers(sent) == dict.fromkeys(custom_ids, (True, UNKNOWN_FORM))


async def test_a_form_without_a_draft_or_of_somebody_else_is_answered_politely(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person
) -> None:
    card = await made()
    answer = await (await submit_as(sandbox, bob, card, "2:form.edit:1")).settled()
    assert (answer.ephemeral, answer.text) == (True, FORM_TOO_OLD)
    adas = await form_of(await ada.press(card, "Edit again"))
    answer = await (await submit_as(sandbox, bob, card, str(adas["custom_id"]))).settled()
    assert answer.text == FORM_TOO_OLD
    assert bob.account() == (0, 0)


async def test_a_form_of_ones_own_in_another_server_is_answered_politely(
    sandbox: Sandbox, settings: Settings, made: Made, bot: RunningBot, ada: Person
) -> None:
    shown = await form_of(await ada.press(await made(), "Edit again"))
    spent = ada.account()
    elsewhere = sandbox.discord.add_guild("Elsewhere")
    member = sandbox.discord.add_member(elsewhere, ada.member.user)
    there = Person(sandbox, settings, member, elsewhere.channels[0])
    card = await (await there.edit()).settled()
    answer = await (await submit_as(sandbox, there, card, str(shown["custom_id"]))).settled()
    assert (answer.ephemeral, answer.text) == (True, FORM_TOO_OLD)
    assert spent == (0, 8)
    assert ada.account() == (0, 16)


async def test_a_form_that_was_open_for_over_an_hour_is_too_old(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    pressed = await bob.press(await made(), "Edit again")
    await form_of(pressed)
    change(bot.settings.database, "UPDATE draft SET made_at = made_at - 3600000")
    answer = await (await sandbox.discord.submit(pressed, {"prompt": "x"})).settled()
    assert answer.text == FORM_TOO_OLD


async def submit_as(sandbox: Sandbox, person: Person, card: Message, custom_id: str) -> Interaction:
    """Send a form whose custom id was made up."""
    pressed = await person.press(card, "Edit again")
    shown = await pressed.acknowledged()
    shown.data["custom_id"] = custom_id
    return await sandbox.discord.submit(pressed, {"prompt": "x"})


async def test_a_card_whose_pictures_are_gone_says_so(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    card = await made()
    for part in walk(card.components):
        for item in objects_at(part, "items"):
            object_at(item, "media")["url"] = "https://example.org/a.png"
    assert await bob.told(card, "Edit again") == NO_PICTURES


async def test_a_message_that_lists_an_edit_finds_its_pictures_where_they_were_posted(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, events: Events
) -> None:
    card, other = await made(), await made()
    button = next(part for part in walk(other.components) if part.get("label") == "Edit again")
    button["custom_id"] = f"2:again:{row_id(card)}"
    pressed = await bob.press(other, "Edit again")
    await closed(await send(pressed, bob, {"prompt": "x"}), events)
    assert last_call(sandbox)["image"] == card.files[0].url
    sandbox.discord.delete(card)
    assert await bob.told(other, "Edit again") == NO_PICTURES


async def test_pictures_that_are_looked_up_for_others_lists_do_not_make_it_late(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    bob: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.discord_io.posted_images.AT_ONCE", 1)
    await start_bot()
    adas = await closed(await ada.edit(), events)
    await closed(await bob.edit(), events)
    history = await bob.run("history")
    hangs = at_discord(sandbox, Hang(), method="GET", path=f"/{adas.id}$")
    await ada.command("history")
    await hangs.happened()
    pressed = await bob.press(history, "Edit again")
    assert (await pressed.acknowledged()).type == CallbackType.MODAL


@pytest.mark.parametrize("label", ["Edit again", "Run again", "Compare", "Delete"])
async def test_a_ledger_that_cannot_be_read_is_told_in_time(
    made: Made, bot: RunningBot, ada: Person, label: str
) -> None:
    card = await made()
    with broken(bot.settings.database, "edit_token"):
        assert await ada.told(card, label) == LEDGER_SILENT


async def test_a_ledger_that_takes_its_time_does_not_make_a_form_late_nor_lose_it(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, events: Events
) -> None:
    card = await made()
    with locked(bot.settings.database):
        pressed = await ada.press(card, "Edit again")
        first = await pressed.acknowledged()
    assert first.type == CallbackType.MODAL
    assert first.seconds < 3
    await closed(await send(pressed, ada, {"prompt": "in red"}), events)
    assert last_call(sandbox)["prompt"] == "in red"


@pytest.mark.drill
async def test_hundreds_of_presses_at_once_are_all_answered(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    card = await made()
    labels = ["Edit again", "Delete", "Compare"] * 70
    pressed = [await bob.press(card, label) for label in labels]
    answers = await asyncio.gather(*(each.acknowledged() for each in pressed))
    assert [answer.type for answer in answers].count(CallbackType.MODAL) == 70
    assert all(answer.type == CallbackType.MODAL or answer.ephemeral for answer in answers)
