"""Results with their buttons and forms, as members see and use them."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message, walk
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import object_at, objects_at, text_at
from tests.conftest import Events
from tests.members import Person, buttons_of, look_up

GALLERY = 12
Made = Callable[..., Awaitable[Message]]


async def closed(edit: Interaction, events: Events) -> Message:
    """The message of an edit of which nothing is left to be done."""
    await events.logs("edit.closed", edit=str(edit.id))
    return await edit.settled()


async def form_of(pressed: Interaction) -> Mapping[str, Any]:
    """The form with which an interaction was answered at once."""
    shown = await pressed.acknowledged()
    assert shown.type == CallbackType.MODAL
    return shown.data


async def send(pressed: Interaction, person: Person, values: Mapping[str, Any]) -> Interaction:
    """Send the form with which an interaction is answered."""
    await form_of(pressed)
    return await person.sandbox.discord.submit(pressed, dict(values))


def fields_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """A form's fields, by their custom ids."""
    fields = [object_at(label, "component") for label in objects_at(dict(form), "components")]
    return {text_at(field, "custom_id"): field for field in fields}


def chosen(field: Mapping[str, Any]) -> list[str]:
    """What is filled in."""
    return [option["value"] for option in field["options"] if option["default"]]


def pictures_in(message: Message) -> list[list[str]]:
    """The addresses of each gallery's pictures, without what signs them."""
    galleries = [part for part in walk(message.components) if part["type"] == GALLERY]
    return [
        [
            text_at(object_at(item, "media"), "url").partition("?")[0]
            for item in objects_at(each, "items")
        ]
        for each in galleries
    ]


def last_call(sandbox: Sandbox) -> Mapping[str, Any]:
    """What the edit API was asked for last."""
    return sandbox.edit_api.calls[-1].body


def edit_in(database: Path, edit_id: int) -> dict[str, Any]:
    """What the ledger has of an edit."""
    query = """
        SELECT private, member_id, prompt, source_url, results
        FROM edit JOIN edit_private ON edit_id = id WHERE id = $1
    """
    ((*values,),) = look_up(database, query, edit_id)
    return dict(
        zip(("private", "member_id", "prompt", "source_url", "results"), values, strict=True)
    )


def row_id(message: Message) -> int:
    """The id of the edit that a card is of."""
    return int(buttons_of(message)["Delete"].rpartition(":")[2])


async def says(sandbox: Sandbox, message: Message, text: str) -> None:
    """Wait until a message says something."""
    await sandbox.discord.world.changed.until(lambda: text in message.text or None, timeout=15)
