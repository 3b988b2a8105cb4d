"""Request bodies: JSON parsed once, and files of multipart forms streamed to the disk."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from aiohttp import BodyPartReader, web

from sandbox.discord.interactions.forms import DiscordError
from sandbox.values import JsonObject, as_array, as_object, parse

REQUEST_LIMIT = 25 * 1024 * 1024
"""Bytes of a whole request (https://discord.com/developers/docs/reference#uploading-files)."""

TOO_LARGE = 40005
PIECE = 256 * 1024
FILE_FIELD = re.compile(r"files?\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came with a request; its content lies on the disk, equal ones once."""

    name: str
    size: int
    path: Path


@dataclass(slots=True)
class Body:
    """What a request carried."""

    json: object = None
    fields: JsonObject = field(default_factory=dict[str, object])
    items: list[object] | None = None
    files: dict[int, Received] = field(default_factory=dict[int, Received])


def entity_too_large() -> DiscordError:
    """Return what Discord says to a file or a request over its limit."""
    return DiscordError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, "Request entity too large")


async def read_body(request: web.Request, folder: Path) -> Body:
    """Read a request to its end, even one over the limit, so that the answer gets through."""
    kind = request.content_type
    body = Body()
    if kind == "multipart/form-data":
        try:
            await _read_parts(request, folder, body)
        except ValueError as error:
            raise DiscordError(HTTPStatus.BAD_REQUEST, 0, "400: Bad Request") from error
    elif request.can_read_body:
        text = await request.read()
        if len(text) > REQUEST_LIMIT:
            raise entity_too_large()
        if text:
            _read_json(text, body)
    return body


def _read_json(text: bytes, body: Body) -> None:
    try:
        value = parse(text)
    except ValueError:
        words = "The request body contains invalid JSON."
        raise DiscordError(HTTPStatus.BAD_REQUEST, 50109, words) from None
    body.json = value
    body.items = as_array(value)
    body.fields = as_object(value) or {}


async def _read_parts(request: web.Request, folder: Path, body: Body) -> None:
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        name = part.name or ""
        if name == "payload_json":
            text = bytes(await part.read(decode=False))
            total += len(text)
            _read_json(text, body)
            continue
        with _Incoming(folder) as incoming:
            while piece := await part.read_chunk(PIECE):
                total += len(piece)
                if total <= REQUEST_LIMIT:
                    incoming.write(piece)
            found = FILE_FIELD.fullmatch(name)
            index = int(found[1]) if found else len(body.files)
            body.files[index] = incoming.received(part.filename or "unknown")
    if total > REQUEST_LIMIT:
        raise entity_too_large()


class _Incoming:
    """A file on its way in, kept under the digest of its content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digest = hashlib.sha256()
        self._size = 0
        self._path = folder / f"incoming-{secrets.token_hex(8)}"
        self._file = self._path.open("wb")

    def __enter__(self) -> _Incoming:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def write(self, piece: bytes | bytearray) -> None:
        self._digest.update(piece)
        self._size += len(piece)
        self._file.write(piece)

    def received(self, name: str) -> Received:
        self._file.close()
        path = self._folder / self._digest.hexdigest()
        # Replacing a file makes ext4 write it out at once, so an equal one is left as it is.
        if not path.exists():
            self._path.rename(path)
        return Received(name, self._size, path)
