"""The log channel says how edits ended, pings nobody, and stands in no edit's way."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.edits import Edit
from bot.domain.lifecycle import Reason, State
from cogs.text.log_channel import MAX_PROMPT, log_note
from sandbox.discord.guilds import Channel
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.faults import DiscordFault, EditFault, Hang, declined, failed, refused
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person, look_up
from tests.moderators import Moderator
from tests.orders import order

pytestmark = pytest.mark.usefixtures("small_results")

MANY = 120
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def mod(sandbox: Sandbox, bot: RunningBot) -> Moderator:
    """A moderator of the sandbox's server."""
    return Moderator.join(sandbox, sandbox.discord.guilds[0])


@pytest.fixture
async def notes(sandbox: Sandbox, mod: Moderator) -> Channel:
    """The server's log channel."""
    channel = sandbox.discord.guilds[0].channels[1]
    await mod.set(log_channel=channel)
    return channel


async def noted(sandbox: Sandbox, channel: Channel, said: str) -> Message:
    """Wait for a note."""
    return await sandbox.discord.posted(channel, lambda message: said in message.text)


async def ended(events: Events, edit: Interaction) -> None:
    """Wait until nothing is left to be done for an edit."""
    await events.logs("edit.closed", edit=str(edit.id))


# What is noted.


async def test_a_delivered_edit_is_noted_with_who_what_price_and_where(
    sandbox: Sandbox, ada: Person, notes: Channel
):
    edit = await ada.edit(prompt="make it\n# **blue** @everyone", quality="high", count=2)
    note = await noted(sandbox, notes, "Done")
    message = await edit.settled()
    link = f"https://discord.com/channels/{ada.member.guild.id}/{ada.channel.id}/{message.id}"
    first, second = note.text.splitlines()
    assert first == f"<@{ada.member.id}> · 32 credits · High × 2 · Done · {link}"
    assert second == "> make it # \\*\\*blue\\*\\* @\u200beveryone"
    assert not note.pinged


async def test_an_edit_that_was_declined_is_noted_with_what_the_service_said(
    sandbox: Sandbox, ada: Person, notes: Channel
):
    sandbox.faults.edit_api.add(EditFault(action=declined("no <@1> @here\nhttps://a.example")))
    await ada.edit()
    note = await noted(sandbox, notes, "Declined")
    first, prompt, said = note.text.splitlines()
    assert first.startswith(
        f"<@{ada.member.id}> · 0 credits · Medium × 1 · Declined by the image service"
    )
    assert prompt == "> make it blue"
    assert said == "> ↳ no \\<@\u200b1> @\u200bhere https\\://a.example"
    assert not note.pinged


async def test_an_edit_that_failed_is_noted(sandbox: Sandbox, ada: Person, notes: Channel):
    sandbox.faults.edit_api.add(EditFault(action=failed(500)))
    await ada.edit()
    assert (
        "0 credits · Medium × 1 · Failed: service error"
        in (await noted(sandbox, notes, "Failed")).text
    )


@pytest.mark.parametrize("outcome", ["Done", "Declined by the image service"])
async def test_of_a_private_edit_only_member_price_and_outcome_are_noted(
    sandbox: Sandbox, ada: Person, notes: Channel, outcome: str
):
    if outcome != "Done":
        sandbox.faults.edit_api.add(EditFault(action=declined("about the secret")))
    await ada.edit(prompt="the secret", private=True, quality="low", count=2)
    note = await noted(sandbox, notes, "private")
    price = 8 if outcome == "Done" else 0
    assert note.text == f"<@{ada.member.id}> · {price} credits · {outcome} · private"
    assert not note.pinged


async def test_what_was_refused_before_a_hold_is_no_edit_and_is_not_noted(
    sandbox: Sandbox, mod: Moderator, ada: Person, notes: Channel
):
    await mod.set(refuse="blue")
    await (await ada.edit()).settled()
    await ada.edit(prompt="make it red")
    assert "make it red" in (await noted(sandbox, notes, "credits")).text
    assert len(sandbox.discord.messages(notes)) == 2


def test_a_note_is_short_however_long_the_prompt_is():
    line = log_note(an_end(prompt="*" * 4_000, count=4, posted=1))
    first, prompt = line.splitlines()
    assert first.startswith("<@40> · 8 credits · Medium × 4 · Done, 1 of 4 · https://")
    assert len(prompt) <= MAX_PROMPT + 2
    assert prompt.endswith("…")


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\r", "\u2028", "\x0b", "\x85", "\n\n> "])
def test_a_prompt_stays_in_its_quotation(gap: str):
    lines = log_note(an_end(prompt=f"one{gap}# two")).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("> one ")


def test_of_an_edit_whose_member_had_it_erased_meanwhile_the_prompt_is_not_noted():
    line = log_note(replace(an_end(prompt="my secret"), erase_when_done=True))
    assert "my secret" not in line
    assert line.endswith("deleted")


def test_where_the_message_is_not_known_the_channel_is_named():
    line = log_note(an_end(message_id=None, state=State.FAILED, reason=Reason.NOT_ACKNOWLEDGED))
    assert line.splitlines()[0].endswith("Failed: Discord too slow · <#30>")


def an_end(
    *,
    prompt: str = "make it blue",
    count: int = 1,
    posted: int = 1,
    message_id: int | None = 50,
    state: State = State.DELIVERED,
    reason: Reason | None = None,
) -> Edit:
    """An edit of Ada's that ended."""
    given = order(1, prompt=prompt, count=count)
    return Edit(
        order=given,
        price=given.quality.price,
        state=state,
        reason=reason,
        detail=None,
        message_id=message_id,
        ratio="4:3",
        results=(),
        posted=posted,
        charged=given.quality.price * posted,
        held_at=NOW,
        acknowledged_at=NOW,
        submitted_at=NOW,
        rendered_at=NOW,
        ended_at=NOW,
    )


# How it is posted.


@pytest.mark.drill
async def test_hundreds_of_edits_at_once_are_noted_in_few_messages(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(default_quota=None, edit_concurrency=64)
    mod = Moderator.join(sandbox, ada.member.guild)
    channel = ada.member.guild.channels[1]
    await mod.set(log_channel=channel)
    edits = await asyncio.gather(*(ada.edit(prompt=f"number {n}!") for n in range(MANY)))

    def lines() -> list[str]:
        return [
            line for each in sandbox.discord.messages(channel) for line in each.text.splitlines()
        ]

    async with asyncio.timeout(60):
        for edit in edits:
            await ended(events, edit)
        await sandbox.discord.posted(channel, lambda _: len(lines()) > 2 * MANY)
    prompts = [line for line in lines() if line.startswith("> ")]
    assert sorted(prompts) == sorted(f"> number {n}!" for n in range(MANY))
    assert len(sandbox.discord.messages(channel)) <= MANY / 4
    assert max(len(each.text) for each in sandbox.discord.messages(channel)) <= 2_000


async def test_a_log_channel_that_is_closed_to_the_bot_later_harms_no_edit(
    sandbox: Sandbox, ada: Person, notes: Channel, events: Events
):
    sandbox.discord.forbid(
        notes, ada.member.guild.members[sandbox.application_id], Permission.SEND_MESSAGES
    )
    edit = await ada.edit()
    assert (await edit.settled()).files
    await ended(events, edit)
    await events.logs("journal.not_posted")
    assert ada.account() == (0, 8)
    assert len(sandbox.discord.messages(notes)) == 1


async def test_a_log_channel_that_is_deleted_later_harms_no_edit_and_notes_go_on_elsewhere(
    sandbox: Sandbox, mod: Moderator, ada: Person, notes: Channel, events: Events
):
    fault = DiscordFault(
        action=refused(404, 10003, "Unknown Channel"),
        method="POST",
        path=f"/channels/{notes.id}/messages",
        times=None,
    )
    sandbox.faults.discord.add(fault)
    edit = await ada.edit()
    assert (await edit.settled()).files
    await ended(events, edit)
    await events.logs("journal.not_posted")
    thread = sandbox.discord.add_thread(ada.channel, "log")
    await mod.set(log_channel=thread)
    await ada.edit(prompt="make it green")
    assert "> make it green" in (await noted(sandbox, thread, "Done")).text
    assert fault.fired == 1


async def test_no_edit_waits_for_a_note(
    sandbox: Sandbox, bot: RunningBot, ada: Person, notes: Channel, events: Events
):
    silence = Hang()
    path = f"/channels/{notes.id}/messages"
    sandbox.faults.discord.add(DiscordFault(action=silence, method="POST", path=path))
    for edit in [await ada.edit(), await ada.edit()]:
        await ended(events, edit)
    assert len(sandbox.discord.messages(notes)) == 1
    silence.release()
    await sandbox.discord.posted(notes, lambda _: count_notes(sandbox, notes) == 2)


async def test_a_bot_that_is_stopped_posts_what_waits_if_it_can(
    sandbox: Sandbox, bot: RunningBot, ada: Person, notes: Channel, events: Events
):
    silence = Hang()
    path = f"/channels/{notes.id}/messages"
    fault = sandbox.faults.discord.add(DiscordFault(action=silence, method="POST", path=path))
    await ended(events, await ada.edit())
    await fault.happened()
    await ended(events, await ada.edit())
    stopping = asyncio.create_task(bot.stop())
    silence.release()
    await stopping
    assert count_notes(sandbox, notes) == 2


async def test_nothing_is_noted_where_no_channel_was_named(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    await ended(events, await ada.edit())
    await bot.stop()
    assert not look_up(bot.settings.database, "SELECT * FROM setting")
    posts = [each for each in sandbox.discord.requests if each.path.endswith("/messages")]
    assert posts == []


def count_notes(sandbox: Sandbox, channel: Channel) -> int:
    """How many edits a channel's messages say something of."""
    return sum(each.text.count(" credits · ") for each in sandbox.discord.messages(channel))
