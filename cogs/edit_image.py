"""*Apps → Edit image*: a picture of any message becomes the source, by way of a form."""

from collections.abc import Mapping
from typing import Any, cast

import discord
from discord import app_commands

from bot.discord_io.message_images import TrustedHosts, find_images
from bot.discord_io.modals import Form
from bot.discord_io.replies import EPHEMERAL, Reply
from cogs.ui.interactions import Caller, caller_of
from cogs.ui.order_intake import Orders

NO_PICTURE = (
    "There is no picture in that message that can be edited. Nothing was charged. Use this on a "
    "message with a picture that was posted in it, or run `/edit` with one of your own."
)


class EditImage:
    """The command in the menu of each message."""

    def __init__(self, orders: Orders, places: TrustedHosts) -> None:
        self._orders = orders
        self._places = places
        self.menu = app_commands.ContextMenu(
            name="Edit image",
            callback=self.edit_image,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        """Registered by whoever has the tree: discord.py has no such commands in cogs."""

    async def edit_image(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Answer with the form, or say that there is no picture."""
        caller = caller_of(interaction)
        await self._orders.respond_with(
            caller, self._form(caller, _as_sent(interaction, message.id))
        )

    async def _form(self, caller: Caller, message: Mapping[str, Any]) -> Form | Reply:
        pictures = find_images(message, self._places)
        if not pictures:
            return Reply(NO_PICTURE)
        private = bool(int(message.get("flags") or 0) & EPHEMERAL)
        return await self._orders.open_form(
            caller, pictures, "Edit image", public=not private, private=private
        )


def _as_sent(interaction: discord.Interaction, message_id: int) -> Mapping[str, Any]:
    """The message as Discord sent it, for discord.py keeps less of it."""
    data = cast("Mapping[str, Any]", interaction.data or {})
    return data["resolved"]["messages"][str(message_id)]
