"""Draw charts in a child process, so that the bot itself never imports Pillow."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.reports.usage_chart import UsageChart, to_json
from bot.subprocesses.pool import Job, ProcessPool

DRAWING = Job(("-m", "bot.reports.chart_drawing"), timeout_s=30, max_result=4 * 2**20)
"""Drawing takes less than a second, and a chart has about 20 kB."""

MAX_CONCURRENT = 2
"""Charts being drawn at once; others wait."""

Draw = Callable[[UsageChart], Awaitable[bytes]]
"""Draws a chart as a PNG; raises ChildFailedError."""


class Charts:
    """Draws charts, each in a process of its own."""

    def __init__(self) -> None:
        self._children = ProcessPool(MAX_CONCURRENT)

    @asynccontextmanager
    async def drawing(self) -> AsyncGenerator[Draw]:
        """Start a child process for one chart, while the caller fetches the chart's data.

        A drawing that is still running when the context exits is stopped.
        """
        async with self._children.start(DRAWING) as ask:
            yield lambda chart: ask(to_json(chart))

    async def draw(self, chart: UsageChart) -> bytes:
        """Draw a chart as a PNG. Raises ChildFailedError."""
        async with self.drawing() as draw:
            return await draw(chart)
