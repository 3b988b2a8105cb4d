"""What moderators set for their server, and the trail of who changed what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.quotas import Limit, Period, RuleKey, Rules, Scope, Window
from bot.domain.server_settings import Setting, SettingName


class Topic(StrEnum):
    """What a change is about; those of rules have the names of their scopes."""

    MEMBER = Scope.MEMBER.value
    ROLE = Scope.ROLE.value
    DEFAULT = Scope.DEFAULT.value
    BUDGET = Scope.BUDGET.value
    WINDOW = "window"
    GRANT = "grant"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, when and why."""

    member_id: int
    now: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the trail; `before` and `after` are None where nothing was or is set."""

    id: int
    made_at: datetime
    author_id: int
    topic: Topic
    subject_id: int
    """The member or role that it is about; 0: the server."""
    setting: SettingName | None
    before: str | None
    after: str | None
    """For a grant, as `before`, the member's granted credits in the window."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting, what it was and what it is."""

    name: SettingName
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A server's rules, and what its members together hold and spent in the window."""

    rules: Rules
    window: Window
    held: int
    spent: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A member's granted credits over the window, before and after one more grant."""

    before: int
    after: int
    window: Window


class QuotaRules(Protocol):
    """Rules and settings by server; every method raises LedgerFault when it did nothing.

    Each change and its entry in the trail are one transaction.
    """

    async def overview(self, guild_id: int, *, now: datetime) -> Overview:
        """The rules, and what was spent under them in the window that `now` lies in."""
        ...

    async def set_limits(
        self, guild_id: int, limits: Mapping[RuleKey, Limit | None], author: Author
    ) -> Mapping[RuleKey, Limit | None]:
        """Set rules, or take them back with None; the limits that held before, if any.

        Where there is nothing to take back, nothing is written.
        """
        ...

    async def take_limit_back(
        self, guild_id: int, key: RuleKey, shown: Limit, author: Author
    ) -> bool:
        """Take a rule back if it still is what was shown; whether it was."""
        ...

    async def set_period(self, guild_id: int, period: Period, author: Author) -> Period:
        """Change how long the window is; how long it was."""
        ...

    async def grant(self, guild_id: int, member_id: int, credits: int, author: Author) -> Grant:
        """Give a member credits beyond their quota, in every window with today in it."""
        ...

    async def changes(
        self, guild_id: int, *, about: int | None, skip: int, most: int
    ) -> list[Change]:
        """The trail, newest first: about a member or all, without the first `skip` entries."""
        ...

    async def list_settings(self, guild_id: int) -> list[Setting]:
        """What was set, in the order of names and of their setting."""
        ...

    async def change_settings(
        self,
        guild_id: int,
        put: Collection[tuple[SettingName, str]],
        removed: Collection[tuple[SettingName, str]],
        author: Author,
    ) -> list[SettingChange]:
        """Set and take back, all or nothing; what of it was new.

        A value put takes the place of the one before, or stands beside it in a listed setting.

        Raises:
            ListFull: a listed setting has as many values as it may have.
        """
        ...

    async def take_back(self, guild_id: int, setting_id: int, author: Author) -> Setting | None:
        """Take back one setting; None where it is no longer there."""
        ...
