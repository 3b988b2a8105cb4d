"""What can be wrong with a ledger's file while a bot has it open."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bot.ledger.sqlite.connection import connect_to_write, rows


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
