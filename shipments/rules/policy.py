"""The policy table, read and checked: what each milestone and each kind of trouble leads to."""

import dataclasses
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipments.errors import SetupFault
from shipments.milestone import ExceptionCategory, Milestone
from shipments.rules import exceptions
from shipments.rules.commitment import Commitment, commitment_faults
from shipments.rules.exceptions import ExceptionRule, Task
from shipments.rules.finance import Finance, finance_faults


@dataclass(frozen=True, slots=True)
class MilestoneRule:
    """owner: the team that owns the meaning. odoo: whether Odoo is told of it, as state and in the timeline."""

    owner: str
    odoo: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole table: a rule for every milestone and every exception category. project: who gets the project tasks."""

    milestones: Mapping[Milestone, MilestoneRule]
    exceptions: Mapping[ExceptionCategory, ExceptionRule]
    project: str = "Shipment exceptions"
    finance: Finance = dataclasses.field(default_factory=Finance)
    commitment: Commitment = dataclasses.field(default_factory=Commitment)
    companies: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def company_of(self, carrier: str, account: str) -> int:
        """Odoo's id of the company that the account belongs to, by the settings; 0 if to none."""
        of_carrier, of_account = (name.upper().replace("-", "_") for name in (carrier, f"{carrier}__{account}"))
        return self.companies.get(of_account, self.companies.get(of_carrier, 0))

    @property
    def wants_project(self) -> bool:
        """Whether any trouble becomes a task of the project."""
        return any(rule.task is Task.PROJECT for rule in self.exceptions.values())

    def logins(self) -> set[str]:
        """The users of Odoo it names."""
        return {login for rule in self.exceptions.values() for login in rule.logins()}

    def shows(self, milestone: Milestone) -> bool:
        """Whether Odoo is told of that milestone."""
        return self.milestones[milestone].odoo


_MILESTONE_FIELDS = {"owner": str, "odoo": bool}


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
            for top in data.keys() - {"milestone", "exception", "team", "tasks", "finance", "commitment"}
        ),
        *_faults(lines, "milestone", data.get("milestone", {}), [m.value for m in Milestone], _MILESTONE_FIELDS),
        *_faults(
            lines,
            "exception",
            data.get("exception", {}),
            [c.value for c in ExceptionCategory],
            exceptions.REQUIRED,
            exceptions.OPTIONAL,
        ),
        *_task_faults(lines, data),
        *_table_faults(lines, "finance", data, finance_faults),
        *_table_faults(lines, "commitment", data, commitment_faults),
    ]
    if faults:
        raise SetupFault(faults)
    return Policy(
        {Milestone(name): MilestoneRule(**rule) for name, rule in data["milestone"].items()},
        {ExceptionCategory(n): exceptions.read_rule(r, data.get("team", {})) for n, r in data["exception"].items()},
        **data.get("tasks", {}),
        finance=Finance(**data.get("finance", {})),
        commitment=Commitment(**data.get("commitment", {})),
    )


def _table_faults(
    lines: "_Lines", part: str, data: dict[str, Any], find: Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]
) -> Iterator[str]:
    """Of a table that may be left out, and has fields only."""
    table = data.get(part, {})
    if not isinstance(table, dict):
        yield lines.name_fault((part,), f"{part} is not a table")
        return
    for field, sentence in find(table):
        yield lines.name_fault((part, "", field), sentence)


def _task_faults(lines: "_Lines", data: dict[str, Any]) -> Iterator[str]:
    teams, tasks, rules = (data.get(part, {}) for part in ("team", "tasks", "exception"))
    if not isinstance(teams, dict) or not all(isinstance(login, str) and login for login in teams.values()):
        yield lines.name_fault(("team",), "[team] must name a login in Odoo for each team, as a text")
        teams = {}
    if not isinstance(tasks, dict) or tasks.keys() - {"project"} or not isinstance(tasks.get("project", ""), str):
        yield lines.name_fault(("tasks",), "[tasks] may name the project, as a text, and nothing else")
    whole = {name: rule for name, rule in rules.items() if isinstance(rule, dict)} if isinstance(rules, dict) else {}
    owners = {owner for rule in whole.values() if isinstance(owner := rule.get("owner"), str)}
    for name, rule in whole.items():
        for field, sentence in exceptions.find_faults(rule, teams, owners):
            yield lines.name_fault(("exception", name, field), sentence)


def _faults(
    lines: "_Lines",
    part: str,
    tables: Any,
    names: list[str],
    fields: Mapping[str, type],
    optional: Iterable[str] = (),
) -> Iterator[str]:
    if not isinstance(tables, dict):
        yield lines.name_fault((part,), f"{part} is not a table")
        return
    for name in tables.keys() - set(names):
        yield lines.name_fault((part, name), f"{name!r} is no {part}; known are {', '.join(names)}")
    for name in names:
        if not isinstance(rule := tables.get(name), dict):
            yield lines.name_fault((part,), f"[{part}.{name}] is missing")
            continue
        for field in rule.keys() - {*fields, *optional}:
            known = ", ".join((*fields, *optional))
            yield lines.name_fault((part, name, field), f"{field!r} means nothing here; known are {known}")
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
        header = re.compile(rf"\s*\[\s*{re.escape('.'.join(filter(None, path[:2])))}\b")
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
