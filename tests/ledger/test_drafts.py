"""Drafts in the ledger: found as they were kept, by everyone for an hour, taken by one."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import LedgerError
from bot.domain.images import ImageLink
from bot.domain.pricing import Quality
from bot.ledger.drafts import DRAFT_LIFETIME, MAX_DRAFTS, Draft, DraftBook
from bot.ledger.retention import DRAFT_SWEEP_INTERVAL_S, erase_old_drafts
from bot.ledger.sqlite import SqliteStores
from tests.members import look_up
from tests.store_faults import broken

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DRAFT = Draft(
    id=2**63 - 1,
    guild_id=2,
    member_id=3,
    sources=(
        ImageLink("https://cdn.discordapp.com/1", "a “b”.png", "image/png", 5, 6, 7, spoiler=True),
        ImageLink("https://cdn.discordapp.com/2", "c.png"),
    ),
    public=True,
    channel_id=2**62,
    private=True,
    prompt="blau\n“日本”\ud83d",
    quality=Quality.HIGH,
    size="2:1",
    count=4,
    chose_quality=False,
    chose_size=False,
)


@pytest.fixture
def drafts(stores: SqliteStores) -> DraftBook:
    return stores.drafts


@pytest.mark.parametrize("draft", [DRAFT, Draft(1, 2, 3)])
async def test_a_draft_is_found_as_it_was_kept(drafts: DraftBook, draft: Draft) -> None:
    await drafts.keep(draft, now=NOON)
    assert await drafts.find(draft.id, now=NOON) == draft
    assert await drafts.find(draft.id + 1 if draft.id == 1 else 1, now=NOON) is None


async def test_it_is_found_for_an_hour(drafts: DraftBook) -> None:
    await drafts.keep(DRAFT, now=NOON)
    assert await drafts.find(DRAFT.id, now=NOON + DRAFT_LIFETIME - SECOND) == DRAFT
    assert await drafts.find(DRAFT.id, now=NOON + DRAFT_LIFETIME) is None
    assert await drafts.take(DRAFT.id, now=NOON + DRAFT_LIFETIME) is None


async def test_what_is_kept_anew_takes_the_place_of_what_was(drafts: DraftBook) -> None:
    await drafts.keep(DRAFT, now=NOON)
    again = replace(DRAFT, prompt="other")
    await drafts.keep(again, now=NOON + DRAFT_LIFETIME)
    assert await drafts.find(DRAFT.id, now=NOON + DRAFT_LIFETIME) == again


async def test_of_those_who_take_it_at_once_one_gets_it(drafts: DraftBook) -> None:
    await drafts.keep(DRAFT, now=NOON)
    taken = await asyncio.gather(*(drafts.take(DRAFT.id, now=NOON) for _ in range(20)))
    assert [each for each in taken if each] == [DRAFT]
    assert await drafts.find(DRAFT.id, now=NOON) is None


async def test_a_member_has_a_limited_number_of_drafts(drafts: DraftBook) -> None:
    await drafts.keep(replace(DRAFT, id=1_000, member_id=4), now=NOON)
    for number in range(1, MAX_DRAFTS + 3):
        await drafts.keep(replace(DRAFT, id=number), now=NOON + number * SECOND)
    left = [await drafts.find(number, now=NOON) for number in range(1, MAX_DRAFTS + 3)]
    assert [draft is not None for draft in left] == [False, False, *[True] * MAX_DRAFTS]
    assert await drafts.find(1_000, now=NOON) is not None


async def test_a_taken_draft_can_be_restored(drafts: DraftBook) -> None:
    await drafts.keep(DRAFT, now=NOON)
    await drafts.take(DRAFT.id, now=NOON)
    await drafts.restore(DRAFT.id, now=NOON)
    assert await drafts.find(DRAFT.id, now=NOON) == DRAFT


async def test_a_draft_that_was_erased_while_taken_stays_erased(stores: SqliteStores) -> None:
    await stores.drafts.keep(DRAFT, now=NOON)
    await stores.drafts.take(DRAFT.id, now=NOON)
    await stores.archive.erase(DRAFT.guild_id, DRAFT.member_id)
    await stores.drafts.restore(DRAFT.id, now=NOON)
    assert await stores.drafts.find(DRAFT.id, now=NOON) is None


async def test_old_drafts_are_erased_and_no_others(drafts: DraftBook, path: Path) -> None:
    for number in range(1, 5):
        await drafts.keep(replace(DRAFT, id=number), now=NOON + number * SECOND)
    assert await drafts.erase_older(NOON + 3 * SECOND) == 2
    assert look_up(path, "SELECT id FROM draft ORDER BY id") == [(3,), (4,)]


@pytest.mark.usefixtures("events")
async def test_they_are_looked_for_every_few_minutes_whatever_fails(
    drafts: DraftBook, path: Path
) -> None:
    await drafts.keep(DRAFT, now=NOON)
    now, waits = NOON, list[float]()

    async def wait(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += timedelta(seconds=seconds)
        if now > NOON + DRAFT_LIFETIME + timedelta(seconds=DRAFT_SWEEP_INTERVAL_S):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError), broken(path, "draft"):
        await erase_old_drafts(drafts, clock=lambda: now, wait=wait)
    assert look_up(path, "SELECT count(*) FROM draft") == [(1,)]
    now = NOON
    with pytest.raises(asyncio.CancelledError):
        await erase_old_drafts(drafts, clock=lambda: now, wait=wait)
    assert look_up(path, "SELECT count(*) FROM draft") == [(0,)]
    assert set(waits) == {DRAFT_SWEEP_INTERVAL_S}


async def test_a_member_who_has_their_data_erased_has_no_drafts(
    stores: SqliteStores, path: Path
) -> None:
    await stores.drafts.keep(DRAFT, now=NOON)
    await stores.drafts.keep(replace(DRAFT, id=5, member_id=4), now=NOON)
    assert (await stores.archive.summary(DRAFT.guild_id, DRAFT.member_id)).drafts == [DRAFT]
    await stores.archive.erase(DRAFT.guild_id, DRAFT.member_id)
    assert look_up(path, "SELECT id FROM draft") == [(5,)]


async def test_a_table_that_is_not_there_is_the_ledgers_fault(
    drafts: DraftBook, path: Path
) -> None:
    with broken(path, "draft"):
        for call in (
            drafts.keep(DRAFT, now=NOON),
            drafts.find(1, now=NOON),
            drafts.take(1, now=NOON),
            drafts.erase_older(NOON),
        ):
            with pytest.raises(LedgerError):
                await call
