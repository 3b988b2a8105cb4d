"""Runs exports: one per member, a few being made at once, in folders that are gone afterwards."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog

MAKING = 3
"""Exports whose files are being made at once; others wait. Uploads don't count."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Exports:
    """Counts the exports of all members, and gives each a folder for its files."""

    def __init__(self, spool: Path) -> None:
        """Put the folders into `spool`, beside those of edits."""
        self._spool = spool
        self._members: set[int] = set()
        self._making = asyncio.Semaphore(MAKING)

    @contextmanager
    def begin(self, member_id: int) -> Generator[bool]:
        """Run a member's export until the context ends; False if another of theirs runs."""
        if member_id in self._members:
            yield False
            return
        self._members.add(member_id)
        try:
            yield True
        finally:
            self._members.remove(member_id)
            log.info("export.ended")

    @asynccontextmanager
    async def folder(self, interaction_id: int) -> AsyncGenerator[Path]:
        """Make a folder for an export's files, and remove it when the context ends.

        Named by the interaction, as an edit's is, it goes at the next start if the bot is killed.
        """
        folder = self._spool / str(interaction_id)
        try:
            await asyncio.to_thread(folder.mkdir, mode=0o700)
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    @asynccontextmanager
    async def making(self) -> AsyncGenerator[None]:
        """Wait for a slot to make files in, and hold it: not while they're uploaded."""
        async with self._making:
            yield
