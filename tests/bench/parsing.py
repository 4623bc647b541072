"""What reading costs: every carrier's parser alone, from body to events with keys, by the processor time it takes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from carriers.base import Carrier, Message
from carriers.registry import find_carrier, folder_names
from config.collector import collect_seldom
from shipments.clock import new_id, now
from shipments.store.intake import Intaken
from shipments.store.seal import Seal
from tests.bench.figures import Chart, Figure, Panel, Report, progress
from tests.bench.histories import longest, single_messages
from tests.bench.size import Size
from workers.understand import understand

SINGLE_BAR, HISTORY_BAR = 10_000, 30_000
HISTORY = 60
"""Events of a long history. A parcel has ten or twenty; one that went around the world and came back has this many."""

_HISTORIES, _TURNS = 8, 20
_LEAST_SECONDS = 0.02
"""Of processor time in a round; a message takes some microseconds, and the clock is coarse beside that."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one carrier: one-event messages a second, and events a second of long histories; None if it has none."""

    carrier: str
    singles: float
    events: float | None


class Unsealed(Seal):
    """Opens nothing: the messages lie open in it, so that only the reading of them is measured."""

    def __init__(self, messages: dict[UUID, Message]) -> None:
        self._messages = messages

    def open(self, message_id: UUID, sealed: bytes) -> tuple[bytes, dict[str, str]]:
        message = self._messages[message_id]
        return message.body, dict(message.headers)


def parsing(report: Report, size: Size) -> None:
    """Every carrier folder; the slowest and the middle one are figures, all are in the chart."""
    collect_seldom()
    speeds = [speed_of(name, size.parsing_rounds) for name in folder_names()]
    singles = {speed.carrier: speed.singles for speed in speeds}
    events = {speed.carrier: speed.events for speed in speeds if speed.events is not None}
    charted = []
    for values, bar, what in (
        (singles, SINGLE_BAR, "parsing, one-event messages"),
        (events, HISTORY_BAR, f"parsing, events of histories of {HISTORY}"),
    ):
        slowest = min(values, key=lambda name: values[name])
        note = f"{slowest}; a core, {len(values)} carriers"
        report.add(Figure(f"{what}, slowest carrier", values[slowest], bar, "/s", higher=True, note=note))
        report.add(Figure(f"{what}, median carrier", median(values.values()), bar, "/s", higher=True))
        if short := [name for name in sorted(values, key=lambda name: values[name]) if values[name] < bar]:
            report.remark(f"{what}: below {bar:,}/s are " + ", ".join(f"{n} ({values[n]:,.0f}/s)" for n in short))
        charted.append(Panel(f"{what}, a second of a core", values, bar))
    report.charts.append(Chart("parsing", "Every carrier's parser", tuple(charted)))


def speed_of(name: str, rounds: int) -> Speed:
    """How quickly the carrier's messages are read, the best of the rounds: what disturbs a round only slows it."""
    carrier = find_carrier(name)
    assert carrier is not None
    singles = _per_second(carrier, single_messages(carrier, _TURNS), rounds, of_events=False)
    shape = longest(carrier)
    histories = [shape.message(HISTORY, turn) for turn in range(_HISTORIES)] if shape else []
    events = _per_second(carrier, histories, rounds, of_events=True) if histories else None
    progress(f"parsing {name}: {singles:,.0f} one-event messages/s, {events or 0:,.0f} events/s of histories")
    return Speed(name, singles, events)


def _per_second(carrier: Carrier, messages: Sequence[Message], rounds: int, *, of_events: bool) -> float:
    """Messages, or events, a second of processor time. The first reading is not counted: it warms the tables."""
    at, given = now(), {new_id(): message for message in messages}
    intaken = [Intaken(id_, carrier.name, "", "live", at, "", b"") for id_ in given]
    seal = Unsealed(given)
    events = read_all(intaken, seal)
    best = min(_seconds(intaken, seal) for _ in range(rounds))
    return (events if of_events else len(intaken)) / best


def _seconds(intaken: Sequence[Intaken], seal: Seal) -> float:
    """Processor seconds to read all once."""
    turns, start = 0, time.process_time()
    while (spent := time.process_time() - start) < _LEAST_SECONDS or not turns:
        read_all(intaken, seal)
        turns += 1
    return spent / turns


def read_all(intaken: Sequence[Intaken], seal: Seal) -> int:
    """Reads each message as ingest does, and makes the keys; the number of events."""
    keys = [told.event.key for message in intaken for told in understand(message, seal).told]
    return len(keys)
