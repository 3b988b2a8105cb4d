"""The edit API's results: images for download, and the ways in which a download goes wrong."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox.faults import (
    Answer,
    CutBefore,
    CutInside,
    Delay,
    DownloadFault,
    Drip,
    Endless,
    FaultList,
    Hang,
    LyingLength,
    NotAnImage,
    Redirect,
    Stall,
    wait_out,
)

PIECE = 64 * 1024
FIRST_NUMBER = 1_234_567_890
CLIENT_GONE = (ConnectionError, web.RequestPayloadError)
"""What reading from a client raises that was killed, or cut off, in the middle of its request."""


@dataclass(frozen=True, slots=True)
class Result:
    """An image that can be downloaded, and its place among its call's."""

    path: Path
    index: int


class Results:
    """Keeps images on the disk and sends them, spoilt where a fault says so."""

    def __init__(self, folder: Path, faults: FaultList[DownloadFault]) -> None:
        self.downloads = 0
        self._folder = folder
        self._faults = faults
        self._results: dict[str, Result] = {}
        self._numbers = itertools.count(FIRST_NUMBER)

    def keep(self, data: bytes) -> Path:
        """Put an image on the disk."""
        path = self._folder / f"result-{secrets.token_hex(8)}.png"
        path.write_bytes(data)
        return path

    def publish(self, path: Path, index: int) -> str:
        """Return the path under which an image can be downloaded from now on."""
        name = f"{next(self._numbers)}.png"
        self._results[name] = Result(path, index)
        return f"/edits/{name}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Send an image."""
        result = self._results.get(request.match_info["name"])
        if result is None:
            return web.Response(status=404, text="not found")
        self.downloads += 1
        fault = self._faults.take(lambda each: each.image is None or each.image == result.index)
        if fault is None:
            return _sent(result.path)
        return await _spoilt(request, result.path, fault)


def as_response(answer: Answer) -> web.Response:
    """Return what a fault answers."""
    content, kind = answer.content()
    response = web.Response(body=content, status=answer.status, content_type=kind)
    response.headers.update(answer.headers)
    return response


def cut(request: web.Request) -> web.Response:
    """Cut a request's connection; the response returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _sent(path: Path) -> web.FileResponse:
    return web.FileResponse(path, chunk_size=4 * PIECE, headers={"Content-Type": "image/png"})


async def _spoilt(request: web.Request, path: Path, fault: DownloadFault) -> web.StreamResponse:
    match fault.action:
        case Answer():
            return as_response(fault.action)
        case CutBefore():
            return cut(request)
        case NotAnImage():
            return web.Response(text="This is not an image.", content_type="image/png")
        case Redirect(to):
            return web.Response(status=302, headers={"Location": to or str(request.url)})
        case Hang() | Delay():
            await wait_out(fault.action)
        case _:
            return await _sent_in_pieces(request, path, fault.action)
    return _sent(path)


async def _sent_in_pieces(
    request: web.Request, path: Path, action: Endless | Drip | Stall | CutInside | LyingLength
) -> web.StreamResponse:
    data = await asyncio.to_thread(path.read_bytes)
    response = web.StreamResponse(headers={"Content-Type": "image/png"})
    if isinstance(action, LyingLength):
        response.content_length = max(0, len(data) + action.by)
    else:
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for piece in _pieces(data, action):
            await response.write(piece)
    except ConnectionError:
        return response
    if request.transport is not None:
        request.transport.close()
    return response


async def _pieces(
    data: bytes, action: Endless | Drip | Stall | CutInside | LyingLength
) -> AsyncIterator[bytes]:
    match action:
        case Endless():
            yield data[:PIECE]
            while True:
                yield bytes(PIECE)
        case Drip(seconds):
            for index in range(len(data)):
                yield data[index : index + 1]
                await asyncio.sleep(seconds)
        case Stall(after, released):
            yield data[:after]
            await released.wait()
        case CutInside(after):
            yield data[:after]
        case LyingLength(by):
            yield data[: len(data) + by] if by < 0 else data
