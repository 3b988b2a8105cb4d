"""Discord's REST API, version 10: every request recorded, judged by Discord's rules, answered."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from sandbox.discord import message_rules as messages
from sandbox.discord.forwards import snapshots_of
from sandbox.discord.interactions.forms import DiscordError, Form, Problems
from sandbox.discord.interactions.interactions import CallbackType, Interaction, InteractionType
from sandbox.discord.interactions.invocation import focused_kind
from sandbox.discord.interactions.modals import check_choices, read_modal
from sandbox.discord.message_rules import Payload, Place
from sandbox.discord.messages import Flag, Message, Revision
from sandbox.discord.permissions import Permission
from sandbox.discord.uploads import Body, Received, entity_too_large, read_body
from sandbox.discord.world import FILE_LIMIT
from sandbox.edit_api.results import CLIENT_GONE, as_response, cut
from sandbox.faults import Answer, CutAfter, CutBefore, CutReading, wait_out
from sandbox.signals import Signal
from sandbox.values import JsonObject, as_integer, dump, object_at, snowflake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sandbox.discord.gateway import Gateway
    from sandbox.discord.guilds import Channel, Guild
    from sandbox.discord.interactions.commands import Registry
    from sandbox.discord.world import World
    from sandbox.faults import DiscordFault, FaultList

BASE = "/api/v10"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of Discord's standing refusals."""

    status: int
    code: int
    message: str

    def error(self) -> DiscordError:
        """Return it, ready to be raised."""
        return DiscordError(self.status, self.code, self.message)


UNKNOWN_CHANNEL = Refusal(404, 10003, "Unknown Channel")
UNKNOWN_GUILD = Refusal(404, 10004, "Unknown Guild")
UNKNOWN_MEMBER = Refusal(404, 10007, "Unknown Member")
UNKNOWN_MESSAGE = Refusal(404, 10008, "Unknown Message")
UNKNOWN_ROLE = Refusal(404, 10011, "Unknown Role")
UNKNOWN_USER = Refusal(404, 10013, "Unknown User")
UNKNOWN_WEBHOOK = Refusal(404, 10015, "Unknown Webhook")
UNKNOWN_INTERACTION = Refusal(404, 10062, "Unknown interaction")
ALREADY_ACKNOWLEDGED = Refusal(400, 40060, "Interaction has already been acknowledged.")
UNAUTHORIZED = Refusal(401, 0, "401: Unauthorized")
NOT_FOUND = Refusal(404, 0, "404: Not Found")
MISSING_ACCESS = Refusal(403, 50001, "Missing Access")
MISSING_PERMISSIONS = Refusal(403, 50013, "Missing Permissions")
CANNOT_MESSAGE = Refusal(403, 50007, "Cannot send messages to this user")
NO_MUTUAL_SERVER = Refusal(
    403, 50278, "Cannot send messages to this user due to having no mutual guilds"
)
NOT_ITS_AUTHOR = Refusal(403, 50005, "Cannot edit a message authored by another user")
OTHER_APPLICATION = Refusal(
    403, 20012, "You are not authorized to perform this action on this application"
)
DEAD_TOKEN = Refusal(401, 50027, "Invalid Webhook Token")

REPLY = 19
COMMAND_ANSWER = 20
CONTEXT_COMMAND_ANSWER = 23
SECRET_HEADERS = frozenset({"authorization", "cookie"})


@dataclass(slots=True, eq=False)
class Request:
    """A request that a bot sent: `read` once its body was, with a `status` once it was answered."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: datetime
    json: object = None
    files: Sequence[Received] = ()
    read: bool = False
    status: int | None = None


@dataclass(slots=True)
class RestCall:
    """A request as its handler reads it."""

    where: Mapping[str, str]
    query: Mapping[str, str]
    body: Body

    def id(self, name: str) -> int:
        """Return an id of the path; raises DiscordError where it is none."""
        value = snowflake(self.where[name])
        if value is None:
            problems = Problems()
            words = f'Value "{self.where[name]}" is not snowflake.'
            problems.add((name,), "NUMBER_TYPE_COERCE", words)
            problems.check()
        return value or 0

    def flag(self, name: str) -> bool:
        """Return a yes or no of the query."""
        return self.query.get(name, "").lower() in {"1", "true"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers; no body stands for 204."""

    body: object = None
    status: int = 200


DONE = Reply(status=204)
Handler: TypeAlias = Callable[[RestCall], Reply]


@dataclass(slots=True)
class Interactions:
    """Every interaction that was sent, by id and by token, and by its answer's messages."""

    by_id: dict[int, Interaction] = field(default_factory=dict[int, Interaction])
    by_token: dict[str, Interaction] = field(default_factory=dict[str, Interaction])
    by_message: dict[int, list[Interaction]] = field(default_factory=dict[int, list["Interaction"]])

    def add(self, interaction: Interaction) -> None:
        """Remember an interaction."""
        self.by_id[interaction.id] = interaction
        self.by_token[interaction.token] = interaction

    def bind(self, interaction: Interaction, message: Message) -> None:
        """Remember that an interaction made a message, or was answered by changing it."""
        self.by_message.setdefault(message.id, []).append(interaction)


class DiscordRest:
    """The routes, by Discord's names for what they do."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        registry: Registry,
        token: str,
        faults: FaultList[DiscordFault],
    ) -> None:
        self.requests: list[Request] = []
        self.answered = Signal()
        self.interactions = Interactions()
        self._world = world
        self._gateway = gateway
        self._registry = registry
        self._authorization = f"Bot {token}"
        self._faults = faults
        self._nonces: dict[tuple[int, str], Message] = {}

    def forget_nonces(self) -> None:
        """Let the few minutes be over for which Discord remembers nonces."""
        self._nonces.clear()

    # From the socket to a handler and back.

    def routes(self) -> list[web.RouteDef]:
        """Return Discord's paths with what answers them, and a 404 for all others."""
        commands = "/applications/{application}/commands"
        guild_commands = "/applications/{application}/guilds/{guild}/commands"
        answers = "/webhooks/{application}/{token}/messages/{message}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/users/@me", self._get_me),
            ("PATCH", "/users/@me", self._get_me),
            ("GET", "/users/@me/guilds", self._list_guilds),
            ("POST", "/users/@me/channels", self._open_direct_messages),
            ("GET", "/users/{user}", self._get_user),
            ("GET", "/applications/@me", self._get_application),
            ("PATCH", "/applications/@me", self._get_application),
            ("GET", "/oauth2/applications/@me", self._get_application),
            ("GET", "/gateway", self._get_gateway),
            ("GET", "/gateway/bot", self._get_gateway_bot),
            ("GET", "/guilds/{guild}", self._get_guild),
            ("GET", "/guilds/{guild}/channels", self._list_channels),
            ("GET", "/guilds/{guild}/threads/active", self._list_threads),
            ("GET", "/guilds/{guild}/roles", self._list_roles),
            ("GET", "/guilds/{guild}/roles/{role}", self._get_role),
            ("GET", "/guilds/{guild}/members/{user}", self._get_member),
            ("GET", "/channels/{channel}", self._get_channel),
            ("POST", "/channels/{channel}/typing", self._type),
            ("GET", "/channels/{channel}/messages", self._list_messages),
            ("POST", "/channels/{channel}/messages", self._create_message),
            ("GET", "/channels/{channel}/messages/{message}", self._get_message),
            ("PATCH", "/channels/{channel}/messages/{message}", self._edit_message),
            ("DELETE", "/channels/{channel}/messages/{message}", self._delete_message),
            ("POST", "/interactions/{interaction}/{token}/callback", self._acknowledge),
            ("POST", "/webhooks/{application}/{token}", self._follow_up),
            ("GET", answers, self._get_answer),
            ("PATCH", answers, self._edit_answer),
            ("DELETE", answers, self._delete_answer),
        ]
        for path in (commands, guild_commands):
            table += [
                ("GET", path, self._list_commands),
                ("PUT", path, self._replace_commands),
                ("POST", path, self._add_command),
                ("GET", path + "/{command}", self._get_command),
                ("PATCH", path + "/{command}", self._change_command),
                ("DELETE", path + "/{command}", self._remove_command),
            ]
        known = [
            web.route(method, BASE + path, self._served(handler, f"{method} {path}"))
            for method, path, handler in table
        ]
        return [*known, web.route("*", "/api/{rest:.*}", self._served(self._unknown, "unknown"))]

    def _served(
        self, handler: Handler, route: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        bucket = hashlib.sha256(route.encode()).hexdigest()[:32]

        async def serve(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(BASE)
            headers = {
                name: value
                for name, value in request.headers.items()
                if name.lower() not in SECRET_HEADERS
            }
            query = dict(request.query)
            record = Request(request.method, path, query, headers, self._world.clock.now())
            self.requests.append(record)
            response = await self._answer(request, record, handler, bucket)
            if response is None:
                return cut(request)
            record.status = response.status
            self.answered.fire()
            return response

        return serve

    async def _answer(
        self, request: web.Request, record: Request, handler: Handler, bucket: str
    ) -> web.Response | None:
        files = request.content_type == "multipart/form-data"
        fault = self._faults.take(
            lambda each: each.concerns(record.method, record.path, files=files)
        )
        action = None if fault is None else fault.action
        if isinstance(action, CutReading):
            return None
        try:
            body = await read_body(request, self._world.folder)
            record.json = body.json
            record.files = list(body.files.values())
            record.read = True
            if isinstance(action, CutBefore):
                return None
            if isinstance(action, Answer):
                return as_response(action)
            await wait_out(action)
            reply = self._judge(request, handler, body)
        except DiscordError as error:
            reply = Reply(error.body(), error.status)
        except CLIENT_GONE:
            return None
        return None if isinstance(action, CutAfter) else self._response(reply, bucket)

    def _response(self, reply: Reply, bucket: str) -> web.Response:
        headers = self._limits(bucket)
        if reply.body is None:
            return web.Response(status=reply.status, headers=headers)
        text = dump(reply.body).encode()
        return web.Response(
            body=text, status=reply.status, content_type="application/json", headers=headers
        )

    def _limits(self, bucket: str) -> dict[str, str]:
        """Return what Discord tells of a rate limit that is far away."""
        return {
            "X-RateLimit-Limit": "50",
            "X-RateLimit-Remaining": "49",
            "X-RateLimit-Reset": f"{self._world.clock.timestamp() + 1:.3f}",
            "X-RateLimit-Reset-After": "1.000",
            "X-RateLimit-Bucket": bucket,
            "Via": "1.1 google",
        }

    def _judge(self, request: web.Request, handler: Handler, body: Body) -> Reply:
        path = request.path.removeprefix(BASE)
        open_to_all = path == "/gateway" or path.startswith(("/interactions/", "/webhooks/"))
        if not open_to_all and request.headers.get("Authorization") != self._authorization:
            raise UNAUTHORIZED.error()
        return handler(RestCall(request.match_info, request.query, body))

    def _unknown(self, _: RestCall) -> Reply:
        raise NOT_FOUND.error()

    # The bot itself and where it is.

    def _get_me(self, _: RestCall) -> Reply:
        me = self._world.bot.to_json()
        return Reply(me | {"verified": True, "mfa_enabled": True, "locale": "en-US"})

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

    def _get_gateway(self, _: RestCall) -> Reply:
        return Reply({"url": self._gateway.url})

    def _get_gateway_bot(self, _: RestCall) -> Reply:
        return Reply(self._gateway.described())

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

    def _get_user(self, call: RestCall) -> Reply:
        user = self._world.users.get(call.id("user"))
        if user is None:
            raise UNKNOWN_USER.error()
        return Reply(user.to_json())

    def _guild(self, call: RestCall) -> Guild:
        guild = self._world.guild(call.id("guild"))
        if guild is None or self._world.bot.id not in guild.members:
            raise UNKNOWN_GUILD.error()
        return guild

    def _get_guild(self, call: RestCall) -> Reply:
        return Reply(self._guild(call).to_json())

    def _list_channels(self, call: RestCall) -> Reply:
        return Reply([channel.to_json() for channel in self._guild(call).channels])

    def _list_threads(self, call: RestCall) -> Reply:
        guild = self._guild(call)
        threads = guild.threads_for(guild.members[self._world.bot.id])
        listed = [thread.to_json() for thread in threads]
        return Reply({"threads": listed, "members": [], "has_more": False})

    def _list_roles(self, call: RestCall) -> Reply:
        return Reply([role.to_json() for role in self._guild(call).roles.values()])

    def _get_role(self, call: RestCall) -> Reply:
        role = self._guild(call).roles.get(call.id("role"))
        if role is None:
            raise UNKNOWN_ROLE.error()
        return Reply(role.to_json())

    def _get_member(self, call: RestCall) -> Reply:
        member = self._guild(call).members.get(call.id("user"))
        if member is None:
            raise UNKNOWN_MEMBER.error()
        return Reply(member.to_json())

    def _open_direct_messages(self, call: RestCall) -> Reply:
        form = Form(call.body.fields, Problems())
        wanted = form.snowflake("recipient_id", required=True)
        form.problems.check()
        channel = self._world.direct_messages(wanted or 0)
        if channel is None:
            raise UNKNOWN_USER.error()
        return Reply(channel.to_json())

    # Messages in channels.

    def _channel(self, call: RestCall, *needed: Permission) -> Channel:
        return self._reach(call.id("channel"), *needed)

    def _reach(self, channel_id: int, *needed: Permission) -> Channel:
        channel = self._world.channels.get(channel_id)
        if channel is None:
            raise UNKNOWN_CHANNEL.error()
        allowed = self._world.bot_permissions_in(channel)
        if not allowed & Permission.VIEW_CHANNEL:
            raise MISSING_ACCESS.error()
        for bit in needed:
            if not allowed & (channel.posting if bit is Permission.SEND_MESSAGES else bit):
                raise MISSING_PERMISSIONS.error()
        return channel

    def _message(self, call: RestCall, *needed: Permission) -> Message:
        message = self._world.history(self._channel(call, *needed)).get(call.id("message"))
        if message is None:
            raise UNKNOWN_MESSAGE.error()
        return message

    def _get_channel(self, call: RestCall) -> Reply:
        return Reply(self._channel(call).to_json())

    def _type(self, call: RestCall) -> Reply:
        self._channel(call, Permission.SEND_MESSAGES)
        return DONE

    def _list_messages(self, call: RestCall) -> Reply:
        channel = self._channel(call)
        if not self._world.bot_permissions_in(channel) & Permission.READ_MESSAGE_HISTORY:
            # https://discord.com/developers/docs/resources/message#get-channel-messages
            return Reply([])
        history = self._world.history(channel)
        found = [history[message_id] for message_id in sorted(history, reverse=True)]
        before, after = snowflake(call.query.get("before")), snowflake(call.query.get("after"))
        if before is not None:
            found = [message for message in found if message.id < before]
        if after is not None:
            found = [message for message in found if message.id > after]
        limit = call.query.get("limit", "50")
        most = min(100, int(limit)) if limit.isdecimal() else 50
        shown = found[-most:] if after is not None and before is None else found[:most]
        return Reply([message.to_json() for message in shown])

    def _get_message(self, call: RestCall) -> Reply:
        return Reply(self._message(call, Permission.READ_MESSAGE_HISTORY).to_json())

    def _create_message(self, call: RestCall) -> Reply:
        form = Form(call.body.fields, Problems())
        channel = self._channel(call, *_needed(form, files=bool(call.body.files)))
        if channel.recipient is not None:
            self._check_recipient(channel.recipient.id)
        nonce = form.string("nonce", longest=25)
        enforced = form.boolean("enforce_nonce")
        replied, forwarded = self._references(form, channel)
        form.problems.check()
        if nonce and enforced and (channel.id, nonce) in self._nonces:
            return Reply(self._nonces[(channel.id, nonce)].as_created())
        place = _place(channel)
        if forwarded is not None:
            snapshots = snapshots_of(forwarded.to_json()) or ()
            place = replace(place, snapshots=snapshots, flags=Flag.HAS_SNAPSHOT)
        revision = self._compose(call.body, place, FILE_LIMIT)
        message = Message(
            self._world.new_id(),
            channel,
            self._world.bot,
            [revision],
            pinged=revision.mentions,
            nonce=nonce,
            kind=0 if replied is None else REPLY,
            refers_to=replied,
            forwards=forwarded,
        )
        if nonce:
            self._nonces[(channel.id, nonce)] = message
        self._world.created(message)
        return Reply(message.as_created())

    def _check_recipient(self, user_id: int) -> None:
        if user_id in self._world.closed_to_bot:
            raise CANNOT_MESSAGE.error()
        if not self._world.shares_server_with_bot(user_id):
            raise NO_MUTUAL_SERVER.error()

    def _references(self, form: Form, channel: Channel) -> tuple[Message | None, Message | None]:
        """Return the message that a new one replies to, and the one that it forwards."""
        reference = form.object("message_reference")
        if reference is None:
            return None, None
        forward = reference.choice("type", of={0, 1}) == 1
        where = reference.snowflake("channel_id", required=forward)
        wanted = reference.snowflake("message_id", required=True)
        lenient = reference.boolean("fail_if_not_exists") is False
        form.problems.check()
        if forward:
            channel = self._reach(where or 0, Permission.READ_MESSAGE_HISTORY)
        found = self._world.history(channel).get(wanted or 0)
        if found is None and (forward or not lenient):
            form.wrong("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        if not forward:
            return found, None
        if found is not None and snapshots_of(found.to_json()) is None:
            words = "This message cannot be forwarded"
            form.wrong("message_reference", "MESSAGE_CANNOT_BE_FORWARDED", words)
        return None, found

    def _edit_message(self, call: RestCall) -> Reply:
        message = self._message(call, *([Permission.ATTACH_FILES] if call.body.files else []))
        if message.author.id != self._world.bot.id:
            raise NOT_ITS_AUTHOR.error()
        self._edit(message, call.body, FILE_LIMIT)
        return Reply(message.to_json())

    def _delete_message(self, call: RestCall) -> Reply:
        message = self._message(call)
        if message.author.id != self._world.bot.id:
            self._message(call, Permission.MANAGE_MESSAGES)
        self._world.deleted(message)
        return DONE

    def _compose(
        self,
        body: Body,
        place: Place,
        limit: int,
        old: Message | None = None,
        *,
        within: str | None = None,
    ) -> Revision:
        if any(file.size > limit for file in body.files.values()):
            raise entity_too_large()
        fields = body.fields if within is None else object_at(body.fields, within)
        path = () if within is None else (within,)
        return messages.compose(self._world, Payload(fields, body.files, path), place, old)

    def _edit(self, message: Message, body: Body, limit: int, within: str | None = None) -> None:
        place = _place(message.channel, message.flags & Flag.EPHEMERAL)
        self._world.edited(message, self._compose(body, place, limit, message, within=within))

    # Commands.

    def _scope(self, call: RestCall) -> int | None:
        if call.id("application") != self._world.application_id:
            raise OTHER_APPLICATION.error()
        return self._guild(call).id if "guild" in call.where else None

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

    # Interactions: the first answer, and what follows it.

    def _acknowledge(self, call: RestCall) -> Reply:
        interaction = self.interactions.by_id.get(call.id("interaction"))
        if interaction is None or interaction.token != call.where["token"]:
            raise UNKNOWN_INTERACTION.error()
        if interaction.acknowledgement is not None:
            raise ALREADY_ACKNOWLEDGED.error()
        if interaction.late:
            raise UNKNOWN_INTERACTION.error()
        form = Form(call.body.fields, Problems())
        kind = form.choice("type", of=_ways(interaction), required=True)
        form.problems.check()
        data = object_at(call.body.fields, "data")
        if kind == CallbackType.MODAL:
            data = read_modal(data)
        message = self._first_answer(interaction, CallbackType(kind or 0), call.body, data)
        if message is not None and message is interaction.source:
            self.interactions.bind(interaction, message)
        flags = 0 if message is None else message.flags
        interaction.acknowledge(kind or 0, flags, message, data)
        if not call.flag("with_response"):
            return DONE
        return Reply(_callback_response(interaction, kind or 0, message))

    def _first_answer(
        self, interaction: Interaction, kind: CallbackType, body: Body, data: JsonObject
    ) -> Message | None:
        match kind:
            case CallbackType.MESSAGE | CallbackType.DEFERRED_MESSAGE:
                return self._post_answer(interaction, body, data, kind)
            case CallbackType.UPDATE if interaction.source is not None:
                self._edit(interaction.source, body, interaction.attachment_size_limit, "data")
                return interaction.source
            case CallbackType.DEFERRED_UPDATE:
                return interaction.source
            case CallbackType.CHOICES:
                check_choices(data, focused_kind(interaction.payload))
            case _:
                pass
        return None

    def _post_answer(
        self, interaction: Interaction, body: Body, data: JsonObject, kind: CallbackType
    ) -> Message:
        channel = interaction.channel
        asked = as_integer(data.get("flags")) or 0
        place = Place(f"attachments/{channel.id}", asked & Flag.EPHEMERAL)
        if kind is CallbackType.DEFERRED_MESSAGE:
            now = self._world.clock.now()
            revision = Revision(now, "", (), (), (), place.flags | Flag.LOADING)
        else:
            limit = interaction.attachment_size_limit
            revision = self._compose(body, place, limit, within="data")
        message = self._new_answer(interaction, revision)
        self._world.created(message)
        return message

    def _new_answer(self, interaction: Interaction, revision: Revision) -> Message:
        command = interaction.type is InteractionType.COMMAND
        chat = object_at(interaction.payload, "data").get("type") == 1
        kind = (COMMAND_ANSWER if chat else CONTEXT_COMMAND_ANSWER) if command else REPLY
        message = Message(
            self._world.new_id(),
            interaction.channel,
            self._world.bot,
            [revision],
            pinged=revision.mentions,
            kind=kind,
            application_id=self._world.application_id,
            interaction_metadata=interaction.metadata(),
            refers_to=interaction.about,
        )
        self.interactions.bind(interaction, message)
        return message

    def _interaction(self, call: RestCall) -> Interaction:
        interaction = self.interactions.by_token.get(call.where["token"])
        if interaction is None or call.id("application") != self._world.application_id:
            raise UNKNOWN_WEBHOOK.error()
        if interaction.expired:
            raise DEAD_TOKEN.error()
        if interaction.acknowledgement is None:
            raise UNKNOWN_WEBHOOK.error()
        return interaction

    def _answer_of(self, call: RestCall) -> tuple[Interaction, Message]:
        interaction = self._interaction(call)
        if interaction.channel.id not in self._world.channels:
            raise UNKNOWN_CHANNEL.error()
        wanted = call.where["message"]
        mine = [interaction.message, *interaction.followups]
        message = mine[0]
        if wanted != "@original":
            known = (each for each in mine if each is not None and str(each.id) == wanted)
            message = next(known, None)
        if message is None or message.deleted:
            raise UNKNOWN_MESSAGE.error()
        return interaction, message

    def _get_answer(self, call: RestCall) -> Reply:
        return Reply(self._answer_of(call)[1].to_json())

    def _edit_answer(self, call: RestCall) -> Reply:
        interaction, message = self._answer_of(call)
        self._edit(message, call.body, interaction.attachment_size_limit)
        interaction.changed.fire()
        return Reply(message.to_json())

    def _delete_answer(self, call: RestCall) -> Reply:
        interaction, message = self._answer_of(call)
        self._world.deleted(message)
        interaction.changed.fire()
        return DONE

    def _follow_up(self, call: RestCall) -> Reply:
        interaction = self._interaction(call)
        first = interaction.message
        if first is not None and first.loading and not first.deleted:
            self._edit(first, call.body, interaction.attachment_size_limit)
            interaction.changed.fire()
            return Reply(first.to_json())
        asked = as_integer(call.body.fields.get("flags")) or 0
        folder = f"attachments/{interaction.channel.id}"
        place = Place(folder, asked & Flag.EPHEMERAL)
        revision = self._compose(call.body, place, interaction.attachment_size_limit)
        message = self._new_answer(interaction, revision)
        message.kind = REPLY
        if first is not None:
            message.refers_to = first
            told: JsonObject = {"original_response_message_id": str(first.id)}
            message.interaction_metadata = interaction.metadata() | told
        interaction.followups.append(message)
        self._world.created(message)
        interaction.changed.fire()
        return Reply(message.to_json())


def _needed(form: Form, *, files: bool) -> list[Permission]:
    """Return what a bot needs to post a message."""
    given = {
        Permission.SEND_MESSAGES: True,
        Permission.ATTACH_FILES: files,
        Permission.SEND_TTS_MESSAGES: form.fields.get("tts") is True,
    }
    return [permission for permission, used in given.items() if used]


def _place(channel: Channel, flags: int = 0) -> Place:
    return Place(f"attachments/{channel.id}", flags)


def _ways(interaction: Interaction) -> set[int]:
    """Return how an interaction of its type may be answered first."""
    deferred = {CallbackType.MESSAGE, CallbackType.DEFERRED_MESSAGE}
    update = {CallbackType.DEFERRED_UPDATE, CallbackType.UPDATE}
    match interaction.type:
        case InteractionType.COMMAND:
            return {*deferred, CallbackType.MODAL}
        case InteractionType.COMPONENT:
            return {*deferred, *update, CallbackType.MODAL}
        case InteractionType.MODAL:
            return {*deferred, *(update if interaction.source is not None else ())}
        case InteractionType.AUTOCOMPLETE:
            return {CallbackType.CHOICES}


def _callback_response(interaction: Interaction, kind: int, message: Message | None) -> JsonObject:
    told: JsonObject = {
        "id": str(interaction.id),
        "type": interaction.type,
        "activity_instance_id": None,
        "channel_id": str(interaction.channel.id),
    }
    body: JsonObject = {"interaction": told}
    if message is not None:
        told["response_message_id"] = str(message.id)
        told["response_message_loading"] = message.loading
        told["response_message_ephemeral"] = message.ephemeral
        body["resource"] = {"type": kind, "message": message.to_json()}
    return body
