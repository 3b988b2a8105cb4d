"""Discord's REST API, version 10: record each request, check it by Discord's rules, answer it."""

import hashlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions.commands import Registry
from sandbox.discord.interactions.forms import DiscordError
from sandbox.discord.rest.answers import NOT_FOUND, UNAUTHORIZED, Handler, Reply, Request, RestCall
from sandbox.discord.rest.applications import ApplicationRoutes
from sandbox.discord.rest.channels import ChannelRoutes
from sandbox.discord.rest.commands import CommandRoutes
from sandbox.discord.rest.gateway import GatewayRoutes
from sandbox.discord.rest.guilds import GuildRoutes
from sandbox.discord.rest.interactions import InteractionRoutes, Interactions
from sandbox.discord.rest.messages import MessageRoutes
from sandbox.discord.rest.users import UserRoutes
from sandbox.discord.uploads import Body, read_body
from sandbox.discord.world import World
from sandbox.edit_api.results import CLIENT_GONE, as_response, cut
from sandbox.faults import (
    Answer,
    CutAfter,
    CutBefore,
    CutReading,
    DiscordFault,
    FaultList,
    wait_out,
)
from sandbox.signals import Signal
from sandbox.values import dump

BASE = "/api/v10"
SECRET_HEADERS = frozenset({"authorization", "cookie"})


class DiscordRest:
    """Pass each request to its resource's router, and send the reply or a fault."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        registry: Registry,
        token: str,
        faults: FaultList[DiscordFault],
    ) -> None:
        self.requests: list[Request] = []
        self.answered = Signal()
        self._world = world
        self._authorization = f"Bot {token}"
        self._faults = faults
        self._messages = MessageRoutes(world)
        self._interactions = InteractionRoutes(world)
        self._routers = (
            UserRoutes(world),
            ApplicationRoutes(world),
            GatewayRoutes(gateway),
            GuildRoutes(world),
            ChannelRoutes(world),
            self._messages,
            CommandRoutes(world, registry),
            self._interactions,
        )

    @property
    def interactions(self) -> Interactions:
        """Every interaction that was sent."""
        return self._interactions.interactions

    def forget_nonces(self) -> None:
        """Forget all nonces, as Discord does after a few minutes."""
        self._messages.forget_nonces()

    def routes(self) -> list[web.RouteDef]:
        """Return Discord's paths with their handlers, and a 404 for all others."""
        known = [
            web.route(method, BASE + path, self._served(handler, f"{method} {path}"))
            for router in self._routers
            for method, path, handler in router.routes()
        ]
        return [*known, web.route("*", "/api/{rest:.*}", self._served(self._unknown, "unknown"))]

    def _served(
        self, handler: Handler, route: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        bucket = hashlib.sha256(route.encode()).hexdigest()[:32]

        async def serve(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(BASE)
            headers = {
                name: value
                for name, value in request.headers.items()
                if name.lower() not in SECRET_HEADERS
            }
            query = dict(request.query)
            record = Request(request.method, path, query, headers, self._world.clock.now())
            self.requests.append(record)
            response = await self._answer(request, record, handler, bucket)
            if response is None:
                return cut(request)
            record.status = response.status
            self.answered.fire()
            return response

        return serve

    async def _answer(
        self, request: web.Request, record: Request, handler: Handler, bucket: str
    ) -> web.Response | None:
        files = request.content_type == "multipart/form-data"
        fault = self._faults.take(
            lambda each: each.concerns(record.method, record.path, files=files)
        )
        action = None if fault is None else fault.action
        if isinstance(action, CutReading):
            return None
        try:
            body = await read_body(request, self._world.folder)
            record.json = body.json
            record.files = list(body.files.values())
            record.read = True
            if isinstance(action, CutBefore):
                return None
            if isinstance(action, Answer):
                return as_response(action)
            await wait_out(action)
            reply = self._judge(request, handler, body)
        except DiscordError as error:
            reply = Reply(error.body(), error.status)
        except CLIENT_GONE:
            return None
        return None if isinstance(action, CutAfter) else self._response(reply, bucket)

    def _response(self, reply: Reply, bucket: str) -> web.Response:
        headers = self._limits(bucket)
        if reply.body is None:
            return web.Response(status=reply.status, headers=headers)
        text = dump(reply.body).encode()
        return web.Response(
            body=text, status=reply.status, content_type="application/json", headers=headers
        )

    def _limits(self, bucket: str) -> dict[str, str]:
        """Return the headers of a rate limit that is far from reached."""
        return {
            "X-RateLimit-Limit": "50",
            "X-RateLimit-Remaining": "49",
            "X-RateLimit-Reset": f"{self._world.clock.timestamp() + 1:.3f}",
            "X-RateLimit-Reset-After": "1.000",
            "X-RateLimit-Bucket": bucket,
            "Via": "1.1 google",
        }

    def _judge(self, request: web.Request, handler: Handler, body: Body) -> Reply:
        path = request.path.removeprefix(BASE)
        open_to_all = path == "/gateway" or path.startswith(("/interactions/", "/webhooks/"))
        if not open_to_all and request.headers.get("Authorization") != self._authorization:
            raise UNAUTHORIZED.error()
        return handler(RestCall(request.match_info, request.query, body))

    def _unknown(self, _: RestCall) -> Reply:
        raise NOT_FOUND.error()
