"""The order is fair, and forecasts are right, whatever the queue looks like."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.scheduling.fair_order import QueueEntry, QueuePosition, fair_order, forecast, next_entry

ADA, BOB, CAT = 1, 2, 3

ROUNDING = 1e-6

MEMBERS = st.integers(1, 6)
QUEUES = st.dictionaries(st.integers(1, 500), MEMBERS, max_size=60).map(
    lambda members: [QueueEntry(edit_id, member) for edit_id, member in members.items()]
)
IN_FLIGHT = st.dictionaries(MEMBERS, st.integers(1, 8), max_size=6)
LAST_SERVED = st.dictionaries(MEMBERS, st.integers(0, 10_000), max_size=6).filter(
    lambda last_served: len(set(last_served.values())) == len(last_served)
)


def ids(order: list[QueueEntry]) -> list[int]:
    return [entry.edit_id for entry in order]


def burst(member: int, number: int, *, first: int = 1) -> list[QueueEntry]:
    return [QueueEntry(first + index, member) for index in range(number)]


def test_a_members_edits_go_in_the_order_in_which_they_came():
    assert ids(fair_order(reversed(burst(ADA, 50)), {}, {})) == list(range(1, 51))


def test_a_burst_of_fifty_delays_another_member_only_by_the_edits_in_flight():
    order = fair_order([*burst(ADA, 50), QueueEntry(51, BOB)], {ADA: 1}, {ADA: 0})
    assert order[0] == QueueEntry(51, BOB)


def test_members_take_turns():
    waiting = [*burst(ADA, 3), *burst(BOB, 3, first=4), *burst(CAT, 3, first=7)]
    assert ids(fair_order(waiting, {}, {})) == [1, 4, 7, 2, 5, 8, 3, 6, 9]


def test_the_member_with_fewer_edits_in_flight_goes_first():
    waiting = [*burst(ADA, 2), *burst(BOB, 2, first=3)]
    assert ids(fair_order(waiting, {ADA: 2, BOB: 0}, {})) == [3, 4, 1, 2]


def test_on_a_tie_the_member_served_longest_ago_goes_first():
    waiting = [QueueEntry(1, ADA), QueueEntry(2, BOB), QueueEntry(3, CAT)]
    assert ids(fair_order(waiting, {}, {ADA: 7, BOB: 5})) == [3, 2, 1]


@given(QUEUES, IN_FLIGHT, LAST_SERVED)
def test_no_edit_is_lost_and_a_members_edits_stay_in_order(
    waiting: list[QueueEntry], in_flight: dict[int, int], last_served: dict[int, int]
):
    order = fair_order(waiting, in_flight, last_served)
    assert sorted(ids(order)) == sorted(ids(waiting))
    for member in range(1, 7):
        own = ids([entry for entry in order if entry.member_id == member])
        assert own == sorted(own)


@given(QUEUES, IN_FLIGHT, LAST_SERVED, st.data())
def test_the_order_does_not_depend_on_the_order_of_the_input(
    waiting: list[QueueEntry],
    in_flight: dict[int, int],
    last_served: dict[int, int],
    data: st.DataObject,
):
    shuffled = data.draw(st.permutations(waiting))
    assert fair_order(waiting, in_flight, last_served) == fair_order(
        shuffled, in_flight, last_served
    )


@given(QUEUES.filter(bool), IN_FLIGHT, LAST_SERVED)
def test_the_order_is_that_of_granting_one_slot_after_another(
    waiting: list[QueueEntry], in_flight: dict[int, int], last_served: dict[int, int]
):
    order = fair_order(waiting, in_flight, last_served)
    granted: list[QueueEntry] = []
    flying, left, last = Counter(in_flight), list(waiting), dict(last_served)
    for turn in range(10_001, 10_001 + len(waiting)):
        chosen = next_entry(left, flying, last)
        assert chosen is not None
        left.remove(chosen)
        granted.append(chosen)
        flying[chosen.member_id] += 1
        last[chosen.member_id] = turn
    assert granted == order


@given(QUEUES.filter(bool), IN_FLIGHT, LAST_SERVED)
def test_members_go_at_most_once_before_a_member_with_no_edit_in_flight(
    waiting: list[QueueEntry], in_flight: dict[int, int], last_served: dict[int, int]
):
    order = fair_order(waiting, in_flight, last_served)
    for member in {entry.member_id for entry in waiting} - set(in_flight):
        index = next(i for i, entry in enumerate(order) if entry.member_id == member)
        before = Counter(entry.member_id for entry in order[:index])
        assert max(before.values(), default=0) <= 1
        assert not set(before) & set(in_flight)


@given(QUEUES.filter(bool), IN_FLIGHT, LAST_SERVED, st.data())
def test_the_next_member_has_the_fewest_edits_in_flight(
    waiting: list[QueueEntry],
    in_flight: dict[int, int],
    last_served: dict[int, int],
    data: st.DataObject,
):
    ready = data.draw(st.lists(st.booleans(), min_size=len(waiting), max_size=len(waiting)))
    waiting = [
        replace(entry, ready=is_ready) for entry, is_ready in zip(waiting, ready, strict=True)
    ]
    chosen = next_entry(waiting, in_flight, last_served)
    ready_entries = [entry for entry in waiting if entry.ready]
    if chosen is None:
        assert not ready_entries
        return
    assert chosen in ready_entries
    assert all(
        in_flight.get(chosen.member_id, 0) <= in_flight.get(entry.member_id, 0)
        for entry in ready_entries
    )


def test_an_edit_that_is_not_ready_is_passed_by_its_members_edits_unless_preparing():
    late, later, other = QueueEntry(1, ADA, ready=False), QueueEntry(2, ADA), QueueEntry(3, BOB)
    assert next_entry([late, later, other], {}, {}) == later
    preparing = replace(late, preparing=True)
    assert next_entry([preparing, later, other], {}, {}) == other
    assert next_entry([preparing, later], {}, {}) is None


def test_no_edit_is_passed_if_the_order_is_strict():
    late = QueueEntry(1, ADA, ready=False, preparing=True)
    assert next_entry([late, QueueEntry(2, BOB)], {}, {}, strict=True) is None
    assert next_entry([late, QueueEntry(2, BOB)], {ADA: 1}, {}, strict=True) == QueueEntry(2, BOB)


def test_an_empty_queue_has_no_next_edit():
    assert next_entry([], {ADA: 1}, {}) is None
    assert fair_order([], {}, {}) == []


# Forecasts.


def test_waits_add_up_as_slots_become_free():
    order = burst(ADA, 5)
    durations_s = dict.fromkeys(range(1, 6), 30.0)
    assert forecast(order, durations_s, remaining_s=[10.0, 20.0], slots=2) == {
        1: QueuePosition(1, 10),
        2: QueuePosition(2, 20),
        3: QueuePosition(3, 40),
        4: QueuePosition(4, 50),
        5: QueuePosition(5, 70),
    }


def test_no_edit_waits_while_slots_are_free():
    positions = forecast(
        burst(ADA, 3), dict.fromkeys(range(1, 4), 30.0), remaining_s=[60.0], slots=4
    )
    assert [position.wait_s for position in positions.values()] == [0, 0, 0]


@given(
    st.lists(st.floats(0, 500), min_size=1, max_size=60),
    st.lists(st.floats(0, 500), min_size=1, max_size=8),
)
def test_an_edit_starts_no_earlier_than_those_ahead_and_no_later_than_their_end(
    seconds: list[float], remaining_s: list[float]
):
    order = burst(ADA, len(seconds))
    durations_s = {entry.edit_id: seconds[entry.edit_id - 1] for entry in order}
    positions = forecast(order, durations_s, remaining_s, len(remaining_s))
    waits = [positions[entry.edit_id].wait_s for entry in order]
    assert waits == sorted(waits)
    for index, wait in enumerate(waits):
        assert wait <= max(remaining_s) + sum(seconds[:index]) + ROUNDING
