"""Confine a child process, so that hostile code in it can compute and nothing else.

On Linux a process can give up system calls for good. A decoder needs memory, time and the files
that are open already, so a confined child keeps those calls, and the kernel kills it at any other:
it can't open, connect, signal, trace, rename, remove or run anything, whatever its code turns into.

No maintained package does this without a system library, so the filter is built here; it is a list
of numbers.
"""

import ctypes
import errno
import os
import select
import signal
import struct
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from bot.domain.errors import ConfinementError

ALLOWED: Mapping[str, tuple[int, int]] = {
    "read": (0, 63),
    "write": (1, 64),
    "lseek": (8, 62),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "fstat": (5, 80),
    "ftruncate": (77, 46),
    "close": (3, 57),
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "getrandom": (318, 278),
    "getcwd": (79, 17),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""System calls of a confined process, and their numbers on x86-64 and arm64.

https://github.com/torvalds/linux/blob/master/arch/x86/entry/syscalls/syscall_64.tbl
https://github.com/torvalds/linux/blob/master/scripts/syscall.tbl
"""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A system call that is allowed where `argument & mask == value`, in the lower 32 bits."""

    numbers: tuple[int, int]
    argument: int
    mask: int
    value: int


_PROT_EXEC = 0x4
_CLONE_THREAD = 0x10000
_FLAGS_OF_A_THREAD = 0x17C0F00
"""All that the C libraries set besides `CLONE_THREAD`; no flag for another process or namespace."""

_CONDITIONS = (
    _Condition((9, 222), argument=2, mask=_PROT_EXEC, value=0),  # mmap
    _Condition((10, 226), argument=2, mask=_PROT_EXEC, value=0),  # mprotect
)
_CLONE_OF_A_THREAD = _Condition(
    (56, 220), argument=0, mask=0xFFFFFFFF & ~_FLAGS_OF_A_THREAD, value=_CLONE_THREAD
)

_MISSING = ((262, 79), (435, 435))
"""newfstatat and clone3, whose paths and flags are behind pointers, which a filter can't follow.
Told that there is no such call, C libraries use `clone`, and nothing needs the size of a file."""

_AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""By the machine's name, in the order of the numbers above."""


def confine_this_process(*, threads: bool = False) -> None:
    """Give up for good every system call that decoding doesn't need. The kernel kills at others.

    Whatever is needed has to be loaded and open before: modules, fonts, encodings, files. Threads
    can be started only if `threads` is set.

    Raises:
        ConfinementError: this system doesn't offer it. Where only Landlock is missing, it isn't
            raised: the filter alone forbids as much.
    """
    machine = name_machine() if sys.platform == "linux" else ""
    if machine not in _AUDIT_ARCHITECTURES or sys.maxsize < 2**32:
        raise ConfinementError("seccomp filters are for Linux on x86-64 and arm64")
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _show_no_source_lines()
    _forbid_files_and_sockets(libc)
    program = build_filter(machine, threads=threads)
    buffer = ctypes.create_string_buffer(program)
    header = _SockFprog(len(program) // _INSTRUCTION.size, ctypes.addressof(buffer))
    flags = _FILTER_ALL_THREADS | _FILTER_KEEPS_SPEED
    number = 317 if machine == "x86_64" else 277
    status = libc.syscall(number, _SET_MODE_FILTER, flags, ctypes.byref(header))
    _check(status, "seccomp")


def name_machine() -> str:
    """Name the machine's architecture as the kernel does."""
    return os.uname().machine


def hide_memory() -> None:
    """Keep other processes of this user from reading this one's memory and environment.

    https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone; nobody else would, if it hung.

    On Linux only. The parent is the thread that started this process: the event loop's.
    https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have ended before that: then nobody has the other end of the output.
        output = select.poll()
        output.register(1, 0)
        if output.poll(0):
            sys.exit("the parent is gone")


def _show_no_source_lines() -> None:
    """Keep Python from opening its own source files, to quote them in tracebacks and warnings."""

    def name_error(
        kind: type[BaseException], error: BaseException, _: TracebackType | None
    ) -> None:
        sys.stderr.write(f"{kind.__name__}: {error}\n")

    warnings.simplefilter("ignore")
    sys.excepthook = name_error
    sys.unraisablehook = lambda _: None


_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_FILTER_ALL_THREADS = 1  # SECCOMP_FILTER_FLAG_TSYNC
# SECCOMP_FILTER_FLAG_SPEC_ALLOW: without it, older kernels slow a filtered process down to keep
# it from reading its own memory by speculation. This process has nothing to hide from itself.
_FILTER_KEEPS_SPEED = 4


def _check(status: int, what: str) -> None:
    if status:
        code = ctypes.get_errno()
        why = os.strerror(code) if status < 0 else "another thread refused"
        raise ConfinementError(f"{what}: {why}")


class _SockFprog(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))


# Classic BPF: https://docs.kernel.org/userspace-api/seccomp_filter.html

_INSTRUCTION = struct.Struct("=HBBI")
_ALLOW, _KILL, _NO_SUCH_CALL = 0x7FFF0000, 0x80000000, 0x00050000 | errno.ENOSYS
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16


def _load(offset: int) -> bytes:
    return _INSTRUCTION.pack(0x20, 0, 0, offset)


def _mask(bits: int) -> bytes:
    return _INSTRUCTION.pack(0x54, 0, 0, bits)


def _if_equal(value: int, *, skip: int) -> bytes:
    return _INSTRUCTION.pack(0x15, skip, 0, value)


def _unless_equal(value: int, *, skip: int) -> bytes:
    return _INSTRUCTION.pack(0x15, 0, skip, value)


def _return(action: int) -> bytes:
    return _INSTRUCTION.pack(0x06, 0, 0, action)


def build_filter(machine: str, *, threads: bool) -> bytes:
    """The filter for `x86_64` or `aarch64`, as a program of classic BPF."""
    column = list(_AUDIT_ARCHITECTURES).index(machine)
    conditions = (*_CONDITIONS, _CLONE_OF_A_THREAD) if threads else _CONDITIONS
    return b"".join(
        (
            _load(_ARCHITECTURE_AT),
            # Otherwise the kernel's numbers mean other calls.
            *(_if_equal(_AUDIT_ARCHITECTURES[machine], skip=1), _return(_KILL)),
            _load(_NUMBER_AT),
            *(_decide(numbers[column], _ALLOW) for numbers in ALLOWED.values()),
            *(_decide_by(condition, column) for condition in conditions),
            *(_decide(numbers[column], _NO_SUCH_CALL) for numbers in _MISSING),
            _return(_KILL),
        )
    )


def _decide(number: int, action: int) -> bytes:
    return _unless_equal(number, skip=1) + _return(action)


def _decide_by(condition: _Condition, column: int) -> bytes:
    # Every machine here is little-endian, so the lower half of an argument comes first.
    return b"".join(
        (
            _unless_equal(condition.numbers[column], skip=5),
            _load(_ARGUMENTS_AT + 8 * condition.argument),
            _mask(condition.mask),
            *(_unless_equal(condition.value, skip=1), _return(_ALLOW)),
            _return(_KILL),
        )
    )


# Landlock: https://docs.kernel.org/userspace-api/landlock.html

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many kinds of access to files each version can forbid; later ones are as the last."""
_NET_FROM, _SCOPES_FROM = 4, 6


def _forbid_files_and_sockets(libc: ctypes.CDLL) -> None:
    """Let no path be opened, no TCP port be used and no other process be signaled."""
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return
    rights = (
        (1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS[5])) - 1,
        0b11 if version >= _NET_FROM else 0,  # binding and connecting
        0b11 if version >= _SCOPES_FROM else 0,  # abstract sockets and signals
    )
    known = rights[: _count_fields(version)]
    attributes = struct.pack(f"={len(known)}Q", *known)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset >= 0:
        libc.syscall(_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)


def _count_fields(version: int) -> int:
    return sum(1 for since in (1, _NET_FROM, _SCOPES_FROM) if version >= since)


def main() -> None:
    """Confine this process, and print why that is impossible if it is."""
    try:
        confine_this_process()
    except ConfinementError as fault:
        sys.stdout.write(str(fault))


if __name__ == "__main__":
    main()
