"""An edit's second message is found by what the bot wrote into it, never by a member's words."""

import pytest

from bot.settings import Settings
from sandbox.discord.messages import Flag, Message, Revision
from sandbox.faults import Hang, token_dead
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import JsonObject
from tests.conftest import Events, RunningBot
from tests.discord_io.test_missing_permissions import (
    IN_CHANNEL,
    NOT_ALLOWED,
    ORIGINAL,
    place_of,
    refuse_first_message,
    run_while_it_is_made,
)
from tests.members import Person, closes
from tests.services import at_discord, count

pytestmark = pytest.mark.usefixtures("small_results", "requests_again_soon")


@pytest.fixture
def eve(sandbox: Sandbox, settings: Settings) -> Person:
    """Another member of the same server."""
    return Person.join(sandbox, settings, "Eve")


async def needs_second_message(sandbox: Sandbox, ada: Person) -> tuple[Interaction, Hang]:
    """An edit in progress that neither its token nor the channel's route can show any more."""
    edit, called = await run_while_it_is_made(sandbox, ada)
    edit.expire()
    refuse_first_message(sandbox, edit)
    return edit, called


async def second_message(ada: Person, events: Events, edit: Interaction) -> Message:
    """Where the edit's result ended up, in a message other than the first."""
    await events.logs("edit.closed", edit=str(edit.id))
    _, message_id = place_of(ada, edit)
    assert edit.message is not None
    assert message_id not in {None, edit.message.id}
    return ada.sandbox.world.history(ada.channel)[message_id or 0]


@pytest.mark.parametrize(
    "prompt", ["{}", "-# Edit {}", "a hat\n-# Edit {}", "<@1> About your edit:\n-# Edit {}"]
)
async def test_a_prompt_with_another_edits_id_gets_no_card_overwritten(
    sandbox: Sandbox, bot: RunningBot, ada: Person, eve: Person, events: Events, prompt: str
):
    edit, called = await needs_second_message(sandbox, ada)
    other = await eve.edit(prompt=prompt.format(edit.id))
    await events.logs("edit.closed", edit=str(other.id))
    card = await other.settled()
    before = card.text

    called.release()
    second = await second_message(ada, events, edit)

    assert second is not card
    assert card.text == before
    assert f"-# Edit {edit.id}" in second.text.splitlines()


async def test_a_name_with_another_edits_id_gets_no_card_overwritten(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit, called = await needs_second_message(sandbox, ada)
    named = Person.join(sandbox, ada.settings, str(edit.id))
    other = await named.edit()
    await events.logs("edit.closed", edit=str(other.id))
    card = await other.settled()
    before = card.text

    called.release()

    assert await second_message(ada, events, edit) is not card
    assert card.text == before


async def test_another_edits_second_message_is_not_overwritten_whatever_its_prompt(
    sandbox: Sandbox, bot: RunningBot, ada: Person, eve: Person, events: Events
):
    edit, called = await needs_second_message(sandbox, ada)
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL)
    other = await eve.edit(prompt=f"-# Edit {edit.id}")
    card = await second_message(eve, events, other)
    before = card.text

    called.release()

    assert await second_message(ada, events, edit) is not card
    assert card.text == before


def echo(ada: Person, edit: Interaction, *, answers: bool) -> Message:
    """Another bot's message with all that tells the edit's second message, but for its author."""
    world = ada.sandbox.discord.world
    bot = ada.sandbox.discord.add_member(ada.member.guild, "Echo", bot=True)
    text: JsonObject = {"type": 10, "content": f"About your edit:\n-# Edit {edit.id}"}
    message = Message(
        world.new_id(),
        ada.channel,
        bot.user,
        [Revision(world.clock.now(), "", (), (text,), (), Flag.COMPONENTS_V2)],
        interaction_metadata={"id": str(edit.id)} if answers else None,
    )
    world.created(message)
    return message


@pytest.mark.parametrize("answers", [False, True])
async def test_another_bots_message_is_left_alone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, answers: bool
):
    edit, called = await needs_second_message(sandbox, ada)
    other = echo(ada, edit, answers=answers)

    called.release()

    assert await second_message(ada, events, edit) is not other
    assert count(sandbox, "PATCH", f"/{other.id}") == 0


async def test_nothing_is_posted_while_the_bot_cannot_tell_which_messages_are_its_own(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit, called = await needs_second_message(sandbox, ada)
    other = echo(ada, edit, answers=False)
    at_discord(sandbox, NOT_ALLOWED, method="GET", path="^/users/@me$", times=None)

    called.release()
    await closes(ada, events, edit, ("failed", "not_posted"))

    assert count(sandbox, "PATCH", f"/{other.id}") == 0
    assert count(sandbox, "POST", "/messages", start="/channels/") == 0
