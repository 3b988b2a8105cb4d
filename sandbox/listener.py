"""A server on a loopback port."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HOST = "127.0.0.1"
LAST_PORT = 65535
BACKLOG = 1024
LARGEST_BODY = 64 * 1024 * 1024
SECONDS_TO_CLOSE = 0.2
TURNS_TO_NOTICE = 3
"""Turns of the loop in which clients in the same process read that their connections ended."""


@web.middleware
async def refuse_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer programs alone: another site in somebody's browser has no business here."""
    named = request.host.rpartition(":")[0] or request.host
    by_browser = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    if by_browser or named not in {HOST, "localhost"}:
        return web.Response(status=HTTPStatus.FORBIDDEN, text="This is for programs alone.")
    return await handler(request)


class Listener:
    """One server on one loopback port, which can stop listening and take the same port again."""

    def __init__(
        self,
        routes: Sequence[web.AbstractRouteDef],
        port: int = 0,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        self.port = port
        application = web.Application(client_max_size=LARGEST_BODY, middlewares=middlewares)
        application.add_routes(routes)
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=SECONDS_TO_CLOSE
        )
        self._site: web.TCPSite | None = None

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Listen."""
        if self._runner.server is None:
            await self._runner.setup()
        self._site = web.TCPSite(self._runner, HOST, self.port, backlog=BACKLOG)
        await self._site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        server = self._runner.server
        if server is not None:
            for connection in server.connections:
                connection.force_close()
        for _ in range(TURNS_TO_NOTICE):
            await asyncio.sleep(0)

    async def close(self) -> None:
        """End for good."""
        await self._runner.cleanup()
