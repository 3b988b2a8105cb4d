"""Group commit: one thread owns the write connection, and commits all pending jobs at once.

Jobs that arrive during a commit share the next one, so they share the cost of reaching the disk.
Each job has its own savepoint, so a job that fails doesn't affect the others.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import apsw

from bot.ledger.sqlite.connection import as_ledger_error, rows

T = TypeVar("T")

MAX_BATCH = 256
"""Jobs in one transaction, so that the first of many doesn't wait for all of them."""


class Writer:
    """Runs jobs on the connection in its thread, first come, first served."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run `work` in a transaction, and return its result once that is on disk.

        Raises:
            LedgerError: a statement or the commit failed, so `work` was rolled back.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        return await job.future

    async def close(self) -> None:
        """Finish the pending jobs and end the thread; leave the connection open."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first]
            closing = self._collect(batch)
            self._commit(batch)
            for loop in {job.loop for job in batch}:
                done = [job for job in batch if job.loop is loop]
                loop.call_soon_threadsafe(_resolve, done)
            if closing:
                return

    def _collect(self, batch: "list[_Job[Any]]") -> bool:
        """Add the pending jobs to the batch; return True if `close` was called."""
        while len(batch) < MAX_BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return False
            if job is None:
                return True
            batch.append(job)
        return False

    def _commit(self, batch: "list[_Job[Any]]") -> None:
        try:
            rows(self._connection, "BEGIN IMMEDIATE")
            for job in batch:
                self._attempt(job)
        except BaseException as error:
            self._fail(batch, error)
            return
        try:
            rows(self._connection, "COMMIT")
        except BaseException as error:
            self._fail(batch, error)
            self._overwrite_commit()

    def _fail(self, batch: "list[_Job[Any]]", error: BaseException) -> None:
        for job in batch:
            job.error = error
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                rows(self._connection, "ROLLBACK")

    def _overwrite_commit(self) -> None:
        """Overwrite a failed commit with a transaction that changes nothing.

        A commit that was written but not synced is complete in the write-ahead log, so SQLite would
        replay it after a crash.
        """
        with contextlib.suppress(apsw.Error):
            rows(self._connection, "PRAGMA user_version = 0")

    def _attempt(self, job: "_Job[Any]") -> None:
        rows(self._connection, "SAVEPOINT job")
        try:
            job.result = job.work(self._connection)
        except BaseException as error:
            # A full disk or an I/O error rolls back the whole transaction.
            if not self._connection.in_transaction:
                raise
            rows(self._connection, "ROLLBACK TO job")
            job.error = error
        rows(self._connection, "RELEASE job")


@dataclass(slots=True)
class _Job(Generic[T]):
    work: Callable[[apsw.Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


def _resolve(batch: list[_Job[Any]]) -> None:
    for job in batch:
        if job.future.cancelled():
            continue
        match job.error:
            case None:
                job.future.set_result(job.result)
            case apsw.Error() as error:
                job.future.set_exception(as_ledger_error(error))
            case error:
                job.future.set_exception(error)
