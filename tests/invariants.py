"""What is always true of a ledger, looked up in its file from outside."""

from pathlib import Path

from bot.ledger.sqlite.connection import connect_to_read, rows

_CONTRADICTIONS = {
    "an account is not the sum of its open edits' holds and its charges": """
        WITH due AS (
            SELECT guild_id, member_id, day,
                sum(iif(ended_at IS NULL, price * count, 0)) AS held,
                sum(charged) AS spent,
                sum(iif(ended_at IS NOT NULL AND submitted_at IS NOT NULL AND
                    coalesce(reason, 'api_failed') IN
                    ('api_failed', 'no_result', 'not_posted', 'answer_deleted',
                    'answer_out_of_reach', 'interrupted', 'unforeseen'),
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
        SELECT * FROM account LEFT JOIN all_due AS due USING (guild_id, member_id, day)
        WHERE account.held <> coalesce(due.held, 0) OR account.spent <> coalesce(due.spent, 0)
        OR account.sent <> coalesce(due.sent, 0)
    """,
    "an edit has no account": """
        SELECT id FROM edit LEFT JOIN account USING (guild_id, member_id, day)
        WHERE account.day IS NULL
    """,
    "an edit that ended was charged for pictures that were not posted": """
        SELECT id FROM edit WHERE charged <> price * posted OR (state <> 'delivered' AND charged)
    """,
}


def find_contradictions(database: Path) -> list[str]:
    """One line for each thing that is not as it always must be."""
    connection = connect_to_read(database)
    try:
        return [
            f"{what}: {row}"
            for what, query in _CONTRADICTIONS.items()
            for row in rows(connection, query)
        ]
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
