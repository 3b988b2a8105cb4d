"""A circuit breaker before the edit API: while the service is down, few calls are made in vain.

After some failures in a row the door shuts: new edits are refused, and those that were taken wait.
Once a while has passed one edit at a time goes through as a probe, and the first call that the
service answers opens the door for all.
"""

import asyncio
import time
from collections.abc import Callable

FAILURES = 5
"""So many in a row shut the door."""

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 60.0
"""Seconds until the first probe, and at most between two."""


class Breaker:
    """Whether edits are taken and called, by what became of the calls before."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with the door open; `now` is in seconds."""
        self._now = now
        self._failures = 0
        self._pause = 0.0
        """Zero while the door is open."""
        self._until = 0.0
        self._probe: int | None = None
        self._calling = False
        """Whether the probe makes its call; until then it may be another's turn to be it."""
        self._changed = asyncio.Event()

    def refuse(self, edit_id: int) -> float | None:
        """Seconds after which to try again, if the edit cannot be taken; else it may be a probe."""
        if not self._pause:
            return None
        if (left := self._until - self._now()) > 0:
            return left
        if self._probe is not None:
            return self._pause
        self._probe = edit_id
        return None

    async def wait_to_call(self, edit_id: int) -> None:
        """Wait until the edit's call may be made.

        Whoever waits here has a place among the calls, which one that was let in since may need.
        """
        while self._pause:
            left = self._until - self._now()
            if left <= 0 and not self._calling:
                self._probe, self._calling = edit_id, True
                return
            changed = self._changed
            try:
                async with asyncio.timeout(left if left > 0 else None):
                    await changed.wait()
            except TimeoutError:
                continue

    def note_answer(self) -> None:
        """The service answered a call, be it with a no."""
        self._failures, self._pause = 0, 0.0
        self._end_probe()

    def note_failure(self, edit_id: int) -> None:
        """The service answered a call with nothing of use, or not at all."""
        self._failures += 1
        if self._probe == edit_id:
            self._shut(min(2 * self._pause, LONGEST_PAUSE))
        elif not self._pause and self._failures >= FAILURES:
            self._shut(FIRST_PAUSE)

    def leave(self, edit_id: int) -> None:
        """The edit makes no call any more: if it was to be the probe, another may be."""
        if self._probe == edit_id:
            self._end_probe()

    def _shut(self, pause: float) -> None:
        self._pause, self._until = pause, self._now() + pause
        self._end_probe()

    def _end_probe(self) -> None:
        """Let whoever waits look again."""
        self._probe, self._calling = None, False
        self._changed.set()
        self._changed = asyncio.Event()
