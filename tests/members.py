"""Members of the sandbox's server, who run commands and whose accounts can be looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.ledger.sqlite.connection import connect_to_read, connect_to_write, rows
from bot.settings import Settings
from sandbox.discord.cdn import StoredFile
from sandbox.discord.guilds import Channel, Guild, Member
from sandbox.discord.messages import Message, walk
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import object_at, text_at
from tests.images_made import photo

if TYPE_CHECKING:
    from tests.conftest import Events

BUTTON = 2
"""https://docs.discord.com/developers/components/reference#component-object-component-types"""


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger's file says of one edit."""

    state: str
    reason: str | None
    detail: str | None
    posted: int
    charged: int
    token: str | None
    message_id: int | None
    acknowledged_at: int | None
    submitted_at: int | None

    @property
    def end(self) -> tuple[str, str | None]:
        """The state, and why the hold was given back."""
        return self.state, self.reason


@dataclass(frozen=True, slots=True)
class Person:
    """A member who runs commands in the server's first channel."""

    sandbox: Sandbox
    settings: Settings
    member: Member
    channel: Channel

    @classmethod
    def join(
        cls,
        sandbox: Sandbox,
        settings: Settings,
        name: str,
        *,
        guild: Guild | None = None,
        permissions: int = 0,
    ) -> "Person":
        """Come into a server, the sandbox's first or another, to a bot with these settings."""
        guild = guild or sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, name, permissions=permissions)
        return cls(sandbox, settings, member, guild.channels[0])

    async def edit(self, **options: Any) -> Interaction:
        """Run `/edit`: a small picture, a short prompt, and options as given."""
        given = {"image": photo(), "prompt": "make it blue", **options}
        return await self.sandbox.discord.invoke(self.channel, self.member, "edit", given)

    async def command(self, name: str, **options: Any) -> Interaction:
        """Run a command."""
        return await self.sandbox.discord.invoke(self.channel, self.member, name, options)

    async def run(self, name: str, **options: Any) -> Message:
        """What a command answers."""
        return await (await self.command(name, **options)).settled()

    async def press(self, message: Message, label: str) -> Interaction:
        """Press the button whose label begins so."""
        (custom_id,) = [
            custom_id for shown, custom_id in buttons_of(message).items() if shown.startswith(label)
        ]
        return await self.sandbox.discord.press(message, self.member, custom_id)

    async def told(self, message: Message, label: str) -> str:
        """What a button answers to this member alone, in a message of its own."""
        answer = await (await self.press(message, label)).settled()
        assert answer.ephemeral
        assert answer is not message
        return answer.text

    async def credits(self) -> str:
        """What `/credits` answers."""
        return (await self.run("credits")).text

    def account(self) -> tuple[int, int]:
        """Credits held and spent."""
        query = """
            SELECT coalesce(sum(held), 0), coalesce(sum(spent), 0)
            FROM account WHERE member_id = $1
        """
        ((held, spent),) = look_up(self.settings.database, query, self.member.id)
        return held, spent

    def row(self, edit: Interaction) -> Row | None:
        """The edit's row, if anything was ever held for it."""
        return find_row(self.settings.database, edit)

    def state(self, edit: Interaction) -> str | None:
        """The edit's state, if anything was ever held for it."""
        row = self.row(edit)
        return None if row is None else row.state

    def has_spooled(self, edit: Interaction) -> bool:
        """Whether anything of the edit lies in the spool."""
        return (self.settings.spool_dir / str(edit.id)).exists()


def others(person: Person, number: int) -> list[Person]:
    """So many more members of the sandbox's first server, to somebody's bot."""
    names = (f"Member {place}" for place in range(number))
    return [Person.join(person.sandbox, person.settings, name) for name in names]


async def closes(
    ada: Person, events: "Events", edit: Interaction, end: tuple[str, str | None]
) -> Row:
    """Wait until a member's only edit is closed, check how it ended, and return its row."""
    await events.logs("edit.closed", edit=str(edit.id))
    row = ada.row(edit)
    assert row is not None
    assert row.end == end
    assert row.token is None
    assert ada.account() == (0, row.charged)
    assert not ada.has_spooled(edit)
    return row


def find_row(database: Path, edit: Interaction) -> Row | None:
    """The row of an edit in a ledger's file, if anything was ever held for it."""
    query = """
        SELECT state, reason, detail, posted, charged, token,
            message_id, acknowledged_at, submitted_at
        FROM edit
        JOIN edit_private ON edit_private.edit_id = id
        LEFT JOIN edit_token ON edit_token.edit_id = id
        WHERE id = $1
    """
    found = look_up(database, query, edit.id)
    return Row(*found[0]) if found else None


def look_up(database: Path, query: str, *values: int) -> list[tuple[Any, ...]]:
    """What a ledger's file answers to a query."""
    connection = connect_to_read(database)
    try:
        return rows(connection, query, **_numbered(values))
    finally:
        connection.close()


def change(database: Path, statement: str, *values: int) -> None:
    """Change a ledger's file from outside."""
    connection = connect_to_write(database)
    try:
        rows(connection, statement, **_numbered(values))
    finally:
        connection.close()


def _numbered(values: Sequence[int]) -> dict[str, int]:
    """Return the values of the parameters `$1`, `$2` and so on."""
    return {str(number): value for number, value in enumerate(values, 1)}


def buttons_of(message: Message) -> dict[str, str]:
    """The custom ids of the buttons that can be pressed, by their labels."""
    return {
        str(part["label"]): str(part["custom_id"])
        for part in walk(message.components)
        if part["type"] == BUTTON and not part.get("disabled")
    }


def forget_sources(sandbox: Sandbox) -> None:
    """Let Discord remove every picture that was given to a command or a form, as after a day."""
    for interaction in sandbox.discord.interactions:
        resolved = object_at(object_at(interaction.payload, "data"), "resolved")
        attachments = object_at(resolved, "attachments")
        for file_id in attachments:
            sandbox.world.cdn.forget(
                StoredFile(
                    id=int(file_id),
                    name=text_at(object_at(attachments, file_id), "filename"),
                    path=Path(),
                    size=0,
                    content_type=None,
                    width=None,
                    height=None,
                    folder=f"ephemeral-attachments/{sandbox.application_id}",
                    url="",
                )
            )


def move_to_yesterday(database: Path, edit: Interaction) -> None:
    """Let an edit, the only one, have been held the day before, in a file of a stopped bot."""
    connection = connect_to_write(database)
    try:
        rows(connection, "PRAGMA foreign_keys = OFF")
        for statement in (
            "UPDATE account SET day = date(day, '-1 day')",
            "UPDATE edit SET day = date(day, '-1 day')",
        ):
            rows(connection, statement)
    finally:
        connection.close()
    grow_old(database, edit, minutes=24 * 60)


def grow_old(database: Path, edit: Interaction, *, minutes: float) -> None:
    """Let an edit have been held so many minutes earlier, in the file of a bot that is stopped."""
    statement = "UPDATE edit SET held_at = held_at - $2 WHERE id = $1"
    change(database, statement, edit.id, round(minutes * 60_000))
