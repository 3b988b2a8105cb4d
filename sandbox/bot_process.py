"""The bot as a child process: an environment of its own, and its structured events to follow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sandbox.discord.service import DiscordService
from sandbox.signals import Signal
from sandbox.values import JsonObject, as_object, parse, text_at

PROJECT = Path(__file__).resolve().parents[1]
FROM_OUTSIDE = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL")
"""All that a child is told of the surroundings: never a token, a key or a database."""

LONGEST_LINE = 16 * 1024 * 1024
LAST_LINES = 40
SECONDS_TO_STOP = 40
READY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Event:
    """One structured event of the bot."""

    name: str
    level: str
    fields: JsonObject


class BotEnded(Exception):
    """The bot ended while something was awaited of it."""

    def __init__(self, status: int, last_lines: list[str]) -> None:
        super().__init__("\n".join([f"The bot ended with status {status}.", *last_lines]))
        self.status = status
        self.last_lines = last_lines


class BotProcess:
    """`python -m bot` beside a sandbox, started on entering and ended on leaving."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        settings: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._temporary = None
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(
                prefix="sandbox-bot-", ignore_cleanup_errors=True
            )
            folder = Path(self._temporary.name)
        self.folder = folder
        self.environment = build_environment(environment, folder) | dict(settings or {})
        self.events: list[Event] = []
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.changed = Signal()
        self.killed = False
        self._changing = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []

    @property
    def ledger(self) -> Path:
        """The file of its ledger."""
        return self.folder / "ledger.db"

    @property
    def spool(self) -> Path:
        """The folder of its results."""
        return self.folder / "spool"

    @property
    def pid(self) -> int | None:
        """The running process."""
        return None if self.status is not None or self._process is None else self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, once it ended."""
        return None if self._process is None else self._process.returncode

    async def __aenter__(self) -> BotProcess:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def start(self) -> bool:
        """Start it, or start it again on the same ledger; false if it runs already.

        Events of before are kept.
        """
        async with self._changing:
            if self.pid is not None:
                return False
            await self.ended()
            starting = asyncio.create_task(self._start())
            try:
                await asyncio.shield(starting)
            except asyncio.CancelledError:
                # Halfway there is a process that nobody would know of.
                await starting
                raise
        self.changed.fire()
        return True

    async def _start(self) -> None:
        self.killed = False
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            cwd=self.folder,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        streams = (self._process.stdout, self._process.stderr)
        self._reading = [
            asyncio.create_task(self._read(stream)) for stream in streams if stream is not None
        ]

    async def connected(self, discord: DiscordService) -> None:
        """Wait until it has registered its commands; raises BotEnded if it ends before."""
        ended = asyncio.create_task(self.ended())
        connected = asyncio.create_task(discord.connected())
        try:
            await asyncio.wait({ended, connected}, return_when=asyncio.FIRST_COMPLETED)
            self.check()
            await connected
        finally:
            ended.cancel()
            connected.cancel()

    async def _read(self, stream: asyncio.StreamReader) -> None:
        with contextlib.suppress(ValueError):
            while raw := await stream.readline():
                self._note(raw.decode(errors="replace").rstrip())
        if self._process is not None:
            await self._process.wait()
        self.changed.fire()

    def _note(self, line: str) -> None:
        self.last_lines.append(line)
        try:
            fields = as_object(parse(line))
        except ValueError:
            return
        if fields is None or "event" not in fields:
            return
        name, level = text_at(fields, "event"), text_at(fields, "level")
        self.events.append(Event(name, level, fields))
        self.changed.fire()

    def find(self, name: str, since: int = 0, **fields: object) -> Event | None:
        """Return the first event of a name with these fields, among those from a number on."""
        for event in self.events[since:]:
            if event.name == name and fields.items() <= event.fields.items():
                return event
        return None

    def count(self, name: str) -> int:
        """Return how many events of a name there were."""
        return sum(event.name == name for event in self.events)

    def event(
        self, name: str, *, since: int = 0, timeout: float = READY_SECONDS, **fields: object
    ) -> Coroutine[object, object, Event]:
        """Wait for an event; raises BotEnded or TimeoutError."""

        def look() -> Event | None:
            found = self.find(name, since, **fields)
            if found is None:
                self.check()
            return found

        return self.changed.until(look, timeout=timeout)

    def check(self) -> None:
        """Raise BotEnded if it does not run any more, once all it wrote was read."""
        if self.status is not None and all(task.done() for task in self._reading):
            raise BotEnded(self.status, list(self.last_lines))

    async def ended(self) -> int:
        """Wait until it ended, and return its exit status."""
        if self._process is None:
            return 0
        # Whoever gives up waiting must not end the reading: `gather` would.
        await asyncio.wait(self._reading)
        return await self._process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to do anything."""
        if self._process is not None and self.status is None:
            self.killed = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def crash(self) -> None:
        """Kill it, also if it is only just starting, and wait until it has ended."""
        async with self._changing:
            self.kill()
            await self.ended()

    @contextlib.asynccontextmanager
    async def without_spool(self) -> AsyncGenerator[None]:
        """Put a file where it has the folder of its results, meanwhile."""
        aside = self.spool.with_name("spool-aside")
        self.spool.rename(aside)
        self.spool.touch()
        try:
            yield
        finally:
            self.spool.unlink()
            aside.rename(self.spool)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.status is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self) -> None:
        """End it, killing it if it does not end when asked."""
        async with self._changing:
            self.terminate()
            try:
                async with asyncio.timeout(SECONDS_TO_STOP):
                    await self.ended()
            finally:
                self.kill()
                await self.ended()


def child_environment(environment: Mapping[str, str], real_key: str | None) -> dict[str, str]:
    """Return where the bot finds the servers: with a key of its own, the real edit API."""
    if real_key is None:
        return dict(environment)
    kept = {name: value for name, value in environment.items() if name != "EDIT_API_URL"}
    # The real API cannot read an image's address on this machine, so its data is sent.
    return kept | {"EDIT_API_KEY": real_key, "EDIT_SOURCE": "data"}


def build_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return all that the child is told: where the sandbox is, and a ledger of its own."""
    outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    return {
        **outside,
        **environment,
        "DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "SPOOL_DIR": str(folder / "spool"),
        "LOG_LEVEL": "info",
        # Whoever ends the sandbox does not want to wait for imitations.
        "SHUTDOWN_GRACE": "0",
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
    }
