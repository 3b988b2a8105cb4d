"""The page's server as a program meets it: requests, and a tab's line without a tab."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from sandbox.values import JsonObject, as_array, as_object, dump, parse

PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    text: str
    headers: Mapping[str, str]


class Visitor:
    """Sends requests with whatever headers, and knows what the printed address tells."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        parts = urlsplit(address)
        self.host = parts.netloc
        self.origin = f"http://{parts.netloc}"
        self.query = parts.query
        self.session = session

    @classmethod
    @asynccontextmanager
    async def of(cls, address: str) -> AsyncGenerator[Visitor]:
        """Visit the page at an address."""
        async with aiohttp.ClientSession() as session:
            yield cls(address, session)

    async def send(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> Answer:
        """Send a request; a path with a `?` at its end gets the token."""
        url = f"{self.origin}{path}{self.query if path.endswith('?') else ''}"
        # `encoded`: dots go out as they are written.
        async with self.session.request(
            method, URL(url, encoded=True), data=body, headers=headers
        ) as response:
            text = (await response.read()).decode(errors="replace")
            return Answer(response.status, text, response.headers)

    async def upload(self, name: str, data: bytes) -> str:
        """Upload a file as the page does; what stands for it."""
        path = f"/uploads?name={name}&{self.query}"
        answer = await self.send("POST", path, data, Origin=self.origin)
        assert answer.status == 200, answer.text
        return answer.text


class Refused(Exception):
    """The server said no; the message is what the tab would show."""


class Line:
    """Sends actions, and knows the records as they were when it was connected."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, everything: str) -> None:
        self.heard = [everything]
        self.socket = socket
        self._numbers = itertools.count(1)
        read = as_object(parse(everything)) or {}
        self._records = [cast("list[object]", each) for each in as_array(read["all"]) or []]

    @classmethod
    @asynccontextmanager
    async def to(cls, address: str) -> AsyncGenerator[Line]:
        """Connect as the page does."""
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"{origin}/socket?{parts.query}", origin=origin, max_msg_size=0
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
        assert reply["reply"] == number
        if "error" in reply:
            raise Refused(reply["error"])
        return reply.get("value")

    async def say(self, text: str) -> JsonObject:
        """Send any text; what comes back and is no news of records."""
        await self.socket.send_str(text)
        async with asyncio.timeout(PATIENCE):
            while True:
                self.heard.append(await self.socket.receive_str())
                reply = as_object(parse(self.heard[-1])) or {}
                if "changes" not in reply:
                    return reply
