"""What InPost says about parcels: the tracking events of its international API, and the answers of ShipX (Poland).

Shapes: developers.inpost-group.com, Tracking and Webhooks (a push is one event, an answer has parcels with the same
events); ShipX documentation, Tracking (a parcel with tracking_details).
"""

from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    dig,
    first_text,
    iso_moment,
    leg_of,
    load_json,
    on_leg,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, ProofOfDelivery, Reference
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_NOWHERE = Location()


def parse(message: Message) -> Reading:
    """The events of a push or of an answer; a notice where InPost knows nothing or explains an error."""
    body = load_json(message.body)
    if isinstance(body, list):
        return _read_batch(body)
    body = as_object(body, "the body")
    if "eventCode" in body:
        return Reading((_read_event(body),))
    if "parcels" in body:
        return _read_batch(as_list(body["parcels"], "parcels"))
    if "tracking_details" in body:
        return _read_shipx(body, "the body")
    if said := first_text(*(body.get(name) for name in ("description", "detail", "message", "title", "error"))):
        return Reading(notice=f"InPost answered: {said}")
    raise Unreadable("there is no eventCode, no parcels and no error in the body")


def _read_batch(parcels: list[Any]) -> Reading:
    if not parcels:
        return Reading(notice="InPost lists no parcel for what was asked")
    return read_parts(parcels, "parcels", _read_parcel)


def _read_parcel(value: Any, where: str) -> Reading:
    parcel = as_object(value, "a parcel")
    if "eventCode" in parcel:
        return Reading((_read_event(parcel),))
    if "tracking_details" in parcel:
        return _read_shipx(parcel, where)
    number = tracking_number(parcel.get("trackingNumber"))
    events = as_list(parcel.get("events"), "events")
    if not events:
        return Reading(notice=f"InPost knows {number} and no event of it yet")
    return read_each(events, f"{where}.events", lambda event: (_read_event(event, number),))


def _read_event(value: Any, number: str = "") -> Event:
    """One tracking event. number: of the parcel that lists it, for the older answers that do not repeat it."""
    event = as_object(value, "an event")
    code = text(event.get("eventCode"))
    if not code:
        raise Unreadable("the event has no eventCode")
    meaning = CODES.look_up("", code)
    place = _location(event.get("location"))
    at, quality = iso_moment(event.get("timestamp"), place.country)
    of_shipment = Leg.RETURN if dig(event, "shipment", "type") == "RETURN" else Leg.OUTBOUND
    leg = leg_of(meaning.milestone, of_shipment)
    milestone = on_leg(meaning.milestone, leg)
    return Event(
        carrier="inpost",
        tracking_number=number or tracking_number(event.get("trackingNumber")),
        milestone=milestone,
        exception_category=meaning.exception_category,
        leg=leg,
        code=code,
        occurred_at=at,
        occurred_text=text(event.get("timestamp")) or "",
        time_quality=quality,
        location=place,
        proof_of_delivery=_proof_of_delivery(event) if milestone is Milestone.DELIVERED else None,
        references=_references(event),
        provider_event_id=text(event.get("eventId")),
    )


def _proof_of_delivery(event: dict[str, Any]) -> ProofOfDelivery | None:
    name = text(dig(event, "delivery", "recipientName"))
    return ProofOfDelivery(name, text(event.get("timestamp"))) if name else None


def _location(value: Any) -> Location:
    """The place of the scan. At an address the name is the recipient's, so only the town is kept; never the street."""
    if not isinstance(value, dict):
        return _NOWHERE
    at_an_address = value.get("type") == "ADDRESS"
    return Location(
        facility=None if at_an_address else text(value.get("name")) or text(value.get("id")),
        city=text(value.get("city")),
        postcode=None if at_an_address else text(value.get("postalCode")),
        country=country(value.get("country")),
    )


def _references(event: dict[str, Any]) -> tuple[Reference, ...]:
    named = (
        ("customer_reference", event.get("customerReference")),
        ("return_parcel", dig(event, "returnToSender", "trackingNumber")),
    )
    return as_references(named)


# ---- ShipX


def _read_shipx(parcel: dict[str, Any], where: str) -> Reading:
    number = tracking_number(parcel.get("tracking_number"))
    details = as_list(parcel.get("tracking_details"), "tracking_details")
    if not details:
        return Reading(notice=f"InPost knows {number} and no status of it yet")
    return read_each(details, f"{where}.tracking_details", lambda item: (_read_detail(item, number),))


def _read_detail(value: Any, number: str) -> Event:
    detail = as_object(value, "a detail")
    status = text(detail.get("status"))
    if not status:
        raise Unreadable("the detail has no status")
    meaning = CODES.look_up("shipx", status)
    at, quality = iso_moment(detail.get("datetime"))
    return Event(
        carrier="inpost",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list="shipx",
        code=status,
        description=text(detail.get("origin_status")),
        occurred_at=at,
        occurred_text=text(detail.get("datetime")) or "",
        time_quality=quality,
        location=Location(facility=text(detail.get("agency"))),
    )
