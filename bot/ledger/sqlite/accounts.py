"""Reads what accounts come to over a window's days."""

from typing import NamedTuple

import apsw

from bot.domain.quotas import Window
from bot.ledger.sqlite.connection import rows
from bot.ledger.statements import edits as statements

SERVER = 0
"""The member whose accounts are the server's."""

BOT = 0
"""The server whose accounts are the whole bot's."""


class Sums(NamedTuple):
    """Credits of an account over some days."""

    granted: int
    held: int
    spent: int
    sent: int


def read_sums(
    connection: apsw.Connection, guild_id: int, member_id: int, window: Window | None
) -> Sums:
    """What an account comes to over a window; None: since the beginning."""
    days = days_of(window)
    ((*sums,),) = rows(connection, statements.SUMS, guild_id, member_id, *days)
    return Sums(*sums)


def days_of(window: Window | None) -> tuple[str, str]:
    """A window as columns have it: its first day, and the one after its last."""
    if window is None:
        return ("0000-01-01", "9999-12-31")
    return window.first.isoformat(), window.end.isoformat()
