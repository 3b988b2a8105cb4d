"""Who goes next, fairly, and when: pure functions over plain values.

Members take turns. Whoever has fewer edits in flight goes first, and of several who have equally
many whoever's last turn is longest ago; a member's own edits go in the order in which they came.
So one member's burst delays another's single edit by no more than one edit's time.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

NO_TURN_YET = -1


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An edit in the line."""

    edit_id: int
    """The interaction's id; such ids grow with time, so they tell the order of coming."""
    member_id: int
    ready: bool = True
    """Whether it could start at once; one that could not keeps its place all the same."""
    expected: bool = False
    """Whether it is going to be ready so soon that its member's later edits wait for it."""


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Where an edit stands."""

    place: int
    """1 for the next one."""
    wait: float
    """Seconds until its turn, as far as can be told."""


def fair_order(
    waiting: Iterable[QueueEntry], in_flight: Mapping[int, int], turns: Mapping[int, int]
) -> list[QueueEntry]:
    """All who wait, in the order in which they start as long as nobody comes and none ends.

    `in_flight` counts members' edits under way; `turns` numbers members' last turns, so that a
    smaller number is longer ago and none is before all.
    """
    queues: defaultdict[int, deque[QueueEntry]] = defaultdict(deque)
    for each in sorted(waiting, key=lambda each: each.edit_id):
        queues[each.member_id].append(each)
    heads = [
        (in_flight.get(member, 0), turns.get(member, NO_TURN_YET), queue[0].edit_id, member)
        for member, queue in queues.items()
    ]
    heapify(heads)
    turn = max(turns.values(), default=NO_TURN_YET)
    line: list[QueueEntry] = []
    while heads:
        flying, _, _, member = heads[0]
        queue = queues[member]
        line.append(queue.popleft())
        turn += 1
        if queue:
            heapreplace(heads, (flying + 1, turn, queue[0].edit_id, member))
        else:
            heappop(heads)
    return line


def next_entry(
    waiting: Iterable[QueueEntry],
    in_flight: Mapping[int, int],
    turns: Mapping[int, int],
    *,
    patient: bool = False,
) -> QueueEntry | None:
    """Whose turn it is when a place is free, if anybody could start.

    What is not ready is passed over: by its member's later edits where it is not expected either,
    by other members' where they are not `patient`.
    """
    heads: dict[int, QueueEntry] = {}
    for each in waiting:
        head = heads.get(each.member_id)
        if (each.ready or each.expected) and (head is None or each.edit_id < head.edit_id):
            heads[each.member_id] = each

    def rank(head: QueueEntry) -> tuple[int, int, int]:
        member = head.member_id
        return in_flight.get(member, 0), turns.get(member, NO_TURN_YET), head.edit_id

    if patient:
        first = min(heads.values(), key=rank, default=None)
        return first if first is not None and first.ready else None
    return min((head for head in heads.values() if head.ready), key=rank, default=None)


def forecast(
    line: Sequence[QueueEntry], takes: Mapping[int, float], busy: Sequence[float], places: int
) -> dict[int, QueuePosition]:
    """Where each of a line stands, by its edit's id.

    `takes` has the seconds that each edit will keep its place among the calls, `busy` those that
    the ones under way still will.
    """
    spare = min(places - len(busy), len(line))
    free = [*busy, *([0.0] * spare)]
    heapify(free)
    standings: dict[int, QueuePosition] = {}
    for place, each in enumerate(line, 1):
        start = heappop(free)
        standings[each.edit_id] = QueuePosition(place, start)
        heappush(free, start + takes[each.edit_id])
    return standings
