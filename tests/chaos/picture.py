"""The run as a picture: what was acknowledged each second, and above it what was done to it."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chaos.faults import AWAY, Fault
from tests.chaos.run import Report

try:
    import matplotlib
except ImportError:  # a part of the dev extras that only this picture needs
    matplotlib = None
else:
    matplotlib.use("Agg")
    from matplotlib import pyplot

MISSING = "the picture needs matplotlib: pip install -e '.[dev]'"
LANES = ("Odoo away", "other trouble with Odoo", "disk of Valkey full", "connections cut", "killed with -9")


class NoPlotting(Exception):
    """matplotlib is not installed."""


def check() -> None:
    """Raises NoPlotting, to be asked before a run whose picture could not be drawn."""
    if matplotlib is None:
        raise NoPlotting(MISSING)


def draw(report: Report, file: Path) -> None:
    """Writes the picture. Raises NoPlotting."""
    check()
    figure, (above, below) = pyplot.subplots(
        2, 1, figsize=(11, 5.5), sharex=True, height_ratios=(2, 3), layout="constrained"
    )
    _faults(above, report.faults)
    _rates(below, report)
    figure.savefig(file, dpi=90)
    pyplot.close(figure)


def lane_of(fault: Fault) -> str:
    """The line on which the picture shows it."""
    if fault.kind == "Odoo":
        return LANES[0] if fault.target == AWAY else LANES[1]
    return {"cut": LANES[3], "disk full": LANES[2]}.get(fault.kind, LANES[4])


def _faults(axes: Any, faults: Iterable[Fault]) -> None:
    for fault in faults:
        place = LANES.index(lane_of(fault))
        if fault.seconds:
            axes.broken_barh([(fault.at, fault.seconds)], (place - 0.3, 0.6), color="tab:red", alpha=0.7)
        else:
            axes.plot(fault.at, place, "|", color="tab:red", markersize=11)
    axes.set_yticks(range(len(LANES)), LANES)
    axes.set_ylim(-0.6, len(LANES) - 0.4)
    axes.grid(axis="x", alpha=0.3)


def _rates(axes: Any, report: Report) -> None:
    acknowledged = a_second((at for at, _ in report.sent.acknowledged), report.done.began)
    refused = a_second(report.sent.not_acknowledged, report.done.began)
    seconds = range(max([*acknowledged, *refused], default=0) + 1)
    axes.step(seconds, [acknowledged[s] for s in seconds], where="post", label="acknowledged", linewidth=0.9)
    axes.step(seconds, [refused[s] for s in seconds], where="post", label="not acknowledged: sent again", linewidth=0.9)
    axes.axvline(report.done.ended - report.done.began, color="gray", linestyle=":", label="load and faults are over")
    recovered = report.done.ended - report.done.began + report.recovery_seconds
    axes.axvline(recovered, color="tab:green", linestyle="--", label="all is done")
    axes.set(xlabel="seconds", ylabel="posts a second", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize="small")


def a_second(moments: Iterable[float], began: float) -> Counter[int]:
    """How many of the moments fall into each second."""
    return Counter(int(at - began) for at in moments)
