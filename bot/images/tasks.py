"""What a child that works on a picture is asked and answers, and the text that goes between."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bot.domain.images import Format, SourceChange


class Purpose(StrEnum):
    """What a picture is written again for."""

    EDIT = "edit"
    """To be sent to the edit API, without what a camera wrote into it."""
    POST = "post"
    """To be posted, in the best quality that fits, and still marked as made by an AI."""


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to open, and to write again: upright, in sRGB, with 8 bits a channel."""

    purpose: Purpose
    source: str
    """The file's path."""
    into: str
    """Where the other file is written."""
    format: Format
    """What the source is; nothing else is tried."""
    most_bytes: int
    """That the other file may have."""
    most_pixels: int
    """That it may have."""
    memory: int
    """Bytes that the child may take."""

    def to_json(self) -> bytes:
        """The task as `from_json` reads it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Task":
        """The task that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        purpose, format_ = Purpose(read.pop("purpose")), Format(read.pop("format"))
        return cls(purpose=purpose, format=format_, **read)


class Problem(StrEnum):
    """Why there is no other file."""

    BROKEN = "broken"
    """The source cannot be decoded."""
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_HEAVY = "too_heavy"
    """It takes more memory than the child has."""
    TOO_LARGE = "too_large"
    """However small it is made, it does not fit."""
    NOT_WRITTEN = "not_written"
    """The disk does not take it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a task."""

    problem: Problem | None = None
    changes: tuple[SourceChange, ...] = ()
    seconds: float = 0.0
    """Processor time that it took."""

    def to_json(self) -> bytes:
        """The answer as `from_json` reads it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Answer":
        """The answer that `to_json` wrote; ValueError if it is none."""
        read: dict[str, Any] = json.loads(text)
        problem = read["problem"]
        return cls(
            None if problem is None else Problem(problem),
            tuple(map(SourceChange, read["changes"])),
            float(read["seconds"]),
        )
