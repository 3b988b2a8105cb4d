"""Keeps the cards of open edits up to date, with few requests.

No edit waits for its card. All cards share one rate limit and are updated in turn. Each update is
sent once, shows what is true at that moment, and is dropped if the edit ends first.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.domain.edits import Edit
from bot.domain.lifecycle import State
from bot.scheduling.estimates import Estimates
from bot.scheduling.fair_order import QueuePosition
from bot.scheduling.progress import Posting, Queued, Stage, in_progress, queued, tolerated_s

MAX_REQUESTS = 8
"""Updates that are sent at once."""

RECHECK_S = 0.5
"""Seconds until a card without news is checked again."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often cards are updated."""

    first_s: float = 1.0
    """An edit that is sent within this time of its command needs no card."""
    per_card_s: float = 2.0
    """Between two updates of one card."""
    any_two_s: float = 0.1
    """Between any two updates, so that 300 queued edits get one every half minute."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The result of updating a card."""

    pause_s: float = 0.0
    """Seconds without another update."""
    for_all: bool = False
    """Whether the pause applies to all cards."""
    over: bool = False
    """Whether the edit's message can't be updated any more."""


class ProgressSink(Protocol):
    """Shows cards."""

    async def show(self, edit: Edit, stage: Stage) -> UpdateResult:
        """Show an edit's progress in its message, in one try and without raising."""
        ...


@dataclass(slots=True)
class _Card:
    edit: Edit
    due: float
    """When it may be updated next, by the loop's time."""
    stage: Stage | None = None
    """The one shown last."""
    overdue_from: datetime | None = None
    """The end of the earliest wait that was promised."""
    request: asyncio.Task[None] | None = field(default=None, repr=False)


class WaitingCards:
    """The cards of all open edits."""

    def __init__(
        self,
        sink: ProgressSink,
        estimates: Estimates,
        position_of: Callable[[int], QueuePosition | None],
        clock: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self._sink = sink
        self._estimates = estimates
        self._position_of = position_of
        self._clock = clock
        self._pace = pace or Pace()
        self._cards: dict[int, _Card] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._paused_until = 0.0
        self._worker: asyncio.Task[None] | None = None

    def follow(self, edit: Edit) -> None:
        """Show an edit's progress from now on, unless it is sent very soon."""
        age = (self._clock() - edit.held_at).total_seconds()
        self._cards[edit.order.id] = _Card(edit, due=_now() + max(0.0, self._pace.first_s - age))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())

    def update(self, edit: Edit) -> None:
        """Use a newer row of an edit."""
        card = self._cards.get(edit.order.id)
        if card is None:
            return
        card.edit = edit
        waited = (edit.submitted_at or self._clock()) - edit.held_at
        if card.stage is None and waited < timedelta(seconds=self._pace.first_s):
            self.stop(edit.order.id)

    def stop(self, edit_id: int) -> None:
        """Stop updating a card, since its message is used for something else."""
        card = self._cards.pop(edit_id, None)
        if card is not None and card.request is not None:
            card.request.cancel()

    async def close(self) -> None:
        """Stop all updates."""
        self._cards.clear()
        tasks = [*self._requests, *([] if self._worker is None else [self._worker])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while self._cards:
            await asyncio.sleep(self._pace.any_two_s)
            if len(self._requests) < MAX_REQUESTS and _now() >= self._paused_until:
                self._update_one()

    def _update_one(self) -> None:
        """Update the card that has been due for longest and has news."""
        now = _now()
        due = [card for card in self._cards.values() if card.due <= now and card.request is None]
        for card in sorted(due, key=lambda card: card.due):
            stage = self._stage(card)
            if stage is not None and stage != card.stage:
                card.stage = stage
                self._record_promise(card, stage)
                card.request = asyncio.create_task(self._show(card, stage))
                self._requests.add(card.request)
                card.request.add_done_callback(self._requests.discard)
                return
            card.due = now + RECHECK_S

    def _record_promise(self, card: _Card, stage: Stage) -> None:
        if isinstance(stage, Queued):
            promised = self._clock() + timedelta(seconds=tolerated_s(stage.wait_s))
            card.overdue_from = min(card.overdue_from or promised, promised)

    async def _show(self, card: _Card, stage: Stage) -> None:
        try:
            result = await self._sink.show(card.edit, stage)
        except Exception:
            log.exception("card.failed", edit=str(card.edit.order.id))
            result = UpdateResult(over=True)
        card.request = None
        now = _now()
        card.due = now + max(self._pace.per_card_s, result.pause_s)
        if result.for_all:
            self._paused_until = now + result.pause_s
        if result.over:
            self._cards.pop(card.edit.order.id, None)

    def _stage(self, card: _Card) -> Stage | None:
        edit = card.edit
        match edit.state:
            case State.HELD:
                position = self._position_of(edit.order.id)
                if position is None:
                    return None
                overdue = card.overdue_from is not None and self._clock() > card.overdue_from
                return queued(position, card.stage, overdue=overdue)
            case State.SUBMITTED:
                elapsed = self._clock() - (edit.submitted_at or edit.held_at)
                typical = self._estimates.typical(edit.order.quality)
                return in_progress(elapsed.total_seconds(), typical.whole, card.stage)
            case State.RENDERED:
                return Posting()
            case _:
                return None


def _now() -> float:
    return asyncio.get_running_loop().time()
