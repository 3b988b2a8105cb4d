"""What only the SQLite store can get wrong: its file, its lock, its transactions."""

import asyncio
import gc
import os
import random
import re
import stat
import sys
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from bot.domain.edits import Held
from bot.domain.errors import LedgerError, LedgerInUseError, LedgerUnusableError
from bot.domain.lifecycle import Reason
from bot.domain.quotas import OperatorLimits
from bot.ledger.sqlite import open_sqlite
from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.ledger.sqlite.edits import SqliteLedger
from bot.ledger.sqlite.integrity import PROGRESS_STEPS, check_integrity
from bot.ledger.sqlite.migrations import MIGRATIONS, Migration, migrate, version_of
from bot.ledger.sqlite.writer import Writer
from tests.orders import TOKEN, order
from tests.store_faults import VFS, disk_put_in, locked_by_a_process, on_linux

LIMITS = OperatorLimits(80)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
async def ledger(path: Path) -> AsyncGenerator[SqliteLedger]:
    async with open_sqlite(path) as stores:
        yield stores.ledger


async def test_what_was_held_is_there_after_the_file_was_opened_again(path: Path) -> None:
    async with open_sqlite(path) as stores:
        await stores.ledger.hold(order(1), limits=LIMITS, owner="first", now=NOON)
    async with open_sqlite(path) as stores:
        assert [edit.order for edit in await stores.ledger.unfinished()] == [order(1)]


def test_commits_reach_the_disk_and_what_is_erased_is_overwritten(path: Path) -> None:
    connection = connect_to_write(path)
    pragmas = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
    assert [rows(connection, f"PRAGMA {name}")[0][0] for name in pragmas] == ["wal", 2, 1, 1]
    connection.close()


async def test_a_second_process_is_told_which_one_has_the_database(path: Path) -> None:
    async with open_sqlite(path):
        with pytest.raises(LedgerInUseError, match=f"Process {os.getpid()} "):
            async with open_sqlite(path):
                pass
    async with open_sqlite(path):
        pass


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    connection = connect_to_write(path)
    migrate(connection, migrations=(*MIGRATIONS, Migration("later", ("CREATE TABLE later (x)",))))
    connection.close()

    with pytest.raises(LedgerUnusableError, match="start a newer version of the program"):
        async with open_sqlite(path):
            pass

    connection = connect_to_write(path)
    assert version_of(connection) == len(MIGRATIONS) + 1
    connection.close()


def fill(path: Path, *, edits: int = 400) -> None:
    """Make a ledger of some pages, whose bot has stopped."""

    async def hold_all() -> None:
        async with open_sqlite(path) as stores:
            await asyncio.gather(
                *(
                    stores.ledger.hold(
                        order(edit_id, member_id=edit_id), limits=LIMITS, owner="test", now=NOON
                    )
                    for edit_id in range(1, 1 + edits)
                )
            )

    asyncio.run(hold_all())


def overwrite(path: Path, begin: int, data: bytes) -> None:
    """Put bytes over others."""
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(data)


def log_of(path: Path) -> Path:
    """Where SQLite keeps what was written to a database last."""
    return path.with_name(f"{path.name}-wal")


def leave_log(path: Path) -> None:
    """Write something to a database, and leave it as after a crash."""
    connection = connect_to_write(path)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    rows(connection, "UPDATE edit_private SET prompt = 'make it red'")
    connection.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"dear diary, " * 1000)


def garbage_for_a_header(path: Path) -> None:
    fill(path)
    overwrite(path, 0, random.Random(1).randbytes(100))


def garbage_for_settings(path: Path) -> None:
    """Behind the words that say that it is a database."""
    fill(path)
    overwrite(path, 16, random.Random(1).randbytes(84))


def garbage_in_the_middle(path: Path) -> None:
    fill(path)
    overwrite(path, path.stat().st_size // 2, random.Random(1).randbytes(9_000))


def garbage_at_the_end_beside_a_log(path: Path) -> None:
    fill(path)
    connection = connect_to_write(path)
    # A table that no command reads, lest its pages are in the log.
    rows(connection, "CREATE TABLE old AS SELECT * FROM edit")
    connection.close()
    overwrite(path, path.stat().st_size - 4096, random.Random(1).randbytes(4096))
    leave_log(path)


def cut_off(path: Path) -> None:
    fill(path)
    os.truncate(path, path.stat().st_size // 2)


def cut_off_within_its_header(path: Path) -> None:
    fill(path)
    os.truncate(path, 50)


def cut_off_at_once(path: Path) -> None:
    fill(path)
    leave_log(path)
    os.truncate(path, 0)


def gone_but_for_its_log(path: Path) -> None:
    fill(path)
    leave_log(path)
    path.unlink()


def garbage_for_a_log(path: Path) -> None:
    fill(path)
    log_of(path).write_bytes(random.Random(1).randbytes(9_000))


def log_of_another_ledger(path: Path) -> None:
    fill(path)
    other = path.with_name("other.db")
    fill(other, edits=200)
    leave_log(other)
    log_of(other).rename(log_of(path))
    other.unlink()


def a_folder(path: Path) -> None:
    path.mkdir()


def another_programs(path: Path) -> None:
    connection = apsw.Connection(str(path))
    rows(connection, "CREATE TABLE song (title TEXT)")
    connection.close()


def log_of_another_program(path: Path) -> None:
    fill(path)
    other = path.with_name("other.db")
    connection = connect_to_write(other)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    rows(connection, "CREATE TABLE song (title TEXT)")
    connection.close()
    log_of(other).rename(log_of(path))
    other.unlink()


RESTORE = "replace it with an intact copy"


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (no_database, f"not a database: {RESTORE}"),
        (garbage_for_a_header, f"not a database: {RESTORE}"),
        (garbage_for_settings, RESTORE),
        (garbage_in_the_middle, f"damaged .*: {RESTORE}"),
        (garbage_at_the_end_beside_a_log, f"damaged .*: {RESTORE}"),
        (cut_off, RESTORE),
        (cut_off_within_its_header, RESTORE),
        (cut_off_at_once, "missing or empty, and bot.db-wal .*: put it back"),
        (gone_but_for_its_log, "missing or empty, and bot.db-wal .*: put it back"),
        (garbage_for_a_log, f"bot.db-wal, .*, is damaged: {RESTORE}"),
        (log_of_another_ledger, RESTORE),
        (log_of_another_program, "another program: move it away"),
        (a_folder, "give the bot write access"),
        (another_programs, "another program: move it away"),
    ],
)
def test_a_file_that_is_no_sound_ledger_is_refused_with_what_to_do_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], advice: str
) -> None:
    spoil(path)
    files = {each: each.read_bytes() for each in (path, log_of(path)) if each.is_file()}

    async def use() -> None:
        async with open_sqlite(path):
            pass

    # Only what comes into being from here on is looked through for what may write at its end.
    gc.freeze()
    try:
        with pytest.raises(LedgerUnusableError, match=f"{advice}.* DATABASE_URL") as refused:
            asyncio.run(use())
        assert str(path) in str(refused.value)
        gc.collect()
    finally:
        gc.unfreeze()
    assert {each: each.read_bytes() for each in files} == files
    assert path.exists() or path not in files


def test_a_sound_ledger_that_a_crash_left_is_taken_with_all_that_was_written(path: Path) -> None:
    fill(path, edits=1)
    leave_log(path)

    async def find() -> str:
        async with open_sqlite(path) as stores:
            (edit,) = await stores.ledger.unfinished()
            return edit.order.prompt

    assert asyncio.run(find()) == "make it red"


@pytest.mark.parametrize("left", [b"", bytes(5_000)], ids=["empty", "zeros"])
def test_a_log_whose_beginning_a_crash_kept_from_the_disk_is_none(path: Path, left: bytes) -> None:
    fill(path, edits=1)
    log_of(path).write_bytes(left)

    async def count() -> int:
        async with open_sqlite(path) as stores:
            return len(await stores.ledger.unfinished())

    assert asyncio.run(count()) == 1


async def test_a_file_too_large_to_check_in_time_is_accepted(path: Path) -> None:
    await asyncio.to_thread(fill, path)
    check_integrity(path, timeout_s=-1)
    async with open_sqlite(path) as stores:
        assert len(await stores.ledger.unfinished()) == 400


def test_a_slow_disk_does_not_make_the_check_longer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect_to_write(path)
    migrate(connection)
    rows(connection, _MANY_ACCOUNTS)
    connection.close()
    assert path.stat().st_size > 1_000 * 4_096

    def connect(path: Path) -> apsw.Connection:
        return apsw.Connection(str(path), vfs=VFS)

    monkeypatch.setattr("bot.ledger.sqlite.integrity.connect_to_examine", connect)
    with disk_put_in() as disk:
        check_integrity(path, timeout_s=-1)
    assert disk.done.count(f"read {path.name}") < 2 * PROGRESS_STEPS


_MANY_ACCOUNTS = """
INSERT INTO account (guild_id, member_id, day)
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 200000)
SELECT n, n, '2026-11-25' FROM number
"""


async def test_a_file_that_can_only_be_read_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(fill, path)

    def connect(path: Path, *, busy_timeout_ms: int) -> apsw.Connection:
        connection = apsw.Connection(
            f"{path.as_uri()}?mode=ro",
            flags=apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE,
        )
        connection.set_busy_timeout(busy_timeout_ms)
        return connection

    monkeypatch.setattr("bot.ledger.sqlite.connect_to_write", connect)
    with pytest.raises(LedgerUnusableError, match="read-only: give the bot write access"):
        async with open_sqlite(path):
            pass


@on_linux
async def test_a_full_disk_is_told_at_the_start(path: Path) -> None:
    path.with_name("bot.db.lock").symlink_to("/dev/full")
    with pytest.raises(LedgerUnusableError, match=r"bot\.db\.lock can't be written: .*Free up"):
        async with open_sqlite(path):
            pass


async def test_a_file_that_another_process_keeps_is_refused(path: Path) -> None:
    await asyncio.to_thread(fill, path)
    async with locked_by_a_process(path):
        with pytest.raises(LedgerUnusableError, match="is locked: close the other program"):
            async with open_sqlite(path, busy_timeout_ms=1):
                pass


def test_a_migration_that_fails_leaves_neither_a_change_nor_its_record(path: Path) -> None:
    connection = connect_to_write(path)
    broken = Migration("broken", ("CREATE TABLE half (x)", "CREATE TABLE half (x)"))
    with pytest.raises(apsw.SQLError):
        migrate(connection, migrations=(*MIGRATIONS, broken))
    assert version_of(connection) == len(MIGRATIONS)
    assert rows(connection, "SELECT name FROM sqlite_master WHERE name = 'half'") == []
    connection.close()


@pytest.mark.parametrize("too_large", [False, True], ids=["small", "too large to vacuum"])
async def test_no_byte_of_an_erased_token_stays_in_any_file_after_the_bot_stopped(
    path: Path, *, too_large: bool
) -> None:
    # Of many lengths and in no order, so that SQLite moves rows from page to page.
    chance = random.Random(1)
    edit_ids = chance.sample(range(1, 2_000), 1_999)
    still_open = set(edit_ids[::25])
    repeats = {edit_id: chance.choice((3, 4, 25, 60)) for edit_id in edit_ids}

    async def hold(edit_id: int) -> None:
        token = f"{TOKEN}-{edit_id}-" * repeats[edit_id]
        wanted = order(edit_id, member_id=edit_id, token=token)
        await ledger.hold(wanted, limits=LIMITS, owner="test", now=NOON)

    async def end(edit_id: int) -> None:
        await ledger.void(edit_id, Reason.API_FAILED, detail=None, now=NOON)
        await ledger.forget_token(edit_id)

    async with open_sqlite(path, max_vacuum_bytes=0 if too_large else 2**30) as stores:
        ledger = stores.ledger
        await asyncio.gather(*map(hold, edit_ids))
        await asyncio.gather(*(end(each) for each in edit_ids if each not in still_open))

    found = b"".join(file.read_bytes() for file in path.parent.iterdir())
    named = {int(edit_id) for edit_id in re.findall(rf"{TOKEN}-(\d+)-".encode(), found)}
    assert named == still_open


async def test_a_stop_closes_the_file_where_tokens_cannot_be_rewritten(path: Path) -> None:
    async with open_sqlite(path, busy_timeout_ms=50):
        shell = connect_to_write(path)
        rows(shell, "BEGIN IMMEDIATE")
    rows(shell, "ROLLBACK")
    shell.close()
    async with open_sqlite(path) as stores:
        assert isinstance(
            await stores.ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON), Held
        )


async def test_work_that_fails_takes_nothing_else_of_its_transaction_with_it(path: Path) -> None:
    connection = connect_to_write(path)
    rows(connection, "CREATE TABLE number (value INTEGER CHECK (value < 10)) STRICT")
    writer = Writer(connection)

    async def insert(value: int) -> None:
        await writer.run(lambda each: rows(each, "INSERT INTO number VALUES (:value)", value=value))

    outcomes = await asyncio.gather(*map(insert, (1, 20, 3)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [type(None), LedgerError, type(None)]
    assert rows(connection, "SELECT value FROM number") == [(1,), (3,)]
    await writer.close()
    connection.close()


async def test_a_transaction_that_cannot_even_be_rolled_back_does_not_end_the_writer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect_to_write(path)
    rows(connection, "CREATE TABLE number (value INTEGER) STRICT")
    writer = Writer(connection)
    failing = ["ROLLBACK", "COMMIT"]

    def fail(connection: apsw.Connection, statement: str) -> list[tuple[Any, ...]]:
        if failing and statement == failing[-1]:
            raise apsw.IOError(f"{failing.pop()} failed")
        return rows(connection, statement)

    monkeypatch.setattr("bot.ledger.sqlite.writer.rows", fail)

    async def insert(value: int) -> None:
        async with asyncio.timeout(5):
            await writer.run(
                lambda each: rows(each, "INSERT INTO number VALUES (:value)", value=value)
            )

    for value in (1, 2):
        with pytest.raises(LedgerError):
            await insert(value)
    await insert(3)
    assert rows(connection, "SELECT value FROM number") == [(3,)]
    await writer.close()
    connection.close()


async def test_a_ledger_locked_by_another_process_says_so_and_goes_on_later(path: Path) -> None:
    async with open_sqlite(path, busy_timeout_ms=50) as stores:
        ledger = stores.ledger
        shell = connect_to_write(path)
        rows(shell, "BEGIN IMMEDIATE")

        with pytest.raises(LedgerError, match="BusyError"):
            await ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)

        rows(shell, "ROLLBACK")
        shell.close()
        held = await ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)
        assert isinstance(held, Held)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account SET held = -1",
        "UPDATE account SET spent = -1",
        "UPDATE edit SET charged = 5",
        "UPDATE edit SET posted = 1, charged = price",
        "UPDATE edit SET state = 'delivered'",
        "UPDATE edit SET state = 'rendered'",
        "UPDATE edit SET state = 'paid'",
        "UPDATE edit SET state = 'failed', ended_at = 1",
        "UPDATE edit SET count = 9",
        "DELETE FROM account",
    ],
)
async def test_the_database_itself_refuses_what_can_never_be_true(
    ledger: SqliteLedger, path: Path, statement: str
) -> None:
    await ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)
    shell = connect_to_write(path)
    with pytest.raises(apsw.ConstraintError):
        rows(shell, statement)
    shell.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("existed", [False, True])
async def test_nobody_but_the_owner_can_read_the_ledger(path: Path, *, existed: bool) -> None:
    if existed:
        async with open_sqlite(path):
            pass
        path.chmod(0o644)
    before = os.umask(0o022)
    try:
        async with open_sqlite(path) as stores:
            await stores.ledger.unfinished()
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) == {"bot.db", "bot.db-wal", "bot.db-shm", "bot.db.lock"}
    assert set(modes.values()) == {0o600}
