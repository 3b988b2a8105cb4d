"""The ledger on one machine: SQLite through apsw, which brings its own, newest SQLite.

A `Writer` owns the one connection that writes; reads have a connection and a thread of their own.
Every decision falls inside a guarded statement, never between a read and a write.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import apsw

from bot.errors import LedgerFault, LedgerUnusable
from bot.ledger import AlreadyHeld, Edit, Held, Ledger, Order, OverQuota, PastEdit, statements
from bot.ledger.connection import (
    BUSY_MILLISECONDS,
    Value,
    as_ledger_fault,
    connect_to_read,
    connect_to_write,
    rows,
)
from bot.ledger.lock import only_process
from bot.ledger.migrations import migrate
from bot.ledger.writer import Writer
from bot.pricing import Quality
from bot.quotas import Balance, Window, window_at
from bot.states import LEAVES_FROM, Reason, State

T = TypeVar("T")


@asynccontextmanager
async def open_sqlite(
    path: Path, *, patience: int = BUSY_MILLISECONDS
) -> AsyncGenerator["SqliteLedger"]:
    """Open the ledger in the file `path`, made where there is none, for this process alone.

    A statement waits `patience` milliseconds for another process's transaction.

    Raises:
        LedgerInUse: another process has it.
        LedgerUnusable: it cannot be opened, is no database, or is of a newer version.
    """
    path = await asyncio.to_thread(_prepare_folder, path)
    with only_process(path):
        connection = await asyncio.to_thread(_connect_and_migrate, path, patience)
        reader = await asyncio.to_thread(connect_to_read, path)
        ledger = SqliteLedger(connection, reader)
        try:
            yield ledger
        finally:
            await ledger.close()


class SqliteLedger(Ledger):
    """`ledger.Ledger` over SQLite."""

    def __init__(self, connection: apsw.Connection, reader: apsw.Connection) -> None:
        self._connection = connection
        self._writer = Writer(connection)
        self._reader = reader
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="ledger-reader")

    async def close(self) -> None:
        """Finish what waits, and leave nothing of the erased tokens in the files."""
        with contextlib.suppress(LedgerFault):
            await self._writer.run(_rewrite_tokens)
        await self._writer.close()
        await asyncio.to_thread(self._reading.shutdown)
        self._reader.close()
        await asyncio.to_thread(self._connection.close)

    async def hold(
        self, order: Order, *, default_quota: int | None, owner: str, now: datetime
    ) -> Held | OverQuota | AlreadyHeld:
        window = window_at(now)
        day = now.astimezone(UTC).date().isoformat()

        def work(connection: apsw.Connection) -> Held | OverQuota:
            held = rows(
                connection,
                statements.HOLD_WITHIN_QUOTA,
                *(order.guild_id, order.member_id, day, order.hold),
                *(default_quota, window.first.isoformat(), window.end.isoformat()),
            )
            balance = _balance(connection, order.guild_id, order.member_id, window, default_quota)
            if not held:
                if rows(connection, statements.EDIT_BY_ID, order.id):
                    raise _HeldBeforeError
                return OverQuota(order.hold, balance)
            rows(connection, statements.HOLD_FOR_SERVER, order.guild_id, day, order.hold)
            if not _insert(connection, order, day=day, owner=owner, now=now):
                raise _HeldBeforeError
            return Held(_get_edit(connection, order.id), balance)

        try:
            return await self._writer.run(work)
        except _HeldBeforeError:
            return AlreadyHeld()

    async def acknowledge(self, edit_id: int, *, message_id: int | None, now: datetime) -> None:
        await self._writer.run(
            lambda connection: rows(
                connection, statements.ACKNOWLEDGE, edit_id, message_id, _milliseconds(now)
            )
        )

    async def submit(self, edit_id: int, *, ratio: str, now: datetime) -> Edit | None:
        return await self._move(edit_id, statements.SUBMIT, ratio, _milliseconds(now))

    async def render(self, edit_id: int, results: Sequence[str], *, now: datetime) -> Edit | None:
        def work(connection: apsw.Connection) -> Edit | None:
            if not rows(connection, statements.RENDER, edit_id, _milliseconds(now)):
                return None
            rows(connection, statements.KEEP_RESULTS, edit_id, json.dumps(list(results)))
            return _get_edit(connection, edit_id)

        return await self._writer.run(work)

    async def capture(self, edit_id: int, *, posted: int, now: datetime) -> Edit | None:
        def work(connection: apsw.Connection) -> Edit | None:
            for row in rows(connection, statements.CAPTURE, edit_id, posted, _milliseconds(now)):
                _settle(connection, row)
                rows(connection, statements.FORGET_TOKEN, edit_id)
                return _get_edit(connection, edit_id)
            return None

        return await self._writer.run(work)

    async def void(
        self, edit_id: int, reason: Reason, *, detail: str | None, now: datetime
    ) -> Edit | None:
        arrows = (*LEAVES_FROM[reason.state], None, None)[:3]

        def work(connection: apsw.Connection) -> Edit | None:
            end = (reason.state, reason, _milliseconds(now))
            for row in rows(connection, statements.VOID, edit_id, *end, *arrows):
                _settle(connection, row)
                rows(connection, statements.KEEP_DETAIL, edit_id, detail)
                return _get_edit(connection, edit_id)
            return None

        return await self._writer.run(work)

    async def forget_token(self, edit_id: int) -> None:
        await self._writer.run(
            lambda connection: rows(connection, statements.FORGET_TOKEN, edit_id)
        )

    async def unfinished(self) -> list[Edit]:
        return await self._read(
            lambda connection: [_edit(row) for row in rows(connection, statements.UNFINISHED)]
        )

    async def balance(
        self, guild_id: int, member_id: int, *, window: Window, default_quota: int | None
    ) -> Balance:
        return await self._read(
            lambda connection: _balance(connection, guild_id, member_id, window, default_quota)
        )

    async def statement(
        self,
        guild_id: int,
        member_id: int,
        *,
        window: Window,
        default_quota: int | None,
        latest: int,
    ) -> tuple[Balance, list[PastEdit]]:
        def work(connection: apsw.Connection) -> tuple[Balance, list[PastEdit]]:
            rows(connection, "BEGIN")
            try:
                balance = _balance(connection, guild_id, member_id, window, default_quota)
                edits = rows(connection, statements.PAST_EDITS, guild_id, member_id, latest)
            finally:
                rows(connection, "ROLLBACK")
            return balance, list(map(_past_edit, edits))

        return await self._read(work)

    async def _move(self, edit_id: int, statement: str, *values: Value) -> Edit | None:
        def work(connection: apsw.Connection) -> Edit | None:
            if not rows(connection, statement, edit_id, *values):
                return None
            return _get_edit(connection, edit_id)

        return await self._writer.run(work)

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reading, work, self._reader)
        except apsw.Error as fault:
            raise as_ledger_fault(fault) from fault


class _HeldBeforeError(Exception):
    """Rolls back a hold whose interaction has a row already."""


def _connect_and_migrate(path: Path, patience: int) -> apsw.Connection:
    try:
        connection = connect_to_write(path, patience=patience)
        migrate(connection)
    except (apsw.Error, LedgerUnusable) as fault:
        raise LedgerUnusable(
            f"The database {path} cannot be used: {fault}. Nothing in it was changed; "
            "mend it, or name another in DATABASE_URL."
        ) from fault
    return connection


def _prepare_folder(path: Path) -> Path:
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise LedgerUnusable(f"The folder {path.parent} cannot be made: {fault}") from fault
    return path


def _balance(
    connection: apsw.Connection,
    guild_id: int,
    member_id: int,
    window: Window,
    quota: int | None,
) -> Balance:
    days = (window.first.isoformat(), window.end.isoformat())
    ((granted, held, spent),) = rows(connection, statements.BALANCE, guild_id, member_id, *days)
    return Balance(quota=quota, granted=granted, held=held, spent=spent, window=window)


def _insert(
    connection: apsw.Connection, order: Order, *, day: str, owner: str, now: datetime
) -> bool:
    """Whether the order's row is new."""
    inserted = rows(
        connection,
        statements.INSERT_EDIT,
        *(order.id, order.application_id, order.guild_id, order.channel_id, order.member_id, day),
        *(order.quality, order.size, order.count, int(order.private), order.upload_limit),
        *(order.quality.price, owner, _milliseconds(now)),
    )
    if not inserted:
        return False
    rows(
        connection,
        statements.INSERT_PRIVATE,
        *(order.id, order.member_name, order.source_url, order.source_name, order.prompt),
    )
    rows(connection, statements.INSERT_TOKEN, order.id, order.token)
    return True


def _rewrite_tokens(connection: apsw.Connection) -> None:
    """Write the open edits' tokens anew, onto pages that were zeroed.

    SQLite overwrites what is deleted, but not the copies that it leaves behind when it moves rows
    from page to page; emptying the whole table zeroes its pages.
    """
    kept = rows(connection, statements.TOKENS)
    rows(connection, statements.FORGET_ALL_TOKENS)
    for edit_id, token in kept:
        rows(connection, statements.INSERT_TOKEN, edit_id, token)


def _settle(connection: apsw.Connection, ended: tuple[Any, ...]) -> None:
    """Take an ended edit's hold off the member's and the server's account, and charge them."""
    guild_id, member_id, day, hold, charged = ended
    rows(connection, statements.SETTLE, guild_id, member_id, day, hold, charged)


def _get_edit(connection: apsw.Connection, edit_id: int) -> Edit:
    (row,) = rows(connection, statements.EDIT_BY_ID, edit_id)
    return _edit(row)


def _edit(row: tuple[Any, ...]) -> Edit:
    column = dict(zip(statements.EDIT_COLUMNS, row, strict=True))
    return Edit(
        order=Order(
            id=column["id"],
            application_id=column["application_id"],
            guild_id=column["guild_id"],
            channel_id=column["channel_id"],
            member_id=column["member_id"],
            member_name=column["member_name"],
            token=column["token"],
            source_url=column["source_url"],
            source_name=column["source_name"],
            prompt=column["prompt"],
            quality=Quality(column["quality"]),
            size=column["size"],
            count=column["count"],
            private=bool(column["private"]),
            upload_limit=column["upload_limit"],
        ),
        state=State(column["state"]),
        reason=None if column["reason"] is None else Reason(column["reason"]),
        detail=column["detail"],
        message_id=column["message_id"],
        ratio=column["ratio"],
        results=tuple(json.loads(column["results"])),
        posted=column["posted"],
        charged=column["charged"],
        held_at=_moment(column["held_at"]),
        acknowledged_at=_moment_or_none(column["acknowledged_at"]),
        submitted_at=_moment_or_none(column["submitted_at"]),
        rendered_at=_moment_or_none(column["rendered_at"]),
        ended_at=_moment_or_none(column["ended_at"]),
    )


def _past_edit(row: tuple[Any, ...]) -> PastEdit:
    held_at, state, quality, count, posted, charged = row
    return PastEdit(
        held_at=_moment(held_at),
        state=State(state),
        quality=Quality(quality),
        count=count,
        posted=posted,
        charged=charged,
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _moment_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _moment(milliseconds)
