"""What members see while an edit is queued, its order, and which edits are refused."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from itertools import pairwise

import pytest

from bot.domain.refusals import LineFull, TooManyOpen
from bot.scheduling.status_updates import Pace
from cogs.text.outcomes import NOT_CHARGED, refusal_text
from sandbox.discord.messages import Message
from sandbox.discord.rest.answers import Request
from sandbox.faults import (
    DiscordFault,
    DownloadFault,
    EditFault,
    Hang,
    RequestAction,
    declined,
    rate_limited,
    server_error,
)
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, StartBot
from tests.members import Person, buttons_of, change, others
from tests.services import hang

pytestmark = pytest.mark.usefixtures("small_results")

ORIGINAL = "/messages/@original$"


def changes(sandbox: Sandbox) -> list[Request]:
    """The requests that updated a response."""
    return [
        request
        for request in sandbox.discord.requests
        if request.method == "PATCH" and request.path.endswith("@original")
    ]


def at_card(sandbox: Sandbox, edit: Interaction, action: RequestAction) -> DiscordFault:
    """A fault at one edit's card: under load, other edits show cards too."""
    path = f"{re.escape(str(edit.token))}{ORIGINAL}"
    fault = DiscordFault(action=action, method="PATCH", path=path, with_files=False)
    return sandbox.faults.discord.add(fault)


def cards(message: Message) -> list[tuple[datetime, str]]:
    """A message's texts while its edit was queued, and when they were shown."""
    return [(revision.at, revision.content) for revision in message.revisions if revision.content]


def says(edit: Interaction, words: str, *, timeout: float = 15) -> asyncio.Task[Message]:
    """Wait until an edit's message contains some words."""
    return asyncio.ensure_future(edit.until(lambda message: words in message.text, timeout=timeout))


# Cards.


async def test_an_edit_that_is_sent_right_away_shows_no_card(
    sandbox: Sandbox, start_bot: StartBot, ada: Person
):
    await start_bot()
    called = hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()
    hang(sandbox, times=None)
    # With eight slots, which of these wait depends on whose source is read first.
    waiting = [await member.edit() for member in others(ada, 9)]
    cards = [says(edit, "in queue") for edit in waiting]
    await asyncio.wait(cards, return_when=asyncio.FIRST_COMPLETED)
    for card in cards:
        card.cancel()
    called.release()
    message = await edit.posted()
    assert [revision.content for revision in message.revisions] == ["", ""]
    assert message.revisions[0].flags != message.revisions[1].flags


@pytest.mark.parametrize(("private", "between"), [(False, Pace().per_card_s), (True, 0.5)])
async def test_a_queued_edit_shows_its_position_then_a_bar_then_posting_then_the_result(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
    private: bool,
    between: float,
):
    monkeypatch.setattr(
        "bot.scheduling.status_updates.Pace", partial(Pace, first_s=0.05, per_card_s=between)
    )
    await start_bot(edit_concurrency=1)
    first = hang(sandbox)
    await ada.edit()
    await sandbox.edit_api.called()
    second, download = hang(sandbox, prompt="blue$"), Hang()
    edit = await others(ada, 1)[0].edit(private=private)

    message = await says(edit, "in queue")
    assert message.content.startswith("**#1 in queue · about 30 seconds**")
    assert "cancel for free" in message.content
    assert list(buttons_of(message)) == ["Cancel"]
    sandbox.faults.downloads.add(DownloadFault(action=Hang()))
    first.release()
    await says(edit, "%")
    assert "▱▱▱\n**" in message.content
    assert "can't be canceled" in message.content
    assert not buttons_of(message)
    sandbox.faults.downloads.add(DownloadFault(action=download))
    second.release()
    await says(edit, "Uploading")
    download.release()
    await edit.posted()

    assert message.content == ""
    assert message.ephemeral is private
    assert not message.now.mentions
    moments = [moment for moment, _ in cards(message)]
    assert len(moments) == 3
    assert all(after - before >= timedelta(seconds=between) for before, after in pairwise(moments))
    assert changes(sandbox)[-1].files


@pytest.mark.usefixtures("cards_at_once")
async def test_positions_and_waits_follow_from_recent_durations(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_where_edits_took(200, sandbox, start_bot, ada, events)
    await ada.edit()
    await sandbox.edit_api.called(2)
    bob, eve = others(ada, 2)
    edits = [await bob.edit(), await bob.edit(), await eve.edit()]
    texts = [(await says(edit, "in queue")).content.partition("**\n")[0] for edit in edits]
    assert texts == [
        "**#1 in queue · about 4 minutes",
        "**#3 in queue · about 10 minutes",
        "**#2 in queue · about 7 minutes",
    ]


async def start_where_edits_took(
    seconds: int, sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
) -> None:
    """Start a bot that runs one edit at a time, knows one duration, and never gets a result."""
    bot = await start_bot(edit_concurrency=1)
    await (await ada.edit()).posted()
    await events.logs("edit.closed")
    await bot.stop()
    statement = "UPDATE edit SET submitted_at = rendered_at - $1"
    change(bot.settings.database, statement, seconds * 1000)
    await start_bot(edit_concurrency=1)
    hang(sandbox, times=None)


# Card updates are few, and nothing depends on them.


@pytest.mark.drill
async def test_all_cards_together_change_at_most_ten_times_a_second(
    sandbox: Sandbox, start_bot: StartBot, ada: Person
):
    await start_bot(edit_concurrency=1)
    hang(sandbox, times=None)
    await ada.edit()
    await sandbox.edit_api.called()
    waiting = [await member.edit() for member in others(ada, 30)]
    await asyncio.gather(*(says(edit, "in queue") for edit in waiting))
    moments = [request.at for request in changes(sandbox)]
    assert len(moments) >= 30
    assert all(
        after - before > timedelta(seconds=0.9)
        for before, after in zip(moments, moments[10:], strict=False)
    )


@pytest.mark.drill
async def test_cards_and_results_obey_a_rate_limit(
    sandbox: Sandbox, start_bot: StartBot, ada: Person
):
    await start_bot(edit_concurrency=1)
    called = hang(sandbox)
    await ada.edit()
    await sandbox.edit_api.called()
    limited = sandbox.faults.discord.add(
        DiscordFault(action=rate_limited(3), method="PATCH", path=ORIGINAL)
    )
    edit = await others(ada, 1)[0].edit()
    await limited.happened()
    await sandbox.discord.requested("PATCH", ORIGINAL, times=2, timeout=15)
    first, second = changes(sandbox)[:2]
    assert second.at - first.at >= timedelta(seconds=3)

    limited = sandbox.faults.discord.add(
        DiscordFault(
            action=rate_limited(3), method="PATCH", path=f"{edit.token}{ORIGINAL}", with_files=False
        )
    )
    await limited.happened()
    called.release()
    await edit.posted()
    *_, card, result = [request for request in changes(sandbox) if edit.token in request.path]
    assert card.status == HTTPStatus.TOO_MANY_REQUESTS
    assert result.at - card.at >= timedelta(seconds=3)


async def test_all_requests_obey_a_global_rate_limit(
    sandbox: Sandbox, start_bot: StartBot, ada: Person
):
    await start_bot(edit_concurrency=8)
    limited = sandbox.faults.discord.add(
        DiscordFault(action=rate_limited(1, everywhere=True), method="PATCH", path=ORIGINAL)
    )
    edits = [await ada.edit()]
    await limited.happened()
    edits += [await member.edit() for member in others(ada, 3)]
    await asyncio.gather(*(edit.posted() for edit in edits))
    first, *later = changes(sandbox)
    assert all(request.at - first.at >= timedelta(seconds=1) for request in later)


async def test_a_waiting_upload_obeys_a_rate_limit_that_began_in_the_meantime(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("bot.discord_io.transport.UPLOADS", 1)
    await start_bot()
    ben, cy = others(ada, 2)
    upload = Hang()
    under_way = sandbox.faults.discord.add(
        DiscordFault(action=upload, method="PATCH", path=ORIGINAL, with_files=True)
    )
    edits = [await ada.edit()]
    await under_way.happened()
    edits.append(await ben.edit())
    await events.logs("edit.rendered", edit=str(edits[1].id))
    limited = sandbox.faults.discord.add(
        DiscordFault(action=rate_limited(1, everywhere=True), method="PATCH", path=ORIGINAL)
    )
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    await cy.edit()
    await limited.happened()
    upload.release()
    await asyncio.gather(*(edit.posted() for edit in edits))
    _, limit, *later = changes(sandbox)
    assert limit.status == HTTPStatus.TOO_MANY_REQUESTS
    assert all(request.at - limit.at >= timedelta(seconds=1) for request in later)


@pytest.mark.usefixtures("cards_at_once")
async def test_a_failed_update_is_not_retried(sandbox: Sandbox, start_bot: StartBot, ada: Person):
    await start_bot(edit_concurrency=1)
    first, second = hang(sandbox, prompt="one"), hang(sandbox, prompt="two")
    await ada.edit(prompt="one")
    await sandbox.edit_api.called()
    bob, eve = others(ada, 2)
    edit = await bob.edit(prompt="two")
    await at_card(sandbox, edit, server_error()).happened()
    # A later card's second update comes after the time of a retry of the failed one.
    later = await bob.edit()
    await says(later, "#2 in queue")
    await eve.edit()
    await says(later, "#3 in queue")
    first.release()
    message = await says(edit, "%")
    second.release()
    await edit.posted()
    assert [text for _, text in cards(message) if "in queue" in text] == []


@pytest.mark.usefixtures("cards_at_once")
async def test_a_hanging_update_delays_nothing_and_never_replaces_the_result(
    sandbox: Sandbox, start_bot: StartBot, ada: Person
):
    await start_bot(edit_concurrency=1)
    called = hang(sandbox)
    await ada.edit()
    await sandbox.edit_api.called()
    late = Hang()
    edit = await others(ada, 1)[0].edit()
    await at_card(sandbox, edit, late).happened()
    called.release()
    message = await edit.posted()
    late.release()
    request = next(sent for sent in changes(sandbox) if str(edit.token) in sent.path)
    await sandbox.discord.rest.answered.until(lambda: request.status, timeout=5)
    assert request.status == 400
    assert message.files
    assert message.content == ""


@pytest.mark.usefixtures("cards_at_once")
async def test_a_deleted_message_is_not_updated_again(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(edit_concurrency=1)
    called = hang(sandbox)
    await ada.edit()
    await sandbox.edit_api.called()
    edit = await others(ada, 1)[0].edit()
    await edit.acknowledged()
    assert edit.message is not None
    sandbox.discord.delete(edit.message)
    await sandbox.discord.requested("PATCH", re.escape(str(edit.token)) + ORIGINAL)
    await says(await others(ada, 1)[0].edit(), "#2 in queue")
    assert sum(str(edit.token) in request.path for request in changes(sandbox)) == 1
    called.release()
    await events.logs("edit.closed", edit=str(edit.id))


# The order of the queue.


async def test_a_burst_of_fifty_delays_another_member_by_one_edit_at_most(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(edit_concurrency=1, member_limit=50, default_quota=None)
    first = hang(sandbox)
    burst = [await ada.edit(prompt="ada 0")]
    await sandbox.edit_api.called()
    burst += [await ada.edit(prompt=f"ada {number}") for number in range(1, 50)]
    bob = others(ada, 1)[0]
    edit = await bob.edit(prompt="bob")
    for queued in (*burst, edit):
        await events.logs("edit.ready", edit=str(queued.id))
    first.release()
    await asyncio.gather(*(queued.posted() for queued in (*burst, edit)))

    prompts = [str(call.body["prompt"]) for call in sandbox.edit_api.calls]
    assert prompts.index("bob") == 1
    assert [prompt for prompt in prompts if prompt != "bob"] == [
        f"ada {number}" for number in range(50)
    ]


@pytest.mark.usefixtures("cards_at_once")
async def test_a_restart_keeps_the_order_of_the_queue_and_its_cards(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    hang(sandbox)
    await ada.edit(prompt="first")
    await sandbox.edit_api.called()
    names = [f"member {number}" for number in range(6)]
    edits: list[Interaction] = []
    for name, person in zip(names, others(ada, 6), strict=True):
        edits.append(await person.edit(prompt=name))
        await events.logs("edit.acknowledged", edit=str(edits[-1].id))
    await says(edits[5], "#6 in queue")
    await bot.stop()

    again = hang(sandbox)
    await start_bot(edit_concurrency=1)
    await sandbox.edit_api.called(2)
    await says(edits[5], "#5 in queue")
    again.release()
    await asyncio.gather(*(edit.posted() for edit in edits))
    prompts = [str(call.body["prompt"]) for call in sandbox.edit_api.calls]
    assert prompts == ["first", *names]


# Refusals.


async def refusals(edits: Sequence[Interaction], events: Events, *, number: int = 1) -> list[str]:
    """The responses to refused edits, once that many were refused."""
    await events.logs("edit.refused", times=number)
    refused = {event["edit"] for event in events.logged if event["event"] == "edit.refused"}
    answers = [await edit.settled() for edit in edits if str(edit.id) in refused]
    # An edit that was acknowledged before the hold is refused in its deferred response.
    assert all(answer.ephemeral or answer.revisions for answer in answers)
    return [answer.text for answer in answers]


@pytest.mark.drill
async def test_a_members_open_edits_are_limited_across_servers(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(member_limit=5, default_quota=None)
    hang(sandbox, times=None)
    elsewhere = sandbox.discord.add_guild("Elsewhere")
    there = sandbox.discord.add_member(elsewhere, ada.member.user)
    ada_there = Person(sandbox, ada.settings, there, elsewhere.channels[0])
    edits = await asyncio.gather(*(person.edit() for person in [ada, ada_there] * 100))
    said = await refusals(edits, events, number=195)

    assert len(said) == 195
    (only,) = set(said)
    assert only == refusal_text(TooManyOpen(5))
    assert ada.account() == (40, 0)
    bob = others(ada, 1)[0]
    assert (await (await bob.edit()).acknowledged()).type == 5


async def test_an_ended_edit_makes_room_for_its_members_next(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(member_limit=1)
    called = hang(sandbox)
    edit = await ada.edit()
    assert len(await refusals([await ada.edit()], events)) == 1
    called.release()
    await edit.posted()
    await events.logs("edit.closed", edit=str(edit.id))
    await (await ada.edit()).posted()


async def test_the_number_of_open_edits_is_limited(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot(edit_concurrency=2, queue_limit=10)
    hang(sandbox, times=None)
    edits = await asyncio.gather(*(member.edit() for member in others(ada, 200)))
    said = await refusals(edits, events, number=190)
    assert len(said) == 190
    (only,) = set(said)
    assert only == refusal_text(LineFull(10))


async def test_an_edit_that_would_wait_over_eight_minutes_is_refused_with_the_estimate(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_where_edits_took(200, sandbox, start_bot, ada, events)
    for person in others(ada, 3):
        assert (await (await person.edit()).acknowledged()).type == 5
    late = await others(ada, 1)[0].edit()
    (said,) = await refusals([late], events)
    assert "too long right now (about 10 minutes). An edit can wait up to 8 minutes." in said
    assert NOT_CHARGED in said
    assert ada.row(late) is None
