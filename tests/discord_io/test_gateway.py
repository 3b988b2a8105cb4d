"""The bot stays reachable through what gateways do, and registers only what Discord does not have.

Whatever happens to the connection, a command that comes afterwards is served.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.app import serve
from bot.discord_io.client import DiscordClient
from bot.domain.errors import OperatorError
from bot.settings import Settings
from sandbox.discord.gateway_sessions import PRIVILEGED, Session
from sandbox.faults import Answer, DiscordFault, refused, server_error
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person
from tests.services import count

pytestmark = pytest.mark.usefixtures("small_results")

RECONNECT_WITHIN = 15
"""Seconds."""


async def connected_anew(sandbox: Sandbox, before: object) -> Session:
    """Wait for a connection other than the one before; its session."""

    def look() -> Session | None:
        sessions = sandbox.discord.gateway.connected
        return next((each for each in sessions if each.connection is not before), None)

    return await sandbox.discord.world.changed.until(look, timeout=RECONNECT_WITHIN)


async def is_served(ada: Person, events: Events) -> None:
    """Let a member's edit go through."""
    edit = await ada.edit()
    assert len((await edit.settled()).files) == 1
    await events.logs("edit.closed", edit=str(edit.id))


async def identify_at_once(
    _client: DiscordClient, _shard: int | None, *, initial: bool = False
) -> None:
    """Leave out the five seconds that discord.py waits before a second session."""


Disturbance = Callable[[Sandbox], Awaitable[None]]


async def close(sandbox: Sandbox) -> None:
    await sandbox.faults.gateway.close_all(4000)


async def ask_to_reconnect(sandbox: Sandbox) -> None:
    await sandbox.faults.gateway.reconnect_all()


async def drop(sandbox: Sandbox) -> None:
    sandbox.faults.gateway.drop_all()


async def invalidate(sandbox: Sandbox) -> None:
    await sandbox.faults.gateway.invalidate_all(resumable=False)


async def refuse_to_resume(sandbox: Sandbox) -> None:
    sandbox.faults.gateway.refuse_resumes = 1
    await sandbox.faults.gateway.close_all(4000)


async def break_compression(sandbox: Sandbox) -> None:
    (session,) = sandbox.discord.gateway.connected
    assert session.connection is not None
    await session.connection.socket.send_bytes(b"not zlib\0\0\xff\xff")


@pytest.mark.parametrize("disturb", [close, ask_to_reconnect, drop, break_compression])
async def test_a_connection_that_ends_is_resumed_and_loses_no_command(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, disturb: Disturbance
):
    session = await sandbox.discord.connected()
    before = session.connection
    await disturb(sandbox)
    meanwhile = await ada.edit()
    assert await connected_anew(sandbox, before) is session
    assert len((await meanwhile.settled()).files) == 1
    await is_served(ada, events)
    assert sandbox.discord.gateway.identified == 1
    assert count(sandbox, "GET", "/gateway/bot") == 1


@pytest.mark.parametrize("disturb", [invalidate, refuse_to_resume])
async def test_a_session_that_is_over_is_followed_by_a_new_one_where_discord_says(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    disturb: Disturbance,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(DiscordClient, "before_identify_hook", identify_at_once)
    session = await sandbox.discord.connected()
    before = session.connection
    await disturb(sandbox)
    anew = await connected_anew(sandbox, before)
    assert anew is not session
    await is_served(ada, events)
    assert sandbox.discord.gateway.identified == 2
    assert count(sandbox, "GET", "/gateway/bot") == 2


@pytest.mark.parametrize(
    "first",
    [
        Answer(200, {"url": "ws://127.0.0.1:1/", "shards": 1, "session_start_limit": {}}),
        server_error(),
    ],
    ids=["refused", "502"],
)
async def test_a_first_connection_that_fails_is_made_again(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events, first: Answer
):
    fault = DiscordFault(action=first, path="/gateway/bot$")
    sandbox.faults.discord.add(fault)
    await start_bot()
    assert fault.fired == 1
    await is_served(ada, events)
    assert sandbox.discord.gateway.identified == 1


async def test_a_session_whose_gateway_is_gone_is_followed_by_a_new_one(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(DiscordClient, "before_identify_hook", identify_at_once)
    sandbox.discord.gateway.resume_url = "ws://127.0.0.1:1/"
    await start_bot()
    before = (await sandbox.discord.connected()).connection
    sandbox.faults.gateway.drop_all()
    await connected_anew(sandbox, before)
    await is_served(ada, events)
    assert sandbox.discord.gateway.identified == 2
    assert count(sandbox, "GET", "/gateway/bot") == 2


async def test_a_payload_that_cannot_be_read_ends_nothing(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    gateway = sandbox.discord.gateway
    gateway.dispatch("INTERACTION_CREATE", {"id": "1", "type": 2}, guild_id=None)
    await events.logs("gateway.unreadable")
    session = await sandbox.discord.connected()
    assert session.connection is not None
    session.connection.send("[" * 50_000)
    await events.logs("gateway.unreadable", times=2)
    await is_served(ada, events)


@pytest.mark.parametrize("code", [4004, 4010, 4014])
async def test_a_session_that_discord_ends_for_good_ends_the_bot_with_a_reason(
    sandbox: Sandbox, settings: Settings, code: int
):
    bot = asyncio.create_task(serve(settings))
    await sandbox.discord.connected()
    await sandbox.faults.gateway.close_all(code)
    with pytest.raises(OperatorError, match="token" if code == 4004 else r"Discord"):
        await bot


async def test_a_start_that_discord_refuses_says_with_which_of_its_codes(
    sandbox: Sandbox, settings: Settings
):
    refusal = refused(400, 30034, "Max number of daily application command creates")
    sandbox.faults.discord.add(DiscordFault(action=refusal, method="PUT", path="/commands$"))
    with pytest.raises(OperatorError, match="code 30034"):
        await serve(settings)


async def test_no_intent_is_asked_for_that_needs_leave(sandbox: Sandbox, bot: RunningBot):
    session = await sandbox.discord.connected()
    assert session.intents & PRIVILEGED == 0


async def test_commands_are_registered_once_and_again_only_where_they_differ(
    sandbox: Sandbox, start_bot: StartBot, events: Events
):
    async def start_again(times: int) -> None:
        bot = await start_bot()
        await events.logs("bot.ready", times=times)
        await bot.stop()

    registry = sandbox.discord.registry
    await start_again(1)
    assert count(sandbox, "PUT", "/commands") == 1
    registered = {str(each["name"]): each for each in registry.listed(None)}
    assert {"edit", "credits"} <= registered.keys()

    await start_again(2)
    assert count(sandbox, "PUT", "/commands") == 1

    registry.change(int(str(registered["edit"]["id"])), {"description": "Something else"}, None)
    await start_again(3)
    assert count(sandbox, "PUT", "/commands") == 2

    registry.remove(int(str(registered["credits"]["id"])), None)
    await start_again(4)
    assert count(sandbox, "PUT", "/commands") == 3
    again = {str(each["name"]): each for each in registry.listed(None)}
    assert again["edit"]["description"] == registered["edit"]["description"]
    assert again.keys() == registered.keys()


async def test_commands_are_offered_in_servers_alone(sandbox: Sandbox, bot: RunningBot):
    for command in sandbox.discord.registry.listed(None):
        assert (command["contexts"], command["integration_types"]) == ([0], [0])
