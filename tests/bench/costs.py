"""What Milepost costs, as measured: for an event, and for being there."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.figures import Figure, Report


@dataclass(frozen=True, slots=True)
class Costs:
    """By kind of process: cores while nothing happens, CPU seconds an event, memory in MB. By table: bytes an event.

    log, append_only: bytes an event written to PostgreSQL's log and to Valkey's file. calls_paced, calls_fast: calls
    to Odoo for 1,000 events at 100 a second, and as fast as they are taken. rate: events a second of this run.
    """

    idle: Mapping[str, float]
    cpu: Mapping[str, float]
    memory: Mapping[str, float]
    tables: Mapping[str, float]
    log: float
    append_only: float
    calls_paced: float
    calls_fast: float
    rate: float

    def add_to(self, report: Report) -> None:
        """As figures, held to nothing."""
        report.add(Figure("end to end with Odoo (stand-in)", self.rate, unit="/s"))
        for kind, seconds in self.cpu.items():
            note = f"and {self.idle[kind]:.1%} of a core while nothing happens"
            report.add(Figure(f"CPU for 1,000 events, {kind}", seconds * 1e6, unit="ms", note=note))
        report.add(Figure("CPU for 1,000 events, all", sum(self.cpu.values()) * 1e6, unit="ms"))
        for table, size in self.tables.items():
            if size >= 1:
                report.add(Figure(f"disk for an event, table {table} with its indexes", size, unit="bytes"))
        report.add(Figure("disk for an event, all tables", sum(self.tables.values()), unit="bytes"))
        report.add(Figure("written for an event, PostgreSQL's log", self.log, unit="bytes"))
        report.add(Figure("written for an event, Valkey's append-only file", self.append_only, unit="bytes"))
