"""How a ledger behaves, whichever engine is under it: the tests know its interface alone."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.edits import (
    AlreadyHeld,
    Edit,
    Held,
    MessageRef,
    Order,
    OverLimit,
    OverQuota,
    PastEdit,
)
from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Balance, Member, OperatorLimits
from bot.ledger import Ledger
from bot.ledger.sqlite import open_sqlite
from tests.orders import TOKEN, order

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUOTA = 80


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    async with open_sqlite(tmp_path / "bot.db") as stores:
        yield stores.ledger


async def hold(
    ledger: Ledger,
    wanted: Order,
    *,
    quota: int | None = QUOTA,
    daily_budget: int | None = None,
    now: datetime = NOON,
) -> Held | OverQuota | OverLimit | AlreadyHeld:
    limits = OperatorLimits(quota, daily_budget)
    return await ledger.hold(wanted, limits=limits, owner="test", now=now)


async def balance(ledger: Ledger, *, now: datetime = NOON, member_id: int = 40) -> Balance:
    return await ledger.balance(Member(20, member_id, (20,)), limits=OperatorLimits(QUOTA), now=now)


async def submitted(ledger: Ledger, wanted: Order) -> Edit:
    assert isinstance(await hold(ledger, wanted), Held)
    edit = await ledger.submit(wanted.id, ratio="1:1", now=NOON)
    assert edit is not None
    return edit


async def rendered(ledger: Ledger, wanted: Order) -> Edit:
    await submitted(ledger, wanted)
    edit = await ledger.render(wanted.id, ["https://a/1.png", "https://a/2.png"], now=NOON)
    assert edit is not None
    return edit


async def test_a_hold_sets_the_price_of_all_pictures_aside(ledger: Ledger) -> None:
    held = await hold(ledger, order(1, quality=Quality.HIGH, count=2))

    assert isinstance(held, Held)
    assert (held.edit.state, held.edit.order.hold) == (State.HELD, 32)
    now = await balance(ledger)
    assert (now.held, now.spent, now.left) == (32, 0, 48)


async def test_a_hold_that_would_pass_the_quota_changes_nothing(ledger: Ledger) -> None:
    await hold(ledger, order(1, quality=Quality.HIGH, count=4))

    refused = await hold(ledger, order(2, quality=Quality.HIGH, count=2))

    assert isinstance(refused, OverQuota)
    assert (refused.hold, refused.balance.left) == (32, 16)
    assert (await balance(ledger)).held == 64
    assert len(await ledger.unfinished()) == 1


async def test_a_quota_can_be_spent_to_the_last_credit(ledger: Ledger) -> None:
    await hold(ledger, order(1, quality=Quality.HIGH, count=4))
    assert isinstance(await hold(ledger, order(2, quality=Quality.HIGH)), Held)
    assert (await balance(ledger)).left == 0
    assert isinstance(await hold(ledger, order(3, quality=Quality.LOW)), OverQuota)


async def test_a_quota_of_nothing_refuses_and_an_unlimited_one_never_does(ledger: Ledger) -> None:
    assert isinstance(await hold(ledger, order(1, quality=Quality.LOW), quota=0), OverQuota)
    for edit_id in range(2, 20):
        held = await hold(ledger, order(edit_id, quality=Quality.HIGH, count=4), quota=None)
        assert isinstance(held, Held)


async def test_however_many_holds_come_at_once_the_quota_stands(ledger: Ledger) -> None:
    outcomes = await asyncio.gather(
        *(hold(ledger, order(edit_id), quota=7 * 8 + 7) for edit_id in range(1, 201))
    )
    assert sum(isinstance(outcome, Held) for outcome in outcomes) == 7


async def test_the_same_interaction_never_holds_twice(ledger: Ledger) -> None:
    outcomes = await asyncio.gather(*(hold(ledger, order(1)) for _ in range(5)))

    assert sum(isinstance(outcome, Held) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyHeld) for outcome in outcomes) == 4
    assert (await balance(ledger)).held == 8


async def test_a_row_keeps_everything_that_was_ordered(ledger: Ledger) -> None:
    wanted = order(1, quality=Quality.LOW, size="16:9", count=3, private=True, prompt="é“\n")
    await hold(ledger, wanted)
    await ledger.acknowledge(1, message_id=77, now=NOON)

    (edit,) = await ledger.unfinished()

    assert edit.order == wanted
    assert (edit.message_id, edit.held_at, edit.acknowledged_at) == (77, NOON, NOON)


async def test_a_row_keeps_what_became_of_the_edit_and_when(ledger: Ledger) -> None:
    times = [NOON + timedelta(minutes=minutes) for minutes in range(4)]
    wanted = order(1, source_public=True, role_ids=(20, 50))
    await hold(ledger, wanted, now=times[0])
    changes = (SourceChange.FIRST_FRAME,)
    await ledger.submit(1, ratio="3:2", now=times[1], changes=changes)
    await ledger.render(1, ["https://a/1.png"], now=times[2])
    await ledger.capture(1, posted=1, now=times[3])

    edit = await ledger.find(1)

    assert edit is not None
    assert edit.order == replace(wanted, token=None)
    assert (edit.ratio, edit.source_changes) == ("3:2", changes)
    assert edit.results == ("https://a/1.png",)
    assert [edit.held_at, edit.submitted_at, edit.rendered_at, edit.ended_at] == times
    assert await ledger.find(2) is None


async def test_a_void_erases_the_results_addresses(ledger: Ledger) -> None:
    await hold(ledger, order(1))
    await ledger.submit(1, ratio="1:1", now=NOON)
    await ledger.render(1, ["https://a/1.png"], now=NOON)

    voided = await ledger.void(1, Reason.ANSWER_DELETED, detail=None, now=NOON)

    assert voided is not None
    assert voided.results == ()


async def test_a_capture_charges_for_what_was_posted_and_gives_the_rest_back(
    ledger: Ledger,
) -> None:
    await rendered(ledger, order(1, count=2))

    ended = await ledger.capture(1, posted=1, now=NOON)

    assert ended is not None
    assert (ended.state, ended.posted, ended.charged) == (State.DELIVERED, 1, 8)
    assert ended.order.token is None
    now = await balance(ledger)
    assert (now.held, now.spent, now.left) == (0, 8, 72)
    assert await ledger.unfinished() == []


async def test_an_edit_resolves_once(ledger: Ledger) -> None:
    await rendered(ledger, order(1, count=2))
    captures = (ledger.capture(1, posted=2, now=NOON) for _ in range(3))
    voids = (ledger.void(1, Reason.NOT_POSTED, detail=None, now=NOON) for _ in range(3))

    outcomes = await asyncio.gather(*captures, *voids)

    assert sum(outcome is not None for outcome in outcomes) == 1
    now = await balance(ledger)
    assert (now.held, now.spent) == (0, 16)


@pytest.mark.parametrize("reason", list(Reason))
async def test_every_void_gives_all_of_the_hold_back_and_keeps_its_reason(
    ledger: Ledger, reason: Reason
) -> None:
    if reason.state in {State.DECLINED, State.INTERRUPTED}:
        await submitted(ledger, order(1))
    else:
        await hold(ledger, order(1))

    ended = await ledger.void(1, reason, detail="because", now=NOON)

    assert ended is not None
    assert (ended.state, ended.reason, ended.detail) == (reason.state, reason, "because")
    assert (await balance(ledger)).left == QUOTA


async def test_an_ended_edit_keeps_its_token_until_its_member_was_told(ledger: Ledger) -> None:
    await hold(ledger, order(1))
    await ledger.void(1, Reason.API_FAILED, detail=None, now=NOON)

    (untold,) = await ledger.unfinished()
    assert untold.order.token == TOKEN

    await ledger.forget_token(1)
    assert await ledger.unfinished() == []


@pytest.mark.parametrize(
    ("reach", "reason"),
    [(submitted, Reason.EXPIRED), (rendered, Reason.EXPIRED), (rendered, Reason.INTERRUPTED)],
)
async def test_there_is_no_arrow_from_this_state_to_that_end(
    ledger: Ledger, reach: Callable[[Ledger, Order], Awaitable[Edit]], reason: Reason
) -> None:
    await reach(ledger, order(1))

    assert await ledger.void(1, reason, detail=None, now=NOON) is None
    assert (await balance(ledger)).held == 8


async def test_no_state_is_passed_over_and_none_is_come_back_to(ledger: Ledger) -> None:
    await hold(ledger, order(1))
    assert await ledger.render(1, ["https://a/1.png"], now=NOON) is None
    assert await ledger.capture(1, posted=1, now=NOON) is None
    assert await ledger.submit(1, ratio="1:1", now=NOON) is not None
    assert await ledger.submit(1, ratio="1:1", now=NOON) is None
    assert await ledger.submit(2, ratio="1:1", now=NOON) is None


async def test_an_edit_counts_in_the_window_in_which_it_was_held(ledger: Ledger) -> None:
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    tomorrow = late + timedelta(seconds=2)
    await hold(ledger, order(1), now=late)
    await ledger.submit(1, ratio="1:1", now=tomorrow)
    await ledger.render(1, ["https://a/1.png"], now=tomorrow)
    await ledger.capture(1, posted=1, now=tomorrow)

    assert (await balance(ledger, now=late)).spent == 8
    assert (await balance(ledger, now=tomorrow)).left == QUOTA


async def test_members_and_servers_do_not_share_accounts(ledger: Ledger) -> None:
    await hold(ledger, order(1))
    await hold(ledger, order(2, member_id=41))
    await hold(ledger, order(3, guild_id=21))

    assert (await balance(ledger)).held == 8
    assert (await balance(ledger, member_id=41)).held == 8


async def test_past_edits_come_newest_first(ledger: Ledger) -> None:
    for edit_id in range(1, 13):
        moment = NOON + timedelta(minutes=edit_id)
        await hold(ledger, order(edit_id, quality=Quality.LOW), now=moment)
    await ledger.void(12, Reason.API_FAILED, detail=None, now=NOON)

    balance, edits = await ledger.statement(
        Member(20, 40, (20,)), limits=OperatorLimits(QUOTA), now=NOON, latest=10
    )

    assert [edit.held_at.minute for edit in edits] == list(range(12, 2, -1))
    assert (edits[0].state, edits[1].state) == (State.FAILED, State.HELD)
    assert {edit.quality for edit in edits} == {Quality.LOW}
    assert balance.held == 11 * 4


async def test_a_past_edit_says_what_was_posted_of_it_and_charged(ledger: Ledger) -> None:
    await rendered(ledger, order(1, count=2))
    await ledger.capture(1, posted=1, now=NOON)

    _, edits = await ledger.statement(
        Member(20, 40, (20,)), limits=OperatorLimits(QUOTA), now=NOON, latest=10
    )

    assert edits == [PastEdit(NOON, State.DELIVERED, Quality.MEDIUM, 2, 1, 8)]


async def test_a_capture_keeps_where_the_images_were_posted(ledger: Ledger) -> None:
    await rendered(ledger, order(1))

    ended = await ledger.capture(
        1, posted=1, now=NOON, message=MessageRef(channel_id=31, message_id=78)
    )

    assert ended is not None
    assert (ended.message_channel_id, ended.message_id) == (31, 78)


async def test_a_member_has_so_many_edits_open_and_no_more(ledger: Ledger) -> None:
    limits = OperatorLimits(None, open_edits=2)
    wanted = [order(1), order(2, guild_id=21), order(3), order(4, member_id=41)]

    outcomes = [await ledger.hold(each, limits=limits, owner="test", now=NOON) for each in wanted]

    assert [type(outcome) for outcome in outcomes] == [Held, Held, OverLimit, Held]
    assert outcomes[2] == OverLimit(2)
