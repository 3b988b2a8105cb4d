"""Run work in child processes, each for one task.

A child reads its task from standard input and writes its result to standard output. It doesn't get
the bot's environment, and limits its own memory with `bot.subprocesses.limits`. It is killed when
its time is up, when nobody waits for it, and within seconds when it hangs without using the CPU.
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
"""Sends a child its task, once, and returns its result; raises ChildFailedError."""

INHERITED = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Environment variables that a child inherits: where programs and libraries are."""

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""Keeps glibc from reading a file when memory is short: a confined child would be killed for it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a child runs, and its limits."""

    arguments: tuple[str, ...]
    """Python's arguments; it runs in the project's folder."""
    timeout_s: float
    """From sending the task to the child's exit."""
    max_result: int
    """Bytes of the result."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables, besides `INHERITED` and `ONE_ARENA`."""
    idle_timeout_s: float = 3.0
    """CPU-idle time after which it counts as hung. Measured on Linux only."""


@dataclass(slots=True)
class Usage:
    """What a child used, also if it was killed or given up."""

    cpu_s: float = 0.0
    """CPU seconds, as last measured. On Linux only; elsewhere it stays 0."""


class ProcessPool:
    """Runs at most `at_once` children; others wait."""

    def __init__(self, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def start(self, job: Job, usage: Usage | None = None) -> AsyncGenerator[Call]:
        """Start a child in the background, so it gets ready while its task is prepared.

        The child is gone on exit, called or not, and `usage` is complete.
        """
        task = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(self._run(job, task, usage or Usage()))

        async def call(given: bytes) -> bytes:
            task.set_result(given)
            return await asyncio.shield(running)

        try:
            yield call
        finally:
            running.cancel()
            await asyncio.wait({running})
            if not running.cancelled():
                running.exception()  # Marks it as retrieved: the child may never have been called.

    async def _run(self, job: Job, task: asyncio.Future[bytes], usage: Usage) -> bytes:
        try:
            async with self._slots, _started(job) as process:
                given = await task
                async with (
                    asyncio.timeout(job.timeout_s),
                    _watched(process, job.idle_timeout_s, usage),
                ):
                    return await _exchange(process, given, job.max_result)
        except TimeoutError as error:
            raise ChildTimeoutError(f"it took more than {job.timeout_s:g} seconds") from error
        except OSError as error:
            raise ChildFailedError(f"it couldn't be run: {error}") from error


@asynccontextmanager
async def _started(job: Job) -> AsyncGenerator[Process]:
    """Start a child, and kill and reap it on exit."""
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *(sys.executable, *job.arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=_PROJECT,
            env=_build_environment(job.environment),
        )
    )
    try:
        # A cancellation halfway through could leave the process running, or wait forever.
        yield await asyncio.shield(starting)
    finally:
        process = await starting
        _kill(process)
        # asyncio considers a process running until its pipes are closed too.
        await process.communicate()


_PROJECT = Path(__file__).resolve().parents[2]


def _build_environment(additional: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | ONE_ARENA | dict(additional)


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


@asynccontextmanager
async def _watched(process: Process, idle_timeout_s: float, usage: Usage) -> AsyncGenerator[None]:
    """Measure the child's CPU time, and kill the child as soon as it makes no progress.

    Raises:
        ChildHungError: it was killed for that.
    """

    async def kill_when_hung() -> bool:
        # Counts checks, not time: a child isn't hung because the machine was suspended.
        idle_checks, used_s = 0, 0.0
        while idle_checks < _IDLE_CHECKS:
            await asyncio.sleep(idle_timeout_s / _IDLE_CHECKS)
            if not _measure(process, usage):
                return False
            if usage.cpu_s < used_s + _PROGRESS_S:
                idle_checks += 1
            else:
                idle_checks, used_s = 0, usage.cpu_s
        _kill(process)
        return True

    watching = asyncio.create_task(kill_when_hung())
    try:
        yield
    except ChildKilledError:
        if watching.done() and watching.result():
            raise ChildHungError(f"it used no CPU for {idle_timeout_s:g} seconds") from None
        raise
    finally:
        watching.cancel()
        _measure(process, usage)


_IDLE_CHECKS = 6
_PROGRESS_S = 0.01
"""CPU seconds between two checks that count as progress."""


def _measure(process: Process, usage: Usage) -> bool:
    """Measure the child's CPU time; False if it's gone, or where that isn't possible.

    Linux has a clock for each process:
    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    if sys.platform != "linux" or process.returncode is not None:
        return False
    with suppress(OSError):
        usage.cpu_s = time.clock_gettime(~process.pid << 3 | 2)
        return True
    return False


async def _exchange(process: Process, task: bytes, limit: int) -> bytes:
    """Send a child its task, and return its result once it has exited."""
    stdin, stdout, stderr = _pipes(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(_send(stdin, task))
        errors = group.create_task(_read_end(stderr))
        result = await _read_start(stdout, limit + 1)
        if len(result) > limit:
            _kill(process)
    if len(result) > limit:
        raise ChildFailedError(f"its result has more than {limit} bytes")
    status = await process.wait()
    if status < 0:
        raise ChildKilledError(-status)
    if status:
        raise ChildFailedError(f"it exited with status {status}: {_last_line(errors.result())}")
    return result


def _pipes(process: Process) -> tuple[StreamWriter, StreamReader, StreamReader]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ChildFailedError("it has no pipes")
    return process.stdin, process.stdout, process.stderr


async def _send(stream: StreamWriter, task: bytes) -> None:
    # The child may have exited early; its status says why. uvloop raises RuntimeError for that.
    with suppress(ConnectionError, RuntimeError):
        stream.write(task)
        await stream.drain()
    stream.close()


async def _read_start(stream: StreamReader, limit: int) -> bytes:
    read = bytearray()
    while len(read) < limit and (chunk := await stream.read(limit - len(read))):
        read += chunk
    return bytes(read)


async def _read_end(stream: StreamReader) -> bytes:
    read = b""
    while chunk := await stream.read(_BLOCK):
        read = (read + chunk)[-_ERROR_BYTES:]
    return read


_BLOCK = 2**16
_ERROR_BYTES = 500
"""Bytes of a child's standard error that are kept."""


def _last_line(errors: bytes) -> str:
    """Return the last line, which names the error in Python, without unprintable characters."""
    lines = errors.decode("utf-8", "replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "no error message")

    return "".join(filter(str.isprintable, last)).strip()
