"""Background work yields to replies that are due within seconds."""

import asyncio
from contextlib import ExitStack

import pytest

from bot.domain.images import Source
from bot.editing.sources import Sources
from bot.scheduling.reply_priority import MAX_PENDING_REPLIES, ReplyPriority, deadline
from sandbox.faults import Hang
from sandbox.sandbox import Sandbox
from tests.conftest import Events, StartBot
from tests.images_made import photo
from tests.members import Person, others
from tests.passing_time import settle
from tests.services import at_discord


async def test_a_few_pending_replies_delay_nothing():
    priority = ReplyPriority()
    with ExitStack() as due:
        for _ in range(MAX_PENDING_REPLIES):
            due.enter_context(priority.replying())
        async with asyncio.timeout(0):
            await priority.yield_to_replies(until=deadline())


async def test_many_pending_replies_go_first_until_only_a_few_are_left():
    priority = ReplyPriority()
    with ExitStack() as due:
        for _ in range(MAX_PENDING_REPLIES):
            due.enter_context(priority.replying())
        with priority.replying():
            waiting = asyncio.create_task(priority.yield_to_replies(until=deadline()))
            await settle()
            assert not waiting.done()
        await settle()
        assert waiting.done()


async def test_nothing_waits_forever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.scheduling.reply_priority.PATIENCE", 0.01)
    priority = ReplyPriority()
    with ExitStack() as due:
        for _ in range(MAX_PENDING_REPLIES + 1):
            due.enter_context(priority.replying())
        await priority.yield_to_replies(until=deadline())


@pytest.mark.usefixtures("small_results")
async def test_sources_are_not_probed_while_many_commands_await_their_acknowledgment(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
):
    probed: list[str] = []
    probe = Sources.probe

    async def note(self: Sources, url: str) -> Source | None:
        probed.append(url)
        return await probe(self, url)

    monkeypatch.setattr("bot.scheduling.reply_priority.PATIENCE", 60)
    monkeypatch.setattr(Sources, "probe", note)
    await start_bot(edit_concurrency=1)
    late = Hang()
    fault = at_discord(
        sandbox, late, method="POST", path="/callback$", times=MAX_PENDING_REPLIES + 1
    )
    edits = [await member.edit() for member in others(ada, MAX_PENDING_REPLIES + 1)]
    await fault.happened(times=MAX_PENDING_REPLIES + 1)
    # A later edit is acknowledged right away, and its probe still waits for the others.
    edits.append(await ada.edit(image=photo(name="late.png")))
    await events.logs("edit.acknowledged", edit=str(edits[-1].id))
    assert not [url for url in probed if "late.png" in url]
    late.release()
    for edit in edits:
        await events.logs("edit.closed", edit=str(edit.id))
    assert len(probed) == len(edits)
