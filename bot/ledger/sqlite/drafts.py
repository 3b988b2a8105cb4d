"""Drafts in SQLite."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import apsw

from bot.domain.images import ImageLink
from bot.domain.pricing import Quality
from bot.ledger.drafts import DRAFT_LIFETIME, MAX_DRAFTS, Draft, DraftBook
from bot.ledger.sqlite.connection import milliseconds, rows
from bot.ledger.sqlite.database import Store, read, write


class SqliteDraftBook(Store, DraftBook):
    """Drafts in one database."""

    _KEEP = """
    INSERT INTO draft (id, guild_id, member_id, made_at, content)
    VALUES (:id, :guild_id, :member_id, :made_at, :content)
    ON CONFLICT (id) DO UPDATE SET made_at = excluded.made_at, content = excluded.content
    """

    _ERASE_SURPLUS = """
    DELETE FROM draft WHERE id IN (
        SELECT id FROM draft WHERE guild_id = :guild_id AND member_id = :member_id
        ORDER BY made_at DESC, id DESC
        LIMIT -1 OFFSET :limit
    )
    """

    @write
    def keep(self, connection: apsw.Connection, draft: Draft, *, now: datetime) -> None:
        content = asdict(draft)
        columns = {column: content.pop(column) for column in ("id", "guild_id", "member_id")}
        content_json = json.dumps(content)
        rows(connection, self._KEEP, made_at=milliseconds(now), content=content_json, **columns)
        rows(
            connection,
            self._ERASE_SURPLUS,
            guild_id=draft.guild_id,
            member_id=draft.member_id,
            limit=MAX_DRAFTS,
        )

    _FIND = """
    SELECT id, guild_id, member_id, content FROM draft WHERE id = :id AND made_at > :oldest
    """

    @read
    def find(self, connection: apsw.Connection, draft_id: int, *, now: datetime) -> Draft | None:
        oldest = milliseconds(now - DRAFT_LIFETIME)
        found = rows(connection, self._FIND, id=draft_id, oldest=oldest)
        return _draft(*found[0]) if found else None

    _TAKE = """
    UPDATE draft SET made_at = 0 WHERE id = :id AND made_at > :oldest
    RETURNING id, guild_id, member_id, content
    """

    @write
    def take(self, connection: apsw.Connection, draft_id: int, *, now: datetime) -> Draft | None:
        oldest = milliseconds(now - DRAFT_LIFETIME)
        taken = rows(connection, self._TAKE, id=draft_id, oldest=oldest)
        return _draft(*taken[0]) if taken else None

    _RESTORE = "UPDATE draft SET made_at = :now WHERE id = :id AND made_at = 0"

    @write
    def restore(self, connection: apsw.Connection, draft_id: int, *, now: datetime) -> None:
        rows(connection, self._RESTORE, id=draft_id, now=milliseconds(now))

    @write
    def erase(self, connection: apsw.Connection, draft_id: int) -> None:
        rows(connection, "DELETE FROM draft WHERE id = :id", id=draft_id)

    _ERASE_OLDER = "DELETE FROM draft WHERE made_at < :before RETURNING id"

    @write
    def erase_older(self, connection: apsw.Connection, before: datetime) -> int:
        return len(rows(connection, self._ERASE_OLDER, before=milliseconds(before)))


_OF_MEMBER = """
SELECT id, guild_id, member_id, content FROM draft
WHERE guild_id = :guild_id AND member_id = :member_id
ORDER BY made_at, id
"""


def read_drafts(connection: apsw.Connection, guild_id: int, member_id: int) -> list[Draft]:
    """Read a member's drafts in one server, oldest first."""
    found = rows(connection, _OF_MEMBER, guild_id=guild_id, member_id=member_id)
    return [_draft(*row) for row in found]


_ERASE_OF_MEMBER = "DELETE FROM draft WHERE guild_id = :guild_id AND member_id = :member_id"


def erase_drafts(connection: apsw.Connection, guild_id: int, member_id: int) -> None:
    """Erase a member's drafts in one server."""
    rows(connection, _ERASE_OF_MEMBER, guild_id=guild_id, member_id=member_id)


def _draft(draft_id: int, guild_id: int, member_id: int, content: str) -> Draft:
    kept: dict[str, Any] = json.loads(content)
    sources = tuple(ImageLink(**source) for source in kept.pop("sources"))
    quality = Quality(kept.pop("quality"))
    return Draft(draft_id, guild_id, member_id, sources=sources, quality=quality, **kept)
