"""The gateway's address (https://discord.com/developers/docs/events/gateway)."""

from sandbox.discord.gateway import Gateway
from sandbox.discord.rest.answers import Reply, RestCall, Route

SESSION_STARTS = 1000
SESSION_STARTS_RESET_MS = 86_400_000


class GatewayRoutes:
    """The gateway's address and its session start limit."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [("GET", "/gateway/bot", self._get_gateway_bot)]

    def _get_gateway_bot(self, _: RestCall) -> Reply:
        remaining = max(0, SESSION_STARTS - self._gateway.identified)
        return Reply(
            {
                "url": self._gateway.url,
                "shards": 1,
                "session_start_limit": {
                    "total": SESSION_STARTS,
                    "remaining": remaining,
                    "reset_after": SESSION_STARTS_RESET_MS,
                    "max_concurrency": 1,
                },
            }
        )
