"""The gateway's other side, as a bot's library is."""

import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import WSMsgType

from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, as_object, dump, parse

GUILDS = 1
PRIVILEGED_MEMBERS = 1 << 1
SUFFIX = b"\x00\x00\xff\xff"


class Bot:
    """The gateway's other side, one payload at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._inflator = zlib.decompressobj()

    async def send(self, op: int, data: object) -> None:
        """Send a payload."""
        await self.socket.send_str(dump({"op": op, "d": data}))

    async def identify(self, token: str, intents: int = GUILDS) -> None:
        """Begin a session."""
        await self.send(2, {"token": token, "intents": intents, "properties": {}})

    async def receive(self) -> JsonObject:
        """Return the next payload."""
        message = await self.socket.receive(timeout=5)
        if message.type is WSMsgType.BINARY:
            raw: bytes = message.data
            assert raw.endswith(SUFFIX)
            return as_object(parse(self._inflator.decompress(raw))) or {}
        assert message.type is WSMsgType.TEXT, message
        text: str = message.data
        return as_object(parse(text)) or {}

    async def receive_event(self, name: str) -> JsonObject:
        """Return the next event of a name, passing over others."""
        while True:
            payload = await self.receive()
            if payload.get("t") == name:
                return payload

    async def close_code(self) -> int | None:
        """Wait until the connection is closed, and return its code."""
        while not self.socket.closed:
            await self.socket.receive(timeout=5)
        return self.socket.close_code


@asynccontextmanager
async def connected(sandbox: Sandbox, query: str = "v=10&encoding=json") -> AsyncGenerator[Bot]:
    url = f"{sandbox.discord.gateway.url}?{query}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        bot = Bot(socket)
        hello = await bot.receive()
        assert hello["op"] == 10
        yield bot
