"""`/history`: a member's own edits, with pictures as far as Discord still has them."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.discord_io.custom_ids import PersistentAction, read_persistent
from bot.settings import Settings
from cogs import history
from cogs.ui.cards import AGAIN, RUN
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.faults import (
    DiscordFault,
    EditFault,
    Hang,
    Images,
    declined,
    refused,
    server_error,
    token_dead,
)
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person, buttons_of
from tests.moderators import Moderator
from tests.services import hang
from tests.store_faults import broken

pytestmark = pytest.mark.usefixtures("small_results")

THUMBNAIL = 11
"""https://docs.discord.com/developers/components/reference#component-object-component-types"""

LOOK_UP = r"^/channels/\d+/messages/\d+$"


def thumbnails(message: Message) -> list[Mapping[str, Any]]:
    """The pictures beside the entries."""
    return [part for part in walk(message.components) if part["type"] == THUMBNAIL]


def lasting(message: Message, name: str) -> list[int]:
    """The edits that a message has a button of a name for."""
    found = map(read_persistent, buttons_of_all(message))
    return [
        each.row_id for each in found if isinstance(each, PersistentAction) and each.name == name
    ]


def buttons_of_all(message: Message) -> list[str]:
    """The custom ids of all buttons, in order."""
    return [str(part["custom_id"]) for part in walk(message.components) if "custom_id" in part]


def look_ups(sandbox: Sandbox) -> int:
    """How many messages the bot looked up in channels."""
    return sum(
        request.method == "GET" and re.search(LOOK_UP, request.path) is not None
        for request in sandbox.discord.requests
    )


async def make(ada: Person, events: Events, **options: Any) -> Interaction:
    """Run `/edit` and wait for its end."""
    edit = await ada.edit(**options)
    await events.logs("edit.closed", edit=str(edit.id))
    return edit


async def press(message: Message, ada: Person, label: str) -> Message:
    """Press a button under a page; the same message, with the next one."""
    before = message.text
    pressed = await ada.press(message, label)
    return await pressed.until(lambda shown: shown.text != before)


async def test_before_the_first_edit_it_says_what_to_do(bot: RunningBot, ada: Person):
    message = await ada.run("history")
    assert message.ephemeral
    assert history.NO_EDITS in message.text


async def test_an_edit_is_shown_with_its_picture_prompt_price_and_where_it_stands(
    bot: RunningBot, ada: Person, events: Events
):
    edit = await make(ada, events, prompt="make it\n**blue** @everyone", quality="high")
    posted = await edit.settled()

    command = await ada.command("history")
    answer = await command.acknowledged()
    message = await command.settled()
    assert (answer.type, answer.ephemeral) == (5, True)
    assert message.ephemeral
    assert not message.pinged
    heading, facts, prompt = message.text.splitlines()
    assert heading == "**Your edits** · 1 total"
    link = f"https://discord.com/channels/{ada.member.guild.id}/{ada.channel.id}/{posted.id}"
    assert re.fullmatch(rf"<t:\d+:R> · High × 1 · 4:3 · 16 credits · \[Open\]\({link}\)", facts)
    assert prompt == "> make it \\*\\*blue\\*\\* @\u200beveryone"
    (thumbnail,) = thumbnails(message)
    assert thumbnail["media"]["url"] == posted.files[0].url
    assert thumbnail["spoiler"] is False
    assert lasting(message, AGAIN) == [edit.id]
    assert lasting(message, RUN) == [edit.id]
    assert "Run again (16 credits)" in buttons_of(message)


async def test_pages_are_turned_in_place_also_after_a_restart(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(default_quota=None)
    made = [await make(ada, events, prompt=f"picture {number}") for number in range(11)]
    newest_first = [edit.id for edit in reversed(made)]

    first = await ada.run("history")
    assert "11 total · Page 1 of 3" in first.text
    assert lasting(first, RUN) == newest_first[:5]
    assert "Previous" not in buttons_of(first)
    assert look_ups(sandbox) == 5
    await bot.stop()
    await start_bot(default_quota=None)

    second = await press(first, ada, "Next")
    assert second is first
    assert "Page 2 of 3" in second.text
    assert lasting(second, RUN) == newest_first[5:10]
    assert look_ups(sandbox) == 10
    last = await press(second, ada, "Next")
    assert lasting(last, RUN) == newest_first[10:]
    assert "Next" not in buttons_of(last)
    assert len(thumbnails(last)) == 1
    back = await press(last, ada, "Previous")
    assert lasting(back, RUN) == newest_first[5:10]
    assert look_ups(sandbox) == 16


async def test_it_shows_nobodys_edits_but_ones_own_in_this_server(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, ada: Person, events: Events
):
    elsewhere = sandbox.discord.add_guild("Elsewhere")
    there = sandbox.discord.add_member(elsewhere, ada.member.user)
    bert = Person.join(sandbox, settings, "Bert")
    away = Person(sandbox, settings, there, elsewhere.channels[0])
    await make(bert, events, prompt="bert's")
    await make(away, events, prompt="away")
    await make(ada, events, prompt="here")

    for person, seen in ((ada, "here"), (bert, "bert's"), (away, "away")):
        text = (await person.run("history")).text
        assert [word for word in ("here", "bert's", "away") if f"> {word}" in text] == [seen]


async def test_the_longest_prompts_and_reasons_fit_into_one_message(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(default_quota=None)
    for letter in ("*", "x"):
        prompt = letter * 4000
        for _ in range(history.PAGE_SIZE):
            sandbox.faults.edit_api.add(EditFault(action=declined("no! " * 2000)))
            await make(ada, events, prompt=prompt, count=4, quality="high")
        for _ in range(history.PAGE_SIZE):
            sandbox.faults.edit_api.add(EditFault(action=Images(1)))
            await make(ada, events, prompt=prompt, count=4, quality="high")
    message = await ada.run("history")
    for _ in range(3):
        assert len(message.text) <= 4000
        message = await press(message, ada, "Next")
    assert len(list(walk(message.components))) <= 40
    assert message.text.count("Declined: The image service declined this edit") == 5


@pytest.mark.parametrize("gone", ["message", "channel"])
async def test_what_was_deleted_in_discord_is_said_to_be_gone(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, gone: str
):
    elsewhere = ada.member.guild.channels[1]
    edit = await sandbox.discord.invoke(
        elsewhere, ada.member, "edit", {"image": photo(), "prompt": "make it blue"}
    )
    await events.logs("edit.closed", edit=str(edit.id))
    if gone == "message":
        sandbox.discord.delete(await edit.settled())
    else:
        sandbox.discord.delete_channel(elsewhere)
    message = await ada.run("history")
    assert "Message deleted." in message.text
    assert "https://" not in message.text
    assert "> make it blue" in message.text
    assert not thumbnails(message)
    assert lasting(message, AGAIN) == []
    assert lasting(message, RUN) == [edit.id]


async def test_an_edit_that_failed_says_why_and_links_to_its_message_while_that_is_there(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    edit = await make(ada, events)
    said = await edit.settled()
    message = await ada.run("history")
    assert "0 credits" in message.text
    assert "-# Declined: The image service declined this edit: “No.”" in message.text
    assert f"/{ada.channel.id}/{said.id})" in message.text
    assert lasting(message, AGAIN) == []
    assert lasting(message, RUN) == [edit.id]

    sandbox.discord.delete(said)
    message = await ada.run("history")
    assert "-# Message deleted." in message.text
    assert "https://" not in message.text


async def test_where_the_bot_may_not_read_any_more_it_says_so(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    await make(ada, events)
    me = ada.member.guild.members[sandbox.discord.world.bot.id]
    sandbox.discord.forbid(ada.channel, me, Permission.READ_MESSAGE_HISTORY)
    message = await ada.run("history")
    assert "can't view that channel anymore" in message.text
    assert not thumbnails(message)


@pytest.mark.parametrize("action", [Hang(), server_error()], ids=["silent", "502"])
async def test_a_page_waits_only_a_while_for_pictures(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    action: Any,
):
    monkeypatch.setattr(history, "IMAGES_TIMEOUT_S", 0.3)
    edits = [await make(ada, events) for _ in range(2)]
    posted = [await edit.settled() for edit in edits]
    sandbox.faults.discord.add(
        DiscordFault(action=action, method="GET", path=f"/{posted[0].id}$", times=None)
    )
    message = await ada.run("history")
    assert message.text.count("Couldn't load the image.") == 1
    assert len(thumbnails(message)) == 1
    assert lasting(message, AGAIN) == [edits[1].id]


async def test_of_an_erased_edit_only_what_it_cost_is_left(
    bot: RunningBot, ada: Person, events: Events
):
    edit = await make(ada, events, prompt="a secret")
    question = await ada.run("privacy delete")
    pressed = await ada.press(question, "Delete my data")
    await pressed.until(lambda message: "Deleted your" in message.text)

    message = await ada.run("history")
    assert "secret" not in message.text
    assert "8 credits" in message.text
    assert history.PROMPT_DELETED in message.text
    assert lasting(message, RUN) == []
    assert lasting(message, AGAIN) == [edit.id]


async def test_a_private_edit_is_not_looked_for(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit = await make(ada, events, private=True, prompt="for me")
    message = await ada.run("history")
    assert "> for me" in message.text
    assert history.PRIVATE in message.text
    assert look_ups(sandbox) == 0
    assert lasting(message, AGAIN) == []
    assert lasting(message, RUN) == [edit.id]


async def test_a_private_edit_that_came_by_direct_message_is_found_there(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    called = hang(sandbox)
    edit = await ada.edit(private=True)
    await sandbox.edit_api.called()
    edit.expire()
    called.release()
    await events.logs("edit.closed", edit=str(edit.id))
    mailbox = sandbox.discord.world.direct_messages(ada.member.id)
    assert mailbox is not None
    (posted,) = sandbox.discord.messages(mailbox)

    message = await ada.run("history")
    assert f"https://discord.com/channels/@me/{mailbox.id}/{posted.id}" in message.text
    (thumbnail,) = thumbnails(message)
    assert thumbnail["media"]["url"] == posted.files[0].url


async def test_a_picture_behind_a_spoiler_stays_behind_one(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    mod = Moderator.join(sandbox, ada.member.guild)
    await mod.set(spoiler=True)
    await make(ada, events)
    (thumbnail,) = thumbnails(await ada.run("history"))
    assert thumbnail["spoiler"] is True


async def test_an_edit_under_way_has_its_hold_and_no_buttons(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    called = hang(sandbox)
    edit = await ada.edit(count=2)
    await sandbox.edit_api.called()
    message = await ada.run("history")
    assert "in progress, 16 credits reserved" in message.text
    assert lasting(message, RUN) == []
    called.release()
    await events.logs("edit.closed", edit=str(edit.id))


async def test_a_part_of_the_pictures_is_told(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=Images(1)))
    await make(ada, events, count=3)
    message = await ada.run("history")
    assert "Medium × 3" in message.text
    assert "8 credits" in message.text
    assert "1 of 3 images posted." in message.text


async def test_a_store_that_fails_is_told_where_the_page_was_to_stand(
    bot: RunningBot, ada: Person, events: Events
):
    with broken(bot.settings.database, "edit"):
        message = await ada.run("history")
    assert "trouble saving" in message.text
    assert message.ephemeral


# Its buttons.


async def test_from_there_an_edit_is_run_again_in_public(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    await make(ada, events, prompt="make it blue", quality="low")
    page = await ada.run("history")
    shown = page.text
    pressed = await ada.press(page, "Run again (4 credits)")
    message = await pressed.settled()
    assert len(message.files) == 1
    assert not message.ephemeral
    assert page.text == shown
    assert [call.body["prompt"] for call in sandbox.edit_api.calls] == ["make it blue"] * 2


async def test_a_channel_that_the_bot_may_not_read_is_asked_once(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    await make(ada, events)
    fault = DiscordFault(
        action=refused(403, 50001, "Missing Access"), method="GET", path=LOOK_UP, times=None
    )
    sandbox.faults.discord.add(fault)
    for _ in range(3):
        await ada.run("history")
    assert look_ups(sandbox) == 1


@pytest.mark.parametrize("where", ["first", "second", "direct"])
async def test_from_there_a_result_is_edited_again_wherever_it_stands(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, where: str
):
    bot = await start_bot()
    if where != "first":
        token = DiscordFault(action=token_dead(), method="PATCH", path="/@original$", times=None)
        sandbox.faults.discord.add(token)
        patch = DiscordFault(
            action=refused(403, 50001, "Missing Access"), method="PATCH", path=LOOK_UP, times=None
        )
        sandbox.faults.discord.add(patch)
    edit = await make(ada, events, private=where == "direct")
    sandbox.faults.clear()
    await bot.stop()
    await start_bot()
    page = await ada.run("history")
    pressed = await ada.press(page, "Edit this")
    form = await pressed.acknowledged()
    assert form.type == CallbackType.MODAL
    sent = await sandbox.discord.submit(pressed, {"prompt": "and now green"})
    message = await sent.settled()
    assert message.ephemeral is (where == "direct")
    assert len(message.files) == 1
    first, second = sandbox.edit_api.calls
    assert second.body["prompt"] == "and now green"
    assert second.body["image"] != first.body["image"]
    assert edit.id != sent.id
