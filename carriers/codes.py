"""The carrier's codes and what they mean to us, read from codes.csv."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipments.errors import SetupFault
from shipments.milestone import ExceptionCategory, Milestone

COLUMNS = ["code", "milestone", "exception_category", "meaning", "source", "note"]
_MILESTONES = {m.value for m in Milestone}
_CATEGORIES = {c.value for c in ExceptionCategory}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means: a milestone, and a category where it speaks of trouble."""

    milestone: Milestone
    exception_category: ExceptionCategory | None = None


UNMAPPED = Meaning(Milestone.UNKNOWN)


class CodeTable:
    """A carrier's codes.csv. A code is written `list:code` where the carrier uses several lists, else plain.

    Columns: code, milestone, exception_category (may be empty), meaning, source, note. Every fault is reported with
    its line, all at once (SetupFault).
    """

    def __init__(self, path: Path) -> None:
        self._meanings: dict[str, Meaning] = {}
        faults: list[str] = []
        for line, row in _rows(path):
            fault = self._add(row)
            if fault:
                faults.append(f"{path.parent.name}/{path.name}:{line}: {fault}")
        if faults:
            raise SetupFault(faults)

    def __len__(self) -> int:
        return len(self._meanings)

    def __iter__(self) -> Iterator[tuple[str, Meaning]]:
        return iter(self._meanings.items())

    def find(self, code_list: str, code: str) -> Meaning | None:
        """What the code of that list means; None without a mapping. Never a guess from a neighbor."""
        return self._meanings.get(f"{code_list}:{code}" if code_list else code)

    def look_up(self, code_list: str, code: str) -> Meaning:
        """What the code of that list means; UNMAPPED (milestone unknown) without a mapping."""
        return self.find(code_list, code) or UNMAPPED

    def _add(self, row: dict[str, str]) -> str | None:
        if list(row) != COLUMNS or None in row.values():
            return f"a row needs the columns {', '.join(COLUMNS)}"
        code, milestone, category = row["code"], row["milestone"], row["exception_category"]
        if not code or code in self._meanings:
            return f"code {code!r} is empty or stands twice; each code is listed once"
        if milestone not in _MILESTONES:
            return f"{milestone!r} is no milestone"
        if category and category not in _CATEGORIES:
            return f"{category!r} is no exception category"
        if not row["source"]:
            return f"code {code!r} has no source"
        self._meanings[code] = Meaning(Milestone(milestone), ExceptionCategory(category) if category else None)
        return None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, row
