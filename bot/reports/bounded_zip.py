"""Zip files that are written bit by bit and never grow larger than they may."""

from contextlib import ExitStack
from types import TracebackType
from typing import BinaryIO, Self
from zipfile import ZIP_DEFLATED, ZipFile

_STRUCTURES = 256
"""Bytes, and more, that an archive of one file has around the file's data and its two names."""

_OVERHEAD = 64
"""With a thousandth, what the compression adds at most to what cannot be compressed."""

_WITHHELD = 256 * 1024
"""Bytes, and more, that zlib may have taken and not yet given out: 64 KiB that it looks at, and
16,383 symbols of at most 4 bytes."""


class BoundedZip:
    """An archive of one file; in `limit` bytes, of which it may leave some unused."""

    def __init__(self, target: BinaryIO, name: str, limit: int) -> None:
        self._target = target
        self._room = limit - _STRUCTURES - 2 * len(name.encode())
        self._taken = 0
        with ExitStack() as opened:
            archive = opened.enter_context(ZipFile(target, "w", ZIP_DEFLATED))
            self._file = opened.enter_context(archive.open(name, "w"))
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def holds(self, size: int) -> bool:
        """Whether `size` more bytes surely fit, whatever they are."""
        taken = self._taken + size
        largest = min(
            taken + taken // 1000 + _OVERHEAD,
            self._target.tell() + size + _WITHHELD,
        )
        return largest <= self._room

    def write(self, piece: bytes) -> None:
        """Add to the file."""
        self._taken += len(piece)
        self._file.write(piece)
