"""What only the SQLite store can get wrong: its file, its lock, its transactions."""

import asyncio
import os
import random
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from bot.errors import LedgerFault, LedgerInUse, LedgerUnusable
from bot.ledger import Held
from bot.ledger.sqlite import open_sqlite
from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.ledger.sqlite.edits import SqliteLedger
from bot.ledger.sqlite.migrations import MIGRATIONS, Migration, migrate, version_of
from bot.ledger.sqlite.writer import Writer
from bot.quotas import OperatorLimits
from bot.states import Reason
from tests.orders import TOKEN, order

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
        with pytest.raises(LedgerInUse, match=f"Process {os.getpid()} "):
            async with open_sqlite(path):
                pass
    async with open_sqlite(path):
        pass


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    connection = connect_to_write(path)
    migrate(connection, migrations=(*MIGRATIONS, Migration("later", ("CREATE TABLE later (x)",))))
    connection.close()

    with pytest.raises(LedgerUnusable, match="start a newer version of the program"):
        async with open_sqlite(path):
            pass

    connection = connect_to_write(path)
    assert version_of(connection) == len(MIGRATIONS) + 1
    connection.close()


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"dear diary, " * 1000)
    with pytest.raises(LedgerUnusable, match="DATABASE_URL"):
        async with open_sqlite(path):
            pass
    assert path.read_bytes() == b"dear diary, " * 1000


def test_a_migration_that_fails_leaves_neither_a_change_nor_its_record(path: Path) -> None:
    connection = connect_to_write(path)
    broken = Migration("broken", ("CREATE TABLE half (x)", "CREATE TABLE half (x)"))
    with pytest.raises(apsw.SQLError):
        migrate(connection, migrations=(*MIGRATIONS, broken))
    assert version_of(connection) == len(MIGRATIONS)
    assert rows(connection, "SELECT name FROM sqlite_master WHERE name = 'half'") == []
    connection.close()


async def test_no_byte_of_an_erased_token_stays_in_any_file_after_the_bot_stopped(
    path: Path,
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

    async with open_sqlite(path) as stores:
        ledger = stores.ledger
        await asyncio.gather(*map(hold, edit_ids))
        await asyncio.gather(*(end(each) for each in edit_ids if each not in still_open))

    found = b"".join(file.read_bytes() for file in path.parent.iterdir())
    named = {int(edit_id) for edit_id in re.findall(rf"{TOKEN}-(\d+)-".encode(), found)}
    assert named == still_open


async def test_work_that_fails_takes_nothing_else_of_its_transaction_with_it(path: Path) -> None:
    connection = connect_to_write(path)
    rows(connection, "CREATE TABLE number (value INTEGER CHECK (value < 10)) STRICT")
    writer = Writer(connection)

    async def insert(value: int) -> None:
        await writer.run(lambda each: rows(each, "INSERT INTO number VALUES ($1)", value))

    outcomes = await asyncio.gather(*map(insert, (1, 20, 3)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [type(None), LedgerFault, type(None)]
    assert rows(connection, "SELECT value FROM number") == [(1,), (3,)]
    await writer.close()
    connection.close()


async def test_a_ledger_locked_by_another_process_says_so_and_goes_on_later(path: Path) -> None:
    async with open_sqlite(path, patience=50) as stores:
        ledger = stores.ledger
        shell = connect_to_write(path)
        rows(shell, "BEGIN IMMEDIATE")

        with pytest.raises(LedgerFault, match="BusyError"):
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
