"""Moderators of the sandbox's servers, who set how edits are made there, and what they are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.domain.server_settings import SettingName
from bot.ledger.sqlite.connection import connect_to_write, rows
from sandbox.discord.guilds import Channel, Guild, Member
from sandbox.discord.interactions.invocation import Given
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import object_at, text_at


@dataclass(frozen=True, slots=True)
class Moderator:
    """A member with Manage Server."""

    sandbox: Sandbox
    member: Member
    channel: Channel

    @classmethod
    def join(cls, sandbox: Sandbox, guild: Guild, name: str = "Mod") -> "Moderator":
        """Come into a server."""
        member = sandbox.discord.add_member(guild, name, permissions=Permission.MANAGE_GUILD)
        return cls(sandbox, member, guild.channels[0])

    async def run(self, command: str, **options: Given) -> Interaction:
        """Run a command."""
        return await self.sandbox.discord.invoke(self.channel, self.member, command, options)

    async def set(self, **options: Given) -> str:
        """What `/settings set` answers, to the moderator alone."""
        answer = await (await self.run("settings set", **options)).settled()
        assert answer.ephemeral
        assert not answer.pinged
        return answer.text

    async def show(self) -> Message:
        """What `/settings show` answers, to the moderator alone."""
        answer = await (await self.run("settings show")).settled()
        assert answer.ephemeral
        return answer

    async def press(self, message: Message, label: str, *, beside: str = "") -> Interaction:
        """Press the button with a label, under a message or beside one of its entries."""
        (custom_id,) = buttons(message, label, beside=beside)
        return await self.sandbox.discord.press(message, self.member, custom_id)


def buttons(message: Message, label: str, *, beside: str = "") -> list[str]:
    """The custom ids of the buttons with a label, under a message or beside one of its entries."""
    if beside:
        sections = [each for each in walk(message.components) if "accessory" in each]
        found = [
            object_at(each, "accessory")
            for each in sections
            if beside in "\n".join(text_at(part, "content") for part in walk([each]))
        ]
    else:
        found = list(walk(message.components))
    return [text_at(each, "custom_id") for each in found if each.get("label") == label]


def refuse_phrases(database: Path, guild_id: int, phrases: Iterable[str]) -> None:
    """Put many phrases on a server's list at once, in a ledger's file."""
    connection = connect_to_write(database)
    statement = "INSERT INTO setting (guild_id, name, value) VALUES (:guild_id, :name, :value)"
    for phrase in phrases:
        rows(connection, statement, guild_id=guild_id, name=SettingName.REFUSE, value=phrase)
    connection.close()
