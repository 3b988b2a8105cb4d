"""*Apps → Edit image*: opens a form to edit an image of any message."""

from collections.abc import Mapping
from typing import Any, cast

import discord
from discord import app_commands

from bot.discord_io.message_images import TrustedHosts, find_images
from bot.discord_io.modals import Form
from bot.discord_io.replies import EPHEMERAL, Reply
from cogs.ui.interactions import Caller, caller_of
from cogs.ui.order_intake import Orders

NO_IMAGE = (
    "There's no image in that message that Darkroom can edit. You weren't charged. Pick a message "
    "with an image, or use `/edit`."
)


class EditImage:
    """The command in each message's menu."""

    def __init__(self, orders: Orders, trusted_hosts: TrustedHosts) -> None:
        self._orders = orders
        self._trusted_hosts = trusted_hosts
        self.menu = app_commands.ContextMenu(
            name="Edit image",
            callback=self.edit_image,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        """discord.py has no context menus in cogs, so the command tree registers this one."""

    async def edit_image(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open the form, or say that there is no image."""
        caller = caller_of(interaction)
        await self._orders.respond_with(
            caller, self._form(caller, _as_sent(interaction, message.id))
        )

    async def _form(self, caller: Caller, message: Mapping[str, Any]) -> Form | Reply:
        images = find_images(message, self._trusted_hosts)
        if not images:
            return Reply(NO_IMAGE)
        private = bool(int(message.get("flags") or 0) & EPHEMERAL)
        return await self._orders.open_form(
            caller, images, "Edit image", public=not private, private=private
        )


def _as_sent(interaction: discord.Interaction, message_id: int) -> Mapping[str, Any]:
    """Return the message as Discord sent it; discord.py's object has less."""
    data = cast("Mapping[str, Any]", interaction.data or {})
    return data["resolved"]["messages"][str(message_id)]
