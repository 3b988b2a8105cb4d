"""Looks at a database's files before anything is written to them."""

import time
from pathlib import Path

import apsw
import structlog

from bot.domain.errors import LedgerUnusableError
from bot.ledger.sqlite.connection import connect_to_examine, rows

LONGEST_LOOK = 5.0
"""Seconds: about 300 MB of the disk. What is left over of a larger file is the doctor's."""

PAGES_AT_ONCE = 100
"""Pages read between two looks at the clock: a slow disk takes a second or so for them."""

LOG_MARKS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\0\0\0\0")
"""How a write-ahead log begins; with zeros where its first commit never came.

https://sqlite.org/fileformat2.html#the_write_ahead_log
"""

RESTORE = "put a sound copy of it, with all files that begin with its name, in its place"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def check_integrity(path: Path) -> None:
    """Let a database pass that is this program's and whole, or that is not there yet.

    Raises:
        LedgerUnusable: it is not, and what to do.
        apsw.Error: SQLite cannot read it.
    """
    _check_log(path, path.with_name(f"{path.name}-wal"))
    if _size_of(path) == 0:
        return
    connection = connect_to_examine(path)
    try:
        # Otherwise SQLite would write what the log has into the database, whatever was found.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _check_tables(connection)
        _check_pages(connection, path)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    finally:
        connection.close()


def _check_log(path: Path, log_path: Path) -> None:
    """SQLite itself throws away a log that it cannot read, or whose database is gone."""
    if _size_of(log_path) == 0:
        return
    if _size_of(path) == 0:
        raise LedgerUnusableError(
            f"it is missing or empty, and {log_path.name} beside it has what was written last: "
            "put it back, or move that file away"
        )
    with log_path.open("rb") as file:
        if file.read(4) not in LOG_MARKS:
            raise LedgerUnusableError(
                f"{log_path.name}, which has what was written to it last, is damaged: {RESTORE}"
            )


def _check_tables(connection: apsw.Connection) -> None:
    tables = {name for (name,) in rows(connection, "SELECT name FROM sqlite_master")}
    if tables and "migration" not in tables:
        raise LedgerUnusableError("it is another program's: move it away")


def _check_pages(connection: apsw.Connection, path: Path) -> None:
    until = time.monotonic() + LONGEST_LOOK
    connection.set_progress_handler(lambda: time.monotonic() > until, PAGES_AT_ONCE)
    try:
        ((finding,),) = rows(connection, "PRAGMA quick_check(1)")
    except apsw.InterruptError:
        log.warning("ledger.looked_at_in_part", database=str(path), seconds=LONGEST_LOOK)
        return
    finally:
        connection.set_progress_handler(None)
    if finding != "ok":
        raise LedgerUnusableError(f"it is damaged ({finding.splitlines()[-1]}): {RESTORE}")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
