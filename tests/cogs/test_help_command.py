"""`/help` says what is true, for whoever asks alone, in one message."""

import re

import pytest

from bot.domain.pricing import Quality
from sandbox.discord.messages import Message
from sandbox.sandbox import Sandbox
from tests.conftest import RunningBot
from tests.members import Person


@pytest.fixture
async def page(bot: RunningBot, ada: Person) -> Message:
    """What `/help` answers."""
    return await ada.run("help")


async def test_it_is_private_and_fits_into_one_message(page: Message):
    assert page.ephemeral
    assert not page.pinged
    assert len(page.text) <= 4000


async def test_it_names_the_price_of_each_quality(page: Message):
    for quality in Quality:
        assert f"{quality.price} ({quality.capitalize()})" in page.text


async def test_each_command_that_it_names_is_there(sandbox: Sandbox, page: Message):
    registered = {str(each["name"]) for each in sandbox.discord.registry.commands.values()}
    named = set(re.findall(r"`/([a-z-]+)", page.text))
    assert {"edit", "history", "credits", "privacy", "quota", "usage", "settings"} <= named
    assert named <= registered


async def test_it_has_three_examples(page: Message):
    examples = page.text.partition("**Examples")[2].partition("**")[2].partition("**")[0]
    assert len(re.findall(r"^- ", examples, re.MULTILINE)) == 3
