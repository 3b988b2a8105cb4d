"""The bot's command line, run as a process of its own, or at once in this one."""

import asyncio
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.__main__ import main
from sandbox.bot_process import FROM_OUTSIDE, PROJECT


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program printed, and how it ended."""

    status: int
    output: bytes
    errors: str


async def run_bot(folder: Path, database: str, *arguments: str) -> Ended:
    """Run `python -m bot` in a folder, with nothing in its environment but the database's URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=_environment(database),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    return Ended(await process.wait(), output, errors.decode())


async def run_main(folder: Path, database: str, *arguments: str) -> Ended:
    """Run the same without the second that a process takes to begin."""
    # The command has a loop of its own, and a thread has only one.
    return await asyncio.to_thread(_run_main, folder, database, arguments)


def _run_main(folder: Path, database: str, arguments: tuple[str, ...]) -> Ended:
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("os.environ", _environment(database))
        patch.setattr("sys.argv", ["bot", *arguments])
        patch.setattr("sys.stdout", output)
        patch.setattr("sys.stderr", errors)
        try:
            status = main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
    return Ended(status, output.getvalue().encode(), errors.getvalue())


def _environment(database: str) -> dict[str, str]:
    outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    return outside | {"DATABASE_URL": database, "PYTHONPATH": str(PROJECT)}
