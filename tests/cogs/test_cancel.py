"""An edit that waits can be cancelled by its member and moderators, and costs nothing then."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from bot.discord_io.custom_ids import write_persistent
from cogs.cancel import CANCELED, FINISHED, NOT_YOURS, STARTED, UNKNOWN
from cogs.delete_button import QUESTION
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.faults import DiscordFault, Hang, server_error
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, StartBot
from tests.members import Person, buttons_of, others
from tests.services import hang
from tests.store_faults import broken, locked

pytestmark = pytest.mark.usefixtures("small_results", "cards_at_once")

CANCELLED = ("cancelled", "cancelled")


@pytest.fixture
def bob(sandbox: Sandbox, ada: Person) -> Person:
    """Another member of Ada's server."""
    return Person.join(sandbox, ada.settings, "Bob")


@pytest.fixture
def mod(sandbox: Sandbox, ada: Person) -> Person:
    """One who may manage messages there."""
    return Person.join(sandbox, ada.settings, "Mod", permissions=Permission.MANAGE_MESSAGES)


async def let_wait(
    sandbox: Sandbox, ada: Person, bob: Person, **options: Any
) -> tuple[Hang, Interaction]:
    """Bob's call, which hangs, and Ada's edit, which waits behind it with its card shown."""
    called = hang(sandbox, prompt="^in front$")
    await bob.edit(prompt="in front")
    await sandbox.edit_api.called()
    edit = await ada.edit(**options)
    await edit.until(lambda each: "in queue" in each.text)
    return called, edit


async def press(person: Person, edit: Interaction) -> str:
    """What is answered, privately, to one who presses an edit's button."""
    assert edit.message is not None
    return await answered(await person.press(edit.message, "Cancel"))


async def press_late(person: Person, message: Message | None, row_id: int) -> str:
    """What is answered to a press of a button that a message does not show any more, or never."""
    assert message is not None
    custom_id = write_persistent("cancel", row_id)
    button = {"type": 2, "id": 2, "style": 2, "label": "Cancel", "custom_id": custom_id}
    seen_still = replace(message.now, components=({"type": 1, "id": 1, "components": [button]},))
    message.revisions.append(seen_still)
    pressed = await person.sandbox.discord.press(message, person.member, custom_id)
    message.revisions.remove(seen_still)
    return await answered(pressed)


async def answered(pressed: Interaction) -> str:
    answer = await pressed.acknowledged()
    assert answer.ephemeral
    assert answer.message is not None
    assert not answer.message.now.mentions
    return answer.message.text


async def ends_cancelled(ada: Person, events: Events, edit: Interaction) -> None:
    """Wait until a cancelled edit's member was told, and see that it cost nothing."""
    await events.logs("edit.closed", edit=str(edit.id))
    assert edit.message is not None
    said, asked = edit.message.text.split("\n")
    assert said == "Edit canceled. You weren't charged."
    assert asked.startswith("-# make it blue")
    assert list(buttons_of(edit.message)) == ["Run again (8 credits)", "Delete"]
    row = ada.row(edit)
    assert row is not None
    assert row.end == CANCELLED
    assert (row.charged, row.token, row.submitted_at) == (0, None, None)
    assert ada.account() == (0, 0)
    await events.logs("edit.voided", edit=str(edit.id), reason="cancelled")


async def test_its_member_cancels_an_edit_that_waits_and_pays_nothing(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    called, edit = await let_wait(sandbox, ada, bob)
    assert await press(ada, edit) == CANCELED
    await ends_cancelled(ada, events, edit)
    facts = (await ada.run("history")).text.splitlines()[1]
    assert re.fullmatch(r"<t:\d+:R> · Medium × 1 · 0 credits · \[Open\]\(.*\)", facts)
    assert edit.message is not None
    question = await (await ada.press(edit.message, "Delete")).settled()
    assert question.text == QUESTION
    later = await ada.edit()
    called.release()
    await later.posted()
    assert len(sandbox.edit_api.calls) == 2


async def test_a_private_one_too(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob, private=True)
    assert CANCELED in await press(ada, edit)
    await ends_cancelled(ada, events, edit)


async def test_a_moderator_cancels_it_and_nobody_else(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, mod: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    assert NOT_YOURS in await press(bob, edit)
    row = ada.row(edit)
    assert row is not None
    assert row.state == "held"
    assert await press(mod, edit) == CANCELED
    await ends_cancelled(ada, events, edit)


async def test_one_that_is_being_made_cannot_be_stopped_any_more_and_is_delivered(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    second = hang(sandbox, prompt="blue$")
    called, edit = await let_wait(sandbox, ada, bob)
    message = edit.message
    called.release()
    await sandbox.edit_api.called(2)
    said = await press_late(ada, message, edit.id)
    assert said == STARTED
    second.release()
    await edit.posted()
    await events.logs("edit.closed", edit=str(edit.id))
    assert await press_late(ada, message, edit.id) == (FINISHED)
    assert ada.account() == (0, 8)


async def test_what_is_unknown_or_anothers_servers_gets_an_answer_and_nothing_happens(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    elsewhere = sandbox.discord.add_guild("Elsewhere")
    eve = Person.join(
        sandbox, ada.settings, "Eve", guild=elsewhere, permissions=Permission.MANAGE_MESSAGES
    )
    there = await (await eve.command("credits")).settled()
    unknown = UNKNOWN
    assert unknown in await press_late(eve, there, edit.id)
    assert unknown in await press_late(ada, edit.message, 12345)
    row = ada.row(edit)
    assert row is not None
    assert row.state == "held"


async def test_a_moderator_of_another_channel_cannot_cancel_it(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, mod: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    other = ada.member.guild.channels[1]
    there = await sandbox.discord.invoke(other, mod.member, "credits", {})
    assert NOT_YOURS in await press_late(mod, await there.settled(), edit.id)


async def test_a_press_that_comes_twice_cancels_once(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, mod: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    said = await asyncio.gather(*(press(person, edit) for person in [ada, mod] * 5))
    assert sum(each == CANCELED for each in said) == 1
    assert sum(each == FINISHED for each in said) == 9
    await ends_cancelled(ada, events, edit)
    assert sum(each["event"] == "edit.voided" for each in events.logged) == 1


async def test_of_cancelling_and_sending_at_once_exactly_one_happens(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    await start_bot(edit_concurrency=1, default_quota=None)
    called = hang(sandbox, prompt="^in front$")
    await bob.edit(prompt="in front")
    await sandbox.edit_api.called()
    people = others(ada, 8)
    edits = [await person.edit() for person in people]
    await asyncio.gather(*(edit.until(lambda each: "in queue" in each.text) for edit in edits))
    called.release()
    said = await asyncio.gather(*map(press, people, edits))
    for edit in edits:
        await events.logs("edit.closed", edit=str(edit.id))

    rows = [person.row(edit) for person, edit in zip(people, edits, strict=True)]
    ends = [row.end for row in rows if row is not None]
    assert set(ends) <= {CANCELLED, ("delivered", None)}
    assert [end == CANCELLED for end in ends] == [each == CANCELED for each in said]
    assert len(sandbox.edit_api.calls) == 1 + ends.count(("delivered", None))
    assert sum(person.account()[1] for person in people) == 8 * ends.count(("delivered", None))
    assert not [each for each in events.logged if each["event"] == "edit.left_open"]


async def test_a_button_of_before_a_restart_cancels_after_it(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    await bot.stop()
    # Nothing is sent while the bot looks up what it left.
    looking = Hang()
    sandbox.faults.discord.add(DiscordFault(action=looking, method="GET", path="@original$"))
    await start_bot(edit_concurrency=1)
    assert CANCELED in await press(ada, edit)
    await ends_cancelled(ada, events, edit)
    looking.release()
    assert len(sandbox.edit_api.calls) == 1


async def test_one_that_is_cancelled_but_not_told_before_the_bot_ends_is_told_by_the_next(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    down = sandbox.faults.discord.add(
        DiscordFault(
            action=server_error(), method="PATCH", path=f"{edit.token}/messages", times=None
        )
    )
    assert CANCELED in await press(ada, edit)
    await down.happened()
    await bot.stop()
    sandbox.faults.discord.remove(down)
    await start_bot()
    await ends_cancelled(ada, events, edit)


async def test_a_ledger_that_does_not_answer_is_said_and_nothing_is_cancelled(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    with broken(bot.settings.database, "edit"):
        assert "trouble saving" in await press(ada, edit)
    assert CANCELED in await press(ada, edit)
    await ends_cancelled(ada, events, edit)


@pytest.mark.usefixtures("announces_soon")
async def test_a_ledger_that_takes_its_time_does_not_make_the_answer_late(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, bob: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    _, edit = await let_wait(sandbox, ada, bob)
    assert edit.message is not None
    with locked(bot.settings.database):
        pressed = await ada.press(edit.message, "Cancel")
        first = await pressed.acknowledged()
    assert first.seconds < 3
    assert first.ephemeral
    assert (await pressed.settled()).text == CANCELED
    await ends_cancelled(ada, events, edit)
