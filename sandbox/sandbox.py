"""The sandbox as a whole: Discord and the edit API on loopback ports, for as long as a `with`."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from aiohttp import web

from sandbox.clock import Clock
from sandbox.discord.cdn import Cdn
from sandbox.discord.gateway import Gateway
from sandbox.discord.gateway_events import GatewayEvents
from sandbox.discord.gateway_sessions import HEARTBEAT_INTERVAL_S
from sandbox.discord.interactions.commands import InvalidInvocation, Registry
from sandbox.discord.interactions.interactions import Acknowledgement, Interaction
from sandbox.discord.interactions.invocation import RawId, Upload
from sandbox.discord.rest.server import BASE, DiscordRest
from sandbox.discord.service import DiscordService
from sandbox.discord.world import World
from sandbox.edit_api.edit_service import EditService
from sandbox.exchanges import Exchanges
from sandbox.faults import Faults
from sandbox.listener import HOST, Listener, refuse_browsers

__all__ = ["Acknowledgement", "Interaction", "InvalidInvocation", "RawId", "Sandbox", "Upload"]


class Sandbox:
    """Discord and the edit API, alive between entering and leaving it as a context manager."""

    def __init__(self, *, heartbeat_seconds: float = HEARTBEAT_INTERVAL_S) -> None:
        self.clock = Clock()
        self.discord_token = f"sandbox.{secrets.token_urlsafe(32)}"
        self.folder = Path(tempfile.gettempdir(), f"sandbox-{secrets.token_hex(8)}")
        self.exchanges = Exchanges(self.clock)
        self.cdn = Cdn(self.clock)
        self.world = World(self.clock, self.cdn, self.folder)
        gateway = Gateway(self.world, self.discord_token, heartbeat_interval_s=heartbeat_seconds)
        GatewayEvents(self.world, gateway)
        self.faults = Faults(gateway)
        registry = Registry(self.world.application_id, self.world.new_id)
        rest = DiscordRest(self.world, gateway, registry, self.discord_token, self.faults.discord)
        self.discord = DiscordService(self.world, gateway, registry, rest)
        self.edit_api = EditService(
            self.clock,
            self.folder,
            self.faults.edit_api,
            self.faults.downloads,
            self.exchanges,
        )
        self._gateway = gateway
        gateway_route = web.get("/", gateway.serve)
        self._discord_server = Listener(
            [gateway_route, *self.cdn.routes(), *rest.routes()],
            middlewares=[refuse_browsers, self.exchanges.of("Discord")],
        )

    @property
    def application_id(self) -> int:
        """The bot's application, and its user."""
        return self.world.application_id

    @property
    def discord_api_url(self) -> str:
        """The base of Discord's REST API."""
        return self._discord_server.origin + BASE

    @property
    def edit_api_url(self) -> str:
        """The edit API's origin."""
        return self.edit_api.origin

    @property
    def edit_api_key(self) -> str:
        """The edit API's key."""
        return self.edit_api.key

    def environment(self) -> dict[str, str]:
        """Return the settings that point a bot here."""
        return {
            "DISCORD_API_URL": self.discord_api_url,
            "DISCORD_TOKEN": self.discord_token,
            "EDIT_API_URL": self.edit_api_url,
            "EDIT_API_KEY": self.edit_api_key,
        }

    async def __aenter__(self) -> Sandbox:
        self.folder.mkdir(mode=0o700)
        await self._discord_server.start()
        await self.edit_api.start_listening()
        self.cdn.origin = self._discord_server.origin
        self._gateway.url = f"ws://{HOST}:{self._discord_server.port}/"
        if not self.world.guilds:
            self.world.add_guild("Sandbox")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.faults.clear()
        self._gateway.drop_all()
        await asyncio.gather(self._discord_server.close(), self.edit_api.close())
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
