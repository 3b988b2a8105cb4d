"""`/edit`: reads the command and hands it to the use case."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.editing import Editor
from bot.ledger import Order
from bot.pictures import MAX_SOURCE_BYTES
from bot.pricing import MAX_COUNT, SOURCE_SIZE, Quality
from bot.refusals import MAX_PROMPT, Ask, Attachment
from cogs.asking import as_member, guild_of, place_of
from cogs.choices import QUALITIES, SIZES
from cogs.picture_words import FORMATS


class EditCog(commands.Cog):
    """The command that everything else is for."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    @app_commands.command(name="edit", description="Change a picture as you say")
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    @app_commands.describe(
        image=f"The picture: {FORMATS}, up to {MAX_SOURCE_BYTES // 2**20} MiB",
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
        order = Order(
            id=interaction.id,
            application_id=interaction.application_id,
            guild_id=guild_of(interaction),
            channel_id=interaction.channel_id or 0,
            member_id=interaction.user.id,
            member_name=interaction.user.display_name,
            token=interaction.token,
            source_url=image.url,
            source_name=image.filename,
            prompt=prompt,
            quality=Quality(quality or Quality.MEDIUM),
            size=size or SOURCE_SIZE,
            count=count,
            private=private,
            upload_limit=interaction.filesize_limit,
            role_ids=as_member(interaction.user, guild_of(interaction)).role_ids,
        )
        attachment = Attachment(
            name=image.filename,
            content_type=image.content_type,
            size=image.size,
            width=image.width,
            height=image.height,
        )
        await self._editor.take(
            Ask(
                order,
                attachment,
                place_id=place_of(interaction),
                chose_quality=quality is not None,
                chose_size=size is not None,
            )
        )
