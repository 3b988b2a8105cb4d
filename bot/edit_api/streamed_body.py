"""A request body that is streamed from a file, and records whether sending began."""

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import aiohttp
from aiohttp.abc import AbstractStreamWriter

_BLOCK = 3 * 2**15
"""Bytes that are encoded at once: 96 KiB, a multiple of base64's 3."""


@dataclass(frozen=True, slots=True)
class Content:
    """A JSON body, with a file in base64 inside if there is one."""

    before: bytes
    source: Path | None = None
    after: bytes = b""

    def size(self) -> int:
        """Return the length in bytes, as sent."""
        encoded = 0 if self.source is None else -(-self.source.stat().st_size // 3) * 4
        return len(self.before) + encoded + len(self.after)


class StreamedBody(aiohttp.Payload):
    """Sends content of known length, and records whether sending began.

    aiohttp doesn't send the headers before the body begins, and no server executes a call without
    its body. So a call whose body hasn't `begun` surely wasn't executed.
    """

    def __init__(self, content: Content) -> None:
        """Measure the content, without opening the file yet."""
        super().__init__(content, content_type="application/json")
        self._content = content
        self._size = content.size()
        self.begun = False

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the content, reading the file in a thread."""
        self.begun = True
        await writer.write(self._content.before)
        if self._content.source is not None:
            with self._content.source.open("rb") as file:
                while block := await asyncio.to_thread(_encoded_block, file):
                    await writer.write(block)
            await writer.write(self._content.after)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Refuse, since the body never exists as one string."""
        raise TypeError("the body is streamed")


def _encoded_block(file: BinaryIO) -> bytes:
    return base64.b64encode(file.read(_BLOCK))
