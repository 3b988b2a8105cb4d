"""How soon the sandbox's page is there, and what it costs while nobody does anything.

    python -m benchmarks.page

The command is run as a person runs it, in a process of its own, several times. What it costs is the
time of the processor that it and the bot beside it use in ten seconds, as Linux counts it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

REPEATS = 5
SECONDS_IDLE = 10
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start it several times, leave it alone once, and print the figures."""
    starts = [start() for _ in range(REPEATS)]
    print(
        f"the page's address after {median(starts):.2f} s (median of {REPEATS}), "
        f"{max(starts):.2f} s (longest)"
    )
    print(f"idle: {idle():.1f} % of one core, over {SECONDS_IDLE} s")


def start() -> float:
    """Seconds from the command to the page's address."""
    started = time.monotonic()
    process = show()
    seconds = time.monotonic() - started
    end(process)
    return seconds


def idle() -> float:
    """Percent of one core that the sandbox and the bot use when nothing happens."""
    process = show()
    before = ticks(process.pid)
    try:
        process.wait(SECONDS_IDLE)
    except subprocess.TimeoutExpired:
        used = ticks(process.pid) - before
    else:
        sys.exit("the page went away")
    end(process)
    return 100 * used / TICKS / SECONDS_IDLE


def show() -> "subprocess.Popen[str]":
    """Run the command until it has printed the page's address."""
    command = [sys.executable, "-m", "bot", "sandbox", "--page", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout or ():
        if re.search(r"http://\S+", line):
            return process
    sys.exit("the page did not come up")


def end(process: "subprocess.Popen[str]") -> None:
    """End it as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    process.wait()


def ticks(pid: int) -> int:
    """Clock ticks that a process and its children have used."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    own = int(stat[11]) + int(stat[12])
    return own + sum(ticks(int(child)) for child in children)


if __name__ == "__main__":
    main()
