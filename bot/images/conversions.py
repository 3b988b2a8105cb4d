"""Convert images in child processes, so that no image can harm the bot."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.errors import (
    BrokenImageError,
    ChildFailedError,
    ChildHungError,
    ChildKilledError,
    ChildTimeoutError,
    NotAnImageError,
    SourceError,
    TooHeavyError,
    TooLargeError,
    TooManyPixelsError,
)
from bot.domain.images import (
    EVERYWHERE,
    MAX_SENT_BYTES,
    MAX_SENT_PIXELS,
    MAX_SOURCE_PIXELS,
    ImageInfo,
    Source,
)
from bot.images.files import is_complete, probe_file
from bot.images.tasks import Problem, Purpose, Report, Task
from bot.subprocesses.pool import Job, ProcessPool, Usage

JOB = Job(arguments=("-m", "bot.images.worker.child"), timeout_s=60, max_result=1_000)
"""An image of 200 megapixels takes about ten seconds."""

BASE_MEMORY = 320 * 2**20
"""Bytes of memory that a child may use for its code and the file, whatever the image."""

MEMORY_PER_PIXEL = 24
"""More bytes per pixel. Most honest images take 9 to 14, a WebP 17."""

COSTLY_S = 5.0
"""CPU seconds from which a conversion in vain counts as costly."""

LARGE = 50_000_000
"""Pixels of a large image. Only one of these is converted at a time."""


OnCostly = Callable[[BaseException], None]
"""Called with the error that a costly conversion ended with."""


def _ignore(_: BaseException) -> None: ...


class Conversions:
    """Converts images, one per core of this machine at a time."""

    def __init__(self) -> None:
        self.at_once = _count_cores()
        self._children = ProcessPool(self.at_once)
        self._large = asyncio.Semaphore(1)

    async def to_edit(
        self, source: Path, image: ImageInfo, into: Path, *, on_costly: OnCostly = _ignore
    ) -> Source:
        """Convert a source to what the edit API accepts. `into` exists only on success.

        Args:
            source: the original.
            image: what its header says.
            into: the converted file.
            on_costly: called if the image crashed its child, hung it, or kept it busy for long,
                in vain, also if it was cancelled meanwhile.

        Raises:
            SourceError: the image is broken, too large, or takes too much memory or time.
            ChildFailedError: the child failed, not the image.
            OSError: the file can't be written.
        """
        return await self._convert(
            image,
            Task(
                purpose=Purpose.EDIT,
                source=str(source),
                into=str(into),
                format=image.format,
                max_bytes=MAX_SENT_BYTES,
                max_pixels=MAX_SENT_PIXELS,
                memory=_memory_for(image),
            ),
            on_costly,
        )

    async def to_post(
        self, result: Path, image: ImageInfo, into: Path, *, max_bytes: int
    ) -> Source:
        """Convert a result in the best quality that fits; raises the same errors as `to_edit`."""
        return await self._convert(
            image,
            Task(
                purpose=Purpose.POST,
                source=str(result),
                into=str(into),
                format=image.format,
                max_bytes=max_bytes,
                max_pixels=MAX_SOURCE_PIXELS,
                memory=_memory_for(image),
            ),
        )

    async def _convert(self, image: ImageInfo, task: Task, on_costly: OnCostly = _ignore) -> Source:
        into = Path(task.into)
        cost = _Cost()
        try:
            if image.pixels < LARGE:
                report = await self._run(task, cost)
            else:
                async with self._large:
                    report = await self._run(task, cost)
            return await asyncio.to_thread(_check, report, into, image, task)
        except BaseException as error:
            _remove(into)
            if cost.is_high:
                on_costly(error)
            raise

    async def _run(self, task: Task, cost: "_Cost") -> Report:
        async with self._children.start(JOB, cost.usage) as call:
            try:
                report = Report.from_json(await call(task.to_json()))
            except (ChildTimeoutError, ChildHungError, ChildKilledError) as error:
                cost.is_crash = _is_crash(error)
                raise _source_error(error) from error
            except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
                raise ChildFailedError("its report can't be read") from error
        cost.reported_s = report.seconds
        return report


@dataclass(slots=True)
class _Cost:
    """What a conversion cost."""

    usage: Usage = field(default_factory=Usage)
    reported_s: float = 0.0
    """CPU seconds by the child's own account, where they can't be measured."""
    is_crash: bool = False

    @property
    def is_high(self) -> bool:
        """Whether it counts as costly if it was in vain."""
        return self.is_crash or self.usage.cpu_s >= COSTLY_S or self.reported_s >= COSTLY_S


_LIMIT_SIGNALS = frozenset(
    getattr(signal, name) for name in ("SIGKILL", "SIGXCPU") if hasattr(signal, name)
)
"""Signals that the system sends to a process over its limits; any other means a crash."""


def _source_error(child_error: ChildFailedError) -> SourceError:
    crashed = isinstance(child_error, ChildKilledError) and child_error.signal not in _LIMIT_SIGNALS
    return (BrokenImageError if crashed else TooHeavyError)(str(child_error))


def _is_crash(child_error: ChildFailedError) -> bool:
    """Whether the image itself ended its child, however little CPU time was measured.

    Timeouts and SIGKILL also happen on a machine that is busy or short of memory.
    """
    if isinstance(child_error, ChildKilledError):
        return child_error.signal != _SIGKILL
    return isinstance(child_error, ChildHungError)


_SIGKILL = 9


def _memory_for(image: ImageInfo) -> int:
    return BASE_MEMORY + MEMORY_PER_PIXEL * image.pixels


def _error_for(problem: Problem, image: ImageInfo, task: Task) -> SourceError | OSError:
    match problem:
        case Problem.BROKEN:
            return BrokenImageError()
        case Problem.TOO_MANY_PIXELS:
            return TooManyPixelsError(image.width, image.height)
        case Problem.TOO_HEAVY:
            return TooHeavyError(f"more than {task.memory} bytes of memory")
        case Problem.TOO_LARGE:
            return TooLargeError(task.max_bytes)
        case Problem.NOT_WRITTEN:
            return OSError("the converted image couldn't be written")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _check(report: Report, path: Path, source: ImageInfo, task: Task) -> Source:
    """Check what a child wrote; it may have been taken over by a hostile image."""
    if report.problem is not None:
        raise _error_for(report.problem, source, task)
    size = path.stat().st_size
    try:
        image = probe_file(path)
    except NotAnImageError as error:
        raise ChildFailedError("it didn't write an image") from error
    if (
        image.format not in EVERYWHERE
        or size > task.max_bytes
        or image.pixels > task.max_pixels
        or not is_complete(path, image.format)
    ):
        raise ChildFailedError("it wrote an image that wasn't asked for")
    return Source(image, size, path, report.changes)


def _count_cores() -> int:
    """Count the cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
