"""Members' data in the ledger: handed out whole, erased for good, and never an account with it."""

import asyncio
import random
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from bot.domain.edits import Edit, Held
from bot.domain.lifecycle import OPEN_STATES, Reason, State
from bot.domain.quotas import OperatorLimits, window_at
from bot.ledger import Ledger
from bot.ledger.archive import AccountDay, Archive, Erasure
from bot.ledger.sqlite import SqliteStores, open_sqlite
from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.ledger.sqlite.migrations import MIGRATIONS, migrate
from tests.invariants import find_contradictions
from tests.members import look_up
from tests.orders import order

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOMORROW = NOON + timedelta(days=1)
NO_LIMITS = OperatorLimits(None)
RESULTS = ("https://results.example/1.png", "https://results.example/2.png")


async def hold(
    ledger: Ledger, edit_id: int, now: datetime = NOON, *, submit: bool = False, **changes: Any
) -> None:
    wanted = order(edit_id, **changes)
    assert isinstance(await ledger.hold(wanted, limits=NO_LIMITS, owner="test", now=now), Held)
    if submit:
        await ledger.submit(edit_id, ratio="1:1", now=now)


async def deliver(
    ledger: Ledger, edit_id: int, now: datetime = NOON, *, posted: int = 1, **changes: Any
) -> None:
    await hold(ledger, edit_id, now, submit=True, **changes)
    await ledger.render(edit_id, RESULTS, now=now)
    await ledger.capture(edit_id, posted=posted, now=now)


async def fail(ledger: Ledger, edit_id: int, reason: Reason, **changes: Any) -> None:
    """End without pictures, of which the member is still to be told."""
    await hold(ledger, edit_id, submit=True, **changes)
    await ledger.void(edit_id, reason, detail="No.", now=NOON)


async def kept(archive: Archive, guild_id: int = 20, member_id: int = 40) -> Sequence[Edit]:
    return await archive.edits(guild_id, member_id, before=None, limit=1_000)


async def kept_prompts(archive: Archive, guild_id: int = 20, member_id: int = 40) -> list[str]:
    return [
        edit.order.prompt for edit in await kept(archive, guild_id, member_id) if not edit.erased
    ]


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


@pytest.mark.parametrize("deleted", [1, 2], ids=["first", "own rerun"])
async def test_deleting_ones_own_edit_erases_the_original_of_every_rerun(
    stores: SqliteStores, path: Path, deleted: int
) -> None:
    await deliver(stores.ledger, 1)
    await deliver(stores.ledger, 2, source_edit_id=1)
    await deliver(stores.ledger, 3, member_id=41, source_edit_id=1)
    await deliver(stores.ledger, 4)

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


async def source_of(ledger: Ledger, edit_id: int) -> tuple[str, str]:
    """Return the address and name of the image that an edit would be run again with."""
    edit = await ledger.find(edit_id)
    assert edit is not None
    return source_in(edit)


async def kept_sources(archive: Archive, member_id: int = 40) -> Sequence[tuple[str, str]]:
    """Return the sources in a member's export."""
    return [source_in(edit) for edit in await kept(archive, 20, member_id)]


def source_in(edit: Edit) -> tuple[str, str]:
    """Return the address and name of an edit's source."""
    assert edit.order.personal is not None
    return edit.order.personal.source_url, edit.order.personal.source_name


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


# What an older version left.


async def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it(
    path: Path,
) -> None:
    build_first_version(path)

    async with open_sqlite(path) as stores:
        assert find_contradictions(path) == []
        assert sent_by_account(path) == {
            # Those that were delivered, and those of the reasons that may have cost.
            (20, 40): 8 + 16 + 5 * 8,
            (20, 41): 16,
            (20, 0): 80,
            (21, 40): 8,
            (21, 0): 8,
            (0, 0): 88,
        }
        assert {account.day for account in (await stores.archive.summary(20, 40)).accounts} == {
            NOON.date(),
            TOMORROW.date(),
        }
        assert (
            len(await kept_prompts(stores.archive)) == (await stores.archive.summary(20, 40)).edits
        )

        await deliver(stores.ledger, 1_000)
        for left in await stores.ledger.unfinished():
            if left.state in OPEN_STATES:
                await stores.ledger.void(left.order.id, Reason.UNFORESEEN, detail=None, now=NOON)
            await stores.ledger.forget_token(left.order.id)
        assert find_contradictions(path) == []
        assert await stores.archive.erase_older(NOON + timedelta(seconds=1), limit=1_000) > 1
        assert [edit.held_at for edit in await kept(stores.archive) if not edit.erased] == [
            TOMORROW
        ]
    assert find_contradictions(path) == []


async def test_in_an_older_ledger_an_original_belongs_to_whoever_used_it_first(path: Path) -> None:
    connection = connect_to_write(path)
    migrate(connection, migrations=MIGRATIONS[:1])
    # Ada's twice, Bob's run of it, one of his that is open, and his own original.
    insert(connection, 5, "delivered", posted=1, source_url="https://cdn/adas")
    later = NOON + timedelta(hours=1)
    insert(connection, 1, "delivered", posted=1, now=later, source_url="https://cdn/adas")
    for edit_id, state in ((2, "delivered"), (3, "held")):
        insert(
            connection,
            edit_id,
            state,
            submitted=state != "held",
            posted=state == "delivered",
            member_id=41,
            now=later,
            source_url="https://cdn/adas",
        )
    insert(connection, 4, "delivered", posted=1, member_id=41, source_url="https://cdn/bobs")
    # An image that was posted in the channel, which two members took there.
    for edit_id, member_id in ((6, 40), (7, 41)):
        insert(
            connection,
            edit_id,
            "delivered",
            posted=1,
            member_id=member_id,
            source_url="https://cdn/posted",
        )
    # Another server's ledger has nothing to do with it.
    elsewhere = NOON - timedelta(hours=1)
    adas_url = "https://cdn/adas"
    insert(connection, 9, "delivered", posted=1, now=elsewhere, guild_id=21, source_url=adas_url)
    # One whose links were deleted.
    insert(connection, 8, "delivered", posted=1, source_url="")
    migrate(connection, migrations=MIGRATIONS[:6])
    rows(connection, "UPDATE edit SET source_public = 1 WHERE id IN (6, 7)")
    connection.close()

    async with open_sqlite(path) as stores:
        edits = {edit_id: await stores.ledger.find(edit_id) for edit_id in range(1, 9)}
        borrowed = {
            edit_id for edit_id, edit in edits.items() if edit is not None and edit.borrowed
        }
        assert borrowed == {2, 3}
        adas = ("https://cdn/adas", "a.png")
        assert [await source_of(stores.ledger, edit_id) for edit_id in (5, 1, 2, 3)] == [adas] * 4
        assert set(await kept_sources(stores.archive, 41)) == {
            ("", ""),
            ("https://cdn/bobs", "a.png"),
            ("https://cdn/posted", "a.png"),
        }
        assert await source_of(stores.ledger, 8) == ("", "")
        copies = look_up(path, "SELECT edit_id FROM edit_private WHERE source_name <> ''")
        assert copies == [(3,), (4,), (5,), (6,), (7,), (9,)]

        await stores.archive.erase(20, 40)
        assert await source_of(stores.ledger, 2) == ("", "")
        assert await source_of(stores.ledger, 3) == adas
        await stores.ledger.void(3, Reason.CANCELLED, detail=None, now=later)
        assert await source_of(stores.ledger, 3) == ("", "")
        await stores.ledger.forget_token(3)
    assert find_contradictions(path) == []


@pytest.mark.parametrize(
    ("erasing", "later_by", "kept_source"),
    [
        ("DELETE FROM edit_private WHERE edit_id = :id", timedelta(hours=20), ""),
        ("UPDATE edit_private SET source_url = '' WHERE edit_id = :id", timedelta(hours=20), ""),
        ("DELETE FROM edit_private WHERE edit_id = :id", timedelta(days=3), "https://cdn/adas"),
        ("SELECT :id", timedelta(hours=20), None),
    ],
    ids=["erased", "deleted", "long before", "kept"],
)
async def test_in_an_older_ledger_a_copy_goes_whose_original_was_erased_before(
    path: Path, erasing: str, later_by: timedelta, kept_source: str | None
) -> None:
    connection = connect_to_write(path)
    migrate(connection, migrations=MIGRATIONS[:1])
    milliseconds = round(later_by.total_seconds() * 1000)
    first, again, third = 1 << 60, (1 << 60) + (milliseconds << 22), (1 << 60) + (1 << 55)
    insert(connection, first, "delivered", posted=1, source_url="https://cdn/adas")
    for edit_id in (again, third):
        insert(
            connection,
            edit_id,
            "delivered",
            posted=1,
            member_id=41,
            source_url="https://cdn/adas" if edit_id == again else "https://cdn/bobs",
        )
    migrate(connection, migrations=MIGRATIONS[:6])
    rows(connection, erasing, id=first)
    connection.close()
    async with open_sqlite(path):
        look = "SELECT source_url FROM edit_private WHERE edit_id = $1 AND source_edit_id IS NULL"
        expected = [] if kept_source is None else [(kept_source,)]
        assert look_up(path, look, again) == expected
        assert look_up(path, look, third) == [("https://cdn/bobs",)]


LATER_REASONS = {Reason.ANSWER_DELETED, Reason.ANSWER_OUT_OF_REACH, Reason.NOT_SPOOLED}
"""Those that the first version did not know."""

ENDS: dict[Reason, int] = {
    reason: 100 + place for place, reason in enumerate(Reason) if reason not in LATER_REASONS
}
"""For each reason for which an edit of Ada's ended, its id."""


def build_first_version(path: Path) -> None:
    """A ledger as the first version left it: edits in every state, of two days and servers."""
    connection = connect_to_write(path)
    migrate(connection, migrations=MIGRATIONS[:1])
    insert(connection, 1, "held", submitted=False)
    insert(connection, 2, "submitted")
    insert(connection, 3, "rendered")
    insert(connection, 4, "delivered", posted=1)
    insert(connection, 5, "delivered", count=2, posted=1, now=TOMORROW)
    insert(connection, 6, "delivered", count=2, posted=2, member_id=41)
    insert(connection, 7, "delivered", posted=1, guild_id=21)
    insert(connection, 8, "cancelled", reason=Reason.CANCELLED, submitted=False)
    insert(connection, 9, "failed", reason=Reason.API_FAILED, submitted=False)
    for reason, edit_id in ENDS.items():
        submitted = reason.state not in {State.EXPIRED, State.CANCELLED}
        insert(connection, edit_id, reason.state, reason=reason, submitted=submitted)
    connection.close()


def insert(
    connection: apsw.Connection,
    edit_id: int,
    state: str,
    *,
    reason: Reason | None = None,
    submitted: bool = True,
    count: int = 1,
    posted: int = 0,
    guild_id: int = 20,
    member_id: int = 40,
    now: datetime = NOON,
    source_url: str = "https://a/",
) -> None:
    """Put an edit in, and count it in its accounts, as the first version did."""
    held_at = round(now.timestamp() * 1000)
    is_open = state in OPEN_STATES
    for account in (member_id, 0):
        rows(
            connection,
            "INSERT INTO account (guild_id, member_id, day, held, spent) "
            "VALUES (:guild_id, :member_id, :day, :held, :spent) ON CONFLICT DO UPDATE "
            "SET held = held + excluded.held, spent = spent + excluded.spent",
            guild_id=guild_id,
            member_id=account,
            day=str(now.date()),
            held=8 * count if is_open else 0,
            spent=8 * posted,
        )
    rows(
        connection,
        "INSERT INTO edit (id, application_id, guild_id, channel_id, member_id, day, quality, "
        "size, ratio, count, private, upload_limit, price, state, reason, posted, charged, owner, "
        "held_at, submitted_at, rendered_at, ended_at) VALUES (:id, 1, :guild_id, 30, :member_id, "
        ":day, 'medium', 'source', '1:1', :count, 0, 1, 8, :state, :reason, :posted, 8 * :posted, "
        "'old', :held_at, :submitted_at, :rendered_at, :ended_at)",
        id=edit_id,
        guild_id=guild_id,
        member_id=member_id,
        day=str(now.date()),
        count=count,
        state=state,
        reason=reason,
        posted=posted,
        held_at=held_at,
        submitted_at=held_at if submitted else None,
        rendered_at=held_at if state in {"rendered", "delivered"} else None,
        ended_at=None if is_open else held_at,
    )
    rows(
        connection,
        "INSERT INTO edit_private (edit_id, member_name, source_url, source_name, prompt) "
        "VALUES (:edit_id, 'Ada', :source_url, 'a.png', 'make it blue')",
        edit_id=edit_id,
        source_url=source_url,
    )
    if is_open or reason is Reason.NOT_POSTED:
        rows(connection, "INSERT INTO edit_token VALUES (:edit_id, 'token')", edit_id=edit_id)


def sent_by_account(path: Path) -> dict[tuple[int, int], int]:
    """Credits that were sent on all days, by server and member."""
    query = "SELECT guild_id, member_id, sum(sent) FROM account GROUP BY guild_id, member_id"
    return {(guild_id, member_id): sent for guild_id, member_id, sent in look_up(path, query)}
