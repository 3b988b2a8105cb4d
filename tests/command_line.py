"""The bot's command line, run as a process of its own."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.child import FROM_OUTSIDE, PROJECT


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program printed, and how it ended."""

    status: int
    output: bytes
    errors: str


async def run_bot(folder: Path, database: str, *arguments: str) -> Ended:
    """Run `python -m bot` in a folder, with nothing in its environment but the database's URL."""
    outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=outside | {"DATABASE_URL": database, "PYTHONPATH": str(PROJECT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    return Ended(await process.wait(), output, errors.decode())
