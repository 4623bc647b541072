"""The figures of a run against their bars."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    name: str
    value: str
    bar: str
    met: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.value} (bar {self.bar}) {'met' if self.met else 'short'}"


def at_least(name: str, value: float, bar: float, unit: str = "") -> Figure:
    return Figure(name, f"{value:g}{unit}", f"at least {bar:g}{unit}", value >= bar)


def at_most(name: str, value: float, bar: float, unit: str = "") -> Figure:
    return Figure(name, f"{value:g}{unit}", f"at most {bar:g}{unit}", value <= bar)


def exactly(name: str, value: int, bar: int) -> Figure:
    return Figure(name, str(value), str(bar), value == bar)


def between(name: str, value: int, low: int, high: int) -> Figure:
    return Figure(name, str(value), f"{low} to {high}", low <= value <= high)


def all_met(figures: Iterable[Figure]) -> bool:
    return all(figure.met for figure in figures)
