"""Has pictures written again in child processes, so that no picture can harm the bot."""

import asyncio
import os
import signal
import sys
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
from bot.images.files import probe_file
from bot.images.tasks import Answer, Problem, Purpose, Task
from bot.subprocesses.pool import Job, ProcessPool

JOB = Job(arguments=("-m", "bot.images.worker.child"), seconds=60, answer=1_000)
"""A picture of 200 megapixels takes about ten seconds."""

BASE_MEMORY = 320 * 2**20
"""Bytes that a child may take for its programs and the file, whatever the picture."""

MEMORY_PER_PIXEL = 24
"""Bytes on top. Most pictures take 9 to 14 and a WebP 17, as long as they are what they say."""

COSTLY_S = 5.0
"""Seconds of processor time from which on an image that can't be opened is costly."""

LARGE = 50_000_000
"""Pixels of a picture from which on only one is worked on at a time."""


class Conversions:
    """Writes pictures again, one per core of this machine at a time."""

    def __init__(self) -> None:
        self.at_once = _count_cores()
        self._children = ProcessPool(self.at_once)
        self._large = asyncio.Semaphore(1)

    async def to_edit(self, source: Path, picture: ImageInfo, into: Path) -> Source:
        """Write a source as the edit API takes it; `into` exists only if that went well.

        Raises:
            Broken, TooManyPixels, TooHeavy, TooLarge: there is nothing to be sent.
            ChildFailed: for another reason than the picture.
            OSError: the disk does not take it.
        """
        return await self._convert(
            picture,
            Task(
                purpose=Purpose.EDIT,
                source=str(source),
                into=str(into),
                format=picture.format,
                most_bytes=MAX_SENT_BYTES,
                most_pixels=MAX_SENT_PIXELS,
                memory=_memory_for(picture),
            ),
        )

    async def to_post(
        self, result: Path, picture: ImageInfo, into: Path, *, most_bytes: int
    ) -> Source:
        """Write a result in the best quality that fits; raises as `to_edit`."""
        return await self._convert(
            picture,
            Task(
                purpose=Purpose.POST,
                source=str(result),
                into=str(into),
                format=picture.format,
                most_bytes=most_bytes,
                most_pixels=MAX_SOURCE_PIXELS,
                memory=_memory_for(picture),
            ),
        )

    async def _convert(self, picture: ImageInfo, task: Task) -> Source:
        into = Path(task.into)
        try:
            if picture.pixels < LARGE:
                answer = await self._ask(task)
            else:
                async with self._large:
                    answer = await self._ask(task)
            return await asyncio.to_thread(_judge, answer, into, picture, task)
        except BaseException:
            _remove(into)
            raise

    async def _ask(self, task: Task) -> Answer:
        async with self._children.start(JOB) as ask:
            try:
                return Answer.from_json(await ask(task.to_json()))
            except (ChildTimeoutError, ChildHungError, ChildKilledError) as fault:
                raise _fault_for_ended(fault) from fault
            except (ValueError, TypeError, LookupError, RecursionError) as fault:
                raise ChildFailedError("its answer is none") from fault


_SENT_AT_LIMITS = frozenset(
    getattr(signal, name) for name in ("SIGKILL", "SIGXCPU") if hasattr(signal, name)
)


def _fault_for_ended(fault: ChildFailedError) -> SourceError:
    crashed = isinstance(fault, ChildKilledError) and fault.signal not in _SENT_AT_LIMITS
    ended = (BrokenImageError if crashed else TooHeavyError)(str(fault))
    # A busy machine lets time run out, and one short of memory kills, whatever the image.
    ended.is_costly = crashed or isinstance(fault, ChildHungError)
    return ended


def _memory_for(picture: ImageInfo) -> int:
    return BASE_MEMORY + MEMORY_PER_PIXEL * picture.pixels


def _fault_for(problem: Problem, picture: ImageInfo, task: Task) -> SourceError | OSError:
    match problem:
        case Problem.BROKEN:
            return BrokenImageError()
        case Problem.TOO_MANY_PIXELS:
            return TooManyPixelsError(picture.width, picture.height)
        case Problem.TOO_HEAVY:
            return TooHeavyError(f"more than {task.memory} bytes of memory")
        case Problem.TOO_LARGE:
            return TooLargeError(task.most_bytes)
        case Problem.NOT_WRITTEN:
            return OSError("the disk did not take the picture that was made")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _judge(answer: Answer, path: Path, source: ImageInfo, task: Task) -> Source:
    """Look at what a child wrote as at any other file."""
    if answer.problem is not None:
        fault = _fault_for(answer.problem, source, task)
        if isinstance(fault, SourceError):
            fault.is_costly = answer.seconds > COSTLY_S
        raise fault
    size = path.stat().st_size
    try:
        picture = probe_file(path)
    except NotAnImageError as fault:
        raise ChildFailedError("what it wrote is no picture") from fault
    if picture.format not in EVERYWHERE or size > task.most_bytes:
        raise ChildFailedError("what it wrote is another picture than it was asked for")
    return Source(picture, size, path, answer.changes)


def _count_cores() -> int:
    """The cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
