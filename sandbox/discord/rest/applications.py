"""Discord's application resource (https://discord.com/developers/docs/resources/application)."""

from sandbox.discord.rest.answers import Reply, RestCall, Route
from sandbox.discord.world import World


class ApplicationRoutes:
    """The bot's application."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ("GET", "/applications/@me", self._get_application),
            ("PATCH", "/applications/@me", self._get_application),
            ("GET", "/oauth2/applications/@me", self._get_application),
        ]

    def _get_application(self, _: RestCall) -> Reply:
        world = self._world
        owner = world.guilds[0].members[world.guilds[0].owner_id].user
        return Reply(
            {
                "id": str(world.application_id),
                "name": world.bot.name,
                "icon": None,
                "description": "",
                "type": None,
                "bot": world.bot.to_json(),
                "bot_public": True,
                "bot_require_code_grant": False,
                "verify_key": f"{world.application_id:064x}",
                "flags": 0,
                "flags_new": "0",
                "hook": True,
                "redirect_uris": [],
                "interactions_endpoint_url": None,
                "role_connections_verification_url": None,
                "owner": owner.to_json(),
                "approximate_guild_count": len(world.guilds),
                "approximate_user_install_count": 0,
                "approximate_user_authorization_count": 0,
                "explicit_content_filter": 0,
                "team": None,
                "integration_types_config": {"0": {}},
                "event_webhooks_url": None,
                "event_webhooks_status": 1,
                "eligible_oauth2_scopes": ["bot", "applications.commands"],
            }
        )
