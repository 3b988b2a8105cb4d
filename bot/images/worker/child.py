"""The child process: opens one image and writes it to another file.

    python -m bot.images.worker.child

It reads a `Task` from standard input and writes a `Report` to standard output. Before it reads the
image's first byte, it gives up everything that decoding doesn't need: more memory and time than the
task may use, other files and connections, and, where the system allows it, all other system calls.
"""

import io
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from bot.domain.errors import ConfinementError
from bot.domain.images import MAX_SENT_BYTES, Format, SourceChange
from bot.images.tasks import Problem, Purpose, Report, Task
from bot.images.worker.decoding import UnreadableError, decode
from bot.images.worker.encoding import encodings_for_discord, encodings_for_model, write
from bot.images.worker.marks import as_xmp, find_mark
from bot.subprocesses.confinement import confine_this_process, end_with_parent
from bot.subprocesses.limits import (
    allow_no_more_files,
    close_inherited_files,
    limit_this_process,
)

CPU_SECONDS = 45

MAX_FILE_BYTES = 2**28
"""Bytes written at most, even in an attempt that is discarded."""


def main() -> None:
    """Carry out one task."""
    end_with_parent()
    close_inherited_files()
    task = Task.from_json(sys.stdin.buffer.read())
    limit_this_process(memory=task.memory, seconds=CPU_SECONDS)
    _detect_processor()
    try:
        with Path(task.source).open("rb") as source, Path(task.into).open("w+b") as into:
            allow_no_more_files(largest=MAX_FILE_BYTES)
            with suppress(ConfinementError):
                # libde265 decodes in a thread; no other decoder needs one.
                confine_this_process(threads=task.format is Format.HEIC)
            report = convert(task, source, into)
    except MemoryError:
        report = Report(Problem.TOO_HEAVY)
    except OSError:  # `decode` translates those that the image itself causes.
        report = Report(Problem.NOT_WRITTEN)
    sys.stdout.buffer.write(replace(report, seconds=time.process_time()).to_json())


def convert(task: Task, source: BinaryIO, into: BinaryIO) -> Report:
    """Open the image and write it for the task's purpose."""
    try:
        decoded = decode(source, task.format, max_pixels=task.max_pixels)
    except UnreadableError as error:
        return Report(error.problem)
    image, size = decoded.image, source.seek(0, os.SEEK_END)
    if task.purpose is Purpose.EDIT:
        encodings, xmp = encodings_for_model(image), b""
    else:
        encodings = encodings_for_discord(image, task.format, target=task.max_bytes / size)
        xmp = as_xmp(find_mark(source, decoded.xmp))
    written = write(image, into, encodings, max_bytes=task.max_bytes, xmp=xmp)
    if written is None:
        return Report(Problem.TOO_LARGE)
    changes: list[SourceChange] = []
    if decoded.is_first_frame:
        changes.append(SourceChange.FIRST_FRAME)
    if decoded.is_smaller or written != decoded.image.size or size > MAX_SENT_BYTES:
        changes.append(SourceChange.MADE_SMALLER)
    return Report(changes=tuple(changes))


def _detect_processor() -> None:
    """Have libjpeg-turbo detect the CPU's features now: on arm64 it reads a file for that."""
    Image.new("L", (1, 1)).save(io.BytesIO(), "JPEG")


if __name__ == "__main__":
    main()
