"""Sends the changes of the world over the gateway."""

from sandbox.discord.gateway import Gateway
from sandbox.discord.gateway_sessions import Intent
from sandbox.discord.messages import Message
from sandbox.discord.world import (
    Change,
    GuildEvent,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    World,
)
from sandbox.values import JsonObject


class GatewayEvents:
    """Listens to the world, and dispatches its changes to the sessions that asked for them."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway
        world.listeners.append(self._dispatch_message)
        world.guild_listeners.append(self._dispatch_guild_event)

    def _dispatch_guild_event(self, event: GuildEvent) -> None:
        self._gateway.dispatch(event.name, event.body, guild_id=event.guild.id, intent=event.intent)

    def _dispatch_message(self, change: Change) -> None:
        message = change.message
        guild = message.channel.guild
        intent = Intent.DIRECT_MESSAGES if guild is None else Intent.GUILD_MESSAGES
        if message.ephemeral or message.loading or not self._gateway.wants(intent):
            return
        body: JsonObject
        match change:
            case MessageCreated():
                event, body = "MESSAGE_CREATE", message.as_created() | _member_of(message)
            case MessageEdited():
                event, body = "MESSAGE_UPDATE", message.to_json() | _member_of(message)
            case MessageDeleted():
                event = "MESSAGE_DELETE"
                body = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if guild is not None:
            body["guild_id"] = str(guild.id)
        self._gateway.dispatch(
            event,
            body,
            guild_id=None if guild is None else guild.id,
            intent=intent,
            concealed=_conceal(body) if self._is_private(message) else None,
        )

    def _is_private(self, message: Message) -> bool:
        """Return whether reading a message takes the MESSAGE_CONTENT intent."""
        bot = self._world.bot.id
        exempt = message.author.id == bot or bot in message.now.mentions.users
        return message.channel.guild is not None and not exempt and not message.deleted


def _conceal(message: JsonObject) -> JsonObject:
    """Return a message as a bot without the MESSAGE_CONTENT intent gets it.

    See https://discord.com/developers/docs/events/gateway#message-content-intent.
    """
    hidden: JsonObject = {"content": "", "embeds": [], "attachments": [], "components": []}
    return message | hidden


def _member_of(message: Message) -> JsonObject:
    """Return the author's member fields, which the gateway adds to a message in a server."""
    guild = message.channel.guild
    member = None if guild is None else guild.members.get(message.author.id)
    if member is None or message.application_id is not None:
        return {}
    return {"member": {key: value for key, value in member.to_json().items() if key != "user"}}
