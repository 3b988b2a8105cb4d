"""Pauses members whose files keep killing child processes: pure, with the time passed in."""

from collections import defaultdict

KILLS = 3
WITHIN_S = 600.0
PAUSE_S = 600.0
"""After `KILLS` kills within `WITHIN_S`, none of the member's files is opened for `PAUSE_S`."""


class KillLimit:
    """Counts killed child processes by member."""

    def __init__(self) -> None:
        self._kills: defaultdict[int, list[float]] = defaultdict(list)

    def note(self, member_id: int, *, now: float) -> None:
        """Count a kill; `now` is in seconds, from a monotonic clock."""
        for member, kills in list(self._kills.items()):
            if kills[-1] + max(WITHIN_S, PAUSE_S) <= now:
                del self._kills[member]
        self._kills[member_id] = [*self._kills[member_id], now][-KILLS:]

    def wait(self, member_id: int, *, now: float) -> float:
        """Return the seconds until the member's files are opened again; 0 if they are."""
        kills = self._kills.get(member_id, [])
        if len(kills) < KILLS or kills[-1] - kills[0] > WITHIN_S:
            return 0.0
        return max(0.0, kills[-1] + PAUSE_S - now)
