"""What PostNord's Track & Trace answers: shipments, each with items, each with events.

Shape: PostNord Track & Trace API v7 (and v5, which is the same here), ResponseDto; the public site answers with one
shipment without the envelope.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

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
    piece_count,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_ARRIVALS = ("publicTimeOfArrival", "estimatedTimeOfArrival")
_NOWHERE = Location()


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where PostNord found nothing or explains a fault."""
    body = as_object(load_json(message.body), "the body")
    answer = body.get("TrackingInformationResponse", body)
    answer = as_object(answer, "TrackingInformationResponse")
    if "shipmentId" in answer:
        return read_parts([answer], "shipments", _read_shipment)
    if shipments := as_list(answer.get("shipments"), "shipments"):
        return read_parts(shipments, "shipments", _read_shipment)
    if said := _fault_words(answer):
        return Reading(notice=f"PostNord answered: {said}")
    if "shipments" in answer:
        return Reading(notice="PostNord lists no shipment for what was asked")
    raise Unreadable("there are no shipments and no fault in the body")


def _fault_words(answer: dict[str, Any]) -> str | None:
    """What the compositeFault explains, else the message of the error."""
    faults = dig(answer, "compositeFault", "faults")
    words = [text(dig(fault, "explanationText")) for fault in faults] if isinstance(faults, list) else []
    return "; ".join(filter(None, words)) or text(answer.get("message"))


@dataclass(frozen=True, slots=True)
class _Item:
    """What holds for every event of an item."""

    number: str
    piece: str
    piece_count: int | None
    references: tuple[Reference, ...]
    proof: ProofOfDelivery | None


def _read_shipment(value: Any, where: str) -> Reading:
    shipment = as_object(value, "a shipment")
    number = tracking_number(shipment.get("shipmentId"))
    references = tuple(_references(shipment.get("shipmentReferences")))
    items = as_list(shipment.get("items"), "items")
    if not items:
        return Reading(notice=f"PostNord knows {number} and no item of it yet")
    return read_parts(items, f"{where}.items", lambda item, at: _read_item(item, at, number, references, shipment))


def _read_item(
    value: Any, where: str, number: str, references: tuple[Reference, ...], shipment: dict[str, Any]
) -> Reading:
    item = as_object(value, "an item")
    common = _Item(
        number=number,
        piece=tracking_number(item.get("itemId")),
        piece_count=piece_count(shipment.get("assessedNumberOfItems")),
        references=(*references, *_references(item.get("references"))),
        proof=_proof_of_delivery(item),
    )
    events = as_list(item.get("events"), "events")
    if not events:
        reading = read_each([item], f"{where}.status", lambda status: _read_status(status, common))
        return reading if reading.events or reading.faults else Reading(notice=f"nothing is known of {number} yet")
    return _with_estimate(
        read_each(events, f"{where}.events", lambda event: (_read_event(event, common),)), where, item, shipment
    )


def _read_event(value: Any, item: _Item) -> Event:
    event = as_object(value, "an event")
    code, status = text(event.get("eventCode")), text(event.get("status"))
    if not code and not status:
        raise Unreadable("the event has neither eventCode nor status")
    # An eventCode that is not mapped leaves the word to the status, and stays the code of the event: mapping it later
    # must not make another event of it.
    meaning = CODES.find("eventCode", code) if code else None
    meaning = meaning or CODES.look_up("", status or "")
    place = _location(event.get("location"))
    at, quality = iso_moment(event.get("eventTime"), place.country)
    milestone = meaning.milestone
    return Event(
        carrier="postnord",
        tracking_number=item.number,
        piece=item.piece,
        piece_count=item.piece_count,
        milestone=milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(milestone),
        code_list="eventCode" if code else "",
        code=code or status or "",
        description=text(event.get("eventDescription")),
        occurred_at=at,
        occurred_text=text(event.get("eventTime")) or "",
        time_quality=quality,
        location=place,
        proof_of_delivery=item.proof if milestone is Milestone.DELIVERED else None,
        references=item.references,
    )


def _read_status(item: dict[str, Any], common: _Item) -> tuple[Event, ...]:
    """The item's status as an event, where no events are listed."""
    status = text(item.get("status"))
    if not status:
        return ()
    meaning = CODES.look_up("", status)
    delivered = meaning.milestone is Milestone.DELIVERED
    at, quality = iso_moment(item.get("deliveryDate") if delivered else None)
    return (
        Event(
            carrier="postnord",
            tracking_number=common.number,
            piece=common.piece,
            piece_count=common.piece_count,
            milestone=meaning.milestone,
            exception_category=meaning.exception_category,
            leg=leg_of(meaning.milestone),
            code=status,
            description=text(dig(item, "statusText", "header")),
            occurred_at=at,
            occurred_text=(text(item.get("deliveryDate")) or "") if delivered else "",
            time_quality=quality,
            proof_of_delivery=common.proof if delivered else None,
            references=common.references,
        ),
    )


def _with_estimate(reading: Reading, where: str, item: dict[str, Any], shipment: dict[str, Any]) -> Reading:
    """The reading with the expected arrival on its newest event; PostNord lists the newest first."""
    expected, faults = read_beside(f"{where}.estimatedTimeOfArrival", lambda: _estimate(item, shipment))
    events = reading.events
    if expected and events:
        events = (replace(events[0], estimated_delivery_at=expected), *events[1:])
    return Reading(events, reading.faults + faults)


def _estimate(item: dict[str, Any], shipment: dict[str, Any]) -> When:
    """When it should arrive: what PostNord tells recipients, else its own estimate; of the item, else the shipment."""
    written = first_text(*(holder.get(name) for holder in (item, shipment) for name in _ARRIVALS))
    place = dig(shipment, "deliveryPoint", "countryCode") or dig(shipment, "consignee", "address", "countryCode")
    return iso_moment(written, country(place))[0]


def _proof_of_delivery(item: dict[str, Any]) -> ProofOfDelivery | None:
    """Who took it, and when; the signature itself is a reference that PostNord opens only to its customers."""
    signed_by = text(dig(item, "acceptor", "name"))
    return ProofOfDelivery(signed_by, text(item.get("deliveryDate"))) if signed_by else None


def _location(value: Any) -> Location:
    """The place of the scan. At a customer's the name is that of a person or a company, so only the town is kept."""
    if not isinstance(value, dict):
        return _NOWHERE
    at_customer = value.get("locationType") == "CUSTOMER_LOCATION"
    return Location(
        facility=None if at_customer else text(value.get("displayName")) or text(value.get("name")),
        city=text(value.get("city")),
        postcode=text(value.get("postcode")),
        country=country(value.get("countryCode")) or country(value.get("country")),
    )


def _references(value: Any) -> list[Reference]:
    found = []
    for entry in value if isinstance(value, list) else ():
        if number := text(dig(entry, "value")):
            found.append(Reference((text(dig(entry, "type")) or "reference").lower(), number))
    return found
