"""What was public in one channel is not public in another, whatever is begun there."""

from dataclasses import replace

import pytest

from bot.settings import Settings
from cogs.result_buttons import ORIGINAL_NOT_SHARED, SOURCE_NOT_PUBLIC
from cogs.ui.edit_lookup import UNKNOWN_EDIT
from sandbox.discord.messages import Message, walk
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot
from tests.members import Person, buttons_of

pytestmark = pytest.mark.usefixtures("small_results")


@pytest.fixture
def bob(sandbox: Sandbox, settings: Settings) -> Person:
    """Another member of the same server."""
    return Person.join(sandbox, settings, "Bob")


async def card_of(edit: Interaction, events: Events) -> Message:
    """The message of an edit that has ended."""
    await events.logs("edit.closed", edit=str(edit.id))
    return await edit.settled()


async def edit_again(ada: Person, shown: Message, custom_id: str, events: Events) -> Message:
    """The card of what Ada makes of a result, by a button under a message."""
    pressed = await ada.sandbox.discord.press(shown, ada.member, custom_id)
    await pressed.acknowledged()
    sent = await ada.sandbox.discord.submit(pressed, {"prompt": "now red"})
    return await card_of(sent, events)


def elsewhere(person: Person) -> Person:
    """The same member, in the server's second channel."""
    return replace(person, channel=person.member.guild.channels[1])


def edit_id_of(card: Message) -> int:
    """The id of the edit that a card is of."""
    return int(buttons_of(card)["Delete"].rpartition(":")[2])


async def test_a_result_edited_again_in_another_channel_is_no_public_original_there(
    bot: RunningBot, ada: Person, bob: Person, events: Events
):
    first = await card_of(await ada.edit(), events)
    custom_id = buttons_of(first)["Edit this"]

    here = await edit_again(ada, first, custom_id, events)
    assert await bob.told(here, "Before & after") != SOURCE_NOT_PUBLIC

    history = await elsewhere(ada).run("history")
    there = await edit_again(ada, history, custom_id, events)
    assert there.channel is elsewhere(ada).channel
    assert await elsewhere(bob).told(there, "Before & after") == SOURCE_NOT_PUBLIC


async def test_an_edit_run_again_in_another_channel_has_no_public_original_there(
    bot: RunningBot, ada: Person, bob: Person, events: Events
):
    first = await card_of(await ada.edit(), events)
    second = await edit_again(ada, first, buttons_of(first)["Edit this"], events)
    custom_id = f"2:run:{edit_id_of(second)}"

    here = await card_of(await ada.sandbox.discord.press(second, ada.member, custom_id), events)
    assert await bob.told(here, "Before & after") != SOURCE_NOT_PUBLIC

    history = await elsewhere(ada).run("history")
    pressed = await ada.sandbox.discord.press(history, ada.member, custom_id)
    there = await card_of(pressed, events)
    assert there.channel is elsewhere(ada).channel
    assert await elsewhere(bob).told(there, "Before & after") == SOURCE_NOT_PUBLIC


async def test_a_public_original_is_compared_in_its_own_channel_alone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, bob: Person, events: Events
):
    first = await card_of(await ada.edit(), events)
    second = await edit_again(ada, first, buttons_of(first)["Edit this"], events)
    assert await bob.told(second, "Before & after") != SOURCE_NOT_PUBLIC

    own = await card_of(await elsewhere(bob).edit(), events)
    button = next(part for part in walk(own.components) if part.get("label") == "Before & after")
    button["custom_id"] = f"2:compare:{edit_id_of(second)}"
    assert await elsewhere(bob).told(own, "Before & after") == UNKNOWN_EDIT


async def test_a_public_original_that_was_borrowed_is_not_compared_elsewhere(
    bot: RunningBot, ada: Person, bob: Person, events: Events
):
    first = await card_of(await ada.edit(), events)
    second = await edit_again(ada, first, buttons_of(first)["Edit this"], events)
    bobs = await card_of(await bob.press(second, "Run again"), events)
    assert await bob.told(bobs, "Before & after") != ORIGINAL_NOT_SHARED

    own = await card_of(await elsewhere(bob).edit(), events)
    button = next(part for part in walk(own.components) if part.get("label") == "Before & after")
    button["custom_id"] = f"2:compare:{edit_id_of(bobs)}"
    assert await elsewhere(bob).told(own, "Before & after") == ORIGINAL_NOT_SHARED
