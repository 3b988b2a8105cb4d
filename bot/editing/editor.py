"""The one use case: hold, submit, render, deliver.

An edit lives in the ledger. This module moves it from state to state, and records each end before
telling it. Nothing here knows Discord: members are answered through `EditMessages`, from the edit's
row alone, so a restart answers as the first process would have.
"""

import asyncio
import itertools
import secrets
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from bot.domain.edits import (
    AlreadyHeld,
    Durations,
    Edit,
    Held,
    MessageRef,
    Order,
    OverLimit,
    OverQuota,
)
from bot.domain.errors import (
    BusyError,
    DeclinedError,
    EditError,
    LedgerError,
    NotPostedError,
    ResultLostError,
    ServiceFailedError,
    UnreachableError,
    WaitedTooLongError,
)
from bot.domain.images import EVERYWHERE, Format, Source
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import SOURCE_SIZE, nearest_ratio
from bot.domain.quotas import Balance, OperatorLimits
from bot.domain.refusals import (
    CannotAfford,
    LedgerSilent,
    OrderRequest,
    PictureElsewhere,
    Refusal,
    ServiceDown,
    ShuttingDown,
    SourcesPaused,
    TooManyOpen,
    refuse_here,
    refuse_order,
    refuse_place,
)
from bot.domain.server_settings import ServerSettings, read_settings
from bot.edit_api.wire import EditCall
from bot.editing.fitting import HALVINGS, UPLOAD_LIMIT, Fitting, Spooled
from bot.editing.ports import EditApi, Results
from bot.editing.sources import Sources
from bot.ledger import Ledger
from bot.ledger.quota_rules import QuotaRules
from bot.scheduling.circuit_breaker import Breaker
from bot.scheduling.edit_queue import EditQueue
from bot.scheduling.estimates import LATEST, Estimates
from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.reply_priority import ReplyPriority, deadline
from bot.scheduling.status_updates import ProgressSink, WaitingCards

T = TypeVar("T")

LONGEST_WAIT = timedelta(minutes=8)
"""An edit still held this long after its command ends expired, live or restarted."""

HOLD_TIMEOUT_S = 1.0
"""Seconds that the ledger has for a hold before the acknowledgement, due within 3 s, goes first."""

DRAIN_STEP_S = 0.25
"""Seconds after which a bot that is to end looks again at what is under way."""

LEDGER_RETRY_DELAYS_S = (0.1, 0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds between tries of the ledger, once what it is to note has happened; the last for ever."""

PROBES, LOOK_UPS, DOWNLOADS = 64, 64, 32
"""Sources, answers and results read at once: buffers bound them, and slow ones must stop nobody."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the posting of an edit's pictures comes to."""

    pictures: tuple[Spooled, ...]
    charged: int
    left: int | None
    """Credits that the member can still spend in this window; None where nothing limits."""
    spoiler: bool = False
    """Whether the pictures go behind a spoiler."""

    @property
    def reencoded(self) -> int:
        """How many of the pictures were written again, to fit."""
        return sum(picture.reencoded for picture in self.pictures)


class Outcome(Enum):
    """What became of the first answer to a command."""

    TAKEN = "taken"
    TOO_LATE = "too_late"
    """The platform does not know the command any more: nothing can be said there."""
    DELETED = "deleted"
    """The answer was given, and somebody deleted it."""
    UNANSWERED = "unanswered"
    """The platform gave no answer within its own limit; it may have taken it all the same."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An outcome, and as which message the answer will be seen, where the platform said so."""

    outcome: Outcome
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The pictures surely stand in a message."""

    place: MessageRef | None
    """Which one, where the platform said so."""


@dataclass(frozen=True, slots=True)
class TooManyBytes:
    """The platform does not take pictures of this size."""


class EditMessages(ProgressSink, Protocol):
    """Where members are answered. The methods do not raise, and see to repeating by themselves."""

    async def acknowledge(self, order: Order) -> Acknowledgement:
        """Say that the edit is under way, within the limit that the platform sets."""
        ...

    async def refuse(self, order: Order, refusal: Refusal, *, acknowledged: bool) -> None:
        """Say why the order is not taken; in the acknowledged answer, if that was first."""
        ...

    async def find_response(self, edit: Edit) -> Acknowledgement:
        """Whether the edit's answer exists, and as which message: there its member can be told."""
        ...

    async def post(self, edit: Edit, receipt: Receipt) -> Posted | TooManyBytes | Reason:
        """Post the pictures, in the edit's message or another that its member finds; or why not."""
        ...

    async def notify(self, edit: Edit) -> None:
        """Say how an edit without pictures ended, until it is said or cannot be any more."""
        ...


class Journal(Protocol):
    """Where the ends of edits are noted for those who look after a server."""

    def note(self, ended: Edit) -> None:
        """Note how an edit ended, some time soon."""
        ...


class Editor:
    """Takes orders and carries each through to its end, a bounded number at a time."""

    def __init__(
        self,
        ledger: Ledger,
        quota_rules: QuotaRules,
        edit_api: EditApi,
        results: Results,
        sources: Sources,
        fitting: Fitting,
        front: EditMessages,
        journal: Journal,
        *,
        spool: Path,
        limits: OperatorLimits,
        concurrency: int,
        queue_limit: int,
        may_read: Callable[[str], bool],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Begin with nothing; `may_read` says whether a source's address is the platform's own."""
        self._ledger = ledger
        self._quota_rules = quota_rules
        self._edit_api = edit_api
        self._results = results
        self._sources = sources
        self._fitting = fitting
        self._front = front
        self._journal = journal
        self._spool = spool
        self._limits = limits
        self._may_read = may_read
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._probes = asyncio.Semaphore(PROBES)
        self._look_ups = asyncio.Semaphore(LOOK_UPS)
        self._downloads = asyncio.Semaphore(DOWNLOADS)
        self._running: dict[asyncio.Task[None], int] = {}
        self._waiting: set[int] = set()
        """Edits that were acknowledged and not sent yet: a stop leaves them to the next start."""
        self._sending = asyncio.Event()
        self._sending.set()
        self._closed = False
        self._rush = ReplyPriority()
        self._breaker = Breaker()
        self._estimates = Estimates()
        self._line = EditQueue(
            self._estimates,
            places=concurrency,
            limit=queue_limit,
            longest_wait=LONGEST_WAIT.total_seconds(),
        )
        self._cards = WaitingCards(front, self._estimates, self._line.standing, clock)

    async def take(self, ask: OrderRequest) -> bool:
        """Refuse the order, or hold its price and carry it on from there in the background.

        Whether there is a hold for it.
        """
        order = ask.order
        if self._closed:
            return False
        if not self._sending.is_set():
            await self._refuse(order, ShuttingDown(), early=None)
            return False
        refusal = refuse_place(ask) or refuse_order(order, ask.source)
        if refusal is None and not self._may_read(order.source_url):
            refusal = PictureElsewhere()
        if refusal is None and (wait := self._sources.paused_for(order.member_id)):
            refusal = SourcesPaused(wait)
        if refusal is not None:
            await self._refuse(order, refusal, early=None)
            return False
        with self._rush.replying():
            holding = asyncio.create_task(self._hold(ask))
            await asyncio.wait({holding}, timeout=HOLD_TIMEOUT_S)
            early = None if holding.done() else await self._front.acknowledge(order)
        match await holding:
            case Held(edit):
                log.info("edit.held", edit=str(order.id), credits=edit.order.hold)
                self._spawn(edit, partial(self._begin, edit, early))
            case AlreadyHeld():
                log.warning("edit.repeated", edit=str(order.id))
            case refusal:
                await self._refuse(order, refusal, early=early)
                return False
        return True

    async def cancel(self, edit_id: int) -> bool:
        """End an edit that was not sent yet, at no cost; False where there is none to end.

        Raises:
            LedgerFault: nothing was changed.
        """
        cancelled = await self._ledger.void(
            edit_id, Reason.CANCELLED, detail=None, now=self._clock()
        )
        if cancelled is None:
            return False
        # Whatever its task does now, it cannot be sent any more.
        for task, running in self._running.items():
            if running == edit_id:
                task.cancel()
        self._note_void(cancelled)
        self._spawn(cancelled, partial(self._tell, cancelled))
        return True

    async def resume(self) -> None:
        """Take up what an earlier process left open, and tell the ends that it left untold."""
        self._estimates.learn(await self._ledger.latest_times(most=LATEST))
        left = await self._ledger.unfinished()
        self._line.join_again(
            [edit.order for edit in left if edit.state is State.HELD],
            rendered=[edit.order.id for edit in left if edit.state is State.RENDERED],
        )
        await asyncio.to_thread(_clear_spool, self._spool, {str(edit.order.id) for edit in left})
        for edit in left:
            log.info("edit.resumed", edit=str(edit.order.id), state=edit.state)
            match edit.state:
                case State.HELD:
                    self._spawn(edit, partial(self._begin_again, edit))
                case State.SUBMITTED:
                    self._spawn(edit, partial(self._end, edit, Reason.INTERRUPTED))
                case State.RENDERED:
                    self._spawn(edit, partial(self._deliver, edit))
                case _:
                    self._spawn(edit, partial(self._tell, edit))

    async def drain(self, grace: float) -> None:
        """Take and send nothing any more, and give what was sent so many seconds to end."""
        self._sending.clear()
        log.info("bot.draining", edits=len(self._running), waiting=len(self._waiting))
        deadline = asyncio.get_running_loop().time() + grace
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            under_way = [
                task for task, edit_id in self._running.items() if edit_id not in self._waiting
            ]
            if not under_way:
                return
            # One that was only being acknowledged comes to wait meanwhile, and ends no task.
            await asyncio.wait(under_way, timeout=min(left, DRAIN_STEP_S))

    async def close(self) -> None:
        """Stop; what is open stays in the ledger for the next start."""
        self._closed = True
        while running := {task for task in self._running if not task.done()}:
            for task in running:
                task.cancel()
            # Once more after a second: libraries have been seen to swallow a cancellation.
            await asyncio.wait(running, timeout=1)
        await self._cards.close()

    async def _begin(self, edit: Edit, early: Acknowledgement | None) -> None:
        async with self._probing(edit.order) as probing:
            with self._rush.replying():
                answer = early or await self._front.acknowledge(edit.order)
            if answer.outcome is Outcome.TAKEN:
                log.info("edit.acknowledged", edit=str(edit.order.id))
                await self._note(edit, answer)
                await self._run_from_held(edit, probing)
                return
        ended = await self._void(edit, Reason.NOT_ACKNOWLEDGED)
        if answer.outcome is Outcome.UNANSWERED:
            answer = await self._look_up(ended)
        if answer.outcome is Outcome.TAKEN:
            await self._tell(ended)
        else:
            await self._erase_token(ended)

    async def _begin_again(self, edit: Edit) -> None:
        """From held, after a restart, where the member still sees an answer."""
        if edit.acknowledged_at is None:
            answer = await self._look_up(edit)
        else:
            async with self._while_it_may_wait(edit):
                answer = await self._look_up(edit)
        if answer.outcome is Outcome.TAKEN:
            await self._note(edit, answer)
            async with self._probing(edit.order) as probing:
                await self._run_from_held(edit, probing)
        elif edit.acknowledged_at is None:
            await self._erase_token(await self._void(edit, Reason.NOT_ACKNOWLEDGED))
        elif answer.outcome is Outcome.DELETED:
            await self._end(edit, Reason.ANSWER_DELETED)
        else:
            await self._end(edit, Reason.NOT_ACKNOWLEDGED)

    async def _run_from_held(self, edit: Edit, probing: Awaitable[Source | None]) -> None:
        """From held to the end."""
        self._waiting.add(edit.order.id)
        self._cards.follow(edit)
        async with self._while_it_may_wait(edit):
            probed, folder = await probing, await self._open_folder(edit)
            source = await self._sources.make_ready(
                edit.order.source_url,
                probed,
                folder,
                QueueEntry(edit.order.id, edit.order.member_id),
            )
        log.info("edit.ready", edit=str(edit.order.id), converted=source.path is not None)
        ratio = edit.order.size
        if ratio == SOURCE_SIZE:
            ratio = nearest_ratio(source.picture.width, source.picture.height)
        async with self._turn(edit):
            edit = _in_step(await self._submit(edit, ratio, source))
            self._cards.update(edit)
            results = await self._call(edit, ratio, source, folder)
            edit = _in_step(
                await self._until_recorded(
                    lambda: self._ledger.render(edit.order.id, results, now=self._clock())
                )
            )
        self._cards.update(edit)
        log.info("edit.rendered", edit=str(edit.order.id), pictures=len(results))
        await self._deliver(edit)

    async def _submit(self, edit: Edit, ratio: str, source: Source) -> Edit | None:
        async def submit() -> Edit | None:
            # A stop may have begun since the try before, after which nothing is sent.
            await self._sending.wait()
            self._waiting.discard(edit.order.id)
            try:
                return await self._ledger.submit(
                    edit.order.id, ratio=ratio, now=self._clock(), changes=source.changes
                )
            except LedgerError:
                self._waiting.add(edit.order.id)
                raise

        return await self._until_recorded(submit, until=edit.held_at + LONGEST_WAIT)

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
        try:
            results = await self._edit_api.edit(call, workspace=folder, source=source)
        except DeclinedError:
            self._breaker.note_answer()
            raise
        except (ServiceFailedError, UnreachableError, BusyError):
            self._breaker.note_failure(order.id)
            raise
        self._breaker.note_answer()
        return results

    async def _deliver(self, edit: Edit) -> None:
        """From rendered to the end; doing it again, after a crash, does no harm."""
        folder = await self._open_folder(edit)
        fetched = await asyncio.gather(
            *(
                self._fetch(edit, url, folder / str(number))
                for number, url in enumerate(edit.results, 1)
            )
        )
        pictures = [each for each in fetched if isinstance(each, Spooled)]
        if not pictures:
            faults = [each for each in fetched if isinstance(each, OSError)]
            raise faults[0] if faults else ResultLostError("none of the images could be fetched")
        posted, place = await self._post(edit, pictures)
        log.info("edit.posted", edit=str(edit.order.id), pictures=posted)
        ended = _in_step(
            await self._until_recorded(
                lambda: self._ledger.capture(
                    edit.order.id, posted=posted, now=self._clock(), place=place
                )
            )
        )
        self._line.leave(edit.order.id)
        log.info("edit.charged", edit=str(edit.order.id), credits=ended.charged)
        self._estimates.learn({ended.order.quality: [_took(ended)]})
        self._journal.note(ended)
        await self._clean_up(edit)

    async def _post(self, edit: Edit, pictures: Sequence[Spooled]) -> tuple[int, MessageRef | None]:
        """Post the pictures, in less and less bytes while that is too much; how many stand where.

        Raises:
            NotPosted: none does.
        """
        self._cards.stop(edit.order.id)
        tried: Sequence[Spooled] = ()
        for halvings in range(1 + HALVINGS):
            fitted = await self._fitting.fit(
                pictures,
                each=edit.order.upload_limit >> halvings,
                together=UPLOAD_LIMIT >> halvings,
            )
            if not fitted or (halvings > 1 and fitted == tried):
                continue
            tried = fitted
            match await self._front.post(edit, await self._write_receipt(edit, fitted)):
                case Posted(place):
                    return len(fitted), place
                case TooManyBytes():
                    log.info("edit.too_large", edit=str(edit.order.id), halvings=halvings)
                case reason:
                    raise NotPostedError(reason)
        raise NotPostedError

    async def _end(self, edit: Edit, reason: Reason, detail: str | None = None) -> None:
        await self._tell(await self._void(edit, reason, detail))

    async def _void(self, edit: Edit, reason: Reason, detail: str | None = None) -> Edit:
        voided = _in_step(
            await self._until_recorded(
                lambda: self._ledger.void(edit.order.id, reason, detail=detail, now=self._clock())
            )
        )
        self._note_void(voided)
        return voided

    def _note_void(self, voided: Edit) -> None:
        edit_id, hold = voided.order.id, voided.order.hold
        self._release(edit_id)
        log.info("edit.voided", edit=str(edit_id), reason=voided.reason, credits=hold)
        self._journal.note(voided)

    def _release(self, edit_id: int) -> None:
        """It waits for nothing any more, and shows nothing more of its way."""
        self._waiting.discard(edit_id)
        self._line.leave(edit_id)
        self._breaker.leave(edit_id)
        self._cards.stop(edit_id)

    async def _tell(self, ended: Edit) -> None:
        await self._front.notify(ended)
        await self._erase_token(ended)

    async def _erase_token(self, ended: Edit) -> None:
        await self._until_recorded(lambda: self._ledger.forget_token(ended.order.id))
        await self._clean_up(ended)

    # What the way is made of.

    def _spawn(self, edit: Edit, way: Callable[[], Awaitable[None]]) -> None:
        if self._closed:
            return
        task = asyncio.create_task(self._end_by_faults(edit, way))
        self._running[task] = edit.order.id
        task.add_done_callback(self._running.pop)

    async def _end_by_faults(self, edit: Edit, way: Callable[[], Awaitable[None]]) -> None:
        """Whatever breaks on the way ends this edit alone."""
        try:
            try:
                await way()
            except EditError as fault:
                _report(edit, fault)
                await self._end(edit, fault.reason, _detail_of(fault, edit))
            except OSError:
                # Only the spool's are left: whoever speaks to others has words for theirs.
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

    async def _hold(self, ask: OrderRequest) -> Held | AlreadyHeld | Refusal:
        try:
            settings = read_settings(await self._quota_rules.list_settings(ask.order.guild_id))
            order = ask.completed(settings)
            if refusal := await self._refuse_now(order, ask.place_id, settings):
                return refusal
            outcome = await self._hold_in_line(order)
        except LedgerError:
            log.exception("ledger.silent", edit=str(ask.order.id))
            return LedgerSilent()
        match outcome:
            case OverQuota():
                return CannotAfford(outcome, settings.max_count)
            case OverLimit(most):
                return TooManyOpen(most)
            case _:
                return outcome

    async def _refuse_now(
        self, order: Order, place_id: int, settings: ServerSettings
    ) -> Refusal | None:
        refusal = await _refuse_here(order, place_id, settings) or self._line.refuse(order)
        if refusal is not None:
            return refusal
        wait = self._breaker.refuse(order.id)
        return None if wait is None else ServiceDown(wait)

    async def _hold_in_line(self, order: Order) -> Held | OverQuota | OverLimit | AlreadyHeld:
        """Hold the price, with a place in the line that is kept if it is held."""
        joined = self._line.join(order)
        held = False
        try:
            outcome = await self._ledger.hold(
                order, limits=self._limits, owner=self._owner, now=self._clock()
            )
            held = isinstance(outcome, Held)
            return outcome
        finally:
            if not held:
                self._breaker.leave(order.id)
            if joined and not held:
                self._line.leave(order.id)

    async def _refuse(
        self, order: Order, refusal: Refusal, *, early: Acknowledgement | None
    ) -> None:
        log.info("edit.refused", edit=str(order.id), refusal=type(refusal).__name__)
        if early is None:
            with self._rush.replying():
                await self._front.refuse(order, refusal, acknowledged=False)
        elif early.outcome is not Outcome.TOO_LATE:
            await self._front.refuse(order, refusal, acknowledged=True)

    @asynccontextmanager
    async def _probing(self, order: Order) -> AsyncGenerator[asyncio.Task[Source | None]]:
        """Read the source's header meanwhile."""
        probing = asyncio.create_task(self._probe(order))
        # Whoever does not wait for the answer does not want to hear of its faults either.
        probing.add_done_callback(lambda probe: probe.cancelled() or probe.exception())
        try:
            yield probing
        finally:
            probing.cancel()

    async def _probe(self, order: Order) -> Source | None:
        until = deadline()
        async with self._probes:
            await self._rush.yield_to_replies(until=until)
            return await self._sources.probe(order.source_url)

    async def _look_up(self, edit: Edit) -> Acknowledgement:
        async with self._look_ups:
            return await self._front.find_response(edit)

    async def _note(self, edit: Edit, taken: Acknowledgement) -> None:
        await self._until_recorded(
            lambda: self._ledger.acknowledge(
                edit.order.id, message_id=taken.message_id, now=self._clock()
            )
        )

    @asynccontextmanager
    async def _turn(self, edit: Edit) -> AsyncGenerator[None]:
        """A place among the calls under way."""
        async with AsyncExitStack() as stack:
            async with self._while_it_may_wait(edit):
                await stack.enter_async_context(self._line.turn(edit.order.id))
                await self._breaker.wait_to_call(edit.order.id)
            yield

    @asynccontextmanager
    async def _while_it_may_wait(self, edit: Edit) -> AsyncGenerator[None]:
        """Wait for nothing longer than an edit may be held."""
        left = LONGEST_WAIT - (self._clock() - edit.held_at)
        if left <= timedelta(0):
            raise WaitedTooLongError
        limit = asyncio.timeout(left.total_seconds())
        try:
            async with limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise WaitedTooLongError from None
            raise

    async def _fetch(
        self, edit: Edit, url: str, place: Path
    ) -> Spooled | ResultLostError | OSError:
        """The picture at `url`, downloaded unless it is spooled already; or why it is lost."""
        try:
            if kept := await asyncio.to_thread(_find_spooled, place):
                return kept
            async with self._downloads:
                picture = await self._results.fetch(url, place)
            return await asyncio.to_thread(_keep, place, picture.format)
        except (ResultLostError, OSError) as fault:
            log.warning("edit.result_lost", edit=str(edit.order.id), why=str(fault))
            return fault

    async def _write_receipt(self, edit: Edit, pictures: Sequence[Spooled]) -> Receipt:
        order = edit.order
        charged = order.quality.price * len(pictures)
        balance, settings = await self._until_recorded(lambda: self._read_standing(order))
        # What is held in one window gives nothing back to the next.
        given_back = order.hold - charged if edit.held_at in balance.window else 0
        return Receipt(
            pictures=tuple(pictures),
            charged=charged,
            left=balance.left_after(given_back),
            spoiler=settings.spoiler,
        )

    async def _read_standing(self, order: Order) -> tuple[Balance, ServerSettings]:
        balance = await self._ledger.balance(order.member, limits=self._limits, now=self._clock())
        return balance, read_settings(await self._quota_rules.list_settings(order.guild_id))

    async def _until_recorded(
        self, ask: Callable[[], Awaitable[T]], *, until: datetime | None = None
    ) -> T:
        """Have the ledger note what has happened, however long it fails, or what is to happen.

        Raises:
            WaitedTooLong: it failed until then. Nobody who waits may end a try by a time-out: the
                ledger may carry it out all the same.
        """
        delays = itertools.chain(LEDGER_RETRY_DELAYS_S, itertools.repeat(LEDGER_RETRY_DELAYS_S[-1]))
        while True:
            try:
                return await ask()
            except LedgerError as fault:
                delay = next(delays)
                log.warning("ledger.retrying", fault=str(fault), seconds=delay)
                if until is not None and self._clock() + timedelta(seconds=delay) > until:
                    raise WaitedTooLongError from fault
                await asyncio.sleep(delay)

    async def _open_folder(self, edit: Edit) -> Path:
        folder = self._spool / str(edit.order.id)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return folder

    async def _clean_up(self, edit: Edit) -> None:
        """Nothing is left to be done for the edit."""
        folder = self._spool / str(edit.order.id)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        log.info("edit.closed", edit=str(edit.order.id))


class _OutOfStepError(Exception):
    """The row is not in the state that the edit was thought to be in: it is left as it is."""


def new_reference() -> str:
    """A short word that a member can quote and the log has too."""
    return secrets.token_hex(4)


async def _refuse_here(order: Order, place_id: int, settings: ServerSettings) -> Refusal | None:
    """Look for refused words beside the loop, since a prompt can be made to take long."""
    if not settings.refused:
        return refuse_here(order, place_id, settings)
    return await asyncio.to_thread(refuse_here, order, place_id, settings)


def _took(delivered: Edit) -> Durations:
    submitted, rendered = delivered.submitted_at, delivered.rendered_at
    if submitted is None or rendered is None or delivered.ended_at is None:
        raise ValueError("the edit was not delivered")
    return Durations(
        call=(rendered - submitted).total_seconds(),
        posting=(delivered.ended_at - rendered).total_seconds(),
    )


def _in_step(edit: Edit | None) -> Edit:
    if edit is None:
        raise _OutOfStepError
    return edit


def _report(edit: Edit, fault: EditError) -> None:
    level = log.error if fault.reason is Reason.API_MISCONFIGURED else log.warning
    level("edit.faulted", edit=str(edit.order.id), reason=fault.reason, why=str(fault))


def _detail_of(fault: EditError, edit: Edit) -> str | None:
    # The service may quote anything it saw of the original, which isn't this member's.
    return fault.message if isinstance(fault, DeclinedError) and not edit.borrowed else None


def _find_spooled(place: Path) -> Spooled | None:
    for known in EVERYWHERE:
        path = place.with_suffix(known.suffix)
        if path.exists():
            return Spooled(path, path.stat().st_size)
    return None


def _keep(place: Path, kind: Format) -> Spooled:
    """Give a download the name by which it is posted, and found after a restart."""
    path = place.rename(place.with_suffix(kind.suffix))
    return Spooled(path, path.stat().st_size)


def _clear_spool(spool: Path, wanted: set[str]) -> None:
    """Remove the folders of edits that have ended."""
    if spool.is_dir():
        for folder in spool.iterdir():
            if folder.name.isdecimal() and folder.name not in wanted:
                shutil.rmtree(folder, ignore_errors=True)
