"""`/edit`: reads the command and hands it to the use case."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.editing import Editor
from bot.message_pictures import PictureLink
from bot.pricing import MAX_COUNT, SOURCE_SIZE, Quality
from bot.refusals import MAX_PROMPT
from cogs.asking import caller_of
from cogs.choices import QUALITIES, SIZES
from cogs.orders import ask_for
from cogs.picture_words import IMAGE_OPTION


class EditCog(commands.Cog):
    """The command that everything else is for."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    @app_commands.command(name="edit", description="Change a picture as you say")
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    @app_commands.describe(
        image=IMAGE_OPTION,
        prompt="What to change, and what to leave as it is",
        quality="How carefully each picture is made; medium if you and this server do not say",
        size="The shape of the result; nearest to the picture's own if nobody says",
        count="How many pictures to make",
        private="Only you see the result",
    )
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
        """Take the order; what becomes of it is shown from its row."""
        source = PictureLink(
            url=image.url,
            name=image.filename,
            content_type=image.content_type,
            size=image.size,
            width=image.width,
            height=image.height,
        )
        await self._editor.take(
            ask_for(
                caller_of(interaction),
                source,
                prompt=prompt,
                quality=Quality(quality or Quality.MEDIUM),
                size=size or SOURCE_SIZE,
                count=count,
                private=private,
                chose_quality=quality is not None,
                chose_size=size is not None,
            )
        )
