"""python -m drills: each drill prints its seed, how far it is, its figures, and what is broken."""

import argparse
import asyncio
import secrets
import sys
import time

from drills import crash, faults, soak

DRILLS = {"crash": crash.drill, "faults": faults.drill, "soak": soak.drill}


def main() -> int:
    """Run the drills that are named, or all; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m drills",
        description="Let the bot be killed, cut off and used for long, and check every invariant.",
    )
    parser.add_argument("drills", nargs="*", metavar="|".join(DRILLS), help="all, if none is named")
    parser.add_argument("--seed", type=int, help="what is drawn by chance, as a run before had it")
    parser.add_argument("--short", action="store_true", help="all three in less than two minutes")
    options = parser.parse_args()
    if unknown := ", ".join(name for name in options.drills if name not in DRILLS):
        parser.error(f"there is no drill {unknown}")
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    broken = 0
    for name in options.drills or DRILLS:
        print(f"{name}: --seed {seed}", flush=True)
        began = time.monotonic()
        report = asyncio.run(DRILLS[name](seed, short=options.short))
        for line in (*report.figures, *report.verdict.lines()):
            print(f"  {line}")
        print(f"  {'BROKEN' if report.verdict.broken else 'ok'}, {time.monotonic() - began:.0f} s")
        broken += len(report.verdict.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
