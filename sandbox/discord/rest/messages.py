"""Discord's message resource (https://discord.com/developers/docs/resources/message)."""

from dataclasses import replace

from sandbox.discord import message_rules
from sandbox.discord.forwards import snapshots_of
from sandbox.discord.guilds import Channel
from sandbox.discord.interactions.forms import Form, Problems
from sandbox.discord.message_rules import Payload, Place
from sandbox.discord.messages import REPLY, Flag, Message, Revision
from sandbox.discord.permissions import Permission
from sandbox.discord.rest.answers import (
    CANNOT_MESSAGE,
    DONE,
    NO_MUTUAL_SERVER,
    NOT_ITS_AUTHOR,
    Reply,
    RestCall,
    Route,
)
from sandbox.discord.rest.lookups import channel_of, message_of, reach_channel
from sandbox.discord.uploads import Body, entity_too_large
from sandbox.discord.world import FILE_LIMIT, World
from sandbox.values import object_at, snowflake


class MessageRoutes:
    """The messages of a channel."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._nonces: dict[tuple[int, str], Message] = {}

    def forget_nonces(self) -> None:
        """Forget all nonces, as Discord does after a few minutes."""
        self._nonces.clear()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ("GET", "/channels/{channel}/messages", self._list_messages),
            ("POST", "/channels/{channel}/messages", self._create_message),
            ("GET", "/channels/{channel}/messages/{message}", self._get_message),
            ("PATCH", "/channels/{channel}/messages/{message}", self._edit_message),
            ("DELETE", "/channels/{channel}/messages/{message}", self._delete_message),
        ]

    def _list_messages(self, call: RestCall) -> Reply:
        channel = channel_of(self._world, call)
        if not self._world.bot_permissions_in(channel) & Permission.READ_MESSAGE_HISTORY:
            # https://discord.com/developers/docs/resources/message#get-channel-messages
            return Reply([])
        history = self._world.history(channel)
        found = [history[message_id] for message_id in sorted(history, reverse=True)]
        before, after = snowflake(call.query.get("before")), snowflake(call.query.get("after"))
        if before is not None:
            found = [message for message in found if message.id < before]
        if after is not None:
            found = [message for message in found if message.id > after]
        limit = call.query.get("limit", "50")
        most = min(100, int(limit)) if limit.isdecimal() else 50
        shown = found[-most:] if after is not None and before is None else found[:most]
        return Reply([message.to_json() for message in shown])

    def _get_message(self, call: RestCall) -> Reply:
        return Reply(message_of(self._world, call, Permission.READ_MESSAGE_HISTORY).to_json())

    def _create_message(self, call: RestCall) -> Reply:
        form = Form(call.body.fields, Problems())
        channel = channel_of(self._world, call, *_needed(form, files=bool(call.body.files)))
        if channel.recipient is not None:
            self._check_recipient(channel.recipient.id)
        nonce = form.string("nonce", longest=25)
        enforced = form.boolean("enforce_nonce")
        replied, forwarded = self._references(form, channel)
        form.problems.check()
        if nonce and enforced and (channel.id, nonce) in self._nonces:
            return Reply(self._nonces[(channel.id, nonce)].as_created())
        place = _place(channel)
        if forwarded is not None:
            snapshots = snapshots_of(forwarded.to_json()) or ()
            place = replace(place, snapshots=snapshots, flags=Flag.HAS_SNAPSHOT)
        revision = compose(self._world, call.body, place, FILE_LIMIT)
        message = Message(
            self._world.new_id(),
            channel,
            self._world.bot,
            [revision],
            pinged=revision.mentions,
            nonce=nonce,
            kind=0 if replied is None else REPLY,
            refers_to=replied,
            forwards=forwarded,
        )
        if nonce:
            self._nonces[(channel.id, nonce)] = message
        self._world.created(message)
        return Reply(message.as_created())

    def _check_recipient(self, user_id: int) -> None:
        if user_id in self._world.closed_to_bot:
            raise CANNOT_MESSAGE.error()
        if not self._world.shares_server_with_bot(user_id):
            raise NO_MUTUAL_SERVER.error()

    def _references(self, form: Form, channel: Channel) -> tuple[Message | None, Message | None]:
        """Return the message that a new one replies to, and the one that it forwards."""
        reference = form.object("message_reference")
        if reference is None:
            return None, None
        forward = reference.choice("type", of={0, 1}) == 1
        where = reference.snowflake("channel_id", required=forward)
        wanted = reference.snowflake("message_id", required=True)
        lenient = reference.boolean("fail_if_not_exists") is False
        form.problems.check()
        if forward:
            channel = reach_channel(self._world, where or 0, Permission.READ_MESSAGE_HISTORY)
        found = self._world.history(channel).get(wanted or 0)
        if found is None and (forward or not lenient):
            form.wrong("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        if not forward:
            return found, None
        if found is not None and snapshots_of(found.to_json()) is None:
            words = "This message cannot be forwarded"
            form.wrong("message_reference", "MESSAGE_CANNOT_BE_FORWARDED", words)
        return None, found

    def _edit_message(self, call: RestCall) -> Reply:
        message = message_of(
            self._world, call, *([Permission.ATTACH_FILES] if call.body.files else [])
        )
        if message.author.id != self._world.bot.id:
            raise NOT_ITS_AUTHOR.error()
        edit(self._world, message, call.body, FILE_LIMIT)
        return Reply(message.to_json())

    def _delete_message(self, call: RestCall) -> Reply:
        message = message_of(self._world, call)
        if message.author.id != self._world.bot.id:
            message_of(self._world, call, Permission.MANAGE_MESSAGES)
        self._world.deleted(message)
        return DONE


def compose(
    world: World,
    body: Body,
    place: Place,
    limit: int,
    old: Message | None = None,
    *,
    within: str | None = None,
) -> Revision:
    """Return what a message will show after a request; raises DiscordError for a wrong one.

    The message's fields are the request's, or those of its object `within`.
    """
    if any(file.size > limit for file in body.files.values()):
        raise entity_too_large()
    fields = body.fields if within is None else object_at(body.fields, within)
    path = () if within is None else (within,)
    return message_rules.compose(world, Payload(fields, body.files, path), place, old)


def edit(
    world: World, message: Message, body: Body, limit: int, *, within: str | None = None
) -> None:
    """Edit a message as a request asks; raises DiscordError for a wrong one."""
    place = _place(message.channel, message.flags & Flag.EPHEMERAL)
    world.edited(message, compose(world, body, place, limit, message, within=within))


def _needed(form: Form, *, files: bool) -> list[Permission]:
    """Return what a bot needs to post a message."""
    given = {
        Permission.SEND_MESSAGES: True,
        Permission.ATTACH_FILES: files,
        Permission.SEND_TTS_MESSAGES: form.fields.get("tts") is True,
    }
    return [permission for permission, used in given.items() if used]


def _place(channel: Channel, flags: int = 0) -> Place:
    return Place(f"attachments/{channel.id}", flags)
