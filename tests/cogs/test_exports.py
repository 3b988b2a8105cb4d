"""Exports: one per member, a few being made at once, and nobody waits for another's upload."""

import asyncio
from pathlib import Path

import pytest

from bot.reports.exports import MAKING, Exports
from bot.settings import Settings
from cogs.text.outcomes import EXPORT_RUNNING
from sandbox.discord.permissions import Permission
from sandbox.faults import DiscordFault, Hang, too_large
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person
from tests.passing_time import settle

pytestmark = pytest.mark.usefixtures("small_results")

ORIGINAL = "/messages/@original$"
PATIENCE = 60
"""Seconds for an upload to begin, before which a busy machine may have to draw a chart."""
KINDS = pytest.mark.parametrize("kind", ["privacy export", "usage"])


@pytest.fixture
def mod(sandbox: Sandbox, settings: Settings) -> Person:
    """A member with Manage Server."""
    return Person.join(sandbox, settings, "Mod", permissions=Permission.MANAGE_GUILD)


@pytest.fixture
def uploads(sandbox: Sandbox) -> DiscordFault:
    """Every upload hangs, until the fault is removed and its action is released."""
    return sandbox.faults.discord.add(
        DiscordFault(action=Hang(), method="PATCH", path=ORIGINAL, with_files=True, times=None)
    )


def let_uploads_through(sandbox: Sandbox, uploads: DiscordFault) -> None:
    """Let uploads go on, also those that hang."""
    assert isinstance(uploads.action, Hang)
    sandbox.faults.discord.remove(uploads)
    uploads.action.release()


async def start(kind: str, person: Person) -> Interaction:
    """Run one of the two exports."""
    return await person.command(kind, **({"export": True} if kind == "usage" else {}))


def spooled(bot: RunningBot) -> list[Path]:
    """What is in the spool."""
    return list(bot.settings.spool_dir.iterdir())


@KINDS
@pytest.mark.parametrize("second", ["privacy export", "usage"])
async def test_a_second_export_is_told_at_once_in_private_while_the_first_runs(
    sandbox: Sandbox,
    bot: RunningBot,
    mod: Person,
    events: Events,
    uploads: DiscordFault,
    kind: str,
    second: str,
):
    first = await start(kind, mod)
    await uploads.happened(timeout=PATIENCE)

    refused = await start(second, mod)
    told = await refused.acknowledged()
    answer = await refused.settled()
    assert (told.type, answer.ephemeral, answer.text) == (4, True, EXPORT_RUNNING)

    let_uploads_through(sandbox, uploads)
    await first.posted()
    await events.logs("export.ended")
    await (await start(second, mod)).posted()


@KINDS
async def test_an_export_that_fails_stands_in_nobodys_way(
    sandbox: Sandbox, bot: RunningBot, mod: Person, events: Events, kind: str
):
    sandbox.faults.discord.add(
        DiscordFault(action=too_large(), method="PATCH", path=ORIGINAL, with_files=True)
    )
    failed = await (await start(kind, mod)).settled()
    assert "upload failed" in failed.text or "couldn't be uploaded" in failed.text
    await events.logs("export.ended")
    await (await start(kind, mod)).posted()
    await events.logs("export.ended", times=2)
    assert spooled(bot) == []


async def test_usage_without_export_is_answered_while_an_export_runs(
    sandbox: Sandbox, bot: RunningBot, mod: Person
):
    hang = sandbox.faults.discord.add(
        DiscordFault(action=Hang(), method="PATCH", path=ORIGINAL, with_files=True)
    )
    await start("usage", mod)
    await hang.happened(timeout=PATIENCE)
    assert (await mod.run("usage")).files


@KINDS
async def test_slow_uploads_hold_no_others_export_up(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, start_bot: StartBot, mod: Person, kind: str
):
    monkeypatch.setattr("bot.reports.exports.MAKING", 1)
    await start_bot()
    hang = sandbox.faults.discord.add(
        DiscordFault(action=Hang(), method="PATCH", path=ORIGINAL, with_files=True)
    )
    other = Person.join(sandbox, mod.settings, "Other", permissions=Permission.MANAGE_GUILD)
    await start(kind, other)
    await hang.happened(timeout=PATIENCE)
    await (await start(kind, mod)).posted()


async def test_no_result_waits_for_an_exports_upload(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, start_bot: StartBot, ada: Person, mod: Person
):
    monkeypatch.setattr("bot.discord_io.transport.UPLOADS", 1)
    await start_bot()
    hang = sandbox.faults.discord.add(
        DiscordFault(action=Hang(), method="PATCH", path=ORIGINAL, with_files=True)
    )
    await start("privacy export", mod)
    await hang.happened(timeout=PATIENCE)
    assert (await (await ada.edit()).posted()).files


@KINDS
async def test_files_are_made_in_a_slot_alone(
    monkeypatch: pytest.MonkeyPatch,
    start_bot: StartBot,
    ada: Person,
    mod: Person,
    events: Events,
    kind: str,
):
    monkeypatch.setattr("bot.reports.exports.MAKING", 0)
    bot = await start_bot()
    export = await start(kind, mod)
    assert (await export.acknowledged()).type == 5
    # Both take longer than what comes before the file: a chart, and all the rest.
    await mod.run("usage")
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    (folder,) = spooled(bot)
    assert list(folder.iterdir()) == []


async def test_a_few_files_are_made_at_once_and_the_next_has_its_turn(tmp_path: Path):
    exports = Exports(tmp_path)
    done = [asyncio.Event() for _ in range(MAKING + 1)]
    begun: list[int] = []

    async def make(number: int) -> None:
        async with exports.making():
            begun.append(number)
            await done[number].wait()

    async with asyncio.TaskGroup() as group:
        for number in range(MAKING + 1):
            group.create_task(make(number))
        await settle()
        assert begun == list(range(MAKING))
        done[0].set()
        await settle()
        assert begun == list(range(MAKING + 1))
        for each in done:
            each.set()


def test_members_do_not_stand_in_each_others_way(tmp_path: Path):
    exports = Exports(tmp_path)
    with exports.begin(1) as first, exports.begin(2) as other, exports.begin(1) as second:
        assert (first, other, second) == (True, True, False)
        # That it was refused ends nothing of the first.
        with exports.begin(1) as third:
            assert not third
    with exports.begin(1) as after:
        assert after


@KINDS
async def test_what_a_bot_that_ended_left_of_an_export_goes_at_the_next_start(
    start_bot: StartBot, mod: Person, uploads: DiscordFault, kind: str
):
    bot = await start_bot()
    await start(kind, mod)
    await uploads.happened(timeout=PATIENCE)
    (folder,) = spooled(bot)
    assert list(folder.iterdir())
    await bot.stop()
    await start_bot()
    assert spooled(bot) == []
