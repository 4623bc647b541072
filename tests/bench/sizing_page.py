"""docs/sizing.md and its plot, written from what was just measured."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import matplotlib as mpl
from matplotlib import pyplot as plt

from tests.bench.costs import Costs
from tests.bench.page import DOCS, PAGE, machine
from tests.bench.sizing import (
    CORES_A_PROCESS,
    EVENTS_A_DAY,
    LARGEST_MACHINE_CORES,
    PACED,
    PEAK,
    RETENTION_DAYS,
    UTILIZATION,
    Limit,
    Need,
    limits,
    need,
)
from tests.fakes.carriers import USUAL

NAME = "sizing.md"
PICTURE = "sizing.png"
REAL_ODOO = re.compile(r"^\| into Odoo, Milepost \| ([\d,.]+) shipments/s", re.MULTILINE)

HEAD = """# Sizing

Written by `make bench` from the costs in [benchmarks.md](benchmarks.md); nothing here is typed in. It is arithmetic,
not a promise: the costs are those of one machine, in one run, with webhooks of one size, and are taken to grow in step
with the events. Measure your own with the same command before you buy.
"""


def write_sizing(costs: Costs, *, short: bool) -> None:
    """Writes the page. What a real Odoo takes is read from the other page, where `make bench-odoo` has written it."""
    needs = [need(costs, events) for events in EVENTS_A_DAY]
    odoo = found_odoo_rate(PAGE.read_text(encoding="utf-8") if PAGE.exists() else "")
    _plot(costs)
    parts = (_costs(costs), _needs(costs, needs, odoo), _limits(limits(costs, odoo)))
    about = machine() + (" The short form (`SHORT=1`)." if short else "")
    (DOCS / NAME).write_text("\n".join([HEAD, about, "", *chain(*parts)]).rstrip() + "\n", encoding="utf-8")


def found_odoo_rate(page: str) -> float | None:
    """Events a second that a real Odoo took, by the page of the bench; None where that does not say."""
    found = REAL_ODOO.search(page)
    return float(found[1].replace(",", "")) * len(USUAL) if found else None


def _costs(costs: Costs) -> Iterator[str]:
    yield from ("## What was measured", "")
    yield from ("| process | CPU of an event | while nothing happens | memory |", "|---|---|---|---|")
    for kind, cpu in costs.cpu.items():
        yield f"| {kind} | {cpu * 1e6:,.0f} us | {costs.idle[kind]:.1%} of a core | {costs.memory[kind]:,.0f} MB |"
    cpu, idle, memory = (sum(part.values()) for part in (costs.cpu, costs.idle, costs.memory))
    yield f"| all | {cpu * 1e6:,.0f} us | {idle:.1%} of a core | {memory:,.0f} MB |"
    tables = ", ".join(f"{name} {size:,.0f}" for name, size in costs.tables.items() if size >= 1)
    yield from (
        "",
        f"- Bytes of an event in PostgreSQL: {sum(costs.tables.values()):,.0f}, with all indexes ({tables}).",
    )
    yield f"- Bytes it writes to PostgreSQL's log: {costs.log:,.0f}; to Valkey's file: {costs.append_only:,.0f}."
    yield "  Valkey begins its file anew now and then; its disk holds what waits, not what has passed."
    yield f"- Calls to Odoo for 1,000 events: {costs.calls_paced:.1f} at {PACED:g} a second,"
    yield f"  {costs.calls_fast:.1f} at full rate."
    yield ""


def _needs(costs: Costs, needs: Sequence[Need], odoo: float | None) -> Iterator[str]:
    yield from ("## What a day needs", "")
    yield f"- The peak hour brings {PEAK:g} times the mean hour; in it a core is {UTILIZATION:.0%} busy."
    yield "- Cores = (cores while nothing happens + CPU of an event x events a second in the peak hour)"
    yield f"  / {UTILIZATION:g}, for each kind of process."
    used = ", ".join(f"{cores:g} by {kind}" for kind, cores in CORES_A_PROCESS.items())
    yield f"- In brackets the processes: one can use so many cores: {used}. Of the other kinds there is one."
    yield f"- Messages, events and effects are kept for {RETENTION_DAYS} days. Leave room for indexes to grow by half."
    yield from ("", "| events a day | " + " | ".join(f"{n.events:,}" for n in needs) + " |")
    yield "|---|" + "---|" * len(needs)
    for name, said in _rows(costs, odoo):
        yield f"| {name} | " + " | ".join(map(said, needs)) + " |"
    yield from ("", f"![Cores by kind of process over events a day](pictures/{PICTURE})", "")


def _rows(costs: Costs, odoo: float | None) -> Iterator[tuple[str, Callable[[Need], str]]]:
    yield "events a second, mean hour", lambda n: f"{n.mean:,.0f}"
    yield "events a second, peak hour", lambda n: f"{n.peak:,.0f}"
    for kind in costs.cpu:
        yield f"cores, {kind}", partial(_cores, kind=kind)
    yield "cores, all", lambda n: f"{n.all_cores:,.1f}"
    yield "memory, all", lambda n: f"{sum(n.memory.values()) / 1000:,.1f} GB"
    yield f"disk of PostgreSQL, {RETENTION_DAYS} days", lambda n: f"{n.disk:,.0f} GB"
    yield "PostgreSQL's log, a day (for backup and replicas)", lambda n: f"{n.log_a_day:,.0f} GB"
    yield "calls to Odoo, a day", lambda n: f"{n.odoo_calls:,.0f}"
    yield "one Odoo takes it", partial(_takes, odoo=odoo)


def _cores(one: Need, kind: str) -> str:
    return f"{one.cores[kind]:,.2f} ({one.processes[kind]})"


def _takes(one: Need, odoo: float | None) -> str:
    if odoo is None:
        return "not measured: `make bench-odoo`"
    if odoo >= one.peak:
        return "yes"
    return "late in the peak hour" if odoo >= one.mean else f"no, {one.mean / odoo:,.1f} times too many"


def _limits(found: Sequence[Limit]) -> Iterator[str]:
    yield from ("## Of which there is one", "")
    yield from ("Everything else is made wider by more processes; these are not. The lowest comes first.", "")
    yield from ("| part | enough up to | events a day | why there | then |", "|---|---|---|---|---|")
    for limit in found:
        yield f"| {limit.part} | {limit.rate:,.0f}/s | {limit.events_a_day:,.0f} | {limit.why} | {limit.then} |"


def _plot(costs: Costs) -> None:
    """Cores of each kind, one upon the other, and the disk."""
    mpl.use("Agg")
    days = [10 ** (place / 10) for place in range(55, 81)]
    needs = [need(costs, int(events)) for events in days]
    chart, (left, right) = plt.subplots(1, 2, figsize=(13, 4.5))
    kinds = sorted(costs.cpu, key=lambda kind: -costs.cpu[kind])
    for kind in kinds:
        left.plot(days, [n.cores[kind] for n in needs], label=kind)
    left.plot(days, [n.all_cores for n in needs], color="black", linewidth=2, label="all")
    left.axhline(LARGEST_MACHINE_CORES, color="gray", linestyle="--", linewidth=1)
    left.set(xscale="log", yscale="log", xlabel="events a day", ylabel="cores in the peak hour")
    left.legend(fontsize=8)
    right.plot(days, [n.disk for n in needs], color="black")
    right.set(xscale="log", yscale="log", xlabel="events a day", ylabel=f"GB in PostgreSQL, {RETENTION_DAYS} days")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    chart.tight_layout()
    chart.savefig(DOCS / "pictures" / PICTURE, dpi=100)
    plt.close(chart)
