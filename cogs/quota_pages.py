"""The pages of `/quota show` and `/quota log`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope
from bot.discord_io.replies import Replies, Reply
from bot.domain.errors import LedgerError
from bot.domain.quotas import Limit, OperatorLimits, RuleKey, Scope
from bot.ledger.quota_rules import Author, QuotaRules
from cogs.text import buttons
from cogs.text.rules import (
    CHANGED_MEANWHILE,
    NO_CHANGES,
    NO_MORE_CHANGES,
    NOT_LOADED,
    change_line,
    log_heading,
    overview_heading,
    removed_text,
    rule_line,
)
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button
from cogs.ui.option_parsing import UNLIMITED
from cogs.ui.pages import PAGE_SIZE, Entry, page, page_buttons, page_count

SHOW_PAGE, REMOVE, LOG_PAGE = "quota.show", "quota.back", "quota.log"
"""Names of the buttons' actions in custom ids."""


class QuotaPages:
    """Pages through a server's limits and the log of changes, and removes limits."""

    def __init__(
        self,
        quota_rules: QuotaRules,
        replies: Replies,
        custom_ids: CustomIds,
        limits: OperatorLimits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._quota_rules = quota_rules
        self._replies = replies
        self._custom_ids = custom_ids
        self._limits = limits
        self._clock = clock

    @property
    def signed(self) -> Mapping[str, ClickHandler]:
        """The handlers of its signed buttons."""
        return {SHOW_PAGE: self._turn_limits, REMOVE: self._remove, LOG_PAGE: self._turn_log}

    async def limits(self, scope: SignatureScope, number: int = 0, note: str = "") -> Reply:
        """Show a page of the limits."""
        overview = await self._quota_rules.overview(scope.guild_id, now=self._clock())
        rules = sorted(overview.rules.limits.items(), key=_by_rank)
        number = min(number, page_count(len(rules)) - 1)
        entries = [
            Entry(
                rule_line(key, limit, scope.guild_id),
                Button(buttons.REMOVE, self._remove_id(scope, key, limit, number)),
            )
            for key, limit in rules[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        ]
        below = page_buttons(number, len(rules), partial(self._page_id, scope, SHOW_PAGE))
        heading = note + overview_heading(overview, self._limits)
        return Reply(components=page(heading, entries, below=below))

    async def log(self, scope: SignatureScope, about: int | None, number: int = 0) -> Reply:
        """Show a page of the changes, or only of those about one member."""
        changes = await self._quota_rules.changes(
            scope.guild_id, about=about, skip=number * PAGE_SIZE, limit=PAGE_SIZE + 1
        )
        entries = [Entry(change_line(change, scope.guild_id)) for change in changes[:PAGE_SIZE]]
        if not changes:
            entries = [Entry(NO_MORE_CHANGES if number else NO_CHANGES)]
        page_id = partial(self._page_id, scope, LOG_PAGE, str(about or 0))
        below = [
            Button(buttons.NEWER, page_id(number - 1) if number else None),
            Button(buttons.OLDER, page_id(number + 1) if len(changes) > PAGE_SIZE else None),
        ]
        return Reply(components=page(log_heading(about), entries, below=below))

    async def _turn_limits(self, click: SignedClick) -> None:
        (number,) = click.arguments
        work = self.limits(click.scope, int(number))
        await self._replies.respond_or_defer(click.interaction, work)

    async def _turn_log(self, click: SignedClick) -> None:
        about, number = map(int, click.arguments)
        work = self.log(click.scope, about or None, number)
        await self._replies.respond_or_defer(click.interaction, work)

    async def _remove(self, click: SignedClick) -> None:
        scope, subject, limit, number = click.arguments
        key = RuleKey(Scope(scope), int(subject))
        shown = Limit(None if limit == UNLIMITED else int(limit))

        async def work() -> Reply:
            guild_id, author = click.scope.guild_id, Author(click.scope.member_id, self._clock())
            removed = await self._quota_rules.remove_limit(guild_id, key, shown, author)
            note = removed_text(key, shown, guild_id) if removed else CHANGED_MEANWHILE
            try:
                return await self.limits(click.scope, int(number), f"{note}\n\n")
            except LedgerError:
                # The change itself succeeded.
                return Reply(f"{note}\n{NOT_LOADED}")

        await self._replies.respond_or_defer(click.interaction, work())

    def _remove_id(self, scope: SignatureScope, key: RuleKey, limit: Limit, number: int) -> str:
        shown = UNLIMITED if limit.credits is None else str(limit.credits)
        return self._page_id(scope, REMOVE, key.scope.value, key.subject_id, shown, number)

    def _page_id(self, scope: SignatureScope, name: str, *arguments: str | int) -> str:
        return self._custom_ids.write(Action(name, tuple(map(str, arguments))), scope)


def _by_rank(rule: tuple[RuleKey, Limit]) -> tuple[int, int]:
    """Sort the server's own limits first, then roles', then members'."""
    key, _ = rule
    ranks = (Scope.DEFAULT, Scope.BUDGET, Scope.ROLE, Scope.MEMBER)
    return ranks.index(key.scope), key.subject_id
