"""One open database: a writer, two readers, and decorators that make methods transactions."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import apsw
import structlog

from bot.ledger.sqlite.connection import as_ledger_error, connect_to_read, rows
from bot.ledger.sqlite.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

MAX_VACUUM_BYTES = 2**30
"""The largest file that is vacuumed when it's closed: that takes about four seconds."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Reader:
    """A read-only connection with its own thread."""

    def __init__(self, connection: apsw.Connection, name: str) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run `work` in one read transaction, and return its result.

        Raises:
            LedgerError: the database couldn't be read.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        """Finish the pending work, and close the connection."""
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    def _run(self, work: Callable[[apsw.Connection], T]) -> T:
        try:
            rows(self._connection, "BEGIN")
            try:
                return work(self._connection)
            finally:
                rows(self._connection, "ROLLBACK")
        except apsw.Error as error:
            raise as_ledger_error(error) from error


class Database:
    """Three connections to one file."""

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        *,
        max_vacuum_bytes: int = MAX_VACUUM_BYTES,
    ) -> None:
        self._connection = connection
        self._max_vacuum_bytes = max_vacuum_bytes
        self.writer = Writer(connection)
        self.reader = Reader(connect_to_read(path), "ledger-reader")
        self.reporter = Reader(connect_to_read(path), "ledger-reporter")
        """For long reports, so that no member's command waits behind one."""

    async def close(self) -> None:
        """Finish the pending work, and close the file without a trace of erased data."""
        await self.writer.close()
        await self.reader.close()
        await self.reporter.close()
        if fault := await asyncio.to_thread(self._vacuum):
            log.warning("ledger.traces_left", fault=fault)
        await asyncio.to_thread(self._connection.close)

    def _vacuum(self) -> str | None:
        """Rebuild the file, unless that would delay the shutdown; return what prevented it.

        SQLite overwrites deleted rows, but not the copies it leaves when it moves rows between
        pages. If another process or a full disk prevents it, the next shutdown does it.
        """
        try:
            ((size,),) = rows(
                self._connection,
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            )
            if size <= self._max_vacuum_bytes:
                rows(self._connection, "VACUUM")
            ((busy, *_),) = rows(self._connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        except apsw.Error as error:
            return type(error).__name__
        return "another process reads the file" if busy else None


class Store:
    """Base of the stores that share a database."""

    def __init__(self, database: Database) -> None:
        self.writer = database.writer
        self.reader = database.reader
        self.reporter = database.reporter


class _Reports(Protocol):
    """A store with a connection for reports, and perhaps no other."""

    reporter: Reader


S = TypeVar("S", bound=Store)
R = TypeVar("R", bound=_Reports)


def write(
    body: Callable[Concatenate[S, apsw.Connection, P], T],
) -> "Callable[Concatenate[S, P], CoroutineType[Any, Any, T]]":
    """Make a method the body of a write transaction, which is on disk when the call returns."""

    @wraps(body)
    async def transaction(store: S, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.writer.run(lambda connection: body(store, connection, *args, **kwargs))

    return transaction


def read(
    body: Callable[Concatenate[S, apsw.Connection, P], T],
) -> "Callable[Concatenate[S, P], CoroutineType[Any, Any, T]]":
    """Make a method the body of a read transaction."""

    @wraps(body)
    async def transaction(store: S, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.reader.run(lambda connection: body(store, connection, *args, **kwargs))

    return transaction


def report(
    body: Callable[Concatenate[R, apsw.Connection, P], T],
) -> "Callable[Concatenate[R, P], CoroutineType[Any, Any, T]]":
    """Make a method the body of a read transaction that may take long."""

    @wraps(body)
    async def transaction(store: R, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.reporter.run(lambda connection: body(store, connection, *args, **kwargs))

    return transaction
