"""Images that bear the number of the edit that they were made for, and their place among its."""

import io
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sandbox.edit_api.imitation import Task
from sandbox.sandbox import Upload

_PROMPT = re.compile(r"edit number (\d+)")
_MARK = re.compile(rb"drill (\d+) (\d+);")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which edit an image belongs to, and its place among the edit's images."""

    number: int
    place: int


def make_prompt(number: int) -> str:
    """The prompt that no other edit has."""
    return f"edit number {number}, make it blue"


def read_prompt(prompt: object) -> int | None:
    """The number in such a prompt."""
    found = _PROMPT.search(prompt) if isinstance(prompt, str) else None
    return None if found is None else int(found[1])


def draw(task: Task) -> bytes:
    """A small PNG that bears a mark in a comment."""
    number = read_prompt(task.prompt) or 0
    comment = PngInfo()
    comment.add_text("Comment", f"drill {number} {task.variation};")
    return _save(comment)


def read_mark(path: Path) -> Mark | None:
    """The mark of an image that was posted; none in one that was encoded again."""
    found = _MARK.search(path.read_bytes())
    return None if found is None else Mark(int(found[1]), int(found[2]))


@cache
def make_source() -> Upload:
    """The image that members give."""
    return Upload(name="photo.png", data=_save(None), content_type="image/png")


def _save(comment: PngInfo | None) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), "navy").save(buffer, "PNG", pnginfo=comment)
    return buffer.getvalue()
