"""Discord's gateway: sessions that bots identify for, resume, and get their events over.

The opcodes, close codes and limits are those of https://discord.com/developers/docs/events/gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from aiohttp import WSMsgType, web

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

VERSION = 10
HEARTBEAT_SECONDS = 41.25
LARGEST_PAYLOAD = 4096
LARGEST_FRAME = 2**16
"""Bytes that are taken in at all; over this the connection is cut, whoever it is of."""

MOST_EVENTS = 120
EVENTS_WINDOW = 60
KEPT_EVENTS = 5000
KEPT_SECONDS = 120
"""How long a session can be resumed; Discord publishes no figure."""

SESSION_STARTS = 1000


class Op(IntEnum):
    """The gateway's opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11
    REQUEST_SOUNDS = 31


class Close(IntEnum):
    """The gateway's close codes."""

    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class Intent(IntFlag):
    """The intents that decide what is sent here, and those that need leave."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
KNOWN_INTENTS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))


class Refused(Exception):
    """A client broke the protocol; its connection is closed with this code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(slots=True, eq=False)
class Session:
    """What a client identified for: it outlives its connection for a while."""

    id: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    events: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    connection: Connection | None = None
    left_at: float = 0

    def sees(self, guild_id: int | None) -> bool:
        """Tell whether a server's events, or those of direct messages, belong to this shard."""
        shard, count = self.shard
        return (0 if guild_id is None else (guild_id >> 22) % count) == shard

    def dispatch(self, event: str, data: str) -> None:
        """Send an event, or keep it until the session is resumed."""
        self.sequence += 1
        text = f'{{"op":0,"s":{self.sequence},"t":"{event}","d":{data}}}'
        self.events.append((self.sequence, text))
        if self.connection is not None:
            self.connection.send(text)


class Connection:
    """One WebSocket: its outgoing line, its compression, its heartbeat's deadline."""

    def __init__(self, request: web.Request, *, heartbeat_seconds: float) -> None:
        self.socket = web.WebSocketResponse(max_msg_size=LARGEST_FRAME, compress=False)
        self.session: Session | None = None
        self.silent = False
        self._request = request
        self._heartbeat_seconds = heartbeat_seconds
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        wanted = request.query.get("compress")
        self._compressor = zlib.compressobj() if wanted == "zlib-stream" else None
        self._deadline: asyncio.TimerHandle | None = None
        self._received: deque[float] = deque(maxlen=MOST_EVENTS + 1)
        self._closing: asyncio.Task[object] | None = None

    def send(self, text: str) -> None:
        """Put a payload in the line."""
        if not self.silent:
            self._outgoing.put_nowait(text)

    async def write(self) -> None:
        """Send what is in the line, in order, until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while True:
                text = await self._outgoing.get()
                if self._compressor is None:
                    await self.socket.send_str(text)
                else:
                    packed = self._compressor.compress(text.encode())
                    packed += self._compressor.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(packed)

    async def close(self, code: int) -> None:
        """Close with a close code."""
        await self.socket.close(code=code)

    def drop(self) -> None:
        """Cut the TCP connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def expect_heartbeat(self) -> None:
        """Give the client until one and a half intervals from now for its next heartbeat."""
        loop = asyncio.get_running_loop()
        self.forget_deadline()
        self._deadline = loop.call_later(self._heartbeat_seconds * 1.5, self._time_out)

    def forget_deadline(self) -> None:
        """Expect no heartbeat any more."""
        if self._deadline is not None:
            self._deadline.cancel()

    def _time_out(self) -> None:
        self._closing = asyncio.ensure_future(self.close(Close.TIMED_OUT))

    def count_event(self, now: float) -> None:
        """Refuse more than 120 events in a minute."""
        self._received.append(now)
        full = len(self._received) > MOST_EVENTS
        if full and now - self._received[0] < EVENTS_WINDOW:
            raise Refused(Close.RATE_LIMITED)


class Gateway:
    """All sessions, the way in, and what can go wrong with it."""

    def __init__(
        self, world: World, token: str, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        self.url = ""
        self.resume_url: str | None = None  # where sessions are told to resume, if not here
        self.privileged_intents = 0
        self.sessions: list[Session] = []
        self.identified = 0
        self.resumed = 0
        self.refuse_resumes = 0
        self.acknowledge_heartbeats = True
        self._world = world
        self._token = token
        self._heartbeat_seconds = heartbeat_seconds
        self._connections: set[Connection] = set()

    @property
    def connected(self) -> list[Session]:
        """The sessions that are connected now."""
        return [session for session in self.sessions if session.connection is not None]

    def described(self) -> JsonObject:
        """Return what GET /gateway/bot says."""
        return {
            "url": self.url,
            "shards": 1,
            "session_start_limit": {
                "total": SESSION_STARTS,
                "remaining": max(0, SESSION_STARTS - self.identified),
                "reset_after": 86_400_000,
                "max_concurrency": 1,
            },
        }

    def dispatch(
        self,
        event: str,
        data: JsonObject,
        *,
        guild_id: int | None,
        intent: int = 0,
        concealed: JsonObject | None = None,
    ) -> int:
        """Send an event to every session that should have it; return to how many.

        `concealed` goes in its place to those that may not read what members write.
        """
        reached = 0
        texts: dict[bool, str] = {}
        for session in self._living():
            if session.sees(guild_id) and (not intent or session.intents & intent):
                open_to = concealed is None or bool(session.intents & Intent.MESSAGE_CONTENT)
                if open_to not in texts:
                    texts[open_to] = dump(data if concealed is None or open_to else concealed)
                session.dispatch(event, texts[open_to])
                reached += 1
        return reached

    def expected(self, intent: int) -> bool:
        """Tell whether any session asked for events of an intent."""
        return any(session.intents & intent for session in self.sessions)

    def _living(self) -> Iterator[Session]:
        earliest = self._world.clock.seconds() - KEPT_SECONDS
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
        """Cut every connection's TCP without a word."""
        for connection in list(self._connections):
            connection.drop()

    async def invalidate_all(self, *, resumable: bool) -> None:
        """Send INVALID_SESSION over every connection."""
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
        """Send nothing over any connection any more, as where its other end is gone."""
        for connection in self._connections:
            connection.silent = True

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one client's connection until it ends."""
        connection = Connection(request, heartbeat_seconds=self._heartbeat_seconds)
        await connection.socket.prepare(request)
        self._connections.add(connection)
        writing = asyncio.create_task(connection.write())
        try:
            await self._converse(connection, request.query.get("v", "10"))
        except Refused as refused:
            await connection.close(refused.code)
        finally:
            writing.cancel()
            connection.forget_deadline()
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
            raise Refused(Close.INVALID_VERSION)
        interval = int(self._heartbeat_seconds * 1000)
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
            case Op.PRESENCE | Op.VOICE_STATE | Op.REQUEST_SOUNDS:
                if connection.session is None:
                    raise Refused(Close.NOT_AUTHENTICATED)
            case Op.REQUEST_MEMBERS:
                self._send_members(connection, as_object(data) or {})
            case _:
                raise Refused(Close.UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: JsonObject) -> None:
        if connection.session is not None:
            raise Refused(Close.ALREADY_AUTHENTICATED)
        self._check_token(data)
        intents = as_integer(data.get("intents"))
        if intents is None or intents & ~KNOWN_INTENTS:
            raise Refused(Close.INVALID_INTENTS)
        if intents & PRIVILEGED & ~self.privileged_intents:
            raise Refused(Close.DISALLOWED_INTENTS)
        shard = [as_integer(each) for each in as_array(data.get("shard", [0, 1])) or []]
        match shard:
            case [int(number), int(count)] if 0 <= number < count:
                session = Session(secrets.token_hex(16), intents, (number, count))
            case _:
                raise Refused(Close.INVALID_SHARD)
        self.identified += 1
        self.sessions.append(session)
        connection.session = session
        session.connection = connection
        session.dispatch("READY", dump(self._ready(session)))
        if intents & Intent.GUILDS:
            for guild in self._guilds(session):
                session.dispatch("GUILD_CREATE", dump(self.guild_create(guild)))
        self._world.changed.fire()

    def guild_create(self, guild: Guild) -> JsonObject:
        """Return what GUILD_CREATE says of a server."""
        return guild.to_gateway_json(guild.members[self._world.bot.id])

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
            raise Refused(Close.ALREADY_AUTHENTICATED)
        self._check_token(data)
        wanted = text_at(data, "session_id")
        session = next((each for each in self._living() if each.id == wanted), None)
        if self.refuse_resumes > 0:
            self.refuse_resumes -= 1
            session = None
        seen = integer_at(data, "seq")
        missed = seen < (session.events[0][0] - 1 if session and session.events else 0)
        if session is None or missed:
            connection.send(_payload(Op.INVALID_SESSION, False))
            return
        if seen > session.sequence:
            raise Refused(Close.INVALID_SEQUENCE)
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

    def _send_members(self, connection: Connection, data: JsonObject) -> None:
        session = connection.session
        if session is None:
            raise Refused(Close.NOT_AUTHENTICATED)
        wanted = {text_at({"id": each}, "id") for each in as_array(data.get("user_ids")) or []}
        guild = self._world.guild(int(text_at(data, "guild_id") or 0))
        members = [] if guild is None else list(guild.members.values())
        chunk: JsonObject = {
            "guild_id": text_at(data, "guild_id"),
            "members": [each.to_json() for each in members if str(each.id) in wanted],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        nonce = text_at(data, "nonce")
        session.dispatch("GUILD_MEMBERS_CHUNK", dump(chunk | ({"nonce": nonce} if nonce else {})))

    def _check_token(self, data: JsonObject) -> None:
        if text_at(data, "token").removeprefix("Bot ") != self._token:
            raise Refused(Close.AUTHENTICATION_FAILED)

    async def close(self) -> None:
        """End every connection, as the sandbox ends."""
        for connection in list(self._connections):
            connection.drop()


def _payload(op: Op, data: object = None) -> str:
    return dump({"t": None, "s": None, "op": op, "d": data})


def _read(raw: str | bytes) -> JsonObject:
    if len(raw) > LARGEST_PAYLOAD:
        raise Refused(Close.DECODE_ERROR)
    try:
        payload = as_object(parse(raw))
    except ValueError:
        payload = None
    if payload is None:
        raise Refused(Close.DECODE_ERROR)
    return payload
