"""The soak: many edits through one process, whose memory, files and threads must stay level.

Samples of the bot's process are taken at even distances, and what they came to after the warm-up
is held against what they come to at the end. Linux alone: all is read from /proc.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean

from drills.checks import Broken, Kind
from drills.crowd import Crowd
from drills.running import Report, set_stage, telling
from sandbox.bot_process import BotProcess

LONG, SHORT = 10_000, 500
"""Edits."""

SAMPLES = 100
AFTER_WARM_UP, AT_THE_END = slice(SAMPLES // 5, 2 * SAMPLES // 5), slice(4 * SAMPLES // 5, None)
"""The samples that are compared."""

MEMBERS = 40


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is counted of the process, and by how much its mean may grow."""

    name: str
    unit: str
    """What follows a number."""
    slack: float


# What is open for the edits under way comes and goes; one left for every hundred edits shows.
MEASURES = (
    Measure("memory", " MiB", 8),
    Measure("file descriptors", "", 20),
    Measure("threads", "", 4),
    Measure("files in the spool", "", 20),
)


async def drill(seed: int, *, short: bool) -> Report:
    """Take samples while the edits go through, and compare."""
    if sys.platform != "linux":
        raise SystemExit("The soak reads /proc, which only Linux has.")
    edits = SHORT if short else LONG
    samples: list[tuple[float, ...]] = []
    async with set_stage() as stage:
        crowd = Crowd(stage.sandbox, Random(f"{seed} crowd"), size=MEMBERS, patience=60)
        async with telling(lambda: str(crowd)), crowd.at_work():
            for number in range(1, SAMPLES + 1):
                await crowd.until_ended(edits * number // SAMPLES)
                samples.append(take_sample(stage.bot))
        verdict = await stage.end(crowd)
    figures = [f"{crowd.ended} edits through one process"]
    for measure, counted in zip(MEASURES, zip(*samples, strict=True), strict=True):
        before, after = mean(counted[AFTER_WARM_UP]), mean(counted[AT_THE_END])
        said = (
            f"{measure.name}: {before:.1f}{measure.unit} after the warm-up, "
            f"{after:.1f}{measure.unit} at the end"
        )
        figures.append(said)
        if after - before > measure.slack:
            grown = f"{said}: more than {measure.slack:g}{measure.unit} on top"
            verdict.broken.append(Broken(Kind.WRONG, grown))
    return Report(figures, verdict)


def take_sample(bot: BotProcess) -> tuple[float, ...]:
    """What each of `MEASURES` is now."""
    process = Path(f"/proc/{bot.pid}")
    lines = (process / "status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":", 1) for line in lines)
    spooled = sum(len(files) for _, _, files in os.walk(bot.spool))
    return (
        int(status["VmRSS"].split()[0]) / 1024,
        len(list((process / "fd").iterdir())),
        int(status["Threads"]),
        spooled,
    )
