"""What reading costs: every carrier's parser alone, from body to events with keys, by the processor time it takes."""

import time
from collections.abc import Sequence
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
    singles, histories = {}, {}
    for name in folder_names():
        carrier = find_carrier(name)
        assert carrier is not None
        singles[name] = Work(carrier, single_messages(carrier, _TURNS))
        if shape := longest(carrier):
            histories[name] = Work(carrier, [shape.message(HISTORY, turn) for turn in range(_HISTORIES)])
    for number in range(size.parsing_rounds):
        for work in (*singles.values(), *histories.values()):
            work.measure()
        progress(f"parsing, round {number + 1} of {size.parsing_rounds}")
    each = {name: len(work.intaken) / work.seconds for name, work in singles.items()}
    events = {name: work.events / work.seconds for name, work in histories.items()}
    for name, speed in each.items():
        progress(f"parsing {name}: {speed:,.0f} one-event messages/s, {events.get(name, 0):,.0f} events/s of histories")
    charted = []
    for values, bar, what in (
        (each, SINGLE_BAR, "parsing, one-event messages"),
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


class Work:
    """Messages of a carrier, and the least processor time in which all of them were read, in seconds.

    One round of each carrier after the other: a slow moment of the machine, which only slows, is not one carrier's.
    """

    def __init__(self, carrier: Carrier, messages: Sequence[Message]) -> None:
        at, given = now(), {new_id(): message for message in messages}
        self.intaken = [Intaken(id_, carrier.name, "", "live", at, "", b"") for id_ in given]
        self.seconds = float("inf")
        self._seal = Unsealed(given)
        self.events = read_all(self.intaken, self._seal)  # not measured: it warms the tables

    def measure(self) -> None:
        """Another round."""
        turns, start = 0, time.process_time()
        while (spent := time.process_time() - start) < _LEAST_SECONDS or not turns:
            read_all(self.intaken, self._seal)
            turns += 1
        self.seconds = min(self.seconds, spent / turns)


def read_all(intaken: Sequence[Intaken], seal: Seal) -> int:
    """Reads each message as ingest does, and makes the keys; the number of events."""
    keys = [told.event.key for message in intaken for told in understand(message, seal).told]
    return len(keys)
