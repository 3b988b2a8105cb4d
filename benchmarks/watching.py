"""What benchmarks watch a process for: the peak of its memory, and how late its loop is."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

TICK = 0.001
"""Seconds."""


@contextmanager
def lateness() -> Generator[list[float]]:
    """Note by how many seconds the running event loop is late for each of its milliseconds."""
    loop = asyncio.get_running_loop()
    noted: list[float] = []

    def note(due: float) -> None:
        nonlocal timer
        now = time.perf_counter()
        noted.append(now - due)
        timer = loop.call_later(TICK, note, now + TICK)

    timer = loop.call_later(TICK, note, time.perf_counter() + TICK)
    try:
        yield noted
    finally:
        timer.cancel()


def peak(pid: int | str = "self") -> int:
    """The most memory that a process, this one, had: its resident set in KiB, by Linux."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def forget_peak(pid: int | str = "self") -> int:
    """Let the peak of a process's memory, this one's, be what it has now, in KiB; and give that."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return peak(pid)
