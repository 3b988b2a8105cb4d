"""Time that passes when a test says so."""

import asyncio


class Clock:
    """Seconds that pass when a test adds to them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def settle() -> None:
    """Let all that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)
