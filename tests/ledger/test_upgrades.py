"""Ledgers of older versions are brought up to date with all that is in them."""

from datetime import datetime, timedelta
from pathlib import Path

import apsw
import pytest

from bot.domain.lifecycle import OPEN_STATES, Reason, State
from bot.ledger.sqlite import open_sqlite
from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.ledger.sqlite.migrations import MIGRATIONS, migrate
from tests.invariants import find_contradictions
from tests.ledger.archived import (
    NOON,
    TOMORROW,
    deliver,
    kept,
    kept_prompts,
    kept_sources,
    source_of,
)
from tests.members import look_up


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


async def test_an_open_rerun_borrows_an_original_that_was_erased_before_the_upgrade(
    path: Path,
) -> None:
    connection = connect_to_write(path)
    migrate(connection, migrations=MIGRATIONS[:1])
    first, again = 1 << 60, (1 << 60) + (3_600_000 << 22)
    insert(connection, first, "delivered", posted=1, source_url="https://cdn/adas")
    insert(connection, again, "held", submitted=False, member_id=41, source_url="https://cdn/adas")
    migrate(connection, migrations=MIGRATIONS[:6])
    rows(connection, "DELETE FROM edit_private WHERE edit_id = :id", id=first)
    connection.close()
    async with open_sqlite(path) as stores:
        edit = await stores.ledger.find(again)
        assert edit is not None
        assert edit.borrowed
        assert edit.order.source_url == "https://cdn/adas"
        await stores.ledger.void(again, Reason.CANCELLED, detail=None, now=NOON)
        assert await source_of(stores.ledger, again) == ("", "")


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
