"""How edits end, as checked in their message, the ledger and the spool."""

from cogs.text.outcomes import NOT_CHARGED
from sandbox.discord.messages import Message
from sandbox.sandbox import Interaction
from tests.conftest import Events
from tests.members import Person, closes


async def fails(ada: Person, events: Events, edit: Interaction, state: str, reason: str) -> Message:
    """Wait for an edit to end without images, and check its message and that it was free."""
    message = await edit.settled()
    row = await closes(ada, events, edit, (state, reason))
    assert (row.posted, row.charged) == (0, 0)
    assert NOT_CHARGED in message.text
    assert not message.files
    assert not message.now.mentions
    return message


async def succeeds(ada: Person, events: Events, edit: Interaction, *, images: int = 1) -> Message:
    """Wait for an edit's images, and check its charge."""
    message = await edit.settled()
    row = await closes(ada, events, edit, ("delivered", None))
    assert (row.posted, row.charged) == (images, 8 * images)
    assert len(message.files) == images
    return message


async def ends_once(
    ada: Person, events: Events, edit: Interaction, end: tuple[str, str | None]
) -> None:
    """Wait until an edit ended, with one message and one call."""
    await closes(ada, events, edit, end)
    message = await edit.settled()
    assert ada.sandbox.discord.messages(ada.channel) == [message]
    assert len(message.files) == (1 if end[0] == "delivered" else 0)
    assert len(ada.sandbox.edit_api.calls) == 1
