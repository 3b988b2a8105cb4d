"""Time that passes when a test says so."""

import asyncio
from datetime import datetime, timedelta, tzinfo

import pytest

READERS = ("bot.clock", "bot.discord_io.edit_messages", "bot.discord_io.custom_ids")
"""Modules that read the wall clock while an edit is in progress, or to tell how old a button is."""


class Clock:
    """Seconds that pass when a test adds to them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class MovableClock:
    """The wall's, as the bot reads it, which jumps when a test says so, like one that is set."""

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


async def settle() -> None:
    """Let all that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)
