"""Discord's guild resource (https://discord.com/developers/docs/resources/guild)."""

from sandbox.discord.rest.answers import UNKNOWN_MEMBER, UNKNOWN_ROLE, Reply, RestCall, Route
from sandbox.discord.rest.lookups import guild_of
from sandbox.discord.world import World


class GuildRoutes:
    """Servers, with their channels, threads, roles and members."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ("GET", "/guilds/{guild}", self._get_guild),
            ("GET", "/guilds/{guild}/channels", self._list_channels),
            ("GET", "/guilds/{guild}/threads/active", self._list_threads),
            ("GET", "/guilds/{guild}/roles", self._list_roles),
            ("GET", "/guilds/{guild}/roles/{role}", self._get_role),
            ("GET", "/guilds/{guild}/members/{user}", self._get_member),
        ]

    def _get_guild(self, call: RestCall) -> Reply:
        return Reply(guild_of(self._world, call).to_json())

    def _list_channels(self, call: RestCall) -> Reply:
        return Reply([channel.to_json() for channel in guild_of(self._world, call).channels])

    def _list_threads(self, call: RestCall) -> Reply:
        guild = guild_of(self._world, call)
        threads = guild.threads_for(guild.members[self._world.bot.id])
        listed = [thread.to_json() for thread in threads]
        return Reply({"threads": listed, "members": [], "has_more": False})

    def _list_roles(self, call: RestCall) -> Reply:
        return Reply([role.to_json() for role in guild_of(self._world, call).roles.values()])

    def _get_role(self, call: RestCall) -> Reply:
        role = guild_of(self._world, call).roles.get(call.id("role"))
        if role is None:
            raise UNKNOWN_ROLE.error()
        return Reply(role.to_json())

    def _get_member(self, call: RestCall) -> Reply:
        member = guild_of(self._world, call).members.get(call.id("user"))
        if member is None:
            raise UNKNOWN_MEMBER.error()
        return Reply(member.to_json())
