"""Buttons and forms do nothing in servers that the operator has not named."""

import pytest

from cogs.ui.admission import NOT_SERVED
from sandbox.discord.messages import Message
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person

pytestmark = pytest.mark.usefixtures("small_results")

ELSEWHERE = frozenset({1})


async def card(ada: Person, events: Events) -> Message:
    """The card of an edit that has ended."""
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    return await edit.settled()


def refused(answer: Message, ada: Person) -> bool:
    """Whether the answer says, to one member alone, that the server is not served."""
    return answer.ephemeral and answer.text == NOT_SERVED.format(guild_id=ada.member.guild.id)


@pytest.mark.parametrize("label", ["Run again", "Edit this", "Before & after", "Delete"])
async def test_a_lasting_button_does_nothing_where_the_bot_is_not_open_any_more(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events, label: str
):
    shown = await card(ada, events)
    await bot.stop()
    await start_bot(servers=ELSEWHERE)
    answer = await (await ada.press(shown, label)).settled()
    assert refused(answer, ada)
    assert len(sandbox.edit_api.calls) == 1


async def test_a_signed_button_does_nothing_where_the_bot_is_not_open_any_more(
    start_bot: StartBot, bot: RunningBot, ada: Person
):
    question = await ada.run("privacy delete")
    before = question.text
    await bot.stop()
    await start_bot(servers=ELSEWHERE)
    assert refused(await (await ada.press(question, "Delete my data")).settled(), ada)
    assert question.text == before


async def test_a_form_does_nothing_where_the_bot_is_not_open_any_more(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    pressed = await ada.press(await card(ada, events), "Edit this")
    await pressed.acknowledged()
    await bot.stop()
    await start_bot(servers=ELSEWHERE)
    sent = await sandbox.discord.submit(pressed, {"prompt": "now red"})
    assert refused(await sent.settled(), ada)
    assert len(sandbox.edit_api.calls) == 1
