"""The edit API's stand-in: checks requests as its page describes, and answers with imitations."""

import asyncio
import base64
import binascii
import io
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from PIL import Image

from sandbox.clock import Clock
from sandbox.edit_api.imitation import LONG_SIDES, RATIOS, Task, imitate
from sandbox.edit_api.results import CLIENT_GONE, Results, as_response, cut
from sandbox.exchanges import Exchanges
from sandbox.faults import (
    Address,
    Answer,
    CutAfter,
    CutBefore,
    DownloadFault,
    EditFault,
    FaultList,
    Images,
    wait_out,
)
from sandbox.listener import Listener, refuse_browsers
from sandbox.signals import Signal
from sandbox.values import JsonObject, as_integer, as_object, dump, parse

MODEL = "gpt-image-2"
MOST_PICTURES = 4
SECONDS_TO_READ = 30
USER_AGENT = "sandbox-edit-api"
LARGEST_SOURCE = 50 * 1024 * 1024
UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
FIELDS = frozenset({"prompt", "image", "model", "size", "quality", "n"})


class EditError(Exception):
    """A call that the edit API refuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True, eq=False)
class Call:
    """One call: its body without the image's data, the source's size, and how it was answered."""

    at: datetime
    body: JsonObject = field(default_factory=dict[str, object])
    source_bytes: int | None = None
    status: int | None = None
    results: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Order:
    """A call's body once it was checked."""

    task: Task
    image: str
    count: int


class EditService:
    """Takes calls, remembers them, keeps the results where they can be downloaded."""

    def __init__(
        self,
        clock: Clock,
        folder: Path,
        faults: FaultList[EditFault],
        downloads: FaultList[DownloadFault],
        exchanges: Exchanges,
    ) -> None:
        self.key = f"sandbox-{secrets.token_urlsafe(24)}"
        self.calls: list[Call] = []
        self.changed = Signal()
        self.delay = 0.0
        self._clock = clock
        self._faults = faults
        self.results = Results(folder, downloads)
        self._answer: Callable[[Task], Path] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._listener = Listener(
            self._routes(), middlewares=[refuse_browsers, exchanges.of("edit API")]
        )

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return self._listener.origin

    async def close(self) -> None:
        """End for good."""
        await self._listener.close()
        if self._session is not None:
            await self._session.close()

    def _sources(self) -> aiohttp.ClientSession:
        """Return the connections over which sources are read, opened with the first of them."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=SECONDS_TO_READ)
            self._session = aiohttp.ClientSession(
                timeout=timeout, headers={"User-Agent": USER_AGENT}
            )
        return self._session

    def answer_with(self, images: Sequence[Path | bytes]) -> None:
        """Answer with these files instead of imitations, in turn; with none, imitate again."""
        files = [self.results.keep(each) if isinstance(each, bytes) else each for each in images]
        self._answer = (lambda task: files[task.variation % len(files)]) if files else None

    def answer_by(self, draw: Callable[[Task], bytes]) -> None:
        """Answer with what a function draws, quickly, for each image's task."""
        self._answer = lambda task: self.results.keep(draw(task))

    async def stop_listening(self) -> None:
        """Refuse connections, and cut those that are open."""
        await self._listener.stop()

    async def start_listening(self) -> None:
        """Listen again, on the same port."""
        await self._listener.start()

    @asynccontextmanager
    async def away(self) -> AsyncGenerator[None]:
        """Take no connection meanwhile."""
        await self.stop_listening()
        try:
            yield
        finally:
            await self.start_listening()

    def called(self, times: int = 1, *, timeout: float = 30) -> Coroutine[object, object, Call]:
        """Wait until it was called this often, and return that call; raises TimeoutError."""

        def look() -> Call | None:
            return self.calls[times - 1] if len(self.calls) >= times else None

        return self.changed.until(look, timeout=timeout)

    def _routes(self) -> list[web.RouteDef]:
        """Return the API's path and its results'."""
        return [
            web.post("/v1/images/edit", self._edit),
            web.get("/edits/{name}", self.results.serve),
        ]

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        call = Call(self._clock.now())
        self.calls.append(call)
        self.changed.fire()
        if self._faults.take(lambda each: each.before_reading) is not None:
            return cut(request)
        action = None
        try:
            order = await self._read(request, call)
            fault = self._faults.take(lambda each: each.concerns(order.task.prompt))
            action = None if fault is None else fault.action
            if isinstance(action, CutBefore):
                return cut(request)
            if isinstance(action, Answer):
                call.status = action.status
                return as_response(action)
            await wait_out(action)
            if self.delay:
                await asyncio.sleep(self.delay)
            body = await self._make(order, call, action)
            call.status = 200
        except EditError as error:
            call.status = error.status
            body = {"code": error.status, "message": error.message}
        except CLIENT_GONE:
            return cut(request)
        if isinstance(action, CutAfter):
            return cut(request)
        text = dump(body).encode()
        return web.Response(body=text, status=call.status, content_type="application/json")

    async def _read(self, request: web.Request, call: Call) -> Order:
        text = await request.read()
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            raise EditError(401, "Invalid API key")
        if request.content_type != "application/json":
            raise EditError(400, "Content-Type must be application/json")
        try:
            fields = as_object(await asyncio.to_thread(parse, text))
        except ValueError:
            fields = None
        if fields is None:
            raise EditError(400, "The request body must be a JSON object")
        call.body = fields | {"image": _shortened(fields.get("image"))}
        return check(fields)

    async def _make(self, order: Order, call: Call, action: object) -> JsonObject:
        source = await self._source(order.image)
        call.source_bytes = len(source)
        count = action.count if isinstance(action, Images) else order.count
        urls: list[str] = []
        for index in range(count):
            path = await self._image(source, order.task, index)
            urls.append(self.origin + self.results.publish(path, index))
        if isinstance(action, Address):
            only = action.image
            urls = [action.url if only in {None, index} else url for index, url in enumerate(urls)]
        call.results = urls
        images = [{"url": url} for url in urls]
        return {"code": 0, "message": "ok", "data": {"images": images}}

    async def _image(self, source: bytes, task: Task, index: int) -> Path:
        variation = Task(task.prompt, task.size, task.quality, index)
        if self._answer is not None:
            return self._answer(variation)
        return await asyncio.to_thread(self._imitate, source, variation)

    def _imitate(self, source: bytes, task: Task) -> Path:
        try:
            return self.results.keep(imitate(io.BytesIO(source), task))
        except UNREADABLE as error:
            raise EditError(400, "image could not be read as an image") from error

    async def _source(self, image: str) -> bytes:
        if image.startswith("data:"):
            return await asyncio.to_thread(decode_data_url, image)
        try:
            async with self._sources().get(image) as response:
                if not response.ok:
                    words = f"image could not be downloaded: HTTP {response.status}"
                    raise EditError(400, words)
                source = bytearray()
                while piece := await response.content.read(LARGEST_SOURCE + 1 - len(source)):
                    source += piece
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EditError(400, "image could not be downloaded") from error
        if len(source) > LARGEST_SOURCE:
            raise EditError(400, "image is too large")
        return bytes(source)


def check(fields: JsonObject) -> Order:
    """Return what a call orders; raises EditError as strictly as its page lets one guess."""
    unknown = sorted(set(fields) - FIELDS)
    if unknown:
        raise EditError(400, f"unknown field: {', '.join(unknown)}")
    prompt, image = fields.get("prompt"), fields.get("image")
    if not isinstance(prompt, str) or not prompt.strip():
        raise EditError(400, "prompt is required")
    if not isinstance(image, str) or not image.startswith(("http://", "https://", "data:")):
        raise EditError(400, "image must be a URL or a base64 data URL")
    if fields.get("model", MODEL) != MODEL:
        raise EditError(400, f"model must be {MODEL}")
    size, quality = fields.get("size"), fields.get("quality", "medium")
    if "size" in fields and (not isinstance(size, str) or size not in RATIOS):
        raise EditError(400, f"size must be one of {', '.join(RATIOS)}")
    if not isinstance(quality, str) or quality not in LONG_SIDES:
        raise EditError(400, f"quality must be one of {', '.join(LONG_SIDES)}")
    count = as_integer(fields.get("n", 1))
    if count is None or not 1 <= count <= MOST_PICTURES:
        raise EditError(400, f"n must be an integer from 1 to {MOST_PICTURES}")
    task = Task(prompt, size if isinstance(size, str) else None, quality)
    return Order(task, image, count)


def decode_data_url(url: str) -> bytes:
    """Return a data URL's bytes; raises EditError."""
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise EditError(400, "image must be a URL or a base64 data URL")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise EditError(400, "image is not valid base64") from error


def _shortened(image: object) -> object:
    if isinstance(image, str) and image.startswith("data:"):
        return f"{image.partition(',')[0]},… ({len(image)} characters)"
    return image
