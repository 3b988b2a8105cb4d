"""Every request that came in and how it was answered, told without anything secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp.typedefs import Handler, Middleware

    from bot.sandbox.clock import Clock

PLACE = re.compile(r"\{(\w+)\}")
UNTOLD = frozenset({"token", "rest"})
"""Parts of paths that are, or may hold, an interaction's token."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to one of the servers, and its answer; cut connections have no status."""

    to: str
    agent: str
    method: str
    path: str
    status: int | None
    began: datetime
    seconds: float


class Exchanges:
    """Tells of requests as they end."""

    def __init__(self, clock: Clock) -> None:
        self.listeners: list[Callable[[Exchange], object]] = []
        self._clock = clock

    def of(self, server: str) -> Middleware:
        """Return what a server's application passes requests through."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            began, start = self._clock.now(), self._clock.seconds()
            status: int | None = None
            try:
                response = await handler(request)
                cut = request.transport is None or request.transport.is_closing()
                status = None if cut else response.status
            finally:
                if "Upgrade" not in request.headers:
                    seconds = self._clock.seconds() - start
                    agent = request.headers.get("User-Agent", "")
                    path = path_of(request)
                    told = Exchange(server, agent, request.method, path, status, began, seconds)
                    for listener in self.listeners:
                        listener(told)
            return response

        return note


def path_of(request: web.Request) -> str:
    """Return a request's path with tokens left out, by the names of its route's parts."""
    resource = request.match_info.route.resource
    if resource is None:
        return "/…"
    told = {**request.match_info, **dict.fromkeys(UNTOLD, "…")}
    return PLACE.sub(lambda part: told[part[1]], resource.canonical)
