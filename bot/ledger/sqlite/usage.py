"""`usage.UsageBook` over SQLite."""

from collections.abc import Sequence
from datetime import date

import apsw

from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import SERVER_BUDGET, Limit, Period, Window
from bot.ledger.sqlite.accounts import SERVER, days_of, read_sums
from bot.ledger.sqlite.connection import moment, moment_or_none, rows
from bot.ledger.sqlite.database import Reader
from bot.ledger.sqlite.quota_rules import read_rules
from bot.ledger.statements import usage as statements
from bot.ledger.usage import DailyUse, MemberUse, ServerUse, Usage, UsageBook, UsageRow


class SqliteUsageBook(UsageBook):
    """Sums and rows, read over a connection of their own."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def usage(self, guild_id: int, *, window: Window, since: date, most: int) -> Usage:
        days = days_of(window)

        def work(connection: apsw.Connection) -> Usage:
            rules = read_rules(connection, guild_id)
            sums = read_sums(connection, guild_id, SERVER, window)
            daily = rows(connection, statements.DAILY, guild_id, since.isoformat(), days[1])
            return Usage(
                window=window,
                period=rules.period,
                budget=rules.limits.get(SERVER_BUDGET, Limit(None)).credits,
                daily=tuple(_daily(*row) for row in daily),
                top=tuple(
                    MemberUse(member_id, name, pictures, credits)
                    for member_id, pictures, credits, name in rows(
                        connection, statements.TOP, guild_id, *days, most
                    )
                ),
                failures={
                    Reason(reason): count
                    for reason, count in rows(connection, statements.FAILURES, guild_id, *days)
                },
                held=sums.held,
                sent=sums.sent,
            )

        return await self._reader.run(work)

    async def period(self, guild_id: int) -> Period:
        return await self._reader.run(lambda connection: read_rules(connection, guild_id).period)

    async def rows(
        self, guild_id: int, window: Window | None, *, after: int, most: int
    ) -> Sequence[UsageRow]:
        days = days_of(window)

        def work(connection: apsw.Connection) -> Sequence[UsageRow]:
            found = rows(connection, statements.ROWS, after, most, *days, guild_id)
            return [_row(*row) for row in found]

        return await self._reader.run(work)

    async def servers(self) -> Sequence[int]:
        return await self._reader.run(
            lambda connection: [guild_id for (guild_id,) in rows(connection, statements.SERVERS)]
        )

    async def server(self, guild_id: int, window: Window | None) -> ServerUse:
        days = days_of(window)

        def work(connection: apsw.Connection) -> ServerUse:
            sums = read_sums(connection, guild_id, SERVER, window)
            ((edits, pictures),) = rows(connection, statements.DELIVERED, guild_id, *days)
            return ServerUse(
                guild_id=guild_id,
                window=window,
                edits=edits,
                pictures=pictures,
                charged=sums.spent,
                sent=sums.sent,
                held=sums.held,
            )

        return await self._reader.run(work)


def _daily(day: str, quality: str, edits: int, pictures: int, credits: int) -> DailyUse:
    return DailyUse(date.fromisoformat(day), Quality(quality), edits, pictures, credits)


def _row(
    held_at: int,
    edit_id: int,
    member_id: int,
    member_name: str | None,
    channel_id: int,
    quality: str,
    size: str,
    count: int,
    posted: int,
    charged: int,
    state: str,
    ended_at: int | None,
) -> UsageRow:
    return UsageRow(
        held_at=moment(held_at),
        edit_id=edit_id,
        member_id=member_id,
        member_name=member_name,
        channel_id=channel_id,
        quality=Quality(quality),
        size=size,
        count=count,
        posted=posted,
        charged=charged,
        state=State(state),
        ended_at=moment_or_none(ended_at),
    )
