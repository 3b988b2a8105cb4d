"""`ledger.Ledger` over SQLite: every decision falls inside a guarded statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import apsw

from bot.domain.edits import (
    AlreadyHeld,
    Durations,
    Edit,
    Held,
    MessageRef,
    Order,
    OverLimit,
    OverQuota,
    PastEdit,
)
from bot.domain.images import SourceChange
from bot.domain.lifecycle import LEAVES_FROM, MAY_HAVE_COST, Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import (
    Allowance,
    Balance,
    Budget,
    Member,
    OperatorLimits,
    day_of,
    decide,
    window_at,
)
from bot.ledger import Ledger
from bot.ledger.sqlite.accounts import BOT, SERVER, days_of, read_sums
from bot.ledger.sqlite.connection import Value, milliseconds, moment, moment_or_none, rows
from bot.ledger.sqlite.database import Database
from bot.ledger.sqlite.quota_rules import read_rules
from bot.ledger.statements import edits as statements


class SqliteLedger(Ledger):
    """Edits and accounts in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(
        self, order: Order, *, limits: OperatorLimits, owner: str, now: datetime
    ) -> Held | OverQuota | OverLimit | AlreadyHeld:
        day = day_of(now).isoformat()

        def work(connection: apsw.Connection) -> Held | OverQuota | OverLimit | AlreadyHeld:
            try:
                with connection:
                    _hold(connection, order, day=day, limits=limits, now=now)
                    _insert(connection, order, limits, day=day, owner=owner, now=now)
            except _NotHeldError:
                return _say_why_not(connection, order, limits, now)
            return Held(_get_edit(connection, order.id))

        return await self._database.write(work)

    async def acknowledge(self, edit_id: int, *, message_id: int | None, now: datetime) -> None:
        await self._database.write(
            lambda connection: rows(
                connection, statements.ACKNOWLEDGE, edit_id, message_id, milliseconds(now)
            )
        )

    async def submit(
        self, edit_id: int, *, ratio: str, now: datetime, changes: Sequence[SourceChange] = ()
    ) -> Edit | None:
        return await self._move(
            edit_id, statements.SUBMIT, ratio, milliseconds(now), json.dumps(list(changes))
        )

    async def render(self, edit_id: int, results: Sequence[str], *, now: datetime) -> Edit | None:
        def work(connection: apsw.Connection) -> Edit | None:
            if not rows(connection, statements.RENDER, edit_id, milliseconds(now)):
                return None
            rows(connection, statements.KEEP_RESULTS, edit_id, json.dumps(list(results)))
            return _get_edit(connection, edit_id)

        return await self._database.write(work)

    async def capture(
        self, edit_id: int, *, posted: int, now: datetime, place: MessageRef | None = None
    ) -> Edit | None:
        where = (None, None) if place is None else (place.message_id, place.channel_id)

        def work(connection: apsw.Connection) -> Edit | None:
            values = (edit_id, posted, milliseconds(now), *where)
            for row in rows(connection, statements.CAPTURE, *values):
                _settle(connection, row, reason=None)
                rows(connection, statements.FORGET_COPY, edit_id)
                ended = _get_edit(connection, edit_id)
                _forget_token(connection, edit_id)
                return replace(ended, order=replace(ended.order, token=None))
            return None

        return await self._database.write(work)

    async def void(
        self, edit_id: int, reason: Reason, *, detail: str | None, now: datetime
    ) -> Edit | None:
        arrows = (*LEAVES_FROM[reason.state], None, None)[:3]

        def work(connection: apsw.Connection) -> Edit | None:
            end = (reason.state, reason, milliseconds(now))
            for row in rows(connection, statements.VOID, edit_id, *end, *arrows):
                _settle(connection, row, reason=reason)
                rows(connection, statements.FORGET_COPY, edit_id)
                rows(connection, statements.KEEP_DETAIL, edit_id, detail)
                return _get_edit(connection, edit_id)
            return None

        return await self._database.write(work)

    async def forget_token(self, edit_id: int) -> None:
        await self._database.write(lambda connection: _forget_token(connection, edit_id))

    async def find(self, edit_id: int) -> Edit | None:
        def work(connection: apsw.Connection) -> Edit | None:
            found = rows(connection, statements.EDIT_BY_ID, edit_id)
            return _edit(found[0]) if found else None

        return await self._database.read(work)

    async def unfinished(self) -> list[Edit]:
        return await self._database.read(
            lambda connection: [_edit(row) for row in rows(connection, statements.UNFINISHED)]
        )

    async def latest_times(self, *, most: int) -> Mapping[Quality, Sequence[Durations]]:
        def work(connection: apsw.Connection) -> Mapping[Quality, Sequence[Durations]]:
            return {
                quality: [
                    Durations(call=(rendered - submitted) / 1000, posting=(ended - rendered) / 1000)
                    for submitted, rendered, ended in reversed(
                        rows(connection, statements.LATEST_TIMES, quality, most)
                    )
                ]
                for quality in Quality
            }

        return await self._database.read(work)

    async def balance(self, member: Member, *, limits: OperatorLimits, now: datetime) -> Balance:
        return await self._database.read(
            lambda connection: _balance(connection, member, limits, now)
        )

    async def statement(
        self, member: Member, *, limits: OperatorLimits, now: datetime, latest: int
    ) -> tuple[Balance, list[PastEdit]]:
        def work(connection: apsw.Connection) -> tuple[Balance, list[PastEdit]]:
            balance = _balance(connection, member, limits, now)
            edits = rows(connection, statements.PAST_EDITS, member.guild_id, member.id, latest)
            return balance, list(map(_past_edit, edits))

        return await self._database.read(work)

    async def _move(self, edit_id: int, statement: str, *values: Value) -> Edit | None:
        def work(connection: apsw.Connection) -> Edit | None:
            if not rows(connection, statement, edit_id, *values):
                return None
            return _get_edit(connection, edit_id)

        return await self._database.write(work)


class _NotHeldError(Exception):
    """Rolls back a hold that one of the guards, or a row of the same interaction, forbids."""


def _hold(
    connection: apsw.Connection, order: Order, *, day: str, limits: OperatorLimits, now: datetime
) -> None:
    """Set the price aside on all accounts that it counts in; raises where a guard forbids it."""
    allowance = _allowance(connection, order.member, limits, now)
    member, server, bot = (order.guild_id, order.member_id), (order.guild_id, SERVER), (BOT, SERVER)
    within, within_operators = statements.HOLD_WITHIN_LIMIT, statements.HOLD_WITHIN_OPERATOR_BUDGET
    guards = (
        (within, member, allowance.quota.credits, allowance.window),
        (within, server, allowance.budget, allowance.window),
        (within_operators, bot, limits.daily_budget, window_at(now)),
    )
    for statement, account, limit, window in guards:
        if not rows(connection, statement, *account, day, order.hold, limit, *days_of(window)):
            raise _NotHeldError


def _say_why_not(
    connection: apsw.Connection, order: Order, limits: OperatorLimits, now: datetime
) -> OverQuota | OverLimit | AlreadyHeld:
    if rows(connection, statements.EDIT_BY_ID, order.id):
        return AlreadyHeld()
    if limits.open_edits is not None:
        ((open_edits,),) = rows(connection, statements.COUNT_OPEN, order.member_id)
        if open_edits >= limits.open_edits:
            return OverLimit(limits.open_edits)
    return OverQuota(order.hold, _balance(connection, order.member, limits, now))


def _allowance(
    connection: apsw.Connection, member: Member, limits: OperatorLimits, now: datetime
) -> Allowance:
    rules = read_rules(connection, member.guild_id, about=member.id)
    return decide(rules, member, now, default_quota=limits.default_quota)


def _balance(
    connection: apsw.Connection, member: Member, limits: OperatorLimits, now: datetime
) -> Balance:
    allowance = _allowance(connection, member, limits, now)
    window, today = allowance.window, window_at(now)
    own = read_sums(connection, member.guild_id, member.id, window)
    budget = operator_budget = None
    if allowance.budget is not None:
        all_here = read_sums(connection, member.guild_id, SERVER, window)
        budget = Budget(allowance.budget, all_here.held + all_here.spent, window)
    if limits.daily_budget is not None:
        all_sent = read_sums(connection, BOT, SERVER, today)
        operator_budget = Budget(limits.daily_budget, all_sent.held + all_sent.sent, today)
    return Balance(
        quota=allowance.quota,
        granted=own.granted,
        held=own.held,
        spent=own.spent,
        window=window,
        budget=budget,
        operator_budget=operator_budget,
    )


def _insert(
    connection: apsw.Connection,
    order: Order,
    limits: OperatorLimits,
    *,
    day: str,
    owner: str,
    now: datetime,
) -> None:
    """Keep the order as a row; raises where its interaction has one, or its member too many."""
    inserted = rows(
        connection,
        statements.INSERT_EDIT,
        *(order.id, order.application_id, order.guild_id, order.channel_id, order.member_id, day),
        *(order.quality, order.size, order.count, int(order.private), order.upload_limit),
        *(int(order.source_public), order.quality.price, owner, milliseconds(now)),
        limits.open_edits,
    )
    if not inserted:
        raise _NotHeldError
    rows(
        connection,
        statements.INSERT_PRIVATE,
        *(order.id, order.member_name, order.source_url, order.source_name, order.prompt),
        *(json.dumps(order.role_ids), milliseconds(now), order.source_edit_id),
    )
    rows(connection, statements.INSERT_TOKEN, order.id, order.token)


def rewrite_tokens(connection: apsw.Connection) -> None:
    """Write the open edits' tokens anew, so that their table's pages keep none of the erased."""
    kept = rows(connection, statements.TOKENS)
    rows(connection, statements.FORGET_ALL_TOKENS)
    for edit_id, token in kept:
        rows(connection, statements.INSERT_TOKEN, edit_id, token)


def _forget_token(connection: apsw.Connection, edit_id: int) -> None:
    """Erase an ended edit's token, and its member's data if they asked for it meanwhile."""
    rows(connection, statements.FORGET_TOKEN, edit_id)
    rows(connection, statements.ERASE_IF_ASKED, edit_id)


def _settle(connection: apsw.Connection, ended: tuple[Any, ...], *, reason: Reason | None) -> None:
    """Take an ended edit's hold off all accounts, charge them, and count what was sent."""
    guild_id, member_id, day, hold, charged, submitted_at = ended
    sent = submitted_at is not None and (reason is None or reason in MAY_HAVE_COST)
    rows(
        connection,
        statements.SETTLE,
        *(guild_id, member_id, day, hold, charged, hold if sent else 0),
    )


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
            source_public=bool(column["source_public"]),
            source_edit_id=column["source_edit_id"],
            role_ids=tuple(json.loads(column["roles"])),
        ),
        state=State(column["state"]),
        reason=None if column["reason"] is None else Reason(column["reason"]),
        detail=column["detail"],
        message_id=column["message_id"],
        ratio=column["ratio"],
        results=tuple(json.loads(column["results"])),
        posted=column["posted"],
        charged=column["charged"],
        held_at=moment(column["held_at"]),
        acknowledged_at=moment_or_none(column["acknowledged_at"]),
        submitted_at=moment_or_none(column["submitted_at"]),
        rendered_at=moment_or_none(column["rendered_at"]),
        ended_at=moment_or_none(column["ended_at"]),
        source_changes=tuple(map(SourceChange, json.loads(column["source_changes"]))),
        erase_when_done=bool(column["doomed"]),
        borrowed=bool(column["borrowed"]),
        message_channel_id=column["message_channel_id"],
    )


def _past_edit(row: tuple[Any, ...]) -> PastEdit:
    held_at, state, quality, count, posted, charged = row
    return PastEdit(
        held_at=moment(held_at),
        state=State(state),
        quality=Quality(quality),
        count=count,
        posted=posted,
        charged=charged,
    )
