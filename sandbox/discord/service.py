"""Discord as tests, the command line and the page use it: its state, and what members do."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence

from sandbox.discord.gateway import Gateway
from sandbox.discord.gateway_sessions import Session
from sandbox.discord.guilds import Channel, Guild, Member
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
from sandbox.discord.posting import check_deletion, post
from sandbox.discord.rest.answers import Request
from sandbox.discord.rest.server import DiscordRest
from sandbox.discord.world import (
    FILE_LIMIT,
    World,
)
from sandbox.values import JsonObject

KINDS = {
    type(None): CommandType.CHAT_INPUT,
    Member: CommandType.USER,
    Message: CommandType.MESSAGE,
}
"""The type of command for each type of target."""


class DiscordService:
    """The sandbox's Discord, as tests, the command line and the page use it."""

    def __init__(
        self, world: World, gateway: Gateway, registry: Registry, rest: DiscordRest
    ) -> None:
        self.world = world
        self.gateway = gateway
        self.registry = registry
        self.rest = rest
        self.sent: list[Callable[[Interaction], None]] = []
        """Called with every interaction that a member sends."""
        self.add_guild = world.add_guild
        self.expel_bot = world.expel_bot
        self.add_member = world.add_member
        self.leave = world.leave
        self.add_role = world.add_role
        self.delete_role = world.delete_role
        self.give_role = world.give_role
        self.take_role = world.take_role
        self.forbid = world.forbid
        self.permit = world.permit
        self.add_thread = world.add_thread
        self.delete_channel = world.delete_channel
        self.close_direct_messages = world.close_direct_messages

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
