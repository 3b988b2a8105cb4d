"""Discord's gateway: identify, resume, heartbeat and dispatch."""

import asyncio
import secrets
from collections.abc import Iterator

from aiohttp import WSMsgType, web

from sandbox.discord.gateway_sessions import (
    HEARTBEAT_INTERVAL_S,
    KNOWN_INTENTS,
    MAX_PAYLOAD_BYTES,
    PRIVILEGED,
    RESUME_WITHIN_S,
    VERSION,
    Close,
    Connection,
    GatewayError,
    Intent,
    Op,
    Session,
)
from sandbox.discord.guilds import Guild
from sandbox.discord.world import World
from sandbox.values import (
    JsonObject,
    as_array,
    as_integer,
    as_object,
    dump,
    integer_at,
    parse,
    text_at,
)


class Gateway:
    """The sessions, the endpoint that clients connect to, and its faults."""

    def __init__(
        self, world: World, token: str, *, heartbeat_interval_s: float = HEARTBEAT_INTERVAL_S
    ) -> None:
        self.url = ""
        self.resume_url: str | None = None
        """The address that sessions resume at, if it isn't `url`."""
        self.privileged_intents = 0
        self.sessions: list[Session] = []
        self.identified = 0
        self.resumed = 0
        self.refuse_resumes = 0
        self.acknowledge_heartbeats = True
        self._world = world
        self._token = token
        self._heartbeat_interval_s = heartbeat_interval_s
        self._connections: set[Connection] = set()

    @property
    def connected(self) -> list[Session]:
        """The sessions that are connected now."""
        return [session for session in self.sessions if session.connection is not None]

    def dispatch(
        self,
        event: str,
        data: JsonObject,
        *,
        guild_id: int | None,
        intent: int = 0,
        concealed: JsonObject | None = None,
    ) -> None:
        """Send an event to each session that asked for it.

        Sessions without the MESSAGE_CONTENT intent get `concealed` instead, if it is given.
        """
        texts: dict[bool, str] = {}
        for session in self._resumable_sessions():
            if session.sees(guild_id) and (not intent or session.intents & intent):
                readable = concealed is None or bool(session.intents & Intent.MESSAGE_CONTENT)
                if readable not in texts:
                    texts[readable] = dump(data if concealed is None or readable else concealed)
                session.dispatch(event, texts[readable])

    def wants(self, intent: int) -> bool:
        """Return whether any session asked for an intent."""
        return any(session.intents & intent for session in self.sessions)

    def _resumable_sessions(self) -> Iterator[Session]:
        earliest = self._world.clock.seconds() - RESUME_WITHIN_S
        for session in list(self.sessions):
            if session.connection is None and session.left_at < earliest:
                self.sessions.remove(session)
            else:
                yield session

    async def close_all(self, code: int) -> None:
        """Close every connection with a close code."""
        for connection in list(self._connections):
            await connection.close(code)

    def drop_all(self) -> None:
        """Abort every TCP connection without a close frame."""
        for connection in list(self._connections):
            connection.drop()

    async def invalidate_all(self, *, resumable: bool) -> None:
        """Send INVALID_SESSION on every connection."""
        for session in self.connected:
            if session.connection is not None:
                session.connection.send(_payload(Op.INVALID_SESSION, resumable))
            if not resumable:
                self.sessions.remove(session)

    async def reconnect_all(self) -> None:
        """Ask every connection to reconnect and resume."""
        for connection in list(self._connections):
            connection.send(_payload(Op.RECONNECT, None))

    def silence_all(self) -> None:
        """Send nothing more on any connection, as if the peer had vanished."""
        for connection in self._connections:
            connection.silent = True

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until its connection ends."""
        connection = Connection(request, heartbeat_interval_s=self._heartbeat_interval_s)
        await connection.socket.prepare(request)
        self._connections.add(connection)
        writing = asyncio.create_task(connection.write())
        try:
            await self._converse(connection, request.query.get("v", "10"))
        except GatewayError as error:
            await connection.close(error.code)
        finally:
            writing.cancel()
            connection.cancel_deadline()
            self._connections.discard(connection)
            self._leave(connection)
        return connection.socket

    def _leave(self, connection: Connection) -> None:
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            session.left_at = self._world.clock.seconds()
            self._world.changed.fire()

    async def _converse(self, connection: Connection, version: str) -> None:
        if version != str(VERSION):
            raise GatewayError(Close.INVALID_VERSION)
        interval = int(self._heartbeat_interval_s * 1000)
        connection.send(_payload(Op.HELLO, {"heartbeat_interval": interval}))
        connection.expect_heartbeat()
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                break
            connection.count_event(self._world.clock.seconds())
            raw: str | bytes = message.data
            self._receive(connection, _read(raw))

    def _receive(self, connection: Connection, payload: JsonObject) -> None:
        op, data = as_integer(payload.get("op")), payload.get("d")
        match op:
            case Op.HEARTBEAT:
                connection.expect_heartbeat()
                if self.acknowledge_heartbeats:
                    connection.send(_payload(Op.HEARTBEAT_ACK))
            case Op.IDENTIFY:
                self._identify(connection, as_object(data) or {})
            case Op.RESUME:
                self._resume(connection, as_object(data) or {})
            case Op.PRESENCE:
                if connection.session is None:
                    raise GatewayError(Close.NOT_AUTHENTICATED)
            case _:
                raise GatewayError(Close.UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: JsonObject) -> None:
        if connection.session is not None:
            raise GatewayError(Close.ALREADY_AUTHENTICATED)
        self._check_token(data)
        intents = as_integer(data.get("intents"))
        if intents is None or intents & ~KNOWN_INTENTS:
            raise GatewayError(Close.INVALID_INTENTS)
        if intents & PRIVILEGED & ~self.privileged_intents:
            raise GatewayError(Close.DISALLOWED_INTENTS)
        shard = [as_integer(part) for part in as_array(data.get("shard", [0, 1])) or []]
        match shard:
            case [int(number), int(count)] if 0 <= number < count:
                session = Session(secrets.token_hex(16), intents, (number, count))
            case _:
                raise GatewayError(Close.INVALID_SHARD)
        self.identified += 1
        self.sessions.append(session)
        connection.session = session
        session.connection = connection
        session.dispatch("READY", dump(self._ready(session)))
        if intents & Intent.GUILDS:
            for guild in self._guilds(session):
                session.dispatch(
                    "GUILD_CREATE", dump(guild.to_gateway_json(guild.members[self._world.bot.id]))
                )
        self._world.changed.fire()

    def _guilds(self, session: Session) -> list[Guild]:
        bot = self._world.bot.id
        return [
            guild for guild in self._world.guilds if session.sees(guild.id) and bot in guild.members
        ]

    def _ready(self, session: Session) -> JsonObject:
        application = {"id": str(self._world.application_id), "flags": 0}
        guilds = [{"id": str(guild.id), "unavailable": True} for guild in self._guilds(session)]
        return {
            "v": VERSION,
            "user": self._world.bot.to_json()
            | {"verified": True, "mfa_enabled": True, "email": None},
            "guilds": guilds,
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.resume_url or self.url,
            "shard": list(session.shard),
            "application": application,
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "user_settings": {},
            "geo_ordered_rtc_regions": [],
            "_trace": [],
        }

    def _resume(self, connection: Connection, data: JsonObject) -> None:
        if connection.session is not None:
            raise GatewayError(Close.ALREADY_AUTHENTICATED)
        self._check_token(data)
        wanted = text_at(data, "session_id")
        session = next((known for known in self._resumable_sessions() if known.id == wanted), None)
        if self.refuse_resumes > 0:
            self.refuse_resumes -= 1
            session = None
        seen = integer_at(data, "seq")
        missed = seen < (session.events[0][0] - 1 if session and session.events else 0)
        if session is None or missed:
            connection.send(_payload(Op.INVALID_SESSION, False))
            return
        if seen > session.sequence:
            raise GatewayError(Close.INVALID_SEQUENCE)
        if session.connection is not None:
            session.connection.drop()
        connection.session = session
        session.connection = connection
        for sequence, text in session.events:
            if sequence > seen:
                connection.send(text)
        self.resumed += 1
        session.dispatch("RESUMED", '{"_trace":[]}')
        self._world.changed.fire()

    def _check_token(self, data: JsonObject) -> None:
        if text_at(data, "token").removeprefix("Bot ") != self._token:
            raise GatewayError(Close.AUTHENTICATION_FAILED)


def _payload(op: Op, data: object = None) -> str:
    return dump({"t": None, "s": None, "op": op, "d": data})


def _read(raw: str | bytes) -> JsonObject:
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise GatewayError(Close.DECODE_ERROR)
    try:
        payload = as_object(parse(raw))
    except ValueError:
        payload = None
    if payload is None:
        raise GatewayError(Close.DECODE_ERROR)
    return payload
