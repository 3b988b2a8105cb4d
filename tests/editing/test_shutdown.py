"""A bot that stops lets sent edits end, and leaves the others to the next start."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.domain.refusals import ShuttingDown
from cogs.text.outcomes import refusal_text
from sandbox.bot_process import BotProcess
from sandbox.faults import DiscordFault, Hang
from sandbox.sandbox import Sandbox
from tests.members import Person, find_row
from tests.services import hang

pytestmark = pytest.mark.usefixtures("small_results")


@pytest.fixture
async def process(sandbox: Sandbox, tmp_path: Path) -> AsyncGenerator[BotProcess]:
    """The bot in a process of its own that sends one edit at a time."""
    settings = {"EDIT_CONCURRENCY": "1", "SHUTDOWN_GRACE": "20"}
    async with BotProcess(sandbox.environment(), folder=tmp_path, settings=settings) as running:
        await running.connected(sandbox.discord)
        yield running


async def test_a_sent_edit_is_posted_and_a_queued_one_is_left_for_the_next_start(
    sandbox: Sandbox, process: BotProcess, ada: Person
):
    called = hang(sandbox)
    sent = await ada.edit()
    await sandbox.edit_api.called()
    waiting = await ada.edit()
    await process.event("edit.ready", edit=str(waiting.id))

    process.terminate()
    await process.event("bot.draining")
    refused = await (await ada.edit()).settled()
    assert refused.ephemeral
    assert refusal_text(ShuttingDown()) in refused.text
    called.release()
    await sent.posted()

    assert await process.ended() == 0
    assert len(sandbox.edit_api.calls) == 1
    left = find_row(process.ledger, waiting)
    assert left is not None
    assert left.state == "held"
    assert left.submitted_at is None


async def test_an_edit_that_is_acknowledged_while_draining_is_not_waited_for(
    sandbox: Sandbox, process: BotProcess, ada: Person
):
    answer = Hang()
    sandbox.faults.discord.add(DiscordFault(action=answer, method="POST", path="/callback$"))
    edit = await ada.edit()
    await process.event("edit.held", edit=str(edit.id))
    process.terminate()
    await process.event("bot.draining")
    answer.release()
    async with asyncio.timeout(10):
        assert await process.ended() == 0
    left = find_row(process.ledger, edit)
    assert left is not None
    assert left.state == "held"
    assert sandbox.edit_api.calls == []


@pytest.mark.parametrize(("grace", "signals"), [("0", 1), ("0.2", 1), ("20", 2)])
async def test_an_edit_that_outlasts_the_grace_period_is_left_as_it_is(
    sandbox: Sandbox, tmp_path: Path, ada: Person, grace: str, signals: int
):
    hang(sandbox)
    settings = {"SHUTDOWN_GRACE": grace}
    async with BotProcess(sandbox.environment(), folder=tmp_path, settings=settings) as process:
        await process.connected(sandbox.discord)
        edit = await ada.edit()
        await sandbox.edit_api.called()
        process.terminate()
        if signals > 1:
            await process.event("bot.draining")
            process.terminate()
        async with asyncio.timeout(10):
            assert await process.ended() == 0
        left = find_row(process.ledger, edit)
        assert left is not None
        assert left.state == "submitted"
