"""A test that hangs doesn't hang the run."""

import asyncio
import sys
from pathlib import Path

import pytest

from sandbox.bot_process import PROJECT

HANGS = """
import asyncio

async def test_that_hangs():
    await asyncio.Event().wait()
"""


async def test_a_test_that_hangs_in_the_bots_loop_fails_by_name(tmp_path: Path):
    (tmp_path / "test_hanging.py").write_text(HANGS, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "tests.conftest"),
        *("-p", "no:cacheprovider", "-n", "1", "-o", "timeout=0.5", str(tmp_path)),
        cwd=PROJECT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(40):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert b"crashed while running 'test_hanging.py::test_that_hangs'" in output


def test_every_test_has_a_limit_of_a_minute(pytestconfig: pytest.Config):
    assert float(pytestconfig.getini("timeout")) == 60


@pytest.mark.drill
def test_a_drill_has_ten_minutes(request: pytest.FixtureRequest):
    assert [mark.args for mark in request.node.iter_markers("timeout")] == [(600,)]
