"""An edit goes through the whole bot, from the command to the posted pictures."""

import re

from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot
from tests.images_made import photo


async def test_an_edit_is_acknowledged_posted_in_the_same_message_and_charged(
    sandbox: Sandbox, bot: RunningBot, events: Events
) -> None:
    channel = sandbox.discord.guilds[0].channels[0]
    ada = sandbox.discord.add_member(sandbox.discord.guilds[0], "Ada")

    command = await sandbox.discord.invoke(
        channel, ada, "edit", {"image": photo(), "prompt": "make it blue", "count": 2}
    )
    acknowledgement = await command.acknowledged()
    message = await command.settled()

    assert (acknowledgement.type, acknowledgement.ephemeral) == (5, False)
    assert len(message.files) == 2
    assert "make it blue" in message.text
    assert re.search(rf"Medium · 4:3 · 16 credits · <@{ada.id}>", message.text)
    assert not message.pinged
    # https://docs.discord.com/developers/reference#user-agent
    agents = {request.headers["User-Agent"] for request in sandbox.discord.requests}
    assert not [agent for agent in agents if not agent.startswith("DiscordBot (https://")]

    await events.logs("edit.charged", edit=str(command.id), credits=16)
    balance = await sandbox.discord.invoke(channel, ada, "credits", {})
    answer = await balance.settled()
    assert answer.ephemeral
    assert "Left 64 · Held 0 · Spent 16" in answer.text
