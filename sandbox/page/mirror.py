"""Shows in the feed what there is and what happens: the records' shapes are written down here.

| kind | id | value |
| --- | --- | --- |
| `setup` | `setup` | the bot's user and name, and whether edits are imitations |
| `user` | its | name, whether a bot, and which part it is, if it is one to be |
| `guild` | its | name, owner, roles, and its members' roles |
| `channel` | its | name, type, place, and for each person their rights and the commands on offer |
| `command` | its | as Discord returns it |
| `message` | its | Discord's, and under `sandbox` who alone sees it, and who used which command |
| `interaction` | its | one that was not answered yet (`sent`) or not in time (`failed`) |
| `form` | its interaction's | a form that is open in front of somebody |
| `edit`, `sums` | | what the bot said of its edits: see `ledger_shown.py` |
| `exchange` | a number | a request that the bot sent, and how it was answered |
| `switch` | its name | what can be made to go wrong, on which side, and whether it is on |
| `bot` | `bot` | whether it runs, how often it connected, its last lines if it ended by itself |
"""

import asyncio
from collections.abc import Sequence

from sandbox.bot_process import BotProcess
from sandbox.discord.guilds import Channel, Guild, Member, Thread
from sandbox.discord.interactions.commands import InvalidInvocation
from sandbox.discord.interactions.interactions import (
    SECONDS_TO_ACKNOWLEDGE,
    CallbackType,
    Interaction,
    InteractionType,
)
from sandbox.discord.interactions.invocation import check_leave
from sandbox.discord.messages import COMMAND_ANSWER, CONTEXT_COMMAND_ANSWER, Message
from sandbox.discord.permissions import Permission
from sandbox.discord.world import Change, MessageDeleted
from sandbox.edit_api.edit_service import USER_AGENT
from sandbox.exchanges import Exchange
from sandbox.page.feed import Feed
from sandbox.page.stage import Part, member_in
from sandbox.sandbox import Sandbox
from sandbox.values import (
    JsonObject,
    as_array,
    as_object,
    object_at,
    objects_at,
    text_at,
)

MOST_EXCHANGES = 400
MOST_LINES = 6

SUBCOMMANDS = frozenset({1, 2})
COMMAND_ANSWERS = frozenset({COMMAND_ANSWER, CONTEXT_COMMAND_ANSWER})


class Mirror:
    """Keeps the feed level with the sandbox and the bot."""

    def __init__(
        self, sandbox: Sandbox, bot: BotProcess, parts: Sequence[Part], feed: Feed
    ) -> None:
        self._sandbox = sandbox
        self._discord = sandbox.discord
        self._world = sandbox.world
        self._bot = bot
        self._parts = parts
        self._feed = feed
        self._commands_seen: list[object] = []
        self._command_ids: set[int] = set()
        self.messages: dict[int, Message] = {}
        self._dismissed: set[int] = set()
        self._unanswered: set[int] = set()
        self._failed: list[Interaction] = []

    def begin(self, *, real_api: bool) -> None:
        """Show what there is, and from now on what happens."""
        world = self._world
        api = "real" if real_api else "imitation"
        setup: JsonObject = {"bot": str(world.bot.id), "application": world.bot.name, "api": api}
        self._feed.put("setup", "setup", setup)
        for part in (Part(world.bot, None), *self._parts):
            user = part.user
            shown: JsonObject = {"id": str(user.id), "name": user.name, "bot": user.bot}
            self._feed.put("user", user.id, shown | {"part": part.title})
        for guild in world.guilds:
            self._feed.put("guild", guild.id, _guild(guild))
        self._show_channels()
        self._show_bot()
        world.listeners.append(self._on_change)
        world.changed.listeners += [self._show_commands, self._show_bot]
        self._discord.sent.append(self._on_sent)
        self._sandbox.exchanges.listeners.append(self._on_exchange)
        self._bot.changed.listeners.append(self._show_bot)

    def seen_by(self, message: Message) -> object:
        """Return the id of whoever alone sees a message; None for one that all see."""
        record = self._feed.get("message", message.id) or {}
        return object_at(record, "sandbox").get("only")

    def dismiss(self, message: Message) -> None:
        """Show somebody's own message no more, whatever becomes of it."""
        self._dismissed.add(message.id)
        self.messages.pop(message.id, None)
        self._feed.drop("message", message.id)

    def forget_form(self, interaction: Interaction) -> None:
        """Show a form no more."""
        self._feed.drop("form", interaction.id)

    def forget_interaction(self, interaction_id: int) -> None:
        """Show no more that an interaction failed."""
        self._feed.drop("interaction", interaction_id)

    # Places and what may be done there.

    def _show_channels(self) -> None:
        for channel in self._world.channels.values():
            self._feed.put("channel", channel.id, self._channel(channel))

    def _channel(self, channel: Channel) -> JsonObject:
        people = (member_in(self._world, channel, part.user.id) for part in self._parts)
        present = [each for each in people if each is not None]
        return {
            "id": str(channel.id),
            "name": channel.name,
            "type": channel.type,
            "guild": None if channel.guild is None else str(channel.guild.id),
            "parent": str(channel.parent.id) if isinstance(channel, Thread) else None,
            "recipient": None if channel.recipient is None else str(channel.recipient.id),
            "rights": {str(member.id): _rights(channel, member) for member in present},
            "offers": {str(member.id): self._offers(channel, member) for member in present},
        }

    def _offers(self, channel: Channel, member: Member) -> list[str]:
        guild = None if channel.guild is None else str(channel.guild.id)
        return [
            text_at(command, "id")
            for command in self._discord.registry.commands.values()
            if command.get("guild_id") in {None, guild} and _offered(command, channel, member)
        ]

    def _show_commands(self) -> None:
        commands = self._discord.registry.commands
        seen: list[object] = [each["version"] for each in commands.values()]
        if seen != self._commands_seen:
            self._commands_seen = seen
            for gone in self._command_ids - set(commands):
                self._feed.drop("command", gone)
            self._command_ids = set(commands)
            for command in commands.values():
                self._feed.put("command", command["id"], command)
            self._show_channels()

    # What is said.

    def _on_change(self, change: Change) -> None:
        message = change.message
        if isinstance(change, MessageDeleted):
            self.messages.pop(message.id, None)
            self._feed.drop("message", message.id)
        elif message.id not in self._dismissed:
            self.messages[message.id] = message
            # What is answered is not waited for any more, not even for a moment.
            for made in self._discord.rest.interactions.by_message.get(message.id, ()):
                self._feed.drop("interaction", made.id)
            self._feed.put("message", message.id, self._message(message))
        for other in self.messages.values():
            if other.refers_to is message:
                self._feed.put("message", other.id, self._message(other))

    def _message(self, message: Message) -> JsonObject:
        body = as_object(self._on_this_origin(message.to_json())) or {}
        made = next(iter(self._discord.rest.interactions.by_message.get(message.id, ())), None)
        by = None if made is None else str(made.member.id)
        command = message.kind in COMMAND_ANSWERS
        body["sandbox"] = {
            "only": by if message.ephemeral else None,
            "by": by,
            "command": label_of(made) if made is not None and command else None,
        }
        return body

    def _on_this_origin(self, value: object) -> object:
        """Let addresses of the sandbox's CDN be the page's own, which serves the same files."""
        if isinstance(value, str):
            return value.removeprefix(self._sandbox.cdn.origin)
        if (fields := as_object(value)) is not None:
            return {
                key: each if key == "content" else self._on_this_origin(each)
                for key, each in fields.items()
            }
        if (items := as_array(value)) is not None:
            return [self._on_this_origin(each) for each in items]
        return value

    # What people do, until the bot has answered it.

    def _on_sent(self, interaction: Interaction) -> None:
        if interaction.type is InteractionType.AUTOCOMPLETE:
            return
        self._forget_failures(interaction)
        self._unanswered.add(interaction.id)
        self._show_interaction(interaction, "sent")
        interaction.changed.listeners.append(lambda: self._on_answer(interaction))
        asyncio.get_running_loop().call_later(
            SECONDS_TO_ACKNOWLEDGE, self._on_deadline, interaction
        )

    def _forget_failures(self, interaction: Interaction) -> None:
        """Show no more that a press or a form failed, now that the same person tries again."""
        tried = interaction.form or interaction.source
        for earlier in self._failed:
            again = tried is not None and tried in {earlier.form, earlier.source}
            if again and earlier.member is interaction.member:
                self.forget_interaction(earlier.id)
        self._failed = [each for each in self._failed if self._feed.get("interaction", each.id)]

    def _show_interaction(self, interaction: Interaction, state: str) -> None:
        source, form = interaction.source, interaction.form
        data = object_at(interaction.payload, "data")
        self._feed.put(
            "interaction",
            interaction.id,
            {
                "id": str(interaction.id),
                "channel": str(interaction.channel.id),
                "member": str(interaction.member.id),
                "label": label_of(interaction),
                "source": None if source is None else str(source.id),
                "form": None if form is None else str(form.id),
                "custom_id": text_at(data, "custom_id") or None,
                "state": state,
                "at": interaction.sent.isoformat(),
            },
        )

    def _on_answer(self, interaction: Interaction) -> None:
        answer = interaction.acknowledgement
        if answer is None or interaction.id not in self._unanswered:
            return
        self._unanswered.discard(interaction.id)
        self._feed.drop("interaction", interaction.id)
        if interaction.form is not None:
            self.forget_form(interaction.form)
        if answer.type == CallbackType.MODAL:
            form: JsonObject = {
                "id": str(interaction.id),
                "channel": str(interaction.channel.id),
                "member": str(interaction.member.id),
                "data": answer.data,
            }
            self._feed.put("form", interaction.id, form)

    def _on_deadline(self, interaction: Interaction) -> None:
        if interaction.acknowledgement is None:
            self._failed.append(interaction)
            self._show_interaction(interaction, "failed")

    # What the bot does.

    def _on_exchange(self, exchange: Exchange) -> None:
        if exchange.agent == USER_AGENT:
            return
        seconds = exchange.seconds
        told: JsonObject = {
            "id": exchange.number,
            "to": exchange.to,
            "method": exchange.method,
            "path": exchange.path,
            "status": exchange.status,
            "at": exchange.began.isoformat(),
            "milliseconds": None if seconds is None else round(seconds * 1000),
        }
        if seconds is None:
            self._feed.put_latest("exchange", exchange.number, told, kept=MOST_EXCHANGES)
        elif self._feed.get("exchange", exchange.number) is not None:
            self._feed.put("exchange", exchange.number, told)

    def _show_bot(self) -> None:
        state = "offline"
        if self._bot.pid is not None:
            state = "online" if self._discord.gateway.connected else "connecting"
        by_itself = bool(self._bot.status) and not self._bot.killed
        lines = list(self._bot.last_lines)[-MOST_LINES:] if by_itself else []
        gateway = self._discord.gateway
        sessions: JsonObject = {"begun": gateway.identified, "resumed": gateway.resumed}
        shown: JsonObject = {"state": state, "sessions": sessions, "lines": lines}
        if shown != self._feed.get("bot", "bot"):
            self._feed.put("bot", "bot", shown)


def label_of(interaction: Interaction) -> str:
    """Return what a member would say that they did."""
    data = object_at(interaction.payload, "data")
    if interaction.type is not InteractionType.COMMAND:
        return "a form" if interaction.type is InteractionType.MODAL else "a button"
    names = [text_at(data, "name")]
    level = data
    while nested := [each for each in objects_at(level, "options") if each["type"] in SUBCOMMANDS]:
        level = nested[0]
        names.append(text_at(level, "name"))
    return ("/" if data.get("type") == 1 else "") + " ".join(names)


def _guild(guild: Guild) -> JsonObject:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner": str(guild.owner_id),
        "roles": [
            {"id": str(role.id), "name": role.name, "color": 0} for role in guild.roles.values()
        ],
        "members": {
            str(member.id): {"roles": [str(role.id) for role in member.roles]}
            for member in guild.members.values()
        },
    }


def _rights(channel: Channel, member: Member) -> JsonObject:
    if channel.guild is None:
        return {"see": True, "say": True, "manage": False}
    allowed = channel.permissions_of(member)
    return {
        "see": bool(allowed & Permission.VIEW_CHANNEL),
        "say": bool(allowed & channel.posting),
        "manage": bool(allowed & Permission.MANAGE_MESSAGES),
    }


def _offered(command: JsonObject, channel: Channel, member: Member) -> bool:
    try:
        check_leave(command, channel, member)
    except InvalidInvocation:
        return False
    return True
