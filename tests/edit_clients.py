"""The edit API's client and downloads for tests, with a clock that only sleep moves."""

import asyncio
import contextlib
import io
import socket
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from PIL import Image

from bot.domain.errors import EditError
from bot.domain.images import Format
from bot.domain.pricing import Quality
from bot.downloads.connections import Connections, Timeouts
from bot.downloads.results import ResultDownloads
from bot.downloads.sources import SourceDownloads
from bot.edit_api.client import EditClient
from bot.edit_api.wire import EditCall

KEY = "key-that-nobody-may-see"
CALL = EditCall("make it blue", "https://cdn.example.com/a.png", "1:1", Quality.LOW, 2)
DEFAULT_TIMEOUTS = Timeouts()
SHORT_TIMEOUTS = Timeouts(connect_s=0.5, silence_s=0.05, image_s=0.3)
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def picture(format_: Format, *, exif: bool = False, padding: int = 0) -> bytes:
    file = io.BytesIO()
    options = {"exif": b"II*\0\x08\0\0\0" + bytes(6)} if exif else {}
    Image.new("RGB", (64, 48), "teal").save(file, format_, **options)
    return file.getvalue() + bytes(padding)


def noisy(format_: Format) -> bytes:
    """An image of noise, so that almost all of its bytes are pixels."""
    file = io.BytesIO()
    Image.effect_noise((64, 48), 40).convert("RGB").save(file, format_)
    return file.getvalue()


def call_with(source_url: str) -> EditCall:
    return replace(CALL, source_url=source_url)


class Names(AbstractResolver):
    """Resolves any name to its addresses in order, and then to the last one."""

    def __init__(self, *addresses: tuple[str, int], hangs: bool = False) -> None:
        self.addresses = addresses
        self.hangs = hangs
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the next address, with its own port."""
        self.asked.append(host)
        if self.hangs:
            await asyncio.Event().wait()
        if not self.addresses:
            raise OSError("no such name")
        address, port = self.addresses[min(len(self.asked), len(self.addresses)) - 1]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is open."""


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[float], Awaitable[None]] | None = None

    async def sleep(self, seconds: float) -> None:
        """Let the seconds pass at once."""
        self.slept.append(seconds)
        self.time += seconds
        if self.meanwhile is not None:
            await self.meanwhile(seconds)


async def fault_of(attempt: Awaitable[object]) -> EditError:
    with pytest.raises(EditError) as raised:
        await attempt
    return raised.value


@contextlib.contextmanager
def peak_memory() -> Generator[Callable[[], int]]:
    """Trace allocations inside the block; afterwards, the call returns their peak in bytes."""
    peak = 0
    tracemalloc.start()
    try:
        yield lambda: peak
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()


@dataclass
class Clients:
    """The clients of one edit, with their clock at hand."""

    edits: EditClient
    sources: SourceDownloads
    results: ResultDownloads
    clock: Clock


@asynccontextmanager
async def connected(
    api_url: str = "http://127.0.0.1:1",
    *,
    timeout: float = 60,
    source_mode: Literal["url", "data"] = "url",
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    resolver: AbstractResolver | None = None,
) -> AsyncGenerator[Clients]:
    """Open connections for the clients of one edit."""
    clock = Clock()
    async with Connections(timeouts=timeouts, resolver=resolver, sleep=clock.sleep) as connections:
        edits = EditClient(
            api_url,
            KEY,
            connections,
            timeout=timeout,
            source_mode=source_mode,
            monotonic=lambda: clock.time,
            now=lambda: NOW,
        )
        yield Clients(
            edits, SourceDownloads(connections), ResultDownloads(connections, api_url), clock
        )
