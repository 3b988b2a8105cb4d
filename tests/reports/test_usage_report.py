"""`python -m bot usage` tells what servers spent, beside a running bot and without its secrets."""

import argparse
import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import LedgerUnusableError
from bot.domain.lifecycle import Reason
from bot.domain.quotas import OperatorLimits, Period, Window
from bot.ledger.quota_rules import Author
from bot.ledger.sqlite import SqliteStores, open_sqlite_to_read
from bot.ledger.sqlite.connection import connect_to_write
from bot.ledger.sqlite.migrations import MIGRATIONS, Migration, migrate
from bot.ledger.usage import ServerUse
from bot.reports.usage_csv import HEADER
from bot.reports.usage_report import Span, add_arguments, look_up, report
from sandbox.sandbox import Sandbox
from tests.command_line import run_bot, run_main
from tests.conftest import Events, RunningBot
from tests.images_made import make_image
from tests.members import Person
from tests.orders import order
from tests.services import hang

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""A Wednesday."""


async def deliver(
    stores: SqliteStores, edit_id: int, *, guild_id: int = 20, now: datetime = NOON, posted: int = 1
) -> None:
    """An edit of two medium pictures, of which so many are posted; none: the API declines."""
    ledger, wanted = stores.ledger, order(edit_id, guild_id=guild_id, count=2)
    await ledger.hold(wanted, limits=OperatorLimits(None), owner="test", now=now)
    await ledger.submit(edit_id, ratio="1:1", now=now)
    if posted:
        await ledger.render(edit_id, ["https://a/1.png"], now=now)
        await ledger.capture(edit_id, posted=posted, now=now)
    else:
        await ledger.void(edit_id, Reason.API_DECLINED, detail=None, now=now)


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(given)


async def reported(
    capsys: pytest.CaptureFixture[str], path: Path, *given: str
) -> tuple[int, list[list[str]]]:
    """The exit status, and the words of each line of the table."""
    status = await report(arguments(*given), lambda: open_sqlite_to_read(path), clock=lambda: NOON)
    lines = capsys.readouterr().out.splitlines()
    return status, [line.split() for line in lines if line.split() and "─" not in line]


# Which servers, and which windows.


async def test_each_server_is_summed_over_its_own_window(
    stores: SqliteStores, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await stores.quota_rules.set_period(21, Period.WEEK, Author(1, NOON))
    monday, sunday = NOON - timedelta(days=2), NOON - timedelta(days=3)
    await deliver(stores, 1)
    await deliver(stores, 2, now=monday)
    await deliver(stores, 3, guild_id=21, now=monday, posted=2)
    await deliver(stores, 4, guild_id=21, now=sunday)
    await stores.ledger.hold(
        order(5, guild_id=21), limits=OperatorLimits(None), owner="test", now=NOON
    )

    assert await reported(capsys, path) == (
        0,
        [
            ["server", "window", "edits", "pictures", "charged", "sent", "held"],
            ["20", "2026-11-25", "1", "1", "8", "16", "0"],
            ["21", "2026-11-23", "to", "2026-11-29", "1", "2", "16", "16", "8"],
            ["total", "2", "3", "24", "32", "8"],
        ],
    )


@pytest.mark.parametrize(
    ("span", "window", "edits"),
    [
        (Span.THIS, Window(date(2026, 11, 25), date(2026, 11, 26)), 1),
        (Span.LAST, Window(date(2026, 11, 24), date(2026, 11, 25)), 2),
        (Span.ALL, None, 4),
    ],
)
async def test_a_window_is_this_one_or_the_last_or_all_there_ever_was(
    stores: SqliteStores, span: Span, window: Window | None, edits: int
) -> None:
    for edit_id, days in enumerate((0, 1, 1, 400), 1):
        await deliver(stores, edit_id, now=NOON - timedelta(days=days))
    (use,) = await look_up(stores.usage, None, span, NOON)
    assert (use.window, use.edits, use.charged, use.sent) == (window, edits, 8 * edits, 16 * edits)


async def test_what_the_api_surely_refused_is_neither_charged_nor_sent(
    stores: SqliteStores,
) -> None:
    await deliver(stores, 1, posted=0)
    assert await look_up(stores.usage, 20, Span.ALL, NOON) == [
        ServerUse(20, None, edits=0, images=0, charged=0, sent=0, held=0)
    ]


async def test_one_server_alone_is_reported(
    stores: SqliteStores, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await deliver(stores, 1)
    await deliver(stores, 2, guild_id=21)
    status, (_, *rows) = await reported(capsys, path, "--guild", "21")
    assert (status, [row[0] for row in rows]) == (0, ["21", "total"])


async def test_a_server_of_which_nothing_is_known_is_told_so(
    stores: SqliteStores, path: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await deliver(stores, 1)
    file = tmp_path / "edits.csv"
    options = arguments("--guild", "99", "--csv", str(file))
    assert await report(options, lambda: open_sqlite_to_read(path)) == 1
    said = capsys.readouterr()
    assert said.err == "Nothing was ever held or granted in a server with the id 99.\n"
    assert said.out == ""
    assert not file.exists()


async def test_a_ledger_without_edits_is_reported_with_nothing_in_it(
    stores: SqliteStores, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await reported(capsys, path) == (
        0,
        [
            ["server", "window", "edits", "pictures", "charged", "sent", "held"],
            ["total", "0", "0", "0", "0", "0"],
        ],
    )


@pytest.mark.parametrize(
    "given",
    [
        ["--window", "next"],
        ["--window", ""],
        ["--guild", "mine"],
        ["--guild", "-1"],
        ["--guild", "0"],
        ["--guild", str(2**63)],
        ["this"],
    ],
)
def test_another_word_ends_with_status_2(
    given: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(*given)
    assert ended.value.code == 2
    assert given[-1] in capsys.readouterr().err


# Rows.


async def test_the_rows_are_those_of_the_servers_and_windows_that_the_table_shows(
    stores: SqliteStores, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await stores.quota_rules.set_period(21, Period.WEEK, Author(1, NOON))
    monday = NOON - timedelta(days=2)
    await deliver(stores, 1)
    await deliver(stores, 2, now=monday)
    await deliver(stores, 3, guild_id=21, now=monday, posted=0)
    await stores.archive.erase(20, 40)
    file = tmp_path / "edits.csv"

    status, lines = await reported(capsys, path, "--csv", str(file))

    assert (status, lines[-1]) == (0, ["2", "rows", "in", str(file)])
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    assert [(row["edit_id"], row["member_name"], row["state"]) for row in rows] == [
        ("1", "", "delivered"),
        ("3", "Ada", "declined"),
    ]


async def test_a_file_that_cannot_be_written_is_named(
    stores: SqliteStores, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "nowhere" / "edits.csv"
    options = arguments("--csv", str(file))
    assert await report(options, lambda: open_sqlite_to_read(path)) == 1
    assert f"{file} can't be written: " in capsys.readouterr().err


# What is no ledger of this version.


def build(path: Path, *migrations: Migration) -> None:
    connection = connect_to_write(path)
    migrate(connection, migrations=migrations)
    connection.close()


@pytest.mark.parametrize(
    ("migrations", "version"),
    [
        (MIGRATIONS[:1], 1),
        ((*MIGRATIONS, Migration("later", ("CREATE TABLE later (x)",))), len(MIGRATIONS) + 1),
    ],
    ids=["older", "newer"],
)
async def test_a_ledger_of_another_version_is_not_read(
    path: Path, migrations: tuple[Migration, ...], version: int
) -> None:
    build(path, *migrations)
    with pytest.raises(LedgerUnusableError, match=f"has version {version}, and this program reads"):
        async with open_sqlite_to_read(path):
            pass


async def test_reading_makes_no_database_where_there_is_none(path: Path) -> None:
    with pytest.raises(LedgerUnusableError, match="There is no database"):
        async with open_sqlite_to_read(path):
            pass
    assert list(path.parent.iterdir()) == []


async def test_a_file_that_is_no_ledger_is_not_read(path: Path) -> None:
    path.write_bytes(b"dear diary, " * 1000)
    with pytest.raises(LedgerUnusableError, match="can't be read"):
        async with open_sqlite_to_read(path):
            pass
    connection = connect_to_write(path.with_name("other.db"))
    connection.close()
    with pytest.raises(LedgerUnusableError, match="no such table"):
        async with open_sqlite_to_read(path.with_name("other.db")):
            pass


# The program, beside a bot.


async def test_it_reads_the_ledger_of_a_bot_that_runs_and_needs_no_token(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, tmp_path: Path
) -> None:
    sandbox.edit_api.answer_with([make_image(width=64, height=48)])
    edit = await ada.edit(count=2, quality="low")
    await events.logs("edit.closed", edit=str(edit.id))
    called = hang(sandbox)
    under_way = await ada.edit()
    await sandbox.edit_api.called(times=2)
    guild_id = str(ada.member.guild.id)

    ended = await run_bot(
        tmp_path,
        f"sqlite:///{bot.settings.database}",
        "usage",
        "--guild",
        guild_id,
        "--window",
        "all",
    )

    assert (ended.status, ended.errors) == (0, "")
    rows = [line.split() for line in ended.output.decode().splitlines()]
    assert [guild_id, "all", "1", "2", "8", "8", "8"] in rows
    called.release()
    await events.logs("edit.closed", edit=str(under_way.id))
    assert ada.account() == (0, 16)


async def test_the_rows_alone_go_to_standard_output(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, tmp_path: Path
) -> None:
    sandbox.edit_api.answer_with([make_image(width=64, height=48)])
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))

    ended = await run_bot(tmp_path, f"sqlite:///{bot.settings.database}", "usage", "--csv", "-")

    assert (ended.status, ended.errors) == (0, "")
    header, row, rest = ended.output.decode("utf-8-sig").split("\r\n")
    assert header == HEADER
    assert row.split(",")[1:4] == [str(edit.id), str(ada.member.id), "Ada"]
    assert rest == ""


@pytest.mark.parametrize(
    ("database", "given", "status", "said"),
    [
        ("sqlite:///{}/none.db", [], 1, "There is no database"),
        ("mysql://{}/none.db", [], 2, "DATABASE_URL is"),
        ("sqlite:///{}/none.db", ["--window", "next"], 2, "invalid choice: 'next'"),
    ],
    ids=["no database", "another engine", "another word"],
)
async def test_what_is_wrong_is_said_with_an_exit_status(
    tmp_path: Path, database: str, given: Sequence[str], status: int, said: str
) -> None:
    ended = await run_main(tmp_path, database.format(tmp_path), "usage", *given)
    assert (ended.status, ended.output) == (status, b"")
    assert said in ended.errors
    assert "Traceback" not in ended.errors
