"""The limits that a child process sets for itself, where the system has them."""

import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource

    def limit_this_process(*, memory: int, seconds: int) -> None:
        """Let this process take so many bytes of memory and seconds of computing, and no more.

        Beyond them allocations fail, and the system ends it.
        """
        limits = (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_CORE, 0),
        )
        for kind, most in limits:
            # Some systems refuse some kinds; a lower limit from outside stands.
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))

else:

    def limit_this_process(*, memory: int, seconds: int) -> None:
        """Windows has no such limits."""
