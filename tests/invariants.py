"""What is always true of a ledger, looked up in its file from outside."""

from pathlib import Path

from bot.ledger.sqlite.connection import connect_to_read, rows
from bot.ledger.sqlite.invariants import find_broken_rows


def find_contradictions(database: Path) -> list[str]:
    """One line for each thing that is not as it always must be."""
    connection = connect_to_read(database)
    try:
        return list(find_broken_rows(connection))
    finally:
        connection.close()


def find_overrun(database: Path, quota: int) -> list[tuple[object, ...]]:
    """Members whose spent and held credits of one day pass `quota` and what they were granted."""
    connection = connect_to_read(database)
    try:
        return rows(
            connection,
            "SELECT guild_id, member_id, day, spent, held FROM account "
            "WHERE member_id <> 0 AND spent + held > $1 + granted",
            quota,
        )
    finally:
        connection.close()
