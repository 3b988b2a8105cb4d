"""`/quota`: moderators say who may spend how much, and see who changed what."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope
from bot.discord_io.replies import Replies, Reply
from bot.domain.errors import LedgerError
from bot.domain.quotas import (
    SERVER_BUDGET,
    SERVER_DEFAULT,
    Limit,
    OperatorLimits,
    Period,
    RuleKey,
    Scope,
)
from bot.ledger import Ledger
from bot.ledger.quota_rules import Author, QuotaRules
from cogs.text.rules import (
    CHANGED_MEANWHILE,
    UNSEEN,
    change_line,
    changed_text,
    cleared_text,
    granted_text,
    member_text,
    named,
    overview_heading,
    rule_line,
    taken_back_text,
    window_changed_text,
)
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button
from cogs.ui.interactions import as_member, asked_by, guild_of, holder_of
from cogs.ui.option_parsing import (
    LONGEST_REASON,
    UNLIMITED,
    BadOptionError,
    offer_grants,
    offer_limits,
    or_bad_option,
    read_choice,
    read_grant,
    read_limit,
)
from cogs.ui.pages import PAGE, Entry, page, pages_of, turning

SHOW_PAGE, SHOW_BACK, LOG_PAGE = "quota.show", "quota.back", "quota.log"
"""What the buttons do: turn to a page of the rules, take a rule back, turn to one of the log."""

Why = app_commands.Range[str, 1, LONGEST_REASON]
Clock = Callable[[], datetime]


class QuotaCog(commands.Cog):
    """Quotas, grants, the budget and the window of a server."""

    quota = app_commands.Group(
        name="quota",
        description="Manage credit limits",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )

    def __init__(
        self,
        quota_rules: QuotaRules,
        ledger: Ledger,
        replies: Replies,
        custom_ids: CustomIds,
        limits: OperatorLimits,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._quota_rules = quota_rules
        self._ledger = ledger
        self._replies = replies
        self._custom_ids = custom_ids
        self._limits = limits
        self._clock = clock

    @property
    def actions(self) -> Mapping[str, ClickHandler]:
        """What its buttons do."""
        return {
            SHOW_PAGE: self._turn_rules,
            SHOW_BACK: self._take_rule_back,
            LOG_PAGE: self._turn_log,
        }

    @quota.command(
        name="show", description="See this server's credit limits, or one member's or role's"
    )
    @app_commands.describe(
        user="See what this member has left, and which limit applies", role="See this role's limit"
    )
    async def show(
        self,
        interaction: discord.Interaction,
        user: discord.User | None = None,
        role: discord.Role | None = None,
    ) -> None:
        """Answer with the rules, or with those that are about somebody."""
        if user is None and role is None:
            work = self._show_rules(holder_of(interaction), 0)
        else:
            work = self._show_some(interaction, user, role)
        await self._answer(interaction, work)

    @quota.command(
        name="default", description="Set the limit for everyone without a role or personal limit"
    )
    @app_commands.describe(
        credits="Credits per period, or `unlimited`", reason="Reason (shown in /quota log)"
    )
    async def default(
        self, interaction: discord.Interaction, credits: str, reason: Why | None = None
    ) -> None:
        """Set the server's default."""
        await self._answer(interaction, self._set(interaction, SERVER_DEFAULT, credits, reason))

    @quota.command(name="role", description="Set the limit for everyone with a role")
    @app_commands.describe(
        role="The role. If someone has several, the highest limit applies",
        credits="Credits per period, or `unlimited`",
        reason="Reason (shown in /quota log)",
    )
    async def role(
        self,
        interaction: discord.Interaction,
        role: discord.Role,
        credits: str,
        reason: Why | None = None,
    ) -> None:
        """Set a role's quota."""
        key = RuleKey(Scope.ROLE, role.id)
        await self._answer(interaction, self._set(interaction, key, credits, reason, role=role))

    @quota.command(name="user", description="Set one member's limit. Overrides their roles")
    @app_commands.describe(
        user="The member",
        credits="Credits per period, or `unlimited`",
        reason="Reason (shown in /quota log)",
    )
    async def user(
        self,
        interaction: discord.Interaction,
        user: discord.User,
        credits: str,
        reason: Why | None = None,
    ) -> None:
        """Set a member's own quota."""
        key = RuleKey(Scope.MEMBER, user.id)
        await self._answer(interaction, self._set(interaction, key, credits, reason, user=user))

    @quota.command(name="budget", description="Set a shared budget for the whole server")
    @app_commands.describe(
        credits="Credits per period, or `unlimited`", reason="Reason (shown in /quota log)"
    )
    async def budget(
        self, interaction: discord.Interaction, credits: str, reason: Why | None = None
    ) -> None:
        """Set the server's budget."""
        await self._answer(interaction, self._set(interaction, SERVER_BUDGET, credits, reason))

    @quota.command(name="clear", description="Remove a member's or role's limit")
    @app_commands.describe(
        user="Whose own quota to take back",
        role="Which role's quota to take back",
        reason="Reason (shown in /quota log)",
    )
    async def clear(
        self,
        interaction: discord.Interaction,
        user: discord.User | None = None,
        role: discord.Role | None = None,
        reason: Why | None = None,
    ) -> None:
        """Take rules back."""
        await self._answer(interaction, self._clear(interaction, user, role, reason))

    @quota.command(name="grant", description="Give a member bonus credits until the next reset")
    @app_commands.describe(
        user="The member", credits="How many bonus credits", reason="Reason (shown in /quota log)"
    )
    async def grant(
        self,
        interaction: discord.Interaction,
        user: discord.User,
        credits: str,
        reason: Why | None = None,
    ) -> None:
        """Give a member extra credits."""
        await self._answer(interaction, self._grant(interaction, user, credits, reason))

    @quota.command(name="window", description="Choose how often credits reset")
    @app_commands.describe(
        window="Resets at midnight UTC: daily, every Monday, or on the 1st",
        reason="Reason (shown in /quota log)",
    )
    @app_commands.choices(
        window=[app_commands.Choice(name=period.value, value=period.value) for period in Period]
    )
    async def window(
        self, interaction: discord.Interaction, window: str, reason: Why | None = None
    ) -> None:
        """Set how long the window is."""
        await self._answer(interaction, self._set_window(interaction, window, reason))

    @quota.command(name="log", description="See who changed which limits and settings")
    @app_commands.describe(user="Only show changes for this member")
    async def log(self, interaction: discord.Interaction, user: discord.User | None = None) -> None:
        """Answer with the newest changes."""
        about = None if user is None else user.id
        await self._answer(interaction, self._show_log(holder_of(interaction), about, 0))

    @default.autocomplete("credits")
    @role.autocomplete("credits")
    @user.autocomplete("credits")
    @budget.autocomplete("credits")
    async def offer_limits(
        self, _interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        """Offer sums with what they buy."""
        return offer_limits(typed)

    @grant.autocomplete("credits")
    async def offer_grants(
        self, _interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        """Offer sums with what they buy."""
        return offer_grants(typed)

    # What the commands come to.

    async def _answer(self, interaction: discord.Interaction, work: Awaitable[Reply]) -> None:
        await self._replies.respond_or_defer(asked_by(interaction), or_bad_option(work))

    async def _set(
        self,
        interaction: discord.Interaction,
        key: RuleKey,
        credits: str,
        reason: str | None,
        *,
        role: discord.Role | None = None,
        user: discord.User | None = None,
    ) -> Reply:
        if role is not None:
            _check_role(interaction, role)
        if user is not None:
            _check_person(interaction, user)
        limit = read_limit(credits)
        guild_id = guild_of(interaction)
        before = await self._quota_rules.set_limits(
            guild_id, {key: limit}, self._author(interaction, reason)
        )
        return Reply(
            changed_text(key, before[key], limit, guild_id, members=_count_members(interaction))
        )

    async def _clear(
        self,
        interaction: discord.Interaction,
        user: discord.User | None,
        role: discord.Role | None,
        reason: str | None,
    ) -> Reply:
        keys = [
            *([] if user is None else [RuleKey(Scope.MEMBER, user.id)]),
            *([] if role is None else [RuleKey(Scope.ROLE, role.id)]),
        ]
        if not keys:
            raise BadOptionError(
                "user", "nothing, and `role` neither", "a member with a quota of their own"
            )
        guild_id, author = guild_of(interaction), self._author(interaction, reason)
        before = await self._quota_rules.set_limits(guild_id, dict.fromkeys(keys), author)
        return Reply(cleared_text(before, guild_id))

    async def _grant(
        self,
        interaction: discord.Interaction,
        user: discord.User,
        credits: str,
        reason: str | None,
    ) -> Reply:
        _check_person(interaction, user)
        amount = read_grant(credits)
        granted = await self._quota_rules.grant(
            guild_of(interaction), user.id, amount, self._author(interaction, reason)
        )
        return Reply(granted_text(user.id, amount, granted))

    async def _set_window(
        self, interaction: discord.Interaction, window: str, reason: str | None
    ) -> Reply:
        author = self._author(interaction, reason)
        period = read_choice("window", window, Period)
        before = await self._quota_rules.set_period(guild_of(interaction), period, author)
        members = _count_members(interaction)
        return Reply(window_changed_text(before, period, author.now, members=members))

    async def _show_some(
        self,
        interaction: discord.Interaction,
        user: discord.User | None,
        role: discord.Role | None,
    ) -> Reply:
        guild_id, now = guild_of(interaction), self._clock()
        texts: list[str] = []
        if user is not None:
            balance = await self._ledger.balance(
                as_member(user, guild_id), limits=self._limits, now=now
            )
            texts.append(member_text(user.id, balance, guild_id))
        if role is not None:
            overview = await self._quota_rules.overview(guild_id, now=now)
            key = RuleKey(Scope.ROLE, role.id)
            texts.append(rule_line(key, overview.rules.limits.get(key), guild_id))
        return Reply("\n\n".join(texts))

    async def _show_rules(self, holder: SignatureScope, number: int, note: str = "") -> Reply:
        overview = await self._quota_rules.overview(holder.guild_id, now=self._clock())
        rules = sorted(overview.rules.limits.items(), key=_by_rank)
        number = min(number, pages_of(len(rules)) - 1)
        entries = [
            Entry(
                rule_line(key, limit, holder.guild_id),
                Button("Take back", self._back_id(holder, key, limit, number)),
            )
            for key, limit in rules[number * PAGE : (number + 1) * PAGE]
        ]
        below = turning(number, len(rules), partial(self._page_id, holder, SHOW_PAGE))
        heading = note + overview_heading(overview, self._limits)
        return Reply(components=page(heading, entries, below=below))

    async def _show_log(self, holder: SignatureScope, about: int | None, number: int) -> Reply:
        changes = await self._quota_rules.changes(
            holder.guild_id, about=about, skip=number * PAGE, most=PAGE + 1
        )
        heading = "**Changes, newest first**" + ("" if about is None else f", about <@{about}>")
        entries = [Entry(change_line(change, holder.guild_id)) for change in changes[:PAGE]]
        if not changes:
            entries = [Entry("Nothing was changed yet." if number == 0 else "That is all.")]
        turned = partial(self._page_id, holder, LOG_PAGE, str(about or 0))
        below = [
            Button("Newer", turned(number - 1) if number else None),
            Button("Older", turned(number + 1) if len(changes) > PAGE else None),
        ]
        return Reply(components=page(heading, entries, below=below))

    # What the buttons come to.

    async def _turn_rules(self, press: SignedClick) -> None:
        (number,) = press.arguments
        await self._replies.respond_or_defer(press.asked, self._show_rules(press.by, int(number)))

    async def _take_rule_back(self, press: SignedClick) -> None:
        scope, subject, limit, number = press.arguments
        key = RuleKey(Scope(scope), int(subject))
        shown = Limit(None if limit == UNLIMITED else int(limit))

        async def work() -> Reply:
            guild_id, author = press.by.guild_id, Author(press.by.member_id, self._clock())
            taken = await self._quota_rules.take_limit_back(guild_id, key, shown, author)
            note = taken_back_text(key, shown, guild_id) if taken else CHANGED_MEANWHILE
            try:
                return await self._show_rules(press.by, int(number), f"{note}\n\n")
            except LedgerError:
                # What was done is true all the same.
                return Reply(f"{note}\n{UNSEEN}")

        await self._replies.respond_or_defer(press.asked, work())

    async def _turn_log(self, press: SignedClick) -> None:
        about, number = map(int, press.arguments)
        work = self._show_log(press.by, about or None, number)
        await self._replies.respond_or_defer(press.asked, work)

    def _back_id(self, holder: SignatureScope, key: RuleKey, limit: Limit, number: int) -> str:
        shown = UNLIMITED if limit.credits is None else str(limit.credits)
        arguments = (key.scope.value, str(key.subject_id), shown, str(number))
        return self._custom_ids.write(Action(SHOW_BACK, arguments), holder)

    def _page_id(self, holder: SignatureScope, name: str, *arguments: str | int) -> str:
        return self._custom_ids.write(Action(name, tuple(map(str, arguments))), holder)

    def _author(self, interaction: discord.Interaction, reason: str | None) -> Author:
        return Author(interaction.user.id, self._clock(), reason)


def _by_rank(rule: tuple[RuleKey, Limit]) -> tuple[int, int]:
    """The server's own rules first, then roles', then members'."""
    key, _ = rule
    ranks = (Scope.DEFAULT, Scope.BUDGET, Scope.ROLE, Scope.MEMBER)
    return ranks.index(key.scope), key.subject_id


def _check_role(interaction: discord.Interaction, role: discord.abc.Snowflake) -> None:
    """Refuse what is no role of this server, as far as the bot was told of roles."""
    known_in = {guild.id for guild in interaction.client.guilds if guild.get_role(role.id)}
    # Of an id alone without a role there is nothing but what the bot was told.
    resolved = isinstance(role, discord.Role)
    if guild_of(interaction) in known_in or (resolved and not known_in):
        return
    raise BadOptionError("role", f"the id {role.id}", "a role of this server")


def _check_person(interaction: discord.Interaction, user: discord.User) -> None:
    own = interaction.client.user
    if getattr(user, "bot", False) or (own is not None and user.id == own.id):
        raise BadOptionError("user", named(user.id) + ", a bot", "a member who can run commands")


def _count_members(interaction: discord.Interaction) -> int | None:
    """How many members the server has, where Discord has said so."""
    return None if interaction.guild is None else interaction.guild.member_count
