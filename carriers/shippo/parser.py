"""What Shippo says: a tracking with its history, pushed as `data` of track_updated, polled as it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    country,
    date_if_midnight,
    dig,
    iso_moment,
    leg_of,
    load_json,
    read_beside,
    read_each,
    read_parts,
    reported_instant,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_FINAL = ("DELIVERED", "RETURNED")
"""Statuses that a substatus of another meaning does not take back."""
_A_MINUTE = timedelta(minutes=1)


def parse(message: Message) -> Reading:
    """The events of a push or of a poll's answer; a notice for other things and for unknown numbers."""
    body = as_object(load_json(message.body), "the body")
    kind = text(body.get("event"))
    is_test = body.get("test") is True
    if kind not in (None, "track_updated"):
        return Reading(notice=f"Shippo told of something that is no tracking: {kind}.")
    if "data" in body:
        return read_parts([body["data"]], "data", lambda value, where: _read_tracking(value, where, is_test))
    if "tracking_number" in body:
        return read_parts([body], "tracking", lambda value, where: _read_tracking(value, where, is_test))
    if "results" in body:
        listed = as_list(body["results"], "results")
        if listed:
            return read_parts(listed, "results", lambda value, where: _read_tracking(value, where, is_test))
        return Reading(notice="Shippo lists no tracking.")
    if detail := text(body.get("detail")):
        return Reading(notice=f"Shippo answered: {detail}")
    raise Unreadable("there is neither a tracking nor an event in the body")


# ---- a tracking: one number at one carrier


@dataclass(frozen=True, slots=True)
class _Tracking:
    """What holds for every event of a tracking."""

    number: str
    references: tuple[Reference, ...]
    estimate: When
    is_test: bool


def _read_tracking(value: Any, where: str, is_test: bool) -> Reading:
    value = as_object(value, "a tracking")
    place = country(dig(value, "address_to", "country"))
    estimate, faults = read_beside(f"{where}.eta", lambda: date_if_midnight(*iso_moment(value.get("eta"), place))[0])
    tracking = _Tracking(
        number=tracking_number(value.get("tracking_number")),
        references=tuple(_references(value)),
        estimate=estimate,
        is_test=is_test or value.get("test") is True or value.get("carrier") == "shippo",
    )
    history = as_list(value.get("tracking_history"), "tracking_history")
    listed = read_each(history, f"{where}.tracking_history", lambda item: (_read_status(item, tracking),))
    current = [] if _says_nothing(value.get("tracking_status")) else [value["tracking_status"]]
    summary = read_each(current, f"{where}.tracking_status", lambda item: _read_current(item, tracking, listed))
    events = (*listed.events, *summary.events)
    found = (*listed.faults, *summary.faults, *faults)
    if not events and not found:
        return Reading(notice=f"Shippo has nothing on {tracking.number} yet.")
    return Reading(events, found)


def _says_nothing(status: Any) -> bool:
    """No status, or UNKNOWN without a time: the carrier does not know the number yet."""
    return status is None or (dig(status, "status") == "UNKNOWN" and not text(dig(status, "status_date")))


def _references(value: dict[str, Any]) -> Iterator[Reference]:
    for kind in ("carrier", "metadata", "transaction"):
        if (said := text(value.get(kind))) and said != "string":
            yield Reference(kind, said)


def _read_current(item: Any, tracking: _Tracking, listed: Reading) -> tuple[Event, ...]:
    """The current status, unless it repeats a listed event: its id is another, its code and time often are not."""
    current = _read_status(item, tracking)
    return () if any(_repeats(current, event) for event in listed.events) else (current,)


def _repeats(current: Event, event: Event) -> bool:
    if (current.code_list, current.code) != (event.code_list, event.code):
        return False
    one, other = current.instant(), event.instant()
    return one == other if one is None or other is None else abs(one - other) <= _A_MINUTE


# ---- a status: one event


def _read_status(value: Any, tracking: _Tracking) -> Event:
    item = as_object(value, "a tracking status")
    substatus = item.get("substatus")
    sub = text(substatus.get("code")) if isinstance(substatus, dict) else text(substatus)
    code_list, code, meaning, unmapped = _understand(text(item.get("status")), sub)
    where = item.get("location")
    place = Location(
        city=text(dig(where, "city")),
        region=text(dig(where, "state")),
        postcode=text(dig(where, "zip")),
        country=country(dig(where, "country")),
    )
    written = text(item.get("status_date"))
    at, quality = iso_moment(written, place.country)
    event_id = text(item.get("object_id"))
    references = tracking.references
    return Event(
        carrier="shippo",
        tracking_number=tracking.number,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=text(item.get("status_details")) or text(dig(substatus, "text")),
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        reported_at=reported_instant(item.get("object_created")),
        location=place,
        estimated_delivery_at=tracking.estimate,
        references=(*references, Reference("substatus", unmapped)) if unmapped else references,
        provider_event_id=event_id if event_id != "string" else None,
        is_test=tracking.is_test,
    )


def _understand(status: str | None, sub: str | None) -> tuple[str, str, Meaning, str | None]:
    """List, code and meaning of what decides, and a substatus that is not mapped or not followed."""
    coarse = CODES.find("", status) if status else None
    if sub and sub != "other":
        meaning = CODES.find("substatus", sub)
        if meaning and not _contradicts(meaning, status, coarse):
            return "substatus", sub, meaning, None
        if not coarse:
            return "substatus", sub, UNMAPPED, None
    if not status:
        raise Unreadable("a tracking status has neither a status nor a substatus that says something")
    return "", status, coarse or UNMAPPED, sub if sub != "other" else None


def _contradicts(fine: Meaning, status: str | None, coarse: Meaning | None) -> bool:
    """A final status is not taken back by its substatus, and a delivery is not made by one."""
    same = coarse is not None and fine.milestone is coarse.milestone
    return not same and (status in _FINAL or fine.milestone is Milestone.DELIVERED)
