"""The sandbox's time, which can be moved forward without sleeping."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time, plus whatever was skipped by `advance`."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass at once: deadlines and tokens of interactions age by it."""
        self._skipped += seconds

    def seconds(self) -> float:
        """Return a reading for durations, which never goes back."""
        return time.monotonic() + self._skipped

    def timestamp(self) -> float:
        """Return the seconds since 1970."""
        return time.time() + self._skipped

    def now(self) -> datetime:
        """Return the moment in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)
