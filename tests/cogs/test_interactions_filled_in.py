"""Interactions with no more in them than Discord promises are read like all others."""

import copy
from typing import Any, cast

import discord

from bot.discord_io.client import fill_in
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import object_at
from tests.conftest import Events, RunningBot
from tests.members import Person

THREAD = {
    "id": "7",
    "type": 11,
    "name": "brushes",
    "permissions": "0",
    "parent_id": "5",
    "thread_metadata": {
        "archived": False,
        "auto_archive_duration": 60,
        "archive_timestamp": "2026-11-25T00:00:00+00:00",
        "locked": False,
    },
}


def test_a_thread_is_given_what_is_missing_and_keeps_what_it_has() -> None:
    interaction: dict[str, Any] = {
        "channel": {**THREAD, "owner_id": "3"},
        "data": {"resolved": {"channels": {"7": dict(THREAD), "8": {"id": "8", "type": 0}}}},
    }
    fill_in(interaction)
    assert interaction["channel"]["owner_id"] == "3"
    resolved = interaction["data"]["resolved"]["channels"]
    assert resolved["7"] == {**THREAD, "owner_id": "0", "member_count": 0, "message_count": 0}
    assert resolved["8"] == {"id": "8", "type": 0}


def test_an_interaction_of_no_channel_stays_as_it_is() -> None:
    interaction: dict[str, Any] = {"data": None}
    fill_in(interaction)
    assert interaction == {"data": None}


def test_a_forwarded_message_of_which_only_a_part_is_said_can_be_read() -> None:
    embed = {"type": "image", "url": "https://example.org/a.png"}
    message: dict[str, Any] = {"id": "9", "message_snapshots": [{"message": {"embeds": [embed]}}]}
    fill_in({"data": {"resolved": {"messages": {"9": message}}}})
    assert (message["type"], message["content"]) == (0, "")
    forwarded = message["message_snapshots"][0]["message"]
    read = discord.MessageSnapshot(cast("Any", None), forwarded)
    assert [each.url for each in read.embeds] == ["https://example.org/a.png"]


async def test_a_button_works_under_a_message_of_which_no_components_are_said(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    usual = await ada.edit()
    pressed = await ada.press(await usual.settled(), "Run again")
    await pressed.settled()
    message = {
        key: said
        for key, said in object_at(pressed.payload, "message").items()
        if key != "components"
    }
    again_id = dispatch_again(sandbox, ada, pressed, {"message": message})
    await events.logs("edit.held", edit=again_id)


async def test_an_edit_is_taken_in_a_thread_of_which_no_more_is_said_than_is_promised(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    changes = {"channel": THREAD, "channel_id": THREAD["id"]}
    edit_id = await dispatch_changed(sandbox, ada, changes)
    await events.logs("edit.held", edit=edit_id)


async def test_an_edit_is_taken_where_only_the_channels_id_is_said(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    edit_id = await dispatch_changed(sandbox, ada, {"channel": None})
    await events.logs("edit.held", edit=edit_id)


async def test_an_edit_is_answered_in_a_server_and_channel_that_nothing_was_said_of(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    unknown = {"guild_id": "77", "channel_id": "78", "channel": {"id": "78", "type": 0}}
    edit_id = await dispatch_changed(sandbox, ada, unknown)
    await events.logs("edit.held", edit=edit_id)


async def dispatch_changed(sandbox: Sandbox, ada: Person, changes: dict[str, Any]) -> str:
    """Send an edit as a new interaction whose payload is otherwise; the interaction's id."""
    usual = await ada.edit()
    await usual.settled()
    return dispatch_again(sandbox, ada, usual, changes)


def dispatch_again(
    sandbox: Sandbox, ada: Person, usual: Interaction, changes: dict[str, Any]
) -> str:
    """Send an interaction as a new one whose payload is otherwise; its id."""
    payload: dict[str, Any] = copy.deepcopy(usual.payload)
    new_id = str(usual.id + 1)
    payload.update({"id": new_id, **changes})
    sandbox.discord.gateway.dispatch("INTERACTION_CREATE", payload, guild_id=ada.member.guild.id)
    return new_id
