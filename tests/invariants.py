"""What is always true of a ledger: a plain model, worked out from its rows without the product.

`python -m bot doctor` answers the same question in SQL. Tests hold one against the other, so
nothing here may call it, or read the product's lists of states, reasons and prices.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

from bot.ledger.sqlite.connection import connect_to_read, rows

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Account = tuple[int, int, str]
"""A server, a member and a day. Member 0 is the whole server, server 0 the whole bot."""

PRICES = {"low": 4, "medium": 8, "high": 16}

OPEN = {"held", "submitted", "rendered"}
SENT = {"submitted", "rendered", "delivered", "declined", "interrupted"}
"""States that only an edit that was sent gets to. A failed one may have been sent."""
UNSENT = {"held", "expired", "cancelled"}
RENDERED = {"rendered", "delivered"}

END_OF = {
    "api_declined": "declined",
    "expired": "expired",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}
"""The state that each reason ends an edit in; every other reason fails it."""

MAY_HAVE_COST = {
    *("api_failed", "no_result", "not_spooled", "not_posted"),
    *("answer_deleted", "answer_out_of_reach", "interrupted", "unforeseen"),
}
"""Reasons after which the API may still have charged for an edit that was sent."""


def find_contradictions(database: Path) -> list[str]:
    """Return a line for each thing that isn't as it always must be."""
    tables = read_tables(database)
    private = {row["edit_id"] for row in tables["edit_private"]}
    tokens = {row["edit_id"] for row in tables["edit_token"]}
    edits = {edit["id"]: edit for edit in tables["edit"]}
    found = [f"edit {edit['id']}: {what}" for edit in edits.values() for what in _judge(edit)]
    for edit_id, edit in edits.items():
        if edit["state"] in OPEN and not {edit_id} <= private & tokens:
            found.append(f"edit {edit_id}: open, without what it takes to finish it")
        if edit["state"] == "delivered" and edit_id in tokens:
            found.append(f"edit {edit_id}: delivered, and its token is still there")
    for row in tables["edit_private"]:
        has_ended = row["edit_id"] in edits and edits[row["edit_id"]]["state"] not in OPEN
        if has_ended and row["source_edit_id"] and (row["source_url"] or row["source_name"]):
            found.append(f"edit {row['edit_id']}: ended, with a copy of another edit's original")
    found += [f"edit {edit_id}: gone, but for its data" for edit_id in private - edits.keys()]
    found += [f"edit {edit_id}: gone, but for its token" for edit_id in tokens - edits.keys()]
    return [*found, *_judge_accounts(tables)]


def find_overrun(database: Path, quota: int) -> list[tuple[Account, int]]:
    """Return the members whose edits of one day hold and cost more than quota and grants."""
    tables = read_tables(database)
    used: Counter[Account] = Counter()
    for edit in tables["edit"]:
        used[edit["guild_id"], edit["member_id"], edit["day"]] += _held(edit) + edit["charged"]
    granted = {_account(row): row["granted"] for row in tables["account"]}
    return [
        (account, credits)
        for account, credits in used.items()
        if credits > quota + granted.get(account, 0)
    ]


def read_tables(database: Path) -> Tables:
    """Return every row that edits and accounts have, as they are at one moment."""
    connection = connect_to_read(database)
    try:
        rows(connection, "BEGIN")
        return {table: _read_table(connection, table) for table in _EVERYTHING}
    finally:
        connection.close()


_EVERYTHING = {
    "edit": "SELECT * FROM edit",
    "edit_private": "SELECT * FROM edit_private",
    "edit_token": "SELECT * FROM edit_token",
    "account": "SELECT * FROM account",
}


def _read_table(connection: apsw.Connection, table: str) -> list[Row]:
    described = rows(connection, "SELECT name FROM pragma_table_info(:table)", table=table)
    columns = [name for (name,) in described]
    found = rows(connection, _EVERYTHING[table])
    return [dict(zip(columns, row, strict=True)) for row in found]


def _judge(edit: Row) -> Iterator[str]:
    """Yield what one edit's own row contradicts itself in."""
    state, reason = edit["state"], edit["reason"]
    if state in OPEN or state == "delivered":
        if reason is not None:
            yield f"{state}, and says why it was voided: {reason}"
    elif reason is None or state != END_OF.get(reason, "failed"):
        yield f"{state}, for the reason {reason}"
    if (edit["ended_at"] is None) != (state in OPEN):
        yield f"{state}, ended at {edit['ended_at']}"
    if edit["submitted_at"] is None if state in SENT else edit["submitted_at"] and state in UNSENT:
        yield f"{state}, sent at {edit['submitted_at']}"
    if state in RENDERED and edit["rendered_at"] is None:
        yield f"{state}, without ever being rendered"
    if edit["price"] != PRICES[edit["quality"]]:
        yield f"costs {edit['price']} in {edit['quality']} quality"
    posted = range(1, 1 + edit["count"]) if state == "delivered" else (0,)
    if edit["posted"] not in posted or edit["charged"] != edit["price"] * edit["posted"]:
        yield f"{state}, charged {edit['charged']} for {edit['posted']} of {edit['count']} images"


def _judge_accounts(tables: Tables) -> Iterator[str]:
    """Yield each account that isn't the sum of its edits, the server's and the bot's too."""
    held, spent, sent = Counter[Account](), Counter[Account](), Counter[Account]()
    for edit in tables["edit"]:
        guild_id, member_id, day = edit["guild_id"], edit["member_id"], edit["day"]
        for account in ((guild_id, member_id, day), (guild_id, 0, day), (0, 0, day)):
            held[account] += _held(edit)
            spent[account] += edit["charged"]
            sent[account] += _sent(edit)
    kept = {_account(row): row for row in tables["account"]}
    for account in held.keys() | kept.keys():
        due = (held[account], spent[account], sent[account])
        row = kept.get(account)
        if row is None:
            yield f"account {account}: gone, with {due} held, spent and sent by its edits"
        elif (row["held"], row["spent"], row["sent"]) != due:
            yield f"account {account}: {row}, and by its edits {due} held, spent and sent"
        elif row["granted"] < 0 or (row["granted"] and account[1] == 0):
            yield f"account {account}: granted {row['granted']}"


def _account(row: Row) -> Account:
    return row["guild_id"], row["member_id"], row["day"]


def _held(edit: Row) -> int:
    return edit["price"] * edit["count"] if edit["state"] in OPEN else 0


def _sent(edit: Row) -> int:
    """Return what an ended edit counts against the operator's budget."""
    if edit["submitted_at"] is None or edit["state"] in OPEN:
        return 0
    cost = edit["state"] == "delivered" or edit["reason"] in MAY_HAVE_COST
    return edit["price"] * edit["count"] if cost else 0
