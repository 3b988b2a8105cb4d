"""SQLite connections as the ledger wants them, and the one way to run a statement on them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

from bot.domain.errors import LedgerError

Value = str | int | None

BUSY_MILLISECONDS = 5_000
"""How long a statement waits for another process's transaction (a backup, a shell)."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Without it erased tokens stay readable in the file's free pages.
    "PRAGMA secure_delete = ON",
)


def connect_to_write(
    path: Path, *, patience: int = BUSY_MILLISECONDS, vfs: str | None = None
) -> apsw.Connection:
    """Open the database, made where there is none.

    Args:
        path: its file.
        patience: milliseconds that a statement waits for another process.
        vfs: what SQLite reaches files by, if not by the system's own way.
    """
    connection = apsw.Connection(str(path), vfs=vfs)
    connection.set_busy_timeout(patience)
    for pragma in _PRAGMAS:
        rows(connection, pragma)
    return connection


def connect_to_read(path: Path) -> apsw.Connection:
    """Open the database, which is there, for reading alone."""
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.set_busy_timeout(BUSY_MILLISECONDS)
    return reader


def connect_to_examine(path: Path) -> apsw.Connection:
    """Open the database, which is there, so that nothing is changed and all is checked.

    Where a connection cannot write at all, SQLite reads tables without their CHECK constraints.
    """
    examiner = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    examiner.set_busy_timeout(BUSY_MILLISECONDS)
    rows(examiner, "PRAGMA query_only = ON")
    return examiner


def rows(connection: apsw.Connection, statement: str, *values: Value) -> list[tuple[Any, ...]]:
    """All rows of a statement whose parameters are numbered `$1`, `$2`, ... as PostgreSQL's are."""
    numbered = {str(place): value for place, value in enumerate(values, 1)}
    return list(cast("_Executes", connection).execute(statement, numbered))


def milliseconds(moment: datetime) -> int:
    """A moment as the columns have it: milliseconds since 1970, UTC."""
    return round(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """The moment that a column has."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def moment_or_none(milliseconds: int | None) -> datetime | None:
    """The moment that a column has, if it has one."""
    return None if milliseconds is None else moment(milliseconds)


def as_ledger_fault(fault: apsw.Error) -> LedgerError:
    """The project's own word for an error of SQLite."""
    wrapped = LedgerError(f"{type(fault).__name__}: {fault}")
    wrapped.__cause__ = fault
    return wrapped


class _Executes(Protocol):
    """The part of a connection used here; apsw's own annotation needs Python 3.12's Buffer."""

    def execute(
        self, statements: str, bindings: Mapping[str, Value], /
    ) -> Iterator[tuple[Any, ...]]: ...
