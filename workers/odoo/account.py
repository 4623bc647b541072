"""`milepost odoo cost`: what Milepost asked of Odoo, by day and by kind of call, and for how many events."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeVar

import click

from config.running import running_settings
from shipments.store.costs import Cost, Spent, count_events, find_costs
from shipments.store.database import make_engine

K = TypeVar("K", date, tuple[str, str])

_BARS = "▁▂▃▄▅▆▇█"
_DAYS = ("day", "calls", "failed", "rows", "KB", "seconds", "events", "calls per 1,000 events")
_KINDS = ("purpose", "model and method", "calls", "failed", "rows", "KB", "seconds", "seconds a call")


@click.command("cost")
@click.option(
    "--days", type=click.IntRange(1, 3660), default=14, show_default=True, help="So many days, today included."
)
def cost_command(days: int) -> None:
    """Say what Milepost cost Odoo: calls, rows, bytes and seconds, by day, and by what it was for. Days are UTC's."""
    engine = make_engine(running_settings().database_url)
    with engine.connect() as connection:
        spent = find_costs(connection, days)
        events = count_events(connection, sorted({s.day for s in spent}))
    for line in report(spent, events):
        click.echo(line)


def report(spent: Sequence[Spent], events: dict[date, int]) -> list[str]:
    """The lines that are printed."""
    if not spent:
        return ["Odoo was not called in these days."]
    by_day, by_kind = _sum((s.day, s.cost) for s in spent), _sum(((s.purpose, _call(s)), s.cost) for s in spent)
    days = [(f"{day:%Y-%m-%d}", *_figures(cost), *_rate(cost, events.get(day, 0))) for day, cost in by_day.items()]
    kinds = [
        (*kind, *_figures(cost), f"{cost.seconds / cost.calls:.3f}")
        for kind, cost in sorted(by_kind.items(), key=lambda item: -item[1].seconds)
    ]
    bars = f"calls a day, oldest first: {sparkline([cost.calls for cost in by_day.values()])}"
    return [*table([_DAYS, *days], 1), "", bars, "", *table([_KINDS, *kinds], 2)]


def sparkline(values: Sequence[float]) -> str:
    """One bar a value, the greatest as high as a line is."""
    most = max(values, default=0) or 1
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in values)


def table(rows: Sequence[Sequence[str]], words: int) -> list[str]:
    """Columns as wide as they have to be; the first so many hold words, the others figures."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            c.ljust(w) if place < words else c.rjust(w) for place, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _sum(costs: Iterable[tuple[K, Cost]]) -> dict[K, Cost]:
    found: defaultdict[K, Cost] = defaultdict(Cost)
    for key, cost in costs:
        found[key] += cost
    return dict(found)


def _call(spent: Spent) -> str:
    return f"{spent.model}.{spent.method}"


def _figures(cost: Cost) -> tuple[str, ...]:
    kilobytes = (cost.sent_bytes + cost.received_bytes) / 1000
    return str(cost.calls), str(cost.failures), str(cost.rows), f"{kilobytes:.0f}", f"{cost.seconds:.1f}"


def _rate(cost: Cost, events: int) -> tuple[str, str]:
    return str(events), f"{cost.calls / events * 1000:.1f}" if events else "-"
