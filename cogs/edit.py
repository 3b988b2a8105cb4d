"""`/edit`: reads the command and hands the order to the editor."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.pricing import MAX_COUNT, SOURCE_SIZE
from bot.domain.refusals import MAX_PROMPT
from bot.editing.editor import Editor
from cogs.ui.choices import EDIT_OPTIONS, QUALITIES, SIZES, read_offered_quality
from cogs.ui.interactions import caller_of
from cogs.ui.order_intake import image_link, order_request


class EditCog(commands.Cog):
    """The command that edits an attached image."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    @app_commands.command(name="edit", description="Edit an image with a prompt")
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    @app_commands.describe(prompt="What to change, and what to keep", **EDIT_OPTIONS)
    @app_commands.choices(quality=QUALITIES, size=SIZES)
    async def edit(
        self,
        interaction: discord.Interaction,
        image: discord.Attachment,
        prompt: app_commands.Range[str, 1, MAX_PROMPT],
        quality: str | None = None,
        size: str | None = None,
        count: app_commands.Range[int, 1, MAX_COUNT] = 1,
        private: bool = False,
    ) -> None:
        """Hand over the order; the editor shows what happens to it."""
        await self._editor.take(
            order_request(
                caller_of(interaction),
                image_link(image),
                prompt=prompt,
                quality=read_offered_quality(quality),
                size=size or SOURCE_SIZE,
                count=count,
                private=private,
                chose_quality=quality is not None,
                chose_size=size is not None,
            )
        )
