"""A card says what is true of its edit, also when nothing changes for long."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.domain.edits import Edit
from bot.domain.lifecycle import State
from bot.scheduling.estimates import Estimates
from bot.scheduling.fair_order import QueuePosition
from bot.scheduling.progress import Queued, Stage
from bot.scheduling.status_updates import Pace, ProgressSink, UpdateResult, WaitingCards
from tests.orders import order

HELD_AT = datetime(2026, 11, 25, tzinfo=UTC)

PATIENCE = 5
"""Seconds after which a card will not change any more."""


class Shows(ProgressSink):
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.stages: asyncio.Queue[Stage] = asyncio.Queue()

    async def show(self, edit: Edit, stage: Stage) -> UpdateResult:
        self.stages.put_nowait(stage)
        return UpdateResult()

    async def next(self) -> Stage:
        async with asyncio.timeout(PATIENCE):
            return await self.stages.get()


async def test_a_turn_that_does_not_come_although_it_always_seems_near_is_said_to_be_late():
    screen, now = Shows(), [HELD_AT]
    pace = Pace(first_s=0, per_card_s=0, any_two_s=0.001)
    cards = WaitingCards(screen, Estimates(), lambda _: QueuePosition(1, 3.0), lambda: now[0], pace)
    cards.follow(held())
    assert await screen.next() == Queued(1, 5)
    now[0] += timedelta(seconds=17)
    assert await screen.next() == Queued(1, 5, late=True)
    await cards.close()


def held() -> Edit:
    """An edit that waits."""
    return Edit(
        order=order(1),
        price=8,
        state=State.HELD,
        reason=None,
        detail=None,
        message_id=None,
        ratio=None,
        results=(),
        posted=0,
        charged=0,
        held_at=HELD_AT,
        acknowledged_at=HELD_AT,
        submitted_at=None,
        rendered_at=None,
        ended_at=None,
    )
