"""The files of open edits: one folder for each, removed when the edit is closed."""

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.domain.images import EVERYWHERE, Format


@dataclass(frozen=True, slots=True)
class SpooledImage:
    """A result on the disk until it is posted."""

    path: Path
    size: int
    """Bytes."""
    reencoded: bool = False
    """Whether it was re-encoded to fit."""


class Spool:
    """A folder with a folder for each edit, named by its id."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def open(self, edit_id: int) -> Path:
        """Return an edit's folder, which exists."""
        folder = self._root / str(edit_id)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return folder

    async def remove(self, edit_id: int) -> None:
        """Remove an edit's folder."""
        folder = self._root / str(edit_id)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def keep_only(self, edit_ids: Iterable[int]) -> None:
        """Remove the folders of all other edits."""
        await asyncio.to_thread(self._keep_only, set(map(str, edit_ids)))

    def _keep_only(self, names: set[str]) -> None:
        if self._root.is_dir():
            for folder in self._root.iterdir():
                if folder.name.isdecimal() and folder.name not in names:
                    shutil.rmtree(folder, ignore_errors=True)


def find_spooled(path: Path) -> SpooledImage | None:
    """Return the result that was kept at `path`, whatever its format."""
    for format_ in EVERYWHERE:
        named = path.with_suffix(format_.suffix)
        if named.exists():
            return SpooledImage(named, named.stat().st_size)
    return None


def keep_spooled(path: Path, format_: Format) -> SpooledImage:
    """Give a downloaded result the name that it is posted by, and found by after a restart."""
    named = path.rename(path.with_suffix(format_.suffix))
    return SpooledImage(named, named.stat().st_size)
