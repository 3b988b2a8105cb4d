"""Faults of the sandbox's Discord: what a bot meets, and what took effect all the same."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from sandbox import faults
from sandbox.discord.messages import Message
from sandbox.faults import DiscordFault
from sandbox.sandbox import Sandbox


class Client:
    """Posts a message and looks at what became of it."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session
        self._channel = sandbox.discord.guilds[0].channels[0]
        self._url = f"{sandbox.discord_api_url}/channels/{self._channel.id}/messages"

    async def post(self, *, file: bool = False) -> aiohttp.ClientResponse:
        """Post a message, with or without a file."""
        data = aiohttp.FormData({"payload_json": '{"content":"hello"}'}, quote_fields=False)
        if file:
            data.add_field("files[0]", b"x", filename="a.txt")
        headers = {"Authorization": f"Bot {self.sandbox.discord_token}"}
        body: dict[str, aiohttp.FormData | dict[str, str]] = (
            {"data": data} if file else {"json": {"content": "hello"}}
        )
        async with self._session.post(
            self._url, json=body.get("json"), data=body.get("data"), headers=headers
        ) as response:
            await response.read()
            return response

    @property
    def posted(self) -> list[Message]:
        """Return what stands in the channel."""
        return self.sandbox.discord.messages(self._channel)


@asynccontextmanager
async def connection() -> AsyncGenerator[Client]:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        yield Client(sandbox, session)


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with connection() as made:
        yield made


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (faults.server_error(), 502),
        (faults.too_large(), 413),
        (faults.token_dead(), 401),
        (faults.too_late(), 404),
        (faults.rate_limited(0.5), 429),
    ],
)
async def test_a_fault_answers_once_and_nothing_takes_effect(
    client: Client, action: faults.Answer, status: int
):
    fault = client.sandbox.faults.discord.add(DiscordFault(action=action))
    assert (await client.post()).status == status
    assert client.posted == []
    assert (await client.post()).status == 200
    assert fault.fired == 1
    assert [request.status for request in client.sandbox.discord.requests] == [status, 200]


@pytest.mark.parametrize("via", [True, False])
async def test_a_rate_limit_may_come_from_discord_or_from_before_it(client: Client, *, via: bool):
    action = faults.rate_limited(1.5, via=via)
    client.sandbox.faults.discord.add(DiscordFault(action=action))
    response = await client.post()
    assert (await response.json())["retry_after"] == 1.5
    assert ("Via" in response.headers) is via


async def test_a_cut_before_handling_takes_no_effect_and_one_after_it_does(client: Client):
    cuts = ((faults.CutReading(), False, 0), (faults.CutBefore(), True, 0))
    for action, read, posted in (*cuts, (faults.CutAfter(), True, 1)):
        client.sandbox.faults.discord.add(DiscordFault(action=action))
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.post(file=True)
        assert client.sandbox.discord.requests[-1].read is read
        assert len(client.posted) == posted


async def test_a_request_can_hang_until_it_is_released(client: Client):
    hang = faults.Hang()
    fault = client.sandbox.faults.discord.add(DiscordFault(action=hang))
    pending = asyncio.create_task(client.post())
    await fault.happened()
    assert client.posted == []
    hang.release()
    assert (await pending).status == 200
    assert len(client.posted) == 1


async def test_a_fault_can_concern_some_requests_alone(client: Client):
    switched_on = client.sandbox.faults.discord
    error = faults.server_error(503)
    only_files = switched_on.add(DiscordFault(action=error, with_files=True, times=None))
    elsewhere = switched_on.add(DiscordFault(action=error, path="/webhooks/", times=None))
    patches = switched_on.add(DiscordFault(action=error, method="PATCH", times=None))
    assert (await client.post()).status == 200
    assert (await client.post(file=True)).status == 503
    assert (only_files.fired, elsewhere.fired, patches.fired) == (1, 0, 0)
    switched_on.remove(only_files)
    assert (await client.post(file=True)).status == 200
    switched_on.clear()
    assert switched_on.faults == []


async def test_a_bot_that_dies_while_it_sends_does_no_harm(
    client: Client, caplog: pytest.LogCaptureFixture
):
    sandbox = client.sandbox
    for url in (sandbox.discord_api_url, sandbox.edit_api_url):
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        path = "/api/v10/channels/1/messages" if parts.path else "/v1/images/edit"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        kind = "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        writer.write((head + kind).encode())
        await writer.drain()
        writer.close()
        await reader.read()
    assert (await client.post()).status == 200
    assert caplog.records == []
