"""The figures: each printed the moment it is known, and kept for the page."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import ge, le


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the table. bar None: printed for the reader, held to nothing.

    higher: whether more is better. unit: as it is written behind the number. note: where the value comes from.
    """

    name: str
    value: float
    bar: float | None = None
    unit: str = ""
    higher: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        compare: Callable[[float, float], bool] = ge if self.higher else le
        return self.bar is None or compare(self.value, self.bar)

    @property
    def verdict(self) -> str:
        return "" if self.bar is None else "met" if self.met else "short"

    def line(self) -> str:
        """As it is printed: `name: value (bar ...) met`."""
        shown = f"{self.name}: {said(self.value, self.unit)}"
        if self.bar is None:
            return shown + (f" ({self.note})" if self.note else "")
        return f"{shown} (bar {self.said_bar()}) {self.verdict}" + (f"; {self.note}" if self.note else "")

    def said_bar(self) -> str:
        if self.bar is None:
            return ""
        return ("at least " if self.higher else "at most ") + said(self.bar, self.unit)


def said(value: float, unit: str) -> str:
    """A number as a reader wants it, with its unit."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    gap = "" if unit in ("x", "") else " "
    return f"{value:,.{digits}f}{gap}{unit}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One value of each of many, beside each other, and the bar for all of them."""

    title: str
    values: Mapping[str, float]
    bar: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of its own, for more values than the table has room for. name: of its file."""

    name: str
    title: str
    panels: tuple[Panel, ...]


@dataclass(slots=True)
class Report:
    """What was measured so far.

    remarks: lines that are no figures, such as what is not built yet. charts: pictures beside the one of all figures.
    load_before: processes that wanted a core in the minute before.
    """

    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)
        print(figure.line(), flush=True)

    def remark(self, line: str) -> None:
        self.remarks.append(line)
        print(line, flush=True)

    @property
    def all_met(self) -> bool:
        return all(figure.met for figure in self.figures)


def progress(line: str) -> None:
    """What goes on; not part of the results."""
    print(f"  {line}", flush=True)
