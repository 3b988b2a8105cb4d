"""Keeps the cards of edits that wait in step with what becomes of them, by few requests.

No edit waits for its card. Of all changes at most so many go out a second, each edit's in turn;
each is made once, shows what is true then, and is dropped where the end comes first.
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
from bot.scheduling.progress import BeingPosted, InLine, Stage, being_made, in_line, longest

AT_ONCE = 8
"""Requests under way at once."""

LOOK_AGAIN = 0.5
"""Seconds after which it is looked again whether there is news to show."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often cards change, in seconds."""

    first: float = 1.0
    """An edit that is sent so soon after its command needs no card."""
    between: float = 2.0
    """Between two changes of one card."""
    any_two: float = 0.1
    """Between any two changes, so that 300 edits that wait are told news every half minute."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What came of one change of a card."""

    pause: float = 0.0
    """Seconds in which no other change may follow."""
    for_all: bool = False
    """Whether the pause is one for all cards."""
    over: bool = False
    """Whether the edit's message takes no change any more."""


class ProgressSink(Protocol):
    """Where cards are shown."""

    async def show(self, edit: Edit, stage: Stage) -> UpdateResult:
        """Show how far the edit is, in its own message, in one try; it does not raise."""
        ...


@dataclass(slots=True)
class _Card:
    edit: Edit
    due: float
    """When it may change next, by the loop's time."""
    stage: Stage | None = None
    """What was sent last."""
    overdue_from: datetime | None = None
    """When its turn should have come by all means, by the most that was promised."""
    request: asyncio.Task[None] | None = field(default=None, repr=False)


class WaitingCards:
    """The cards of all edits that wait or are being made."""

    def __init__(
        self,
        screen: ProgressSink,
        estimates: Estimates,
        standing: Callable[[int], QueuePosition | None],
        clock: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self._screen = screen
        self._estimates = estimates
        self._standing = standing
        self._clock = clock
        self._pace = pace or Pace()
        self._cards: dict[int, _Card] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._paused_until = 0.0
        self._worker: asyncio.Task[None] | None = None

    def follow(self, edit: Edit) -> None:
        """Show where an edit stands from now on, if it is not sent very soon."""
        age = (self._clock() - edit.held_at).total_seconds()
        self._cards[edit.order.id] = _Card(edit, due=_now() + max(0.0, self._pace.first - age))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    def update(self, edit: Edit) -> None:
        """Go on with a newer row of an edit that is followed."""
        card = self._cards.get(edit.order.id)
        if card is None:
            return
        card.edit = edit
        waited = (edit.submitted_at or self._clock()) - edit.held_at
        if card.stage is None and waited < timedelta(seconds=self._pace.first):
            self.stop(edit.order.id)

    def stop(self, edit_id: int) -> None:
        """Show nothing more: its message says something else from now on."""
        card = self._cards.pop(edit_id, None)
        if card is not None and card.request is not None:
            card.request.cancel()

    async def close(self) -> None:
        """Stop all."""
        self._cards.clear()
        tasks = [*self._requests, *([] if self._worker is None else [self._worker])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        while self._cards:
            await asyncio.sleep(self._pace.any_two)
            if len(self._requests) < AT_ONCE and _now() >= self._paused_until:
                self._change_one()

    def _change_one(self) -> None:
        """Change the card that has been due for longest, of those that would show news."""
        now = _now()
        due = [card for card in self._cards.values() if card.due <= now and card.request is None]
        for card in sorted(due, key=lambda card: card.due):
            stage = self._stage(card)
            if stage is not None and stage != card.stage:
                card.stage = stage
                self._note_promise(card, stage)
                card.request = asyncio.create_task(self._change(card, stage))
                self._requests.add(card.request)
                card.request.add_done_callback(self._requests.discard)
                return
            card.due = now + LOOK_AGAIN

    def _note_promise(self, card: _Card, stage: Stage) -> None:
        if isinstance(stage, InLine):
            promised = self._clock() + timedelta(seconds=longest(stage.wait))
            card.overdue_from = min(card.overdue_from or promised, promised)

    async def _change(self, card: _Card, stage: Stage) -> None:
        try:
            shown = await self._screen.show(card.edit, stage)
        except Exception:
            log.exception("card.failed", edit=str(card.edit.order.id))
            shown = UpdateResult(over=True)
        card.request = None
        now = _now()
        card.due = now + max(self._pace.between, shown.pause)
        if shown.for_all:
            self._paused_until = now + shown.pause
        if shown.over:
            self._cards.pop(card.edit.order.id, None)

    def _stage(self, card: _Card) -> Stage | None:
        edit = card.edit
        match edit.state:
            case State.HELD:
                standing = self._standing(edit.order.id)
                if standing is None:
                    return None
                overdue = card.overdue_from is not None and self._clock() > card.overdue_from
                return in_line(standing, card.stage, overdue=overdue)
            case State.SUBMITTED:
                elapsed = self._clock() - (edit.submitted_at or edit.held_at)
                usual = self._estimates.typical(edit.order.quality).whole
                return being_made(elapsed.total_seconds(), usual, card.stage)
            case State.RENDERED:
                return BeingPosted()
            case _:
                return None


def _now() -> float:
    return asyncio.get_running_loop().time()
