"""Members take turns at what few can do at once."""

import asyncio

from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.fair_slots import FairSlots
from tests.passing_time import settle

ADA, BOB = 40, 41

PATIENCE = 5
"""Seconds after which somebody's turn will not come any more."""


class Workshop:
    """Those who want a place, and the order in which they got one."""

    def __init__(self, places: int, per_member: int = 50) -> None:
        self.slots = FairSlots(places, per_member=per_member)
        self.called: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._releases: dict[int, asyncio.Event] = {}

    async def come(self, edit_id: int, member_id: int) -> None:
        self._releases[edit_id] = asyncio.Event()
        self.tasks[edit_id] = asyncio.create_task(self._work(QueueEntry(edit_id, member_id)))
        await settle()

    async def end(self, *edit_ids: int) -> None:
        for edit_id in edit_ids:
            self._releases[edit_id].set()
        await settle()

    async def _work(self, who: QueueEntry) -> None:
        async with self.slots.slot(who):
            self.called.append(who.edit_id)
            await self._releases[who.edit_id].wait()


async def test_a_members_burst_delays_another_member_by_one_slot_at_most():
    shop = Workshop(places=2)
    for edit_id in range(1, 51):
        await shop.come(edit_id, ADA)
    await shop.come(51, BOB)
    await shop.end(1)
    assert shop.called == [1, 2, 51]
    await shop.end(*range(1, 52))
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*shop.tasks.values())
    assert sorted(shop.called) == list(range(1, 52))


async def test_a_canceled_task_passes_its_slot_on():
    shop = Workshop(places=1)
    for edit_id in (1, 2, 3, 4):
        await shop.come(edit_id, ADA)
    shop.tasks[2].cancel()
    shop.tasks[1].cancel()
    await settle()
    assert shop.called == [1, 3]
    await shop.end(3)
    assert shop.called == [1, 3, 4]
    await shop.end(4)
    await shop.come(5, BOB)
    assert shop.called == [1, 3, 4, 5]
    await shop.end(5)


async def test_a_task_canceled_as_another_ends_is_skipped():
    shop = Workshop(places=1)
    for edit_id in (1, 2, 3):
        await shop.come(edit_id, ADA)
    shop.tasks[1].cancel()
    shop.tasks[2].cancel()
    await settle()
    assert shop.called == [1, 3]
    await shop.end(3)


async def test_a_task_canceled_right_after_the_grant_gives_its_slot_back():
    shop = Workshop(places=1)
    for edit_id in (1, 2, 3):
        await shop.come(edit_id, ADA)
    shop.tasks[1].cancel()
    await asyncio.sleep(0)
    # Its turn has come, and it does not know yet.
    shop.tasks[2].cancel()
    await settle()
    assert shop.called == [1, 3]
    await shop.end(3)


async def test_a_slot_stays_free_if_only_a_member_at_the_limit_waits():
    shop = Workshop(places=2, per_member=1)
    for edit_id in (1, 2, 3):
        await shop.come(edit_id, ADA)
    assert shop.called == [1]
    await shop.come(4, BOB)
    assert shop.called == [1, 4]
    await shop.end(1)
    assert shop.called == [1, 4, 2]
    await shop.end(2, 3, 4)
    assert shop.called == [1, 4, 2, 3]
