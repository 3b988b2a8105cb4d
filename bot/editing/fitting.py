"""Makes pictures fit into one message: what fits stays as it is, the rest is written again.

However little is taken, a picture is made smaller and not lost.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.domain.errors import DarkroomError
from bot.images.conversions import Conversions
from bot.images.files import probe_file

UPLOAD_LIMIT = 24 * 2**20
"""Bytes of pictures in one message: Discord takes 25 MiB a request, and the card needs some."""

HALVINGS = 4
"""Times that the limits are halved, where Discord finds a message too large all the same."""

ENOUGH = 3 * 2**20
"""Bytes in which a picture of an edit's size shows no loss: others may be kept whole beside it."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Spooled:
    """One of the API's pictures, on the disk until it is posted."""

    path: Path
    size: int
    """Bytes."""
    reencoded: bool = False
    """Whether it was written again, to fit."""


class Fitting:
    """Writes pictures again that are too large for their message."""

    def __init__(self, conversions: Conversions) -> None:
        self._conversions = conversions

    async def fit(
        self, pictures: Sequence[Spooled], *, each: int, together: int = UPLOAD_LIMIT
    ) -> list[Spooled]:
        """The pictures in their order, none and all of them not larger than that, in bytes.

        Those are left out that cannot be made to fit.
        """
        allowed = share_out([picture.size for picture in pictures], each=each, together=together)
        fitted = await asyncio.gather(*map(self._fit, pictures, allowed))
        return [picture for picture in fitted if picture is not None]

    async def _fit(self, picture: Spooled, most: int) -> Spooled | None:
        if picture.size <= most:
            return picture
        place = picture.path.parent / f"within-{most}" / picture.path.stem
        try:
            await asyncio.to_thread(place.parent.mkdir, exist_ok=True)
            header = await asyncio.to_thread(probe_file, picture.path)
            made = await self._conversions.to_post(picture.path, header, place, most_bytes=most)
            named = await asyncio.to_thread(
                place.replace, place.with_suffix(made.picture.format.suffix)
            )
        except (DarkroomError, OSError) as fault:
            log.warning("result.too_large", size=picture.size, most=most, why=str(fault))
            return None
        return Spooled(named, made.size, reencoded=True)


def share_out(sizes: Sequence[int], *, each: int, together: int) -> list[int]:
    """How many bytes each of the pictures may have, so that as many as can be stay as they are.

    Args:
        sizes: the bytes that they have.
        each: that one may have.
        together: that all of them may have.
    """
    room = together
    allowed = [0] * len(sizes)
    smallest_first = sorted(range(len(sizes)), key=sizes.__getitem__)
    for others, place in zip(range(len(sizes) - 1, -1, -1), smallest_first, strict=True):
        share = max(room // (others + 1), room - others * ENOUGH)
        allowed[place] = min(each, sizes[place] if sizes[place] <= share else room // (others + 1))
        room -= allowed[place]
    return allowed
