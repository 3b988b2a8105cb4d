"""`/privacy`: members get what is kept about them, and have it erased."""

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
from cogs.text.outcomes import EXPORT_RUNNING, counted
from cogs.ui.component_router import ClickHandler, SignedClick
from cogs.ui.components import Button
from cogs.ui.interactions import asked_by, holder_of
from cogs.ui.pages import page

ERASE, KEEP = "privacy.erase", "privacy.keep"
"""What the buttons do."""

QUESTION = (
    "**Erase what is kept about you in this server?**\n"
    "Erased are, of all your edits here: the prompt, your name and roles, the names and links of "
    "pictures, and what the editing service said. Edits under way lose theirs when they end. "
    "If others ran your edits again, theirs lose the links of your originals.\n"
    "What stays: your credits by day, and of each edit its time, channel, message, options, price "
    "and outcome, without names, under your Discord id. Messages that were posted stay in "
    "Discord; delete those there.\n"
    "This cannot be undone."
)

KEPT = "Nothing was erased."

NOT_ALL_ERASED = "Not everything could be erased just now. Run the command again in a minute."

NOT_UPLOADED = (
    "Your data was put together, but Discord did not take the file. Nothing was changed. "
    "Run the command again in a few minutes."
)


class PrivacyCog(commands.Cog):
    """A member's own data, handed to them alone and erased by nobody else."""

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
    def actions(self) -> Mapping[str, ClickHandler]:
        """What its buttons do."""
        return {ERASE: self._erase, KEEP: self._keep}

    @privacy.command(name="export", description="Download your data from this server")
    async def export(self, interaction: discord.Interaction) -> None:
        """Answer with a file."""
        asked, limit = asked_by(interaction), min(interaction.filesize_limit, UPLOAD_LIMIT)
        holder = holder_of(interaction)
        with self._exports.begin(holder.member_id) as begun:
            if not begun:
                await self._replies.respond(asked, Reply(EXPORT_RUNNING))
                return
            async with (
                self._replies.deferred(asked),
                self._exports.folder(interaction.id) as folder,
            ):
                async with self._exports.making():
                    made = await export_member(
                        self._archive,
                        holder.guild_id,
                        holder.member_id,
                        folder,
                        limit=limit,
                        now=self._clock(),
                    )
                file = File(made.file.name, made.file)
                reply = Reply(export_text(made, limit), files=[file])
                if not await self._replies.respond(asked, reply, deferred=True):
                    await self._replies.respond(asked, Reply(NOT_UPLOADED), deferred=True)

    @privacy.command(
        name="delete", description="Delete your prompts, name, and image links from this server"
    )
    async def delete(self, interaction: discord.Interaction) -> None:
        """Ask whether it is meant."""
        holder = holder_of(interaction)
        erase = Button("Erase my data", self._id(ERASE, holder), discord.ButtonStyle.danger)
        question = page(QUESTION, [], below=[erase, Button("Cancel", self._id(KEEP, holder))])
        await self._replies.respond(asked_by(interaction), Reply(components=question))

    async def _erase(self, press: SignedClick) -> None:
        async def work() -> Reply:
            erasure = await self._archive.erase(press.by.guild_id, press.by.member_id)
            return Reply(erased_text(erasure))

        await self._replies.respond_or_defer(press.asked, work())

    async def _keep(self, press: SignedClick) -> None:
        await self._replies.respond(press.asked, Reply(KEPT))

    def _id(self, name: str, holder: SignatureScope) -> str:
        return self._custom_ids.write(Action(name), holder)


def export_text(made: MemberExport, limit: int) -> str:
    """What is in the file, and what of it is not."""
    text = f"What is kept about you in this server: edits: {made.edits}, days: {made.days}."
    if not made.left_out:
        return f"{text} The file says what its words mean."
    return (
        f"{text} Your {made.left_out} older edits are not in the file: more than "
        f"{limit / 2**20:.0f} MiB cannot be sent here. Ask the bot's owner for them."
    )


def erased_text(erasure: Erasure) -> str:
    """Of how many edits the data is gone, or will be."""
    if not erasure.erased and not erasure.under_way:
        return "Nothing of your data is left to be erased in this server."
    lines = [f"Erased: the prompts, names and picture links of {counted(erasure.erased, 'edit')}."]
    if erasure.under_way:
        lines.append(
            f"Under way: {counted(erasure.under_way, 'edit')}, whose data is erased at the end."
        )
    if not erasure.whole:
        lines.append(NOT_ALL_ERASED)
    return "\n".join(lines)
