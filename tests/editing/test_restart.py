"""Edits that a bot leaves open continue after the restart, charged correctly and called once."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import pytest

from bot.app import serve
from bot.discord_io.client import DiscordClient
from bot.domain.edits import Edit
from bot.domain.errors import LedgerError, LedgerUnusableError
from bot.ledger.sqlite.edits import SqliteLedger
from bot.settings import Settings
from cogs.text.outcomes import NOT_CHARGED
from sandbox.bot_process import BotProcess
from sandbox.faults import CutAfter, EditFault, Hang, Images, declined, server_error
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.editing.ends import ends_once
from tests.invariants import find_contradictions
from tests.members import Person, closes, find_row, grow_old, move_to_yesterday
from tests.services import at_discord, hang, leave_rendered
from tests.store_faults import broken, locked

pytestmark = pytest.mark.usefixtures("small_results")

CALLBACK = "/callback$"
ORIGINAL = "/messages/@original$"
DEAD_TOKEN_MINUTES = 16


async def leave_submitted(sandbox: Sandbox, bot: RunningBot, ada: Person) -> Interaction:
    """An edit whose call was in progress when the bot stopped."""
    hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()
    await bot.stop()
    return edit


async def leave_waiting(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, *, private: bool = False
) -> Interaction:
    """An edit that was queued behind another member's when the bot stopped."""
    hang(sandbox)
    await Person.join(sandbox, bot.settings, "Bob").edit()
    await sandbox.edit_api.called()
    waiting = await ada.edit(private=private)
    await events.logs("edit.acknowledged", edit=str(waiting.id))
    await bot.stop()
    return waiting


# By state.


async def test_a_queued_edit_is_queued_again(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    waiting = await leave_waiting(sandbox, bot, ada, events)
    await start_bot(edit_concurrency=1)

    await closes(ada, events, waiting, ("delivered", None))
    assert len((await waiting.settled()).files) == 1
    assert len(sandbox.edit_api.calls) == 2


async def test_an_edit_that_was_never_acknowledged_is_voided(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    never = at_discord(sandbox, Hang(), method="POST", path=CALLBACK)
    edit = await ada.edit()
    await never.happened()
    await bot.stop()
    await start_bot()

    await closes(ada, events, edit, ("failed", "not_acknowledged"))
    assert edit.message is None
    assert sandbox.edit_api.calls == []


async def test_an_edit_whose_acknowledgment_was_not_recorded_is_run(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, CutAfter(), method="POST", path=CALLBACK)
    repeated = at_discord(sandbox, Hang(), method="POST", path=CALLBACK)
    edit = await ada.edit()
    await repeated.happened()
    await bot.stop()
    await start_bot()

    row = await closes(ada, events, edit, ("delivered", None))
    message = await edit.settled()
    assert len(message.files) == 1
    assert row.message_id == message.id
    assert len(sandbox.edit_api.calls) == 1


async def test_an_edit_whose_message_was_deleted_is_voided_without_a_new_message(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    waiting = await leave_waiting(sandbox, bot, ada, events)
    assert waiting.message is not None
    sandbox.discord.delete(waiting.message)
    others = sandbox.discord.messages(ada.channel)
    await start_bot(edit_concurrency=1)

    await closes(ada, events, waiting, ("failed", "answer_deleted"))
    assert len(sandbox.edit_api.calls) == 1
    assert sandbox.discord.messages(ada.channel) == others


@pytest.mark.parametrize("private", [False, True])
async def test_a_queued_edit_with_a_dead_token_is_voided_and_its_member_notified(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, *, private: bool
):
    bot = await start_bot(edit_concurrency=1)
    waiting = await leave_waiting(sandbox, bot, ada, events, private=private)
    waiting.expire()
    await start_bot(edit_concurrency=1)

    await closes(ada, events, waiting, ("failed", "not_acknowledged"))
    told = waiting.message
    if private:
        mailbox = sandbox.discord.world.direct_messages(ada.member.id)
        assert mailbox is not None
        (told,) = sandbox.discord.messages(mailbox)
    assert told is not None
    assert f"Try again. {NOT_CHARGED}" in told.text
    assert len(sandbox.edit_api.calls) == 1


async def test_an_edit_that_discord_never_answers_for_expires_and_its_member_is_notified(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    waiting = await leave_waiting(sandbox, bot, ada, events)
    grow_old(bot.settings.database, waiting, minutes=8 - 0.01)
    at_discord(sandbox, Hang(), method="GET", path=waiting.token)
    await start_bot(edit_concurrency=1)

    await closes(ada, events, waiting, ("expired", "expired"))
    assert "in the queue for 8 minutes" in (await waiting.settled()).text
    assert len(sandbox.edit_api.calls) == 1


async def test_an_edit_whose_call_was_in_progress_is_interrupted_and_not_called_again(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    edit = await leave_submitted(sandbox, bot, ada)
    assert ada.state(edit) == "submitted"
    await start_bot()

    await closes(ada, events, edit, ("interrupted", "interrupted"))
    text = (await edit.settled()).text
    assert "Darkroom restarted while making your image." in text
    assert f"Try again. {NOT_CHARGED}" in text
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize("spooled", [True, False])
async def test_rendered_images_are_posted_without_a_second_call(
    sandbox: Sandbox,
    start_bot: StartBot,
    bot: RunningBot,
    ada: Person,
    events: Events,
    spooled: bool,
):
    edit = await leave_rendered(sandbox, bot, ada)
    assert ada.account() == (8, 0)
    folder = bot.settings.spool_dir / str(edit.id)
    if not spooled:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    await start_bot()

    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1
    assert sandbox.edit_api.results.downloads == (1 if spooled else 2)
    assert len(sandbox.edit_api.calls) == 1


async def test_a_post_that_succeeded_as_the_bot_stopped_is_charged_and_not_repeated(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    at_discord(sandbox, CutAfter(), method="PATCH", path=ORIGINAL)
    repeated = at_discord(sandbox, Hang(), method="PATCH", path=ORIGINAL)
    edit = await ada.edit()
    await repeated.happened()
    await bot.stop()
    await start_bot()

    await ends_once(ada, events, edit, ("delivered", None))


async def test_a_failed_notification_is_sent_after_the_restart(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    down = at_discord(sandbox, server_error(), method="PATCH", path=ORIGINAL, times=None)
    edit = await ada.edit()
    await down.happened()
    row = ada.row(edit)
    assert row is not None
    assert row.end == ("declined", "api_declined")
    assert row.token is not None
    await bot.stop()
    sandbox.faults.discord.remove(down)
    await start_bot()

    await closes(ada, events, edit, ("declined", "api_declined"))
    assert "declined this edit: “No.”" in (await edit.settled()).text
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.usefixtures("announces_soon")
async def test_a_command_that_came_while_the_bot_stopped_is_run_after_the_restart(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    with locked(bot.settings.database):
        edit = await ada.edit()
        await edit.acknowledged()
        stopping = asyncio.create_task(bot.stop())
        await sandbox.discord.world.changed.until(
            lambda: None if sandbox.discord.gateway.connected else True, timeout=5
        )
    await stopping
    assert ada.state(edit) == "held"
    assert not [event for event in events.logged if event["event"] == "edit.acknowledged"]
    await start_bot()

    await closes(ada, events, edit, ("delivered", None))
    assert len(sandbox.edit_api.calls) == 1


@pytest.mark.parametrize(
    ("hangs_at", "end"), [("call", ("interrupted", "interrupted")), ("post", ("delivered", None))]
)
async def test_a_step_that_the_ledger_failed_before_a_restart_is_not_repeated(
    sandbox: Sandbox,
    start_bot: StartBot,
    bot: RunningBot,
    ada: Person,
    events: Events,
    hangs_at: str,
    end: tuple[str, str | None],
):
    late = Hang()
    if hangs_at == "call":
        sandbox.faults.edit_api.add(EditFault(action=late))
        edit = await ada.edit()
        await sandbox.edit_api.called()
    else:
        post = at_discord(sandbox, late, method="PATCH", path=ORIGINAL)
        edit = await ada.edit()
        await post.happened()
    with broken(bot.settings.database, "edit"):
        late.release()
        await events.logs("ledger.retrying")
        await bot.stop()
    await start_bot()

    await ends_once(ada, events, edit, end)


async def test_only_spool_folders_of_ended_edits_are_removed(
    start_bot: StartBot, bot: RunningBot, events: Events
):
    await bot.stop()
    spool = bot.settings.spool_dir
    (spool / "1234").mkdir(parents=True)
    (spool / "1234" / "1.png").write_bytes(b"left by a crash")
    (spool / "notes").mkdir()
    await start_bot()
    await events.logs("bot.ready", times=2)
    assert [folder.name for folder in spool.iterdir()] == ["notes"]


# By age.


@pytest.mark.parametrize("private", [False, True])
async def test_an_edit_that_waited_over_eight_minutes_expires_and_its_member_is_notified(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, private: bool
):
    bot = await start_bot(edit_concurrency=1)
    waiting = await leave_waiting(sandbox, bot, ada, events, private=private)
    grow_old(bot.settings.database, waiting, minutes=9)
    await start_bot()

    await closes(ada, events, waiting, ("expired", "expired"))
    message = await waiting.settled()
    assert f"for 8 minutes and timed out. Try again later. {NOT_CHARGED}" in message.text
    assert message.ephemeral is private
    assert len(sandbox.edit_api.calls) == 1


async def test_the_channel_route_notifies_of_an_edit_that_expired_with_its_token(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot(edit_concurrency=1)
    waiting = await leave_waiting(sandbox, bot, ada, events)
    grow_old(bot.settings.database, waiting, minutes=DEAD_TOKEN_MINUTES)
    waiting.expire()
    await start_bot()

    await closes(ada, events, waiting, ("expired", "expired"))
    assert "in the queue for 8 minutes" in (await waiting.settled()).text


@pytest.mark.parametrize("minutes", [0, 14, DEAD_TOKEN_MINUTES])
async def test_images_are_posted_by_the_channel_route_once_the_token_is_dead(
    sandbox: Sandbox,
    start_bot: StartBot,
    bot: RunningBot,
    ada: Person,
    events: Events,
    minutes: int,
):
    edit = await leave_rendered(sandbox, bot, ada)
    grow_old(bot.settings.database, edit, minutes=minutes)
    edit.expire()
    await start_bot()

    await ends_once(ada, events, edit, ("delivered", None))
    assert not (await edit.settled()).pinged


async def test_a_hold_of_yesterday_gives_nothing_back_today(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.edit_api.add(EditFault(action=Images(1)))
    post = at_discord(sandbox, Hang(), method="PATCH", path=ORIGINAL)
    edit = await ada.edit(count=2)
    await post.happened()
    await bot.stop()
    move_to_yesterday(bot.settings.database, edit)
    await start_bot()

    await closes(ada, events, edit, ("delivered", None))
    text = (await edit.settled()).text
    assert " · 8 credits · " in text
    assert "Left 80 " in await ada.credits()


async def test_a_private_response_is_used_while_its_token_lives(
    sandbox: Sandbox, start_bot: StartBot, bot: RunningBot, ada: Person, events: Events
):
    edit = await leave_rendered(sandbox, bot, ada, private=True)
    grow_old(bot.settings.database, edit, minutes=14)
    await start_bot()

    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1


async def test_a_hanging_response_lookup_delays_no_other_edit(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("bot.scheduling.edit_queue.RESTART_TIMEOUT_S", 0.2)
    bot = await start_bot(edit_concurrency=2)
    carol = Person.join(sandbox, bot.settings, "Carol")
    hang(sandbox)
    hang(sandbox)
    busy = [await Person.join(sandbox, bot.settings, name).edit() for name in ("Bob", "Dan")]
    await sandbox.edit_api.called(len(busy))
    edits = [await ada.edit(), await carol.edit()]
    for edit in edits:
        await events.logs("edit.acknowledged", edit=str(edit.id))
    await bot.stop()
    stuck = at_discord(sandbox, Hang(), method="GET", path=edits[0].token)
    await start_bot(edit_concurrency=2)

    await stuck.happened()
    await closes(carol, events, edits[1], ("delivered", None))
    assert ada.state(edits[0]) == "held"


# The process.


@pytest.fixture
async def process(sandbox: Sandbox, tmp_path: Path) -> AsyncGenerator[BotProcess]:
    """The bot in a process of its own; its ledger is checked at the end."""
    running = BotProcess(sandbox.environment(), folder=tmp_path)
    async with running:
        await running.connected(sandbox.discord)
        yield running
    assert find_contradictions(running.ledger) == []


async def test_a_killed_bot_loses_no_rendered_image_and_calls_for_none_again(
    sandbox: Sandbox, process: BotProcess, ada: Person
):
    post = at_discord(sandbox, Hang(), method="PATCH", path=ORIGINAL)
    edit = await ada.edit()
    await post.happened()
    process.kill()
    assert await process.ended() != 0
    await process.start()

    await process.event("edit.closed", edit=str(edit.id))
    row = find_row(process.ledger, edit)
    assert row is not None
    assert (row.end, row.charged, row.token) == (("delivered", None), 8, None)
    assert len((await edit.settled()).files) == 1
    assert len(sandbox.edit_api.calls) == 1


async def test_a_killed_bot_reports_interrupted_calls_and_makes_the_queued_ones(
    sandbox: Sandbox, tmp_path: Path, ada: Person
):
    one_at_a_time = {"EDIT_CONCURRENCY": "1"}
    running = BotProcess(sandbox.environment(), settings=one_at_a_time, folder=tmp_path)
    async with running:
        await running.connected(sandbox.discord)
        hang(sandbox)
        interrupted = await ada.edit()
        await sandbox.edit_api.called()
        waiting = await ada.edit()
        await running.event("edit.acknowledged", edit=str(waiting.id))
        running.kill()
        await running.ended()
        await running.start()
        await running.event("edit.closed", edit=str(interrupted.id))
        await running.event("edit.closed", edit=str(waiting.id))

    for edit, end in (
        (interrupted, ("interrupted", "interrupted")),
        (waiting, ("delivered", None)),
    ):
        row = find_row(running.ledger, edit)
        assert row is not None
        assert (row.end, row.token) == (end, None)
    assert "Darkroom restarted" in (await interrupted.settled()).text
    assert len((await waiting.settled()).files) == 1
    assert len(sandbox.edit_api.calls) == 2
    assert find_contradictions(running.ledger) == []


async def test_a_second_bot_on_the_same_database_names_the_first_and_exits(
    sandbox: Sandbox, process: BotProcess, tmp_path: Path
):
    second = BotProcess(sandbox.environment(), folder=tmp_path)
    async with second:
        assert await second.ended() == 1
    said = "\n".join(second.last_lines)
    assert f"Process {process.pid} has the database" in said
    assert "Traceback" not in said


async def test_a_bot_exits_cleanly_on_sigterm(process: BotProcess):
    process.terminate()
    assert await process.ended() == 0
    assert "Traceback" not in "\n".join(process.last_lines)


async def test_a_bot_that_is_canceled_while_it_connects_exits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    connecting = asyncio.Event()

    async def swallow_once(_client: DiscordClient, *, reconnect: bool = True) -> None:
        """Swallow the first cancellation, as discord.py does while it connects."""
        connecting.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    monkeypatch.setattr(DiscordClient, "connect", swallow_once)
    bot = asyncio.create_task(serve(settings))
    async with asyncio.timeout(10):
        await connecting.wait()
        bot.cancel()
        await asyncio.wait({bot})
    assert bot.cancelled()


WRONG: list[tuple[Mapping[str, str], int, list[str]]] = [
    ({"DISCORD_TOKEN": "not-the-token"}, 1, ["DISCORD_TOKEN", "Reset Token"]),
    (
        {"DEFAULT_QUOTA": "-1", "EDIT_TIMEOUT": "0", "EDIT_API_KEY": ""},
        2,
        ["DEFAULT_QUOTA", "'-1'", "EDIT_TIMEOUT", "above 0", "EDIT_API_KEY is not set"],
    ),
    ({"SPOOL_DIR": f"{__file__}/spool"}, 2, ["SPOOL_DIR", "a folder's path"]),
    ({"SPOOL_DIR": __file__}, 2, ["SPOOL_DIR", __file__, "a folder's path"]),
    (
        {"DATABASE_URL": "sqlite:///diary.txt"},
        1,
        ["diary.txt", "replace it with an intact copy", "DATABASE_URL"],
    ),
    ({"DISCORD_API_URL": "http://127.0.0.1:1/api/v10"}, 1, ["Check the network"]),
]


@pytest.mark.parametrize(("settings", "status", "named"), WRONG)
async def test_a_misconfigured_bot_says_what_to_fix_and_exits(
    sandbox: Sandbox, tmp_path: Path, settings: Mapping[str, str], status: int, named: list[str]
):
    (tmp_path / "diary.txt").write_text("Dear diary, ", encoding="utf-8")
    async with BotProcess(sandbox.environment(), settings=settings, folder=tmp_path) as wrong:
        assert await wrong.ended() == status
    said = "\n".join(wrong.last_lines)
    assert [word for word in named if word not in said] == []
    assert "Traceback" not in said
    assert sandbox.edit_api_key not in said


async def test_a_bot_whose_ledger_is_unreadable_at_startup_says_so_and_exits(
    sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    async def fail(_ledger: SqliteLedger) -> list[Edit]:
        raise LedgerError("CorruptError: database disk image is malformed")

    monkeypatch.setattr(SqliteLedger, "unfinished", fail)
    with pytest.raises(
        LedgerUnusableError, match=r"malformed. Check it with `python -m bot doctor`"
    ):
        await serve(settings)
