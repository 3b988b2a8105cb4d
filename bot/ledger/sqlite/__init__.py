"""The ledger on one machine: SQLite through apsw, whose wheel includes the newest SQLite."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from bot.domain.errors import LedgerError, LedgerUnusableError
from bot.ledger.process_lock import process_lock
from bot.ledger.sqlite.archive import SqliteArchive
from bot.ledger.sqlite.connection import (
    BUSY_TIMEOUT_MS,
    connect_to_examine,
    connect_to_read,
    connect_to_write,
    rows,
)
from bot.ledger.sqlite.database import MAX_VACUUM_BYTES, Database, Reader
from bot.ledger.sqlite.drafts import SqliteDraftBook
from bot.ledger.sqlite.edits import SqliteLedger, rewrite_tokens
from bot.ledger.sqlite.integrity import RESTORE, check_integrity
from bot.ledger.sqlite.invariants import find_broken_rows
from bot.ledger.sqlite.migrations import MIGRATIONS, migrate, version_of
from bot.ledger.sqlite.quota_rules import SqliteQuotaRules
from bot.ledger.sqlite.usage import SqliteUsageBook


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """All the stores of one database."""

    ledger: SqliteLedger
    quota_rules: SqliteQuotaRules
    usage: SqliteUsageBook
    archive: SqliteArchive
    drafts: SqliteDraftBook


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    max_vacuum_bytes: int = MAX_VACUUM_BYTES,
) -> AsyncGenerator[SqliteStores]:
    """Open a database for this process alone, and create it if there is none.

    A statement waits up to `busy_timeout_ms` for another process's transaction.

    Raises:
        LedgerInUseError: another process has it.
        LedgerUnusableError: it can't be opened, isn't a ledger, or has a newer version.
    """
    path = await asyncio.to_thread(_prepare_folder, path)
    with process_lock(path):
        connection = await asyncio.to_thread(_connect_and_migrate, path, busy_timeout_ms)
        database = await asyncio.to_thread(
            Database, path, connection, max_vacuum_bytes=max_vacuum_bytes
        )
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
                await database.writer.run(rewrite_tokens)
            await database.close()


@asynccontextmanager
async def open_sqlite_to_read(path: Path) -> AsyncGenerator[SqliteUsageBook]:
    """Open a database's usage reports read-only; a bot may have it open.

    Raises:
        LedgerUnusableError: there is no ledger, or it has another version.
    """
    async with _reading(path, connect_to_read) as reader:
        yield SqliteUsageBook(reader)


async def examine_sqlite(path: Path) -> list[str]:
    """Describe each row that breaks an invariant, one line each; a bot may have the database open.

    Raises:
        LedgerUnusableError: there is no ledger, or it has another version.
        LedgerError: not all of it can be read.
    """
    async with _reading(path, connect_to_examine) as reader:
        return await reader.run(lambda connection: list(find_broken_rows(connection)))


@asynccontextmanager
async def _reading(
    path: Path, connect: Callable[[Path], apsw.Connection]
) -> AsyncGenerator[Reader]:
    """Open an existing database of this version."""
    reader = await asyncio.to_thread(_open_reader, path, connect)
    try:
        await _check_version(path, reader)
        yield reader
    finally:
        await reader.close()


def _open_reader(path: Path, connect: Callable[[Path], apsw.Connection]) -> Reader:
    if not path.exists():
        raise LedgerUnusableError(
            f"There is no database {path}. Start the bot once, or set DATABASE_URL to its file."
        )
    try:
        return Reader(connect(path), "ledger-reader")
    except apsw.Error as error:
        raise LedgerUnusableError(f"The database {path} can't be opened: {error}.") from error


async def _check_version(path: Path, reader: Reader) -> None:
    try:
        version = await reader.run(version_of)
    except LedgerError as error:
        raise LedgerUnusableError(
            f"The database {path} can't be read: {error}. Set DATABASE_URL to the bot's database."
        ) from error
    if version != len(MIGRATIONS):
        raise LedgerUnusableError(
            f"The database {path} has version {version}, and this program reads version "
            f"{len(MIGRATIONS)}. Start the newest version of the bot on it once."
        )


def _connect_and_migrate(path: Path, busy_timeout_ms: int) -> apsw.Connection:
    connection = None
    try:
        check_integrity(path)
        _make_private(path)
        connection = connect_to_write(path, busy_timeout_ms=busy_timeout_ms)
        if connection.readonly("main"):
            raise apsw.ReadOnlyError("it's read-only")
        migrate(connection)
        rows(connection, "BEGIN IMMEDIATE")  # Raises if another program has it.
        rows(connection, "ROLLBACK")
    except (apsw.Error, OSError, LedgerUnusableError) as error:
        if connection is not None:
            connection.close()
        raise LedgerUnusableError(
            f"The database {path} can't be used: {_explain(error)}, or set DATABASE_URL to another "
            "file. Nothing in it was changed."
        ) from error
    return connection


def _make_private(path: Path) -> None:
    """Let only the owner read the ledger: prompts and the tokens of open edits are in it."""
    path.touch(mode=0o600)
    # New side files get the mode of the database.
    for file in (path, *(path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))):
        with contextlib.suppress(OSError):  # missing, or another user's
            file.chmod(0o600)


def _explain(error: apsw.Error | OSError | LedgerUnusableError) -> str:
    match error:
        case LedgerUnusableError():
            return str(error)
        case apsw.BusyError():
            advice = "close the other program that uses it"
        case apsw.ReadOnlyError() | apsw.CantOpenError() | OSError():
            advice = "give the bot write access to it and its folder"
        case apsw.FullError():
            advice = "free up disk space"
        case apsw.CorruptError() | apsw.NotADBError():
            advice = RESTORE
        case _:
            advice = "repair it"
    return f"{error}: {advice}"


def _prepare_folder(path: Path) -> Path:
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnusableError(f"The folder {path.parent} can't be created: {error}") from error
    return path
