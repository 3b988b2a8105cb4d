"""Quota rules, settings and the audit log in SQLite."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import apsw

from bot.domain.errors import ListFullError
from bot.domain.quotas import Limit, Period, RuleKey, day_of, window_at
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
from bot.ledger.sqlite.accounts import SERVER, read_period, read_rules, read_sums
from bot.ledger.sqlite.connection import milliseconds, moment, records, rows
from bot.ledger.sqlite.database import Store, read, write


class SqliteQuotaRules(Store, QuotaRules):
    """Rules, settings and their audit log in one database."""

    @read
    def overview(self, connection: apsw.Connection, guild_id: int, *, now: datetime) -> Overview:
        rules = read_rules(connection, guild_id)
        window = window_at(now, rules.period)
        sums = read_sums(connection, guild_id, SERVER, window)
        return Overview(rules, window, sums.held, sums.spent)

    @write
    def set_limits(
        self,
        connection: apsw.Connection,
        guild_id: int,
        limits: Mapping[RuleKey, Limit | None],
        author: Author,
    ) -> Mapping[RuleKey, Limit | None]:
        return {
            key: _set_limit(connection, guild_id, key, limit, author)
            for key, limit in limits.items()
        }

    @write
    def remove_limit(
        self,
        connection: apsw.Connection,
        guild_id: int,
        key: RuleKey,
        shown: Limit,
        author: Author,
    ) -> bool:
        if _read_limit(connection, guild_id, key) != shown:
            return False
        _set_limit(connection, guild_id, key, None, author)
        return True

    _SET_PERIOD = """
    INSERT INTO server (guild_id, period) VALUES (:guild_id, :period)
    ON CONFLICT (guild_id) DO UPDATE SET period = excluded.period
    """

    @write
    def set_period(
        self, connection: apsw.Connection, guild_id: int, period: Period, author: Author
    ) -> Period:
        before = read_period(connection, guild_id)
        rows(connection, self._SET_PERIOD, guild_id=guild_id, period=period)
        _log_change(connection, guild_id, author, Topic.WINDOW, before=before, after=period)
        return before

    _GRANT = """
    INSERT INTO account (guild_id, member_id, day, granted)
    VALUES (:guild_id, :member_id, :day, :credits)
    ON CONFLICT (guild_id, member_id, day)
    DO UPDATE SET granted = account.granted + excluded.granted
    """

    @write
    def grant(
        self,
        connection: apsw.Connection,
        guild_id: int,
        member_id: int,
        credits: int,
        author: Author,
    ) -> Grant:
        window = window_at(author.now, read_period(connection, guild_id))
        before = read_sums(connection, guild_id, member_id, window).granted
        day = day_of(author.now).isoformat()
        rows(
            connection,
            self._GRANT,
            guild_id=guild_id,
            member_id=member_id,
            day=day,
            credits=credits,
        )
        granted = Grant(before, before + credits, window)
        _log_change(
            connection,
            guild_id,
            author,
            Topic.GRANT,
            subject_id=member_id,
            before=str(granted.before),
            after=str(granted.after),
        )
        return granted

    _CHANGES = """
    SELECT id, made_at, author_id, topic, subject_id, setting, before, after, reason
    FROM change
    WHERE guild_id = :guild_id
    ORDER BY id DESC
    LIMIT :limit OFFSET :skip
    """
    _CHANGES_ABOUT = """
    SELECT id, made_at, author_id, topic, subject_id, setting, before, after, reason
    FROM change
    WHERE guild_id = :guild_id AND subject_id = :about AND topic IN ('member', 'grant')
    ORDER BY id DESC
    LIMIT :limit OFFSET :skip
    """

    @read
    def changes(
        self,
        connection: apsw.Connection,
        guild_id: int,
        *,
        about: int | None,
        skip: int,
        limit: int,
    ) -> list[Change]:
        statement = self._CHANGES if about is None else self._CHANGES_ABOUT
        found = records(
            connection, statement, guild_id=guild_id, about=about, skip=skip, limit=limit
        )
        return list(map(_change, found))

    _SETTINGS = "SELECT id, name, value FROM setting WHERE guild_id = :guild_id ORDER BY name, id"

    @read
    def list_settings(self, connection: apsw.Connection, guild_id: int) -> list[Setting]:
        return [_setting(*row) for row in rows(connection, self._SETTINGS, guild_id=guild_id)]

    @write
    def change_settings(
        self,
        connection: apsw.Connection,
        guild_id: int,
        put: Collection[tuple[SettingName, str]],
        removed: Collection[tuple[SettingName, str]],
        author: Author,
    ) -> list[SettingChange]:
        changes = [
            *(_remove_value(connection, guild_id, name, value) for name, value in removed),
            *(_put_value(connection, guild_id, name, value) for name, value in put),
        ]
        made = [change for change in changes if change is not None]
        for change in made:
            _log_setting(connection, guild_id, author, change)
        return made

    _SETTING = "SELECT id, name, value FROM setting WHERE guild_id = :guild_id AND id = :id"

    @write
    def remove_setting(
        self, connection: apsw.Connection, guild_id: int, setting_id: int, author: Author
    ) -> Setting | None:
        found = rows(connection, self._SETTING, guild_id=guild_id, id=setting_id)
        if not found:
            return None
        setting = _setting(*found[0])
        change = SettingChange(setting.name, before=setting.value, after=None)
        _delete_value(connection, guild_id, setting.name, setting.value)
        _log_setting(connection, guild_id, author, change)
        return setting


_LIMIT = """
SELECT credits FROM rule
WHERE guild_id = :guild_id AND scope = :scope AND subject_id = :subject_id
"""


def _read_limit(connection: apsw.Connection, guild_id: int, key: RuleKey) -> Limit | None:
    found = rows(connection, _LIMIT, guild_id=guild_id, scope=key.scope, subject_id=key.subject_id)
    return Limit(found[0][0]) if found else None


_SET_RULE = """
INSERT INTO rule (guild_id, scope, subject_id, credits)
VALUES (:guild_id, :scope, :subject_id, :credits)
ON CONFLICT (guild_id, scope, subject_id) DO UPDATE SET credits = excluded.credits
"""

_DELETE_RULE = """
DELETE FROM rule WHERE guild_id = :guild_id AND scope = :scope AND subject_id = :subject_id
"""


def _set_limit(
    connection: apsw.Connection, guild_id: int, key: RuleKey, limit: Limit | None, author: Author
) -> Limit | None:
    """Set or remove a rule, and return its previous limit."""
    before = _read_limit(connection, guild_id, key)
    if before is None and limit is None:
        return None
    rows(
        connection,
        _DELETE_RULE if limit is None else _SET_RULE,
        guild_id=guild_id,
        scope=key.scope,
        subject_id=key.subject_id,
        credits=None if limit is None else limit.credits,
    )
    _log_change(
        connection,
        guild_id,
        author,
        Topic(key.scope.value),
        subject_id=key.subject_id,
        before=_limit_text(before),
        after=_limit_text(limit),
    )
    return before


def _limit_text(limit: Limit | None) -> str | None:
    if limit is None:
        return None
    return "unlimited" if limit.credits is None else str(limit.credits)


_VALUES = "SELECT value FROM setting WHERE guild_id = :guild_id AND name = :name"


def _read_values(connection: apsw.Connection, guild_id: int, name: SettingName) -> list[str]:
    return [value for (value,) in rows(connection, _VALUES, guild_id=guild_id, name=name)]


_INSERT_VALUE = """
INSERT INTO setting (guild_id, name, value) VALUES (:guild_id, :name, :value)
"""


def _put_value(
    connection: apsw.Connection, guild_id: int, name: SettingName, value: str
) -> SettingChange | None:
    present = _read_values(connection, guild_id, name)
    if value in present:
        return None
    if name.listed and len(present) >= MAX_LISTED:
        raise ListFullError(name.value, value)
    before = None
    if present and not name.listed:
        before = present[0]
        _delete_value(connection, guild_id, name, before)
    rows(connection, _INSERT_VALUE, guild_id=guild_id, name=name, value=value)
    return SettingChange(name, before, value)


def _remove_value(
    connection: apsw.Connection, guild_id: int, name: SettingName, value: str
) -> SettingChange | None:
    if value not in _read_values(connection, guild_id, name):
        return None
    _delete_value(connection, guild_id, name, value)
    return SettingChange(name, value, None)


_DELETE_VALUE = """
DELETE FROM setting WHERE guild_id = :guild_id AND name = :name AND value = :value
"""


def _delete_value(
    connection: apsw.Connection, guild_id: int, name: SettingName, value: str
) -> None:
    rows(connection, _DELETE_VALUE, guild_id=guild_id, name=name, value=value)


def _log_setting(
    connection: apsw.Connection, guild_id: int, author: Author, change: SettingChange
) -> None:
    _log_change(
        connection,
        guild_id,
        author,
        Topic.SETTING,
        setting=change.name,
        before=change.before,
        after=change.after,
    )


_LOG_CHANGE = """
INSERT INTO change (guild_id, made_at, author_id, topic, subject_id, setting, before, after, reason)
VALUES (
    :guild_id, :made_at, :author_id, :topic, :subject_id, :setting, :before, :after, :reason
)
"""


def _log_change(
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
    """Add an entry to the audit log."""
    rows(
        connection,
        _LOG_CHANGE,
        guild_id=guild_id,
        made_at=milliseconds(author.now),
        author_id=author.member_id,
        topic=topic,
        subject_id=subject_id,
        setting=setting,
        before=before,
        after=after,
        reason=author.reason,
    )


def _change(row: dict[str, Any]) -> Change:
    return Change(
        id=row["id"],
        made_at=moment(row["made_at"]),
        author_id=row["author_id"],
        topic=Topic(row["topic"]),
        subject_id=row["subject_id"],
        setting=None if row["setting"] is None else SettingName(row["setting"]),
        before=row["before"],
        after=row["after"],
        reason=row["reason"],
    )


def _setting(setting_id: int, name: str, value: str) -> Setting:
    return Setting(setting_id, SettingName(name), value)
