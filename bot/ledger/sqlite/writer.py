"""One thread owns the one writing connection and commits whatever waits in one transaction.

Each piece of work has a savepoint of its own, so one that fails takes nothing else with it; the
cost of reaching the disk is shared by all that came while the last commit was under way.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import apsw

from bot.ledger.sqlite.connection import as_ledger_fault, rows

T = TypeVar("T")

LARGEST_BATCH = 256
"""Pieces of work in one transaction, so that the first of many does not wait for all."""


class Writer:
    """Runs functions of the connection in its thread, in the order in which they came."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """What `work` returns, once the transaction that it was part of is on the disk.

        Raises:
            LedgerFault: SQLite refused a statement or the commit; nothing of `work` was done.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        return await job.future

    async def close(self) -> None:
        """Finish what waits and end the thread; the connection stays open."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first]
            ends = self._collect(batch)
            self._commit(batch)
            for loop in {job.loop for job in batch}:
                done = [job for job in batch if job.loop is loop]
                loop.call_soon_threadsafe(_resolve, done)
            if ends:
                return

    def _collect(self, batch: "list[_Job[Any]]") -> bool:
        """Add to the batch what waits already; True where the end was asked for."""
        while len(batch) < LARGEST_BATCH:
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
        except BaseException as fault:
            self._give_up(batch, fault)
            return
        try:
            rows(self._connection, "COMMIT")
        except BaseException as fault:
            self._give_up(batch, fault)
            self._overwrite()

    def _give_up(self, batch: "list[_Job[Any]]", fault: BaseException) -> None:
        for job in batch:
            job.fault = fault
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                rows(self._connection, "ROLLBACK")

    def _overwrite(self) -> None:
        """Write another transaction, which changes nothing, in the place of one that failed.

        A commit that was written and not synced lies whole in the write-ahead log: after a crash
        SQLite would take it for one that was made.
        """
        with contextlib.suppress(apsw.Error):
            rows(self._connection, "PRAGMA user_version = 0")

    def _attempt(self, job: "_Job[Any]") -> None:
        rows(self._connection, "SAVEPOINT job")
        try:
            job.result = job.work(self._connection)
        except BaseException as fault:
            # A full disk or an I/O error ends the whole transaction, with all that is in it.
            if not self._connection.in_transaction:
                raise
            rows(self._connection, "ROLLBACK TO job")
            job.fault = fault
        rows(self._connection, "RELEASE job")


@dataclass(slots=True)
class _Job(Generic[T]):
    work: Callable[[apsw.Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    result: T | None = None
    fault: BaseException | None = None


def _resolve(batch: list[_Job[Any]]) -> None:
    for job in batch:
        if job.future.cancelled():
            continue
        match job.fault:
            case None:
                job.future.set_result(job.result)
            case apsw.Error() as fault:
                job.future.set_exception(as_ledger_fault(fault))
            case fault:
                job.future.set_exception(fault)
