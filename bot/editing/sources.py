"""Gets sources ready for the edit API: sent as they are if it surely takes them, else converted."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bot.domain.errors import SourceError, SourcesPausedError
from bot.domain.images import Source
from bot.downloads.sources import SourceDownloads
from bot.images.conversions import LARGE, Conversions
from bot.images.files import is_whole
from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.fair_slots import FairSlots
from bot.scheduling.kill_limit import KillLimit

FETCHES = 8
"""Sources that are fetched and converted at once, each of which takes up to 100 MiB of the disk."""


FETCHES_PER_MEMBER = 2
CONVERSIONS_PER_MEMBER = 1
"""At once: however many images of one member hang their decoder, others get theirs converted."""


class Sources:
    """Looks at sources, and has those converted that the API might not take."""

    def __init__(
        self,
        downloads: SourceDownloads,
        conversions: Conversions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._downloads = downloads
        self._conversions = conversions
        self._clock = clock
        self._fetches = FairSlots(FETCHES, per_member=FETCHES_PER_MEMBER)
        self._large = FairSlots(1, per_member=1)
        self._children = FairSlots(conversions.at_once, per_member=CONVERSIONS_PER_MEMBER)
        self._kills = KillLimit()

    async def probe(self, url: str) -> Source | None:
        """Look at a source as `SourceDownloads.probe` does, and at its end.

        Returns:
            The source; None where only the whole of it says what it is, or whether it is whole.
        """
        probed = await self._downloads.probe(url)
        if probed is None or not probed.can_be_sent or await self._downloads.has_end(url, probed):
            return probed
        return None

    def paused_for(self, member_id: int) -> float:
        """Return the seconds for which none of the member's images is opened; usually 0."""
        return self._kills.wait(member_id, now=self._clock())

    async def make_ready(
        self, url: str, probed: Source | None, folder: Path, whose: QueueEntry
    ) -> Source:
        """What is sent of a source: itself, or a file in the folder that was made of it.

        Members take turns here too, so that nobody waits behind another's burst.

        Raises:
            SourceFault: it cannot be read or decoded, or is too large.
            ChildFailed: it could not be converted for another reason.
            OSError: the disk does not take it.
        """
        if probed is not None and probed.can_be_sent:
            return probed
        async with self._fetches.take(whose):
            original = folder / "original"
            try:
                fetched = await self._downloads.fetch(url, original)
                if fetched.can_be_sent and await asyncio.to_thread(
                    is_whole, original, fetched.picture.format
                ):
                    return Source(fetched.picture, fetched.size)
                async with self._conversion_slot(fetched, whose):
                    return await self._convert(original, fetched, folder / "converted", whose)
            finally:
                original.unlink(missing_ok=True)

    @asynccontextmanager
    async def _conversion_slot(self, fetched: Source, whose: QueueEntry) -> AsyncGenerator[None]:
        """Wait for a slot; a large image waits for the others first, without keeping a slot."""
        async with AsyncExitStack() as stack:
            if fetched.picture.pixels >= LARGE:
                await stack.enter_async_context(self._large.take(whose))
            await stack.enter_async_context(self._children.take(whose))
            yield

    async def _convert(
        self, original: Path, fetched: Source, into: Path, whose: QueueEntry
    ) -> Source:
        if self.paused_for(whose.member_id):
            raise SourcesPausedError
        try:
            return await self._conversions.to_edit(original, fetched.picture, into)
        except SourceError as fault:
            if fault.is_costly:
                self._kills.note(whose.member_id, now=self._clock())
            raise
