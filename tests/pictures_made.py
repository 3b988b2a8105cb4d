"""Small pictures that tests send, made when they are needed."""

import io
from functools import cache
from typing import Literal

from PIL import Image

from bot.sandbox.server import Upload


@cache
def make_picture(
    kind: Literal["PNG", "JPEG", "WEBP"] = "PNG", width: int = 320, height: int = 240
) -> bytes:
    """A picture's bytes; the same ones each time."""
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def photo(name: str = "photo.png", width: int = 320, height: int = 240) -> Upload:
    """A PNG as a member would attach it."""
    return Upload(name=name, data=make_picture("PNG", width, height), content_type="image/png")
