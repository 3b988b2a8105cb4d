"""Looks for rows that break what is always true of a ledger."""

import json
from collections.abc import Iterator

import apsw

from bot.domain.lifecycle import MAY_HAVE_COST
from bot.ledger.sqlite.connection import rows

_QUERIES = (
    # An account is the sum of its edits, the server's (member 0) and the bot's (server 0) too.
    """
    WITH due AS (
        SELECT guild_id, member_id, day,
            sum(iif(ended_at IS NULL, price * count, 0)) AS held,
            sum(charged) AS spent,
            sum(iif(ended_at IS NOT NULL AND submitted_at IS NOT NULL
                AND (reason IS NULL OR reason IN (SELECT value FROM json_each(:may_have_cost))),
                price * count, 0)) AS sent
        FROM edit GROUP BY guild_id, member_id, day
    ),
    all_due AS (
        SELECT * FROM due
        UNION ALL
        SELECT guild_id, 0, day, sum(held), sum(spent), sum(sent)
        FROM due GROUP BY guild_id, day
        UNION ALL
        SELECT 0, 0, day, sum(held), sum(spent), sum(sent) FROM due GROUP BY day
    )
    SELECT format(
        'account of server %d, member %d, %s: held %d, spent %d, sent %d; '
        || 'by its edits held %d, spent %d, sent %d',
        account.guild_id, account.member_id, account.day,
        account.held, account.spent, account.sent,
        coalesce(due.held, 0), coalesce(due.spent, 0), coalesce(due.sent, 0)
    )
    FROM account LEFT JOIN all_due AS due USING (guild_id, member_id, day)
    WHERE account.held <> coalesce(due.held, 0)
    OR account.spent <> coalesce(due.spent, 0)
    OR account.sent <> coalesce(due.sent, 0)
    """,
    """
    WITH due AS (
        SELECT id, guild_id, member_id, day FROM edit
        UNION ALL SELECT id, guild_id, 0, day FROM edit
        UNION ALL SELECT id, 0, 0, day FROM edit
    )
    SELECT format(
        'edit %d: has no account for server %d, member %d, %s',
        id, due.guild_id, due.member_id, due.day
    )
    FROM due LEFT JOIN account USING (guild_id, member_id, day)
    WHERE account.held IS NULL
    """,
    """
    SELECT format(
        'edit %d: is %s, was charged %d for %d of %d images at %d each',
        id, state, charged, posted, count, price
    )
    FROM edit
    WHERE charged <> price * posted OR posted > count OR (state = 'delivered') <> (posted > 0)
    """,
    """
    SELECT format('edit %d: is %s, but the data to finish it is gone', id, state)
    FROM edit LEFT JOIN edit_private ON edit_id = id
    WHERE ended_at IS NULL AND edit_id IS NULL
    """,
    """
    SELECT format('edit %d: is %s, but its interaction token is gone', id, state)
    FROM edit LEFT JOIN edit_token ON edit_id = id
    WHERE ended_at IS NULL AND edit_id IS NULL
    """,
    """
    SELECT format('edit %d: was delivered, but still has its interaction token', id)
    FROM edit JOIN edit_token ON edit_id = id
    WHERE state = 'delivered'
    """,
    """
    SELECT format('edit %d: has ended, but still has a copy of edit %d''s original',
        id, source_edit_id)
    FROM edit JOIN edit_private ON edit_id = id
    WHERE ended_at IS NOT NULL AND source_edit_id IS NOT NULL
    AND (source_url <> '' OR source_name <> '')
    """,
)


def find_broken_rows(connection: apsw.Connection) -> Iterator[str]:
    """Describe each row that breaks an invariant, and what SQLite's own checks find."""
    may_have_cost = json.dumps(sorted(MAY_HAVE_COST))
    for query in _QUERIES:
        for (description,) in rows(connection, query, may_have_cost=may_have_cost):
            yield description
    for table, row, parent, _ in rows(connection, "PRAGMA foreign_key_check"):
        yield f"{table}: row {row or '?'} refers to a missing row of {parent}"
    for (finding,) in rows(connection, "PRAGMA integrity_check"):
        if finding != "ok":
            yield f"SQLite finds: {finding}"
