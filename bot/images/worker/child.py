"""What runs in a child process: opens one picture, and writes it again as another file.

    python -m bot.images.worker.child

It reads a `Task` from its standard input and answers with an `Answer`. Before it reads the image's
first byte it gives up whatever decoding doesn't need: more memory and time than the task may take,
other files and connections, and where the system allows it all other system calls.
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
from bot.domain.images import MAX_SENT_BYTES, SourceChange
from bot.images.tasks import Answer, Problem, Purpose, Task
from bot.images.worker.decoding import UnreadableError, decode
from bot.images.worker.encoding import encodings_for_discord, encodings_for_model, write
from bot.images.worker.marks import as_xmp, find_mark
from bot.subprocesses.confinement import confine_this_process
from bot.subprocesses.limits import allow_no_more_files, limit_this_process

CPU_SECONDS = 45

LARGEST_FILE = 2**28
"""Bytes that are written at most, also of a try that is thrown away."""


def main() -> None:
    """Do one task."""
    task = Task.from_json(sys.stdin.buffer.read())
    limit_this_process(memory=task.memory, seconds=CPU_SECONDS)
    _detect_processor()
    try:
        with Path(task.source).open("rb") as source, Path(task.into).open("w+b") as into:
            allow_no_more_files(largest=LARGEST_FILE)
            with suppress(ConfinementError):
                confine_this_process()
            answer = work(task, source, into)
    except MemoryError:
        answer = Answer(Problem.TOO_HEAVY)
    except OSError:  # Those of the picture itself are judged where it is read.
        answer = Answer(Problem.NOT_WRITTEN)
    sys.stdout.buffer.write(replace(answer, seconds=time.process_time()).to_json())


def work(task: Task, source: BinaryIO, into: BinaryIO) -> Answer:
    """Open the picture, and write it as its purpose asks for."""
    try:
        decoded = decode(source, task.format, most_pixels=task.most_pixels)
    except UnreadableError as fault:
        return Answer(fault.problem)
    image, size = decoded.image, source.seek(0, os.SEEK_END)
    if task.purpose is Purpose.EDIT:
        ways, xmp = encodings_for_model(image), b""
    else:
        ways = encodings_for_discord(image, task.format, saved=task.most_bytes / size)
        xmp = as_xmp(find_mark(source, decoded.xmp))
    written = write(image, into, ways, most_bytes=task.most_bytes, xmp=xmp)
    if written is None:
        return Answer(Problem.TOO_LARGE)
    changes: list[SourceChange] = []
    if decoded.is_first_frame:
        changes.append(SourceChange.FIRST_FRAME)
    if decoded.is_smaller or written != decoded.image.size or size > MAX_SENT_BYTES:
        changes.append(SourceChange.MADE_SMALLER)
    return Answer(changes=tuple(changes))


def _detect_processor() -> None:
    """Have libjpeg-turbo find out what the processor can do: on arm64 it reads a file for that."""
    Image.new("L", (1, 1)).save(io.BytesIO(), "JPEG")


if __name__ == "__main__":
    main()
