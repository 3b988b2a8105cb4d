"""What moderators set for their server, and the audit log of who changed what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.quotas import Limit, Period, RuleKey, Rules, Scope, Window
from bot.domain.server_settings import Setting, SettingName


class Topic(StrEnum):
    """What a change is about; changes of rules are named after the rule's scope."""

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
    """An entry of the audit log; `before` and `after` are None if nothing was or is set."""

    id: int
    made_at: datetime
    author_id: int
    topic: Topic
    subject_id: int
    """The member or role; 0: the server."""
    setting: SettingName | None
    before: str | None
    after: str | None
    """For a grant, `before` and `after` are the member's granted credits in the window."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting's value before and after a change."""

    name: SettingName
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A server's rules, and what all its members hold and spent in the window."""

    rules: Rules
    window: Window
    held: int
    spent: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A member's granted credits in the window, before and after another grant."""

    before: int
    after: int
    window: Window


class QuotaRules(Protocol):
    """Rules and settings by server. Every method raises LedgerError if it did nothing.

    Each change is one transaction with its entry in the audit log.
    """

    async def overview(self, guild_id: int, *, now: datetime) -> Overview:
        """Return the rules, and what was spent in the window that contains `now`."""
        ...

    async def set_limits(
        self, guild_id: int, limits: Mapping[RuleKey, Limit | None], author: Author
    ) -> Mapping[RuleKey, Limit | None]:
        """Set rules, or remove those that are None, and return the previous limits.

        Removing a rule that doesn't exist writes nothing.
        """
        ...

    async def remove_limit(self, guild_id: int, key: RuleKey, shown: Limit, author: Author) -> bool:
        """Remove a rule if its limit still is the one that was shown, and tell whether it was."""
        ...

    async def set_period(self, guild_id: int, period: Period, author: Author) -> Period:
        """Set how long the window is, and return the previous period."""
        ...

    async def grant(self, guild_id: int, member_id: int, credits: int, author: Author) -> Grant:
        """Give a member credits on top of their quota, in every window that contains today."""
        ...

    async def changes(
        self, guild_id: int, *, about: int | None, skip: int, limit: int
    ) -> list[Change]:
        """Return a page of the audit log, newest first, about one member or everything."""
        ...

    async def list_settings(self, guild_id: int) -> list[Setting]:
        """Return what is set, by name and then by age."""
        ...

    async def change_settings(
        self,
        guild_id: int,
        put: Collection[tuple[SettingName, str]],
        removed: Collection[tuple[SettingName, str]],
        author: Author,
    ) -> list[SettingChange]:
        """Set and remove values, all or nothing, and return what changed.

        A new value replaces the previous one, or joins the others of a listed setting.

        Raises:
            ListFullError: a listed setting has as many values as it can have.
        """
        ...

    async def remove_setting(
        self, guild_id: int, setting_id: int, author: Author
    ) -> Setting | None:
        """Remove and return a setting; None if it's already gone."""
        ...
