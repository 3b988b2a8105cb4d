"""How long edits take to leave a long queue in which no edit is ready, as in a flood of commands.

    python -m benchmarks.edit_queue

The time must grow with the number of edits, and not with its square: a queue without a ready edit
needn't be searched.
"""

import asyncio
import time

from bot.scheduling.edit_queue import EditQueue
from bot.scheduling.estimates import Estimates
from tests.orders import order

EDITS = (1_000, 10_000)


async def leave_all(edits: int) -> float:
    """Return the seconds in which the edits leave a queue of two slots."""
    queue = EditQueue(Estimates(), slots=2, limit=edits, max_wait_s=480)
    for edit_id in range(edits):
        queue.join(order(edit_id), timeout_s=0)
    await asyncio.sleep(0)
    began = time.perf_counter()
    for edit_id in range(edits):
        queue.leave(edit_id)
    return time.perf_counter() - began


def main() -> None:
    """Print the time for a short and a long queue."""
    for edits in EDITS:
        seconds = asyncio.run(leave_all(edits))
        print(f"{edits:,} edits left the queue in {seconds * 1000:.1f} ms")


if __name__ == "__main__":
    main()
