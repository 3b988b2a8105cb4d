"""Every move from every state: an edit takes the arrows that there are, and no other."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.edits import Edit
from bot.domain.lifecycle import Reason, State
from bot.domain.quotas import OperatorLimits
from bot.ledger import Ledger
from bot.ledger.sqlite import SqliteStores
from tests.invariants import read_tables
from tests.orders import order

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)

Move = Callable[[Ledger, int], Awaitable[Edit | None]]


def void(reason: Reason) -> Move:
    return lambda ledger, edit_id: ledger.void(edit_id, reason, detail="why", now=LATER)


# By the state each move leads to. `ARROWS` is written out here, and not read from the product.
MOVES: dict[State, Move] = {
    State.SUBMITTED: lambda ledger, edit_id: ledger.submit(edit_id, ratio="3:2", now=LATER),
    State.RENDERED: lambda ledger, edit_id: ledger.render(edit_id, ["https://a/2"], now=LATER),
    State.DELIVERED: lambda ledger, edit_id: ledger.capture(edit_id, posted=1, now=LATER),
    State.DECLINED: void(Reason.API_DECLINED),
    State.FAILED: void(Reason.NOT_POSTED),
    State.EXPIRED: void(Reason.EXPIRED),
    State.CANCELLED: void(Reason.CANCELLED),
    State.INTERRUPTED: void(Reason.INTERRUPTED),
}

ARROWS = {
    State.HELD: {State.SUBMITTED, State.FAILED, State.EXPIRED, State.CANCELLED},
    State.SUBMITTED: {State.RENDERED, State.DECLINED, State.FAILED, State.INTERRUPTED},
    State.RENDERED: {State.DELIVERED, State.FAILED},
}

WAYS = {
    State.HELD: (),
    State.SUBMITTED: (State.SUBMITTED,),
    State.RENDERED: (State.SUBMITTED, State.RENDERED),
    State.DELIVERED: (State.SUBMITTED, State.RENDERED, State.DELIVERED),
    State.DECLINED: (State.SUBMITTED, State.DECLINED),
    State.FAILED: (State.FAILED,),
    State.EXPIRED: (State.EXPIRED,),
    State.CANCELLED: (State.CANCELLED,),
    State.INTERRUPTED: (State.SUBMITTED, State.INTERRUPTED),
}
"""The moves that bring a new edit into each state."""


@pytest.mark.parametrize("to", MOVES)
@pytest.mark.parametrize("state", State)
async def test_an_edit_takes_the_arrows_from_its_state_and_no_others(
    stores: SqliteStores, path: Path, state: State, to: State
):
    ledger = stores.ledger
    await ledger.hold(order(1, count=2), limits=OperatorLimits(None), owner="test", now=NOON)
    for step in WAYS[state]:
        assert await MOVES[step](ledger, 1) is not None
    before = read_tables(path)

    moved = await MOVES[to](ledger, 1)

    if to in ARROWS.get(state, set()):
        assert moved is not None
        assert moved.state is to
    else:
        assert moved is None
        assert read_tables(path) == before


def test_every_state_is_tried():
    assert set(WAYS) == set(State)
    assert set(MOVES) == set(State) - {State.HELD}
