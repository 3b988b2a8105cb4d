"""Delivers rendered edits: fetches, fits, posts and charges their images."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.clock import utc_now
from bot.domain.edits import Edit, MessageRef, Order
from bot.domain.errors import NotPostedError, ResultLostError
from bot.domain.quotas import Balance, OperatorLimits
from bot.domain.server_settings import ServerSettings, read_settings
from bot.editing.fitting import HALVINGS, UPLOAD_LIMIT, Fitting
from bot.editing.ledger_retry import until_recorded
from bot.editing.ports import EditMessages, Posted, Receipt, Results, TooManyBytes
from bot.editing.spool import Spool, SpooledImage, find_spooled, keep_spooled
from bot.ledger import Ledger
from bot.ledger.quota_rules import QuotaRules

DOWNLOADS = 32
"""Results that are downloaded at once. Each has a small buffer, and slow ones delay no others."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Delivery:
    """Delivers edits; after a crash, delivering one again is safe."""

    def __init__(
        self,
        ledger: Ledger,
        quota_rules: QuotaRules,
        results: Results,
        fitting: Fitting,
        messages: EditMessages,
        spool: Spool,
        limits: OperatorLimits,
    ) -> None:
        self._ledger = ledger
        self._quota_rules = quota_rules
        self._results = results
        self._fitting = fitting
        self._messages = messages
        self._spool = spool
        self._limits = limits
        self._downloads = asyncio.Semaphore(DOWNLOADS)

    async def fetch(self, edit: Edit) -> list[SpooledImage]:
        """Download the edit's results, except those that are spooled already.

        Raises:
            ResultLostError: none of them could be downloaded.
            OSError: the disk couldn't keep any.
        """
        folder = await self._spool.open(edit.order.id)
        fetched = await asyncio.gather(
            *(
                self._fetch(edit, url, folder / str(number))
                for number, url in enumerate(edit.results, 1)
            )
        )
        images = [image for image in fetched if isinstance(image, SpooledImage)]
        if images:
            return images
        for error in fetched:
            if isinstance(error, OSError):
                raise error
        raise ResultLostError("none of the images could be fetched")

    async def post(self, edit: Edit, images: Sequence[SpooledImage]) -> Edit | None:
        """Post and charge the images; None if the ledger has the edit in another state.

        Raises:
            NotPostedError: no message could be posted.
        """
        posted, message = await self._post(edit, images)
        log.info("edit.posted", edit=str(edit.order.id), pictures=posted)
        return await until_recorded(
            lambda: self._ledger.capture(
                edit.order.id, posted=posted, now=utc_now(), message=message
            )
        )

    async def _fetch(
        self, edit: Edit, url: str, path: Path
    ) -> SpooledImage | ResultLostError | OSError:
        try:
            if spooled := await asyncio.to_thread(find_spooled, path):
                return spooled
            async with self._downloads:
                image = await self._results.fetch(url, path)
            return await asyncio.to_thread(keep_spooled, path, image.format)
        except (ResultLostError, OSError) as error:
            log.warning("edit.result_lost", edit=str(edit.order.id), why=str(error))
            return error

    async def _post(
        self, edit: Edit, images: Sequence[SpooledImage]
    ) -> tuple[int, MessageRef | None]:
        """Post the images, halving their size until Discord accepts them; return how many."""
        tried: Sequence[SpooledImage] = ()
        for halvings in range(1 + HALVINGS):
            fitted = await self._fitting.fit(
                images,
                per_image=edit.order.upload_limit >> halvings,
                total=UPLOAD_LIMIT >> halvings,
            )
            if not fitted or (halvings > 1 and fitted == tried):
                continue
            tried = fitted
            match await self._messages.post(edit, await self._write_receipt(edit, fitted)):
                case Posted(message):
                    return len(fitted), message
                case TooManyBytes():
                    log.info("edit.too_large", edit=str(edit.order.id), halvings=halvings)
                case reason:
                    raise NotPostedError(reason)
        raise NotPostedError

    async def _write_receipt(self, edit: Edit, images: Sequence[SpooledImage]) -> Receipt:
        order = edit.order
        charged = order.quality.price * len(images)
        balance, settings = await until_recorded(lambda: self._read_balance(order))
        # What was held in one window gives nothing back in the next.
        given_back = order.hold - charged if edit.held_at in balance.window else 0
        return Receipt(
            images=tuple(images),
            charged=charged,
            left=balance.left_after(given_back),
            spoiler=settings.spoiler,
        )

    async def _read_balance(self, order: Order) -> tuple[Balance, ServerSettings]:
        balance = await self._ledger.balance(order.member, limits=self._limits, now=utc_now())
        return balance, read_settings(await self._quota_rules.list_settings(order.guild_id))
