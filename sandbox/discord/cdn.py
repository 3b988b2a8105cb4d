"""Discord's CDN: members' uploads and posted files behind addresses that are signed and run out."""

import hashlib
import hmac
import mimetypes
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from sandbox.clock import Clock
from sandbox.values import JsonObject

LIFE_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file at the CDN: what is on the disk, and what Discord says about it."""

    id: int
    name: str
    path: Path
    size: int
    content_type: str | None
    width: int | None
    height: int | None
    folder: str
    url: str
    description: str | None = None
    spoiler: bool = False
    ephemeral: bool = False

    def attachment(self) -> JsonObject:
        """Return Discord's attachment object."""
        body: JsonObject = {
            "id": str(self.id),
            "filename": self.name,
            "size": self.size,
            "url": self.url,
            "proxy_url": self.url,
        }
        if self.content_type is not None:
            body["content_type"] = self.content_type
        if self.width is not None:
            body |= {"width": self.width, "height": self.height}
        if self.description is not None:
            body["description"] = self.description
        if self.ephemeral:
            body["ephemeral"] = True
        return body

    def media(self) -> JsonObject:
        """Return Discord's unfurled media item, as it stands in a component."""
        return {
            "id": str(self.id),
            "url": self.url,
            "proxy_url": self.url,
            "width": self.width,
            "height": self.height,
            "content_type": self.content_type,
            "attachment_id": str(self.id),
            "loading_state": 2,
            "flags": 0,
        }


def probe(path: Path) -> tuple[int, int] | None:
    """Return an image's width and height from its header, or nothing for another file."""
    # Nothing is decoded here, so an image of any size may say how large it is.
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(path) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def guess_type(name: str) -> str | None:
    """Return a file's type by its name, as Discord does whatever type came with the upload."""
    extra = {".webp": "image/webp", ".heic": "image/heic", ".heif": "image/heif"}
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return extra.get(suffix) or mimetypes.guess_type(name, strict=False)[0]


class Cdn:
    """Serves files as long as their addresses live, a day by Discord's documentation."""

    def __init__(self, clock: Clock) -> None:
        self.origin = ""
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._files: dict[tuple[str, int, str], StoredFile] = {}

    def sign(self, folder: str, file_id: int, name: str) -> str:
        """Return a new address for a file."""
        path = f"/{folder}/{file_id}/{quote(name)}"
        issued = int(self._clock.timestamp())
        expires = issued + LIFE_SECONDS
        signature = self._signature(path, f"{expires:x}", f"{issued:x}")
        return f"{self.origin}{path}?ex={expires:x}&is={issued:x}&hm={signature}&"

    def keep(self, file: StoredFile) -> None:
        """Serve a file from now on."""
        self._files[(file.folder, file.id, file.name)] = file

    def forget(self, file: StoredFile) -> None:
        """Serve a file no longer, as when its message was deleted."""
        self._files.pop((file.folder, file.id, file.name), None)

    def _signature(self, path: str, expires: str, issued: str) -> str:
        told = f"{path}?{expires}&{issued}".encode()
        return hmac.new(self._secret, told, hashlib.sha256).hexdigest()

    def _find(self, request: web.Request) -> StoredFile | None:
        query = request.query
        expires, issued = query.get("ex", ""), query.get("is", "")
        right = self._signature(request.rel_url.raw_path, expires, issued)
        if not hmac.compare_digest(right.encode(), query.get("hm", "").encode()):
            return None
        if int(expires, 16) <= self._clock.timestamp():
            return None
        where = request.match_info
        folder = f"{where['kind']}/{where['owner']}"
        return self._files.get((folder, int(where["file"]), where["name"]))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a GET or HEAD, with ranges; 404 where the address is wrong or has run out."""
        file = self._find(request)
        if file is None:
            status = HTTPStatus.NOT_FOUND
            return web.Response(status=status, text="This content is no longer available.")
        kind = file.content_type or "application/octet-stream"
        return web.FileResponse(file.path, chunk_size=256 * 1024, headers={"Content-Type": kind})

    def routes(self) -> list[web.RouteDef]:
        """Return the CDN's addresses."""
        pattern = r"/{kind:attachments|ephemeral-attachments}/{owner:\d+}/{file:\d+}/{name}"
        return [web.get(pattern, self.serve)]
