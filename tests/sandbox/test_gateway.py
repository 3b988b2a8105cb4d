"""The sandbox's gateway: identifying, heartbeats, resuming, and what can go wrong with them."""

import asyncio
from collections.abc import AsyncGenerator

import aiohttp
import pytest

from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, dump, integer_at, object_at, objects_at, text_at
from tests.sandbox.gateway_client import GUILDS, PRIVILEGED_MEMBERS, Bot, connected


@pytest.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    async with Sandbox() as made:
        yield made


async def test_identifying_is_answered_ready_and_then_the_servers(sandbox: Sandbox):
    async with connected(sandbox) as bot:
        await bot.identify(sandbox.discord_token)
        ready = object_at(await bot.receive_event("READY"), "d")
        assert objects_at(ready, "guilds")[0]["unavailable"] is True
        assert object_at(ready, "application")["id"] == str(sandbox.application_id)
        assert text_at(ready, "resume_gateway_url") == sandbox.discord.gateway.url
        guild = object_at(await bot.receive_event("GUILD_CREATE"), "d")
        assert [each["name"] for each in objects_at(guild, "channels")] == ["general", "images"]
        await sandbox.discord.connected(command=None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}}, 4004),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 99, "d": None}, 4001),
        ({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 0}}, 4004),
        ("x" * 5000, 4002),
        ([1], 4002),
    ],
)
async def test_a_client_that_breaks_the_protocol_is_closed_with_its_code(
    sandbox: Sandbox, payload: object, code: int
):
    async with connected(sandbox) as bot:
        await bot.socket.send_str(dump(payload))
        assert await bot.close_code() == code


@pytest.mark.parametrize(("intents", "code"), [(PRIVILEGED_MEMBERS, 4014), (1 << 30, 4013)])
async def test_intents_that_were_not_granted_are_refused(sandbox: Sandbox, intents: int, code: int):
    async with connected(sandbox) as bot:
        await bot.identify(sandbox.discord_token, intents)
        assert await bot.close_code() == code


async def test_an_old_version_is_refused(sandbox: Sandbox):
    url = f"{sandbox.discord.gateway.url}?v=6"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert await Bot(socket).close_code() == 4012


async def test_more_than_120_events_in_a_minute_are_refused(sandbox: Sandbox):
    async with connected(sandbox) as bot:
        for _ in range(121):
            await bot.send(1, None)
        assert await bot.close_code() == 4008


async def test_heartbeats_are_acknowledged_and_missed_ones_end_the_connection():
    async with Sandbox(heartbeat_seconds=0.1) as sandbox, connected(sandbox) as bot:
        await bot.send(1, None)
        assert (await bot.receive())["op"] == 11
        assert await bot.close_code() == 4009


async def test_the_transport_is_compressed_when_asked_for(sandbox: Sandbox):
    query = "v=10&encoding=json&compress=zlib-stream"
    async with connected(sandbox, query) as bot:
        await bot.identify(sandbox.discord_token)
        assert (await bot.receive_event("READY"))["s"] == 1


async def test_a_resumed_session_gets_what_it_missed(sandbox: Sandbox):
    async with connected(sandbox) as bot:
        await bot.identify(sandbox.discord_token)
        ready = await bot.receive_event("READY")
        seen = integer_at(await bot.receive_event("GUILD_CREATE"), "s")
    session_id = text_at(object_at(ready, "d"), "session_id")
    sandbox.discord.add_guild("Elsewhere")
    resume = {"token": sandbox.discord_token, "session_id": session_id, "seq": seen}
    async with connected(sandbox) as bot:
        await bot.send(6, resume)
        missed = await bot.receive_event("GUILD_CREATE")
        assert object_at(missed, "d")["name"] == "Elsewhere"
        assert (await bot.receive())["t"] == "RESUMED"
    assert len(sandbox.discord.gateway.sessions) == 1


async def test_an_unknown_session_cannot_be_resumed(sandbox: Sandbox):
    async with connected(sandbox) as bot:
        await bot.send(6, {"token": sandbox.discord_token, "session_id": "none", "seq": 1})
        assert await bot.receive() == {"t": None, "s": None, "op": 9, "d": False}


async def test_the_connection_can_be_closed_dropped_and_invalidated(sandbox: Sandbox):
    gateway = sandbox.faults.gateway
    async with connected(sandbox) as bot:
        await gateway.close_all(4000)
        assert await bot.close_code() == 4000
    async with connected(sandbox) as bot:
        gateway.drop_all()
        assert await bot.close_code() == 1006
    async with connected(sandbox) as bot:
        await bot.identify(sandbox.discord_token)
        await bot.receive_event("GUILD_CREATE")
        await gateway.invalidate_all(resumable=False)
        assert await bot.receive() == {"t": None, "s": None, "op": 9, "d": False}
    async with connected(sandbox) as bot:
        gateway.acknowledge_heartbeats = False
        await bot.send(1, None)
        await bot.identify(sandbox.discord_token)
        assert (await bot.receive())["t"] == "READY"


async def test_a_shard_gets_the_events_of_its_servers_alone(sandbox: Sandbox):
    guild = sandbox.discord.guilds[0]
    for number in range(2):
        async with connected(sandbox) as bot:
            identify: JsonObject = {"token": sandbox.discord_token, "intents": GUILDS}
            await bot.send(2, identify | {"shard": [number, 2]})
            ready = object_at(await bot.receive_event("READY"), "d")
            mine = (guild.id >> 22) % 2 == number
            assert len(objects_at(ready, "guilds")) == int(mine)


async def test_waiting_for_a_bot_ends_when_its_patience_does(sandbox: Sandbox):
    with pytest.raises(asyncio.TimeoutError):
        await sandbox.discord.connected(timeout=0.01)
