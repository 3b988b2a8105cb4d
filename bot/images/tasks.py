"""Messages between the bot and the child that converts an image."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bot.domain.images import Format, SourceChange


class Purpose(StrEnum):
    """What an image is converted for."""

    EDIT = "edit"
    """Sending it to the edit API, without a camera's metadata."""
    POST = "post"
    """Posting it in the best quality that fits, still marked as made by AI."""


@dataclass(frozen=True, slots=True)
class Task:
    """An image to convert: upright, in sRGB, with 8 bits per channel."""

    purpose: Purpose
    source: str
    """Path of the original."""
    into: str
    """Path of the converted file."""
    format: Format
    """Format of the original; no other decoder is tried."""
    max_bytes: int
    """Limits of the converted file."""
    max_pixels: int
    memory: int
    """Bytes of memory that the child may use."""

    def to_json(self) -> bytes:
        """Encode the task for the child's standard input."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Task":
        """Decode what `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        purpose, format_ = Purpose(read.pop("purpose")), Format(read.pop("format"))
        return cls(purpose=purpose, format=format_, **read)


class Problem(StrEnum):
    """Why there is no converted file."""

    BROKEN = "broken"
    """The original can't be decoded."""
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_HEAVY = "too_heavy"
    """Decoding takes more memory than the child may use."""
    TOO_LARGE = "too_large"
    """It doesn't fit, however small it's made."""
    NOT_WRITTEN = "not_written"
    """Writing to the disk failed."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a task."""

    problem: Problem | None = None
    changes: tuple[SourceChange, ...] = ()
    seconds: float = 0.0
    """CPU time."""

    def to_json(self) -> bytes:
        """Encode the report for the child's standard output."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Report":
        """Decode what `to_json` wrote.

        Raises:
            ValueError, TypeError, LookupError, ArithmeticError, RecursionError: it's anything else.
        """
        read: dict[str, Any] = json.loads(text)
        problem = read["problem"]
        return cls(
            None if problem is None else Problem(problem),
            tuple(map(SourceChange, read["changes"])),
            float(read["seconds"]),
        )
