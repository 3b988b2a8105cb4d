"""One open database: a writer, a reader for what members wait for, and one for long reports."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from bot.ledger.sqlite.connection import as_ledger_fault, connect_to_read, rows
from bot.ledger.sqlite.writer import Writer

T = TypeVar("T")

LARGEST_WRITTEN_ANEW = 2**30
"""Bytes of a file that is written anew at its closing: about four seconds' work."""


class Database:
    """Runs work on connections that have a thread of their own each."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._connection = connection
        self._writer = Writer(connection)
        self._reader = Reader(connect_to_read(path), "ledger-reader")
        self.reporter = Reader(connect_to_read(path), "ledger-reporter")
        """For what may take long: no member's command waits behind it."""

    async def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """What `work` returns, once its transaction is on the disk.

        Raises:
            LedgerFault: nothing of it was done.
        """
        return await self._writer.run(work)

    async def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """What `work` reads, as it is at one moment.

        Raises:
            LedgerFault: it could not be read.
        """
        return await self._reader.run(work)

    async def close(self) -> None:
        """Finish what waits, and close the file with nothing left in it of what was erased."""
        await self._writer.close()
        await self._reader.close()
        await self.reporter.close()
        await asyncio.to_thread(self._write_anew)
        await asyncio.to_thread(self._connection.close)

    def _write_anew(self) -> None:
        """Write the whole file anew, unless that would hold up the stop.

        SQLite overwrites what is deleted, but not the copies that it leaves behind when it moves
        rows from page to page. Where another process or a full disk forbids it, the next stop
        does it.
        """
        with contextlib.suppress(apsw.Error):
            ((size,),) = rows(self._connection, _SIZE)
            if size <= LARGEST_WRITTEN_ANEW:
                rows(self._connection, "VACUUM")


_SIZE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"


class Reader:
    """A connection that only reads, with a thread of its own."""

    def __init__(self, connection: apsw.Connection, name: str) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """What `work` reads, as it is at one moment.

        Raises:
            LedgerFault: it could not be read.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        """Finish what waits, and close the connection."""
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    def _run(self, work: Callable[[apsw.Connection], T]) -> T:
        try:
            rows(self._connection, "BEGIN")
            try:
                return work(self._connection)
            finally:
                rows(self._connection, "ROLLBACK")
        except apsw.Error as fault:
            raise as_ledger_fault(fault) from fault
