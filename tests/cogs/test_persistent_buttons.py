"""Buttons and forms long after they were posted, and with custom ids that were made up."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.settings import Settings
from cogs.delete_button import (
    DELETED,
)
from cogs.result_buttons import (
    NO_IMAGES,
    PROMPT_DELETED,
    SOURCE_DELETED,
)
from cogs.text.outcomes import LEDGER_SILENT
from cogs.ui.component_router import NOT_YOURS, UNKNOWN_FORM
from cogs.ui.edit_lookup import UNKNOWN_EDIT
from cogs.ui.order_intake import FORM_EXPIRED, NO_PROMPT
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message, walk
from sandbox.faults import Hang
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import object_at, objects_at
from tests.cogs.result_cards import (
    Made,
    closed,
    fields_of,
    form_of,
    last_call,
    pictures_in,
    row_id,
    says,
    send,
)
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person, buttons_of, change
from tests.services import at_discord
from tests.store_faults import broken, locked

pytestmark = pytest.mark.usefixtures("small_results")


async def test_buttons_and_forms_outlive_the_bot(
    sandbox: Sandbox, made: Made, start_bot: StartBot, ada: Person, bob: Person, events: Events
) -> None:
    bot = await start_bot()
    public, private = await made(), await made(private=True)
    open_form = await bob.press(public, "Edit this")
    await form_of(open_form)
    question = await (await ada.press(public, "Delete")).settled()
    await bot.stop()
    await start_bot()

    sent = await sandbox.discord.submit(open_form, {"prompt": "red"})
    assert len((await closed(sent, events)).files) == 1
    assert last_call(sandbox)["image"] == public.files[0].url
    assert (await form_of(await bob.press(public, "Edit this")))["title"] == "Edit this"
    assert len((await closed(await bob.press(public, "Run again"), events)).files) == 1
    assert len(pictures_in(await (await ada.press(public, "Before & after")).settled())) == 1
    await (await ada.press(private, "Delete")).acknowledged()
    await ada.press(private, "Delete")
    await events.logs("edit.deleted", edit=str(row_id_before(private)))
    await ada.press(question, "Delete")
    await says(sandbox, question, DELETED)


def row_id_before(card: Message) -> int:
    """As `row_id`, of a card that a question has taken the buttons of."""
    return int(buttons_of(card)["Delete"].rpartition(":")[2])


async def test_a_year_later_the_buttons_work_although_what_was_private_is_erased(
    sandbox: Sandbox, made: Made, start_bot: StartBot, bob: Person, ada: Person
) -> None:
    bot = await start_bot()
    card = await made(prompt="x" * 400)
    await bot.stop()
    change(bot.settings.database, "DELETE FROM edit_private")
    change(bot.settings.database, "UPDATE edit SET held_at = held_at - $1", 366 * 86_400_000)
    await start_bot()

    assert "prompt" in fields_of(await form_of(await bob.press(card, "Edit this")))
    assert await bob.told(card, "Run again") == NO_PROMPT
    assert await ada.told(card, "Before & after") == SOURCE_DELETED
    assert await bob.told(card, "Full prompt") == PROMPT_DELETED
    question = await (await ada.press(card, "Delete")).settled()
    await ada.press(question, "Delete")
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
    assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN_EDIT))

    elsewhere = sandbox.discord.add_guild("Elsewhere")
    herself = sandbox.discord.add_member(elsewhere, ada.member.user)
    for member in (herself, sandbox.discord.add_member(elsewhere, "Eve")):
        there = Person(sandbox, settings, member, elsewhere.channels[0])
        here = await (await there.edit()).settled()
        pressed = {each: await press_as(sandbox, there, here, f"2:{each}:{row}") for each in names}
        assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN_EDIT))


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
    assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN_EDIT))
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
    assert await answers(pressed) == dict.fromkeys(names, (True, UNKNOWN_EDIT))


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
    assert (answer.ephemeral, answer.text) == (True, FORM_EXPIRED)
    adas = await form_of(await ada.press(card, "Edit this"))
    answer = await (await submit_as(sandbox, bob, card, str(adas["custom_id"]))).settled()
    assert answer.text == FORM_EXPIRED
    assert bob.account() == (0, 0)


async def test_a_form_of_ones_own_in_another_server_is_answered_politely(
    sandbox: Sandbox, settings: Settings, made: Made, bot: RunningBot, ada: Person
) -> None:
    shown = await form_of(await ada.press(await made(), "Edit this"))
    spent = ada.account()
    elsewhere = sandbox.discord.add_guild("Elsewhere")
    member = sandbox.discord.add_member(elsewhere, ada.member.user)
    there = Person(sandbox, settings, member, elsewhere.channels[0])
    card = await (await there.edit()).settled()
    answer = await (await submit_as(sandbox, there, card, str(shown["custom_id"]))).settled()
    assert (answer.ephemeral, answer.text) == (True, FORM_EXPIRED)
    assert spent == (0, 8)
    assert ada.account() == (0, 16)


async def test_a_form_that_was_open_for_over_an_hour_is_too_old(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person
) -> None:
    pressed = await bob.press(await made(), "Edit this")
    await form_of(pressed)
    change(bot.settings.database, "UPDATE draft SET made_at = made_at - 3600000")
    answer = await (await sandbox.discord.submit(pressed, {"prompt": "x"})).settled()
    assert answer.text == FORM_EXPIRED


async def submit_as(sandbox: Sandbox, person: Person, card: Message, custom_id: str) -> Interaction:
    """Send a form whose custom id was made up."""
    pressed = await person.press(card, "Edit this")
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
    assert await bob.told(card, "Edit this") == NO_IMAGES


async def test_a_message_that_lists_an_edit_finds_its_pictures_where_they_were_posted(
    sandbox: Sandbox, made: Made, bot: RunningBot, bob: Person, events: Events
) -> None:
    card, other = await made(), await made()
    button = next(part for part in walk(other.components) if part.get("label") == "Edit this")
    button["custom_id"] = f"2:again:{row_id(card)}"
    pressed = await bob.press(other, "Edit this")
    await closed(await send(pressed, bob, {"prompt": "x"}), events)
    assert last_call(sandbox)["image"] == card.files[0].url
    sandbox.discord.delete(card)
    assert await bob.told(other, "Edit this") == NO_IMAGES


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
    pressed = await bob.press(history, "Edit this")
    assert (await pressed.acknowledged()).type == CallbackType.MODAL


@pytest.mark.parametrize("label", ["Edit this", "Run again", "Before & after", "Delete"])
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
        pressed = await ada.press(card, "Edit this")
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
    labels = ["Edit this", "Delete", "Before & after"] * 70
    pressed = [await bob.press(card, label) for label in labels]
    answers = await asyncio.gather(*(each.acknowledged() for each in pressed))
    assert [answer.type for answer in answers].count(CallbackType.MODAL) == 70
    assert all(answer.type == CallbackType.MODAL or answer.ephemeral for answer in answers)
