"""Pauses files that kill child processes, and their members: pure, with the time passed in."""

from collections import defaultdict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

KILLS = 3
WITHIN_S = 600.0
PAUSE_S = 600.0
"""After `KILLS` kills within `WITHIN_S`, none of the member's files is opened for `PAUSE_S`."""


class KillLimit(Generic[Key]):
    """Counts killed child processes by member, or by file."""

    def __init__(self, limit: int) -> None:
        """Pause after `limit` kills."""
        self._limit = limit
        self._kills: defaultdict[Key, list[float]] = defaultdict(list)

    def note(self, key: Key, *, now: float) -> None:
        """Count a kill; `now` is in seconds, from a monotonic clock."""
        for known, kills in list(self._kills.items()):
            if kills[-1] + max(WITHIN_S, PAUSE_S) <= now:
                del self._kills[known]
        self._kills[key] = [*self._kills[key], now][-self._limit :]

    def wait(self, key: Key, *, now: float) -> float:
        """Return the seconds until the member's files, or the file, are opened again; 0 if now."""
        kills = self._kills.get(key, [])
        if len(kills) < self._limit or kills[-1] - kills[0] > WITHIN_S:
            return 0.0
        return max(0.0, kills[-1] + PAUSE_S - now)
