"""`make chaos`: prints a line per figure and exits 1 if one is short.

    python -m tests.chaos [--short] [--seed N] [--report FOLDER]

The long form posts 50,000 webhooks and takes about nine minutes, the short one two. A seed repeats the load and the
faults. --report writes chaos.md and its picture into that folder. What the processes wrote stays in .milepost/chaos.
"""

import argparse
import os
import random
import sys
from pathlib import Path

from tests.chaos import document, picture
from tests.chaos.figures import all_met
from tests.chaos.plans import LONG, SHORT
from tests.chaos.run import run

LOGS = Path(".milepost", "chaos")


def main(arguments: list[str]) -> int:
    reader = argparse.ArgumentParser(prog="make chaos", description=__doc__.partition("\n")[0])
    reader.add_argument("--short", action="store_true", help="two minutes instead of nine")
    reader.add_argument("--seed", type=int, default=None, help="repeats a run")
    reader.add_argument("--report", type=Path, default=None, help="the folder to write chaos.md into")
    told = reader.parse_args(arguments)
    if told.report:
        try:
            picture.check()
        except picture.NoPlotting as fault:
            reader.error(str(fault))
    seed = random.SystemRandom().randrange(1_000_000) if told.seed is None else told.seed
    print(f"seed: {seed}", flush=True)
    report = run(SHORT if told.short else LONG, seed, lambda line: print(line, flush=True), LOGS)
    for line in [*report.figures, *report.troubles]:
        print(line)
    if told.report:
        document.write(report, told.report, os.cpu_count() or 1)
    return 0 if all_met(report.figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
