"""Discord's channel resource (https://discord.com/developers/docs/resources/channel)."""

from sandbox.discord.permissions import Permission
from sandbox.discord.rest.answers import DONE, Reply, RestCall, Route
from sandbox.discord.rest.lookups import channel_of
from sandbox.discord.world import World


class ChannelRoutes:
    """Channels, and typing in them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ("GET", "/channels/{channel}", self._get_channel),
            ("POST", "/channels/{channel}/typing", self._type),
        ]

    def _get_channel(self, call: RestCall) -> Reply:
        return Reply(channel_of(self._world, call).to_json())

    def _type(self, call: RestCall) -> Reply:
        channel_of(self._world, call, Permission.SEND_MESSAGES)
        return DONE
