"""docs/benchmarks.md and its plots, written from what was just measured."""

import platform
import sys
import sysconfig
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import psutil
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from tests.bench.figures import Chart, Figure, Report, said

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "benchmarks.md"
MET, SHORT, PLAIN = "#2f7d5b", "#b9452f", "#8a8f98"
MOST = 3
HEAD = """# Benchmarks

Written by `make bench` and `make bench-odoo`; nothing here is typed in. Both designs run on the same machine, the same
Valkey and the same PostgreSQL, in turn; ratios are the median of the rounds, since the absolute numbers move with the
machine. The textbook design is in `tests/bench/textbook`: gunicorn with eight threads in two processes, Flask, one
Celery task per webhook in two worker processes, marshmallow, SQLAlchemy's ORM; in its rounds Valkey syncs its file
every second instead of at every write. Answer times are those of rounds in which the host of this virtual machine gave
at most 1% of it to others, where it tells; how many rounds were done again for that is said.
"""
TITLES = {"bench": "Milepost and the textbook design", "odoo": "Into a real Odoo"}


def write_page(report: Report, part: str, *, short: bool) -> None:
    """Writes the part of the page that was measured; the other part stays as it is."""
    mpl.use("Agg")
    picture = DOCS / "pictures" / f"bench-{part}.png"
    plot(report.figures, picture)
    for chart in report.charts:
        plot_chart(chart, DOCS / "pictures" / _chart_file(chart))
    parts = {name: _found(name) for name in TITLES}
    parts[part] = _part(report, part, picture.name, short=short)
    PAGE.write_text("\n".join([HEAD, *filter(None, parts.values())]), encoding="utf-8")


def _found(part: str) -> str:
    """That part of the page as it was written last."""
    if not PAGE.exists():
        return ""
    _, start, rest = PAGE.read_text(encoding="utf-8").partition(_mark(part))
    return start + rest.partition("\n<!-- part ")[0].rstrip() + "\n" if start else ""


def _mark(part: str) -> str:
    return f"<!-- part {part} -->"


def _part(report: Report, part: str, picture: str, *, short: bool) -> str:
    lines = [_mark(part), f"## {TITLES[part]}", "", f"{machine()} {said_load(report.load_before)}", ""]
    lines += ["The short form (`SHORT=1`): fewer rounds, a smaller store.", ""] if short else []
    lines += [f"![Both designs, and each figure against its bar](pictures/{picture})", "", "| figure | value | bar | |"]
    lines += ["|---|---|---|---|", *map(row, report.figures), ""]
    lines += [f"- {remark}" for remark in report.remarks]
    for chart in report.charts:
        lines += ["", f"![{chart.title}](pictures/{_chart_file(chart)})"]
    return "\n".join(lines).rstrip() + "\n"


def row(figure: Figure) -> str:
    """A line of the table."""
    value = said(figure.value, figure.unit) + (f" ({figure.note})" if figure.note else "")
    return f"| {figure.name} | {value} | {figure.said_bar()} | {figure.verdict} |"


def machine() -> str:
    """Where it was measured, as a reader needs to judge it."""
    memory = psutil.virtual_memory().total / 2**30
    about = f"{psutil.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()}"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} on {about}, Python {platform.python_version()} ({_built()})."


def said_load(load: float) -> str:
    """Whether the machine had something else to do; what it does for the bench itself is not in there."""
    return f"Others' load when it began: {load:.1f}."


def _built() -> str:
    """How Python was compiled, which makes it quick or slow. Distributions optimize theirs, and do not record it."""
    if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""):
        return "built with optimizations"
    return "the system's" if sys.base_prefix == "/usr" else "built without optimizations"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def plot(figures: Sequence[Figure], path: Path) -> None:
    """Left: how much of each design fits into a second. Right: how each figure stands to its bar."""
    rates = [figure for figure in figures if figure.unit in ("/s", "shipments/s")]
    barred = [figure for figure in figures if figure.bar]
    chart, (left, right) = plt.subplots(1, 2, figsize=(15, 0.45 * max(len(rates), len(barred)) + 2))
    _bars(left, rates, [f.value for f in rates], [f.name for f in rates])
    left.set_title("per second: Milepost green, the other design gray", fontsize=10)
    _bars(right, barred, [standing(f) for f in barred], [f"{f.name}\n({f.said_bar()})" for f in barred])
    right.axvline(1, color="black", linewidth=1, linestyle="--")
    right.set_title(f"against the bar (dashed), cut at {MOST}: longer is better, red is short", fontsize=10)
    chart.tight_layout()
    chart.savefig(path, dpi=100)
    plt.close(chart)


def plot_chart(chart: Chart, path: Path) -> None:
    """A panel beside the other, in each the lowest value on top and the bar as a dashed line."""
    most = max(len(panel.values) for panel in chart.panels)
    drawn, all_axes = plt.subplots(1, len(chart.panels), figsize=(15, 0.24 * most + 1.5), squeeze=False)
    for axes, panel in zip(all_axes[0], chart.panels, strict=True):
        names = sorted(panel.values, key=lambda name: panel.values[name])
        values = [panel.values[name] for name in names]
        bars = axes.barh(names, values, color=[MET if value >= panel.bar else SHORT for value in values])
        axes.bar_label(bars, labels=[f"{value:,.0f}" for value in values], padding=4, fontsize=8)
        axes.axvline(panel.bar, color="black", linewidth=1, linestyle="--")
        axes.set_title(f"{panel.title}; bar {panel.bar:,.0f}, red is short", fontsize=10)
        _dress(axes)
    drawn.tight_layout()
    drawn.savefig(path, dpi=100)
    plt.close(drawn)


def _chart_file(chart: Chart) -> str:
    return f"bench-{chart.name}.png"


def standing(figure: Figure) -> float:
    """1 at the bar, more beyond it, whichever direction is better."""
    bar = figure.bar or 1
    share = figure.value / bar if figure.higher else bar / max(figure.value, 1e-9)
    return min(share, MOST)


def _bars(axes: Axes, figures: Sequence[Figure], lengths: Sequence[float], names: Sequence[str]) -> None:
    drawn = axes.barh(names, lengths, color=[_color(figure) for figure in figures])
    axes.bar_label(drawn, labels=[said(f.value, f.unit) for f in figures], padding=4, fontsize=8)
    _dress(axes)


def _dress(axes: Axes) -> None:
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.margins(x=0.18, y=0.02)
    axes.spines[["top", "right"]].set_visible(False)


def _color(figure: Figure) -> str:
    if figure.bar is None:
        return MET if "Milepost" in figure.name else PLAIN
    return MET if figure.met else SHORT
