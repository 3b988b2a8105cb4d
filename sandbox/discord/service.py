"""Discord as tests, the command line and the page use it: its state, and what members do."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence

from sandbox.discord.gateway import Gateway, Intent, Session
from sandbox.discord.guilds import Channel, ChannelType, Guild, Member, Overwrite, Role, User
from sandbox.discord.interactions.choosing import press_data
from sandbox.discord.interactions.commands import CommandType, InvalidInvocation, Registry
from sandbox.discord.interactions.filling import form_data
from sandbox.discord.interactions.interactions import CallbackType, Interaction, InteractionType
from sandbox.discord.interactions.invocation import (
    Chosen,
    Filled,
    Given,
    Resolved,
    Upload,
    check_leave,
    check_presence,
    command_data,
    fill_payload,
    suggestion_data,
    target_data,
)
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.discord.posting import check_deletion, post
from sandbox.discord.rest.answers import Request
from sandbox.discord.rest.server import DiscordRest
from sandbox.discord.world import (
    FILE_LIMIT,
    Change,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    World,
)
from sandbox.values import JsonObject

KINDS = {
    type(None): CommandType.CHAT_INPUT,
    Member: CommandType.USER,
    Message: CommandType.MESSAGE,
}
"""The commands that are found on nothing, on a person and on a message."""


class DiscordService:
    """The whole of the sandbox's Discord."""

    def __init__(
        self, world: World, gateway: Gateway, registry: Registry, rest: DiscordRest
    ) -> None:
        self.world = world
        self.gateway = gateway
        self.registry = registry
        self.rest = rest
        self.sent: list[Callable[[Interaction], None]] = []
        """Who hears of every interaction that a person's client sends."""
        world.listeners.append(self._pass_on)

    @property
    def guilds(self) -> list[Guild]:
        """The servers."""
        return self.world.guilds

    @property
    def requests(self) -> list[Request]:
        """Every request that the bot sent, in order."""
        return self.rest.requests

    @property
    def interactions(self) -> list[Interaction]:
        """Every interaction that was sent, in order."""
        return list(self.rest.interactions.by_id.values())

    def messages(self, channel: Channel) -> list[Message]:
        """Return a channel's messages, without deleted ones and those for one member alone."""
        return list(self.world.history(channel).values())

    def add_guild(
        self,
        name: str,
        channels: Sequence[str] = ("general", "pictures"),
        *,
        owner: str | User = "Olive",
    ) -> Guild:
        """Add a server, telling the bot at once."""
        guild = self.world.add_guild(name, channels, owner=owner)
        event = self.gateway.guild_create(guild)
        self.gateway.dispatch("GUILD_CREATE", event, guild_id=guild.id, intent=Intent.GUILDS)
        return guild

    def add_member(
        self,
        guild: Guild,
        who: str | User,
        *,
        permissions: int = 0,
        roles: Sequence[Role] = (),
        bot: bool = False,
    ) -> Member:
        """Add somebody to a server, a new person or bot by name, or one of another server.

        The permissions come on top of what everyone may do.
        """
        member = self.world.add_member(guild, who, permissions=permissions, roles=roles, bot=bot)
        self._tell("GUILD_MEMBER_ADD", guild, member.to_json(), Intent.GUILD_MEMBERS)
        return member

    def leave(self, member: Member) -> None:
        """Let a member leave its server; the user can still be named there."""
        guild = member.guild
        del guild.members[member.id]
        body: JsonObject = {"user": member.user.to_json()}
        self._tell("GUILD_MEMBER_REMOVE", guild, body, Intent.GUILD_MEMBERS)

    def expel_bot(self, guild: Guild) -> None:
        """Throw the bot out of a server, telling it."""
        del guild.members[self.world.bot.id]
        gone: JsonObject = {"id": str(guild.id)}
        self.gateway.dispatch("GUILD_DELETE", gone, guild_id=guild.id, intent=Intent.GUILDS)

    def forbid(self, channel: Channel, target: Role | Member, permissions: int) -> None:
        """Let a channel deny a role or a member something, telling the bot."""
        self._overwrite(channel, target, deny=permissions)

    def permit(self, channel: Channel, target: Role | Member, permissions: int) -> None:
        """Let a channel allow a role or a member something, telling the bot."""
        self._overwrite(channel, target, allow=permissions)

    def _overwrite(
        self, channel: Channel, target: Role | Member, *, allow: int = 0, deny: int = 0
    ) -> None:
        guild = channel.guild
        if guild is None or channel.type is not ChannelType.GUILD_TEXT:
            raise ValueError("only the text channels of servers have rules of their own")
        old = channel.overwrites.get(target.id, Overwrite())
        channel.overwrites[target.id] = Overwrite(
            old.allow & ~deny | allow, old.deny & ~allow | deny
        )
        self._tell("CHANNEL_UPDATE", guild, channel.to_json())

    def add_thread(self, channel: Channel, name: str, owner: Member | None = None) -> Channel:
        """Add a public thread to a text channel, telling the bot if it sees the channel."""
        thread, guild = self.world.add_thread(channel, name, owner), channel.guild
        seen = self.world.bot_permissions_in(thread) & Permission.VIEW_CHANNEL
        if guild is not None and seen:
            self._tell("THREAD_CREATE", guild, thread.to_json() | {"newly_created": True})
        return thread

    def delete_channel(self, channel: Channel) -> None:
        """Delete a text channel of a server and its threads, telling the bot."""
        guild, body = channel.guild, channel.to_json()
        self.world.delete_channel(channel)
        if guild is not None:
            self._tell("CHANNEL_DELETE", guild, body)

    def close_direct_messages(self, who: Member) -> None:
        """Let somebody take no direct messages of the bot's."""
        self.world.closed_to_bot.add(who.id)

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Add a role to a server, telling the bot."""
        role = self.world.add_role(guild, name, permissions)
        self._tell("GUILD_ROLE_CREATE", guild, {"role": role.to_json()})
        return role

    def delete_role(self, guild: Guild, role: Role) -> None:
        """Take a role away from a server, and from whoever has it, telling the bot."""
        guild.remove_role(role)
        self._tell("GUILD_ROLE_DELETE", guild, {"role_id": str(role.id)})

    def give_role(self, member: Member, role: Role) -> None:
        """Give a member a role."""
        if role not in member.roles:
            member.roles.append(role)
            self._tell_of_member(member)

    def take_role(self, member: Member, role: Role) -> None:
        """Take a role from a member."""
        if role in member.roles:
            member.roles.remove(role)
            self._tell_of_member(member)

    def _tell_of_member(self, member: Member) -> None:
        # Of itself a bot hears without the intent
        # (https://discord.com/developers/docs/events/gateway#caveats).
        own = member.id == self.world.bot.id
        intent = 0 if own else Intent.GUILD_MEMBERS
        self._tell("GUILD_MEMBER_UPDATE", member.guild, member.to_json(), intent)

    def _tell(
        self, event: str, guild: Guild, body: JsonObject, intent: int = Intent.GUILDS
    ) -> None:
        told = {"guild_id": str(guild.id)} | body
        self.gateway.dispatch(event, told, guild_id=guild.id, intent=intent)

    def expire_tokens(self) -> None:
        """Let the tokens of all interactions be dead at once."""
        for interaction in self.interactions:
            interaction.expire()

    def connected(
        self, *, command: str | None = "edit", timeout: float = 30
    ) -> Coroutine[object, object, Session]:
        """Wait until a bot is connected and has registered a command; raises TimeoutError."""

        def look() -> Session | None:
            known = command is None or self._find(command) is not None
            return next(iter(self.gateway.connected), None) if known else None

        return self.world.changed.until(look, timeout=timeout)

    def requested(
        self, method: str, path: str, *, times: int = 1, timeout: float = 30
    ) -> Coroutine[object, object, Request]:
        """Wait for an answered request by its method and a pattern; raises TimeoutError."""
        pattern = re.compile(path)

        def look() -> Request | None:
            answered = [each for each in self.requests if each.status is not None]
            found = [
                each for each in answered if each.method == method and pattern.search(each.path)
            ]
            return found[times - 1] if len(found) >= times else None

        return self.rest.answered.until(look, timeout=timeout)

    def posted(
        self,
        channel: Channel,
        satisfied: Callable[[Message], bool] = lambda _: True,
        *,
        timeout: float = 30,
    ) -> Coroutine[object, object, Message]:
        """Wait for a channel's first message that satisfies a condition; raises TimeoutError."""

        def look() -> Message | None:
            return next(filter(satisfied, self.messages(channel)), None)

        return self.world.changed.until(look, timeout=timeout)

    def _find(self, name: str) -> JsonObject | None:
        named = (each for each in self.registry.commands.values() if each["name"] == name)
        return next(named, None)

    async def invoke(
        self,
        channel: Channel,
        member: Member,
        command: str,
        options: Mapping[str, Given] | None = None,
        *,
        target: Message | Member | None = None,
        app_permissions: int | None = None,
        attachment_size_limit: int = FILE_LIMIT,
    ) -> Interaction:
        """Let a member run a command, a subcommand after spaces; raises InvalidInvocation.

        With a target it is a context menu command, of a message or of a person.
        """
        name, *path = [command] if target is not None else command.split()
        found = self._offered(channel, member, name, KINDS[type(target)])
        resolved = Resolved(self.world, channel, member)
        data = command_data(found, path, options or {}, resolved)
        if target is not None:
            data |= target_data(target, resolved)
        interaction = Interaction(self.world, InteractionType.COMMAND, channel, member)
        interaction.target = target
        return self._send(interaction, data, app_permissions, attachment_size_limit)

    async def complete(
        self,
        channel: Channel,
        member: Member,
        command: str,
        options: Mapping[str, Given] | None = None,
        *,
        focused: str,
    ) -> Interaction:
        """Let a member's client ask what to suggest for an option; raises InvalidInvocation.

        The options are what the member has typed so far, which need not be valid or complete.
        """
        name, *path = command.split()
        found = self._offered(channel, member, name, CommandType.CHAT_INPUT)
        data = suggestion_data(found, path, options or {}, focused)
        interaction = Interaction(self.world, InteractionType.AUTOCOMPLETE, channel, member)
        return self._send(interaction, data)

    async def press(
        self,
        message: Message,
        member: Member,
        custom_id: str,
        values: Sequence[Chosen] = (),
    ) -> Interaction:
        """Let a member use a button, or choose from a select; raises InvalidInvocation.

        The values are strings for a string select; people, roles and channels for the others.
        """
        check_presence(message.channel, member)
        found = (each for each in walk(message.components) if each.get("custom_id") == custom_id)
        component = next(found, None)
        if component is None or component.get("disabled") or message.deleted:
            raise InvalidInvocation(f"there is nothing to press named {custom_id}")
        data = press_data(component, values, Resolved(self.world, message.channel, member))
        interaction = Interaction(self.world, InteractionType.COMPONENT, message.channel, member)
        interaction.source = message
        return self._send(interaction, data)

    async def submit(
        self, form: Interaction, values: Mapping[str, Filled], member: Member | None = None
    ) -> Interaction:
        """Let a member send the form that an interaction was answered with, by custom ids.

        What is left out is sent as the form shows it. A form is sent once, and again only after
        the bot did not answer; raises InvalidInvocation.
        """
        shown, sender = form.acknowledgement, form.member
        if shown is None or shown.type != CallbackType.MODAL:
            raise InvalidInvocation("there is no form to send")
        if member is not None and member.id != sender.id:
            raise InvalidInvocation(f"this form was shown to {sender.name} alone")
        if form.submission is not None and not form.submission.failed:
            raise InvalidInvocation("this form was sent already")
        check_presence(form.channel, sender)
        data = form_data(shown.data, values, Resolved(self.world, form.channel, sender))
        interaction = Interaction(self.world, InteractionType.MODAL, form.channel, sender)
        interaction.source = form.source
        interaction.form = form
        form.submission = interaction
        return self._send(interaction, data)

    async def say(
        self, channel: Channel, member: Member, text: str, uploads: Sequence[Upload] = ()
    ) -> Message:
        """Let a member post a message, with files; raises InvalidInvocation."""
        return post(self.world, channel, member, text, uploads)

    def delete(self, message: Message, member: Member | None = None) -> None:
        """Let somebody delete a message; raises InvalidInvocation if a member may not."""
        if member is not None:
            check_deletion(message, member)
        self.world.deleted(message)

    def _offered(
        self, channel: Channel, member: Member, name: str, kind: CommandType
    ) -> JsonObject:
        guild_id = None if channel.guild is None else channel.guild.id
        found = self.registry.find(name, guild_id, kind)
        if found is None:
            raise InvalidInvocation(f"there is no /{name}")
        check_leave(found, channel, member)
        return found

    def _send(
        self,
        interaction: Interaction,
        data: JsonObject,
        app_permissions: int | None = None,
        attachment_size_limit: int = FILE_LIMIT,
    ) -> Interaction:
        fill_payload(
            interaction,
            self.world,
            data,
            app_permissions=app_permissions,
            attachment_size_limit=attachment_size_limit,
        )
        guild = interaction.channel.guild
        self.rest.interactions.add(interaction)
        self.gateway.dispatch(
            "INTERACTION_CREATE",
            interaction.payload,
            guild_id=None if guild is None else guild.id,
        )
        for listener in self.sent:
            listener(interaction)
        return interaction

    def _pass_on(self, change: Change) -> None:
        message = change.message
        for interaction in self.rest.interactions.by_message.get(message.id, ()):
            interaction.changed.fire()
        if message.ephemeral or message.loading:
            return
        guild = message.channel.guild
        intent = Intent.DIRECT_MESSAGES if guild is None else Intent.GUILD_MESSAGES
        if not self.gateway.expected(intent):
            return
        where: JsonObject = {} if guild is None else {"guild_id": str(guild.id)}
        match change:
            case MessageCreated():
                event, body = "MESSAGE_CREATE", message.as_created() | _authorship(message)
            case MessageEdited():
                event, body = "MESSAGE_UPDATE", message.to_json() | _authorship(message)
            case MessageDeleted():
                event = "MESSAGE_DELETE"
                body = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self.gateway.dispatch(
            event,
            body | where,
            guild_id=None if guild is None else guild.id,
            intent=intent,
            concealed=_conceal(body | where) if self._is_private(message) else None,
        )

    def _is_private(self, message: Message) -> bool:
        """Tell whether only bots with the MESSAGE_CONTENT intent may read a message."""
        bot = self.world.bot.id
        told = message.author.id == bot or bot in message.now.mentions.users
        return message.channel.guild is not None and not told and not message.deleted


def _conceal(message: JsonObject) -> JsonObject:
    """Return what a bot without MESSAGE_CONTENT is told of others' messages.

    See https://discord.com/developers/docs/events/gateway#message-content-intent.
    """
    hidden: JsonObject = {"content": "", "embeds": [], "attachments": [], "components": []}
    return message | hidden


def _authorship(message: Message) -> JsonObject:
    """Return what the gateway tells of an author who is a member, beside the user."""
    guild = message.channel.guild
    member = None if guild is None else guild.members.get(message.author.id)
    if member is None or message.application_id is not None:
        return {}
    return {"member": {key: value for key, value in member.to_json().items() if key != "user"}}
