"""`/quota`: moderators set credit limits and see who changed them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.custom_ids import SignatureScope
from bot.discord_io.replies import Replies, Reply
from bot.domain.quotas import (
    SERVER_BUDGET,
    SERVER_DEFAULT,
    OperatorLimits,
    Period,
    RuleKey,
    Scope,
)
from bot.ledger import Ledger
from bot.ledger.quota_rules import Author, QuotaRules
from cogs.text.markdown import as_code
from cogs.text.rules import (
    IS_A_BOT,
    NOTHING_TO_REMOVE,
    changed_text,
    cleared_text,
    granted_text,
    member_text,
    period_changed_text,
    rule_line,
)
from cogs.ui.interactions import as_member, guild_id_of, interaction_ref, scope_of
from cogs.ui.option_parsing import (
    MAX_REASON,
    BadOptionError,
    invalid,
    offer_grants,
    offer_limits,
    or_bad_option,
    read_choice,
    read_grant,
    read_limit,
)

CREDITS = "Credits per period, or `unlimited`"
REASON = "Reason (shown in /quota log)"

Reason = app_commands.Range[str, 1, MAX_REASON]
Clock = Callable[[], datetime]
ShowLimits = Callable[[SignatureScope], Awaitable[Reply]]
ShowLog = Callable[[SignatureScope, int | None], Awaitable[Reply]]


class QuotaCog(commands.Cog):
    """Sets a server's limits, budget and period, and gives bonus credits."""

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
        limits: OperatorLimits,
        show_limits: ShowLimits,
        show_log: ShowLog,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._quota_rules = quota_rules
        self._ledger = ledger
        self._replies = replies
        self._limits = limits
        self._show_limits = show_limits
        self._show_log = show_log
        self._clock = clock

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
        """Show all limits, or one member's or role's."""
        if user is None and role is None:
            work = self._show_limits(scope_of(interaction))
        else:
            work = self._show_one(interaction, user, role)
        await self._answer(interaction, work)

    @quota.command(
        name="default", description="Set the limit for everyone without a role or personal limit"
    )
    @app_commands.describe(credits=CREDITS, reason=REASON)
    async def default(
        self, interaction: discord.Interaction, credits: str, reason: Reason | None = None
    ) -> None:
        """Set the default limit."""
        await self._answer(interaction, self._set(interaction, SERVER_DEFAULT, credits, reason))

    @quota.command(name="role", description="Set the limit for everyone with a role")
    @app_commands.describe(
        role="The role. If someone has several, the highest limit applies",
        credits=CREDITS,
        reason=REASON,
    )
    async def role(
        self,
        interaction: discord.Interaction,
        role: discord.Role,
        credits: str,
        reason: Reason | None = None,
    ) -> None:
        """Set a role's limit."""
        key = RuleKey(Scope.ROLE, role.id)
        await self._answer(interaction, self._set(interaction, key, credits, reason, role=role))

    @quota.command(name="user", description="Set one member's limit. Overrides their roles")
    @app_commands.describe(
        user="The member",
        credits=CREDITS,
        reason=REASON,
    )
    async def user(
        self,
        interaction: discord.Interaction,
        user: discord.User,
        credits: str,
        reason: Reason | None = None,
    ) -> None:
        """Set a member's personal limit."""
        key = RuleKey(Scope.MEMBER, user.id)
        await self._answer(interaction, self._set(interaction, key, credits, reason, user=user))

    @quota.command(name="budget", description="Set a shared budget for the whole server")
    @app_commands.describe(credits=CREDITS, reason=REASON)
    async def budget(
        self, interaction: discord.Interaction, credits: str, reason: Reason | None = None
    ) -> None:
        """Set the server's budget."""
        await self._answer(interaction, self._set(interaction, SERVER_BUDGET, credits, reason))

    @quota.command(name="clear", description="Remove a member's or role's limit")
    @app_commands.describe(
        user="The member to remove the limit from",
        role="The role to remove the limit from",
        reason=REASON,
    )
    async def clear(
        self,
        interaction: discord.Interaction,
        user: discord.User | None = None,
        role: discord.Role | None = None,
        reason: Reason | None = None,
    ) -> None:
        """Remove limits."""
        await self._answer(interaction, self._clear(interaction, user, role, reason))

    @quota.command(name="grant", description="Give a member bonus credits until the next reset")
    @app_commands.describe(user="The member", credits="How many bonus credits", reason=REASON)
    async def grant(
        self,
        interaction: discord.Interaction,
        user: discord.User,
        credits: str,
        reason: Reason | None = None,
    ) -> None:
        """Give a member bonus credits."""
        await self._answer(interaction, self._grant(interaction, user, credits, reason))

    @quota.command(name="window", description="Choose how often credits reset")
    @app_commands.describe(
        window="Resets at midnight UTC: daily, every Monday, or on the 1st",
        reason=REASON,
    )
    @app_commands.choices(
        window=[app_commands.Choice(name=period.value, value=period.value) for period in Period]
    )
    async def window(
        self, interaction: discord.Interaction, window: str, reason: Reason | None = None
    ) -> None:
        """Set how often credits reset."""
        await self._answer(interaction, self._set_period(interaction, window, reason))

    @quota.command(name="log", description="See who changed which limits and settings")
    @app_commands.describe(user="Only show changes for this member")
    async def log(self, interaction: discord.Interaction, user: discord.User | None = None) -> None:
        """Show the newest changes."""
        about = None if user is None else user.id
        await self._answer(interaction, self._show_log(scope_of(interaction), about))

    @default.autocomplete("credits")
    @role.autocomplete("credits")
    @user.autocomplete("credits")
    @budget.autocomplete("credits")
    async def offer_limits(
        self, _interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest credits, with the images that they pay for."""
        return offer_limits(typed)

    @grant.autocomplete("credits")
    async def offer_grants(
        self, _interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest credits, with the images that they pay for."""
        return offer_grants(typed)

    async def _answer(self, interaction: discord.Interaction, work: Awaitable[Reply]) -> None:
        await self._replies.respond_or_defer(interaction_ref(interaction), or_bad_option(work))

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
            _check_not_bot(interaction, user)
        limit = read_limit(credits)
        guild_id = guild_id_of(interaction)
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
            raise BadOptionError(NOTHING_TO_REMOVE)
        guild_id, author = guild_id_of(interaction), self._author(interaction, reason)
        before = await self._quota_rules.set_limits(guild_id, dict.fromkeys(keys), author)
        return Reply(cleared_text(before, guild_id))

    async def _grant(
        self,
        interaction: discord.Interaction,
        user: discord.User,
        credits: str,
        reason: str | None,
    ) -> Reply:
        _check_not_bot(interaction, user)
        amount = read_grant(credits)
        granted = await self._quota_rules.grant(
            guild_id_of(interaction), user.id, amount, self._author(interaction, reason)
        )
        return Reply(granted_text(user.id, amount, granted))

    async def _set_period(
        self, interaction: discord.Interaction, window: str, reason: str | None
    ) -> Reply:
        author = self._author(interaction, reason)
        period = read_choice("window", window, Period)
        before = await self._quota_rules.set_period(guild_id_of(interaction), period, author)
        return Reply(period_changed_text(before, period, author.now))

    async def _show_one(
        self,
        interaction: discord.Interaction,
        user: discord.User | None,
        role: discord.Role | None,
    ) -> Reply:
        guild_id, now = guild_id_of(interaction), self._clock()
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

    def _author(self, interaction: discord.Interaction, reason: str | None) -> Author:
        return Author(interaction.user.id, self._clock(), reason)


def _check_role(interaction: discord.Interaction, role: discord.abc.Snowflake) -> None:
    """Reject a role that isn't in this server, as far as the bot knows."""
    known_in = {guild.id for guild in interaction.client.guilds if guild.get_role(role.id)}
    # An id that Discord didn't resolve can only be checked against the gateway's cache.
    resolved = isinstance(role, discord.Role)
    if guild_id_of(interaction) in known_in or (resolved and not known_in):
        return
    raise invalid("role", as_code(str(role.id)), "Pick a role in this server.")


def _check_not_bot(interaction: discord.Interaction, user: discord.User) -> None:
    own = interaction.client.user
    if getattr(user, "bot", False) or (own is not None and user.id == own.id):
        raise BadOptionError(IS_A_BOT)


def _count_members(interaction: discord.Interaction) -> int | None:
    """Return how many members the server has, if Discord sent it."""
    return None if interaction.guild is None else interaction.guild.member_count
