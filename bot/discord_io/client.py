"""The discord.py client: connects to the gateway, and registers commands that have changed."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Self, cast

import aiohttp
import discord
import discord.client
import structlog
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

RESUME_TIMEOUT_S = 20.0
"""For resuming a session, out of the 60 that discord.py allows for each connection."""

SILENCE_S = 60.0
"""How long the gateway may send nothing before the connection is closed and the session resumed.

Discord asks for a heartbeat about every 41 seconds, and acknowledges each one.

https://docs.discord.com/developers/events/gateway#heartbeat-interval-example-heartbeat-ack
"""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DiscordClient(commands.Bot):
    """Receives interactions over the gateway, and passes them to the cogs.

    It requests no privileged intent, and keeps no members or messages in memory.
    """

    def __init__(
        self,
        *,
        api_url: yarl.URL,
        connector: aiohttp.TCPConnector,
        cogs: Sequence[commands.Cog],
        menus: Sequence[app_commands.ContextMenu],
        admits: Callable[[discord.Interaction[Any]], Awaitable[bool]],
        answer_failure: Callable[[discord.Interaction[Any], Exception], Coroutine[Any, Any, None]],
    ) -> None:
        # discord.py has no parameters for these.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        Route.BASE = str(api_url)
        discord.client.__dict__["DiscordWebSocket"] = GatewayFromRest
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            heartbeat_timeout=SILENCE_S,
            allowed_mentions=discord.AllowedMentions.none(),
            connector=connector,
            tree_cls=GuardedTree,
        )
        cast("GuardedTree", self.tree).admits = admits
        self.ws = cast("DiscordWebSocket", _NoSession())
        self.tree.error(answer_failure)
        self._own_cogs = cogs
        self._menus = menus

    async def setup_hook(self) -> None:
        """Register the commands once Discord has accepted the token."""
        for cog in self._own_cogs:
            await self.add_cog(cog)
        for menu in self._menus:
            self.tree.add_command(menu)
        local = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        registered = await self.http.get_global_commands(self.application_id or 0)
        if _describe_all(local) != _describe_all(cast("list[Mapping[str, Any]]", registered)):
            await self.tree.sync()
            log.info("commands.synchronised", commands=len(local))

    async def on_connect(self) -> None:
        """Log that the bot receives commands."""
        log.info("bot.ready")


class GuardedTree(app_commands.CommandTree["DiscordClient"]):
    """A command tree that checks each interaction first."""

    admits: Callable[[discord.Interaction[Any]], Awaitable[bool]]

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Return whether to run the command. If not, `admits` has responded to it."""
        return await self.admits(interaction)


class GatewayFromRest(DiscordWebSocket):
    """A gateway connection that starts each new session at the address from `GET /gateway/bot`.

    discord.py 2.7 uses a fixed address when it doesn't resume, and keeps using the address of the
    last session that it resumed. It retries forever if that session's gateway is gone.
    """

    @classmethod
    async def from_client(
        cls,
        client: discord.Client,
        *,
        initial: bool = False,
        gateway: yarl.URL | None = None,
        shard_id: int | None = None,
        session: str | None = None,
        sequence: int | None = None,
        resume: bool = False,
        encoding: str = "json",
        compress: bool = True,
    ) -> Self:
        """Resume a session, or start a new one if that fails."""

        async def connect(gateway: yarl.URL, *, resume: bool) -> Self:
            connected = await super(GatewayFromRest, cls).from_client(
                client,
                initial=initial,
                gateway=gateway,
                shard_id=shard_id,
                session=session if resume else None,
                sequence=sequence if resume else None,
                resume=resume,
                encoding=encoding,
                compress=compress,
            )
            connected.fill_interactions()
            return connected

        if resume and gateway is not None and session is not None:
            try:
                async with asyncio.timeout(RESUME_TIMEOUT_S):
                    return await connect(gateway, resume=True)
            except (aiohttp.ClientError, OSError, TimeoutError):
                log.warning("gateway.gone")
        _, address, _ = await client.http.get_bot_gateway()
        return await connect(yarl.URL(address), resume=False)

    def fill_interactions(self) -> None:
        """Make discord.py accept interactions with only the fields that Discord guarantees."""
        parse = self._discord_parsers["INTERACTION_CREATE"]

        def fill_and_parse(data: dict[str, Any]) -> None:
            fill_in(data)
            parse(data)

        self._discord_parsers = {**self._discord_parsers, "INTERACTION_CREATE": fill_and_parse}

    async def received_message(self, msg: str | bytes, /) -> None:
        """Handle a payload, and skip one that discord.py can't read instead of disconnecting.

        Broken compression can't be skipped, since all later payloads depend on it: reconnect.
        """
        try:
            await super().received_message(msg)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            log.exception("gateway.unreadable")
        except zlib.error:
            log.exception("gateway.unreadable")
            # discord.py resumes a session whose connection is closed.
            await self.close()


def fill_in(interaction: dict[str, Any]) -> None:
    """Add fields to an interaction that discord.py requires and Discord doesn't guarantee.

    Threads are partial, the interaction's own channel may have only an id, and forwarded messages
    are partial too.
    https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
    """
    if not interaction.get("channel") and interaction.get("channel_id"):
        interaction["channel"] = {"id": interaction["channel_id"]}
    data: dict[str, Any] = interaction.get("data") or {}
    resolved: dict[str, Any] = data.get("resolved") or {}
    channels: dict[str, dict[str, Any]] = resolved.get("channels") or {}
    own_channel: dict[str, Any] = interaction.get("channel") or {}
    for channel in (own_channel, *channels.values()):
        if channel.get("type") in _THREADS:
            channel.update(_THREAD_DEFAULTS | channel)
    if "type" in own_channel:
        own_channel.update(_CHANNEL_DEFAULTS | own_channel)
    own_message: dict[str, Any] = interaction.get("message") or {}
    messages: dict[str, dict[str, Any]] = resolved.get("messages") or {}
    for message in (own_message, *messages.values()):
        _fill_message(message)


def _fill_message(message: dict[str, Any]) -> None:
    if message:
        message.update(_MESSAGE_DEFAULTS | message)
    snapshots: list[dict[str, Any]] = message.get("message_snapshots") or []
    for snapshot in snapshots:
        forwarded: dict[str, Any] = snapshot.get("message") or {}
        snapshot["message"] = _FORWARDED_DEFAULTS | forwarded


_THREADS = frozenset(
    {
        discord.ChannelType.news_thread.value,
        discord.ChannelType.public_thread.value,
        discord.ChannelType.private_thread.value,
    }
)

_THREAD_DEFAULTS: dict[str, Any] = {"owner_id": "0", "member_count": 0, "message_count": 0}

_CHANNEL_DEFAULTS: dict[str, Any] = {"name": "", "position": 0}

_MESSAGE_DEFAULTS: dict[str, Any] = {"type": 0, "content": "", "components": ()}

_FORWARDED_DEFAULTS: dict[str, Any] = {
    **_MESSAGE_DEFAULTS,
    "attachments": (),
    "embeds": (),
    "timestamp": None,
    "edited_timestamp": None,
}


@dataclass(slots=True)
class _NoSession:
    """A placeholder for the session: discord.py reads these if the first connection fails."""

    sequence: int | None = None
    session_id: str | None = None
    gateway: yarl.URL | None = None
    open: bool = False
    latency: float = nan


def _describe_all(payloads: Iterable[Mapping[str, Any]]) -> dict[tuple[int, str], Any]:
    """Describe commands by type and name, so that Discord's defaults make no difference."""
    return {
        (payload.get("type") or _SLASH_COMMAND, payload["name"]): _describe(payload)
        for payload in payloads
    }


def _describe(command: Mapping[str, Any]) -> Mapping[str, Any]:
    permissions = command.get("default_member_permissions")
    return {
        **_describe_name(command),
        "nsfw": bool(command.get("nsfw")),
        "permissions": None if permissions is None else int(permissions),
        "contexts": _sorted_or_none(command.get("contexts")),
        "installs": _sorted_or_none(command.get("integration_types")),
    }


def _describe_name(command: Mapping[str, Any]) -> Mapping[str, Any]:
    """Describe what commands and options have in common: an option may have options too."""
    return {
        "name": command["name"],
        "description": command.get("description") or "",
        "names": command.get("name_localizations") or {},
        "descriptions": command.get("description_localizations") or {},
        "options": [_describe_option(option) for option in command.get("options") or ()],
    }


def _describe_option(option: Mapping[str, Any]) -> Mapping[str, Any]:
    limits = ("min_value", "max_value", "min_length", "max_length")
    return {
        **_describe_name(option),
        "type": option["type"],
        "required": bool(option.get("required")),
        "autocomplete": bool(option.get("autocomplete")),
        "channels": _sorted_or_none(option.get("channel_types")),
        "limits": [option.get(limit) for limit in limits],
        "choices": [
            (choice["name"], choice["value"], choice.get("name_localizations") or {})
            for choice in option.get("choices") or ()
        ],
    }


def _sorted_or_none(values: Sequence[int] | None) -> list[int] | None:
    return sorted(values) if values else None


_SLASH_COMMAND = 1
