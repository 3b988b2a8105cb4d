"""A gateway that says nothing any more is left, and what it kept back is made up for."""

from collections.abc import AsyncGenerator, Callable

import pytest

from sandbox.discord.gateway import Gateway
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot
from tests.members import Person, closes

pytestmark = pytest.mark.usefixtures("short_silence", "small_results")


@pytest.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    """A sandbox that wants a heartbeat every second."""
    async with Sandbox(heartbeat_seconds=1) as running:
        yield running


@pytest.fixture
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord_io.client.SILENCE_S", 2.5)


def answer_no_heartbeats(gateway: Gateway) -> None:
    gateway.acknowledge_heartbeats = False


def say_nothing(gateway: Gateway) -> None:
    gateway.silence_all()


@pytest.mark.parametrize("fall_silent", [answer_no_heartbeats, say_nothing])
async def test_a_silent_gateway_is_left_and_its_session_resumed(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    fall_silent: Callable[[Gateway], None],
):
    gateway, faults = sandbox.discord.gateway, sandbox.faults.gateway
    fall_silent(faults)
    await sandbox.discord.world.changed.until(lambda: True if gateway.resumed else None, timeout=15)
    faults.acknowledge_heartbeats = True
    assert gateway.identified == 1
    edit = await ada.edit()
    assert len((await edit.settled()).files) == 1
    await events.logs("edit.closed", edit=str(edit.id))


async def test_a_command_that_a_silent_gateway_kept_back_too_long_is_void_and_nothing_is_sent(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    sandbox.faults.gateway.silence_all()
    edit = await ada.edit()
    edit.too_late()
    await closes(ada, events, edit, ("failed", "not_acknowledged"))
    assert sandbox.discord.gateway.resumed == 1
    assert sandbox.edit_api.calls == []
