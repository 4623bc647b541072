"""Messages to measure the parsers with, made of the carriers' own samples: of one event, and of a long history.

No carrier is named here. What repeats in a message is found by trying: a list of the JSON, an element of the XML, a row
of the table is lengthened, and the one taken is that of which each further entry tells about one further event. Times
are moved in each copy, so that no two events have one key and no time is read from a memory of the last one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import carriers
from carriers.base import Carrier, Message, Reading
from shipments.errors import Unreadable
from shipments.event import Event

FOLDER = Path(carriers.__file__).parent
_TRIED = 12
"""Entries that a list is tried with. Few enough for a carrier that takes no more than a screenful."""

_SHARE = 0.75
"""Of the entries of a lengthened list, how many have to be events: some lists end with a row that is none."""

_CUTS = 6
"""Histories of a carrier that are cut to one event, where no sample means one."""

# What is moved of a time, in every way carriers write one: the minutes of a clock, the day of a date. The order of day
# and month is not known, so the first of them becomes a number that is right as either.
_CLOCK = re.compile(r"(?<![:+\d-])(\d{1,2}:)[0-5]\d")
_DAY = re.compile(r"\b(20\d\d([-/.])\d\d\2)\d\d")
_WRITTEN_DAY = re.compile(r"\b\d\d(?=([-/.])\d\d\1(?:20)?\d\d\b)")
_PACKED_DAY = re.compile(r"\b(20[0-3]\d(?:0[1-9]|1[0-2]))(?:[0-2]\d|3[01])(?=T|\b|[0-2]\d[0-5]\d)")
_PACKED_CLOCK = re.compile(r"(?<=[\">T])([01]\d|2[0-3])[0-5]\d(?=([0-5]\d)?(?:[\"<Z+.-]|$))")
_EPOCH = re.compile(r"(?<=[\s:\"])(1[6-9]\d{4})(\d{4}(?:000)?)(?=[\s,}\"])")
_LONG_MONTHS = ("01", "03", "05", "07", "08", "10", "12")


@dataclass(frozen=True, slots=True)
class Shape:
    """A sample with the place where it can be lengthened: what stands before, the entries, what stands after."""

    headers: Mapping[str, str]
    before: str
    entries: tuple[str, ...]
    between: str
    after: str

    def message(self, count: int, turn: int = 0) -> Message:
        """With that many entries, their times moved; another turn gives other times."""
        first = turn * count
        chosen = (self.entries[n % len(self.entries)] for n in range(count))
        entries = self.between.join(moved(entry, first + n) for n, entry in enumerate(chosen))
        return Message((moved(self.before, first) + entries + moved(self.after, first)).encode(), self.headers)

    def events(self, carrier: Carrier, count: int) -> list[Event]:
        """The events, different ones, that so many entries tell about; none where not all of it can be read."""
        reading = _read(carrier, self.message(count))
        return [] if reading.faults else list({event.key: event for event in reading.events}.values())


def moved(written: str, by: int) -> str:
    """The text with every time in it moved, `by` apart from its neighbor's: by minutes, then by days."""
    minute, days = f"{by % 60:02}", by // 60
    day, either = f"{1 + days % 28:02}", _LONG_MONTHS[days % len(_LONG_MONTHS)]
    written = _CLOCK.sub(rf"\g<1>{minute}", written)
    written = _DAY.sub(rf"\g<1>{day}", written)
    written = _WRITTEN_DAY.sub(either, written)
    written = _PACKED_DAY.sub(rf"\g<1>{day}", written)
    written = _PACKED_CLOCK.sub(rf"\g<1>{minute}", written)
    return _EPOCH.sub(lambda found: f"{found[1]}{(by * 60) % 10_000:04}{found[2][4:]}", written)


def single_messages(carrier: Carrier, turns: int) -> list[Message]:
    """Messages of one event: the samples that mean one, else histories cut to one entry; each with `turns` times."""
    found: list[Message] = []
    for path, message in samples(carrier.name):
        if _is_single(carrier, message):
            written = _written(path)
            found += [Message(moved(written, turn).encode(), message.headers) for turn in range(turns)]
    if not found:
        cut = [shape for shape in all_shapes(carrier) if _is_single(carrier, shape.message(1))]
        found = [shape.message(1, turn) for shape in cut[:_CUTS] for turn in range(turns)]
    return [message for message in found if _is_single(carrier, message)]


def longest(carrier: Carrier) -> Shape | None:
    """What makes the long history: of the places that can be lengthened those of one parcel, of these the one with
    the most entries in its sample. None if each message of this carrier tells of one event.
    """
    found = filter(None, (_history(carrier, path, message) for path, message in samples(carrier.name)))
    return max(found, default=None, key=lambda shape: (*_likeness(carrier, shape), len(shape.entries)))


def _history(carrier: Carrier, path: Path, message: Message) -> Shape | None:
    """The place in the sample where each entry is an event; of several, the one with the smallest entries."""
    found = (shape for shape in shapes(path, message.headers) if _tells_one_each(carrier, shape))
    return min(found, default=None, key=lambda shape: sum(map(len, shape.entries)) / len(shape.entries))


def _tells_one_each(carrier: Carrier, shape: Shape) -> bool:
    events = len(shape.events(carrier, _TRIED))
    return _TRIED * _SHARE <= events <= _TRIED / _SHARE and events > len(shape.events(carrier, _TRIED // 2))


def _likeness(carrier: Carrier, shape: Shape) -> tuple[bool, bool]:
    """Whether it is of one parcel, and whether no entry is without its event."""
    events = shape.events(carrier, _TRIED)
    return len({event.tracking_number for event in events}) == 1, len(events) >= _TRIED


def _is_single(carrier: Carrier, message: Message) -> bool:
    reading = _read(carrier, message)
    return len(reading.events) == 1 and not reading.faults and not reading.needs_a_person


def _read(carrier: Carrier, message: Message) -> Reading:
    try:
        return carrier.parse(message)
    except Unreadable:
        return Reading()


# ---- samples


def samples(name: str) -> Iterator[tuple[Path, Message]]:
    """Every sample of the carrier, with the headers beside it."""
    for path in sorted((FOLDER / name / "samples").glob("*.in.*")):
        beside = path.with_name(path.name.partition(".in.")[0] + ".headers.json")
        headers = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
        yield path, Message(path.read_bytes(), headers)


def _written(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", "replace")


def all_shapes(carrier: Carrier) -> Iterator[Shape]:
    for path, message in samples(carrier.name):
        yield from shapes(path, message.headers)


def shapes(path: Path, headers: Mapping[str, str]) -> Iterator[Shape]:
    """Each place where the sample could be lengthened."""
    written = _written(path)
    if path.suffix == ".json":
        yield from _lists(json.loads(written), headers)
    elif path.suffix == ".xml":
        yield from _elements(written, headers)
    else:
        heading, *rows = written.splitlines()
        yield Shape(headers, heading + "\n", tuple(rows), "\n", "\n")


_HERE = "the entries stand here"


def _lists(whole: Any, headers: Mapping[str, str]) -> Iterator[Shape]:
    root = {"": whole}
    for holder, key in _places(root):
        entries = holder[key]
        if isinstance(entries, list) and entries:
            holder[key] = _HERE
            before, _, after = _compact(root[""]).partition(f'"{_HERE}"')
            holder[key] = entries
            yield Shape(headers, before + "[", tuple(map(_compact, entries)), ",", "]" + after)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _elements(written: str, headers: Mapping[str, str]) -> Iterator[Shape]:
    """Elements of one name that follow each other. Where one holds another of its name it is cut wrongly, and is no
    XML any more; the others are found all the same.
    """
    for name in dict.fromkeys(re.findall(r"<([\w:.-]+)", written)):
        one = re.compile(rf"\s*(<{re.escape(name)}(?:\s[^>]*?)?(?:/>|>.*?</{re.escape(name)}>))", re.DOTALL)
        done: set[int] = set()
        for opening in re.finditer(rf"<{re.escape(name)}[\s/>]", written):
            if opening.start() in done:
                continue
            entries, at = [], opening.start()
            while found := one.match(written, at):
                done.add(found.start(1))
                entries.append(found[1])
                at = found.end()
            if entries:
                yield Shape(headers, written[: opening.start()], tuple(entries), "\n", written[at:])
