"""A sandbox with a bot that only sends requests."""

from collections.abc import AsyncGenerator

import pytest

from sandbox.discord.guilds import Guild
from tests.sandbox.client import Client, connection


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    """The bot; the sandbox is its own."""
    async with connection() as made:
        yield made


@pytest.fixture
def guild(client: Client) -> Guild:
    """The sandbox's server."""
    return client.sandbox.discord.guilds[0]
