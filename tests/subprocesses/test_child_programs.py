"""The programs that the bot runs as children keep nothing of the bot's, and don't outlive it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from bot.images.conversions import JOB
from bot.reports.charts import DRAWING
from bot.subprocesses.pool import Job, ProcessPool
from tests.subprocesses.test_confinement import ROOT, find_children

PATIENCE = 15
"""Seconds after which a test that waits has failed."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's lists of processes")

each_program = pytest.mark.parametrize("job", [JOB, DRAWING], ids=["images", "charts"])


@each_program
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_child_keeps_no_file_that_the_bot_was_started_with(
    tmp_path: Path, job: Job, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def wait_until_closed() -> None:
        async with asyncio.timeout(PATIENCE), ProcessPool(1).start(job):
            await until(lambda: find_children() != [])
            [child] = find_children()
            await until(lambda: not files_of(child) & inherited)

    (tmp_path / "secret").touch()
    opened = os.open(tmp_path / "secret", os.O_RDWR)
    os.set_inheritable(opened, True)
    far = os.dup2(opened, 1_000)
    inherited = {str(tmp_path / "secret")}
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(wait_until_closed())
    finally:
        os.close(opened)
        os.close(far)


@each_program
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "while its child waits"])
async def test_a_child_does_not_outlive_a_bot_that_is_killed(job: Job, *, at_once: bool) -> None:
    start = (
        "import signal, subprocess, sys; "
        "child = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE); "
        "print(child.pid, flush=True); signal.pause()"
    )
    # The child's input is this test's, so that it goes on waiting for its end.
    read_end, write_end = os.pipe()
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", start, *job.arguments), cwd=ROOT, stdin=read_end, stdout=PIPE
    )
    os.close(read_end)
    assert bot.stdout is not None
    child = int(await bot.stdout.readline())
    if not at_once:
        await asyncio.sleep(1.5)
    assert not has_ended(child)
    bot.kill()
    try:
        async with asyncio.timeout(PATIENCE):
            await until(lambda: has_ended(child))
    finally:
        os.close(write_end)
        await bot.communicate()


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits to be reaped."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] in {"Z", "X"}


async def until(happened: Callable[[], bool]) -> None:
    for _ in iter(happened, True):
        await asyncio.sleep(0.01)


def files_of(pid: int) -> set[str]:
    """Return the paths of a process's open files."""
    paths = set[str]()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            paths.add(str(file.readlink()))
    return paths
