"""Serves the page, its files and its tabs' lines, to nobody but the page itself.

Another site that is open in the same browser may send requests here, but it can neither know the
token nor name this host and origin as its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import hmac
import logging
import secrets
from http import HTTPStatus
from pathlib import Path

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

from sandbox.discord.cdn import Cdn
from sandbox.discord.interactions.commands import InvalidInvocation
from sandbox.edit_api.results import CLIENT_GONE, cut
from sandbox.listener import HOST, LAST_PORT, Listener
from sandbox.page.actions import Actions
from sandbox.page.feed import Feed, Tab
from sandbox.page.uploads import Uploads
from sandbox.values import JsonObject, as_integer, as_object, dump, parse

STATIC = Path(__file__).with_name("static")
LARGEST_ACTION = 256 * 1024
HEARTBEAT_SECONDS = 60.0
SECONDS_TO_CLOSE = 1.0
FAILED = "The sandbox itself failed; where it was started it says how."
PORTS_TRIED = 100

GUARDED = frozenset({"/", "/socket", "/uploads"})
"""What needs the token; the CDN's addresses are signed, and the rest is nobody's secret."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
FILE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""For what people and the bot uploaded: opened by itself, it is of no origin and runs nothing."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

log = logging.getLogger(__name__)


class PageServer:
    """The page on a loopback port, between entering and leaving it as a context manager."""

    def __init__(
        self, feed: Feed, actions: Actions, uploads: Uploads, cdn: Cdn, *, port: int = 0
    ) -> None:
        self._feed = feed
        self._actions = actions
        self._cdn = cdn
        self._token = secrets.token_urlsafe(32)
        self._sockets: set[web.WebSocketResponse] = set()
        routes: list[web.AbstractRouteDef] = [
            web.get("/", self._serve_page),
            web.get("/socket", self._serve_tab),
            web.post("/uploads", uploads.receive),
            web.get("/static/{version}/{name:.+}", self._serve_file),
            *cdn.routes(),
        ]
        self._listener = Listener(routes, port, [self._guard])

    @property
    def address(self) -> str:
        """Where the page is, with the token that it needs."""
        return f"{self._listener.origin}/?token={self._token}"

    async def __aenter__(self) -> PageServer:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        # A tab that does not read does not hear of the end either, and is cut off.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_CLOSE):
                closing = [socket.close() for socket in self._sockets]
                await asyncio.gather(*closing, return_exceptions=True)
        await self._listener.close()

    async def _listen(self) -> None:
        """Listen on the port that was asked for, or on the next that is free."""
        first = self._listener.port
        last = min(first + PORTS_TRIED, LAST_PORT)
        for port in range(first, last + 1):
            self._listener.port = port
            try:
                await self._listener.start()
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == last:
                    raise
            else:
                return

    # Who is answered at all.

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the page alone, and tell browsers what it may do."""
        if refusal := self._refuse(request):
            response: web.StreamResponse = web.Response(status=HTTPStatus.FORBIDDEN, text=refusal)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = web.Response(status=error.status, text=error.reason)
            except CLIENT_GONE:
                return cut(request)
            except Exception:
                log.exception("page.failed")
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                response = web.Response(status=status, text=FAILED)
        if not response.prepared:
            response.headers.update(HEADERS)
            if request.match_info.handler == self._cdn.serve:
                response.headers["Content-Security-Policy"] = FILE_POLICY
            if request.match_info.handler == self._serve_file and response.status == HTTPStatus.OK:
                response.headers["Cache-Control"] = "max-age=31536000, immutable"
        return response

    def _refuse(self, request: web.Request) -> str | None:
        port = self._listener.port
        if request.host not in {f"{HOST}:{port}", f"localhost:{port}"}:
            return "This is served at the address that was printed alone."
        origin = request.headers.get("Origin")
        does = request.method not in {"GET", "HEAD"} or "Upgrade" in request.headers
        if (does or origin is not None) and origin != f"http://{request.host}":
            return "This is served to the page itself alone."
        token = request.query.get("token", "").encode()
        if request.path in GUARDED and not hmac.compare_digest(token, self._token.encode()):
            return "The address has no token, or an old one: take the one that was printed."
        return None

    # What is answered.

    async def _serve_page(self, _: web.Request) -> web.StreamResponse:
        text = await asyncio.to_thread(_read_page)
        return web.Response(text=text, content_type="text/html")

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        path = await asyncio.to_thread(_find_file, request.match_info["name"])
        return web.Response(status=HTTPStatus.NOT_FOUND) if path is None else web.FileResponse(path)

    async def _serve_tab(self, request: web.Request) -> web.StreamResponse:
        """Send a tab the records, do what it asks for, until it is closed."""
        socket = web.WebSocketResponse(
            max_msg_size=LARGEST_ACTION, heartbeat=HEARTBEAT_SECONDS, compress=False
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        with self._feed.followed() as tab:
            sending = asyncio.create_task(_send(socket, tab))
            try:
                await self._listen_to(socket, tab)
            finally:
                sending.cancel()
                self._sockets.discard(socket)
        return socket

    async def _listen_to(self, socket: web.WebSocketResponse, tab: Tab) -> None:
        async with asyncio.TaskGroup() as doing:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                text: str = message.data
                doing.create_task(self._do(text, tab))

    async def _do(self, text: str, tab: Tab) -> None:
        """Do one thing, and tell its tab what came of it."""
        reply: JsonObject = {}
        try:
            asked = as_object(parse(text)) or {}
            reply["reply"] = as_integer(asked.get("number"))
            _check_text(asked)
            reply["value"] = await self._actions.do(asked)
        except (InvalidInvocation, ValueError) as wrong:
            reply["error"] = str(wrong)
        except RecursionError:
            reply["error"] = "This is nested too deeply."
        except Exception:
            log.exception("action.failed")
            reply["error"] = FAILED
        tab.put(dump(reply))


def _read_page() -> str:
    """Read the page, whose files have other addresses as soon as one of them is another.

    So a browser need not ask for any of them again when it loads the page again.
    """
    files = [(path, path.stat()) for path in sorted(STATIC.rglob("*")) if path.is_file()]
    told = repr([(str(path), each.st_mtime_ns, each.st_size) for path, each in files])
    version = hashlib.sha256(told.encode()).hexdigest()[:16]
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    return text.replace("/static/", f"/static/{version}/")


def _find_file(name: str) -> Path | None:
    path = (STATIC / name).resolve()
    return path if path.is_relative_to(STATIC.resolve()) and path.is_file() else None


def _check_text(asked: JsonObject) -> None:
    """Refuse half a character, which could be sent on to no tab and not to the bot."""
    try:
        dump(asked).encode()
    except UnicodeEncodeError:
        raise InvalidInvocation("The text holds half a character: write it again.") from None


async def _send(socket: web.WebSocketResponse, tab: Tab) -> None:
    with contextlib.suppress(ConnectionError):
        while (text := await tab.next()) is not None:
            await socket.send_str(text)
        await socket.close()
