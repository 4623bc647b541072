"""When a carrier is asked about a parcel and when that ends: a table an owner can read, and what follows from it."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shipments.errors import SetupFault
from shipments.fold import NEW_JOURNEY_AFTER_END
from shipments.milestone import DEFINITIONS, Milestone, Phase

LEAST_GAP = 1 / 3
"""Of the time that a number nothing is known of has been waited for."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is asked where nobody pushes, and how long a silence is ordinary where somebody does."""

    ask_every: timedelta
    silence: timedelta


@dataclass(frozen=True, slots=True)
class Polling:
    """The whole table (config/polling.toml). methods: from Odoo's delivery method, in lower case, to a carrier."""

    paces: Mapping[Milestone, Pace]
    otherwise: Pace
    nothing_known: timedelta
    never_known: timedelta
    silent: timedelta
    expired: timedelta
    methods: Mapping[str, str]

    def pace(self, milestone: Milestone) -> Pace:
        return self.paces.get(milestone, self.otherwise)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a number when it is decided whether to ask. All times are aware.

    since: when it began to be of interest. asked_at: when the carrier was last asked, if ever.
    milestone, started_at, last_at: where its newest journey stands, and that journey's first and last event.
    news_at: when the newest thing was told. pushed: whether the carrier told it by itself.
    """

    since: datetime
    asked_at: datetime | None = None
    milestone: Milestone | None = None
    started_at: datetime | None = None
    last_at: datetime | None = None
    news_at: datetime | None = None
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """When to ask next, or None and the reason why never again."""

    due_at: datetime | None
    reason: str = ""


def plan(known: Known, table: Polling, at: datetime) -> Plan:
    """When the carrier is to be asked about that number, as of now; a time that has passed means now."""
    if known.milestone is None or known.last_at is None or _belongs_to_the_past(known):
        return _plan_unknown(known, table, at)
    if DEFINITIONS[known.milestone].phase is Phase.END:
        return Plan(None, f"over: {known.milestone.value}")
    if known.started_at and at - known.started_at > table.expired:
        return Plan(None, f"expired: began more than {table.expired.days} days ago")
    news_at = known.news_at or known.last_at
    if at - max(news_at, known.since) > table.silent:
        return Plan(None, f"silent: nothing new for more than {table.silent.days} days")
    pace = table.pace(known.milestone)
    gap = pace.silence if known.pushed else pace.ask_every
    return Plan(max(news_at, known.asked_at or news_at) + gap)


def _belongs_to_the_past(known: Known) -> bool:
    """The journey ended long before the number became of interest again: the number is used for another parcel."""
    is_over = known.milestone is not None and DEFINITIONS[known.milestone].phase is Phase.END
    return is_over and known.last_at is not None and known.last_at < known.since - NEW_JOURNEY_AFTER_END


def _plan_unknown(known: Known, table: Polling, at: datetime) -> Plan:
    if at - known.since > table.never_known:
        return Plan(None, f"never known: the carrier told nothing for more than {table.never_known.days} days")
    if known.asked_at is None:
        return Plan(at)
    return Plan(known.asked_at + max(table.nothing_known, (known.asked_at - known.since) * LEAST_GAP))


def load_polling(path: Path, carriers: Collection[str]) -> Polling:
    """The table of that file. carriers: the names there are. Raises SetupFault with every fault and its line."""
    source = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as fault:
        raise SetupFault([f"{path.name}: {fault}"]) from None
    faults = [f"{path.name}:{_line(source, *where)}: {sentence}" for where, sentence in _faults(data, carriers)]
    if faults:
        raise SetupFault(faults)
    stop = data["stop"]
    return Polling(
        {Milestone(name): _pace(pace) for name, pace in data.get("milestone", {}).items()},
        _pace(data["otherwise"]),
        timedelta(hours=data["nothing_known"]["ask_every_hours"]),
        timedelta(days=stop["never_known_days"]),
        timedelta(days=stop["silent_days"]),
        timedelta(days=stop["expired_days"]),
        {method.casefold(): carrier for method, carrier in data.get("delivery_methods", {}).items()},
    )


def _pace(pace: Mapping[str, float]) -> Pace:
    return Pace(timedelta(hours=pace["ask_every_hours"]), timedelta(hours=pace["silence_hours"]))


_PACE = ("ask_every_hours", "silence_hours")
_TABLES = {
    "otherwise": _PACE,
    "nothing_known": ("ask_every_hours",),
    "stop": ("never_known_days", "silent_days", "expired_days"),
}
_MOVING = [m.value for m in Milestone if DEFINITIONS[m].phase is not Phase.END]

_Fault = tuple[tuple[str, str], str]
"""The table and the field it is about, and the sentence."""


def _faults(data: Mapping[str, Any], carriers: Collection[str]) -> Iterator[_Fault]:
    for name in data.keys() - {*_TABLES, "milestone", "delivery_methods"}:
        yield (name, ""), f"{name!r} is no part of the table"
    for name, fields in _TABLES.items():
        yield from _number_faults(name, data.get(name), fields)
    milestones = data.get("milestone", {})
    if not isinstance(milestones, dict):
        yield ("milestone", ""), "milestone is not a table"
        return
    for name, pace in milestones.items():
        if name in _MOVING:
            yield from _number_faults(f"milestone.{name}", pace, _PACE)
        else:
            yield (f"milestone.{name}", ""), f"{name!r} is no milestone that is asked about: {', '.join(_MOVING)}"
    yield from _method_faults(data.get("delivery_methods", {}), carriers)


def _number_faults(name: str, table: Any, fields: Collection[str]) -> Iterator[_Fault]:
    if not isinstance(table, dict):
        yield (name, ""), f"[{name}] is missing"
        return
    for field in table.keys() - set(fields):
        yield (name, field), f"{field!r} means nothing here; known are {', '.join(fields)}"
    for field in fields:
        value = table.get(field)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            yield (name, field), f"{field} must be a number above zero"


def _method_faults(methods: Any, carriers: Collection[str]) -> Iterator[_Fault]:
    if not isinstance(methods, dict):
        yield ("delivery_methods", ""), "delivery_methods is not a table"
        return
    for method, carrier in methods.items():
        if carrier not in carriers:
            yield ("delivery_methods", method), f"{carrier!r} is no carrier; known are {', '.join(sorted(carriers))}"


def _line(source: str, table: str, field: str) -> int:
    """The line of the field in its table, else of the table, else 1: tomllib gives values without their places."""
    found, inside = 1, False
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("["):
            inside = line.split("]")[0].strip().lstrip("[").strip() == table
            found = number if inside else found
        elif inside and field and re.match(rf"\s*[\"']?{re.escape(field)}[\"']?\s*=", line):
            return number
    return found
