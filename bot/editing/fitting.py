"""Fits images into one message: images that fit stay as they are, and others are re-encoded.

An image is made smaller rather than left out, however small the limit is.
"""

import asyncio
from collections.abc import Sequence

import structlog

from bot.domain.errors import DarkroomError
from bot.editing.spool import SpooledImage
from bot.images.conversions import Conversions
from bot.images.files import probe_file

UPLOAD_LIMIT = 24 * 2**20
"""Bytes of images in one message: Discord takes 25 MiB a request, and the card needs some."""

HALVINGS = 4
"""How often the limits are halved if Discord still finds a message too large."""

LOSSLESS_BYTES = 3 * 2**20
"""Bytes in which an image of an edit's size shows no loss, so that others may have the rest."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Fitting:
    """Re-encodes images that are too large for their message."""

    def __init__(self, conversions: Conversions) -> None:
        self._conversions = conversions

    async def fit(
        self, images: Sequence[SpooledImage], *, per_image: int, total: int = UPLOAD_LIMIT
    ) -> list[SpooledImage]:
        """Return the images in their order, within the limits in bytes.

        Images that can't be made to fit are left out.
        """
        limits = share_out([image.size for image in images], per_image=per_image, total=total)
        fitted = await asyncio.gather(*map(self._fit, images, limits))
        return [image for image in fitted if image is not None]

    async def _fit(self, image: SpooledImage, limit: int) -> SpooledImage | None:
        if image.size <= limit:
            return image
        path = image.path.parent / f"within-{limit}" / image.path.stem
        try:
            await asyncio.to_thread(path.parent.mkdir, exist_ok=True)
            header = await asyncio.to_thread(probe_file, image.path)
            converted = await self._conversions.to_post(image.path, header, path, max_bytes=limit)
            named = await asyncio.to_thread(
                path.replace, path.with_suffix(converted.image.format.suffix)
            )
        except (DarkroomError, OSError) as error:
            log.warning("result.too_large", size=image.size, most=limit, why=str(error))
            return None
        return SpooledImage(named, converted.size, reencoded=True)


def share_out(sizes: Sequence[int], *, per_image: int, total: int) -> list[int]:
    """Return how many bytes each image may have, so that as many as possible stay as they are."""
    room = total
    limits = [0] * len(sizes)
    smallest_first = sorted(range(len(sizes)), key=sizes.__getitem__)
    for others, index in zip(range(len(sizes) - 1, -1, -1), smallest_first, strict=True):
        share = max(room // (others + 1), room - others * LOSSLESS_BYTES)
        limit = sizes[index] if sizes[index] <= share else room // (others + 1)
        limits[index] = min(per_image, limit)
        room -= limits[index]
    return limits
