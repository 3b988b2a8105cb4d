"""`/privacy`: members download or delete their data."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.custom_ids import Action, CustomIds, SignatureScope
from bot.discord_io.replies import Replies, Reply
from bot.discord_io.transport import File
from bot.editing.fitting import UPLOAD_LIMIT
from bot.ledger.archive import Archive, Erasure
from bot.reports.exports import Exports
from bot.reports.member_export import MemberExport, export_member
from cogs.text import buttons
from cogs.text.formats import count_edits, plural
from cogs.text.outcomes import EXPORT_RUNNING
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button
from cogs.ui.interactions import interaction_ref, scope_of
from cogs.ui.pages import page

ERASE, KEEP = "privacy.erase", "privacy.keep"
"""Names of the buttons' actions in custom ids."""

QUESTION = (
    "**Delete your data from this server?**\n"
    "This deletes your prompts, name, roles, image names and links, and service messages from all "
    "your edits here. Edits in progress lose theirs when they finish. If others ran your edits "
    "again, their edits lose the links to your originals.\n"
    "We keep your credits per day, and each edit's time, channel, message, options, price, and "
    "outcome under your user ID, without names. Posted messages stay in Discord until you delete "
    "them.\n"
    "**You can't undo this.**"
)
KEPT = "Canceled. Nothing was deleted."
NOTHING_LEFT = "There's no data left to delete in this server."
NOT_ALL_DELETED = "Some data couldn't be deleted. Run the command again in a minute."
NOT_UPLOADED = (
    "Your data is ready, but the upload failed. Nothing changed. Run the command again in a few "
    "minutes."
)


class PrivacyCog(commands.Cog):
    """Shows and deletes a member's own data, in private."""

    privacy = app_commands.Group(
        name="privacy",
        description="Manage your data",
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )

    def __init__(
        self,
        archive: Archive,
        replies: Replies,
        custom_ids: CustomIds,
        exports: Exports,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._archive = archive
        self._replies = replies
        self._custom_ids = custom_ids
        self._exports = exports
        self._clock = clock

    @property
    def signed(self) -> Mapping[str, ClickHandler]:
        """The handlers of its signed buttons."""
        return {ERASE: self._delete, KEEP: self._keep}

    @privacy.command(name="export", description="Download your data from this server")
    async def export(self, interaction: discord.Interaction) -> None:
        """Respond with a file."""
        ref, limit = interaction_ref(interaction), min(interaction.filesize_limit, UPLOAD_LIMIT)
        scope = scope_of(interaction)
        with self._exports.begin(scope.member_id) as begun:
            if not begun:
                await self._replies.respond(ref, Reply(EXPORT_RUNNING))
                return
            async with (
                self._replies.deferred(ref),
                self._exports.folder(interaction.id) as folder,
            ):
                async with self._exports.making():
                    made = await export_member(
                        self._archive,
                        scope.guild_id,
                        scope.member_id,
                        folder,
                        limit=limit,
                        now=self._clock(),
                    )
                file = File(made.file.name, made.file)
                reply = Reply(export_text(made, limit), files=[file])
                if not await self._replies.respond(ref, reply, deferred=True):
                    await self._replies.respond(ref, Reply(NOT_UPLOADED), deferred=True)

    @privacy.command(
        name="delete", description="Delete your prompts, name, and image links from this server"
    )
    async def delete(self, interaction: discord.Interaction) -> None:
        """Ask for confirmation."""
        scope = scope_of(interaction)
        below = [
            Button(buttons.DELETE_MY_DATA, self._id(ERASE, scope), discord.ButtonStyle.danger),
            Button(buttons.CANCEL, self._id(KEEP, scope)),
        ]
        question = Reply(components=page(QUESTION, [], below=below))
        await self._replies.respond(interaction_ref(interaction), question)

    async def _delete(self, click: SignedClick) -> None:
        async def work() -> Reply:
            erasure = await self._archive.erase(click.scope.guild_id, click.scope.member_id)
            return Reply(deleted_text(erasure))

        await self._replies.respond_or_defer(click.interaction, work())

    async def _keep(self, click: SignedClick) -> None:
        await self._replies.respond(click.interaction, Reply(KEPT))

    def _id(self, name: str, scope: SignatureScope) -> str:
        return self._custom_ids.write(Action(name), scope)


def export_text(made: MemberExport, limit: int) -> str:
    """Tell what is in the file, and what didn't fit."""
    text = plural(
        made.days,
        "Here's your data from this server: {edits} over {count} day.",
        "Here's your data from this server: {edits} over {count} days.",
        edits=count_edits(made.edits),
    )
    if not made.left_out:
        return f"{text} The file explains each field."
    left_out = plural(
        made.left_out,
        "The oldest edit didn't fit in the file ({limit} MB limit). Ask the bot owner for it.",
        "The {count} oldest edits didn't fit in the file ({limit} MB limit). "
        "Ask the bot owner for them.",
        limit=limit // 2**20,
    )
    return f"{text} {left_out}"


def deleted_text(erasure: Erasure) -> str:
    """Tell how many edits' data was deleted, or will be."""
    if not erasure.erased and not erasure.pending:
        return NOTHING_LEFT
    lines = [f"Deleted your prompts, name, and image links from {count_edits(erasure.erased)}."]
    if erasure.pending:
        lines.append(
            plural(
                erasure.pending,
                "{count} edit is still in progress. Its data will be deleted when it finishes.",
                "{count} edits are still in progress. Their data will be deleted when they finish.",
            )
        )
    if not erasure.complete:
        lines.append(NOT_ALL_DELETED)
    return "\n".join(lines)
