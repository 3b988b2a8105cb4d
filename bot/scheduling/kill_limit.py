"""Members whose files keep killing child processes wait a while: pure, with the time passed in."""

from collections import defaultdict

KILLS = 3
WITHIN_S = 600.0
PAUSE_S = 600.0
"""After so many kills within so many seconds, no file of the member is opened for so many."""


class KillLimit:
    """Counts killed child processes by member."""

    def __init__(self) -> None:
        self._kills: defaultdict[int, list[float]] = defaultdict(list)

    def note(self, member_id: int, *, now: float) -> None:
        """Count a kill; `now` is in seconds, of a clock that never goes back."""
        for member, kills in list(self._kills.items()):
            if kills[-1] + max(WITHIN_S, PAUSE_S) <= now:
                del self._kills[member]
        self._kills[member_id] = [*self._kills[member_id], now][-KILLS:]

    def wait(self, member_id: int, *, now: float) -> float:
        """Return the seconds until the member's files are opened again; 0 for right now."""
        kills = self._kills.get(member_id, [])
        if len(kills) < KILLS or kills[-1] - kills[0] > WITHIN_S:
            return 0.0
        return max(0.0, kills[-1] + PAUSE_S - now)
