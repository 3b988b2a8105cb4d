"""One process to a database: a second one would take the first one's open edits for a crash's."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from bot.domain.errors import LedgerInUseError, LedgerUnusableError

_AFTER_LOCKED_BYTE = 1
"""Windows keeps the locked first byte from being read, so the process id stands behind it."""


@contextmanager
def only_process(database: Path) -> Generator[None]:
    """Hold the lock file beside the database; the system frees it when the process ends, however.

    Raises:
        LedgerInUse: naming the process that has it.
        LedgerUnusable: the lock file cannot be written.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise LedgerUnusableError(f"{path} cannot be opened: {fault.strerror}") from fault
    try:
        if not lock_descriptor(descriptor, blocking=False):
            raise LedgerInUseError(
                f"Process {_read_owner(descriptor)} has the database {database}: "
                "stop it first, or give this bot a DATABASE_URL of its own."
            )
        try:
            _write_owner(descriptor)
        except OSError as fault:
            raise LedgerUnusableError(
                f"{path} cannot be written: {fault.strerror}. Make room on its disk."
            ) from fault
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
