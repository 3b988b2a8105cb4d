"""The progress of an open edit, as its member sees it: pure.

Stages are rounded to what is visible, so that equal ones needn't be shown again. Each builds on the
stage that was shown before, and never goes backward.
"""

import math
from dataclasses import dataclass

from bot.scheduling.fair_order import QueuePosition

MAX_PERCENT = 95
"""A fuller bar would promise the end."""

PERCENT_STEP = 5

MINUTE_S = 60
MAX_SHOWN_S = 120
"""Longer waits are shown in minutes."""

ETA_TOLERANCE, ETA_GRACE_S = 1.25, 10
"""A wait is late if it exceeds this multiple of what was shown, plus these seconds."""


@dataclass(frozen=True, slots=True)
class Queued:
    """The edit waits for a slot."""

    position: int
    wait_s: int
    """Rounded."""
    late: bool = False
    """Whether the wait is longer than was shown before."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """The call is in progress."""

    percent: int
    left_s: int
    """Rounded."""
    late: bool = False
    """Whether it takes longer than is typical."""


@dataclass(frozen=True, slots=True)
class Posting:
    """The images are being fetched and posted."""


Stage = Queued | InProgress | Posting


def queued(position: QueuePosition, before: Stage | None, *, overdue: bool = False) -> Queued:
    """Return a queued edit's stage; `overdue` if it should have been sent by now in any case."""
    wait_s = round_up(position.wait_s)
    if not isinstance(before, Queued):
        return Queued(position.position, wait_s)
    late = overdue or wait_s > tolerated_s(before.wait_s)
    return Queued(position.position, min(wait_s, before.wait_s), late)


def tolerated_s(wait_s: float) -> float:
    """Return the longest wait that doesn't count as late after `wait_s` was shown."""
    return wait_s * ETA_TOLERANCE + ETA_GRACE_S


def in_progress(elapsed_s: float, typical_s: float, before: Stage | None) -> InProgress:
    """Return the stage of an edit that was sent `elapsed_s` ago."""
    percent = MAX_PERCENT
    if elapsed_s < typical_s:
        percent = min(percent, int(100 * elapsed_s / typical_s) // PERCENT_STEP * PERCENT_STEP)
    left_s = round_up(typical_s - elapsed_s)
    late = elapsed_s > typical_s
    if isinstance(before, InProgress):
        percent = max(percent, before.percent)
        left_s = min(left_s, before.left_s)
        late = late or before.late
    return InProgress(percent, left_s, late)


def round_up(seconds: float) -> int:
    """Round up to 5 s, to 10 s above a minute, and to minutes above two."""
    step = 5 if seconds <= MINUTE_S else 10 if seconds <= MAX_SHOWN_S else MINUTE_S
    return math.ceil(max(0.0, seconds) / step) * step
