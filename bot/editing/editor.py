"""The use case: hold, submit, render, deliver.

An edit lives in the ledger. The editor moves it from state to state, and records each end before it
tells the member. It knows nothing of Discord: `EditMessages` answers members from the edit's row
alone, so the answers are the same after a restart.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import structlog

from bot.clock import utc_now
from bot.domain.edits import Edit
from bot.domain.errors import DeclinedError, EditError, LedgerError
from bot.domain.images import Source
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import SOURCE_SIZE, nearest_ratio
from bot.domain.refusals import OrderRequest, ShuttingDown
from bot.edit_api.wire import EditCall
from bot.editing.delivery import Delivery
from bot.editing.intake import Admitted, Intake
from bot.editing.ledger_retry import until_recorded
from bot.editing.ports import Acknowledgement, EditApi, EditMessages, Outcome, ServerLog
from bot.editing.sources import Sources
from bot.editing.spool import Spool
from bot.ledger import Ledger
from bot.scheduling.call_schedule import CallSchedule
from bot.scheduling.estimates import SAMPLES
from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.reply_priority import ReplyPriority
from bot.scheduling.status_updates import WaitingCards

DRAIN_STEP_S = 0.25
"""Seconds between looks at what is still in progress while the bot drains."""

LOOKUPS = 64
"""Responses that are looked up at once after a restart."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Editor:
    """Takes orders, and runs each edit to its end in a task of its own."""

    def __init__(
        self,
        ledger: Ledger,
        schedule: CallSchedule,
        intake: Intake,
        sources: Sources,
        edit_api: EditApi,
        delivery: Delivery,
        messages: EditMessages,
        server_log: ServerLog,
        spool: Spool,
        reply_priority: ReplyPriority,
    ) -> None:
        self._ledger = ledger
        self._schedule = schedule
        self._intake = intake
        self._sources = sources
        self._edit_api = edit_api
        self._delivery = delivery
        self._messages = messages
        self._server_log = server_log
        self._spool = spool
        self._reply_priority = reply_priority
        self._cards = WaitingCards(messages, schedule.estimates, schedule.position, utc_now)
        self._lookups = asyncio.Semaphore(LOOKUPS)
        self._tasks: dict[asyncio.Task[None], int] = {}
        """The edit of each task."""
        self._admitting: set[int] = set()
        self._waiting: set[int] = set()
        """Edits that are acknowledged but not sent: a stop leaves them to the next start."""
        self._sending = asyncio.Event()
        self._sending.set()
        self._closed = False

    async def take(self, request: OrderRequest) -> bool:
        """Refuse the order, or hold its price and run the edit in the background.

        Returns:
            Whether the edit is held.
        """
        if self._closed:
            return False
        order = request.order
        if not self._sending.is_set():
            await self._intake.refuse(order, ShuttingDown())
            return False
        # A repeated interaction mustn't be refused: the response belongs to its edit.
        if order.id in self._admitting or order.id in self._tasks.values():
            log.warning("edit.repeated", edit=str(order.id))
            return True
        self._admitting.add(order.id)
        try:
            admitted = await self._intake.admit(request)
            if isinstance(admitted, Admitted):
                self._spawn(
                    admitted.edit, partial(self._begin, admitted.edit, admitted.acknowledgement)
                )
        finally:
            self._admitting.discard(order.id)
        return admitted is not None

    async def cancel(self, edit_id: int) -> bool:
        """Void an edit that wasn't sent yet; False if there is none.

        Raises:
            LedgerError: nothing was changed.
        """
        canceled = await self._ledger.void(edit_id, Reason.CANCELLED, detail=None, now=utc_now())
        if canceled is None:
            return False
        # Its task can't send it any more, since the ledger refuses that.
        for task, running in self._tasks.items():
            if running == edit_id:
                task.cancel()
        self._finish_void(canceled)
        self._spawn(canceled, partial(self._notify, canceled))
        return True

    async def resume(self) -> None:
        """Continue what an earlier process left open, and notify members of unannounced ends."""
        unfinished = await self._ledger.unfinished()
        self._schedule.restore(unfinished, await self._ledger.latest_times(limit=SAMPLES))
        await self._spool.keep_only(edit.order.id for edit in unfinished)
        for edit in unfinished:
            log.info("edit.resumed", edit=str(edit.order.id), state=edit.state)
            match edit.state:
                case State.HELD:
                    self._spawn(edit, partial(self._begin_again, edit))
                case State.SUBMITTED:
                    self._spawn(edit, partial(self._end, edit, Reason.INTERRUPTED))
                case State.RENDERED:
                    self._spawn(edit, partial(self._deliver, edit))
                case _:
                    self._spawn(edit, partial(self._notify, edit))

    async def drain(self, grace_s: float) -> None:
        """Stop taking and sending edits, and wait for those already sent."""
        self._sending.clear()
        log.info("bot.draining", edits=len(self._tasks), waiting=len(self._waiting))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        while (left := deadline - loop.time()) > 0:
            sent = [task for task, edit_id in self._tasks.items() if edit_id not in self._waiting]
            if not sent:
                return
            # Look again soon: a task that was being acknowledged may be waiting by then.
            await asyncio.wait(sent, timeout=min(left, DRAIN_STEP_S))

    async def close(self) -> None:
        """Cancel all tasks; the next start continues what is open in the ledger."""
        self._closed = True
        while running := {task for task in self._tasks if not task.done()}:
            for task in running:
                task.cancel()
            # Repeat, since some libraries swallow a cancellation.
            await asyncio.wait(running, timeout=1)
        await self._cards.close()

    async def _begin(self, edit: Edit, early: Acknowledgement | None) -> None:
        async with self._sources.probing(edit.order.source_url) as probing:
            with self._reply_priority.replying():
                response = early or await self._messages.acknowledge(edit.order)
            if response.outcome is Outcome.ACCEPTED:
                log.info("edit.acknowledged", edit=str(edit.order.id))
                await self._record_acknowledgement(edit, response)
                await self._run_from_held(edit, probing)
                return
        ended = await self._void(edit, Reason.NOT_ACKNOWLEDGED)
        if response.outcome is Outcome.UNANSWERED:
            response = await self._find_response(ended)
        if response.outcome is Outcome.ACCEPTED:
            await self._notify(ended)
        else:
            await self._erase_token(ended)

    async def _begin_again(self, edit: Edit) -> None:
        """Run a held edit after a restart, if its response is still there."""
        if edit.acknowledged_at is None:
            response = await self._find_response(edit)
        else:
            async with self._schedule.within_deadline(edit):
                response = await self._find_response(edit)
        if response.outcome is Outcome.ACCEPTED:
            await self._record_acknowledgement(edit, response)
            async with self._sources.probing(edit.order.source_url) as probing:
                await self._run_from_held(edit, probing)
        elif edit.acknowledged_at is None:
            await self._erase_token(await self._void(edit, Reason.NOT_ACKNOWLEDGED))
        elif response.outcome is Outcome.DELETED:
            await self._end(edit, Reason.ANSWER_DELETED)
        else:
            await self._end(edit, Reason.NOT_ACKNOWLEDGED)

    async def _run_from_held(self, edit: Edit, probing: Awaitable[Source | None]) -> None:
        order = edit.order
        self._waiting.add(order.id)
        self._cards.follow(edit)
        async with self._schedule.within_deadline(edit):
            probed, folder = await probing, await self._spool.open(order.id)
            entry = QueueEntry(order.id, order.member_id)
            source = await self._sources.prepare(order.source_url, probed, folder, entry)
        log.info("edit.ready", edit=str(order.id), converted=source.path is not None)
        ratio = order.size
        if ratio == SOURCE_SIZE:
            ratio = nearest_ratio(source.image.width, source.image.height)
        async with self._schedule.slot(edit):
            edit = _in_step(await self._submit(edit, ratio, source))
            self._cards.update(edit)
            results = await self._call(edit, ratio, source, folder)
            edit = _in_step(
                await until_recorded(lambda: self._ledger.render(order.id, results, now=utc_now()))
            )
        self._cards.update(edit)
        log.info("edit.rendered", edit=str(order.id), pictures=len(results))
        await self._deliver(edit)

    async def _submit(self, edit: Edit, ratio: str, source: Source) -> Edit | None:
        async def submit() -> Edit | None:
            # The bot may have begun to drain since the last try.
            await self._sending.wait()
            self._waiting.discard(edit.order.id)
            try:
                return await self._ledger.submit(
                    edit.order.id, ratio=ratio, now=utc_now(), changes=source.changes
                )
            except LedgerError:
                self._waiting.add(edit.order.id)
                raise

        return await until_recorded(submit, deadline=self._schedule.deadline(edit))

    async def _call(self, edit: Edit, ratio: str, source: Source, folder: Path) -> Sequence[str]:
        order = edit.order
        log.info(
            "edit.sent", edit=str(order.id), quality=order.quality, ratio=ratio, count=order.count
        )
        call = EditCall(
            prompt=order.prompt,
            source_url=order.source_url,
            ratio=ratio,
            quality=order.quality,
            count=order.count,
        )
        with self._schedule.recording_call(order):
            return await self._edit_api.edit(call, workspace=folder, source=source)

    async def _deliver(self, edit: Edit) -> None:
        """Deliver a rendered edit; after a crash, this can be repeated."""
        images = await self._delivery.fetch(edit)
        self._cards.stop(edit.order.id)
        ended = _in_step(await self._delivery.post(edit, images))
        self._schedule.leave(edit.order.id)
        log.info("edit.charged", edit=str(edit.order.id), credits=ended.charged)
        self._schedule.record_delivery(ended)
        self._server_log.note(ended)
        await self._clean_up(edit)

    async def _end(self, edit: Edit, reason: Reason, detail: str | None = None) -> None:
        await self._notify(await self._void(edit, reason, detail))

    async def _void(self, edit: Edit, reason: Reason, detail: str | None = None) -> Edit:
        voided = _in_step(
            await until_recorded(
                lambda: self._ledger.void(edit.order.id, reason, detail=detail, now=utc_now())
            )
        )
        self._finish_void(voided)
        return voided

    def _finish_void(self, voided: Edit) -> None:
        edit_id, hold = voided.order.id, voided.order.hold
        self._release(edit_id)
        log.info("edit.voided", edit=str(edit_id), reason=voided.reason, credits=hold)
        self._server_log.note(voided)

    def _release(self, edit_id: int) -> None:
        self._waiting.discard(edit_id)
        self._schedule.leave(edit_id)
        self._cards.stop(edit_id)

    async def _notify(self, ended: Edit) -> None:
        await self._messages.notify(ended)
        await self._erase_token(ended)

    async def _erase_token(self, ended: Edit) -> None:
        await until_recorded(lambda: self._ledger.forget_token(ended.order.id))
        await self._clean_up(ended)

    async def _clean_up(self, edit: Edit) -> None:
        await self._spool.remove(edit.order.id)
        log.info("edit.closed", edit=str(edit.order.id))

    async def _find_response(self, edit: Edit) -> Acknowledgement:
        async with self._lookups:
            return await self._messages.find_response(edit)

    async def _record_acknowledgement(self, edit: Edit, response: Acknowledgement) -> None:
        await until_recorded(
            lambda: self._ledger.acknowledge(
                edit.order.id, message_id=response.message_id, now=utc_now()
            )
        )

    def _spawn(self, edit: Edit, run: Callable[[], Awaitable[None]]) -> None:
        if self._closed:
            return
        task = asyncio.create_task(self._supervise(edit, run))
        self._tasks[task] = edit.order.id
        task.add_done_callback(self._tasks.pop)

    async def _supervise(self, edit: Edit, run: Callable[[], Awaitable[None]]) -> None:
        """Run an edit's task, and void the edit on any error."""
        try:
            try:
                await run()
            except EditError as error:
                _report(edit, error)
                await self._end(edit, error.reason, _detail_of(error, edit))
            except OSError:
                # Only spool errors get here: network clients translate their own.
                log.exception("edit.not_spooled", edit=str(edit.order.id))
                await self._end(edit, Reason.NOT_SPOOLED)
            except _OutOfStepError:
                raise
            except Exception:
                reference = new_reference()
                log.exception("edit.unforeseen", edit=str(edit.order.id), reference=reference)
                await self._end(edit, Reason.UNFORESEEN, reference)
        except Exception:
            log.exception("edit.left_open", edit=str(edit.order.id))
            self._release(edit.order.id)


class _OutOfStepError(Exception):
    """The ledger has the edit in another state than expected, and leaves it there."""


def new_reference() -> str:
    """Return a short code that a member can quote and that the log has too."""
    return secrets.token_hex(4)


def _in_step(edit: Edit | None) -> Edit:
    if edit is None:
        raise _OutOfStepError
    return edit


def _report(edit: Edit, error: EditError) -> None:
    level = log.error if error.reason is Reason.API_MISCONFIGURED else log.warning
    level("edit.faulted", edit=str(edit.order.id), reason=error.reason, why=str(error))


def _detail_of(error: EditError, edit: Edit) -> str | None:
    # The API may quote anything it saw of the original, and a borrowed one is another member's.
    return error.message if isinstance(error, DeclinedError) and not edit.borrowed else None
