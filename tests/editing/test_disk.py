"""What the disk can't keep is never confirmed or charged, and works again once it recovers."""

import asyncio
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from bot.app import serve
from bot.domain.edits import Held
from bot.domain.errors import LedgerError
from bot.domain.quotas import OperatorLimits
from bot.ledger.sqlite import SqliteStores, open_sqlite
from bot.settings import Settings
from cogs.text.outcomes import LEDGER_SILENT, NOT_CHARGED
from sandbox.bot_process import BotProcess
from sandbox.faults import EditFault, declined
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.editing.ends import ends_once
from tests.images_made import make_image, photo
from tests.invariants import find_contradictions
from tests.members import Person, buttons_of, closes, find_row, look_up
from tests.moderators import Moderator
from tests.orders import order
from tests.passing_time import MovableClock
from tests.services import hang, take_the_slot
from tests.store_faults import (
    Disk,
    DiskFault,
    faulty_disk,
    let_files_grow,
    locked_by_a_process,
    on_linux,
)

pytestmark = pytest.mark.usefixtures("small_results", "cards_at_once")

LIMITS = OperatorLimits(80)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> Generator[Disk]:
    """The disk under every database of the test."""
    with faulty_disk(monkeypatch) as faulty:
        yield faulty


@pytest.fixture(autouse=True)
def fast_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry calls to the ledger right away."""
    monkeypatch.setattr("bot.editing.ledger_retry.RETRY_DELAYS_S", (0.02,))


@pytest.fixture(params=list(DiskFault), ids=lambda fault: fault.value)
def fault(request: pytest.FixtureRequest) -> DiskFault:
    """Each way in which the disk can fail."""
    return request.param


def copy_as_after_a_crash(database: Path, into: Path) -> Path:
    """Copy a database as a killed bot would leave it."""
    into.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{database}{suffix}", into)
    return into / database.name


# What is confirmed is on the disk.


async def test_a_hold_and_a_capture_are_synced_before_they_are_confirmed(
    disk: Disk, stores: SqliteStores
):
    ledger = stores.ledger

    async def is_synced_before_it_is_confirmed(step: asyncio.Task[object]) -> None:
        async with asyncio.timeout(5), disk.slow_sync() as waiting:
            await waiting.wait()
            assert not step.done()
            written = disk.done[-1]
        assert written == "write bot.db-wal"
        await step
        assert disk.done[-1] == "sync bot.db-wal"

    hold = ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)
    await is_synced_before_it_is_confirmed(asyncio.create_task(hold))
    await ledger.submit(1, ratio="1:1", now=NOON)
    await ledger.render(1, ["https://a/1.png"], now=NOON)
    capture = ledger.capture(1, posted=1, now=NOON)
    await is_synced_before_it_is_confirmed(asyncio.create_task(capture))


# The ledger.


async def test_a_failed_hold_does_not_reappear_after_a_crash(
    disk: Disk, stores: SqliteStores, path: Path, tmp_path: Path, fault: DiskFault
):
    ledger = stores.ledger
    await ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)
    disk.fault = fault
    with pytest.raises(LedgerError):
        await ledger.hold(order(2), limits=LIMITS, owner="test", now=NOON)
    crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    disk.mend()
    async with open_sqlite(crashed) as left:
        assert [edit.order.id for edit in await left.ledger.unfinished()] == [1]
    assert isinstance(await ledger.hold(order(2), limits=LIMITS, owner="test", now=NOON), Held)


async def test_an_edit_is_refused_if_the_disk_fails_and_the_next_succeeds(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, disk: Disk, fault: DiskFault
):
    disk.fault = fault
    edit = await ada.edit()
    answer = await edit.acknowledged()
    assert (answer.type, answer.ephemeral) == (4, True)
    assert (await edit.settled()).text == LEDGER_SILENT
    disk.mend()
    assert (ada.row(edit), ada.account()) == (None, (0, 0))
    assert sandbox.edit_api.calls == []
    await closes(ada, events, await ada.edit(), ("delivered", None))


STEPS = {
    # A step of the ledger: the state in which the edit waits for it, and how the edit ends.
    "acknowledge": ("held", ("delivered", None)),
    "submit": ("held", ("delivered", None)),
    "render": ("submitted", ("delivered", None)),
    "capture": ("rendered", ("delivered", None)),
    "void": ("submitted", ("declined", "api_declined")),
    "forget_token": ("declined", ("declined", "api_declined")),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_the_disk_fails_is_recorded_once_it_recovers(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    disk: Disk,
    fault: DiskFault,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
):
    state, end = STEPS[step]
    if end[0] == "declined":
        sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    disk.fail_at(monkeypatch, step, fault)
    edit = await ada.edit()
    await events.logs("ledger.retrying", times=3)

    row = ada.row(edit)
    assert row is not None
    assert (row.state, row.charged) == (state, 0)
    assert ada.account() == ((0, 0) if state == "declined" else (8, 0))
    assert len(sandbox.edit_api.calls) == (0 if state == "held" else 1)
    disk.mend()

    await ends_once(ada, events, edit, end)
    assert (await (await ada.edit()).posted()).files


@pytest.mark.parametrize(
    ("step", "end"),
    [
        ("submit", ("delivered", None)),
        ("render", ("interrupted", "interrupted")),
        ("capture", ("delivered", None)),
        ("void", ("interrupted", "interrupted")),
    ],
)
async def test_a_step_that_the_disk_failed_before_a_restart_is_not_repeated(
    sandbox: Sandbox,
    bot: RunningBot,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    disk: Disk,
    fault: DiskFault,
    step: str,
    end: tuple[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
):
    if step == "void":
        sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    monkeypatch.setattr("bot.editing.ledger_retry.RETRY_DELAYS_S", (60,))
    disk.fail_at(monkeypatch, step, fault)
    edit = await ada.edit()
    await events.logs("ledger.retrying")
    if fault is DiskFault.UNSYNCED:
        # SQLite closes the file all the same, but apsw raises what its own files raised.
        disk.mend()
    await bot.stop()
    disk.mend()
    monkeypatch.undo()
    await start_bot()

    await ends_once(ada, events, edit, end)


async def test_an_edit_that_the_disk_keeps_from_being_submitted_expires_unsent(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
):
    clock = MovableClock(monkeypatch)
    disk.fail_at(monkeypatch, "submit", DiskFault.FULL)
    edit = await ada.edit()
    await events.logs("ledger.retrying")
    clock.jump(minutes=9)
    # From now on the void is retried.
    await events.logs("edit.faulted", reason="expired")
    disk.mend()
    await closes(ada, events, edit, ("expired", "expired"))
    assert NOT_CHARGED in (await edit.settled()).text
    assert sandbox.edit_api.calls == []


async def test_an_edit_that_the_disk_delays_is_not_sent_while_the_bot_drains(
    sandbox: Sandbox,
    settings: Settings,
    ada: Person,
    events: Events,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
):
    stopping = asyncio.Event()
    bot = asyncio.create_task(serve(settings, stopping=stopping))
    await sandbox.discord.connected()
    called = hang(sandbox)
    sent = await ada.edit()
    await sandbox.edit_api.called()
    disk.fail_at(monkeypatch, "submit", DiskFault.FULL)
    held_up = await ada.edit()
    await events.logs("ledger.retrying")
    stopping.set()
    await events.logs("bot.draining")
    disk.mend()
    called.release()
    await sent.posted()

    async with asyncio.timeout(10):
        await bot
    assert len(sandbox.edit_api.calls) == 1
    left = ada.row(held_up)
    assert left is not None
    assert (left.state, left.submitted_at) == ("held", None)


async def test_an_edit_is_logged_once_and_only_after_its_end_is_on_the_disk(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    disk: Disk,
    fault: DiskFault,
    monkeypatch: pytest.MonkeyPatch,
):
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    log = sandbox.discord.guilds[0].channels[1]
    await mod.set(log_channel=log)
    disk.fail_at(monkeypatch, "capture", fault)
    edit = await ada.edit()
    await events.logs("ledger.retrying")
    assert len(sandbox.discord.messages(log)) == 1
    disk.mend()

    await closes(ada, events, edit, ("delivered", None))
    await sandbox.discord.posted(log, lambda message: "Done" in message.text)
    assert len(sandbox.discord.messages(log)) == 2


@pytest.mark.parametrize(
    ("command", "options", "count"),
    [
        ("quota default", {"credits": "10"}, "SELECT count(*) FROM rule"),
        ("settings set", {"quality": "high"}, "SELECT count(*) FROM setting"),
    ],
)
async def test_a_moderators_change_is_not_confirmed_if_the_disk_fails(
    sandbox: Sandbox,
    bot: RunningBot,
    disk: Disk,
    fault: DiskFault,
    command: str,
    options: dict[str, str],
    count: str,
):
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    disk.fault = fault
    answer = await (await mod.run(command, **options)).settled()
    assert (answer.ephemeral, answer.text) == (True, LEDGER_SILENT)
    audit_log = "SELECT count(*) FROM change"
    assert (
        look_up(bot.settings.database, count) == look_up(bot.settings.database, audit_log) == [(0,)]
    )
    disk.mend()
    answer = await (await mod.run(command, **options)).settled()
    assert "(was " in answer.text
    assert (
        look_up(bot.settings.database, count) == look_up(bot.settings.database, audit_log) == [(1,)]
    )


async def test_a_cancellation_is_not_confirmed_if_the_disk_fails(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, disk: Disk, fault: DiskFault
):
    await start_bot(edit_concurrency=1)
    call = await take_the_slot(sandbox, ada)
    edit = await ada.edit()
    await events.logs("edit.acknowledged", edit=str(edit.id))
    message = await edit.until(lambda message: "Cancel" in buttons_of(message))

    disk.fault = fault
    assert await ada.told(message, "Cancel") == LEDGER_SILENT
    disk.mend()
    call.release()
    await closes(ada, events, edit, ("delivered", None))


async def test_an_erasure_is_not_confirmed_if_the_disk_fails(
    bot: RunningBot, ada: Person, events: Events, disk: Disk, fault: DiskFault
):
    await closes(ada, events, await ada.edit(), ("delivered", None))
    question = await ada.run("privacy delete")
    disk.fault = fault
    assert await ada.told(question, "Delete my data") == LEDGER_SILENT
    kept = "SELECT prompt FROM edit_private"
    assert look_up(bot.settings.database, kept) == [("make it blue",)]
    disk.mend()
    await (await ada.press(question, "Delete my data")).acknowledged()
    assert look_up(bot.settings.database, kept) == []


# Other processes.


async def test_a_ledger_that_is_locked_briefly_is_waited_for(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    async with locked_by_a_process(bot.settings.database):
        edit = await ada.edit()
        answer = await edit.acknowledged()
        assert (answer.type, ada.row(edit)) == (5, None)
    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1


@pytest.mark.parametrize("acknowledged_first", [False, True])
async def test_an_edit_is_refused_without_a_hold_if_the_ledger_stays_locked(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    acknowledged_first: bool,
):
    fast_to_fail = partial(open_sqlite, busy_timeout_ms=200 if acknowledged_first else 1)
    monkeypatch.setattr("bot.app.open_sqlite", fast_to_fail)
    monkeypatch.setattr("bot.editing.intake.HOLD_TIMEOUT_S", 0.05 if acknowledged_first else 5)
    bot = await start_bot()
    async with locked_by_a_process(bot.settings.database):
        edit = await ada.edit(private=True)
        answer = await edit.acknowledged()
        assert (answer.type, answer.ephemeral) == (5 if acknowledged_first else 4, True)
        assert (await edit.settled()).text == LEDGER_SILENT
        assert (ada.row(edit), ada.account()) == (None, (0, 0))
    assert sandbox.edit_api.calls == []
    await closes(ada, events, await ada.edit(), ("delivered", None))


async def test_an_edit_in_progress_waits_for_a_locked_ledger(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("bot.app.open_sqlite", partial(open_sqlite, busy_timeout_ms=1))
    bot = await start_bot()
    call = hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()
    async with locked_by_a_process(bot.settings.database):
        call.release()
        await events.logs("ledger.retrying", times=2)
    await closes(ada, events, edit, ("delivered", None))
    assert len(sandbox.edit_api.calls) == 1


# The spool.


async def test_an_edit_without_a_spool_folder_fails_free_and_unsent(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    bot.settings.spool_dir.rmdir()
    bot.settings.spool_dir.write_text("a file where a folder should be")
    edit = await ada.edit()
    await closes(ada, events, edit, ("failed", "not_spooled"))
    assert "couldn't save your image" in (await edit.settled()).text
    await events.logs("edit.not_spooled", level="error", edit=str(edit.id))
    assert sandbox.edit_api.calls == []
    bot.settings.spool_dir.unlink()
    assert (await (await ada.edit()).posted()).files


SMALL, LARGE = 64, 1_500
"""Pixels of a side; the large image has more bytes than the limit."""


@on_linux
@pytest.mark.parametrize(
    ("results", "source_mode", "end", "posted"),
    [
        ([LARGE], "url", ("failed", "not_spooled"), 0),
        ([LARGE, LARGE], "url", ("failed", "not_spooled"), 0),
        ([LARGE, SMALL], "url", ("delivered", None), 1),
        ([SMALL], "data", ("failed", "not_spooled"), 0),
    ],
    ids=["the result", "all results", "one of two", "the source"],
)
async def test_an_image_that_does_not_fit_on_the_disk_is_free_and_removed(
    sandbox: Sandbox,
    ada: Person,
    tmp_path: Path,
    results: list[int],
    source_mode: str,
    end: tuple[str, str | None],
    posted: int,
):
    sandbox.edit_api.answer_with([make_image(width=side, height=side) for side in results])
    source = photo("large.png", width=LARGE, height=LARGE)
    running = BotProcess(
        sandbox.environment(), settings={"EDIT_SOURCE": source_mode}, folder=tmp_path
    )
    async with running:
        await running.connected(sandbox.discord)
        assert running.pid is not None
        let_files_grow(running.pid, most=2**20)
        edit = await ada.edit(image=source, count=len(results))
        await running.event("edit.closed", edit=str(edit.id))
        row = find_row(running.ledger, edit)
        assert row is not None
        assert (row.end, row.posted, row.charged) == (end, posted, 8 * posted)
        message = await edit.settled()
        assert len(message.files) == posted
        reported = "couldn't save your image" in message.text
        assert reported is (posted == 0)
        assert list((tmp_path / "spool").iterdir()) == []
        assert len(sandbox.edit_api.calls) == (1 if source_mode == "url" else 0)

        let_files_grow(running.pid)
        again = await (await ada.edit(image=source)).settled()
        assert len(again.files) == 1
    assert find_contradictions(running.ledger) == []
