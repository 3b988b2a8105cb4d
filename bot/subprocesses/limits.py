"""The limits that a child process sets for itself, where the system has them."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

    def limit_this_process(*, memory: int, seconds: int) -> None:
        """Let this process take so many bytes of memory and seconds of computing, and no more.

        Beyond them allocations fail, and the system ends it; also before any other process, should
        the machine run out of memory.
        """
        with suppress(OSError):  # Linux has it: https://docs.kernel.org/filesystems/proc.html
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        limits = (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_CORE, 0),
        )
        for kind, most in limits:
            _set_limit(kind, most)

    def allow_no_more_files(*, largest: int) -> None:
        """Let this process open nothing any more, no connection either, and write no larger file.

        What is open stays so.
        """
        probe = os.dup(0)
        os.close(probe)  # the lowest free number, so all below it are taken
        _set_limit(resource.RLIMIT_NOFILE, probe)
        _set_limit(resource.RLIMIT_FSIZE, largest)

    def _set_limit(kind: int, most: int) -> None:
        # Some systems refuse some kinds; a lower limit from outside stands.
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))

else:

    def limit_this_process(*, memory: int, seconds: int) -> None:
        """Windows has no such limits."""

    def allow_no_more_files(*, largest: int) -> None:
        """Windows has no such limits."""
