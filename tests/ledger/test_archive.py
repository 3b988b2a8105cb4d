"""Members' data in the ledger: handed out whole, erased for good, and never an account with it."""

import asyncio
import random
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.edits import Edit
from bot.domain.lifecycle import Reason, State
from bot.domain.quotas import window_at
from bot.ledger import Ledger
from bot.ledger.archive import AccountDay, Erasure
from bot.ledger.sqlite import SqliteStores, open_sqlite
from bot.ledger.sqlite.connection import connect_to_read, rows
from tests.invariants import find_contradictions
from tests.ledger.archived import (
    NOON,
    RESULTS,
    TOMORROW,
    deliver,
    hold,
    kept,
    kept_prompts,
    kept_sources,
    source_in,
    source_of,
)
from tests.members import look_up
from tests.orders import order


async def fail(ledger: Ledger, edit_id: int, reason: Reason, **changes: Any) -> None:
    """End without pictures, of which the member is still to be told."""
    await hold(ledger, edit_id, submit=True, **changes)
    await ledger.void(edit_id, reason, detail="No.", now=NOON)


# What is handed out.


async def test_all_that_is_kept_of_an_edit_is_handed_out(stores: SqliteStores) -> None:
    await hold(stores.ledger, 1, count=2, private=True, role_ids=(5, 6), submit=True)
    await stores.ledger.acknowledge(1, message_id=77, now=NOON)
    await stores.ledger.render(1, RESULTS, now=TOMORROW)
    await stores.ledger.capture(1, posted=1, now=TOMORROW)

    assert await kept(stores.archive) == [
        Edit(
            order=order(1, count=2, private=True, role_ids=(5, 6), token=None),
            price=8,
            state=State.DELIVERED,
            reason=None,
            detail=None,
            message_id=77,
            ratio="1:1",
            results=RESULTS,
            posted=1,
            charged=8,
            held_at=NOON,
            acknowledged_at=NOON,
            submitted_at=NOON,
            rendered_at=TOMORROW,
            ended_at=TOMORROW,
        )
    ]


async def test_the_sums_are_those_of_the_member_by_day(stores: SqliteStores) -> None:
    await deliver(stores.ledger, 1, count=2)
    await hold(stores.ledger, 2, TOMORROW)
    await deliver(stores.ledger, 3, member_id=41)

    sums = await stores.archive.summary(20, 40)

    assert sums.accounts == [
        AccountDay(date(2026, 11, 23), granted=0, held=0, spent=8, sent=16),
        AccountDay(date(2026, 11, 24), granted=0, held=8, spent=0, sent=0),
    ]
    assert sums.edits == 2


async def test_edits_come_newest_first_and_each_on_one_page(stores: SqliteStores) -> None:
    # Of the same moment several, and ids not in the order of time.
    for edit_id in (5, 1, 4, 2, 3, 7, 6):
        await hold(stores.ledger, edit_id, NOON + timedelta(minutes=edit_id // 3))

    seen: list[int] = []
    last: Edit | None = None
    while page := await stores.archive.edits(20, 40, before=last, limit=2):
        seen += [edit.order.id for edit in page]
        last = page[-1]

    assert seen == [7, 6, 5, 4, 3, 2, 1]


# What is erased.


async def test_what_was_erased_is_gone_and_accounts_and_sums_stand(stores: SqliteStores) -> None:
    await deliver(stores.ledger, 1, count=2)
    await fail(stores.ledger, 2, Reason.API_DECLINED)
    await stores.ledger.forget_token(2)
    (before, usage_before) = (
        await stores.archive.summary(20, 40),
        await stores.usage.server(20, None),
    )

    assert await stores.archive.erase(20, 40) == Erasure(erased=2, pending=0)

    for edit in await kept(stores.archive):
        assert (edit.order.personal, edit.results, edit.detail) == (None, (), None)
    assert await stores.archive.summary(20, 40) == before
    assert await stores.usage.server(20, None) == usage_before
    assert [row.member_name for row in await stores.usage.rows(20, None, after=0, limit=9)] == [
        None,
        None,
    ]
    usage = await stores.usage.usage(20, window=window_at(NOON), since=NOON.date(), limit=10)
    assert [(each.name, each.credits) for each in usage.top] == [(None, 8)]


async def test_what_was_erased_is_not_erased_again(stores: SqliteStores) -> None:
    await deliver(stores.ledger, 1)
    await stores.archive.erase(20, 40)
    assert await stores.archive.erase(20, 40) == Erasure(erased=0, pending=0)


async def test_what_others_and_other_servers_have_stays(stores: SqliteStores) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, member_id=41)
    await deliver(stores.ledger, 3, guild_id=21)

    await stores.archive.erase(20, 40)

    assert await kept_prompts(stores.archive) == []
    assert await kept_prompts(stores.archive, member_id=41) == ["make it blue"]
    assert await kept_prompts(stores.archive, guild_id=21) == ["make it blue"]


async def test_an_edit_under_way_keeps_its_data_until_it_is_delivered(
    stores: SqliteStores,
) -> None:
    await hold(stores.ledger, 1, submit=True)
    assert await stores.archive.erase(20, 40) == Erasure(erased=0, pending=1)

    rendered = await stores.ledger.render(1, RESULTS, now=NOON)
    assert rendered is not None
    assert (rendered.order.prompt, rendered.results) == ("make it blue", RESULTS)
    delivered = await stores.ledger.capture(1, posted=1, now=NOON)
    assert delivered is not None
    assert (delivered.order.prompt, delivered.charged) == ("make it blue", 8)

    assert await kept_prompts(stores.archive) == []


async def test_an_end_that_was_not_told_yet_keeps_its_data_until_it_is(
    stores: SqliteStores,
) -> None:
    await fail(stores.ledger, 1, Reason.API_DECLINED)
    assert await stores.archive.erase(20, 40) == Erasure(erased=0, pending=1)

    (untold,) = await stores.ledger.unfinished()
    assert (untold.order.prompt, untold.detail) == ("make it blue", "No.")
    await stores.ledger.forget_token(1)

    assert await kept_prompts(stores.archive) == []


async def test_an_edit_that_began_after_the_erasing_keeps_its_data(stores: SqliteStores) -> None:
    await stores.archive.erase(20, 40)
    await deliver(stores.ledger, 1)
    assert await kept_prompts(stores.archive) == ["make it blue"]


async def test_a_restart_between_the_erasing_and_the_end_changes_nothing(path: Path) -> None:
    async with open_sqlite(path) as stores:
        await hold(stores.ledger, 1, submit=True)
        await stores.ledger.render(1, RESULTS, now=NOON)
        await stores.archive.erase(20, 40)
    async with open_sqlite(path) as stores:
        (left,) = await stores.ledger.unfinished()
        assert (left.order.prompt, left.results) == ("make it blue", RESULTS)
        await stores.ledger.capture(1, posted=1, now=NOON)
        assert await kept_prompts(stores.archive) == []
        assert (await stores.archive.summary(20, 40)).accounts[0].spent == 8
    assert find_contradictions(path) == []


async def test_by_age_the_oldest_are_erased_a_few_at_a_time(stores: SqliteStores) -> None:
    for edit_id in range(1, 8):
        await deliver(stores.ledger, edit_id, NOON + timedelta(hours=edit_id), prompt=f"{edit_id}")
    limit = NOON + timedelta(hours=6)

    assert await stores.archive.erase_older(limit, limit=3) == 3
    assert await kept_prompts(stores.archive) == ["7", "6", "5", "4"]
    assert await stores.archive.erase_older(limit, limit=3) == 2
    assert await stores.archive.erase_older(limit, limit=3) == 0
    assert await kept_prompts(stores.archive) == ["7", "6"]


async def test_by_age_nothing_of_an_edit_is_erased_before_its_end_was_told(
    stores: SqliteStores,
) -> None:
    await hold(stores.ledger, 1)
    await fail(stores.ledger, 2, Reason.API_FAILED)
    assert await stores.archive.erase_older(TOMORROW, limit=10) == 0
    await stores.ledger.forget_token(2)
    assert await stores.archive.erase_older(TOMORROW, limit=10) == 1


# Originals of edits that were run again.


async def test_a_rerun_keeps_no_copy_of_the_original_once_it_ends(
    stores: SqliteStores, path: Path
) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, member_id=41, source_edit_id=1)
    await fail(stores.ledger, 3, Reason.API_DECLINED, member_id=42, source_edit_id=1)
    await hold(stores.ledger, 4, member_id=43, source_edit_id=1)

    copies = look_up(path, "SELECT edit_id, source_url, source_name FROM edit_private")

    original = ("https://cdn.discordapp.com/photo.png", "photo.png")
    assert copies == [(1, *original), (2, "", ""), (3, "", ""), (4, *original)]
    assert [await source_of(stores.ledger, edit_id) for edit_id in (1, 2, 3, 4)] == [original] * 4


async def test_an_export_has_the_originals_of_its_member_alone(stores: SqliteStores) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, source_edit_id=1)
    await deliver(stores.ledger, 3, member_id=41, source_edit_id=1)
    await hold(stores.ledger, 4, member_id=41, source_edit_id=1)

    original = ("https://cdn.discordapp.com/photo.png", "photo.png")
    assert await kept_sources(stores.archive) == [original, original]
    assert await kept_sources(stores.archive, member_id=41) == [("", "")] * 2
    page, _ = await stores.archive.page(20, 41, skip=0, limit=9)
    assert list(map(source_in, page)) == [("", "")] * 2


async def test_an_original_that_its_member_erased_is_gone_from_every_rerun(
    stores: SqliteStores, path: Path
) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, member_id=41, source_edit_id=1)
    await stores.archive.erase(20, 40)
    assert await source_of(stores.ledger, 2) == ("", "")
    assert await kept_prompts(stores.archive, member_id=41) == ["make it blue"]

    # Somebody ran it again just before, and their order comes after.
    await deliver(stores.ledger, 3, member_id=42, source_edit_id=1)
    assert await source_of(stores.ledger, 3) == ("", "")
    assert look_up(path, "SELECT edit_id FROM edit_private WHERE source_url <> ''") == []


async def test_deleting_an_edit_erases_its_original_from_all_of_ones_edits(
    stores: SqliteStores,
) -> None:
    upload = "https://cdn/a.png"
    for edit_id, url, member_id in (
        (1, f"{upload}?ex=1", 40),
        (2, f"{upload}?ex=2", 40),
        (3, upload, 41),
        (4, f"{upload}x", 40),
    ):
        await deliver(stores.ledger, edit_id, source_url=url, member_id=member_id)
    await stores.archive.erase_links(1)
    left = [await source_of(stores.ledger, edit_id) for edit_id in (1, 2, 3, 4)]
    assert [url for url, _ in left] == ["", "", upload, f"{upload}x"]


async def test_deleting_an_edits_links_erases_what_the_service_said(stores: SqliteStores) -> None:
    await fail(stores.ledger, 1, Reason.API_DECLINED)
    await stores.archive.erase_links(1)
    edit = await stores.ledger.find(1)
    assert edit is not None
    assert edit.detail is None


@pytest.mark.parametrize("deleted", [1, 2], ids=["first", "own rerun"])
async def test_deleting_ones_own_edit_erases_the_original_of_every_rerun(
    stores: SqliteStores, path: Path, deleted: int
) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, source_edit_id=1)
    await deliver(stores.ledger, 3, member_id=41, source_edit_id=1)
    await deliver(stores.ledger, 4, source_url="https://cdn/other.png")

    await stores.archive.erase_links(deleted)

    assert [await source_of(stores.ledger, edit_id) for edit_id in (1, 2, 3)] == [("", "")] * 3
    kept_results = look_up(path, "SELECT edit_id FROM edit_private WHERE results <> '[]'")
    assert [edit_id for (edit_id,) in kept_results] == [
        each for each in (1, 2, 3, 4) if each != deleted
    ]
    assert (await source_of(stores.ledger, 4))[1] == "photo.png"


async def test_deleting_a_rerun_of_anothers_edit_leaves_the_original(stores: SqliteStores) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, member_id=41, source_edit_id=1)

    await stores.archive.erase_links(2)

    assert (await source_of(stores.ledger, 1))[1] == "photo.png"
    assert await source_of(stores.ledger, 2) == ("", "")


async def test_an_export_has_neither_name_nor_address_of_a_deleted_original(
    stores: SqliteStores,
) -> None:
    await deliver(stores.ledger, 1)
    await stores.archive.erase_links(1)
    assert await kept_sources(stores.archive) == [("", "")]


async def test_by_age_an_original_goes_with_the_edit_that_it_was_given_to(
    stores: SqliteStores,
) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, TOMORROW, member_id=41, source_edit_id=1)
    assert await stores.archive.erase_older(TOMORROW, limit=10) == 1
    assert await source_of(stores.ledger, 2) == ("", "")
    assert await kept_prompts(stores.archive, member_id=41) == ["make it blue"]


async def test_a_stop_warns_if_another_process_keeps_traces_in_the_file(path: Path) -> None:
    with capture_logs() as logs:
        async with open_sqlite(path) as stores:
            await hold(stores.ledger, 1)
            reader = connect_to_read(path)
            rows(reader, "BEGIN")
            rows(reader, "SELECT id FROM edit")
        reader.close()
    assert [entry["event"] for entry in logs] == ["ledger.traces_left"]


@pytest.mark.drill
async def test_no_byte_of_what_was_erased_stays_in_any_file_after_the_bot_stopped(
    path: Path,
) -> None:
    # Of many lengths, and growing when results come: SQLite moves rows from page to page.
    chance = random.Random(1)
    edit_ids = chance.sample(range(1, 2_000), 1_999)
    lengths = {edit_id: chance.choice((1, 3, 10, 40)) for edit_id in edit_ids}

    async with open_sqlite(path) as stores:

        async def begin(edit_id: int) -> None:
            secret = f"secret-{edit_id}-" * lengths[edit_id]
            member = 1 + edit_id % 3
            await hold(stores.ledger, edit_id, submit=True, member_id=member, prompt=secret)

        async def end(edit_id: int) -> None:
            results = [f"https://secret-{edit_id}-/"] * lengths[edit_id]
            await stores.ledger.render(edit_id, results, now=NOON)
            await stores.ledger.capture(edit_id, posted=1, now=NOON)
            await stores.archive.erase_older(TOMORROW, limit=chance.choice((0, 0, 1)))

        await asyncio.gather(*map(begin, edit_ids))
        await asyncio.gather(*map(end, chance.sample(edit_ids, len(edit_ids))))
        await stores.archive.erase(20, 1)
        still_kept = {
            edit.order.id
            for member_id in (1, 2, 3)
            for edit in await kept(stores.archive, 20, member_id)
            if not edit.erased
        }

    found = b"".join(file.read_bytes() for file in path.parent.iterdir())
    named = {int(edit_id) for edit_id in re.findall(rb"secret-(\d+)-", found)}
    assert len(still_kept) > 100
    assert named == still_kept
