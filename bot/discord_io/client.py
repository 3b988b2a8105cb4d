"""The discord.py client: finds its gateway, keeps its commands in step, answers what breaks."""

import asyncio
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

RESUME_WITHIN = 20.0
"""Seconds for resuming a session, of the 60 that discord.py gives to each connection."""

SILENCE = 60.0
"""Seconds without a word from the gateway, not even to heartbeats, after which it is left and the
session resumed. Discord asks for a heartbeat every 41 seconds, and answers each.

https://docs.discord.com/developers/events/gateway#heartbeat-interval-example-heartbeat-ack
"""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DiscordClient(commands.Bot):
    """Receives commands by the gateway and hands them to its cogs.

    It asks for no privileged intent and keeps no members or messages in memory.
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
            heartbeat_timeout=SILENCE,
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
        """Register the commands, once the token is known to be good."""
        for cog in self._own_cogs:
            await self.add_cog(cog)
        for menu in self._menus:
            self.tree.add_command(menu)
        ours = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        theirs = await self.http.get_global_commands(self.application_id or 0)
        if _describe_all(ours) != _describe_all(cast("list[Mapping[str, Any]]", theirs)):
            await self.tree.sync()
            log.info("commands.synchronised", commands=len(ours))

    async def on_connect(self) -> None:
        """Say that commands arrive from now on."""
        log.info("bot.ready")


class GuardedTree(app_commands.CommandTree["DiscordClient"]):
    """Commands that are looked at before they are run."""

    admits: Callable[[discord.Interaction[Any]], Awaitable[bool]]

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Whether the command is run; if not, it was answered."""
        return await self.admits(interaction)


class GatewayFromRest(DiscordWebSocket):
    """A gateway whose every new session begins where `GET /gateway/bot` says.

    discord.py 2.7 goes to a fixed address whenever it does not resume, to the address of the last
    session that it resumed ever after, and tries to resume one whose gateway is gone for ever.
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
        """Connect to a session that is resumed, or to a new one where that cannot be."""

        async def begin(gateway: yarl.URL, *, resume: bool) -> Self:
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
            connected.fill_interactions_in()
            return connected

        if resume and gateway is not None and session is not None:
            try:
                async with asyncio.timeout(RESUME_WITHIN):
                    return await begin(gateway, resume=True)
            except (aiohttp.ClientError, OSError, TimeoutError):
                log.warning("gateway.gone")
        _, address, _ = await client.http.get_bot_gateway()
        return await begin(yarl.URL(address), resume=False)

    def fill_interactions_in(self) -> None:
        """Read interactions that have no more than Discord promises."""
        read = self._discord_parsers["INTERACTION_CREATE"]

        def read_filled_in(data: dict[str, Any]) -> None:
            fill_in(data)
            read(data)

        self._discord_parsers = {**self._discord_parsers, "INTERACTION_CREATE": read_filled_in}

    async def received_message(self, msg: str | bytes, /) -> None:
        """Take a payload in; one that discord.py cannot read is passed over, and ends nothing."""
        try:
            await super().received_message(msg)
        except (LookupError, TypeError, ValueError, AttributeError):
            log.exception("gateway.unreadable")


def fill_in(interaction: dict[str, Any]) -> None:
    """Give an interaction what discord.py demands of it and Discord does not promise.

    Of a thread there is its id, name, type, permissions, parent and metadata alone, and of the
    channel in which it was used perhaps no more than the id. Of a message that was forwarded there
    is a part.
    https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
    """
    if not interaction.get("channel") and interaction.get("channel_id"):
        interaction["channel"] = {"id": interaction["channel_id"]}
    data: dict[str, Any] = interaction.get("data") or {}
    resolved: dict[str, Any] = data.get("resolved") or {}
    named: dict[str, dict[str, Any]] = resolved.get("channels") or {}
    used_in: dict[str, Any] = interaction.get("channel") or {}
    for channel in (used_in, *named.values()):
        if channel.get("type") in _THREADS:
            channel.update(_THREAD_AT_LEAST | channel)
    if "type" in used_in:
        used_in.update(_CHANNEL_AT_LEAST | used_in)
    pressed_under: dict[str, Any] = interaction.get("message") or {}
    messages: dict[str, dict[str, Any]] = resolved.get("messages") or {}
    for message in (pressed_under, *messages.values()):
        _fill_message_in(message)


def _fill_message_in(message: dict[str, Any]) -> None:
    if message:
        message.update(_MESSAGE_AT_LEAST | message)
    snapshots: list[dict[str, Any]] = message.get("message_snapshots") or []
    for snapshot in snapshots:
        forwarded: dict[str, Any] = snapshot.get("message") or {}
        snapshot["message"] = _FORWARDED_AT_LEAST | forwarded


_THREADS = frozenset(
    kind.value
    for kind in (
        discord.ChannelType.news_thread,
        discord.ChannelType.public_thread,
        discord.ChannelType.private_thread,
    )
)

_THREAD_AT_LEAST: dict[str, Any] = {"owner_id": "0", "member_count": 0, "message_count": 0}

_CHANNEL_AT_LEAST: dict[str, Any] = {"name": "", "position": 0}

_MESSAGE_AT_LEAST: dict[str, Any] = {"type": 0, "content": "", "components": ()}

_FORWARDED_AT_LEAST: dict[str, Any] = {
    **_MESSAGE_AT_LEAST,
    "attachments": (),
    "embeds": (),
    "timestamp": None,
    "edited_timestamp": None,
}


@dataclass(slots=True)
class _NoSession:
    """Stands where the session will be: discord.py reads these after a first failed connection."""

    sequence: int | None = None
    session_id: str | None = None
    gateway: yarl.URL | None = None
    open: bool = False
    latency: float = nan


def _describe_all(payloads: Iterable[Mapping[str, Any]]) -> dict[tuple[int, str], Any]:
    """Commands by kind and name, in a form in which Discord's defaults make no difference."""
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
    """What a command and an option, which may have options itself, have in common."""
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
