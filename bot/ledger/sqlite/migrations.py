"""The database's schema, as ordered migrations. Each commits together with its own record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import apsw

from bot.domain.errors import LedgerUnusableError
from bot.ledger.sqlite.connection import rows


@dataclass(frozen=True, slots=True)
class Migration:
    """A step; its position in `MIGRATIONS`, counted from one, is the version it leads to."""

    name: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        "accounts and edits",
        (
            """
            CREATE TABLE account (
                guild_id INTEGER NOT NULL,
                member_id INTEGER NOT NULL,  -- 0: the server as a whole
                day TEXT NOT NULL CHECK (day IS date(day)),
                granted INTEGER NOT NULL DEFAULT 0 CHECK (granted >= 0),
                held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
                spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
                PRIMARY KEY (guild_id, member_id, day)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE edit (
                id INTEGER PRIMARY KEY,  -- the interaction's
                application_id INTEGER NOT NULL,
                guild_id INTEGER NOT NULL,
                channel_id INTEGER NOT NULL,
                member_id INTEGER NOT NULL CHECK (member_id <> 0),
                message_id INTEGER,
                day TEXT NOT NULL,  -- whose account it counts in
                quality TEXT NOT NULL CHECK (quality IN ('low', 'medium', 'high')),
                size TEXT NOT NULL,
                ratio TEXT,
                count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 4),
                private INTEGER NOT NULL CHECK (private IN (0, 1)),
                upload_limit INTEGER NOT NULL CHECK (upload_limit > 0),
                price INTEGER NOT NULL CHECK (price > 0),
                state TEXT NOT NULL CHECK (state IN (
                    'held', 'submitted', 'rendered',
                    'delivered', 'declined', 'failed', 'expired', 'cancelled', 'interrupted'
                )),
                reason TEXT,
                posted INTEGER NOT NULL DEFAULT 0 CHECK (posted BETWEEN 0 AND count),
                charged INTEGER NOT NULL DEFAULT 0 CHECK (charged = price * posted),
                owner TEXT NOT NULL,  -- the process that took it
                held_at INTEGER NOT NULL,  -- these are milliseconds since 1970, UTC
                acknowledged_at INTEGER,
                submitted_at INTEGER,
                rendered_at INTEGER,
                ended_at INTEGER,
                FOREIGN KEY (guild_id, member_id, day) REFERENCES account,
                CHECK ((state = 'delivered') = (posted > 0)),
                CHECK ((state IN ('held', 'submitted', 'rendered')) = (ended_at IS NULL)),
                CHECK ((ended_at IS NULL OR state = 'delivered') = (reason IS NULL)),
                CHECK (state <> 'held' OR submitted_at IS NULL),
                CHECK (
                    state NOT IN ('submitted', 'rendered', 'delivered', 'declined', 'interrupted')
                    OR (submitted_at IS NOT NULL AND ratio IS NOT NULL)
                ),
                CHECK (state NOT IN ('rendered', 'delivered') OR rendered_at IS NOT NULL)
            ) STRICT
            """,
            "CREATE INDEX edit_by_member ON edit (guild_id, member_id, held_at)",
            """
            CREATE TABLE edit_private (  -- what members may have erased; accounts stand without it
                edit_id INTEGER PRIMARY KEY REFERENCES edit ON DELETE CASCADE,
                member_name TEXT NOT NULL,
                source_url TEXT NOT NULL,
                source_name TEXT NOT NULL,
                prompt TEXT NOT NULL,
                detail TEXT,  -- what the API said, or a reference in the log
                results TEXT NOT NULL DEFAULT '[]' CHECK (json_type(results) = 'array')
            ) STRICT
            """,
            """
            CREATE TABLE edit_token (  -- the interaction's, until the edit's end was told
                edit_id INTEGER PRIMARY KEY REFERENCES edit ON DELETE CASCADE,
                token TEXT NOT NULL
            ) STRICT
            """,
        ),
    ),
    Migration(
        "rules, settings and their trail; what was sent; members' data by age",
        (
            """
            CREATE TABLE server (
                guild_id INTEGER PRIMARY KEY,
                period TEXT NOT NULL DEFAULT 'day' CHECK (period IN ('day', 'week', 'month'))
            ) STRICT
            """,
            """
            CREATE TABLE rule (
                guild_id INTEGER NOT NULL,
                scope TEXT NOT NULL CHECK (scope IN ('member', 'role', 'default', 'budget')),
                subject_id INTEGER NOT NULL,  -- the member or role; 0: the server
                credits INTEGER CHECK (credits >= 0),  -- NULL: unlimited
                PRIMARY KEY (guild_id, scope, subject_id),
                CHECK ((scope IN ('member', 'role')) = (subject_id <> 0))
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE setting (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                guild_id INTEGER NOT NULL,
                name TEXT NOT NULL,
                value TEXT NOT NULL,
                UNIQUE (guild_id, name, value)
            ) STRICT
            """,
            """
            CREATE TABLE change (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                guild_id INTEGER NOT NULL,
                made_at INTEGER NOT NULL,
                author_id INTEGER NOT NULL,
                topic TEXT NOT NULL,
                subject_id INTEGER NOT NULL,
                setting TEXT,
                before TEXT,
                after TEXT,
                reason TEXT
            ) STRICT
            """,
            "CREATE INDEX change_by_server ON change (guild_id, id)",
            "CREATE INDEX change_by_subject ON change (guild_id, subject_id, id)",
            "ALTER TABLE account ADD COLUMN sent INTEGER NOT NULL DEFAULT 0 CHECK (sent >= 0)",
            """
            UPDATE account SET sent = due.sent
            FROM (
                SELECT guild_id, member_id, day, sum(price * count) AS sent
                FROM edit
                WHERE submitted_at IS NOT NULL AND ended_at IS NOT NULL
                AND (
                    reason IS NULL OR reason IN
                    ('api_failed', 'no_result', 'not_posted', 'interrupted', 'unforeseen')
                )
                GROUP BY guild_id, member_id, day
            ) AS due
            WHERE account.guild_id = due.guild_id AND account.member_id = due.member_id
            AND account.day = due.day
            """,
            """
            UPDATE account SET sent = due.sent
            FROM (
                SELECT guild_id, day, sum(sent) AS sent FROM account GROUP BY guild_id, day
            ) AS due
            WHERE account.guild_id = due.guild_id AND account.member_id = 0
            AND account.day = due.day
            """,
            """
            INSERT INTO account (guild_id, member_id, day, held, spent, sent)  -- the whole bot's
            SELECT 0, 0, day, sum(held), sum(spent), sum(sent)
            FROM account
            WHERE member_id = 0
            GROUP BY day
            """,
            "ALTER TABLE edit_private ADD COLUMN roles TEXT NOT NULL DEFAULT '[]'",
            "ALTER TABLE edit_private ADD COLUMN held_at INTEGER NOT NULL DEFAULT 0",
            """
            ALTER TABLE edit_private
            ADD COLUMN doomed INTEGER NOT NULL  -- its member had it erased while it was open
            DEFAULT 0 CHECK (doomed IN (0, 1))
            """,
            """
            UPDATE edit_private
            SET held_at = coalesce((SELECT held_at FROM edit WHERE id = edit_id), 0)
            """,
            "CREATE INDEX edit_private_by_age ON edit_private (held_at)",
            """
            CREATE INDEX edit_that_ended ON edit
            (guild_id, day, quality, reason, member_id, posted, charged, ended_at)
            WHERE ended_at IS NOT NULL
            """,
        ),
    ),
    Migration(
        "drafts; which sources were posted in public",
        (
            """
            CREATE TABLE draft (  -- what was begun and not ordered yet; erased after an hour
                id INTEGER PRIMARY KEY,  -- the interaction's in which it was begun
                guild_id INTEGER NOT NULL,
                member_id INTEGER NOT NULL,
                made_at INTEGER NOT NULL,
                content TEXT NOT NULL CHECK (json_type(content) = 'object')
            ) STRICT
            """,
            "CREATE INDEX draft_by_age ON draft (made_at)",
            """
            ALTER TABLE edit ADD COLUMN source_public INTEGER NOT NULL
            DEFAULT 0 CHECK (source_public IN (0, 1))
            """,
        ),
    ),
    Migration(
        "open edits by member, and how long the latest took",
        (
            "CREATE INDEX edit_that_is_open ON edit (member_id) WHERE ended_at IS NULL",
            """
            CREATE INDEX edit_delivered_lately ON edit
            (quality, ended_at, submitted_at, rendered_at)
            WHERE state = 'delivered'
            """,
        ),
    ),
    Migration(
        "where pictures stand that were posted anew",
        (
            """
            ALTER TABLE edit
            ADD COLUMN message_channel_id  -- the member's direct messages'; NULL: channel_id
            INTEGER
            """,
        ),
    ),
    Migration(
        "what was done to sources",
        (
            """
            ALTER TABLE edit
            ADD COLUMN source_changes TEXT NOT NULL  -- before it was sent
            DEFAULT '[]' CHECK (json_type(source_changes) = 'array')
            """,
        ),
    ),
    Migration(
        "whose original an edit uses",
        (
            """
            ALTER TABLE edit_private
            ADD COLUMN source_edit_id  -- the edit that the original was given to; NULL: this one
            INTEGER REFERENCES edit
            """,
            # Each upload has an address of its own; a posted image can be taken by many members.
            """
            UPDATE edit_private SET source_edit_id = shared.first_id
            FROM (
                SELECT id, first_value(id) OVER (
                    PARTITION BY guild_id, source_url ORDER BY edit.held_at, id
                ) AS first_id
                FROM edit JOIN edit_private ON edit_id = id
                WHERE source_url <> '' AND source_public = 0
            ) AS shared
            WHERE edit_id = shared.id AND shared.id <> shared.first_id
            """,
            """
            UPDATE edit_private SET source_url = '', source_name = ''
            WHERE source_edit_id IS NOT NULL
            AND edit_id IN (SELECT id FROM edit WHERE ended_at IS NOT NULL)
            """,
            # What is left after a member's erasure may be a rerun's copy of their original. Discord
            # removes originals within two days; 724775731200000 is that long between two ids.
            """
            UPDATE edit_private SET source_url = '', source_name = ''
            WHERE edit_id IN (
                SELECT later.id
                FROM edit AS erased
                LEFT JOIN edit_private AS kept ON kept.edit_id = erased.id
                JOIN edit AS later
                ON later.id > erased.id AND later.id < erased.id + 724775731200000
                AND later.guild_id = erased.guild_id AND later.member_id <> erased.member_id
                WHERE erased.id > (SELECT min(edit_id) FROM edit_private) - 724775731200000
                AND coalesce(kept.source_url, '') = '' AND kept.source_edit_id IS NULL
                AND later.ended_at IS NOT NULL AND later.source_public = 0
            )
            """,
            "UPDATE edit_private SET source_name = '' WHERE source_url = ''",
        ),
    ),
    Migration(
        "originals of open edits that may be an erased member's",
        (
            # They need the address until they end, so they borrow it, and lose it then.
            """
            UPDATE edit_private SET source_edit_id = suspect.first_id
            FROM (
                SELECT later.id, min(erased.id) AS first_id
                FROM edit AS erased
                LEFT JOIN edit_private AS kept ON kept.edit_id = erased.id
                JOIN edit AS later
                ON later.id > erased.id AND later.id < erased.id + 724775731200000
                AND later.guild_id = erased.guild_id AND later.member_id <> erased.member_id
                WHERE coalesce(kept.source_url, '') = '' AND kept.source_edit_id IS NULL
                AND later.ended_at IS NULL AND later.source_public = 0
                GROUP BY later.id
            ) AS suspect
            WHERE edit_id = suspect.id AND source_edit_id IS NULL
            """,
        ),
    ),
)


def migrate(
    connection: apsw.Connection,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    migrations: tuple[Migration, ...] = MIGRATIONS,
) -> None:
    """Migrate the database to this program's version.

    Raises:
        LedgerUnusableError: the database has a newer version.
    """
    with connection:
        rows(
            connection,
            """
            CREATE TABLE IF NOT EXISTS migration (
                version INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                applied_at TEXT NOT NULL
            ) STRICT
            """,
        )
    version = version_of(connection)
    if version > len(migrations):
        raise LedgerUnusableError(
            f"its version is {version}, and this program knows versions up to {len(migrations)}: "
            "start a newer version of the program"
        )
    for number, migration in enumerate(migrations[version:], start=version + 1):
        with connection:
            for statement in migration.statements:
                rows(connection, statement)
            rows(
                connection,
                "INSERT INTO migration (version, name, applied_at) VALUES (:version, :name, :now)",
                version=number,
                name=migration.name,
                now=now().isoformat(),
            )


def version_of(connection: apsw.Connection) -> int:
    """Return how many migrations the database has had."""
    ((version,),) = rows(connection, "SELECT coalesce(max(version), 0) FROM migration")
    if not isinstance(version, int):
        raise LedgerUnusableError("its migration table isn't this program's")
    return version
