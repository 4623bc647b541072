"""Writes docs/chaos.md from a run."""

import textwrap
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.faults import AWAY
from tests.chaos.picture import draw
from tests.chaos.run import Report

PICTURE = Path("pictures", "chaos-timeline.png")

PAGE = Path(__file__).with_name("page.md")
REAL_DISK = """The disk is full for real: Valkey writes to a small one of its own, which is filled to the last byte. A
Valkey that writes with fsync ends when it cannot, and is started again."""
LIMIT = """A disk of its own for Valkey could not be mounted here, so a limit of memory stood in for the full disk:
Valkey refuses every write."""


def write(report: Report, folder: Path, processors: int) -> None:
    """Writes chaos.md and its picture into the folder. Raises NoPlotting."""
    (folder / PICTURE).parent.mkdir(parents=True, exist_ok=True)
    draw(report, folder / PICTURE)
    words = PAGE.read_text(encoding="utf-8").format(
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
    spoiled = ", ".join(f"{count} {name}" for name, count in sorted(done.spoiled.items()))
    cuts = ", ".join(f"{count} with {name}" for name, count in sorted(done.cut.items()))
    lines = (
        f"every process, the two servers too, is killed with -9 at random moments ({sum(done.killed.values())} kills)",
        f"Odoo is away for {_away_seconds(report):g} seconds in one go, and by turns slow, erroring, hanging up "
        "after it did the work, and hanging up mid-answer; and all the time it hangs up after one write in "
        f"{plan.odoo_loses_one_in}, by turns after each kind of write (calls: {spoiled})",
        f"all connections with carriers, Odoo, Valkey or PostgreSQL are cut, {plan.cuts_each} times each ({cuts})",
        f"the disk of Valkey is full, {plan.disk_full_times} times for {plan.disk_full_seconds:g} seconds",
        f"the clock of one process and its children is off all the time: {report.skew}",
    )
    return "\n".join(textwrap.fill(f"- {line}", 120, subsequent_indent="  ") for line in lines)


def _away_seconds(report: Report) -> float:
    return max(fault.seconds for fault in report.faults if fault.target == AWAY)
