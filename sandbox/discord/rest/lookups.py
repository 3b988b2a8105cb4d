"""Find the guild, channel or message in a request's path, as far as the bot may see it."""

from sandbox.discord.guilds import Channel, Guild
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.discord.rest.answers import (
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    UNKNOWN_CHANNEL,
    UNKNOWN_GUILD,
    UNKNOWN_MESSAGE,
    RestCall,
)
from sandbox.discord.world import World


def guild_of(world: World, call: RestCall) -> Guild:
    """Return the guild in the path; raises DiscordError if the bot isn't in it."""
    guild = world.guild(call.id("guild"))
    if guild is None or world.bot.id not in guild.members:
        raise UNKNOWN_GUILD.error()
    return guild


def channel_of(world: World, call: RestCall, *needed: Permission) -> Channel:
    """Return the channel in the path; raises DiscordError if the bot lacks a permission."""
    return reach_channel(world, call.id("channel"), *needed)


def reach_channel(world: World, channel_id: int, *needed: Permission) -> Channel:
    """Return a channel by its id; raises DiscordError if the bot lacks a permission."""
    channel = world.channels.get(channel_id)
    if channel is None:
        raise UNKNOWN_CHANNEL.error()
    allowed = world.bot_permissions_in(channel)
    if not allowed & Permission.VIEW_CHANNEL:
        raise MISSING_ACCESS.error()
    for bit in needed:
        if not allowed & (channel.posting if bit is Permission.SEND_MESSAGES else bit):
            raise MISSING_PERMISSIONS.error()
    return channel


def message_of(world: World, call: RestCall, *needed: Permission) -> Message:
    """Return the message in the path; raises DiscordError if the bot can't reach it."""
    message = world.history(channel_of(world, call, *needed)).get(call.id("message"))
    if message is None:
        raise UNKNOWN_MESSAGE.error()
    return message
