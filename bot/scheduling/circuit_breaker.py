"""A circuit breaker in front of the edit API, so that an outage costs few calls.

Several failures in a row open the circuit: new edits are refused, and queued ones wait. After a
pause one edit at a time goes through as a probe. The first answer closes the circuit.

While all failures in a row are one member's, their prompts may be the cause, so the circuit is open
for that member alone. The next failure of somebody else opens it for everybody.
"""

import asyncio
import time
from collections.abc import Callable

FAILURES = 5
"""Failures in a row that open the circuit."""

FIRST_PAUSE_S, MAX_PAUSE_S = 30.0, 60.0
"""Seconds until the first probe, and at most between two probes."""


class CircuitBreaker:
    """Decides by the results of earlier calls whether edits are accepted and sent."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, *, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        """Start with the circuit closed."""
        self._now = now
        self._first_pause_s = first_pause_s
        self._failures = 0
        self._failed_members: set[int] = set()
        self._pause_s = 0.0
        """Zero while the circuit is closed."""
        self._open_until = 0.0
        self._probe: int | None = None
        self._calling = False
        """Whether the probe's call has begun; until then another edit may become the probe."""
        self._changed = asyncio.Event()

    def refuse(self, edit_id: int, member_id: int) -> float | None:
        """Return the seconds to wait if the edit is refused; if not, it may become the probe."""
        if not self._is_open_for(member_id):
            return None
        if (left := self._open_until - self._now()) > 0:
            return left
        if self._probe is not None:
            return self._pause_s
        self._probe = edit_id
        return None

    async def wait_to_call(self, edit_id: int, member_id: int) -> None:
        """Wait until the edit may be sent.

        The first edit that waits here becomes the probe, even if another was accepted as one: that
        one may still be queued for the slot that this edit has.
        """
        while self._is_open_for(member_id):
            left = self._open_until - self._now()
            if left <= 0 and not self._calling:
                self._probe, self._calling = edit_id, True
                return
            changed = self._changed
            try:
                async with asyncio.timeout(left if left > 0 else None):
                    await changed.wait()
            except TimeoutError:
                continue

    def record_answer(self) -> None:
        """Close the circuit: the service answered a call, even if it declined the edit."""
        self._failures, self._pause_s = 0, 0.0
        self._failed_members.clear()
        self._end_probe()

    def record_failure(self, edit_id: int, member_id: int) -> None:
        """Count a call without a usable answer."""
        was_open = self._is_open_for(member_id)
        self._failures += 1
        self._failed_members.add(member_id)
        if self._probe == edit_id:
            self._open(min(2 * self._pause_s, MAX_PAUSE_S))
        elif not was_open and self._failures >= FAILURES:
            self._open(self._first_pause_s)

    def leave(self, edit_id: int) -> None:
        """Let another edit be the probe if this one was: it won't be sent."""
        if self._probe == edit_id:
            self._end_probe()

    def _is_open_for(self, member_id: int) -> bool:
        is_everybodys = len(self._failed_members) > 1
        return self._pause_s > 0 and (is_everybodys or member_id in self._failed_members)

    def _open(self, pause_s: float) -> None:

        self._pause_s, self._open_until = pause_s, self._now() + pause_s
        self._end_probe()

    def _end_probe(self) -> None:
        self._probe, self._calling = None, False
        self._changed.set()
        self._changed = asyncio.Event()
