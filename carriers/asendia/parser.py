"""What Asendia answers: parcels with trackingEvents (Asendia Sync), or with trackingMilestoneEvents (Asendia USA).

Shapes: Asendia Sync API 1.0.0, TrackingResponse, by its OpenAPI document; Asendia USA A1 API, tracking milestones.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    first_text,
    iso_moment,
    leg_of,
    load_json,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where Asendia knows nothing or explains an error."""
    body = load_json(message.body)
    if isinstance(body, list):
        return _read_parcels(body)
    body = as_object(body, "the body")
    if "trackingEvents" in body:
        return _read_parcels([body])
    if data := body.get("data") or body.get("trackingMilestone"):
        return _read_parcels(as_list(data, "data"))
    if said := _words(body):
        return Reading(notice=f"Asendia answered: {said}")
    if "data" in body or "trackingMilestone" in body:
        return Reading(notice="Asendia lists no parcel for what was asked")
    raise Unreadable("there are no trackingEvents, no data and no error in the body")


def _words(body: dict[str, Any]) -> str | None:
    """What an answer without parcels says, in the three shapes of errors."""
    return first_text(
        dig(body, "responseStatus", "responseStatusMessage"),
        *(body.get(name) for name in ("responseStatusMessage", "detail", "message", "title")),
    )


def _read_parcels(parcels: list[Any]) -> Reading:
    if not parcels:
        return Reading(notice="Asendia lists no parcel for what was asked")
    return read_parts(parcels, "parcels", _read_parcel)


def _read_parcel(value: Any, where: str) -> Reading:
    parcel = as_object(value, "a parcel")
    if "trackingMilestoneEvents" in parcel:
        return _read_milestones(parcel, where)
    if "trackingEvents" not in parcel and "code" in parcel:
        raise Unreadable("a list of events does not say whose they are; ask with POST, which answers with the numbers")
    number = tracking_number(parcel.get("trackingNumber"))
    events = as_list(parcel.get("trackingEvents"), "trackingEvents")
    return _all(events, number, f"{where}.trackingEvents", lambda event: (_read_event(event, number),))


def _read_milestones(parcel: dict[str, Any], where: str) -> Reading:
    number = tracking_number(first_text(parcel.get("trackingNumberVendor"), parcel.get("customerReferenceNumber")))
    other = text(parcel.get("customerReferenceNumber"))
    references = (Reference("customer_reference", other),) if other and other != number else ()
    events = as_list(parcel.get("trackingMilestoneEvents"), "trackingMilestoneEvents")
    at = f"{where}.trackingMilestoneEvents"
    return _all(events, number, at, lambda event: (_read_milestone(event, number, references),))


def _all(events: list[Any], number: str, where: str, read: Callable[[Any], Iterable[Event]]) -> Reading:
    return (
        read_each(events, where, read) if events else Reading(notice=f"Asendia knows {number} and no event of it yet")
    )


def _read_event(value: Any, number: str) -> Event:
    """An event of Asendia Sync."""
    event = as_object(value, "an event")
    place = Location(facility=text(event.get("locationName")), country=country(event.get("locationCountry")))
    code, when, said = event.get("code"), event.get("time"), event.get("carrierEventDescription")
    return _event("", number, code, when, said, place, provider_event_id=text(event.get("id")))


def _read_milestone(value: Any, number: str, references: tuple[Reference, ...]) -> Event:
    """An event of Asendia USA."""
    event = as_object(value, "an event")
    place = Location(facility=text(event.get("eventLocation")))
    code, when, said = event.get("eventCode"), event.get("eventOn"), event.get("eventDescription")
    return _event("us", number, code, when, said, place, references)


def _event(
    code_list: str,
    number: str,
    written_code: Any,
    written_time: Any,
    words: Any,
    place: Location,
    references: Iterable[Reference] = (),
    provider_event_id: str | None = None,
) -> Event:
    code = text(written_code)
    if not code:
        raise Unreadable("the event has no code")
    meaning = CODES.look_up(code_list, code)
    at, quality = iso_moment(written_time, place.country)
    return Event(
        carrier="asendia",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list=code_list,
        code=code,
        description=text(words),
        occurred_at=at,
        occurred_text=text(written_time) or "",
        time_quality=quality,
        location=place,
        references=tuple(references),
        provider_event_id=provider_event_id,
    )
