"""What a source of 20 MiB costs as a data URL: streamed as the bot does it, and by `json.dumps`.

    python -m benchmarks.data_url

Each way runs in a process of its own, against servers in this one. Printed are the growth of the
process at its peak, the time, and the longest that the event loop stood still meanwhile.
"""

import asyncio
import base64
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.watching import lateness, peak
from bot.domain.images import MAX_SENT_BYTES
from bot.domain.pricing import Quality
from bot.downloads.connections import Connections
from bot.edit_api.client import EditClient
from bot.edit_api.wire import EditCall

HEADER = bytes.fromhex("ffd8ffc000110800300040030000000000000000000000")
"""The beginning of a JPEG of 64 x 48 pixels, as far as it is looked at."""

ANSWER = {"code": 0, "data": {"images": [{"url": "https://cdn.example.com/1.png"}]}}


async def main() -> None:
    """Serve, and let one child after the other send."""
    app = web.Application(client_max_size=2**26)
    app.router.add_get("/{size}", send_source)
    app.router.add_post("/v1/images/edit", take_call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    sys.stdout.write(f"{'way':<12}{'growth':>12}{'time':>12}{'longest stall':>16}\n")
    sys.stdout.flush()
    for way in WAYS:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.data_url", way, f"http://{host}:{port}"
        )
        if await child.wait():
            raise SystemExit(1)
    await runner.cleanup()


async def send_source(request: web.Request) -> web.Response:
    """Give an image of so many bytes."""
    return web.Response(body=HEADER + bytes(int(request.match_info["size"]) - len(HEADER)))


async def take_call(request: web.Request) -> web.Response:
    """Read a call and throw it away."""
    async for _ in request.content.iter_any():
        pass
    return web.json_response(ANSWER)


async def measure(way: str, url: str) -> None:
    """Send a small source to warm up, then the largest, and print what that took."""
    send = WAYS[way]
    await send(url, 1000)
    before = peak()
    with lateness() as stalls:
        started = time.perf_counter()
        await send(url, MAX_SENT_BYTES)
        took = time.perf_counter() - started
    growth = (peak() - before) / 2**10
    sys.stdout.write(
        f"{way:<12}{growth:>8.1f} MiB{took * 1000:>9.0f} ms{max(stalls) * 1000:>13.1f} ms\n"
    )


async def streamed(url: str, size: int) -> None:
    """The bot's way."""
    with tempfile.TemporaryDirectory() as folder:
        async with Connections() as connections:
            edits = EditClient(url, "key", connections, timeout=60, source_mode="data")
            call = EditCall("make it blue", f"{url}/{size}", "1:1", Quality.LOW, 1)
            await edits.edit(call, workspace=Path(folder))


async def dumped(url: str, size: int) -> None:
    """The usual way."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/{size}") as response:
            source = await response.read()
        image = f"data:image/jpeg;base64,{base64.b64encode(source).decode()}"
        call = {"prompt": "make it blue", "image": image}
        async with session.post(f"{url}/v1/images/edit", json=call) as response:
            await response.read()


WAYS: dict[str, Callable[[str, int], Awaitable[None]]] = {
    "streamed": streamed,
    "json.dumps": dumped,
}


if __name__ == "__main__":
    asyncio.run(measure(*sys.argv[1:]) if sys.argv[1:] else main())
