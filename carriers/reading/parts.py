"""Many parcels in one body and many events in one parcel: a damaged one costs nothing but itself."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from carriers.base import Fault, Reading
from shipments.errors import Unreadable
from shipments.event import Event

T = TypeVar("T")


def read_each(items: Iterable[Any], where: str, read: Callable[[Any], Iterable[Event]]) -> Reading:
    """Reads every item into events; one that is unreadable becomes a Fault and costs nothing but itself."""
    events: list[Event] = []
    faults: list[Fault] = []
    for position, item in enumerate(items):
        try:
            events.extend(read(item))
        except Unreadable as fault:
            faults.append(Fault(f"{where}[{position}]", str(fault)))
    return Reading(tuple(events), tuple(faults))


def read_parts(items: Iterable[Any], where: str, read: Callable[[Any, str], Reading]) -> Reading:
    """Reads every parcel of a body, each told where it stands (`parcels[2]`), and joins what they say.

    A parcel that is unreadable becomes a Fault. Raises Unreadable, with the first reasons, if nothing but faults came
    of it, so that the message is parked whole.
    """
    readings = [read_part(item, f"{where}[{position}]", read) for position, item in enumerate(items)]
    joined = join(readings)
    if joined.faults and not joined.events and not joined.notice:
        raise Unreadable("; ".join(f"{fault.where}: {fault.reason}" for fault in joined.faults[:3]))
    return joined


def read_part(item: Any, where: str, read: Callable[[Any, str], Reading]) -> Reading:
    """Reads one part, told where it stands; one that is unreadable becomes a Fault."""
    try:
        return read(item, where)
    except Unreadable as fault:
        return Reading(faults=(Fault(where, str(fault)),))


def read_beside(where: str, read: Callable[[], T | None]) -> tuple[T | None, tuple[Fault, ...]]:
    """What stands beside the events, such as an estimate; if it is unreadable, None and a Fault: it costs no event."""
    try:
        return read(), ()
    except Unreadable as fault:
        return None, (Fault(where, str(fault)),)


def join(readings: Iterable[Reading]) -> Reading:
    """One reading of several: all events, all faults, every notice once, and a person if one of them needs one."""
    readings = list(readings)
    if len(readings) == 1:
        return readings[0]
    notices = dict.fromkeys(reading.notice for reading in readings if reading.notice)
    return Reading(
        events=tuple(event for reading in readings for event in reading.events),
        faults=tuple(fault for reading in readings for fault in reading.faults),
        notice="; ".join(notices) or None,
        needs_a_person=any(reading.needs_a_person for reading in readings),
    )
