"""The gateway's protocol: opcodes, close codes, intents, sessions and connections.

The numbers come from https://discord.com/developers/docs/events/gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from aiohttp import web

VERSION = 10
HEARTBEAT_INTERVAL_S = 41.25
MAX_PAYLOAD_BYTES = 4096
MAX_FRAME_BYTES = 2**16
"""Bytes. A longer frame cuts the connection, even before the client has identified."""

MAX_EVENTS = 120
EVENTS_WINDOW_S = 60
MAX_REPLAYED_EVENTS = 5000
RESUME_WITHIN_S = 120
"""Discord doesn't publish how long a session can be resumed."""


class Op(IntEnum):
    """The gateway's opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


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
    """The intents that the sandbox checks."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
KNOWN_INTENTS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))


class GatewayError(Exception):
    """The client broke the protocol, so its connection is closed with this code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(slots=True, eq=False)
class Session:
    """One identified session. It can be resumed for a while after its connection ends."""

    id: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    events: deque[tuple[int, str]] = field(
        default_factory=lambda: deque(maxlen=MAX_REPLAYED_EVENTS)
    )
    connection: Connection | None = None
    left_at: float = 0

    def sees(self, guild_id: int | None) -> bool:
        """Return whether this shard gets a server's events, or those of direct messages."""
        shard, count = self.shard
        return (0 if guild_id is None else (guild_id >> 22) % count) == shard

    def dispatch(self, event: str, data: str) -> None:
        """Send an event, and keep it for a resume."""
        self.sequence += 1
        text = f'{{"op":0,"s":{self.sequence},"t":"{event}","d":{data}}}'
        self.events.append((self.sequence, text))
        if self.connection is not None:
            self.connection.send(text)


class Connection:
    """One WebSocket, with its send queue, compression and heartbeat deadline."""

    def __init__(self, request: web.Request, *, heartbeat_interval_s: float) -> None:
        self.socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, compress=False)
        self.session: Session | None = None
        self.silent = False
        self._request = request
        self._heartbeat_interval_s = heartbeat_interval_s
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        wanted = request.query.get("compress")
        self._compressor = zlib.compressobj() if wanted == "zlib-stream" else None
        self._deadline: asyncio.TimerHandle | None = None
        self._received: deque[float] = deque(maxlen=MAX_EVENTS + 1)
        self._closing: asyncio.Task[object] | None = None

    def send(self, text: str) -> None:
        """Queue a payload."""
        if not self.silent:
            self._outgoing.put_nowait(text)

    async def write(self) -> None:
        """Send the queue in order until the connection ends."""
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
        """Abort the TCP connection without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def expect_heartbeat(self) -> None:
        """Close the connection unless a heartbeat comes within one and a half intervals."""
        loop = asyncio.get_running_loop()
        self.cancel_deadline()
        self._deadline = loop.call_later(self._heartbeat_interval_s * 1.5, self._time_out)

    def cancel_deadline(self) -> None:
        """Stop waiting for a heartbeat."""
        if self._deadline is not None:
            self._deadline.cancel()

    def _time_out(self) -> None:
        self._closing = asyncio.ensure_future(self.close(Close.TIMED_OUT))

    def count_event(self, now: float) -> None:
        """Raise GatewayError if the client sends more than 120 events in a minute."""
        self._received.append(now)
        full = len(self._received) > MAX_EVENTS
        if full and now - self._received[0] < EVENTS_WINDOW_S:
            raise GatewayError(Close.RATE_LIMITED)
