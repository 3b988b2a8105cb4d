"""Checks a database's files before anything is written to them."""

import time
from pathlib import Path

import apsw
import structlog

from bot.domain.errors import LedgerUnusableError
from bot.ledger.sqlite.connection import connect_to_examine, rows

CHECK_TIMEOUT_S = 5.0
"""Enough for about 300 MB. `python -m bot doctor` checks all of a larger file."""

PROGRESS_STEPS = 100
"""SQLite's steps between two looks at the clock: a slow disk takes about a second for them."""

WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\0\0\0\0")
"""How a write-ahead log begins; with zeros if its first commit never reached the disk.

https://sqlite.org/fileformat2.html#the_write_ahead_log
"""

RESTORE = "replace it with an intact copy, along with all files whose names begin with its name"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def check_integrity(path: Path, *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
    """Accept an intact ledger, or a path without one; check for up to `timeout_s`.

    Raises:
        LedgerUnusableError: it's damaged or another program's. Says what to do.
        apsw.Error: SQLite can't read it.
    """
    _check_wal(path, path.with_name(f"{path.name}-wal"))
    if _size_of(path) == 0:
        return
    connection = connect_to_examine(path)
    try:
        # Otherwise SQLite would copy the log into the database, no matter what the checks found.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _check_tables(connection)
        _check_pages(connection, path, timeout_s)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    finally:
        connection.close()


def _check_wal(path: Path, wal_path: Path) -> None:
    """Check what SQLite doesn't: it discards an unreadable log, or one without a database."""
    if _size_of(wal_path) == 0:
        return
    if _size_of(path) == 0:
        raise LedgerUnusableError(
            f"it's missing or empty, and {wal_path.name} next to it has the latest changes: "
            "put it back, or move that file away"
        )
    with wal_path.open("rb") as file:
        if file.read(4) not in WAL_MAGIC:
            raise LedgerUnusableError(
                f"{wal_path.name}, which has its latest changes, is damaged: {RESTORE}"
            )


def _check_tables(connection: apsw.Connection) -> None:
    tables = {name for (name,) in rows(connection, "SELECT name FROM sqlite_master")}
    if tables and "migration" not in tables:
        raise LedgerUnusableError("it belongs to another program: move it away")


def _check_pages(connection: apsw.Connection, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    connection.set_progress_handler(lambda: time.monotonic() > deadline, PROGRESS_STEPS)
    try:
        ((finding,),) = rows(connection, "PRAGMA quick_check(1)")
    except apsw.InterruptError:
        log.warning("ledger.looked_at_in_part", database=str(path), seconds=timeout_s)
        return
    finally:
        connection.set_progress_handler(None)
    if finding != "ok":
        raise LedgerUnusableError(f"it's damaged ({finding.splitlines()[-1]}): {RESTORE}")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
