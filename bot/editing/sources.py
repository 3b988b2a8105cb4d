"""Prepares sources for the edit API: sent as they are if it surely takes them, converted if not."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from yarl import URL

from bot.domain.errors import SourcesPausedError, TooHeavyError
from bot.domain.images import Source
from bot.downloads.sources import SourceDownloads
from bot.images.conversions import LARGE, Conversions
from bot.images.files import is_complete
from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.fair_slots import FairSlots
from bot.scheduling.kill_limit import KILLS, KillLimit
from bot.scheduling.reply_priority import ReplyPriority, deadline

PROBES = 64
"""Sources that are probed at once. Each has a small buffer, and slow ones delay no others."""

FETCHES = 8
"""Sources that are fetched and converted at once; each takes up to 100 MiB on the disk."""

FETCHES_PER_MEMBER = 2
CONVERSIONS_PER_MEMBER = 1
"""At once. If a member's images hang the decoder, other members' images are still converted."""


class Sources:
    """Probes sources, and converts those that the API might not take."""

    def __init__(
        self, downloads: SourceDownloads, conversions: Conversions, reply_priority: ReplyPriority
    ) -> None:
        self._downloads = downloads
        self._conversions = conversions
        self._reply_priority = reply_priority
        self._probes = asyncio.Semaphore(PROBES)
        self._fetches = FairSlots(FETCHES, per_member=FETCHES_PER_MEMBER)
        self._large = FairSlots(1, per_member=1)
        self._children = FairSlots(conversions.at_once, per_member=CONVERSIONS_PER_MEMBER)
        self._kills = KillLimit[int](KILLS)
        self._costly_files = KillLimit[str](1)

    @asynccontextmanager
    async def probing(self, url: str) -> AsyncGenerator[asyncio.Task[Source | None]]:
        """Probe a source in the background until the context ends."""
        probing = asyncio.create_task(self._probe_after_replies(url))
        # Retrieve the error, or asyncio logs it if nobody awaited the task.
        probing.add_done_callback(lambda probe: probe.cancelled() or probe.exception())
        try:
            yield probing
        finally:
            probing.cancel()

    async def probe(self, url: str) -> Source | None:
        """Read a source's header and end.

        Returns:
            The source; None if only the whole file shows what it is, or whether it is whole.
        """
        probed = await self._downloads.probe(url)
        if probed is None or not probed.can_be_sent or await self._downloads.has_end(url, probed):
            return probed
        return None

    def paused_for(self, member_id: int) -> float:
        """Return the seconds for which none of the member's images is opened; usually 0."""
        return self._kills.wait(member_id, now=time.monotonic())

    async def prepare(
        self, url: str, probed: Source | None, folder: Path, entry: QueueEntry
    ) -> Source:
        """Return the source itself, or a file in the folder that it was converted to.

        Members take turns here too, so that none waits behind another's burst.

        Raises:
            SourceError: it can't be read or decoded, or is too large.
            ChildFailedError: it couldn't be converted for another reason.
            OSError: the disk couldn't keep it.
        """
        if probed is not None and probed.can_be_sent:
            return probed
        async with self._fetches.slot(entry):
            original = folder / "original"
            try:
                fetched = await self._downloads.fetch(url, original)
                if fetched.can_be_sent and await asyncio.to_thread(
                    is_complete, original, fetched.image.format
                ):
                    return Source(fetched.image, fetched.size)
                async with self._conversion_slot(fetched, entry):
                    return await self._convert(url, fetched, folder, entry)
            finally:
                original.unlink(missing_ok=True)

    async def _probe_after_replies(self, url: str) -> Source | None:
        until = deadline()
        async with self._probes:
            await self._reply_priority.yield_to_replies(until=until)
            return await self.probe(url)

    @asynccontextmanager
    async def _conversion_slot(self, fetched: Source, entry: QueueEntry) -> AsyncGenerator[None]:
        """Wait for a slot; a large image waits for other large ones without keeping a slot."""
        async with AsyncExitStack() as stack:
            if fetched.image.pixels >= LARGE:
                await stack.enter_async_context(self._large.slot(entry))
            await stack.enter_async_context(self._children.slot(entry))
            yield

    async def _convert(self, url: str, fetched: Source, folder: Path, entry: QueueEntry) -> Source:
        if self.paused_for(entry.member_id):
            raise SourcesPausedError
        # Without the query: it has the signature, which Discord renews.
        file = URL(url).path
        # Whoever asks: one file pauses nobody who runs its edit again and again, and a paused
        # member's file isn't opened again and again for others.
        if self._costly_files.wait(file, now=time.monotonic()):
            raise TooHeavyError("it was costly to open a short time ago")

        def note(error: BaseException) -> None:
            self._kills.note(entry.member_id, now=time.monotonic())
            if not isinstance(error, asyncio.CancelledError):
                self._costly_files.note(file, now=time.monotonic())

        original, into = folder / "original", folder / "converted"
        return await self._conversions.to_edit(original, fetched.image, into, on_costly=note)
