"""What the editor asks of the edit API and of downloads."""

from pathlib import Path
from typing import Protocol

from bot.domain.images import ImageInfo, Source
from bot.edit_api.wire import EditCall


class EditApi(Protocol):
    """Makes the paid call; `EditClient` says how, and which errors it raises."""

    async def edit(
        self, call: EditCall, *, workspace: Path, source: Source | None = None
    ) -> tuple[str, ...]:
        """Make the paid call and return the results' addresses."""
        ...


class Results(Protocol):
    """Downloads results; `ResultDownloads` says how, and which errors it raises."""

    async def fetch(self, url: str, into: Path) -> ImageInfo:
        """Download a result to a file that exists only once it is whole."""
        ...
