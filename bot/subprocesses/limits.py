"""The limits that a child process sets for itself, where the system supports them."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

    def close_inherited_files() -> None:
        """Close all files but the standard streams.

        uvloop lets a child keep every descriptor that the bot got from the program that started it.
        """
        os.closerange(3, _MOST_FILES)

    _MOST_FILES = 2**16
    """Few enough to be closed one by one, where the system can't close them all at once."""

    def limit_this_process(*, memory: int, seconds: int) -> None:
        """Limit this process to `memory` bytes and `seconds` of CPU time.

        Beyond these, allocations fail and the system kills the process. If the machine runs out of
        memory, the system kills this process first.
        """
        with suppress(OSError):  # Linux has it: https://docs.kernel.org/filesystems/proc.html
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        _set_limit(resource.RLIMIT_AS, memory)
        # SIGXCPU comes first, and says what ended the process. SIGKILL can't be ignored.
        _set_limit(resource.RLIMIT_CPU, seconds, seconds + 1)
        _set_limit(resource.RLIMIT_CORE, 0)

    def allow_no_more_files(*, largest: int) -> None:
        """Stop this process from opening files and sockets, and limit the files that it writes.

        What is open stays open.
        """
        probe = os.dup(0)
        os.close(probe)  # the lowest free descriptor, so all below it are in use
        _set_limit(resource.RLIMIT_NOFILE, probe)
        _set_limit(resource.RLIMIT_FSIZE, largest)

    def _set_limit(kind: int, most: int, hard: int | None = None) -> None:
        # Some systems refuse some kinds, and a lower limit set from outside stays.
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most if hard is None else hard))

else:

    def close_inherited_files() -> None:
        """Do nothing: on Windows, a child inherits no files."""

    def limit_this_process(*, memory: int, seconds: int) -> None:
        """Do nothing: Windows has no such limits."""

    def allow_no_more_files(*, largest: int) -> None:
        """Do nothing: Windows has no such limits."""
