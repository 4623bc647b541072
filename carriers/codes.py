"""The carrier's codes and what they mean to us, read from codes.csv, and what the operator says instead."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from shipments.errors import SetupFault
from shipments.milestone import ExceptionCategory, Milestone

COLUMNS = ["code", "milestone", "exception_category", "meaning", "source", "note"]
OVERRIDE_COLUMNS = ["carrier", "code_list", "code", "milestone", "exception_category", "owner", "reason"]
_MILESTONES = {m.value: m for m in Milestone}
_CATEGORIES = {c.value: c for c in ExceptionCategory}


class Meaning(Struct, frozen=True):
    """What a code means: a milestone, and a category where it speaks of trouble."""

    milestone: Milestone
    exception_category: ExceptionCategory | None = None


UNMAPPED = Meaning(Milestone.UNKNOWN)


class CodeTable:
    """A carrier's codes. A code is written `list:code` where the carrier uses several lists, else plain.

    Read from codes.csv, columns: code, milestone, exception_category (may be empty), meaning, source, note. Every
    fault is reported with its line, all at once (SetupFault). `overridden` are the codes that the operator's file maps.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._meanings: dict[str, Meaning] = {}
        self.overridden: set[str] = set()
        faults: list[str] = []
        for line, row in _rows(path) if path else ():
            fault = self._add(row)
            if fault:
                faults.append(f"{path.parent.name}/{path.name}:{line}: {fault}")  # type: ignore[union-attr]
        if faults:
            raise SetupFault(faults)

    @classmethod
    def of(cls, meanings: Mapping[str, Meaning]) -> "CodeTable":
        """A table of these codes, for a source that is described and not written."""
        table = cls()
        table._meanings.update(meanings)
        return table

    def __len__(self) -> int:
        return len(self._meanings)

    def __iter__(self) -> Iterator[tuple[str, Meaning]]:
        return iter(self._meanings.items())

    def find(self, code_list: str, code: str) -> Meaning | None:
        """What the code of that list means; None without a mapping. Never a guess from a neighbor."""
        return self._meanings.get(f"{code_list}:{code}" if code_list else code)

    def look_up(self, code_list: str, code: str) -> Meaning:
        """What the code of that list means; UNMAPPED (milestone unknown) without a mapping."""
        return self._meanings.get(f"{code_list}:{code}" if code_list else code) or UNMAPPED

    def override(self, code_list: str, code: str, meaning: Meaning) -> None:
        """Maps the code as the operator says, whatever the table says."""
        written = f"{code_list}:{code}" if code_list else code
        self._meanings[written] = meaning
        self.overridden.add(written)

    def _add(self, row: dict[str, str]) -> str | None:
        if list(row) != COLUMNS or None in row.values():
            return f"a row needs the columns {', '.join(COLUMNS)}"
        code = row["code"]
        if not code or code in self._meanings:
            return f"code {code!r} is empty or stands twice; each code is listed once"
        meaning = read_meaning(row["milestone"], row["exception_category"])
        if isinstance(meaning, str):
            return meaning
        if not row["source"]:
            return f"code {code!r} has no source"
        self._meanings[code] = meaning
        return None


def read_meaning(milestone: str, category: str = "") -> Meaning | str:
    """The meaning by these names, or the fault in them."""
    if milestone not in _MILESTONES:
        return f"{milestone!r} is no milestone; there are {', '.join(_MILESTONES)}"
    if category and category not in _CATEGORIES:
        return f"{category!r} is no exception category; there are {', '.join(_CATEGORIES)}"
    return Meaning(_MILESTONES[milestone], _CATEGORIES[category] if category else None)


@dataclass(frozen=True, slots=True)
class Override:
    """A line of the operator's file: what a code means here, who says so and why."""

    carrier: str
    code_list: str
    code: str
    meaning: Meaning
    owner: str
    reason: str


def read_overrides(path: Path, carriers: Iterable[str]) -> list[Override]:
    """The operator's file: CSV with the columns carrier, code_list (may be empty), code, milestone, exception_category
    (may be empty), owner, reason. Raises SetupFault with every fault and its line.
    """
    known, seen = set(carriers), set()
    found: list[Override] = []
    faults: list[str] = []
    try:
        rows = list(_rows(path))
    except (OSError, UnicodeDecodeError) as fault:
        raise SetupFault([f"MILEPOST_CODES: {path} cannot be read ({fault})"]) from None
    for line, row in rows:
        read = _override(row, known)
        name = (row.get("carrier"), row.get("code_list"), row.get("code"))
        if isinstance(read, str):
            faults.append(f"{path}:{line}: {read}")
        elif name in seen:
            faults.append(f"{path}:{line}: the code {row['code']!r} stands twice; each code is mapped once")
        else:
            found.append(read)
        seen.add(name)
    if faults:
        raise SetupFault(faults)
    return found


def _override(row: dict[str, str], known: set[str]) -> Override | str:
    if list(row) != OVERRIDE_COLUMNS or None in row.values():
        return f"a row needs the columns {', '.join(OVERRIDE_COLUMNS)}"
    if row["carrier"] not in known:
        return f"no carrier is called {row['carrier']!r}"
    for column in ("code", "owner", "reason"):
        if not row[column].strip():
            return f"{column} is empty"
    meaning = read_meaning(row["milestone"], row["exception_category"])
    if isinstance(meaning, str):
        return meaning
    return Override(row["carrier"], row["code_list"], row["code"], meaning, row["owner"], row["reason"])


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, row
