"""`quota_rules.QuotaRules` over SQLite."""

from collections.abc import Collection, Mapping
from datetime import datetime

import apsw

from bot.domain.errors import ListFullError
from bot.domain.quotas import Limit, Period, RuleKey, Rules, Scope, day_of, window_at
from bot.domain.server_settings import MAX_LISTED, Setting, SettingName
from bot.ledger.quota_rules import (
    Author,
    Change,
    Grant,
    Overview,
    QuotaRules,
    SettingChange,
    Topic,
)
from bot.ledger.sqlite.accounts import SERVER, read_sums
from bot.ledger.sqlite.connection import milliseconds, moment, rows
from bot.ledger.sqlite.database import Database
from bot.ledger.statements import edits as accounts
from bot.ledger.statements import quota_rules as statements


class SqliteQuotaRules(QuotaRules):
    """Rules, settings and their trail in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def overview(self, guild_id: int, *, now: datetime) -> Overview:
        def work(connection: apsw.Connection) -> Overview:
            rules = read_rules(connection, guild_id)
            window = window_at(now, rules.period)
            sums = read_sums(connection, guild_id, SERVER, window)
            return Overview(rules, window, sums.held, sums.spent)

        return await self._database.read(work)

    async def set_limits(
        self, guild_id: int, limits: Mapping[RuleKey, Limit | None], author: Author
    ) -> Mapping[RuleKey, Limit | None]:
        def work(connection: apsw.Connection) -> Mapping[RuleKey, Limit | None]:
            return {
                key: _set_limit(connection, guild_id, key, limit, author)
                for key, limit in limits.items()
            }

        return await self._database.write(work)

    async def take_limit_back(
        self, guild_id: int, key: RuleKey, shown: Limit, author: Author
    ) -> bool:
        def work(connection: apsw.Connection) -> bool:
            if _read_limit(connection, guild_id, key) != shown:
                return False
            _set_limit(connection, guild_id, key, None, author)
            return True

        return await self._database.write(work)

    async def set_period(self, guild_id: int, period: Period, author: Author) -> Period:
        def work(connection: apsw.Connection) -> Period:
            before = _read_period(connection, guild_id)
            rows(connection, statements.SET_PERIOD, guild_id, period)
            _note(connection, guild_id, author, Topic.WINDOW, before=before, after=period)
            return before

        return await self._database.write(work)

    async def grant(self, guild_id: int, member_id: int, credits: int, author: Author) -> Grant:
        day = day_of(author.now).isoformat()

        def work(connection: apsw.Connection) -> Grant:
            window = window_at(author.now, _read_period(connection, guild_id))
            before = read_sums(connection, guild_id, member_id, window).granted
            rows(connection, statements.GRANT, guild_id, member_id, day, credits)
            granted = Grant(before=before, after=before + credits, window=window)
            _note(
                connection,
                guild_id,
                author,
                Topic.GRANT,
                subject_id=member_id,
                before=str(granted.before),
                after=str(granted.after),
            )
            return granted

        return await self._database.write(work)

    async def changes(
        self, guild_id: int, *, about: int | None, skip: int, most: int
    ) -> list[Change]:
        page = (guild_id, skip, most)

        def work(connection: apsw.Connection) -> list[Change]:
            if about is None:
                return [_change(*row) for row in rows(connection, statements.CHANGES, *page)]
            found = rows(connection, statements.CHANGES_ABOUT, *page, about)
            return [_change(*row) for row in found]

        return await self._database.read(work)

    async def list_settings(self, guild_id: int) -> list[Setting]:
        def work(connection: apsw.Connection) -> list[Setting]:
            return [_setting(*row) for row in rows(connection, statements.SETTINGS, guild_id)]

        return await self._database.read(work)

    async def change_settings(
        self,
        guild_id: int,
        put: Collection[tuple[SettingName, str]],
        removed: Collection[tuple[SettingName, str]],
        author: Author,
    ) -> list[SettingChange]:
        def work(connection: apsw.Connection) -> list[SettingChange]:
            changes = [
                *(_drop(connection, guild_id, name, value) for name, value in removed),
                *(_put(connection, guild_id, name, value) for name, value in put),
            ]
            done = [change for change in changes if change is not None]
            for change in done:
                _note_setting(connection, guild_id, author, change)
            return done

        return await self._database.write(work)

    async def take_back(self, guild_id: int, setting_id: int, author: Author) -> Setting | None:
        def work(connection: apsw.Connection) -> Setting | None:
            for row in rows(connection, statements.SETTING, guild_id, setting_id):
                setting = _setting(*row)
                rows(connection, statements.DROP_SETTING, guild_id, setting.name, setting.value)
                change = SettingChange(setting.name, before=setting.value, after=None)
                _note_setting(connection, guild_id, author, change)
                return setting
            return None

        return await self._database.write(work)


def read_rules(connection: apsw.Connection, guild_id: int, *, about: int | None = None) -> Rules:
    """A server's rules; of its members' own, only that of the member `about`, if given."""
    if about is None:
        found = rows(connection, statements.RULES, guild_id)
    else:
        found = rows(connection, accounts.RULES, guild_id, about)
    return Rules(
        _read_period(connection, guild_id),
        {RuleKey(Scope(scope), subject): Limit(credits) for scope, subject, credits in found},
    )


def _read_period(connection: apsw.Connection, guild_id: int) -> Period:
    found = rows(connection, accounts.PERIOD, guild_id)
    return Period(found[0][0]) if found else Period.DAY


def _read_limit(connection: apsw.Connection, guild_id: int, key: RuleKey) -> Limit | None:
    found = rows(connection, statements.RULE, guild_id, key.scope, key.subject_id)
    return Limit(found[0][0]) if found else None


def _set_limit(
    connection: apsw.Connection, guild_id: int, key: RuleKey, limit: Limit | None, author: Author
) -> Limit | None:
    """Set or take back one rule; what held before."""
    rule = (guild_id, key.scope, key.subject_id)
    before = _read_limit(connection, guild_id, key)
    if limit is not None:
        rows(connection, statements.SET_RULE, *rule, limit.credits)
    elif before is not None:
        rows(connection, statements.DROP_RULE, *rule)
    else:
        return None
    _note(
        connection,
        guild_id,
        author,
        Topic(key.scope.value),
        subject_id=key.subject_id,
        before=_in_words(before),
        after=_in_words(limit),
    )
    return before


def _put(
    connection: apsw.Connection, guild_id: int, name: SettingName, value: str
) -> SettingChange | None:
    there = [kept for (kept,) in rows(connection, statements.VALUES_OF, guild_id, name)]
    if value in there:
        return None
    if name.listed and len(there) >= MAX_LISTED:
        raise ListFullError(name.value, value)
    before = None
    if there and not name.listed:
        before = there[0]
        rows(connection, statements.DROP_SETTING, guild_id, name, before)
    rows(connection, statements.PUT_SETTING, guild_id, name, value)
    return SettingChange(name, before, value)


def _drop(
    connection: apsw.Connection, guild_id: int, name: SettingName, value: str
) -> SettingChange | None:
    there = [kept for (kept,) in rows(connection, statements.VALUES_OF, guild_id, name)]
    if value not in there:
        return None
    rows(connection, statements.DROP_SETTING, guild_id, name, value)
    return SettingChange(name, value, None)


def _note_setting(
    connection: apsw.Connection, guild_id: int, author: Author, change: SettingChange
) -> None:
    _note(
        connection,
        guild_id,
        author,
        Topic.SETTING,
        setting=change.name,
        before=change.before,
        after=change.after,
    )


def _note(
    connection: apsw.Connection,
    guild_id: int,
    author: Author,
    topic: Topic,
    *,
    subject_id: int = 0,
    setting: SettingName | None = None,
    before: str | None,
    after: str | None,
) -> None:
    """Write an entry of the trail."""
    rows(
        connection,
        statements.NOTE_CHANGE,
        *(guild_id, milliseconds(author.now), author.member_id, topic, subject_id, setting),
        *(before, after, author.reason),
    )


def _in_words(limit: Limit | None) -> str | None:
    if limit is None:
        return None
    return "unlimited" if limit.credits is None else str(limit.credits)


def _change(
    change_id: int,
    made_at: int,
    author_id: int,
    topic: str,
    subject_id: int,
    setting: str | None,
    before: str | None,
    after: str | None,
    reason: str | None,
) -> Change:
    return Change(
        id=change_id,
        made_at=moment(made_at),
        author_id=author_id,
        topic=Topic(topic),
        subject_id=subject_id,
        setting=None if setting is None else SettingName(setting),
        before=before,
        after=after,
        reason=reason,
    )


def _setting(setting_id: int, name: str, value: str) -> Setting:
    return Setting(setting_id, SettingName(name), value)
