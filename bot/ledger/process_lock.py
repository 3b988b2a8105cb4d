"""Limits a database to one process.

A second one would take the first one's open edits for the remains of a crash.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from bot.domain.errors import LedgerInUseError, LedgerUnusableError

_AFTER_LOCKED_BYTE = 1
"""Windows doesn't let others read the locked first byte, so the process id comes after it."""


@contextmanager
def process_lock(database: Path) -> Generator[None]:
    """Lock the file next to the database; the system unlocks it however this process ends.

    Raises:
        LedgerInUseError: another process has it. Says which one.
        LedgerUnusableError: the lock file can't be written.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LedgerUnusableError(f"{path} can't be opened: {error.strerror}") from error
    try:
        if not lock_descriptor(descriptor, blocking=False):
            raise LedgerInUseError(
                f"Process {_read_owner(descriptor)} has the database {database} open. "
                "Stop it first, or give this bot its own DATABASE_URL."
            )
        try:
            _write_owner(descriptor)
        except OSError as error:
            raise LedgerUnusableError(
                f"{path} can't be written: {error.strerror}. Free up disk space."
            ) from error
        yield
    finally:
        os.close(descriptor)


def _write_owner(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, _AFTER_LOCKED_BYTE, os.SEEK_SET)
    os.write(descriptor, str(os.getpid()).encode())


def _read_owner(descriptor: int) -> str:
    os.lseek(descriptor, _AFTER_LOCKED_BYTE, os.SEEK_SET)
    return os.read(descriptor, 32).decode(errors="replace") or "unknown"
