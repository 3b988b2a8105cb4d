"""Fair order and forecasts of the queue: pure functions over plain values.

Members take turns. The member with the fewest edits in flight goes first; on a tie, the one who was
served longest ago. A member's own edits stay in the order in which they came. So one member's burst
delays another member's edit by no more than one edit.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

NEVER_SERVED = -1


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A queued edit."""

    edit_id: int
    """The interaction's id. Later interactions have higher ids."""
    member_id: int
    ready: bool = True
    """Whether it can start right away."""
    preparing: bool = False
    """Whether it will be ready so soon that its member's later edits wait for it."""


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A queued edit's position and estimated wait."""

    position: int
    """1 for the next one."""
    wait_s: float


def fair_order(
    waiting: Iterable[QueueEntry], in_flight: Mapping[int, int], last_served: Mapping[int, int]
) -> list[QueueEntry]:
    """Return the order in which edits start if none joins or ends in the meantime.

    `in_flight` counts each member's edits; `last_served` has a rising number for each member.
    """
    queues: defaultdict[int, deque[QueueEntry]] = defaultdict(deque)
    for entry in sorted(waiting, key=lambda entry: entry.edit_id):
        queues[entry.member_id].append(entry)
    heads = [
        (in_flight.get(member, 0), last_served.get(member, NEVER_SERVED), queue[0].edit_id, member)
        for member, queue in queues.items()
    ]
    heapify(heads)
    served = max(last_served.values(), default=NEVER_SERVED)
    order: list[QueueEntry] = []
    while heads:
        flying, _, _, member = heads[0]
        queue = queues[member]
        order.append(queue.popleft())
        served += 1
        if queue:
            heapreplace(heads, (flying + 1, served, queue[0].edit_id, member))
        else:
            heappop(heads)
    return order


def next_entry(
    waiting: Iterable[QueueEntry],
    in_flight: Mapping[int, int],
    last_served: Mapping[int, int],
    *,
    strict: bool = False,
) -> QueueEntry | None:
    """Return the edit that gets a free slot, or None if no edit can start.

    An edit that isn't ready is passed by its member's later edits unless it is preparing, and by
    other members' edits unless the order is `strict`.
    """
    heads: dict[int, QueueEntry] = {}
    for entry in waiting:
        head = heads.get(entry.member_id)
        if (entry.ready or entry.preparing) and (head is None or entry.edit_id < head.edit_id):
            heads[entry.member_id] = entry

    def rank(head: QueueEntry) -> tuple[int, int, int]:
        member = head.member_id
        return in_flight.get(member, 0), last_served.get(member, NEVER_SERVED), head.edit_id

    if strict:
        first = min(heads.values(), key=rank, default=None)
        return first if first is not None and first.ready else None
    return min((head for head in heads.values() if head.ready), key=rank, default=None)


def forecast(
    order: Sequence[QueueEntry],
    durations_s: Mapping[int, float],
    remaining_s: Sequence[float],
    slots: int,
) -> dict[int, QueuePosition]:
    """Return the positions of queued edits by edit id.

    They will keep their slots for `durations_s`, and running calls theirs for `remaining_s` more.
    """
    spare = min(slots - len(remaining_s), len(order))
    free_at = [*remaining_s, *([0.0] * spare)]
    heapify(free_at)
    positions: dict[int, QueuePosition] = {}
    for position, entry in enumerate(order, 1):
        start = heappop(free_at)
        positions[entry.edit_id] = QueuePosition(position, start)
        heappush(free_at, start + durations_s[entry.edit_id])
    return positions
