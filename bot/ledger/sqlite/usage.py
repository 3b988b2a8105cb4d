"""Usage reports from SQLite."""

from collections.abc import Sequence
from datetime import date

import apsw

from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import SERVER_BUDGET, Limit, Period, Window
from bot.ledger.sqlite.accounts import SERVER, days_of, read_period, read_rules, read_sums
from bot.ledger.sqlite.connection import moment, moment_or_none, records, rows
from bot.ledger.sqlite.database import Reader, report
from bot.ledger.usage import DailyUse, MemberUse, ServerUse, Usage, UsageBook, UsageRow


class SqliteUsageBook(UsageBook):
    """Reports over a connection of their own."""

    def __init__(self, reporter: Reader) -> None:
        self.reporter = reporter

    _DAILY = """
    SELECT day, quality, count(*) FILTER (WHERE posted > 0), sum(posted), sum(charged)
    FROM edit
    WHERE guild_id = :guild_id AND day >= :since AND day < :end AND ended_at IS NOT NULL
    GROUP BY day, quality
    ORDER BY day, quality
    """
    _TOP = """
    SELECT member_id, (
        SELECT member_name
        FROM edit AS named
        JOIN edit_private ON edit_id = named.id
        WHERE named.guild_id = :guild_id AND named.member_id = edit.member_id
        ORDER BY named.held_at DESC
        LIMIT 1
    ), sum(posted), sum(charged) AS credits
    FROM edit
    WHERE guild_id = :guild_id AND day >= :first AND day < :end AND ended_at IS NOT NULL
    GROUP BY member_id
    HAVING sum(charged) > 0
    ORDER BY credits DESC, member_id
    LIMIT :limit
    """
    _FAILURES = """
    SELECT reason, count(*)
    FROM edit
    WHERE guild_id = :guild_id AND day >= :first AND day < :end
    AND ended_at IS NOT NULL AND reason IS NOT NULL
    GROUP BY reason
    ORDER BY count(*) DESC, reason
    """

    @report
    def usage(
        self,
        connection: apsw.Connection,
        guild_id: int,
        *,
        window: Window,
        since: date,
        limit: int,
    ) -> Usage:
        days = days_of(window)
        rules = read_rules(connection, guild_id)
        sums = read_sums(connection, guild_id, SERVER, window)
        daily = rows(
            connection, self._DAILY, guild_id=guild_id, since=since.isoformat(), end=days["end"]
        )
        top = rows(connection, self._TOP, guild_id=guild_id, limit=limit, **days)
        failures = rows(connection, self._FAILURES, guild_id=guild_id, **days)
        return Usage(
            window=window,
            period=rules.period,
            budget=rules.limits.get(SERVER_BUDGET, Limit(None)).credits,
            daily=tuple(
                DailyUse(date.fromisoformat(day), Quality(quality), *numbers)
                for day, quality, *numbers in daily
            ),
            top=tuple(MemberUse(*row) for row in top),
            failures={Reason(reason): count for reason, count in failures},
            held=sums.held,
            sent=sums.sent,
        )

    @report
    def period(self, connection: apsw.Connection, guild_id: int) -> Period:
        return read_period(connection, guild_id)

    # `guild_id + 0` keeps SQLite from sorting all the server's edits for each page.
    _ROWS = """
    SELECT
        edit.held_at, id AS edit_id, member_id, member_name, channel_id,
        quality, size, count, posted, charged, state, ended_at
    FROM edit
    LEFT JOIN edit_private ON edit_id = id
    WHERE id > :after AND day >= :first AND day < :end AND guild_id + 0 = :guild_id
    ORDER BY id
    LIMIT :limit
    """

    @report
    def rows(
        self,
        connection: apsw.Connection,
        guild_id: int,
        window: Window | None,
        *,
        after: int,
        limit: int,
    ) -> Sequence[UsageRow]:
        found = records(
            connection, self._ROWS, guild_id=guild_id, after=after, limit=limit, **days_of(window)
        )
        return [
            UsageRow(
                held_at=moment(row.pop("held_at")),
                quality=Quality(row.pop("quality")),
                state=State(row.pop("state")),
                ended_at=moment_or_none(row.pop("ended_at")),
                **row,
            )
            for row in found
        ]

    _SERVERS = "SELECT DISTINCT guild_id FROM account WHERE guild_id <> 0 ORDER BY guild_id"

    @report
    def servers(self, connection: apsw.Connection) -> Sequence[int]:
        return [guild_id for (guild_id,) in rows(connection, self._SERVERS)]

    _DELIVERED = """
    SELECT count(*), coalesce(sum(posted), 0)
    FROM edit
    WHERE guild_id = :guild_id AND day >= :first AND day < :end
    AND ended_at IS NOT NULL AND posted > 0
    """

    @report
    def server(
        self, connection: apsw.Connection, guild_id: int, window: Window | None
    ) -> ServerUse:
        sums = read_sums(connection, guild_id, SERVER, window)
        ((edits, images),) = rows(connection, self._DELIVERED, guild_id=guild_id, **days_of(window))
        return ServerUse(
            guild_id=guild_id,
            window=window,
            edits=edits,
            images=images,
            charged=sums.spent,
            sent=sums.sent,
            held=sums.held,
        )
