"""An HTTP server on a real socket that answers as a test says."""

import asyncio
import json
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from multidict import CIMultiDict

Play = Callable[["Exchange"], Awaitable[None]]
"""What a server does once it has read a request."""


@dataclass
class Request:
    """One request as it arrived."""

    line: str
    headers: CIMultiDict[str]
    body: bytes = b""


@dataclass
class Exchange:
    """A request and the way to answer it."""

    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass
class Server:
    """A server on a real socket that plays its answers in order, and then the last one."""

    plays: tuple[Play, ...]
    address: tuple[str, int] = ("", 0)
    connections: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    played: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://{self.address[0]}:{self.address[1]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it is closed."""
        self.connections += 1
        try:
            while not writer.is_closing():
                await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = CIMultiDict(
            {name: text for name, _, text in (line.partition(": ") for line in lines) if name}
        )
        request = Request(line, headers)
        play = self.plays[min(len(self.requests), len(self.plays) - 1)]
        self.requests.append(request)
        if play not in {unread, early, swallowed}:
            request.body = await reader.readexactly(int(headers.get("Content-Length", 0)))
        await play(Exchange(request, reader, writer))
        self.played.set()


@asynccontextmanager
async def serving(*plays: Play, port: int = 0, tls: bool = False) -> AsyncGenerator[Server]:
    """Serve on loopback; over TLS, with a certificate that nobody trusts."""
    server = Server(plays)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(server.serve(reader, writer)))

    listener = await asyncio.start_server(
        accept, "127.0.0.1", port, ssl=untrusted() if tls else None
    )
    server.address = listener.sockets[0].getsockname()
    async with listener:
        yield server
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def untrusted() -> ssl.SSLContext:
    """Return a server's TLS context; its key isn't a secret, but made for these tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "data" / "self-signed.pem")
    return context


def reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> Play:
    return raw(head(status, content_length=len(body), headers=headers or {}) + body)


def images(*urls: str) -> dict[str, object]:
    return {"code": 0, "message": "ok", "data": {"images": [{"url": url} for url in urls]}}


def success(*urls: str) -> Play:
    return reply(200, json.dumps(images(*urls)).encode())


def throttled(status: int, retry_after: str) -> Play:
    return reply(status, b"", {"Retry-After": retry_after})


def head(status: int = 200, *, content_length: int, headers: dict[str, str] | None = None) -> bytes:
    fields = {"Content-Length": str(content_length), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def raw(sent: bytes, *, cut: bool = False) -> Play:
    async def play(exchange: Exchange) -> None:
        for position in range(0, len(sent), 2**16):
            exchange.writer.write(sent[position : position + 2**16])
            await exchange.writer.drain()
        if cut:
            exchange.writer.close()

    return play


def endless(start: bytes) -> Play:
    async def play(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + start)
        while True:
            exchange.writer.write(bytes(2**16))
            await exchange.writer.drain()

    return play


def dripping(start: bytes) -> Play:
    async def play(exchange: Exchange) -> None:
        exchange.writer.write(start)
        hung_up = asyncio.ensure_future(exchange.reader.read(1))
        hung_up.add_done_callback(lambda read: read.cancelled() or read.exception())
        while not hung_up.done():
            # One byte every hundredth of a second, until the client hangs up.
            await asyncio.wait({hung_up}, timeout=0.01)
            exchange.writer.write(b" ")
            await exchange.writer.drain()

    return play


async def silence(exchange: Exchange) -> None:
    await exchange.reader.read()
    exchange.writer.close()


async def unread(exchange: Exchange) -> None:
    exchange.writer.transport.abort()


async def early(exchange: Exchange) -> None:
    await reply(413, b'{"message": "too large"}')(exchange)
    while await exchange.reader.read(2**16):
        pass


async def swallowed(exchange: Exchange) -> None:
    left = int(exchange.request.headers["Content-Length"])
    while left:
        left -= len(await exchange.reader.read(2**16))
    await success("a")(exchange)


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()
