"""Deleting a result: who may, what goes, and what is asked first."""

import json

import pytest

from cogs.delete_button import (
    DELETED,
    EMPTIED,
    IN_PROGRESS,
    NOT_DELETED,
    NOT_YOURS_TO_DELETE,
    QUESTION,
    QUESTION_OF_COST,
)
from cogs.ui.component_router import NOT_YOURS
from sandbox.faults import DiscordFault, refused
from sandbox.sandbox import Sandbox
from tests.cogs.result_cards import Made, edit_in, pictures_in, row_id, says
from tests.conftest import Events, RunningBot
from tests.members import Person, buttons_of, change

pytestmark = pytest.mark.usefixtures("small_results")


async def test_its_member_deletes_a_message_and_its_links_after_one_question(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person, events: Events
) -> None:
    card = await made()
    asked = await ada.press(card, "Delete")
    question = await asked.settled()
    assert question.ephemeral
    assert question.text == QUESTION_OF_COST
    assert list(buttons_of(question)) == ["Delete"]
    assert not card.deleted

    await ada.press(question, "Delete")
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
    assert await bob.told(question, "Delete") == NOT_YOURS
    assert not card.deleted
    await mod.press(question, "Delete")
    await says(sandbox, question, DELETED)
    assert card.deleted


async def test_whoever_stopped_being_a_moderator_deletes_nothing(
    sandbox: Sandbox, made: Made, bot: RunningBot, mod: Person
) -> None:
    card = await made()
    question = await (await mod.press(card, "Delete")).settled()
    mod.member.permissions = 0
    await mod.press(question, "Delete")
    await says(sandbox, question, NOT_YOURS_TO_DELETE)
    assert not card.deleted


async def test_a_message_that_is_deleted_already_is_fine(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made()
    question = await (await ada.press(card, "Delete")).settled()
    sandbox.discord.delete(card)
    await ada.press(question, "Delete")
    await says(sandbox, question, DELETED)


async def test_where_discord_forbids_the_deletion_it_is_said(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made()
    question = await (await ada.press(card, "Delete")).settled()
    sandbox.faults.discord.add(
        DiscordFault(action=refused(403, 50083, "Thread is archived"), method="DELETE")
    )
    await ada.press(question, "Delete")
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
    assert list(buttons_of(card)) == ["Delete", "Cancel"]
    assert pictures_in(card) == pictures

    await (await ada.press(card, "Cancel")).acknowledged()
    assert QUESTION not in card.text
    assert buttons_of(card) == buttons
    assert pictures_in(card) == pictures

    await (await ada.press(card, "Delete")).acknowledged()
    await ada.press(card, "Delete")
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
    assert list(buttons_of(card)) == ["Delete", "Cancel"]
    assert len(pictures_in(card)) == 1


async def test_a_private_result_that_discord_does_not_delete_is_emptied(
    sandbox: Sandbox, made: Made, bot: RunningBot, ada: Person
) -> None:
    card = await made(private=True)
    await (await ada.press(card, "Delete")).acknowledged()
    sandbox.faults.discord.add(
        DiscordFault(action=refused(403, 50013, "Missing Permissions"), method="DELETE")
    )
    await ada.press(card, "Delete")
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
    assert await ada.told(card, "Delete") == IN_PROGRESS
    change(bot.settings.database, undone, row_id(card))
