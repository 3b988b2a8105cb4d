"""SQLite connections, the one function that runs statements on them, and column conversions."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

from bot.domain.errors import LedgerError

Value = str | int | None

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process's transaction (a backup, a shell)."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Without it, erased tokens stay readable in the file's free pages.
    "PRAGMA secure_delete = ON",
)


def connect_to_write(
    path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS, vfs: str | None = None
) -> apsw.Connection:
    """Open the database, and create it if there is none.

    `vfs` names the SQLite file system to use instead of the default one.
    """
    connection = apsw.Connection(str(path), vfs=vfs)
    connection.set_busy_timeout(busy_timeout_ms)
    for pragma in _PRAGMAS:
        rows(connection, pragma)
    return connection


def connect_to_read(path: Path) -> apsw.Connection:
    """Open an existing database read-only."""
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.set_busy_timeout(BUSY_TIMEOUT_MS)
    return reader


def connect_to_examine(path: Path) -> apsw.Connection:
    """Open an existing database to check all of it, without changing it.

    A read-only connection would skip CHECK constraints: SQLite doesn't load them there.
    """
    examiner = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    examiner.set_busy_timeout(BUSY_TIMEOUT_MS)
    rows(examiner, "PRAGMA query_only = ON")
    return examiner


def rows(connection: apsw.Connection, statement: str, /, **values: Value) -> list[tuple[Any, ...]]:
    """Run a statement with its `:name` parameters, and return all its rows.

    Raises:
        KeyError: a parameter has no value.
    """
    return list(cast("_Executes", connection).execute(statement, values))


def records(
    connection: apsw.Connection, statement: str, /, **values: Value
) -> list[dict[str, Any]]:
    """Run a statement like `rows`, and return each row by its columns' names."""
    cursor = cast("_Executes", connection).execute(statement, values)
    return [
        {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
        for row in cursor
    ]


def milliseconds(moment: datetime) -> int:
    """Convert a moment for a column: milliseconds since 1970, UTC."""
    return round(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """Convert a column to a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def moment_or_none(milliseconds: int | None) -> datetime | None:
    """Convert a column that may be NULL to a moment."""
    return None if milliseconds is None else moment(milliseconds)


def as_ledger_error(error: apsw.Error) -> LedgerError:
    """Wrap an SQLite error."""
    wrapped = LedgerError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


class _Cursor(Protocol):
    @property
    def description(self) -> tuple[tuple[str, None, None, None, None, None, None], ...]: ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


class _Executes(Protocol):
    """The method of a connection used here; apsw's own annotation needs Python 3.12's Buffer."""

    def execute(self, statements: str, bindings: Mapping[str, Value], /) -> _Cursor: ...
