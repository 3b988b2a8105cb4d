"""Members take turns at a limited number of slots."""

import asyncio

from bot.scheduling.fair_order import QueueEntry
from bot.scheduling.fair_slots import FairSlots
from tests.passing_time import settle

ADA, BOB = 40, 41

TIMEOUT_S = 5
"""Seconds after which a task won't get a slot any more."""


class Workshop:
    """Tasks that want a slot, and the order in which they got one."""

    def __init__(self, slots: int, per_member: int = 50) -> None:
        self.slots = FairSlots(slots, per_member=per_member)
        self.granted: list[int] = []
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

    async def _work(self, entry: QueueEntry) -> None:
        async with self.slots.slot(entry):
            self.granted.append(entry.edit_id)
            await self._releases[entry.edit_id].wait()


async def test_a_members_burst_delays_another_member_by_one_slot_at_most():
    shop = Workshop(slots=2)
    for edit_id in range(1, 51):
        await shop.come(edit_id, ADA)
    await shop.come(51, BOB)
    await shop.end(1)
    assert shop.granted == [1, 2, 51]
    await shop.end(*range(1, 52))
    async with asyncio.timeout(TIMEOUT_S):
        await asyncio.gather(*shop.tasks.values())
    assert sorted(shop.granted) == list(range(1, 52))


async def test_a_canceled_task_passes_its_slot_on():
    shop = Workshop(slots=1)
    for edit_id in (1, 2, 3, 4):
        await shop.come(edit_id, ADA)
    shop.tasks[2].cancel()
    shop.tasks[1].cancel()
    await settle()
    assert shop.granted == [1, 3]
    await shop.end(3)
    assert shop.granted == [1, 3, 4]
    await shop.end(4)
    await shop.come(5, BOB)
    assert shop.granted == [1, 3, 4, 5]
    await shop.end(5)


async def test_a_task_canceled_as_another_ends_is_skipped():
    shop = Workshop(slots=1)
    for edit_id in (1, 2, 3):
        await shop.come(edit_id, ADA)
    shop.tasks[1].cancel()
    shop.tasks[2].cancel()
    await settle()
    assert shop.granted == [1, 3]
    await shop.end(3)


async def test_a_task_canceled_right_after_the_grant_gives_its_slot_back():
    shop = Workshop(slots=1)
    for edit_id in (1, 2, 3):
        await shop.come(edit_id, ADA)
    shop.tasks[1].cancel()
    await asyncio.sleep(0)
    # It has a slot, but its task hasn't run yet.
    shop.tasks[2].cancel()
    await settle()
    assert shop.granted == [1, 3]
    await shop.end(3)


async def test_a_slot_stays_free_if_only_a_member_at_the_limit_waits():
    shop = Workshop(slots=2, per_member=1)
    for edit_id in (1, 2, 3):
        await shop.come(edit_id, ADA)
    assert shop.granted == [1]
    await shop.come(4, BOB)
    assert shop.granted == [1, 4]
    await shop.end(1)
    assert shop.granted == [1, 4, 2]
    await shop.end(2, 3, 4)
    assert shop.granted == [1, 4, 2, 3]
