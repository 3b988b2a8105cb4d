"""The gateway's address (https://discord.com/developers/docs/events/gateway)."""

from sandbox.discord.gateway import Gateway
from sandbox.discord.rest.answers import Reply, RestCall, Route


class GatewayRoutes:
    """The gateway's address, and how many shards it takes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ("GET", "/gateway", self._get_gateway),
            ("GET", "/gateway/bot", self._get_gateway_bot),
        ]

    def _get_gateway(self, _: RestCall) -> Reply:
        return Reply({"url": self._gateway.url})

    def _get_gateway_bot(self, _: RestCall) -> Reply:
        return Reply(self._gateway.described())
