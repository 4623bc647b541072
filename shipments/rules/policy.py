"""The policy table, read and checked: what each milestone and each kind of trouble leads to."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from shipments.errors import SetupFault
from shipments.milestone import ExceptionCategory, Milestone


@dataclass(frozen=True, slots=True)
class MilestoneRule:
    """owner: the team that owns the meaning. odoo: whether Odoo is told of it, as state and in the timeline."""

    owner: str
    odoo: bool


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """owner: the team that resolves it. task: whether Odoo gets an activity. summary, advice: its text."""

    owner: str
    task: bool
    resolve_within: timedelta
    summary: str
    advice: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole table: a rule for every milestone and every exception category."""

    milestones: Mapping[Milestone, MilestoneRule]
    exceptions: Mapping[ExceptionCategory, ExceptionRule]

    def shows(self, milestone: Milestone) -> bool:
        """Whether Odoo is told of that milestone."""
        return self.milestones[milestone].odoo


_MILESTONE_FIELDS = {"owner": str, "odoo": bool}
_EXCEPTION_FIELDS = {"owner": str, "task": bool, "resolve_within_hours": int, "summary": str, "advice": str}


def load_policy(path: Path) -> Policy:
    """The policy of that file. Raises SetupFault with every fault and its line."""
    source = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as fault:
        raise SetupFault([f"{path.name}: {fault}"]) from None
    lines = _Lines(path.name, source)
    faults = [
        *(
            lines.name_fault((top,), f"{top!r} is no part of the policy")
            for top in data.keys() - {"milestone", "exception"}
        ),
        *_faults(lines, "milestone", data.get("milestone", {}), [m.value for m in Milestone], _MILESTONE_FIELDS),
        *_faults(
            lines, "exception", data.get("exception", {}), [c.value for c in ExceptionCategory], _EXCEPTION_FIELDS
        ),
    ]
    if faults:
        raise SetupFault(faults)
    return Policy(
        {Milestone(name): MilestoneRule(**rule) for name, rule in data["milestone"].items()},
        {ExceptionCategory(name): _exception_rule(rule) for name, rule in data["exception"].items()},
    )


def _exception_rule(rule: dict[str, Any]) -> ExceptionRule:
    hours = rule["resolve_within_hours"]
    return ExceptionRule(rule["owner"], rule["task"], timedelta(hours=hours), rule["summary"], rule["advice"])


def _faults(lines: "_Lines", part: str, tables: Any, names: list[str], fields: Mapping[str, type]) -> Iterator[str]:
    if not isinstance(tables, dict):
        yield lines.name_fault((part,), f"{part} is not a table")
        return
    for name in tables.keys() - set(names):
        yield lines.name_fault((part, name), f"{name!r} is no {part}; known are {', '.join(names)}")
    for name in names:
        if not isinstance(rule := tables.get(name), dict):
            yield lines.name_fault((part,), f"[{part}.{name}] is missing")
            continue
        for field in rule.keys() - fields.keys():
            yield lines.name_fault((part, name, field), f"{field!r} means nothing here; known are {', '.join(fields)}")
        for field, kind in fields.items():
            if type(rule.get(field)) is not kind:
                yield lines.name_fault((part, name, field), f"{field} must be {_IN_WORDS[kind]}")


_IN_WORDS = {str: "a text", bool: "true or false", int: "a whole number"}


class _Lines:
    """Finds the line that a fault is about: tomllib gives values without their places."""

    def __init__(self, file: str, source: str) -> None:
        self._file = file
        self._lines = source.splitlines()

    def name_fault(self, path: tuple[str, ...], sentence: str) -> str:
        return f"{self._file}:{self._find(path)}: {sentence}"

    def _find(self, path: tuple[str, ...]) -> int:
        """The line of the field, else of its table, else the first of such tables, else 1."""
        header = re.compile(rf"\s*\[\s*{re.escape('.'.join(path[:2]))}\b")
        start = next((n for n, line in enumerate(self._lines, 1) if header.match(line)), 1)
        if len(path) < 3:
            return start
        field = re.compile(rf"\s*{re.escape(path[2])}\s*=")
        for number, line in enumerate(self._lines[start:], start + 1):
            if field.match(line):
                return number
            if line.lstrip().startswith("["):
                break
        return start
