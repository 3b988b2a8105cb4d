"""What can be wrong with a ledger's file, and the disk under it, while a bot has it open."""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.ledger.sqlite.edits import SqliteLedger

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has disks that are full")


class DiskFault(Enum):
    """Why the disk does not take what SQLite writes."""

    FULL = "full"
    UNSYNCED = "unsynced"
    """It takes all that is written, and then does not say that it will keep it."""
    READ_ONLY = "read-only"


@contextmanager
def locked(database: Path) -> Generator[None]:
    """Another program writes to the ledger and takes its time."""
    connection = connect_to_write(database)
    try:
        rows(connection, "BEGIN IMMEDIATE")
        yield
    finally:
        rows(connection, "ROLLBACK")
        connection.close()


@contextmanager
def broken(database: Path, table: str) -> Generator[None]:
    """A table of the ledger is not there."""
    connection = connect_to_write(database)
    try:
        rows(connection, f"ALTER TABLE {table} RENAME TO {table}_gone")
        yield
    finally:
        rows(connection, f"ALTER TABLE {table}_gone RENAME TO {table}")
        connection.close()


@asynccontextmanager
async def locked_by_a_process(database: Path) -> AsyncGenerator[None]:
    """Another program, in a process of its own, has the ledger for itself alone."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HAS_IT_ALONE, str(database)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"locked\n"
        yield
    finally:
        await process.communicate(b"")


_HAS_IT_ALONE = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def let_files_grow(pid: int, *, most: int | None = None) -> None:
    """Let files of a process grow to so many bytes and no further, or as they like again.

    Only Linux does this to a process from outside.
    """
    resource = import_module("resource")  # Windows has none.
    limit = resource.RLIM_INFINITY if most is None else most
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


class Disk:
    """The disk under every database that is opened meanwhile: a test lets it fail, and mends it."""

    def __init__(self) -> None:
        self.fault: DiskFault | None = None
        self.done: list[str] = []
        """What was done to files: `read bot.db`, `write bot.db-wal`, `sync bot.db-wal`."""
        self._may_sync = threading.Event()
        self._may_sync.set()
        self._syncing: Callable[[], object] | None = None

    def mend(self) -> None:
        """Let it take everything again."""
        self.fault = None

    def fail_at(self, monkeypatch: pytest.MonkeyPatch, step: str, fault: DiskFault) -> None:
        """Fail from the moment on in which the ledger is first asked for this step of an edit."""
        take: Callable[..., Awaitable[object]] = getattr(SqliteLedger, step)
        begun = False

        async def fail(ledger: SqliteLedger, *values: Any, **named: Any) -> object:
            nonlocal begun
            if not begun:
                begun, self.fault = True, fault
            return await take(ledger, *values, **named)

        monkeypatch.setattr(SqliteLedger, step, fail)

    @asynccontextmanager
    async def slow_sync(self) -> AsyncGenerator[asyncio.Event]:
        """Keep what is synced waiting meanwhile; the event says that something does."""
        waiting, loop = asyncio.Event(), asyncio.get_running_loop()
        self._syncing = lambda: loop.call_soon_threadsafe(waiting.set)
        self._may_sync.clear()
        try:
            yield waiting
        finally:
            self._syncing = None
            self._may_sync.set()

    def read(self, name: str) -> None:
        """Give what is in a file."""
        self.done.append(f"read {name}")

    def write(self, name: str) -> None:
        """Take what is written to a file, or not."""
        self.done.append(f"write {name}")
        match self._fault_of(name):
            case DiskFault.FULL:
                raise apsw.FullError("the disk is full")
            case DiskFault.READ_ONLY:
                raise apsw.ReadOnlyError("the disk can only be read")
            case _:
                pass

    def sync(self, name: str) -> None:
        """Say that what was written to a file is kept, or not."""
        if self._syncing is not None:
            self._syncing()
        self._may_sync.wait()
        self.done.append(f"sync {name}")
        if self._fault_of(name) is DiskFault.UNSYNCED:
            raise apsw.IOError("the disk does not say that it will keep it")

    def _fault_of(self, name: str) -> DiskFault | None:
        """Only the log that commits are written to fails.

        SQLite moves its pages into the database another time where it cannot, but apsw raises what
        its own files raised all the same.
        """
        return self.fault if name.endswith("-wal") else None


VFS = "a test's disk"
"""What SQLite reaches files by on a disk that was put in."""


@contextmanager
def disk_put_in() -> Generator[Disk]:
    """A disk for the connections that are made by `VFS` meanwhile."""
    disk = Disk()
    files = _Files(disk)
    try:
        yield disk
    finally:
        files.unregister()


@contextmanager
def faulty_disk(monkeypatch: pytest.MonkeyPatch) -> Generator[Disk]:
    """A disk that a test can let fail, under what bots write that begin meanwhile."""
    writes = partial(connect_to_write, vfs=VFS)
    monkeypatch.setattr("bot.ledger.sqlite.connect_to_write", writes)
    with disk_put_in() as disk:
        yield disk


class _Files(apsw.VFS):
    """The system's files, of which the disk is asked first."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(VFS, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_File":
        return _File(self._disk, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path or "temporary").name
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.read(self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.write(self._name)
        # apsw's own annotation needs Python 3.12's Buffer.
        cast("Any", super()).xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.sync(self._name)
        super().xSync(flags)
