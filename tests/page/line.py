"""A tab's line to the page's server, without a tab."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import aiohttp

from bot.sandbox.values import as_array, as_object, dump, parse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.sandbox.page.running import RunningPage
    from bot.sandbox.values import JsonObject

PATIENCE = 10


class Refused(Exception):
    """The server said no; the message is what the tab would show."""


class Line:
    """Sends actions, and knows the records as they were when it was connected."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, everything: str) -> None:
        self.everything = everything
        self._socket = socket
        self._numbers = itertools.count(1)
        read = as_object(parse(everything)) or {}
        self._records = [cast("list[object]", each) for each in as_array(read["all"]) or []]

    @classmethod
    @asynccontextmanager
    async def to(cls, running: RunningPage) -> AsyncGenerator[Line]:
        """Connect as the page does."""
        address = urlsplit(running.address)
        origin = f"{address.scheme}://{address.netloc}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"{origin}/socket?{address.query}", origin=origin, max_msg_size=0
            ) as socket,
        ):
            yield cls(socket, await socket.receive_str(timeout=PATIENCE))

    def records(self, kind: str) -> list[tuple[str, JsonObject]]:
        """The records of a kind: id and value."""
        return [
            (str(record_id), as_object(value) or {})
            for each, record_id, value in self._records
            if each == kind
        ]

    async def do(self, action: str, **fields: object) -> object:
        """Do something as a tab does; raises Refused."""
        number = next(self._numbers)
        reply = await self.say(dump({"number": number, "action": action, **fields}))
        if "error" in reply:
            raise Refused(reply["error"])
        return reply.get("value")

    async def say(self, text: str) -> JsonObject:
        """Send any text; the next that comes back and is no news of records."""
        await self._socket.send_str(text)
        async with asyncio.timeout(PATIENCE):
            while True:
                reply = as_object(parse(await self._socket.receive_str())) or {}
                if "changes" not in reply:
                    return reply
