"""Files that people chose in a tab, on the disk until they are sent with something."""

import asyncio
import secrets
from http import HTTPStatus
from pathlib import Path

from aiohttp import StreamReader, web

from sandbox.discord.interactions.commands import InvalidInvocation
from sandbox.discord.interactions.invocation import LARGEST_UPLOAD, Upload

PIECE = 256 * 1024
LONGEST_NAME = 260


class Uploads:
    """Takes files in, and hands them out by the ids that it gave for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads: dict[str, Upload] = {}

    async def receive(self, request: web.Request) -> web.Response:
        """Answer the POST of a file, named in the query, with its id."""
        name = request.query.get("name", "")[:LONGEST_NAME] or "unknown"
        upload_id = secrets.token_urlsafe(16)
        path = self._folder / f"upload-{upload_id}"
        size = request.content_length or 0
        try:
            if size <= LARGEST_UPLOAD:
                size = await _store(request.content, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if not 0 < size <= LARGEST_UPLOAD:
            path.unlink(missing_ok=True)
            words = f"{name} is empty." if size == 0 else f"{name} is too large: 500 MiB at most."
            return web.Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text=words)
        self._uploads[upload_id] = Upload(name, path)
        return web.Response(text=upload_id)

    def get(self, upload_id: object) -> Upload:
        """Return a file; raises InvalidInvocation where there is none of the id."""
        upload = self._uploads.get(upload_id) if isinstance(upload_id, str) else None
        if upload is None:
            raise InvalidInvocation("The file is not there any more: choose it again.")
        return upload


async def _store(content: StreamReader, path: Path) -> int:
    """Write a file as it comes in, and return its size; one that is too large is not read on."""
    size = 0
    with path.open("wb") as file:
        while size <= LARGEST_UPLOAD and (piece := await content.read(PIECE)):
            size += len(piece)
            await asyncio.to_thread(file.write, piece)
    return size
