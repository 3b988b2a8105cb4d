"""A confined child can only compute, and the bot says where the system can't confine one."""

import asyncio
import os
import struct
import sys
import textwrap
from asyncio.subprocess import PIPE
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import serve
from bot.domain.errors import BadSettingsError, BrokenImageError, ConfinementError
from bot.domain.images import Format, ImageInfo
from bot.images.conversions import Conversions
from bot.reports.charts import DRAWING
from bot.settings import Settings
from bot.subprocesses import confinement as child_confinement
from bot.subprocesses.confinement import ALLOWED, build_filter, confine_this_process
from bot.subprocesses.pool import Job
from tests.conftest import Events, StartBot
from tests.subprocesses.forbidden_calls import CALLS

ROOT = Path(__file__).parents[2]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel is Linux's")


@on_linux
@pytest.mark.parametrize(("how", "killed"), [("confined", list(CALLS)), ("unconfined", [])])
async def test_the_kernel_kills_a_confined_process_at_every_forbidden_call(
    tmp_path: Path, how: str, killed: list[str]
) -> None:
    trying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.subprocesses.forbidden_calls", str(tmp_path), how),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await trying.communicate()
    assert errors == b""
    assert output.decode().splitlines() == killed


@on_linux
async def test_the_child_that_opens_images_is_confined_before_it_reads_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    converting = asyncio.create_task(
        Conversions().to_edit(tmp_path / "a", ImageInfo(Format.JPEG, 9, 9), tmp_path / "b")
    )
    with await asyncio.to_thread((tmp_path / "a").open, "wb", buffering=0) as image:
        start = b"\xff\xd8" + b"\xff" * MORE_THAN_A_PIPE_HOLDS
        assert await asyncio.to_thread(image.write, start) == len(start)
        [child] = find_children()
        assert is_confined(child)
    with pytest.raises(BrokenImageError):
        await converting


@on_linux
async def test_the_child_that_draws_charts_is_confined_before_it_reads_one() -> None:
    drawing = await asyncio.create_subprocess_exec(
        sys.executable, *DRAWING.arguments, cwd=ROOT, stdin=PIPE, stderr=PIPE
    )
    assert drawing.stdin is not None
    drawing.stdin.write(b"x" * 100 * MORE_THAN_A_PIPE_HOLDS)
    await drawing.stdin.drain()
    assert is_confined(drawing.pid)
    _, errors = await drawing.communicate(b"")
    assert errors.startswith(b"JSONDecodeError")


MORE_THAN_A_PIPE_HOLDS = 2**17
"""Bytes: once all are written, the other end has read some."""


def find_children() -> list[int]:
    """The processes that this one started, as Linux says it."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(each) for each in children.read_text().split()]


def is_confined(pid: int) -> bool:
    """Whether a process has a filter and can get no new privileges."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {"NoNewPrivs:\t1", "Seccomp:\t2"} <= set(status)


# The filter itself, as the kernel would run it, for both machines.

NUMBERS = {
    "x86_64": {
        "openat": 257,
        "socket": 41,
        "execve": 59,
        "kill": 62,
        "clone": 56,
        "mmap": 9,
        "newfstatat": 262,
    },
    "aarch64": {
        "openat": 56,
        "socket": 198,
        "execve": 221,
        "kill": 129,
        "clone": 220,
        "mmap": 222,
        "newfstatat": 79,
    },
}
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL, NO_SUCH_CALL = 0x7FFF0000, 0x80000000, 0x00050026
A_THREAD, A_PROCESS, READ_AND_WRITE, READ_AND_RUN = 0x3D0F00, 0x11, 3, 5
AT_EMPTY_PATH = 0x1000


def decide(
    machine: str, number: int, *arguments: int, audit: int | None = None, threads: bool = False
) -> int:
    """Run the filter over one call, as classic BPF is defined."""
    padded = (*arguments, *([0] * (6 - len(arguments))))
    call = struct.pack("=iIQ6Q", number, audit or AUDIT[machine], 0, *padded)
    program = list(struct.Struct("=HBBI").iter_unpack(build_filter(machine, threads=threads)))
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", call, operand)
            case 0x54:
                accumulator &= operand
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"{code:#x} is no instruction of a filter")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_filter_allows_what_decoding_needs_and_nothing_else(machine: str) -> None:
    known = NUMBERS[machine]
    column = list(NUMBERS).index(machine)
    for numbers in ALLOWED.values():
        assert decide(machine, numbers[column]) == ALLOW
    for name in ("openat", "socket", "execve", "kill"):
        assert decide(machine, known[name]) == KILL
    assert decide(machine, known["mmap"], 0, 4096, READ_AND_WRITE) == ALLOW
    assert decide(machine, known["mmap"], 0, 4096, READ_AND_RUN) == KILL
    assert decide(machine, known["clone"], A_THREAD, threads=True) == ALLOW
    assert decide(machine, known["clone"], A_PROCESS, threads=True) == KILL
    assert decide(machine, known["clone"], A_THREAD) == KILL
    for number in (435, known["newfstatat"]):
        assert decide(machine, number, -100 & 0xFFFFFFFF, 0, 0, AT_EMPTY_PATH) == NO_SUCH_CALL
    assert decide(machine, ALLOWED["read"][column], audit=0x40000003) == KILL


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_filter_allows_no_more_calls_than_it_lists(machine: str) -> None:
    column = list(NUMBERS).index(machine)
    listed = {numbers[column] for numbers in ALLOWED.values()}
    allowed = {number for number in range(1000) if decide(machine, number) == ALLOW}
    assert allowed - listed <= {NUMBERS[machine]["mmap"], mprotect(machine)}


def mprotect(machine: str) -> int:
    return 10 if machine == "x86_64" else 226


# The bot itself.


@on_linux
async def test_the_bot_hides_its_memory_before_it_reads_a_secret() -> None:
    code = """
        import ctypes, sys
        from bot import app as program
        program.read_settings = lambda _: sys.exit(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE))
        program.run_bot()
    """.replace("PR_GET_DUMPABLE", "3")
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(code), cwd=ROOT
    )
    assert await bot.wait() == 0


# Where the system can't do it.


@pytest.fixture
def unconfinable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that is run at the start finds no filter, as on an old kernel."""
    code = "import sys; sys.stdout.write('seccomp: Function not implemented')"
    monkeypatch.setattr("bot.app.CONFINEMENT_CHECK", Job(("-c", code), 30, 1_000))


@pytest.mark.usefixtures("unconfinable")
async def test_a_start_without_confinement_is_logged_once(
    start_bot: StartBot, events: Events
) -> None:
    await start_bot()
    logged = [event for event in events.logged if event["event"] == "child.unconfined"]
    assert [event["why"] for event in logged] == ["seccomp: Function not implemented"]


@pytest.mark.usefixtures("unconfinable")
async def test_a_start_without_required_confinement_is_refused(settings: Settings) -> None:
    with pytest.raises(BadSettingsError, match=r"REQUIRE_CHILD_SANDBOX is on.*not implemented"):
        await serve(replace(settings, require_child_sandbox=True))


@on_linux
async def test_a_start_with_required_confinement_goes_on_where_it_is_to_be_had(
    start_bot: StartBot, events: Events
) -> None:
    await start_bot(require_child_sandbox=True)
    assert not [event for event in events.logged if event["event"] == "child.unconfined"]


@pytest.mark.parametrize(
    ("system", "machine"), [("darwin", "x86_64"), ("win32", "AMD64"), ("linux", "riscv64")]
)
def test_other_systems_say_that_they_have_no_filter(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(child_confinement, "name_machine", lambda: machine)
    with pytest.raises(ConfinementError, match="Linux on x86-64 and arm64"):
        confine_this_process()
