"""Where the bot cannot post: said before a hold, and afterwards another way is found, once."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.discord_io.responses import UNKNOWN_CHANNEL
from cogs.text.outcomes import NOT_CHARGED
from sandbox.discord.guilds import Channel
from sandbox.discord.messages import Mentions, Message
from sandbox.discord.permissions import Permission
from sandbox.faults import (
    CutAfter,
    EditFault,
    Hang,
    declined,
    refused,
    server_error,
    token_dead,
)
from sandbox.sandbox import Interaction, Sandbox
from tests import members, services
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person, buttons_of, change, grow_old, look_up
from tests.services import at_discord, count, hang

pytestmark = pytest.mark.usefixtures("small_results", "requests_again_soon")

ORIGINAL = "/messages/@original$"
IN_CHANNEL = r"^/channels/\d+/messages/\d+$"
POSTING = r"^/channels/\d+/messages$"
OPENING = "^/users/@me/channels$"

NOT_ALLOWED = refused(403, 50001, "Missing Access")
DEAD_TOKEN_MINUTES = 16


def posts(sandbox: Sandbox) -> int:
    """How many messages the bot asked Discord to make."""
    return count(sandbox, "POST", "/messages", start="/channels/")


def mailbox(sandbox: Sandbox, ada: Person) -> Channel:
    """Ada's direct messages with the bot."""
    channel = sandbox.discord.world.direct_messages(ada.member.id)
    assert channel is not None
    return channel


def place_of(ada: Person, edit: Interaction) -> tuple[int | None, int | None]:
    """Where the ledger says that the edit's message stands."""
    query = "SELECT message_channel_id, message_id FROM edit WHERE id = $1"
    (found,) = look_up(ada.settings.database, query, edit.id)
    return found


async def closes(
    ada: Person, events: Events, edit: Interaction, end: tuple[str, str | None]
) -> None:
    """Wait until the only edit there was has ended like this, paid for if it was posted."""
    await members.closes(ada, events, edit, end)
    row = ada.row(edit)
    assert row is not None
    assert row.charged == (8 if end[0] == "delivered" else 0)
    assert len(ada.sandbox.edit_api.calls) == 1


async def leave_rendered(
    sandbox: Sandbox, bot: RunningBot, ada: Person, *, private: bool = False
) -> Interaction:
    """An edit whose picture was being posted when the bot ended, sixteen minutes ago."""
    edit = await services.leave_rendered(sandbox, bot, ada, private=private)
    grow_old(bot.settings.database, edit, minutes=DEAD_TOKEN_MINUTES)
    edit.expire()
    return edit


async def run_while_it_is_made(
    sandbox: Sandbox, ada: Person, **options: bool
) -> tuple[Interaction, Hang]:
    """An edit whose picture is being made until what is returned beside it is released."""
    called = hang(sandbox)
    edit = await ada.edit(**options)
    await sandbox.edit_api.called()
    return edit, called


def refuse_first_message(sandbox: Sandbox, edit: Interaction) -> None:
    """Let the channel's route not take what is to be shown in the edit's first message."""
    assert edit.message is not None
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=f"/{edit.message.id}$", times=None)


def mentions_only(message: Message, ada: Person) -> bool:
    """Whether a message pinged Ada and nobody else."""
    return message.pinged == Mentions(users=frozenset({ada.member.id}))


# Before a hold.


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("threaded", [False, True])
async def test_without_attach_files_no_edit_is_made_and_the_permission_is_named(
    sandbox: Sandbox, bot: RunningBot, ada: Person, *, threaded: bool, private: bool
):
    sandbox.discord.forbid(ada.channel, ada.member.guild.everyone, Permission.ATTACH_FILES)
    where = sandbox.discord.add_thread(ada.channel, "a thread") if threaded else ada.channel
    given = {"image": photo(), "prompt": "make it blue", "private": private}
    edit = await sandbox.discord.invoke(where, ada.member, "edit", given)
    answer = await edit.settled()
    assert answer.ephemeral
    assert "missing the Attach Files permission" in answer.text
    assert NOT_CHARGED in answer.text
    assert ada.row(edit) is None
    assert ada.account() == (0, 0)
    assert sandbox.edit_api.calls == []


async def test_only_the_channel_where_it_is_forbidden_is_refused(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    elsewhere = ada.member.guild.channels[1]
    sandbox.discord.forbid(elsewhere, ada.member.guild.everyone, Permission.ATTACH_FILES)
    await closes(ada, events, await ada.edit(), ("delivered", None))


async def test_a_button_is_refused_where_the_permission_was_taken_away_since(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    card = await (await ada.edit()).settled()
    await events.logs("edit.closed")
    sandbox.discord.forbid(ada.channel, ada.member.guild.everyone, Permission.ATTACH_FILES)
    answer = await (await ada.press(card, "Run again (8 credits)")).settled()
    assert answer.ephemeral
    assert "missing the Attach Files permission" in answer.text
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize("missing", [Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL])
async def test_an_answer_needs_no_other_permission(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, missing: Permission
):
    me = ada.member.guild.members[sandbox.discord.world.bot.id]
    sandbox.discord.forbid(ada.channel, me, missing)
    edit = await ada.edit()
    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1


async def test_an_administrator_may_post_whatever_else_is_told(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit = await sandbox.discord.invoke(
        ada.channel,
        ada.member,
        "edit",
        {"image": photo(), "prompt": "make it blue"},
        app_permissions=Permission.ADMINISTRATOR,
    )
    await closes(ada, events, edit, ("delivered", None))


# When the token is dead.


async def test_a_dead_token_is_left_at_once_for_the_channels_route(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    edit = await ada.edit()
    await closes(ada, events, edit, ("delivered", None))
    message = await edit.settled()
    assert len(message.files) == 1
    assert not message.pinged
    assert place_of(ada, edit) == (None, message.id)
    assert count(sandbox, "PATCH", start="/webhooks/") == 1
    assert posts(sandbox) == 0


async def test_an_end_without_pictures_is_told_by_the_channels_route_too(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    edit = await ada.edit()
    await closes(ada, events, edit, ("declined", "api_declined"))
    assert "declined this edit: “No.”" in (await edit.settled()).text
    assert posts(sandbox) == 0


async def test_where_the_channels_route_is_refused_a_new_message_mentions_its_member_alone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL, times=None)
    edit = await ada.edit(prompt="for <@1> and @everyone")
    await closes(ada, events, edit, ("delivered", None))
    first, second = sandbox.discord.messages(ada.channel)
    assert first is edit.message
    assert first.loading
    assert len(second.files) == 1
    assert "8 credits" in second.text
    assert mentions_only(second, ada)
    assert {"Edit this", "Run again (8 credits)", "Delete"} <= buttons_of(second).keys()
    assert place_of(ada, edit) == (None, second.id)
    assert posts(sandbox) == 1


@pytest.mark.parametrize("declines", [False, True])
async def test_the_buttons_of_a_new_message_in_a_thread_work_for_others_after_a_restart(
    sandbox: Sandbox,
    start_bot: StartBot,
    bot: RunningBot,
    ada: Person,
    events: Events,
    *,
    declines: bool,
):
    thread = sandbox.discord.add_thread(ada.channel, "a thread")
    ada = replace(ada, channel=thread)
    mod = Person.join(sandbox, ada.settings, "Mod", permissions=Permission.MANAGE_MESSAGES)
    if declines:
        sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL)
    end = ("declined", "api_declined") if declines else ("delivered", None)
    await closes(ada, events, await ada.edit(), end)
    _, second = sandbox.discord.messages(thread)
    await bot.stop()
    await start_bot()

    assert (await (await mod.press(second, "Run again")).posted()).files
    question = await (await mod.press(second, "Delete")).settled()
    await mod.press(question, "Delete")
    await events.logs("edit.deleted")
    assert second.deleted


async def test_in_a_thread_that_was_archived_meanwhile_a_new_message_is_posted(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    archived = refused(400, 50083, "Thread is archived")
    for path in (ORIGINAL, IN_CHANNEL):
        at_discord(sandbox, archived, method="PATCH", path=path, times=None)
    edit = await ada.edit()
    await closes(ada, events, edit, ("delivered", None))
    _, second = sandbox.discord.messages(ada.channel)
    assert len(second.files) == 1
    assert mentions_only(second, ada)
    assert posts(sandbox) == 1


async def test_a_new_message_is_posted_where_the_channels_messages_are_not_shown(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL, times=None)
    at_discord(
        sandbox, refused(403, 50013, "Missing Permissions"), method="GET", path=POSTING, times=None
    )
    edit = await ada.edit()
    await closes(ada, events, edit, ("delivered", None))
    _, second = sandbox.discord.messages(ada.channel)
    assert len(second.files) == 1
    assert posts(sandbox) == 1


async def test_a_new_message_is_not_posted_while_the_channels_route_may_work(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    down = at_discord(sandbox, server_error(), method="PATCH", path=IN_CHANNEL, times=2)
    edit = await ada.edit()
    await closes(ada, events, edit, ("failed", "not_posted"))
    assert "Your image was made, but it couldn't be uploaded" in (await edit.settled()).text
    assert down.fired == 2
    assert posts(sandbox) == 0
    assert sandbox.discord.messages(ada.channel) == [edit.message]


async def test_where_nothing_is_taken_in_the_channel_the_edit_is_void(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit, called = await run_while_it_is_made(sandbox, ada)
    me = ada.member.guild.members[sandbox.discord.world.bot.id]
    sandbox.discord.forbid(ada.channel, me, Permission.VIEW_CHANNEL)
    edit.expire()
    called.release()
    await closes(ada, events, edit, ("failed", "not_posted"))
    await events.logs("edit.untold", edit=str(edit.id))
    assert sandbox.discord.messages(ada.channel) == [edit.message]
    assert posts(sandbox) == 0


async def test_where_only_a_message_without_pictures_is_taken_it_says_so_and_costs_nothing(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit, called = await run_while_it_is_made(sandbox, ada)
    me = ada.member.guild.members[sandbox.discord.world.bot.id]
    sandbox.discord.forbid(ada.channel, me, Permission.ATTACH_FILES)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL, times=None)
    edit.expire()
    called.release()
    await closes(ada, events, edit, ("failed", "not_posted"))
    _, told = sandbox.discord.messages(ada.channel)
    assert NOT_CHARGED in told.text
    assert mentions_only(told, ada)
    assert not told.files


async def test_a_new_message_whose_posting_was_not_answered_stands_once(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL)
    lost = at_discord(sandbox, CutAfter(), method="POST", path=POSTING, times=None)
    edit = await ada.edit()
    await closes(ada, events, edit, ("delivered", None))
    _, second = sandbox.discord.messages(ada.channel)
    assert len(second.files) == 1
    assert lost.fired == 2
    assert place_of(ada, edit) == (None, second.id)


async def test_a_message_of_which_discord_told_no_id_is_found_and_edited(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    edit = await leave_rendered(sandbox, bot, ada)
    forget_message(bot.settings.database, edit)
    await start_bot()
    await closes(ada, events, edit, ("delivered", None))
    message = await edit.settled()
    assert sandbox.discord.messages(ada.channel) == [message]
    assert len(message.files) == 1
    assert place_of(ada, edit) == (None, message.id)


def forget_message(database: Path, edit: Interaction) -> None:
    """Let the answer that named the edit's message have been lost, in a stopped bot's file."""
    change(database, "UPDATE edit SET message_id = NULL WHERE id = $1", edit.id)


# After a restart.


async def test_after_a_restart_a_new_message_is_posted_from_the_row(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    edit = await leave_rendered(sandbox, bot, ada)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL, times=None)
    await start_bot()
    await closes(ada, events, edit, ("delivered", None))
    _, second = sandbox.discord.messages(ada.channel)
    assert len(second.files) == 1
    assert mentions_only(second, ada)


@pytest.mark.parametrize("talk", [0, 250])
@pytest.mark.parametrize("private", [False, True])
async def test_a_message_that_got_through_before_a_restart_is_found_and_not_posted_again(
    sandbox: Sandbox,
    start_bot: StartBot,
    bot: RunningBot,
    ada: Person,
    events: Events,
    *,
    private: bool,
    talk: int,
):
    edit = await leave_rendered(sandbox, bot, ada, private=private)
    where = mailbox(sandbox, ada) if private else ada.channel
    for number in range(talk):
        await sandbox.discord.say(where, ada.member, f"line {number}")
    refuse_first_message(sandbox, edit)
    got_through = at_discord(sandbox, CutAfter(), method="POST", path=POSTING)
    repeated = at_discord(sandbox, Hang(), method="POST", path=POSTING)
    second_bot = await start_bot()
    await got_through.happened()
    await repeated.happened()
    await second_bot.stop()
    forget_nonces(sandbox)
    await start_bot()

    await closes(ada, events, edit, ("delivered", None))
    found = [message for message in sandbox.discord.messages(where) if message.files]
    assert len(found) == 1
    assert place_of(ada, edit) == (where.id if private else None, found[0].id)


def forget_nonces(sandbox: Sandbox) -> None:
    """Let the minutes be over in which Discord remembers nonces."""
    sandbox.discord.rest.forget_nonces()


async def test_a_try_by_another_message_counts_for_that_edit_alone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    at_discord(sandbox, NOT_ALLOWED, method="PATCH", path=IN_CHANNEL, times=None)
    edits = [await ada.edit(), await ada.edit()]
    for edit in edits:
        await events.logs("edit.closed", edit=str(edit.id))
    with_pictures = [each for each in sandbox.discord.messages(ada.channel) if each.files]
    assert len(with_pictures) == 2
    assert {place_of(ada, edit)[1] for edit in edits} == {each.id for each in with_pictures}


# What was deleted meanwhile.


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize("gone", ["message", "channel"])
async def test_what_somebody_deleted_is_void_and_nothing_new_is_posted(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, *, gone: str, dead: bool
):
    edit, called = await run_while_it_is_made(sandbox, ada)
    assert edit.message is not None
    if gone == "message":
        sandbox.discord.delete(edit.message)
    else:
        sandbox.discord.delete_channel(ada.channel)
    if dead:
        edit.expire()
    called.release()
    await closes(ada, events, edit, ("failed", "answer_deleted"))
    assert posts(sandbox) == 0
    assert count(sandbox, "POST", start="/users/") == 0
    assert sandbox.discord.messages(ada.channel) == []


async def test_after_a_restart_what_was_deleted_is_void_too(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    edit = await leave_rendered(sandbox, bot, ada)
    sandbox.discord.delete_channel(ada.channel)
    await start_bot()
    await closes(ada, events, edit, ("failed", "answer_deleted"))
    assert posts(sandbox) == 0


# When the bot is thrown out of the server meanwhile.


@pytest.mark.parametrize("private", [False, True])
async def test_whoever_threw_the_bot_out_gets_the_picture_by_a_token_that_lives(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, *, private: bool
):
    edit, called = await run_while_it_is_made(sandbox, ada, private=private)
    sandbox.discord.expel_bot(ada.member.guild)
    called.release()
    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1
    assert posts(sandbox) == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 50027), (404, 10015), (404, 10004), (404, 10003), (403, 50001), (403, 50013)],
)
async def test_what_discord_takes_nowhere_once_the_bot_is_thrown_out_is_void(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, status: int, code: int
):
    edit, called = await run_while_it_is_made(sandbox, ada)
    sandbox.discord.expel_bot(ada.member.guild)
    at_discord(sandbox, refused(status, code, "No"), method="PATCH", path=ORIGINAL)
    called.release()
    reason = "answer_deleted" if code == UNKNOWN_CHANNEL else "not_posted"
    await closes(ada, events, edit, ("failed", reason))
    assert posts(sandbox) == 0
    assert count(sandbox, "POST", "/users/") == 0


async def test_a_private_edit_is_void_where_bot_and_member_share_no_server_any_more(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit, called = await run_while_it_is_made(sandbox, ada, private=True)
    sandbox.discord.expel_bot(ada.member.guild)
    edit.expire()
    called.release()
    await closes(ada, events, edit, ("failed", "answer_out_of_reach"))
    assert sandbox.discord.messages(mailbox(sandbox, ada)) == []


@pytest.mark.parametrize(
    ("private", "reason"), [(False, "not_posted"), (True, "answer_out_of_reach")]
)
async def test_a_bot_that_starts_after_it_was_thrown_out_ends_what_it_left_open(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, private: bool, reason: str
):
    edit = await leave_rendered(sandbox, await start_bot(), ada, private=private)
    sandbox.discord.expel_bot(ada.member.guild)
    await start_bot()
    await closes(ada, events, edit, ("failed", reason))
    assert sandbox.discord.messages(mailbox(sandbox, ada)) == []


# Private edits.


async def test_a_private_edit_whose_token_is_dead_comes_by_direct_message(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit, called = await run_while_it_is_made(sandbox, ada, private=True)
    edit.expire()
    called.release()
    await closes(ada, events, edit, ("delivered", None))
    (message,) = sandbox.discord.messages(mailbox(sandbox, ada))
    assert len(message.files) == 1
    assert f"<#{ada.channel.id}>" in message.text
    assert "8 credits" in message.text
    assert buttons_of(message) == {}
    assert place_of(ada, edit) == (message.channel.id, message.id)
    assert sandbox.discord.messages(ada.channel) == []


async def test_a_private_edit_comes_by_direct_message_after_a_restart(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    edit = await leave_rendered(sandbox, bot, ada, private=True)
    await start_bot()
    await closes(ada, events, edit, ("delivered", None))
    (message,) = sandbox.discord.messages(mailbox(sandbox, ada))
    assert len(message.files) == 1
    assert sandbox.discord.messages(ada.channel) == []


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_private_edit_that_no_direct_message_brings_is_void_and_history_says_why(
    sandbox: Sandbox,
    start_bot: StartBot,
    bot: RunningBot,
    ada: Person,
    events: Events,
    *,
    restarted: bool,
):
    sandbox.discord.close_direct_messages(ada.member)
    if restarted:
        edit = await leave_rendered(sandbox, bot, ada, private=True)
        await start_bot()
    else:
        edit, called = await run_while_it_is_made(sandbox, ada, private=True)
        edit.expire()
        called.release()
    await closes(ada, events, edit, ("failed", "answer_out_of_reach"))
    assert sandbox.discord.messages(mailbox(sandbox, ada)) == []
    assert sandbox.discord.messages(ada.channel) == []
    assert posts(sandbox) == 1
    history = await ada.run("history")
    assert "Darkroom can't DM you" in history.text
    assert NOT_CHARGED in history.text


async def test_a_private_edit_is_void_where_direct_messages_cannot_be_opened(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, refused(403, 50007, "No"), method="POST", path=OPENING, times=None)
    edit, called = await run_while_it_is_made(sandbox, ada, private=True)
    edit.expire()
    called.release()
    await closes(ada, events, edit, ("failed", "answer_out_of_reach"))
    assert posts(sandbox) == 0


async def test_how_a_private_edit_ended_is_told_by_direct_message(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    at_discord(sandbox, token_dead(), method="PATCH", path=ORIGINAL, times=None)
    edit = await ada.edit(private=True)
    await closes(ada, events, edit, ("declined", "api_declined"))
    (message,) = sandbox.discord.messages(mailbox(sandbox, ada))
    assert "declined this edit: “No.”" in message.text
