"""Work that is kept out of the bot's own process: one task, one answer, and then it ends.

A child gets its task on its standard input and answers on its standard output. It learns nothing of
the bot's environment, is killed when its time is up or nobody waits for it any more, and limits its
own memory with `child_limits`. One that hangs without computing is killed within seconds.
"""

import asyncio
import os
import sys
import time
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.errors import ChildFailedError, ChildHungError, ChildKilledError, ChildTimeoutError

Call = Callable[[bytes], Awaitable[bytes]]
"""Gives a child its task, once, and waits for its answer; raises ChildFailed."""

FROM_OUTSIDE = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a child is told of the bot's own environment: where programs and libraries are."""

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""Keeps glibc from reading a file when memory gets short, for which a confined child is killed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a child runs, and how much it may take."""

    arguments: tuple[str, ...]
    """Python's, which runs in the project's folder."""
    seconds: float
    """From its task to its end, at most."""
    answer: int
    """Bytes, at most."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """All of it, but for `FROM_OUTSIDE` and `ONE_ARENA`."""
    idle_seconds: float = 3.0
    """How long it may use no processor before it counts as hung. Measured on Linux only."""


class ProcessPool:
    """Starts children, and lets so many run at once; others wait for their turn."""

    def __init__(self, at_once: int) -> None:
        self._turns = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def start(self, work: Job) -> AsyncGenerator[Call]:
        """A child that starts in the background, so that it gets ready while its task is prepared.

        On leaving it is gone, whether it was asked or not.
        """
        task = asyncio.get_running_loop().create_future()
        working = asyncio.create_task(self._work(work, task))

        async def ask(given: bytes) -> bytes:
            task.set_result(given)
            return await asyncio.shield(working)

        try:
            yield ask
        finally:
            working.cancel()
            await asyncio.wait({working})
            if not working.cancelled():
                working.exception()  # Nobody may have asked for it.

    async def _work(self, work: Job, task: asyncio.Future[bytes]) -> bytes:
        try:
            async with self._turns, _started(work) as process:
                given = await task
                async with (
                    asyncio.timeout(work.seconds),
                    _killed_when_hung(process, work.idle_seconds),
                ):
                    return await _exchange(process, given, work.answer)
        except TimeoutError as fault:
            raise ChildTimeoutError(f"it took more than {work.seconds:g} seconds") from fault
        except OSError as fault:
            raise ChildFailedError(f"it could not be run: {fault}") from fault


@asynccontextmanager
async def _started(work: Job) -> AsyncGenerator[Process]:
    """A child process, which is killed, if it still runs, and reaped on leaving."""
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *(sys.executable, *work.arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=_PROJECT,
            env=_build_environment(work.environment),
        )
    )
    try:
        # Cancelled halfway, asyncio could leave the process behind or wait for ever.
        yield await asyncio.shield(starting)
    finally:
        process = await starting
        _kill(process)
        # To asyncio a process has ended only when its pipes have, too.
        await process.communicate()


_PROJECT = Path(__file__).resolve().parents[2]


def _build_environment(given: Mapping[str, str]) -> dict[str, str]:
    outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    return outside | ONE_ARENA | dict(given)


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


@asynccontextmanager
async def _killed_when_hung(process: Process, idle_seconds: float) -> AsyncGenerator[None]:
    """Within, the child is killed as soon as it makes no progress.

    Raises:
        ChildHungError: it was.
    """

    async def kill_when_hung() -> bool:
        # Counted in looks, not by the clock: a machine that was suspended isn't a child that hung.
        looks, used = 0, 0.0
        while looks < _LOOKS:
            await asyncio.sleep(idle_seconds / _LOOKS)
            now = _processor_seconds(process.pid)
            if now is None:
                return False
            looks, used = (looks + 1, used) if now < used + _PROGRESS_S else (0, now)
        _kill(process)
        return True

    watching = asyncio.create_task(kill_when_hung())
    try:
        yield
    except ChildKilledError:
        if watching.done() and watching.result():
            raise ChildHungError(f"it used no processor for {idle_seconds:g} seconds") from None
        raise
    finally:
        watching.cancel()


_LOOKS = 6
_PROGRESS_S = 0.01
"""Processor time between two looks, in seconds, from which on a child is making progress."""


def _processor_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used; None where that can't be told.

    Linux has a clock for each process:
    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return None


async def _exchange(process: Process, given: bytes, most: int) -> bytes:
    """Give a child its task; its answer, once it has ended."""
    stdin, stdout, stderr = _pipes(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(_feed(stdin, given))
        complaints = group.create_task(_read_end(stderr))
        answer = await _read_beginning(stdout, most + 1)
        if len(answer) > most:
            _kill(process)
    if len(answer) > most:
        raise ChildFailedError(f"it answered more than {most} bytes")
    status = await process.wait()
    if status < 0:
        raise ChildKilledError(-status)
    if status:
        raise ChildFailedError(f"it ended with status {status}: {_last_line(complaints.result())}")
    return answer


def _pipes(process: Process) -> tuple[StreamWriter, StreamReader, StreamReader]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ChildFailedError("it has no pipes")
    return process.stdin, process.stdout, process.stderr


async def _feed(stream: StreamWriter, given: bytes) -> None:
    # It may have ended early, and its status says why. uvloop has RuntimeError for a closed pipe.
    with suppress(ConnectionError, RuntimeError):
        stream.write(given)
        await stream.drain()
    stream.close()


async def _read_beginning(stream: StreamReader, most: int) -> bytes:
    read = bytearray()
    while len(read) < most and (chunk := await stream.read(most - len(read))):
        read += chunk
    return bytes(read)


async def _read_end(stream: StreamReader) -> bytes:
    read = b""
    while chunk := await stream.read(_BLOCK):
        read = (read + chunk)[-_COMPLAINT:]
    return read


_BLOCK = 2**16
_COMPLAINT = 500
"""Bytes that are kept of what a child complains about."""


def _last_line(complaints: bytes) -> str:
    """The last line, which in Python names the error, and nothing that could disturb a log."""
    lines = complaints.decode("utf-8", "replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "nothing was said")
    return "".join(filter(str.isprintable, last)).strip()
