"""Discord's user resource (https://discord.com/developers/docs/resources/user)."""

from sandbox.discord.interactions.forms import Form, Problems
from sandbox.discord.rest.answers import UNKNOWN_USER, Reply, RestCall, Route
from sandbox.discord.world import World


class UserRoutes:
    """The bot's own user, its servers and direct messages, and other users."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ("GET", "/users/@me", self._get_me),
            ("PATCH", "/users/@me", self._get_me),
            ("GET", "/users/@me/guilds", self._list_guilds),
            ("POST", "/users/@me/channels", self._open_direct_messages),
            ("GET", "/users/{user}", self._get_user),
        ]

    def _get_me(self, _: RestCall) -> Reply:
        me = self._world.bot.to_json()
        return Reply(me | {"verified": True, "mfa_enabled": True, "locale": "en-US"})

    def _list_guilds(self, _: RestCall) -> Reply:
        mine = [guild for guild in self._world.guilds if self._world.bot.id in guild.members]
        kept = ("id", "name", "icon", "banner", "features")
        return Reply(
            [
                {key: value for key, value in guild.to_json().items() if key in kept}
                | {
                    "owner": False,
                    "permissions": str(guild.permissions_of(guild.members[self._world.bot.id])),
                }
                for guild in mine
            ]
        )

    def _open_direct_messages(self, call: RestCall) -> Reply:
        form = Form(call.body.fields, Problems())
        wanted = form.snowflake("recipient_id", required=True)
        form.problems.check()
        channel = self._world.direct_messages(wanted or 0)
        if channel is None:
            raise UNKNOWN_USER.error()
        return Reply(channel.to_json())

    def _get_user(self, call: RestCall) -> Reply:
        user = self._world.users.get(call.id("user"))
        if user is None:
            raise UNKNOWN_USER.error()
        return Reply(user.to_json())
