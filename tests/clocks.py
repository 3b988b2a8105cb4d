"""The wall's clock, as the bot reads it, which a test can move."""

from datetime import datetime, timedelta, tzinfo

import pytest

READERS = ("bot.editing", "bot.discord_front")
"""What looks at the wall's clock while an edit is under way."""


class MovableClock:
    """Goes as the system's, and jumps when a test says so, as a clock does that is set anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta(0)

        class Moved(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime.now(tz) + self.ahead

        for module in READERS:
            monkeypatch.setattr(f"{module}.datetime", Moved)

    def jump(self, **by: float) -> None:
        """Stand so much later, or earlier, at once."""
        self.ahead += timedelta(**by)
