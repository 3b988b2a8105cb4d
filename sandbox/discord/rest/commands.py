"""Application commands (https://discord.com/developers/docs/interactions/application-commands)."""

from sandbox.discord.interactions.commands import Registry
from sandbox.discord.rest.answers import DONE, OTHER_APPLICATION, Reply, RestCall, Route
from sandbox.discord.rest.lookups import guild_of
from sandbox.discord.world import World


class CommandRoutes:
    """The bot's commands, for all servers or for one."""

    def __init__(self, world: World, registry: Registry) -> None:
        self._world = world
        self._registry = registry

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[Route] = []
        for scope in ("/applications/{application}", "/applications/{application}/guilds/{guild}"):
            path = scope + "/commands"
            table += [
                ("GET", path, self._list_commands),
                ("PUT", path, self._replace_commands),
                ("POST", path, self._add_command),
                ("GET", path + "/{command}", self._get_command),
                ("PATCH", path + "/{command}", self._change_command),
                ("DELETE", path + "/{command}", self._remove_command),
            ]
        return table

    def _scope(self, call: RestCall) -> int | None:
        if call.id("application") != self._world.application_id:
            raise OTHER_APPLICATION.error()
        return guild_of(self._world, call).id if "guild" in call.where else None

    def _list_commands(self, call: RestCall) -> Reply:
        scope = self._scope(call)
        localized = call.flag("with_localizations")
        return Reply(self._registry.listed(scope, localized=localized))

    def _replace_commands(self, call: RestCall) -> Reply:
        scope = self._scope(call)
        replaced = self._registry.replace(call.body.items or [], scope)
        self._world.changed.fire()
        return Reply(replaced)

    def _add_command(self, call: RestCall) -> Reply:
        command, new = self._registry.add(call.body.fields, self._scope(call))
        self._world.changed.fire()
        return Reply(command, 201 if new else 200)

    def _get_command(self, call: RestCall) -> Reply:
        return Reply(self._registry.get(call.id("command"), self._scope(call)))

    def _change_command(self, call: RestCall) -> Reply:
        scope = self._scope(call)
        changed = self._registry.change(call.id("command"), call.body.fields, scope)
        self._world.changed.fire()
        return Reply(changed)

    def _remove_command(self, call: RestCall) -> Reply:
        self._registry.remove(call.id("command"), self._scope(call))
        self._world.changed.fire()
        return DONE
