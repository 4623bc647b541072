"""Writes docs/chaos.md from a run."""

import textwrap
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.faults import AWAY
from tests.chaos.picture import draw
from tests.chaos.run import Report

PICTURE = Path("pictures", "chaos-timeline.png")

HEAD = """# Chaos: nothing is lost, shown

Written by `make chaos`, which is run before a release; do not edit. `make chaos SHORT=1` is the two-minute form, a
smaller one is part of `make test`. `make chaos SEED={seed}` repeats this run: the load and the faults are drawn from
the seed; which of several processes is quicker is not.

## What is done

A stand-in for Odoo is filled with deliveries. Carriers (DHL, FedEx, UPS) post signed webhooks about them: every event
up to ten times, all shuffled, over {seconds:g} seconds, and send again whatever was not acknowledged. Some messages are
cut off inside, and must be parked. Meanwhile:

{faults}

Afterwards Milepost is left alone until no message, parcel or effect waits. Then the same events are posted once, in
order and with nothing broken, to a new Milepost with a new Odoo, and what the two Odoos show is compared field by
field: milestone, exception, time, place and estimate of every delivery and order, every row of every timeline, every
open task. The time to recover is counted from the last fault or the last post, whichever was later.

{disk}

Duplicate notifications are not counted: nothing notifies yet.

## What came of it

{date}, {processors} processors shared with the load, seed {seed}: {posts} posts of {events} events. {again} attempts
were not acknowledged and were sent again.

| figure | value | bar | |
|---|---|---|---|
{figures}
{troubles}
![What was acknowledged each second, and what was done meanwhile]({picture})
"""
REAL_DISK = """The disk is full for real: Valkey writes to a small one of its own, which is filled to the last byte. A
Valkey that writes with fsync ends when it cannot, and is started again."""
LIMIT = """A disk of its own for Valkey could not be mounted here, so a limit of memory stood in for the full disk:
Valkey refuses every write."""


def write(report: Report, folder: Path, processors: int) -> None:
    """Writes chaos.md and its picture into the folder. Raises NoPlotting."""
    (folder / PICTURE).parent.mkdir(parents=True, exist_ok=True)
    draw(report, folder / PICTURE)
    words = HEAD.format(
        seed=report.seed,
        seconds=report.plan.seconds,
        faults=_faults(report),
        disk=REAL_DISK if report.disk_is_real else LIMIT,
        date=datetime.now(UTC).date(),
        processors=processors,
        posts=report.posts,
        events=report.events,
        again=len(report.sent.not_acknowledged),
        figures="\n".join(
            f"| {f.name} | {f.value} | {f.bar} | {'met' if f.met else 'short'} |" for f in report.figures
        ),
        troubles="".join(f"\n- {line}" for line in report.troubles) + ("\n" if report.troubles else ""),
        picture=PICTURE.as_posix(),
    )
    (folder / "chaos.md").write_text(words, encoding="utf-8")


def _faults(report: Report) -> str:
    plan, done = report.plan, report.done
    cuts = ", ".join(f"{count} with {name}" for name, count in sorted(done.cut.items()))
    lines = (
        f"every process, the two servers too, is killed with -9 at random moments ({sum(done.killed.values())} kills)",
        f"Odoo is away for {_away_seconds(report):g} seconds in one go, and by turns slow, erroring, hanging up "
        "after it did the work, and hanging up mid-answer",
        f"all connections with carriers, Odoo, Valkey or PostgreSQL are cut, {plan.cuts_each} times each ({cuts})",
        f"the disk of Valkey is full, {plan.disk_full_times} times for {plan.disk_full_seconds:g} seconds",
        f"the clock of one process and its children is off all the time: {report.skew}",
    )
    return "\n".join(textwrap.fill(f"- {line}", 120, subsequent_indent="  ") for line in lines)


def _away_seconds(report: Report) -> float:
    return max(fault.seconds for fault in report.faults if fault.target == AWAY)
