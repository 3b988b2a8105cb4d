"""A program that tries what hostile code would try, each in a process of its own.

    python -m tests.subprocesses.forbidden_calls FOLDER confined
    python -m tests.subprocesses.forbidden_calls FOLDER unconfined

`confined` gives up system calls first, as a child does. `unconfined` shows that the calls are
possible. It prints the names of the calls at which the kernel killed the process.
"""

import ctypes
import mmap
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.subprocesses.confinement import confine_this_process

LIBC = ctypes.CDLL(None, use_errno=True)
FOLDER = Path(sys.argv[1] if sys.argv[2:] else ".")
FILE = FOLDER / "ledger"
LISTENER = socket.create_server(("127.0.0.1", 0))
CALLER = socket.socket()
PARENT = os.getpid()
PAGE = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE)


def syscall(x86_64: int, arm64: int, *arguments: int) -> None:
    """Make a call that Python has no function for."""
    LIBC.syscall(x86_64 if os.uname().machine == "x86_64" else arm64, *arguments)


def make_executable() -> None:
    """Ask for a page that was written to be run."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(PAGE))
    LIBC.mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, 5)


CALLS: Mapping[str, Callable[[], object]] = {
    "open to read": lambda: os.open(FILE, os.O_RDONLY),
    "open to write": lambda: os.open(FILE, os.O_WRONLY | os.O_TRUNC),
    "open the parent's environment": lambda: os.open(f"/proc/{PARENT}/environ", os.O_RDONLY),
    "openat2": lambda: syscall(437, 437, -100, 0, 0, 0),
    "stat": FILE.stat,
    "listdir": lambda: list(FOLDER.iterdir()),
    "truncate": lambda: os.truncate(FILE, 0),
    "unlink": FILE.unlink,
    "rename": lambda: FILE.rename(FOLDER / "renamed"),
    "link": lambda: os.link(FILE, FOLDER / "linked"),
    "symlink": lambda: (FOLDER / "linked").symlink_to(FILE),
    "mkdir": (FOLDER / "made").mkdir,
    "chmod": lambda: FILE.chmod(0o777),
    "chdir": lambda: os.chdir(FOLDER),
    "utime": lambda: os.utime(FILE),
    "mount": lambda: syscall(165, 40, 0, 0, 0, 0, 0),
    "socket": socket.socket,
    "socketpair": socket.socketpair,
    "connect": lambda: CALLER.connect(LISTENER.getsockname()),
    "bind": lambda: CALLER.bind(("127.0.0.1", 0)),
    "send": lambda: os.sendfile(CALLER.fileno(), 0, 0, 1),
    "dup": lambda: os.dup(LISTENER.fileno()),
    "pipe": os.pipe,
    "memfd": lambda: os.memfd_create("code"),
    "kill": lambda: os.kill(PARENT, 0),
    "kill oneself": lambda: os.kill(os.getpid(), 0),
    "tgkill": lambda: signal.pthread_kill(threading.get_ident(), 0),
    "ptrace": lambda: syscall(101, 117, 0, 0, 0, 0),
    "read another process": lambda: syscall(310, 270, PARENT, 0, 0, 0, 0, 0),
    "pidfd_open": lambda: os.pidfd_open(PARENT),
    "fork": os.fork,
    "clone a thread": threading.Thread(target=os.getpid).start,
    "clone a process": lambda: syscall(56, 220, signal.SIGCHLD, 0, 0, 0, 0),
    "clone a namespace": lambda: syscall(56, 220, 0x10010000, 0, 0, 0, 0),
    "unshare": lambda: syscall(272, 97, 0),
    "execve": lambda: syscall(59, 221, 0, 0, 0),
    "execveat": lambda: syscall(322, 281, -1, 0, 0, 0, 0),
    "setrlimit": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "prctl": lambda: LIBC.prctl(4, 1, 0, 0, 0),
    "setuid": lambda: os.setuid(os.getuid()),
    "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "make memory executable": make_executable,
    "io_uring": lambda: syscall(425, 425, 0, 0),
    "bpf": lambda: syscall(321, 280, 0, 0, 0),
    "seccomp": lambda: syscall(317, 277, 2, 0, 0),
    "ioctl": lambda: os.get_terminal_size(LISTENER.fileno()),
    "a call of 32 bits": lambda: syscall(0x40000000 + 2, 1024, 0, 0),
}


def is_killed(call: Callable[[], object], *, confined: bool) -> bool:
    """Whether the kernel kills a process that closes its descriptors and then makes the call."""
    child = os.fork()
    if child == 0:
        if confined:
            confine_this_process()
        os.closerange(1, LISTENER.fileno())
        try:
            call()
        except OSError:
            pass
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS


def main() -> None:
    """Try every call."""
    confined = sys.argv[2] == "confined"
    for name, call in CALLS.items():
        FILE.write_bytes(b"kept")
        if is_killed(call, confined=confined):
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()
        if confined and (not FILE.exists() or FILE.read_bytes() != b"kept"):
            raise AssertionError(f"{name} reached the file")


if __name__ == "__main__":
    main()
