"""`archive.Archive` over SQLite."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import apsw

from bot.domain.errors import LedgerError
from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.ledger.archive import Archive, Erasure, KeptAccount, KeptEdit, KeptSums
from bot.ledger.sqlite.connection import milliseconds, moment, moment_or_none, rows
from bot.ledger.sqlite.database import Database
from bot.ledger.sqlite.drafts import read_draft
from bot.ledger.statements import archive as statements
from bot.ledger.statements import drafts

LATEST = 2**63 - 1

STEP = 200
"""Edits whose data is erased in one transaction, so that no hold waits long for the writer."""


class SqliteArchive(Archive):
    """Members' data in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sums(self, guild_id: int, member_id: int) -> KeptSums:
        def work(connection: apsw.Connection) -> KeptSums:
            accounts = rows(connection, statements.ACCOUNTS, guild_id, member_id)
            ((edits,),) = rows(connection, statements.COUNT_EDITS, guild_id, member_id)
            begun = rows(connection, drafts.OF_MEMBER, guild_id, member_id)
            return KeptSums(
                accounts=[KeptAccount(date.fromisoformat(day), *sums) for day, *sums in accounts],
                edits=edits,
                drafts=[read_draft(row) for row in begun],
            )

        return await self._database.reporter.run(work)

    async def edits(
        self, guild_id: int, member_id: int, *, before: KeptEdit | None, most: int
    ) -> Sequence[KeptEdit]:
        bound = (LATEST, LATEST) if before is None else (milliseconds(before.held_at), before.id)

        def work(connection: apsw.Connection) -> Sequence[KeptEdit]:
            found = rows(connection, statements.EDITS, guild_id, member_id, *bound, most)
            return list(map(_kept_edit, found))

        return await self._database.reporter.run(work)

    async def page(
        self, guild_id: int, member_id: int, *, skip: int, most: int
    ) -> tuple[Sequence[KeptEdit], int]:
        def work(connection: apsw.Connection) -> tuple[Sequence[KeptEdit], int]:
            found = rows(connection, statements.PAGE, guild_id, member_id, skip, most)
            ((count,),) = rows(connection, statements.COUNT_EDITS, guild_id, member_id)
            return list(map(_kept_edit, found)), count

        return await self._database.read(work)

    async def erase(self, guild_id: int, member_id: int) -> Erasure:
        def mark(connection: apsw.Connection) -> int:
            rows(connection, drafts.ERASE_OF_MEMBER, guild_id, member_id)
            return len(rows(connection, statements.ERASE_AT_THEIR_END, guild_id, member_id))

        def erase_some(connection: apsw.Connection) -> int:
            return len(rows(connection, statements.ERASE_ENDED, guild_id, member_id, STEP))

        under_way = await self._database.write(mark)
        erased = step = await self._database.write(erase_some)
        try:
            while step == STEP:
                step = await self._database.write(erase_some)
                erased += step
        except LedgerError:
            return Erasure(erased=erased, under_way=under_way, whole=False)
        return Erasure(erased=erased, under_way=under_way)

    async def erase_links(self, edit_id: int) -> None:
        def work(connection: apsw.Connection) -> None:
            rows(connection, statements.ERASE_OWN_ORIGINAL, edit_id)
            rows(connection, statements.ERASE_LINKS, edit_id)

        await self._database.write(work)

    async def erase_older(self, before: datetime, *, most: int) -> int:
        def work(connection: apsw.Connection) -> int:
            return len(rows(connection, statements.ERASE_OLDER, milliseconds(before), most))

        return await self._database.write(work)


def _kept_edit(row: tuple[Any, ...]) -> KeptEdit:
    column = dict(zip(statements.KEPT, row, strict=True))
    return KeptEdit(
        id=column["id"],
        held_at=moment(column["held_at"]),
        acknowledged_at=moment_or_none(column["acknowledged_at"]),
        submitted_at=moment_or_none(column["submitted_at"]),
        rendered_at=moment_or_none(column["rendered_at"]),
        ended_at=moment_or_none(column["ended_at"]),
        channel_id=column["channel_id"],
        message_id=column["message_id"],
        quality=Quality(column["quality"]),
        size=column["size"],
        ratio=column["ratio"],
        count=column["count"],
        private=bool(column["private"]),
        price=column["price"],
        state=State(column["state"]),
        reason=None if column["reason"] is None else Reason(column["reason"]),
        posted=column["posted"],
        charged=column["charged"],
        member_name=column["member_name"],
        prompt=column["prompt"],
        source_name=column["source_name"] or None,
        source_url=column["source_url"] or None,
        results=_listed(column["results"]),
        detail=column["detail"],
        role_ids=_listed(column["roles"]),
        message_channel_id=column["message_channel_id"],
        source_changes=tuple(map(SourceChange, json.loads(column["source_changes"]))),
    )


def _listed(column: str | None) -> tuple[Any, ...] | None:
    return None if column is None else tuple(json.loads(column))
