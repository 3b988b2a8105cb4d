"""A sandbox with a bot that only sends requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import connection

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sandbox.discord.guilds import Guild
    from tests.sandbox.client import Client


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    """The bot; the sandbox is its own."""
    async with connection() as made:
        yield made


@pytest.fixture
def guild(client: Client) -> Guild:
    """The sandbox's server."""
    return client.sandbox.discord.guilds[0]
