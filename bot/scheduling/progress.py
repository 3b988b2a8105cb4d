"""What a member is told of an edit before it ends: pure functions of where it stands.

A stage is rounded to what can be seen, so that equal ones need not be shown again. What it says
never goes backwards: it is worked out from the stage that was shown before.
"""

import math
from dataclasses import dataclass

from bot.scheduling.fair_order import QueuePosition

MOST_PERCENT = 95
"""Whoever sees more expects the end."""

PERCENT_STEP = 5

MINUTE = 60
TOLD_BY_SECONDS = 120
"""Longer waits are told by minutes."""

SLACK, GRACE = 1.25, 10
"""By this factor and so many seconds more than was said, a wait is longer than was thought."""


@dataclass(frozen=True, slots=True)
class InLine:
    """It waits for its turn."""

    place: int
    wait: int
    """Seconds, rounded."""
    late: bool = False
    """Whether it is going to be longer than was said before."""


@dataclass(frozen=True, slots=True)
class BeingMade:
    """The call is under way."""

    percent: int
    left: int
    """Seconds, rounded."""
    late: bool = False
    """Whether it takes longer than such edits took lately."""


@dataclass(frozen=True, slots=True)
class BeingPosted:
    """The pictures are there and on their way to the message."""


Stage = InLine | BeingMade | BeingPosted


def in_line(standing: QueuePosition, before: Stage | None, *, overdue: bool = False) -> InLine:
    """The stage of an edit that waits; `overdue` once its turn should have come by all means."""
    wait = round_up(standing.wait)
    if not isinstance(before, InLine):
        return InLine(standing.place, wait)
    late = overdue or wait > longest(before.wait)
    return InLine(standing.place, min(wait, before.wait), late)


def longest(wait: float) -> float:
    """Seconds up to which a wait is no longer than was said."""
    return wait * SLACK + GRACE


def being_made(elapsed: float, usual: float, before: Stage | None) -> BeingMade:
    """The stage of an edit that was sent `elapsed` seconds ago, when such edits take `usual`."""
    percent = MOST_PERCENT
    if elapsed < usual:
        percent = min(MOST_PERCENT, int(100 * elapsed / usual) // PERCENT_STEP * PERCENT_STEP)
    left = round_up(usual - elapsed)
    late = elapsed > usual
    if isinstance(before, BeingMade):
        percent = max(percent, before.percent)
        left = min(left, before.left)
        late = late or before.late
    return BeingMade(percent, left, late)


def round_up(seconds: float) -> int:
    """Seconds as people say them: by five, from a minute on by ten, from two on by minutes."""
    step = 5 if seconds <= MINUTE else 10 if seconds <= TOLD_BY_SECONDS else MINUTE
    return math.ceil(max(0.0, seconds) / step) * step
