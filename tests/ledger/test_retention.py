"""What is older than it may be kept is erased: in small steps, every hour, whatever fails."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from bot.domain.errors import LedgerError
from bot.domain.lifecycle import Reason
from bot.domain.quotas import OperatorLimits
from bot.ledger.retention import BATCH, BATCH_PAUSE_S, RETRY_DELAY_S, SWEEP_INTERVAL_S, Retention
from bot.ledger.sqlite import SqliteStores, open_sqlite
from bot.ledger.sqlite.connection import connect_to_write, rows
from sandbox.faults import DiscordFault, Hang
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import make_image
from tests.invariants import find_contradictions
from tests.members import Person, change, look_up
from tests.orders import order
from tests.store_faults import locked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEEP = timedelta(days=90)


@pytest.fixture
async def stores(path: Path) -> AsyncGenerator[SqliteStores]:
    async with open_sqlite(path, busy_timeout_ms=50) as opened:
        yield opened
    assert find_contradictions(path) == []


class Clock:
    """Time that passes only while it is waited for."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.waits: list[float] = []
        self._most = 1_000

    def __call__(self) -> datetime:
        return self.now

    def stop_after(self, waits: int) -> None:
        """End whoever waits once more."""
        self._most = waits

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        if len(self.waits) == self._most:
            raise asyncio.CancelledError
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)


async def end_edits(stores: SqliteStores, edits: int, held_at: datetime, *, first: int = 1) -> None:
    """Let edits of one moment end."""

    async def end(edit_id: int) -> None:
        await stores.ledger.hold(
            order(edit_id), limits=OperatorLimits(None), owner="test", now=held_at
        )
        await stores.ledger.void(edit_id, Reason.API_FAILED, detail=None, now=held_at)
        await stores.ledger.forget_token(edit_id)

    await asyncio.gather(*map(end, range(first, first + edits)))


def count_kept(database: Path) -> int:
    """Of how many edits there are prompts still."""
    ((kept,),) = look_up(database, "SELECT count(*) FROM edit_private")
    return kept


async def run_until_stopped(retention: Retention) -> None:
    with pytest.raises(asyncio.CancelledError):
        await retention.run()


async def test_what_is_older_than_it_may_be_kept_is_erased_and_nothing_younger(
    stores: SqliteStores, path: Path
) -> None:
    await end_edits(stores, 1, NOON - KEEP - timedelta(milliseconds=1))
    await end_edits(stores, 1, NOON - KEEP, first=2)
    clock = Clock(NOON)

    assert await Retention(stores.archive, KEEP, clock=clock, wait=clock.wait).sweep() == 1

    assert look_up(path, "SELECT edit_id FROM edit_private") == [(2,)]


async def test_a_sweep_is_made_of_small_steps_and_others_have_their_turn_between(
    stores: SqliteStores, path: Path
) -> None:
    await end_edits(stores, 2 * BATCH + 1, NOON - KEEP - timedelta(days=1))
    clock, kept = Clock(NOON), list[int]()

    async def wait(seconds: float) -> None:
        kept.append(count_kept(path))
        await clock.wait(seconds)

    assert await Retention(stores.archive, KEEP, clock=clock, wait=wait).sweep() == 2 * BATCH + 1

    assert kept == [BATCH + 1, 1, 0]
    assert clock.waits == [BATCH_PAUSE_S] * 3


async def test_it_sweeps_at_the_start_and_then_every_hour(stores: SqliteStores, path: Path) -> None:
    await end_edits(stores, 1, NOON - KEEP - timedelta(minutes=1))
    await end_edits(stores, 1, NOON - KEEP + timedelta(minutes=30), first=2)
    clock = Clock(NOON)
    clock.stop_after(3)

    await run_until_stopped(Retention(stores.archive, KEEP, clock=clock, wait=clock.wait))

    assert clock.waits == [BATCH_PAUSE_S, SWEEP_INTERVAL_S, BATCH_PAUSE_S]
    assert count_kept(path) == 0


async def test_a_ledger_that_does_not_answer_is_asked_again_later(
    stores: SqliteStores, path: Path, events: Events
) -> None:
    await end_edits(stores, 1, NOON - KEEP - timedelta(days=1))
    other = connect_to_write(path)
    rows(other, "BEGIN IMMEDIATE")
    clock = Clock(NOON)
    clock.stop_after(3)

    async def wait(seconds: float) -> None:
        if seconds == RETRY_DELAY_S and len(clock.waits) == 1:
            rows(other, "ROLLBACK")
        await clock.wait(seconds)

    await run_until_stopped(Retention(stores.archive, KEEP, clock=clock, wait=wait))
    other.close()

    assert clock.waits == [RETRY_DELAY_S, RETRY_DELAY_S, BATCH_PAUSE_S]
    assert count_kept(path) == 0
    await events.logs("retention.failed", times=2)


async def test_what_nobody_foresaw_does_not_end_it_either(
    stores: SqliteStores, events: Events
) -> None:
    clock = Clock(NOON)
    clock.stop_after(1)
    retention = Retention(stores.archive, KEEP, clock=broken_clock, wait=clock.wait)
    await run_until_stopped(retention)
    assert clock.waits == [RETRY_DELAY_S]
    await events.logs("retention.failed")


def broken_clock() -> NoReturn:
    raise OverflowError("the date is out of range")


async def test_a_step_that_fails_is_raised_to_whoever_sweeps_by_hand(
    stores: SqliteStores, path: Path
) -> None:
    with locked(path), pytest.raises(LedgerError):
        await Retention(stores.archive, KEEP).sweep()


# In the bot.


def let_grow_old(bot: RunningBot, edit: Interaction, age: timedelta) -> None:
    """Let an edit's data be older, in the file of a bot that is stopped."""
    milliseconds = round(age.total_seconds() * 1000)
    for statement in (
        "UPDATE edit SET held_at = held_at - $2 WHERE id = $1",
        "UPDATE edit_private SET held_at = held_at - $2 WHERE edit_id = $1",
    ):
        change(bot.settings.database, statement, edit.id, milliseconds)


@pytest.mark.usefixtures("small_results")
async def test_the_bot_erases_by_age_and_what_members_have_left_stays(
    start_bot: StartBot, ada: Person, events: Events
) -> None:
    bot = await start_bot()
    edits = [await ada.edit(), await ada.edit()]
    await events.logs("edit.closed", times=2)
    await bot.stop()
    let_grow_old(bot, edits[0], KEEP + timedelta(hours=1))
    let_grow_old(bot, edits[1], KEEP - timedelta(hours=1))

    bot = await start_bot(retention=KEEP)
    await events.logs("retention.erased", edits=1)

    assert look_up(bot.settings.database, "SELECT edit_id FROM edit_private") == [(edits[1].id,)]
    text = await ada.credits()
    assert "Left 64 · Held 0 · Spent 16" in text
    assert text.count("Medium × 1 · 8 credits") == 2


@pytest.mark.usefixtures("small_results")
async def test_without_a_retention_everything_is_kept(
    start_bot: StartBot, ada: Person, events: Events
) -> None:
    bot = await start_bot()
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    await bot.stop()
    let_grow_old(bot, edit, timedelta(days=3_650))

    bot = await start_bot(retention=None)
    another = await ada.edit()
    await events.logs("edit.closed", edit=str(another.id))
    await bot.stop()

    assert count_kept(bot.settings.database) == 2


async def test_a_bot_whose_edits_are_under_way_keeps_what_they_need(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
) -> None:
    sandbox.edit_api.answer_with([make_image(width=64, height=48)])
    post = sandbox.faults.discord.add(
        DiscordFault(action=Hang(), method="PATCH", path="/messages/@original$", times=1)
    )
    bot = await start_bot()
    edit = await ada.edit()
    await post.happened()
    await bot.stop()
    change(bot.settings.database, "UPDATE edit_private SET held_at = 0")

    bot = await start_bot(retention=KEEP)
    assert (await edit.settled()).files
    await events.logs("edit.closed", edit=str(edit.id))
    assert ada.account() == (0, 8)
