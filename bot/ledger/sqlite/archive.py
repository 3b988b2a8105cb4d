"""Personal data in SQLite."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import apsw

from bot.domain.edits import Edit
from bot.domain.errors import LedgerError
from bot.ledger.archive import AccountDay, Archive, Erasure, MemberSummary
from bot.ledger.sqlite.connection import milliseconds, rows
from bot.ledger.sqlite.database import Store, read, report, write
from bot.ledger.sqlite.drafts import erase_drafts, read_drafts
from bot.ledger.sqlite.edit_rows import read_edits

ERASE_BATCH = 200
"""Edits erased in one transaction, so that no hold waits long for the writer."""

_LATEST = 2**63 - 1


class SqliteArchive(Store, Archive):
    """Members' data in one database."""

    _ACCOUNTS = """
    SELECT day, granted, held, spent, sent FROM account
    WHERE guild_id = :guild_id AND member_id = :member_id
    ORDER BY day
    """

    @report
    def summary(self, connection: apsw.Connection, guild_id: int, member_id: int) -> MemberSummary:
        accounts = rows(connection, self._ACCOUNTS, guild_id=guild_id, member_id=member_id)
        return MemberSummary(
            accounts=[AccountDay(date.fromisoformat(day), *sums) for day, *sums in accounts],
            edits=_count_edits(connection, guild_id, member_id),
            drafts=read_drafts(connection, guild_id, member_id),
        )

    _EDITS = """
    WHERE guild_id = :guild_id AND member_id = :member_id
    AND (edit.held_at, edit.id) < (:held_at, :id)
    ORDER BY edit.held_at DESC, edit.id DESC
    LIMIT :limit
    """

    @report
    def edits(
        self,
        connection: apsw.Connection,
        guild_id: int,
        member_id: int,
        *,
        before: Edit | None,
        limit: int,
    ) -> Sequence[Edit]:
        found = read_edits(
            connection,
            self._EDITS,
            guild_id=guild_id,
            member_id=member_id,
            held_at=_LATEST if before is None else milliseconds(before.held_at),
            id=_LATEST if before is None else before.order.id,
            limit=limit,
        )
        return list(map(_own_data, found))

    _PAGE = """
    WHERE guild_id = :guild_id AND member_id = :member_id
    ORDER BY edit.held_at DESC, edit.id DESC
    LIMIT :limit OFFSET :skip
    """

    @read
    def page(
        self, connection: apsw.Connection, guild_id: int, member_id: int, *, skip: int, limit: int
    ) -> tuple[Sequence[Edit], int]:
        found = read_edits(
            connection, self._PAGE, guild_id=guild_id, member_id=member_id, skip=skip, limit=limit
        )
        return list(map(_own_data, found)), _count_edits(connection, guild_id, member_id)

    async def erase(self, guild_id: int, member_id: int) -> Erasure:
        pending = await self._erase_when_done(guild_id, member_id)
        erased = batch = await self._erase_ended(guild_id, member_id)
        try:
            while batch == ERASE_BATCH:
                batch = await self._erase_ended(guild_id, member_id)
                erased += batch
        except LedgerError:
            return Erasure(erased, pending, complete=False)
        return Erasure(erased, pending)

    _ERASE_WHEN_DONE = """
    UPDATE edit_private SET doomed = 1
    WHERE edit_id IN (
        SELECT id FROM edit JOIN edit_token ON edit_id = id
        WHERE guild_id = :guild_id AND member_id = :member_id
    )
    RETURNING edit_id
    """

    @write
    def _erase_when_done(self, connection: apsw.Connection, guild_id: int, member_id: int) -> int:
        erase_drafts(connection, guild_id, member_id)
        marked = rows(connection, self._ERASE_WHEN_DONE, guild_id=guild_id, member_id=member_id)
        return len(marked)

    _ERASE_ENDED = """
    DELETE FROM edit_private
    WHERE edit_id IN (
        SELECT edit_id FROM edit JOIN edit_private ON edit_id = id
        WHERE guild_id = :guild_id AND member_id = :member_id
        AND edit_id NOT IN (SELECT edit_id FROM edit_token)
        LIMIT :limit
    )
    RETURNING edit_id
    """

    @write
    def _erase_ended(self, connection: apsw.Connection, guild_id: int, member_id: int) -> int:
        erased = rows(
            connection,
            self._ERASE_ENDED,
            guild_id=guild_id,
            member_id=member_id,
            limit=ERASE_BATCH,
        )
        return len(erased)

    _ERASE_OWN_ORIGINAL = """
    UPDATE edit_private SET source_url = '', source_name = ''
    WHERE edit_id = (
        SELECT first.id
        FROM edit AS rerun
        JOIN edit_private AS own ON own.edit_id = rerun.id
        JOIN edit AS first ON first.id = own.source_edit_id
        WHERE rerun.id = :edit_id AND first.member_id = rerun.member_id
    )
    """
    # A member can give the same upload to several edits. The query is a signature, which differs.
    _ERASE_SAME_ORIGINAL = """
    UPDATE edit_private SET source_url = '', source_name = ''
    WHERE edit_id IN (
        SELECT other.id
        FROM edit AS deleted
        JOIN edit_private AS own ON own.edit_id = deleted.id
        JOIN edit AS other
        ON other.guild_id = deleted.guild_id AND other.member_id = deleted.member_id
        JOIN edit_private AS its ON its.edit_id = other.id
        WHERE deleted.id = :edit_id AND own.source_url <> '' AND other.ended_at IS NOT NULL
        AND substr(its.source_url, 1, instr(its.source_url || '?', '?') - 1)
            = substr(own.source_url, 1, instr(own.source_url || '?', '?') - 1)
    )
    """
    _ERASE_LINKS = """
    UPDATE edit_private SET
        source_url = '', source_name = '', source_edit_id = NULL, results = '[]', detail = NULL
    WHERE edit_id = :edit_id
    """

    @write
    def erase_links(self, connection: apsw.Connection, edit_id: int) -> None:
        rows(connection, self._ERASE_OWN_ORIGINAL, edit_id=edit_id)
        rows(connection, self._ERASE_SAME_ORIGINAL, edit_id=edit_id)
        rows(connection, self._ERASE_LINKS, edit_id=edit_id)

    _ERASE_OLDER = """
    DELETE FROM edit_private
    WHERE edit_id IN (
        SELECT edit_id FROM edit_private
        WHERE held_at < :before AND edit_id NOT IN (SELECT edit_id FROM edit_token)
        ORDER BY held_at
        LIMIT :limit
    )
    RETURNING edit_id
    """

    @write
    def erase_older(self, connection: apsw.Connection, before: datetime, *, limit: int) -> int:
        return len(rows(connection, self._ERASE_OLDER, before=milliseconds(before), limit=limit))


_COUNT_EDITS = "SELECT count(*) FROM edit WHERE guild_id = :guild_id AND member_id = :member_id"


def _count_edits(connection: apsw.Connection, guild_id: int, member_id: int) -> int:
    ((count,),) = rows(connection, _COUNT_EDITS, guild_id=guild_id, member_id=member_id)
    return count


def _own_data(edit: Edit) -> Edit:
    """Remove the token, and an original that belongs to another member."""
    order = replace(edit.order, token=None)
    if edit.borrowed and order.personal is not None:
        own = replace(order.personal, source_url="", source_name="")
        order = replace(order, personal=own)
    return replace(edit, order=order)
