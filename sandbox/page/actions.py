"""What people do in a tab: read from what it sends, and done in the sandbox in their name."""

from collections.abc import Awaitable, Callable, Mapping

from sandbox.bot_process import BotProcess
from sandbox.discord.components.components import Kind
from sandbox.discord.guilds import Channel, Member, Role
from sandbox.discord.interactions.commands import InvalidInvocation, OptionType
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Chosen, Filled, Given
from sandbox.discord.messages import Message, walk
from sandbox.page.mirror import Mirror
from sandbox.page.stage import member_in
from sandbox.page.switches import Switchboard
from sandbox.page.uploads import Uploads
from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, as_array, object_at, objects_at, snowflake, text_at

SECONDS_TO_SUGGEST = 3.0

OPTION_NAMES: Mapping[object, str] = {
    OptionType.USER: "user",
    OptionType.ROLE: "role",
    OptionType.CHANNEL: "channel",
    OptionType.MENTIONABLE: "mentionable",
    OptionType.ATTACHMENT: "file",
}
"""What an option's value names, where it is more than what was typed."""

COMPONENT_NAMES: Mapping[object, str] = {
    Kind.USER_SELECT: "user",
    Kind.ROLE_SELECT: "role",
    Kind.CHANNEL_SELECT: "channel",
    Kind.MENTIONABLE_SELECT: "mentionable",
    Kind.FILE_UPLOAD: "file",
}
"""What a component's values name, where it is more than texts."""


class Actions:
    """Does what a tab asks for, by the action's name."""

    def __init__(
        self,
        sandbox: Sandbox,
        bot: BotProcess,
        mirror: Mirror,
        switchboard: Switchboard,
        uploads: Uploads,
    ) -> None:
        self._world = sandbox.world
        self._discord = sandbox.discord
        self._bot = bot
        self._mirror = mirror
        self._switchboard = switchboard
        self._uploads = uploads
        self._actions: Mapping[str, Callable[[JsonObject], Awaitable[object]]] = {
            "invoke": self._invoke,
            "complete": self._complete,
            "press": self._press,
            "submit": self._submit,
            "close": self._close,
            "say": self._say,
            "dismiss": self._dismiss,
            "delete": self._delete,
            "switch": self._switch,
            "kill": self._kill,
            "start": self._start,
        }

    async def do(self, asked: JsonObject) -> object:
        """Do it, and return what the tab is to know of it; raises InvalidInvocation."""
        action = self._actions.get(text_at(asked, "action"))
        if action is None:
            raise InvalidInvocation("The sandbox knows no such action: reload the page.")
        return await action(asked)

    # What people do in Discord.

    async def _invoke(self, asked: JsonObject) -> object:
        channel, member = self._place(asked)
        names, options = self._command(asked, channel)
        target = self._target(asked, channel)
        interaction = await self._discord.invoke(channel, member, names, options, target=target)
        return str(interaction.id)

    async def _complete(self, asked: JsonObject) -> object:
        channel, member = self._place(asked)
        names, options = self._command(asked, channel)
        focused = text_at(asked, "focused")
        interaction = await self._discord.complete(channel, member, names, options, focused=focused)
        try:
            answer = await interaction.acknowledged(timeout=SECONDS_TO_SUGGEST)
        except TimeoutError:
            raise InvalidInvocation("Loading options failed") from None
        return answer.choices

    async def _press(self, asked: JsonObject) -> object:
        message = self._message(asked)
        custom_id = text_at(asked, "custom_id")
        found = (each for each in walk(message.components) if each.get("custom_id") == custom_id)
        component = next(found, None)
        kind = None if component is None else COMPONENT_NAMES.get(component["type"])
        values = [self._chosen(kind, each, message.channel) for each in _array(asked, "values")]
        member = self._member(asked, message.channel)
        return str((await self._discord.press(message, member, custom_id, values)).id)

    async def _submit(self, asked: JsonObject) -> object:
        form = self._form(asked)
        shown = {} if form.acknowledgement is None else form.acknowledgement.data
        kinds = {
            text_at(field, "custom_id"): COMPONENT_NAMES.get(field.get("type"))
            for field in fields_of(objects_at(shown, "components"))
        }
        values = {
            custom_id: self._filled(kinds.get(custom_id), value, form.channel)
            for custom_id, value in object_at(asked, "values").items()
        }
        return str((await self._discord.submit(form, values)).id)

    async def _close(self, asked: JsonObject) -> object:
        self._mirror.forget_form(self._form(asked))
        return None

    async def _say(self, asked: JsonObject) -> object:
        channel, member = self._place(asked)
        uploads = [self._uploads.get(each) for each in _array(asked, "uploads")]
        await self._discord.say(channel, member, text_at(asked, "text"), uploads)
        return None

    async def _dismiss(self, asked: JsonObject) -> object:
        if "interaction" in asked:
            self._mirror.forget_interaction(snowflake(asked["interaction"]) or 0)
            return None
        message = self._message(asked)
        if not message.ephemeral:
            raise InvalidInvocation("Only what you alone see can be dismissed.")
        self._mirror.dismiss(message)
        return None

    async def _delete(self, asked: JsonObject) -> object:
        message = self._message(asked)
        self._discord.delete(message, self._member(asked, message.channel))
        return None

    # What only a sandbox can do.

    async def _switch(self, asked: JsonObject) -> object:
        name = text_at(asked, "name")
        if name not in self._switchboard:
            raise InvalidInvocation("There is no such switch.")
        await self._switchboard.turn(name, on=asked.get("on") is True)
        return None

    async def _kill(self, _: JsonObject) -> object:
        await self._bot.crash()
        return None

    async def _start(self, _: JsonObject) -> object:
        await self._bot.start()
        return None

    # Who and what is meant.

    def _place(self, asked: JsonObject) -> tuple[Channel, Member]:
        channel = self._world.channels.get(snowflake(asked.get("channel")) or 0)
        if channel is None:
            raise InvalidInvocation("There is no such channel.")
        return channel, self._member(asked, channel)

    def _member(self, asked: JsonObject, channel: Channel) -> Member:
        member = member_in(self._world, channel, snowflake(asked.get("member")) or 0)
        if member is None:
            raise InvalidInvocation("Whoever you are now is not in this place.")
        return member

    def _message(self, asked: JsonObject) -> Message:
        """Return a message that the person sees."""
        message = self._mirror.messages.get(snowflake(asked.get("message")) or 0)
        if message is None or self._mirror.seen_by(message) not in {None, asked.get("member")}:
            raise InvalidInvocation("The message is not there any more.")
        return message

    def _form(self, asked: JsonObject) -> Interaction:
        form = self._discord.rest.interactions.by_id.get(snowflake(asked.get("form")) or 0)
        if form is None or str(form.member.id) != asked.get("member"):
            raise InvalidInvocation("The form is not there any more.")
        return form

    def _target(self, asked: JsonObject, channel: Channel) -> Message | Member | None:
        wanted = snowflake(asked.get("target"))
        if wanted is None:
            return None
        found = self._world.history(channel).get(wanted) or member_in(self._world, channel, wanted)
        if found is None:
            raise InvalidInvocation("The message is not there any more.")
        return found

    def _command(self, asked: JsonObject, channel: Channel) -> tuple[str, dict[str, Given]]:
        """Return a command's names, subcommands after spaces, and what its options were given."""
        command = self._discord.registry.commands.get(snowflake(asked.get("command")) or 0)
        if command is None:
            raise InvalidInvocation("This command is outdated, please try again in a few minutes")
        names, level = [text_at(command, "name")], command
        for name in _array(asked, "path"):
            nested = (each for each in objects_at(level, "options") if each["name"] == name)
            level = next(nested, level)
            names.append(str(name))
        kinds = {
            text_at(option, "name"): OPTION_NAMES.get(option["type"])
            for option in objects_at(level, "options")
        }
        options = {
            name: self._given(kinds.get(name), value, channel)
            for name, value in object_at(asked, "options").items()
        }
        return " ".join(names), options

    def _given(self, kind: str | None, value: object, channel: Channel) -> Given:
        """Return what was given to an option."""
        if kind == "file":
            return self._uploads.get(value)
        if kind is None and isinstance(value, int | float):
            return value
        return self._chosen(kind, value, channel)

    def _filled(self, kind: str | None, value: object, channel: Channel) -> Filled:
        """Return what was filled into a form's field."""
        several = as_array(value)
        if several is None:
            return value if isinstance(value, str | bool) else None
        if kind == "file":
            return [self._uploads.get(each) for each in several]
        return [self._chosen(kind, each, channel) for each in several]

    def _chosen(self, kind: str | None, value: object, channel: Channel) -> Chosen:
        """Return whom or what an id names, or what was typed or picked from a list of texts."""
        if kind is None:
            return str(value)
        number = snowflake(value)
        found = None if number is None else self._named(kind, number, channel)
        if found is None:
            raise InvalidInvocation(f"Choose a {kind} from the list.")
        return found

    def _named(self, kind: str, number: int, channel: Channel) -> Member | Role | Channel | None:
        if kind == "channel":
            return self._world.channels.get(number)
        roles = {} if channel.guild is None else channel.guild.roles
        user = None if kind == "role" else member_in(self._world, channel, number)
        return user or (None if kind == "user" else roles.get(number))


def fields_of(components: list[JsonObject]) -> list[JsonObject]:
    """Return a form's fields, out of their rows and labels."""
    found: list[JsonObject] = []
    for component in components:
        label = object_at(component, "component")
        found += [label] if label else objects_at(component, "components")
    return found


def _array(asked: JsonObject, key: str) -> list[object]:
    return as_array(asked.get(key)) or []
