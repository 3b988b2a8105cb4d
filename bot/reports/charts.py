"""Has charts drawn in a child process, so that the bot itself never carries matplotlib's weight."""

import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.child_process import Children, Work
from bot.reports.usage_chart import UsageChart, to_json

DRAWING = ("-m", "bot.reports.chart_drawing")

AT_ONCE = 2
"""Charts that are drawn at the same time; others wait."""

LONGEST_DRAWING = 60
"""Seconds. It takes less than one, but for the first on a machine, which lists all its fonts."""

LARGEST_CHART = 4 * 2**20
"""Bytes; a chart has about 60 kB."""

Draw = Callable[[UsageChart], Awaitable[bytes]]
"""Draws a chart as a PNG; raises ChildFailed."""


class Charts:
    """Draws charts, each in a process of its own."""

    def __init__(self, cache: Path | None = None) -> None:
        """Keep what matplotlib finds out about this machine's fonts in the folder `cache`.

        Without one, a folder is chosen that stays, if there is one that can be written to.
        """
        folder = cache or find_cache_folder()
        environment = {"OPENBLAS_NUM_THREADS": "1"}
        if folder is not None:
            environment["MPLCONFIGDIR"] = str(folder)
        self._work = Work(DRAWING, LONGEST_DRAWING, LARGEST_CHART, environment)
        self._children = Children(AT_ONCE)

    @asynccontextmanager
    async def drawing(self) -> AsyncGenerator[Draw]:
        """Get ready to draw one chart, while the caller fetches what it shows.

        On leaving, a drawing that nobody waits for any more has ended.
        """
        async with self._children.start(self._work) as ask:
            yield lambda chart: ask(to_json(chart))

    async def draw(self, chart: UsageChart) -> bytes:
        """Draw a chart as a PNG.

        Raises:
            ChildFailed: there is none.
        """
        async with self.drawing() as draw:
            return await draw(chart)


def find_cache_folder() -> Path | None:
    """A folder of ours that stays between runs, made where it is missing; None: there can be none.

    In a home, if there is one that can be written to, else beside other temporary files.
    """
    return next(filter(_is_ours, _cache_folders()), None)


def _cache_folders() -> Iterator[Path]:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        if (given := Path(os.environ.get(name, ""))).is_absolute():
            yield given / "darkroom"
    with suppress(RuntimeError):
        yield Path.home() / ".cache" / "darkroom"
    with suppress(OSError):
        yield Path(tempfile.gettempdir(), f"darkroom-{_user()}")


def _is_ours(folder: Path) -> bool:
    """Whether it is there, can be written to, and is not another user's."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.access(folder, os.W_OK | os.X_OK) and folder.lstat().st_uid == _user()
    except OSError:
        return False


def _user() -> int:
    return 0 if sys.platform == "win32" else os.getuid()
