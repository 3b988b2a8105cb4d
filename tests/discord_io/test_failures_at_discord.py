"""When Discord or the store fails, what was posted is charged, the rest is free, and it is told."""

from datetime import timedelta

import pytest

from cogs.text.outcomes import NOT_CHARGED
from sandbox.discord.messages import Message
from sandbox.faults import (
    CutAfter,
    CutBefore,
    DiscordFault,
    EditFault,
    Hang,
    RequestAction,
    banned,
    declined,
    rate_limited,
    refused,
    server_error,
    too_large,
    too_late,
)
from sandbox.sandbox import Interaction, Sandbox, Upload
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person
from tests.services import count, hang
from tests.store_faults import broken, locked

pytestmark = pytest.mark.usefixtures("small_results", "requests_again_soon")


@pytest.fixture
def discord_waits_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot takes the time that Discord has for a first answer to be a fifth of what it is."""
    monkeypatch.setattr("bot.discord_io.rest.RESPONSE_TIMEOUT_S", 0.6)


CALLBACK = "/callback$"
ORIGINAL = "/messages/@original$"


def at_acknowledgement(
    sandbox: Sandbox, action: RequestAction, times: int | None = 1
) -> DiscordFault:
    """A fault at the first answer to a command."""
    return sandbox.faults.discord.add(DiscordFault(action=action, path=CALLBACK, times=times))


def at_post(sandbox: Sandbox, action: RequestAction, times: int | None = 1) -> DiscordFault:
    """A fault at the PATCH that carries the pictures."""
    return sandbox.faults.discord.add(
        DiscordFault(action=action, method="PATCH", path=ORIGINAL, with_files=True, times=times)
    )


async def is_void(ada: Person, events: Events, edit: Interaction, reason: str) -> None:
    """Wait for the edit's end, and see that nothing was charged and nothing is left of it."""
    await events.logs("edit.closed", edit=str(edit.id))
    row = ada.row(edit)
    assert row is not None
    assert row.end == ("failed", reason)
    assert (row.posted, row.charged, row.token) == (0, 0, None)
    assert ada.account() == (0, 0)
    assert not ada.has_spooled(edit)


async def is_posted(ada: Person, events: Events, edit: Interaction) -> Message:
    """Wait for the edit's picture, and see that it is charged once and stands there once."""
    await events.logs("edit.closed", edit=str(edit.id))
    message = await edit.settled()
    row = ada.row(edit)
    assert row is not None
    assert row.end == ("delivered", None)
    assert (row.posted, row.charged, row.token) == (1, 8, None)
    assert ada.account() == (0, 8)
    assert not ada.has_spooled(edit)
    assert len(message.files) == 1
    assert ada.sandbox.discord.messages(ada.channel) == [message]
    return message


# The acknowledgement.


async def test_a_command_that_discord_forgot_is_void_at_once_and_nothing_is_sent(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_acknowledgement(sandbox, too_late())
    edit = await ada.edit()
    await is_void(ada, events, edit, "not_acknowledged")
    assert edit.message is None
    assert count(sandbox, "POST", "/callback") == 1
    assert count(sandbox, "GET", "/@original") == 0
    assert sandbox.edit_api.calls == []


@pytest.mark.usefixtures("discord_waits_shortly")
async def test_an_acknowledgement_that_discord_never_took_is_looked_up_and_void(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_acknowledgement(sandbox, Hang(), times=None)
    edit = await ada.edit()
    await is_void(ada, events, edit, "not_acknowledged")
    assert edit.message is None
    assert count(sandbox, "GET", "/@original") == 1
    assert count(sandbox, "PATCH", "/@original") == 0
    assert sandbox.edit_api.calls == []


@pytest.mark.parametrize(
    "then",
    [server_error(), too_late(), rate_limited(1), rate_limited(1, everywhere=True)],
    ids=["500", "404", "429", "429 for all requests"],
)
@pytest.mark.usefixtures("discord_waits_shortly")
async def test_an_acknowledgement_that_discord_took_without_saying_so_is_where_it_is_told(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, then: RequestAction
):
    at_acknowledgement(sandbox, CutAfter())
    at_acknowledgement(sandbox, then, times=None)
    edit = await ada.edit()
    message = await edit.settled()
    await is_void(ada, events, edit, "not_acknowledged")
    assert "Discord took too long" in message.text
    assert f"Try again. {NOT_CHARGED}" in message.text
    assert count(sandbox, "GET", "/@original") == 1
    assert sandbox.edit_api.calls == []


@pytest.mark.parametrize(
    "action",
    [
        CutAfter(),
        CutBefore(),
        server_error(502),
        rate_limited(0.3),
        rate_limited(0.3, via=False),
    ],
    ids=["taken and cut", "cut", "502", "429", "429 without Via"],
)
async def test_an_acknowledgement_is_repeated_within_its_three_seconds(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, action: RequestAction
):
    fault = at_acknowledgement(sandbox, action)
    edit = await ada.edit()
    await is_posted(ada, events, edit)
    assert fault.fired == 1
    row = ada.row(edit)
    assert row is not None
    assert edit.message is not None
    assert row.message_id == edit.message.id
    assert count(sandbox, "POST", "/callback") == 2
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize(
    "action", [rate_limited(10, via=False), banned(600)], ids=["limited", "banned"]
)
async def test_an_acknowledgement_that_has_to_wait_too_long_is_void_and_not_repeated(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, action: RequestAction
):
    at_acknowledgement(sandbox, action, times=None)
    edit = await ada.edit()
    await is_void(ada, events, edit, "not_acknowledged")
    assert count(sandbox, "POST", "/callback") == 1
    assert sandbox.edit_api.calls == []


@pytest.mark.parametrize(
    "action", [CutAfter(), CutBefore(), server_error()], ids=["taken and cut", "cut", "502"]
)
async def test_a_refusal_is_repeated_until_it_stands_and_stands_once(
    sandbox: Sandbox, bot: RunningBot, ada: Person, action: RequestAction
):
    fault = at_acknowledgement(sandbox, action)
    edit = await ada.edit(prompt=" ")
    assert "Your prompt is empty." in (await edit.settled()).text
    await fault.happened()
    assert count(sandbox, "PATCH", "/@original") == 0
    assert ada.row(edit) is None


async def test_a_source_that_is_wrong_is_told_once_a_slow_acknowledgement_was_taken(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    slow = Hang()
    at_acknowledgement(sandbox, slow)
    edit = await ada.edit(image=Upload("a.png", b"GIF89a" + bytes(500), "image/png"))
    await events.logs("edit.held", edit=str(edit.id))
    slow.release()
    await is_void(ada, events, edit, "not_a_picture")
    assert "Attach a PNG" in (await edit.settled()).text
    assert sandbox.edit_api.calls == []


# The post.


async def test_a_ban_by_cloudflare_is_waited_out_by_every_request_but_acknowledgements(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    ban = at_post(sandbox, banned(2))
    first = await ada.edit()
    await ban.happened()
    begun = len(sandbox.discord.requests)
    second = await Person.join(sandbox, bot.settings, "Bob").edit()
    for edit in (first, second):
        assert len((await edit.until(lambda message: bool(message.files))).files) == 1
    await events.logs("edit.closed", times=2)
    (refused,) = [each for each in sandbox.discord.requests if each.status == 429]
    waited = timedelta(seconds=2)
    later = [each for each in sandbox.discord.requests[begun:] if "/callback" not in each.path]
    assert len(later) == 2
    assert all(each.at - refused.at >= waited for each in later)
    assert ada.account() == (0, 8)


@pytest.mark.parametrize(
    "action",
    [
        too_large(),
        server_error(502),
        CutBefore(),
        CutAfter(),
        rate_limited(0.3),
        rate_limited(0.3, via=False),
    ],
    ids=["413", "502", "cut", "posted and cut", "429", "429 without Via"],
)
async def test_a_post_that_fails_once_is_made_again_and_charged_once(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, action: RequestAction
):
    fault = at_post(sandbox, action)
    edit = await ada.edit()
    await is_posted(ada, events, edit)
    assert fault.fired == 1
    assert count(sandbox, "PATCH", "/@original") == 2
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize(
    ("action", "tries"),
    [
        (too_large(), 2),
        (server_error(500), 2),
        (CutBefore(), 2),
        (CutAfter(), 2),
        (refused(400, 50035, "Invalid Form Body"), 1),
        (refused(403, 50013, "Missing Permissions"), 1),
    ],
    ids=["413", "500", "cut", "posted and cut", "400", "403"],
)
async def test_pictures_that_cannot_be_posted_are_free_and_a_message_without_them_says_so(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    action: RequestAction,
    tries: int,
):
    fault = at_post(sandbox, action, times=None)
    edit = await ada.edit()
    await edit.until(lambda message: NOT_CHARGED in message.text)
    await is_void(ada, events, edit, "not_posted")
    message = await edit.settled()
    assert "Your image was made, but it couldn't be uploaded" in message.text
    assert not message.files
    assert sandbox.discord.messages(ada.channel) == [message]
    assert fault.fired == tries
    assert len(sandbox.edit_api.calls) == 1


async def test_a_picture_larger_than_discord_takes_there_is_made_to_fit_and_charged(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edit = await sandbox.discord.invoke(
        ada.channel,
        ada.member,
        "edit",
        {"image": photo(), "prompt": "make it blue"},
        attachment_size_limit=1000,
    )
    message = await is_posted(ada, events, edit)
    assert [file.size <= 1000 for file in message.files] == [True]
    assert "Compressed to fit this server's upload limit." in message.text
    assert count(sandbox, "PATCH", "/@original") == 1


async def test_a_message_that_somebody_deleted_is_not_replaced_and_free(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    called = hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()
    assert edit.message is not None
    sandbox.discord.delete(edit.message)
    called.release()
    await is_void(ada, events, edit, "answer_deleted")
    assert sandbox.discord.messages(ada.channel) == []
    assert count(sandbox, "PATCH", "/@original") <= 2
    assert count(sandbox, "POST", "/messages") == 0


@pytest.mark.parametrize(
    "action",
    [server_error(500), CutBefore(), rate_limited(0.3, via=False)],
    ids=["500", "cut", "429 without Via"],
)
async def test_an_end_is_told_even_where_telling_fails_at_first(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, action: RequestAction
):
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    fault = sandbox.faults.discord.add(DiscordFault(action=action, path=ORIGINAL, times=2))
    edit = await ada.edit()
    assert "declined this edit: “No.”" in (await edit.settled()).text
    await events.logs("edit.closed", edit=str(edit.id))
    assert fault.fired == 2
    assert ada.account() == (0, 0)


async def test_a_private_edit_stays_private_whatever_becomes_of_it(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    edits = [await ada.edit(private=True), await ada.edit(private=True)]
    for edit in edits:
        assert (await edit.acknowledged()).ephemeral
        assert (await edit.settled()).ephemeral
        await events.logs("edit.closed", edit=str(edit.id))
    assert sandbox.discord.messages(ada.channel) == []


# The same interaction twice.


@pytest.mark.parametrize("quality", ["medium", "high"])
async def test_an_interaction_that_is_delivered_twice_is_held_paid_and_told_once(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, quality: str
):
    await start_bot(default_quota=16)
    called = hang(sandbox)
    edit = await ada.edit(quality=quality)
    await sandbox.edit_api.called()
    sandbox.discord.gateway.dispatch(
        "INTERACTION_CREATE", edit.payload, guild_id=ada.member.guild.id
    )
    await events.logs("edit.repeated", edit=str(edit.id))
    called.release()
    message = await edit.settled()
    await events.logs("edit.closed", edit=str(edit.id))
    price = {"medium": 8, "high": 16}[quality]
    assert ada.account() == (0, price)
    assert f"{price} credits" in message.text
    assert len(sandbox.edit_api.calls) == 1


async def test_a_repeated_interaction_is_never_refused_for_its_own_edit(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(queue_limit=1)
    edit = await ada.edit()
    sandbox.discord.gateway.dispatch(
        "INTERACTION_CREATE", edit.payload, guild_id=ada.member.guild.id
    )
    await events.logs("edit.closed", edit=str(edit.id))
    assert not (await edit.settled()).ephemeral
    assert ada.account() == (0, 8)
    assert all(event["event"] != "edit.refused" for event in events.logged)


# The store.


def take_an_impossible_id(ada: Person) -> None:
    """Have an id that Discord does not give to anybody, and no store takes."""
    ada.member.user.id = 2**63
    ada.member.guild.members[2**63] = ada.member


@pytest.mark.usefixtures("announces_soon")
async def test_with_a_slow_store_an_edit_is_acknowledged_first_and_made_all_the_same(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    with locked(bot.settings.database):
        edit = await ada.edit()
        answer = await edit.acknowledged()
        assert ada.row(edit) is None
    assert answer.type == 5
    await is_posted(ada, events, edit)
    assert count(sandbox, "POST", "/callback") == 1


@pytest.mark.usefixtures("announces_soon")
async def test_with_a_slow_store_a_refusal_is_told_in_the_acknowledged_message(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(default_quota=4)
    with locked(bot.settings.database):
        edit = await ada.edit(private=True)
        answer = await edit.acknowledged()
    assert (answer.type, answer.ephemeral) == (5, True)
    text = (await edit.settled()).text
    assert "This edit costs 8 credits and you have 4 left" in text
    assert NOT_CHARGED in text
    assert ada.row(edit) is None
    assert sandbox.edit_api.calls == []


@pytest.mark.parametrize(
    ("action", "told"), [(CutAfter(), True), (too_late(), False)], ids=["taken", "too late"]
)
@pytest.mark.usefixtures("announces_soon", "discord_waits_shortly")
async def test_with_a_slow_store_and_no_word_of_the_acknowledgement_a_refusal_is_told_if_it_can_be(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    action: RequestAction,
    told: bool,
):
    bot = await start_bot(default_quota=4)
    at_acknowledgement(sandbox, action)
    at_acknowledgement(sandbox, server_error(), times=None)
    with locked(bot.settings.database):
        edit = await ada.edit()
        await events.logs("discord.unanswered" if told else "discord.refused")
    await events.logs("edit.refused", edit=str(edit.id))
    if told:
        assert "This edit costs 8 credits" in (await edit.settled()).text
    assert ada.row(edit) is None
    assert count(sandbox, "PATCH", "/@original") == int(told)


@pytest.mark.usefixtures("announces_soon")
async def test_with_a_slow_store_what_nobody_foresaw_is_told_in_the_acknowledged_message(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    with locked(bot.settings.database):
        take_an_impossible_id(ada)
        edit = await ada.edit()
        answer = await edit.acknowledged()
    assert answer.type == 5
    message = await edit.settled()
    logged = await events.logs("command.failed")
    assert f"this code: `{logged['reference']}`" in message.text
    assert ada.row(edit) is None
    assert sandbox.edit_api.calls == []


async def test_a_store_that_fails_is_told_privately_and_nothing_is_made(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    with broken(bot.settings.database, "edit"):
        edit = await ada.edit()
        answer = await edit.acknowledged()
    assert (answer.type, answer.ephemeral) == (4, True)
    text = (await edit.settled()).text
    assert "trouble saving" in text
    assert NOT_CHARGED in text
    assert ada.row(edit) is None
    assert sandbox.edit_api.calls == []


async def test_what_the_store_fails_to_note_is_noted_once_it_works_again(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    late = Hang()
    at_acknowledgement(sandbox, late)
    edit = await ada.edit()
    await events.logs("edit.held", edit=str(edit.id))
    with broken(bot.settings.database, "edit"):
        late.release()
        await events.logs("ledger.retrying")
    await is_posted(ada, events, edit)
    row = ada.row(edit)
    assert row is not None
    assert row.message_id is not None


# One edit never holds up another.


async def test_a_post_that_hangs_holds_up_no_other_edit(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    late = Hang()
    hanging = at_post(sandbox, late)
    slow = await ada.edit()
    await hanging.happened()
    quick = await ada.edit()
    assert len((await quick.settled()).files) == 1
    late.release()
    assert len((await slow.settled()).files) == 1
    await events.logs("edit.closed", times=2)
    assert ada.account() == (0, 16)


# What nobody foresaw, outside of an edit.


async def test_a_command_that_breaks_is_answered_with_a_reference(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    usual = ada.member.id
    take_an_impossible_id(ada)
    text = await ada.credits()
    logged = await events.logs("command.failed")
    assert f"this code: `{logged['reference']}`" in text
    ada.member.user.id = usual
    assert "Left 80" in await ada.credits()


async def test_a_command_whose_store_fails_says_so(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    with broken(bot.settings.database, "account"):
        text = await ada.credits()
    await events.logs("ledger.silent")
    assert "trouble saving" in text
    assert "Left 80" in await ada.credits()


async def test_a_command_that_breaks_and_cannot_be_answered_is_in_the_log(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    at_acknowledgement(sandbox, too_late(), times=None)
    take_an_impossible_id(ada)
    command = await sandbox.discord.invoke(ada.channel, ada.member, "credits", {})
    await events.logs("command.failed")
    await events.logs("command.untold", interaction=str(command.id))


@pytest.mark.parametrize(
    "action",
    [CutBefore(), CutAfter(), server_error(), rate_limited(0.3, via=False)],
    ids=["cut", "cut after", "502", "429"],
)
async def test_a_balance_is_shown_whatever_becomes_of_the_first_try(
    sandbox: Sandbox, bot: RunningBot, ada: Person, action: RequestAction
):
    at_acknowledgement(sandbox, action)
    assert "Left 80 · Held 0 · Spent 0" in (await ada.credits())
