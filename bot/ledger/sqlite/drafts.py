"""`drafts.DraftBook` over SQLite."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import apsw

from bot.domain.images import ImageLink
from bot.domain.pricing import Quality
from bot.ledger.drafts import LIFE, Draft, DraftBook
from bot.ledger.sqlite.connection import milliseconds, rows
from bot.ledger.sqlite.database import Database
from bot.ledger.statements import drafts as statements

_COLUMNS = frozenset({"id", "guild_id", "member_id"})


class SqliteDraftBook(DraftBook):
    """Drafts in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, draft: Draft, *, now: datetime) -> None:
        content = {key: value for key, value in asdict(draft).items() if key not in _COLUMNS}
        values = (draft.id, draft.guild_id, draft.member_id, milliseconds(now), json.dumps(content))
        await self._database.write(lambda connection: rows(connection, statements.KEEP, *values))

    async def find(self, draft_id: int, *, now: datetime) -> Draft | None:
        bound = milliseconds(now - LIFE)

        def work(connection: apsw.Connection) -> Draft | None:
            return _first(rows(connection, statements.FIND, draft_id, bound))

        return await self._database.read(work)

    async def take(self, draft_id: int, *, now: datetime) -> Draft | None:
        bound = milliseconds(now - LIFE)

        def work(connection: apsw.Connection) -> Draft | None:
            return _first(rows(connection, statements.TAKE, draft_id, bound))

        return await self._database.write(work)

    async def erase_older(self, before: datetime) -> int:
        bound = milliseconds(before)

        def work(connection: apsw.Connection) -> int:
            return len(rows(connection, statements.ERASE_OLDER, bound))

        return await self._database.write(work)


def read_draft(row: tuple[Any, ...]) -> Draft:
    """The draft that a row has."""
    draft_id, guild_id, member_id, content = row
    kept = json.loads(content)
    sources = tuple(ImageLink(**source) for source in kept.pop("sources"))
    quality = Quality(kept.pop("quality"))
    return Draft(draft_id, guild_id, member_id, sources=sources, quality=quality, **kept)


def _first(found: list[tuple[Any, ...]]) -> Draft | None:
    return read_draft(found[0]) if found else None
