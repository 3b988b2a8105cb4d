"""Has charts drawn in a child process, so that the bot itself never imports what draws."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.reports.usage_chart import UsageChart, to_json
from bot.subprocesses.pool import Job, ProcessPool

DRAWING = Job(("-m", "bot.reports.chart_drawing"), timeout_s=30, max_result=4 * 2**20)
"""It takes less than a second, and a chart has about 20 kB."""

AT_ONCE = 2
"""Charts that are drawn at the same time; others wait."""

Draw = Callable[[UsageChart], Awaitable[bytes]]
"""Draws a chart as a PNG; raises ChildFailed."""


class Charts:
    """Draws charts, each in a process of its own."""

    def __init__(self) -> None:
        self._children = ProcessPool(AT_ONCE)

    @asynccontextmanager
    async def drawing(self) -> AsyncGenerator[Draw]:
        """Get ready to draw one chart, while the caller fetches what it shows.

        On leaving, a drawing that nobody waits for any more has ended.
        """
        async with self._children.start(DRAWING) as ask:
            yield lambda chart: ask(to_json(chart))

    async def draw(self, chart: UsageChart) -> bytes:
        """Draw a chart as a PNG.

        Raises:
            ChildFailed: there is none.
        """
        async with self.drawing() as draw:
            return await draw(chart)
