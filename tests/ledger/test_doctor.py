"""`python -m bot doctor` says ok of a ledger that is right, and names each row that is not."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from bot.domain.lifecycle import Reason
from bot.domain.quotas import OperatorLimits
from bot.ledger.sqlite import examine_sqlite, open_sqlite
from bot.ledger.sqlite.connection import Value, rows
from sandbox.sandbox import Sandbox
from tests.command_line import Ended, run_bot, run_main
from tests.conftest import Events, StartBot
from tests.invariants import find_contradictions, find_overrun
from tests.members import Person
from tests.orders import order

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("small_results")


async def examine(
    database: Path, run: Callable[[Path, str, str], Awaitable[Ended]] = run_main
) -> tuple[int, list[str]]:
    """The exit status of `python -m bot doctor`, and the lines that it printed."""
    ended = await run(database.parent, f"sqlite:///{database}", "doctor")
    return ended.status, [*ended.output.decode().splitlines(), *ended.errors.splitlines()]


async def make_ledger(path: Path) -> None:
    """One edit in each state: 1 held, 2 submitted, 3 rendered, 4 delivered, 5 failed."""
    async with open_sqlite(path) as stores:
        for edit_id in range(1, 6):
            await stores.ledger.hold(
                order(edit_id, count=2), limits=OperatorLimits(None), owner="test", now=NOW
            )
        for edit_id in range(2, 6):
            await stores.ledger.submit(edit_id, ratio="1:1", now=NOW)
        for edit_id in (3, 4):
            await stores.ledger.render(edit_id, ["https://a/1.png"], now=NOW)
        await stores.ledger.capture(4, posted=1, now=NOW)
        await stores.ledger.void(5, Reason.API_FAILED, detail=None, now=NOW)


def meddle(database: Path, statement: str, **values: Value) -> None:
    """Change rows as no bot would."""
    connection = apsw.Connection(str(database))
    rows(connection, "PRAGMA ignore_check_constraints = ON")
    rows(connection, statement, **values)
    connection.close()


async def test_a_ledger_that_is_right_is_ok_with_edits_in_every_state(tmp_path: Path):
    database = tmp_path / "bot.db"
    await make_ledger(database)
    assert await examine(database) == (0, ["ok"])


BROKEN = [
    ("DELETE FROM edit_token WHERE edit_id = 2", "edit 2: is submitted, but its interaction"),
    (
        "UPDATE edit_private SET source_edit_id = 5 WHERE edit_id = 4",
        "edit 4: has ended, but still has",
    ),
    ("UPDATE account SET held = held - 8 WHERE member_id = 40", "member 40, 2026-11-25: held"),
    ("UPDATE account SET spent = spent + 1 WHERE member_id = 40", "member 40, 2026-11-25: held"),
    ("UPDATE account SET sent = sent + 1 WHERE member_id = 40", "member 40, 2026-11-25: held"),
    ("UPDATE account SET held = 0 WHERE member_id = 0 AND guild_id = 20", "server 20, member 0"),
    ("UPDATE account SET spent = 0 WHERE member_id = 0 AND guild_id = 20", "server 20, member 0"),
    ("UPDATE account SET sent = 0 WHERE member_id = 0 AND guild_id = 20", "server 20, member 0"),
    ("UPDATE account SET held = held + 1 WHERE guild_id = 0", "server 0, member 0"),
    ("UPDATE account SET spent = spent + 1 WHERE guild_id = 0", "server 0, member 0"),
    ("UPDATE account SET sent = sent + 1 WHERE guild_id = 0", "server 0, member 0"),
    ("INSERT INTO account VALUES (21, 40, '2026-11-25', 0, 8, 0, 0)", "server 21, member 40"),
    ("INSERT INTO account VALUES (21, 40, '2026-11-25', 0, 0, 8, 0)", "server 21, member 40"),
    ("INSERT INTO account VALUES (21, 40, '2026-11-25', 0, 0, 0, 8)", "server 21, member 40"),
    ("DELETE FROM account WHERE member_id = 40", "has no account for server 20, member 40"),
    (
        "DELETE FROM account WHERE member_id = 0 AND guild_id = 20",
        "edit 3: has no account for server 20, member 0",
    ),
    ("DELETE FROM account WHERE guild_id = 0", "edit 3: has no account for server 0, member 0"),
    ("UPDATE edit SET charged = 16 WHERE id = 4", "edit 4: is delivered, was charged 16 for 1"),
    ("UPDATE edit SET posted = 3, charged = 24 WHERE id = 4", "edit 4: is delivered, was charged"),
    ("UPDATE edit SET posted = 0, charged = 0 WHERE id = 4", "edit 4: is delivered, was charged 0"),
    ("UPDATE edit SET posted = 1, charged = 8 WHERE id = 5", "edit 5: is failed, was charged 8"),
    ("DELETE FROM edit_private WHERE edit_id = 1", "edit 1: is held, but the data"),
    ("DELETE FROM edit_private WHERE edit_id = 2", "edit 2: is submitted, but the data"),
    ("DELETE FROM edit_private WHERE edit_id = 3", "edit 3: is rendered, but the data"),
    ("INSERT INTO edit_token VALUES (4, 't')", "edit 4: was delivered, but still has its"),
    ("INSERT INTO edit_token VALUES (9, 't')", "edit_token: row 9 refers to a missing row of edit"),
    (
        "INSERT INTO edit_private VALUES (9, '', '', '', '', NULL, '[]', '[]', 0, 0, NULL)",
        "edit_private: row 9 refers to a missing row of edit",
    ),
    ("UPDATE edit SET reason = 'api_failed' WHERE id = 1", "CHECK constraint failed in edit"),
]
"""What no bot does to `make_ledger`'s rows, and what the doctor says of it."""


@pytest.mark.parametrize(("statement", "said"), BROKEN)
async def test_each_broken_row_is_named(tmp_path: Path, statement: str, said: str):
    database = tmp_path / "bot.db"
    await make_ledger(database)
    meddle(database, statement)
    lines = await examine_sqlite(database)
    assert any(said in line for line in lines), lines


@pytest.mark.parametrize(
    "statement",
    [
        *(statement for statement, _ in BROKEN),
        "UPDATE edit SET reason = NULL WHERE id = 5",
        "UPDATE edit SET reason = 'expired' WHERE id = 5",
        "UPDATE edit SET state = 'expired', reason = 'expired' WHERE id = 5",
        "UPDATE edit SET ended_at = 1 WHERE id = 1",
        "UPDATE edit SET ended_at = NULL WHERE id = 4",
        "UPDATE edit SET submitted_at = 1 WHERE id = 1",
        "UPDATE edit SET submitted_at = NULL WHERE id = 2",
        "UPDATE edit SET rendered_at = NULL WHERE id = 3",
        "UPDATE edit SET price = 4 WHERE id = 1",
        "UPDATE account SET granted = 100 WHERE member_id = 0 AND guild_id = 20",
    ],
)
async def test_the_tests_own_model_finds_it_without_the_doctor(tmp_path: Path, statement: str):
    database = tmp_path / "bot.db"
    await make_ledger(database)
    assert find_contradictions(database) == []
    meddle(database, statement)
    assert find_contradictions(database) != []


async def test_the_tests_own_model_finds_a_quota_that_is_overrun(tmp_path: Path):
    database = tmp_path / "bot.db"
    await make_ledger(database)
    assert find_overrun(database, 56) == []
    assert find_overrun(database, 55) == [((20, 40, "2026-11-25"), 56)]
    meddle(database, "UPDATE account SET granted = 1 WHERE member_id = 40")
    assert find_overrun(database, 55) == []


async def test_what_is_broken_is_printed_with_status_1(tmp_path: Path):
    database = tmp_path / "bot.db"
    await make_ledger(database)
    meddle(database, "UPDATE account SET spent = 0 WHERE member_id = 40")
    status, (line,) = await examine(database)
    assert status == 1
    assert line == (
        "account of server 20, member 40, 2026-11-25: held 48, spent 0, sent 32; "
        "by its edits held 48, spent 8, sent 32"
    )


async def test_a_file_that_is_damaged_is_told_with_status_1(tmp_path: Path):
    database = tmp_path / "bot.db"
    await make_ledger(database)
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 12] = b"\x5a" * (4096 * 9)
    database.write_bytes(content)
    status, lines = await examine(database)
    assert status == 1
    assert any("malformed" in line or "SQLite finds" in line for line in lines), lines


async def test_where_there_is_no_ledger_none_is_made(tmp_path: Path):
    status, (line,) = await examine(tmp_path / "bot.db")
    assert status == 1
    assert line.startswith(f"There is no database {tmp_path / 'bot.db'}. Start the bot once")
    assert list(tmp_path.iterdir()) == []


async def test_it_runs_beside_the_bot(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot()
    await (await ada.edit()).settled()
    await events.logs("edit.closed")
    assert await examine(bot.settings.database, run_bot) == (0, ["ok"])
