"""The ledger on one machine: SQLite through apsw, which brings its own, newest SQLite."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from bot.domain.errors import LedgerError, LedgerUnusableError
from bot.ledger.sqlite.archive import SqliteArchive
from bot.ledger.sqlite.connection import (
    BUSY_MILLISECONDS,
    connect_to_examine,
    connect_to_read,
    connect_to_write,
    rows,
)
from bot.ledger.sqlite.database import Database, Reader
from bot.ledger.sqlite.drafts import SqliteDraftBook
from bot.ledger.sqlite.edits import SqliteLedger, rewrite_tokens
from bot.ledger.sqlite.integrity import RESTORE, check_integrity
from bot.ledger.sqlite.invariants import find_broken_rows
from bot.ledger.sqlite.lock import only_process
from bot.ledger.sqlite.migrations import MIGRATIONS, migrate, version_of
from bot.ledger.sqlite.quota_rules import SqliteQuotaRules
from bot.ledger.sqlite.usage import SqliteUsageBook


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """Everything that one database keeps."""

    ledger: SqliteLedger
    quota_rules: SqliteQuotaRules
    usage: SqliteUsageBook
    archive: SqliteArchive
    drafts: SqliteDraftBook


@asynccontextmanager
async def open_sqlite(
    path: Path, *, patience: int = BUSY_MILLISECONDS
) -> AsyncGenerator[SqliteStores]:
    """Open the database in the file `path`, made where there is none, for this process alone.

    A statement waits `patience` milliseconds for another process's transaction.

    Raises:
        LedgerInUse: another process has it.
        LedgerUnusable: it cannot be opened, is no database, or is of a newer version.
    """
    path = await asyncio.to_thread(_prepare_folder, path)
    with only_process(path):
        connection = await asyncio.to_thread(_connect_and_migrate, path, patience)
        database = await asyncio.to_thread(Database, path, connection)
        try:
            yield SqliteStores(
                ledger=SqliteLedger(database),
                quota_rules=SqliteQuotaRules(database),
                usage=SqliteUsageBook(database.reporter),
                archive=SqliteArchive(database),
                drafts=SqliteDraftBook(database),
            )
        finally:
            with contextlib.suppress(LedgerError):
                await database.write(rewrite_tokens)
            await database.close()


@asynccontextmanager
async def open_sqlite_to_read(path: Path) -> AsyncGenerator[SqliteUsageBook]:
    """Open what was spent, of a database that a bot may have open, and change nothing.

    Raises:
        LedgerUnusable: there is no database, it is none, or it is of another version.
    """
    async with _reading(path, connect_to_read) as reader:
        yield SqliteUsageBook(reader)


async def examine_sqlite(path: Path) -> list[str]:
    """One sentence for each row that breaks an invariant, of a database that a bot may have open.

    Raises:
        LedgerUnusable: there is no database, it is none, or it is of another version.
        LedgerFault: it cannot be read to its end.
    """
    async with _reading(path, connect_to_examine) as reader:
        return await reader.run(lambda connection: list(find_broken_rows(connection)))


@asynccontextmanager
async def _reading(
    path: Path, connect: Callable[[Path], apsw.Connection]
) -> AsyncGenerator[Reader]:
    """Read a database that is there, and of this version."""
    reader = await asyncio.to_thread(_open_reader, path, connect)
    try:
        await _check_version(path, reader)
        yield reader
    finally:
        await reader.close()


def _open_reader(path: Path, connect: Callable[[Path], apsw.Connection]) -> Reader:
    if not path.exists():
        raise LedgerUnusableError(
            f"There is no database {path}. Start the bot once, or name its own in DATABASE_URL."
        )
    try:
        return Reader(connect(path), "ledger-reader")
    except apsw.Error as fault:
        raise LedgerUnusableError(f"The database {path} cannot be opened: {fault}.") from fault


async def _check_version(path: Path, reader: Reader) -> None:
    try:
        version = await reader.run(version_of)
    except LedgerError as fault:
        raise LedgerUnusableError(
            f"The database {path} cannot be read: {fault}. Name the bot's own in DATABASE_URL."
        ) from fault
    if version != len(MIGRATIONS):
        raise LedgerUnusableError(
            f"The database {path} is of version {version} and this program reads version "
            f"{len(MIGRATIONS)}: start the newest version of the bot on it once."
        )


def _connect_and_migrate(path: Path, patience: int) -> apsw.Connection:
    connection = None
    try:
        check_integrity(path)
        connection = connect_to_write(path, patience=patience)
        if connection.readonly("main"):
            raise apsw.ReadOnlyError("it can only be read")
        migrate(connection)
        rows(connection, "BEGIN IMMEDIATE")  # Raises where another program has it.
        rows(connection, "ROLLBACK")
    except (apsw.Error, OSError, LedgerUnusableError) as fault:
        if connection is not None:
            connection.close()
        raise LedgerUnusableError(
            f"The database {path} cannot be used: {_explain(fault)}, or name another in "
            "DATABASE_URL. Nothing in it was changed."
        ) from fault
    return connection


def _explain(fault: apsw.Error | OSError | LedgerUnusableError) -> str:
    match fault:
        case LedgerUnusableError():
            return str(fault)
        case apsw.BusyError():
            advice = "end the other program that uses it"
        case apsw.ReadOnlyError() | apsw.CantOpenError() | OSError():
            advice = "let the bot write to it and into its folder"
        case apsw.FullError():
            advice = "make room on its disk"
        case apsw.CorruptError() | apsw.NotADBError():
            advice = RESTORE
        case _:
            advice = "mend it"
    return f"{fault}: {advice}"


def _prepare_folder(path: Path) -> Path:
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise LedgerUnusableError(f"The folder {path.parent} cannot be made: {fault}") from fault
    return path
