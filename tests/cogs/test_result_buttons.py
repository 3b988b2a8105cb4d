"""The buttons under a result: who may use them, what they do, and when not."""

from typing import Any

import pytest

from cogs.result_buttons import (
    SOURCE_DELETED,
    SOURCE_GONE,
    SOURCE_NOT_PUBLIC,
)
from cogs.text.outcomes import NOT_CHARGED
from cogs.ui.order_intake import NO_PROMPT
from sandbox.discord.messages import walk
from sandbox.faults import EditFault, declined
from sandbox.sandbox import Sandbox, Upload
from sandbox.values import objects_at
from tests.cogs.result_cards import (
    GALLERY,
    Made,
    chosen,
    closed,
    edit_in,
    fields_of,
    form_of,
    last_call,
    pictures_in,
    row_id,
    send,
)
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person, buttons_of, forget_sources
from tests.moderators import Moderator

pytestmark = pytest.mark.usefixtures("small_results")


# The card.


async def test_a_card_shows_pictures_prompt_price_and_buttons(
    made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(count=3, quality="low")
    assert [len(gallery) for gallery in pictures_in(card)] == [3]
    assert "make it blue" in card.text
    assert list(buttons_of(card)) == [
        "Edit this",
        "Run again (12 credits)",
        "Before & after",
        "Delete",
    ]
    edit = row_id(card)
    assert card.text.endswith(f"Low · 4:3 · 12 credits · <@{ada.member.id}>")
    assert not card.pinged
    assert buttons_of(card)["Edit this"] == f"2:again:{edit}"


async def test_a_long_prompt_is_folded_and_shown_whole_to_whoever_asks(
    made: Made, bot: RunningBot, bob: Person
) -> None:
    prompt = "\n".join(f"{number}. *make* it `blue`" for number in range(60))
    card = await made(prompt=prompt)
    assert len(card.text) < 500
    assert prompt in await bob.told(card, "Full prompt")


async def test_a_prompt_of_many_lines_is_folded_too(made: Made, bot: RunningBot) -> None:
    card = await made(prompt="a\n" * 20)
    assert card.text.count("\n") < 10
    assert list(buttons_of(card))[-2:] == ["Full prompt", "Delete"]


async def test_the_longest_prompt_comes_as_a_file(made: Made, bot: RunningBot, bob: Person) -> None:
    prompt = "`" * 4_000
    card = await made(prompt=prompt)
    answer = await (await bob.press(card, "Full prompt")).settled()
    assert answer.ephemeral
    (file,) = answer.files
    assert file.path.read_text(encoding="utf-8") == prompt


async def test_a_card_without_pictures_can_be_run_again_and_deleted(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, events: Events
) -> None:
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    card = await made(quality="high")
    assert list(buttons_of(card)) == ["Run again (16 credits)", "Delete"]
    again = await closed(await bob.press(card, "Run again"), events)
    assert len(again.files) == 1


# Edit again.


async def test_anybody_edits_a_result_again_at_their_own_cost(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made(quality="low", size="16:9")
    pressed = await bob.press(card, "Edit this")
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
    pressed = await bob.press(card, "Edit this")
    fields = fields_of(await form_of(pressed))
    assert [option["value"] for option in fields["picture"]["options"]] == ["0", "1", "2"]
    assert chosen(fields["count"]) == ["1"]
    await closed(await sandbox.discord.submit(pressed, {"prompt": "red", "picture": ["2"]}), events)
    assert last_call(sandbox)["image"] == card.files[2].url


@pytest.mark.parametrize(
    ("field", "got", "told"),
    [
        ("quality", "ultra", "“ultra” isn't an option for quality."),
        ("size", "5:1", "“5\\:1” isn't an option for size."),
        ("count", "5", "“5” isn't an option for count."),
        ("count", "0", "“0” isn't an option for count."),
        ("count", "\u0663", "“\u0663” isn't an option for count."),
        ("picture", "7", "“7” isn't an option for picture."),
        ("picture", "-1", "“\\-1” isn't an option for picture."),
        ("quality", "@everyone **x**", "@\u200beveryone"),
    ],
)
async def test_what_a_form_never_offered_is_refused(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, field: str, got: str, told: str
) -> None:
    pressed = await bob.press(await made(count=2), "Edit this")
    options = fields_of(await form_of(pressed))[field]["options"]
    options.append({"label": "x", "value": got})
    answer = await (
        await sandbox.discord.submit(pressed, {"prompt": "red", field: [got]})
    ).settled()
    assert answer.ephemeral
    assert told in answer.text
    assert NOT_CHARGED in answer.text
    assert bob.account() == (0, 0)


async def test_a_form_is_refused_for_what_edit_is_refused_for(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    card = await made()

    async def refusal(**values: Any) -> str:
        sent = await send(await bob.press(card, "Edit this"), bob, values)
        answer = await sent.settled()
        assert answer.ephemeral
        return answer.text

    assert "Your prompt is empty." in await refusal(prompt=" \u200b ")
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    pressed = await bob.press(card, "Edit this")
    await pressed.acknowledged()
    await mod.set(max_count=1, refuse="dragon")
    answer = await sandbox.discord.submit(pressed, {"prompt": "x", "count": ["2"]})
    assert "allows 1 image per edit" in (await answer.settled()).text
    assert "dragon" in await refusal(prompt="a dragon")
    fields = fields_of(await form_of(await bob.press(card, "Edit this")))
    assert [option["value"] for option in fields["count"]["options"]] == ["1"]


async def test_what_a_member_cannot_afford_is_refused(
    sandbox: Sandbox, made: Made, start_bot: StartBot, bob: Person
) -> None:
    await start_bot(default_quota=16)
    card = await made()
    pressed = await bob.press(card, "Edit this")
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
    pressed = await ada.press(card, "Edit this")
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
    await ada.press(question, "Delete my data")
    await sandbox.discord.world.changed.until(
        lambda: "Deleted your" in question.text or None, timeout=9
    )

    pressed = await bob.press(card, "Edit this")
    assert chosen(fields_of(await form_of(pressed))["quality"]) == ["low"]
    again = await closed(await sandbox.discord.submit(pressed, {"prompt": "red"}), events)
    assert len(again.files) == 1

    assert await bob.told(card, "Run again") == NO_PROMPT
    assert await ada.told(card, "Before & after") == SOURCE_DELETED
    assert "Delete this edit" in await ada.told(card, "Delete")


# Run again.


async def test_the_same_request_runs_once_more_as_a_new_message(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made(prompt="a *new* hat", quality="low", size="2:1", count=2)
    pressed = await bob.press(card, "Run again (8 credits)")
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
    assert "can't edit that file" in answer.text


# Compare.


async def test_its_member_compares_the_source_with_each_result(
    made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(count=2)
    answer = await (await ada.press(card, "Before & after")).settled()
    assert answer.ephemeral
    source = edit_in(bot.settings.database, row_id(card))["source_url"].partition("?")[0]
    results = [file.url.partition("?")[0] for file in card.files]
    assert pictures_in(answer) == [[source, results[0]], [source, results[1]]]
    assert not answer.files


async def test_others_compare_only_what_was_posted_in_public(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, bob: Person, events: Events
) -> None:
    card = await made()
    assert await bob.told(card, "Before & after") == SOURCE_NOT_PUBLIC
    pressed = await ada.press(card, "Edit this")
    second = await closed(await send(pressed, ada, {"prompt": "red"}), events)
    answer = await (await bob.press(second, "Before & after")).settled()
    first_picture, second_picture = card.files[0].url, second.files[0].url
    assert pictures_in(answer) == [
        [first_picture.partition("?")[0], second_picture.partition("?")[0]]
    ]
    # Run again, it is still the same public picture.
    third = await closed(await ada.press(second, "Run again"), events)
    assert len(pictures_in(await (await bob.press(third, "Before & after")).settled())) == 1


async def test_a_source_that_is_gone_is_said_to_be_gone(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made()
    forget_sources(sandbox)
    assert await ada.told(card, "Before & after") == SOURCE_GONE


async def test_what_is_behind_a_spoiler_stays_there_when_it_is_compared(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    await Moderator.join(sandbox, sandbox.discord.guilds[0]).set(spoiler=True)
    answer = await (await ada.press(await made(), "Before & after")).settled()
    (gallery,) = [part for part in walk(answer.components) if part["type"] == GALLERY]
    assert all(item["spoiler"] for item in objects_at(gallery, "items"))
