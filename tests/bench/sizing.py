"""From what was measured to what a number of events a day needs. Arithmetic only; every assumption stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from tests.bench.costs import Costs

DAY_SECONDS = 86_400
PEAK = 4.0
"""The busiest hour against the mean one: scans come in waves, in the evening from lines, in the morning from vans."""

UTILIZATION = 0.6
"""How busy a core may be in that hour: above, queues grow faster than the load."""

RETENTION_DAYS = 30
LARGEST_MACHINE_CORES = 64
"""What one PostgreSQL can have and most can buy."""

CORES_A_PROCESS = {"web": 2.0, "worker": 2.0, "bulk": 1.0}
"""Cores that a process of the Procfile can use, of kinds that may have several: Python runs one thread at a time,
granian has two processes, and Celery forks as many as -c says."""

EVENTS_A_DAY = (1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True, slots=True)
class Need:
    """For so many events a day. rates: events a second; cores, processes and memory (MB) by kind; disk in GB."""

    events: int
    mean: float
    peak: float
    cores: Mapping[str, float]
    processes: Mapping[str, int]
    memory: Mapping[str, float]
    disk: float
    log_a_day: float
    odoo_calls: float

    @property
    def all_cores(self) -> float:
        return sum(self.cores.values())


def need(costs: Costs, events: int) -> Need:
    """What that many a day take, at the peak hour."""
    mean = events / DAY_SECONDS
    peak = mean * PEAK
    cores = {kind: (costs.idle[kind] + cpu * peak) / UTILIZATION for kind, cpu in costs.cpu.items()}
    processes = {
        kind: max(1, ceil(c / CORES_A_PROCESS[kind])) if kind in CORES_A_PROCESS else 1 for kind, c in cores.items()
    }
    return Need(
        events=events,
        mean=mean,
        peak=peak,
        cores=cores,
        processes=processes,
        memory={kind: costs.memory[kind] * count for kind, count in processes.items()},
        disk=events * RETENTION_DAYS * sum(costs.tables.values()) / 1e9,
        log_a_day=events * costs.log / 1e9,
        odoo_calls=events / 1000 * calls_per_thousand(costs, peak),
    )


def calls_per_thousand(costs: Costs, rate: float) -> float:
    """Calls to Odoo for 1,000 events at that rate: the more come at once, the fewer each takes. Between the two rates
    that were measured it is drawn as a straight line; outside, as the nearer of them."""
    if rate <= PACED:
        return costs.calls_paced
    if rate >= costs.rate:
        return costs.calls_fast
    share = (rate - PACED) / (costs.rate - PACED)
    return costs.calls_paced + share * (costs.calls_fast - costs.calls_paced)


PACED = 100.0
"""Webhooks a second at which calls_paced was measured."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A part of which there is one: events a second at which it is no longer enough, and what then."""

    part: str
    rate: float
    why: str
    then: str

    @property
    def events_a_day(self) -> float:
        """With that rate in the peak hour."""
        return self.rate / PEAK * DAY_SECONDS


def limits(costs: Costs, odoo_rate: float | None) -> list[Limit]:
    """The lowest first. odoo_rate: events a second that a real Odoo took; None where that was not measured."""
    found = [
        Limit(
            "writer to Odoo (CPU of Milepost's side)",
            _full_core(costs, "act"),
            f"one process writes; a core at {UTILIZATION:.0%}",
            "divide deliveries among several locks",
        ),
        Limit(
            "Valkey",
            _full_core(costs, "valkey"),
            f"one thread appends and syncs; a core at {UTILIZATION:.0%}",
            "a Valkey for each group of carriers",
        ),
        Limit(
            "Flower",
            _full_core(costs, "flower"),
            f"one process; a core at {UTILIZATION:.0%}",
            "it falls behind or is switched off, and nothing else notices",
        ),
        Limit(
            "PostgreSQL",
            LARGEST_MACHINE_CORES * UTILIZATION / max(costs.cpu["postgres"], 1e-9),
            f"{LARGEST_MACHINE_CORES} cores of one machine at {UTILIZATION:.0%}",
            "a store for each group of carriers",
        ),
    ]
    if odoo_rate is not None:
        why = "as measured in a real Odoo on this machine, with as many workers as it had"
        found.append(Limit("Odoo itself", odoo_rate, why, "more workers and cores for Odoo"))
    return sorted(found, key=lambda limit: limit.rate)


def _full_core(costs: Costs, kind: str) -> float:
    return max(0.0, UTILIZATION - costs.idle[kind]) / max(costs.cpu[kind], 1e-9)
