"""Moderators who lose Manage Server lose the buttons of what they were shown, on every page."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.settings import Settings
from cogs.ui.component_router import NOT_YOURS
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Sandbox
from tests.conftest import RunningBot, StartBot
from tests.members import Person, look_up, others
from tests.passing_time import MovableClock

pytestmark = pytest.mark.usefixtures("small_results")

Show = Callable[[Person], Awaitable[Message]]


@pytest.fixture
def mod(sandbox: Sandbox, settings: Settings) -> Person:
    """A member with Manage Server."""
    return Person.join(sandbox, settings, "Mod", permissions=Permission.MANAGE_GUILD)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """The wall clock, as the bot reads it."""
    return MovableClock(monkeypatch)


async def show_log(mod: Person) -> Message:
    """The first of three pages of `/quota log`."""
    for number in range(23):
        await mod.run("quota default", credits=str(number))
    return await mod.run("quota log")


async def show_rules(mod: Person) -> Message:
    """The first of two pages of `/quota show`."""
    for person in others(mod, 12):
        await mod.run("quota user", user=person.member, credits="7")
    return await mod.run("quota show")


async def show_settings(mod: Person) -> Message:
    """The first of two pages of `/settings show`."""
    for number in range(12):
        await mod.run("settings set", refuse=f"word {number}")
    return await mod.run("settings show")


async def press_first(mod: Person, message: Message, label: str) -> Message:
    """What the first of the buttons with a label answers."""
    custom_id = next(
        str(part["custom_id"])
        for part in walk(message.components)
        if part.get("label") == label and not part.get("disabled")
    )
    return await (await mod.sandbox.discord.press(message, mod.member, custom_id)).settled()


PAGES = pytest.mark.parametrize(
    ("show", "label"),
    [
        (show_log, "Older"),
        (show_rules, "Next"),
        (show_rules, "Remove"),
        (show_settings, "Next"),
        (show_settings, "Reset"),
    ],
)


@PAGES
@pytest.mark.parametrize("turns", [0, 1], ids=["the first page", "a later page"])
async def test_no_button_works_once_manage_server_is_taken_away(
    bot: RunningBot, mod: Person, show: Show, label: str, turns: int
):
    message = await show(mod)
    if turns:
        await press_first(mod, message, "Older" if show is show_log else "Next")
        # There is no page after the last.
        label = {"Next": "Previous"}.get(label, label)
    before, kept = message.text, changes(bot)

    mod.member.permissions = Permission.MANAGE_MESSAGES
    answer = await press_first(mod, message, label)

    assert answer is not message
    assert (answer.ephemeral, answer.text) == (True, NOT_YOURS)
    assert message.text == before
    assert changes(bot) == kept


async def test_an_administrator_manages_the_server_whatever_else_discord_says(
    monkeypatch: pytest.MonkeyPatch, bot: RunningBot, mod: Person
):
    message = await show_log(mod)
    only = Permission.ADMINISTRATOR | Permission.VIEW_CHANNEL
    monkeypatch.setattr("sandbox.discord.permissions.EVERYTHING", only)
    mod.member.permissions = Permission.ADMINISTRATOR
    await press_first(mod, message, "Older")
    assert "→ `12`" in message.text


async def test_an_administrator_who_is_demoted_is_refused(bot: RunningBot, mod: Person):
    mod.member.permissions = Permission.ADMINISTRATOR
    message = await show_log(mod)
    mod.member.permissions = 0
    assert (await press_first(mod, message, "Older")).text == NOT_YOURS


async def test_whoever_has_the_command_by_integrations_alone_uses_its_buttons(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person
):
    for command in sandbox.discord.registry.commands.values():
        command["default_member_permissions"] = None
    await show_log(mod)
    message = await ada.run("quota log")
    await press_first(ada, message, "Older")
    assert "→ `12`" in message.text


@PAGES
async def test_no_chain_of_pages_outlives_two_hours(
    clock: MovableClock, bot: RunningBot, mod: Person, show: Show, label: str
):
    message = await show(mod)
    forth, back = ("Older", "Newer") if show is show_log else ("Next", "Previous")
    for turn in (forth, back):
        clock.jump(minutes=59)
        assert await press_first(mod, message, turn) is message
    before, kept = message.text, changes(bot)

    clock.jump(minutes=2)
    answer = await press_first(mod, message, label)

    assert (answer.ephemeral, answer.text) == (True, NOT_YOURS)
    assert message.text == before
    assert changes(bot) == kept


async def test_the_two_hours_go_on_across_a_restart(
    clock: MovableClock, bot: RunningBot, start_bot: StartBot, mod: Person
):
    message = await show_log(mod)
    clock.jump(minutes=119)
    await bot.stop()
    await start_bot()
    assert await press_first(mod, message, "Older") is message
    clock.jump(minutes=2)
    assert (await press_first(mod, message, "Older")).text == NOT_YOURS


def changes(bot: RunningBot) -> list[tuple[Any, ...]]:
    """How many rules and settings there are."""
    query = "SELECT (SELECT count(*) FROM rule), (SELECT count(*) FROM setting)"
    return look_up(bot.settings.database, query)
