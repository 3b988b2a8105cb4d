"""Members and results that tests of several features share."""

from typing import Any

import pytest

from bot.settings import Settings
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Sandbox
from tests.cogs.result_cards import Made, closed
from tests.conftest import Events
from tests.members import Person


@pytest.fixture
def bob(sandbox: Sandbox, settings: Settings) -> Person:
    """Another member of the same server."""
    return Person.join(sandbox, settings, "Bob")


@pytest.fixture
def mod(sandbox: Sandbox, settings: Settings) -> Person:
    """Somebody who may delete others' messages."""
    return Person.join(sandbox, settings, "Mod", permissions=Permission.MANAGE_MESSAGES)


@pytest.fixture
def made(ada: Person, events: Events) -> Made:
    """Makes an edit of Ada's, and waits until nothing is left to be done for it."""

    async def make(**options: Any) -> Message:
        return await closed(await ada.edit(**options), events)

    return make
