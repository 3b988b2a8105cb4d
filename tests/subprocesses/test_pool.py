"""Child processes: what they are told, how much they may take, and that none is left behind."""

import asyncio
import errno
import os
import signal
import sys
import textwrap
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import uvloop

from bot.domain.errors import ChildFailedError, ChildHungError, ChildKilledError
from bot.subprocesses.pool import Job, ProcessPool

PATIENCE = 15
"""Seconds after which a test that waits has failed."""


def python(code: str, seconds: float = PATIENCE, answer: int = 10_000) -> Job:
    return Job(("-c", f"import os, sys, socket, signal\n{code}"), seconds, answer)


def assert_no_child_is_left() -> None:
    """None that runs, and none that ended and was not waited for."""
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@dataclass(frozen=True, slots=True)
class Gate:
    """Where children report when they have started, before they go on."""

    port: int
    arrived: asyncio.Queue[asyncio.StreamWriter]

    def guard(self, code: str) -> str:
        """The code, before which a child reports, and waits until it is let through."""
        return f"gate = socket.create_connection(('127.0.0.1', {self.port}))\ngate.recv(1)\n{code}"


@asynccontextmanager
async def open_gate() -> AsyncGenerator[Gate]:
    arrived = asyncio.Queue[asyncio.StreamWriter]()

    async def arrive(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arrived.put(writer)

    async with await asyncio.start_server(arrive, "127.0.0.1", 0) as server:
        yield Gate(server.sockets[0].getsockname()[1], arrived)


async def test_a_child_answers_what_it_is_asked() -> None:
    echo = python("sys.stdout.write(sys.stdin.read().upper())")
    async with ProcessPool(1).start(echo) as ask:
        assert await ask(b"a" * 5000) == b"A" * 5000
    assert_no_child_is_left()


async def test_a_child_that_hangs_is_killed_and_reported() -> None:
    async with ProcessPool(1).start(python("signal.pause()", seconds=0.01)) as ask:
        with pytest.raises(ChildFailedError, match=r"more than 0\.01 seconds"):
            await ask(b"")
        assert_no_child_is_left()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's clock of a process")
async def test_a_child_that_uses_no_processor_is_killed_long_before_its_time_is_up() -> None:
    hung = replace(python("sys.stdin.read(); signal.pause()"), idle_timeout_s=0.1)
    async with asyncio.timeout(PATIENCE / 2), ProcessPool(1).start(hung) as ask:
        with pytest.raises(ChildHungError, match=r"for 0\.1 seconds"):
            await ask(b"")
        assert_no_child_is_left()


async def test_a_child_that_computes_is_not_taken_for_one_that_hangs() -> None:
    busy = "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass"
    work = replace(python(f"{busy}\nsys.stdout.write('done')"), idle_timeout_s=0.3)
    async with ProcessPool(1).start(work) as ask:
        assert await ask(b"") == b"done"


async def test_a_child_that_breaks_is_reported_with_its_last_words_alone() -> None:
    breaks = python("sys.stderr.write('x' * 100_000); raise SystemExit('a\\x1b[31m\\rb')")
    async with ProcessPool(1).start(breaks) as ask:
        with pytest.raises(ChildFailedError, match=r"status 1: b$"):
            await ask(b"much" * 100_000)


async def test_a_child_that_says_nothing_and_breaks_is_reported() -> None:
    async with ProcessPool(1).start(python("os._exit(3)")) as ask:
        with pytest.raises(ChildFailedError, match="no error message"):
            await ask(b"")


async def test_a_child_that_crashes_is_reported_with_the_signal() -> None:
    async with ProcessPool(1).start(python("os.abort()")) as ask:
        with pytest.raises(ChildKilledError) as killed:
            await ask(b"")
    assert killed.value.signal == signal.SIGABRT


async def test_a_child_that_may_open_nothing_more_keeps_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    code = f"""
        from bot.subprocesses.limits import allow_no_more_files
        kept = open({str(file)!r}, 'wb', buffering=0)
        allow_no_more_files(largest=10)
        kept.write(b'x' * 10)
        for reach in (lambda: open('/dev/null'), socket.socket, lambda: kept.write(b'x')):
            try:
                reach()
            except OSError as fault:
                sys.stdout.write(f'{{fault.errno}} ')
    """
    async with ProcessPool(1).start(python(textwrap.dedent(code))) as ask:
        answer = await ask(b"")
    assert answer.decode().split() == [str(errno.EMFILE), str(errno.EMFILE), str(errno.EFBIG)]
    assert file.read_bytes() == b"x" * 10


async def test_a_child_that_does_not_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/there/is/no/python")
    async with ProcessPool(1).start(python("")) as ask:
        with pytest.raises(ChildFailedError, match="couldn't be run"):
            await ask(b"")


async def test_a_child_that_does_not_stop_answering_is_killed() -> None:
    endless = python("while True: sys.stdout.write('x' * 1000)")
    async with ProcessPool(1).start(endless) as ask:
        with pytest.raises(ChildFailedError, match="more than 10000 bytes"):
            await ask(b"")
        assert_no_child_is_left()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
async def test_a_limited_child_writes_no_core_and_is_the_first_to_go_when_memory_runs_out() -> None:
    code = """
        from bot.subprocesses.limits import limit_this_process
        import resource
        limit_this_process(memory=2**30, seconds=9)
        print(resource.getrlimit(resource.RLIMIT_CORE), open('/proc/self/oom_score_adj').read())
    """
    async with ProcessPool(1).start(python(textwrap.dedent(code))) as ask:
        assert (await ask(b"")).decode().split() == ["(0,", "0)", "1000"]


@pytest.mark.skipif(sys.platform == "win32", reason="ends children by signals")
@pytest.mark.parametrize("ignored", [False, True])
async def test_the_signal_says_that_a_child_took_more_time_than_it_may_unless_it_hides_that(
    *, ignored: bool
) -> None:
    code = f"""
        from bot.subprocesses.limits import limit_this_process
        if {ignored}:
            signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        limit_this_process(memory=2**30, seconds=1)
        while True: pass
    """
    async with ProcessPool(1).start(python(textwrap.dedent(code))) as ask:
        with pytest.raises(ChildKilledError) as killed:
            await ask(b"")
    assert killed.value.signal == (signal.SIGKILL if ignored else signal.SIGXCPU)


async def test_a_child_cannot_take_more_memory_than_it_may() -> None:
    limited = (
        "from bot.subprocesses.limits import limit_this_process as limit\n"
        "limit(memory=2**28, seconds=9)"
    )
    async with ProcessPool(1).start(python(f"{limited}\nbytearray(2**29)")) as ask:
        with pytest.raises(ChildFailedError, match="MemoryError"):
            await ask(b"")


async def test_no_secret_of_the_environment_reaches_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISCORD_TOKEN", "EDIT_API_KEY", "DATABASE_URL", "PYTHONPATH", "HOME"):
        monkeypatch.setenv(name, "/secret")
    work = replace(python("sys.stdout.write(repr(os.environ))"), environment={"SAID": "so"})
    async with ProcessPool(1).start(work) as ask:
        told = (await ask(b"")).decode()
    assert "secret" not in told
    assert "'SAID': 'so'" in told


async def test_no_more_children_run_at_once_than_may() -> None:
    async with asyncio.timeout(PATIENCE), open_gate() as gate:
        children = ProcessPool(1)
        work = python(gate.guard("sys.stdout.write(str(os.getpid()))"))
        async with children.start(work) as ask_first, children.start(work) as ask_second:
            asked = asyncio.gather(ask_first(b""), ask_second(b""))
            (await gate.arrived.get()).close()
            (await gate.arrived.get()).close()
            first, _ = await asked
            with pytest.raises(ProcessLookupError):
                os.kill(int(first), 0)


LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_caller_leaves_no_child_behind(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def cancel_at_work() -> None:
        async with asyncio.timeout(PATIENCE), open_gate() as gate:

            async def call() -> None:
                async with ProcessPool(1).start(python(gate.guard(""))) as ask:
                    await ask(b"")

            caller = asyncio.create_task(call())
            child = await gate.arrived.get()
            caller.cancel()
            await asyncio.wait({caller})
            child.close()
            assert caller.cancelled()
            assert_no_child_is_left()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(cancel_at_work())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("steps", range(12))
def test_a_child_that_is_given_up_while_it_starts_is_not_left_behind(
    loop: Callable[[], asyncio.AbstractEventLoop], steps: int
) -> None:
    async def give_up() -> None:
        async with asyncio.timeout(PATIENCE):
            async with ProcessPool(1).start(python("signal.pause()")):
                for _ in range(steps):
                    await asyncio.sleep(0)
            assert_no_child_is_left()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(give_up())


@pytest.mark.skipif(sys.platform != "linux", reason="looks for a process as Linux shows it")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_child_that_ends_before_it_gets_its_task_answers_all_the_same(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def ask_late() -> None:
        ready = asyncio.get_running_loop().create_future()

        async def take_pid(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ready.set_result(int(await reader.read(100)))
            writer.close()

        async with (
            asyncio.timeout(PATIENCE),
            await asyncio.start_server(take_pid, "127.0.0.1", 0) as server,
        ):
            port = server.sockets[0].getsockname()[1]
            code = (
                f"gate = socket.create_connection(('127.0.0.1', {port}))\n"
                "gate.send(str(os.getpid()).encode()); sys.stdout.write('done')"
            )
            async with ProcessPool(1).start(python(code)) as ask:
                process = Path("/proc", str(await ready))
                for _ in iter(process.exists, False):
                    await asyncio.sleep(0)
                assert await ask(b"late") == b"done"

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask_late())
