"""Every request that came in and how it was answered, told without anything secret."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.clock import Clock

PLACE = re.compile(r"\{(\w+)\}")
UNTOLD = frozenset({"token", "rest"})
"""Parts of paths that are, or may hold, an interaction's token."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to one of the servers, and its answer; cut connections have no status."""

    number: int
    to: str
    agent: str
    method: str
    path: str
    began: datetime
    status: int | None = None
    seconds: float | None = None
    """How long it took; None while it is under way."""


class Exchanges:
    """Tells of requests, as they begin and as they end."""

    def __init__(self, clock: Clock) -> None:
        self.listeners: list[Callable[[Exchange], object]] = []
        self._clock = clock
        self._numbers = itertools.count(1)

    def of(self, server: str) -> Middleware:
        """Return what a server's application passes requests through."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            if "Upgrade" in request.headers:
                return await handler(request)
            start = self._clock.seconds()
            begun = Exchange(
                next(self._numbers),
                server,
                request.headers.get("User-Agent", ""),
                request.method,
                path_of(request),
                self._clock.now(),
            )
            self._tell(begun)
            status: int | None = None
            try:
                response = await handler(request)
                cut = request.transport is None or request.transport.is_closing()
                status = None if cut else response.status
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                seconds = self._clock.seconds() - start
                self._tell(replace(begun, status=status, seconds=seconds))
            return response

        return note

    def _tell(self, exchange: Exchange) -> None:
        for listener in self.listeners:
            listener(exchange)


def path_of(request: web.Request) -> str:
    """Return a request's path with tokens left out, by the names of its route's parts."""
    resource = request.match_info.route.resource
    if resource is None:
        return "/…"
    told = {**request.match_info, **dict.fromkeys(UNTOLD, "…")}
    return PLACE.sub(lambda part: told[part[1]], resource.canonical)
