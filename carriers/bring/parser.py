"""What Bring says: a callback with one event, or an answer with shipments, each with packages, each with events.

Shapes: developer.bring.com, Event Cast API (callbacks) and Tracking API version 2 (tracking.json).
"""

from dataclasses import dataclass
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
    join,
    leg_of,
    load_json,
    moment,
    read_beside,
    read_each,
    read_parts,
    reported_instant,
    text,
    tracking_number,
    turned_back,
    with_estimate,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_TEST_NUMBERS = "TESTPACKAGE"


def parse(message: Message) -> Reading:
    """The events of a callback or an answer; a notice where Bring has found nothing or explains an error."""
    body = as_object(load_json(message.body), "the body")
    if "consignmentSet" in body:
        shipments = as_list(body["consignmentSet"], "consignmentSet")
        if not shipments:
            return Reading(notice="Bring lists no shipment for what was asked")
        return read_parts(shipments, "consignmentSet", _read_shipment)
    if "status" in body:
        return Reading((_read_event(body, _package(body.get("shipment"), body.get("package"))),))
    raise Unreadable("the body is neither a callback (status) nor an answer (consignmentSet)")


@dataclass(frozen=True, slots=True)
class _Package:
    """What holds for every event of a package."""

    number: str
    piece: str | None
    references: tuple[Reference, ...] = ()


def _package(shipment: Any, package: Any, references: tuple[Reference, ...] = ()) -> _Package:
    """The number that is tracked is the shipment's, and the package is its piece; one alone is both."""
    piece = text(package)
    return _Package(tracking_number(first_text(shipment, package)), piece, references)


def _read_shipment(value: Any, where: str) -> Reading:
    shipment = as_object(value, "a shipment")
    if said := text(dig(shipment, "error", "message")):
        return Reading(notice=f"Bring answered: {said}")
    number = text(shipment.get("consignmentId"))
    packages = as_list(shipment.get("packageSet"), "packageSet")
    if not packages:
        return Reading(notice=f"Bring knows {number or 'the shipment'} and no package of it yet")
    reference = text(shipment.get("senderReference"))
    references = (Reference("customer_reference", reference),) if reference else ()
    return read_parts(packages, f"{where}.packageSet", lambda item, at: _read_package(item, at, number, references))


def _read_package(value: Any, where: str, shipment: str | None, references: tuple[Reference, ...]) -> Reading:
    package = as_object(value, "a package")
    common = _package(shipment, package.get("packageNumber"), references)
    events = as_list(package.get("eventSet"), "eventSet")
    if not events:
        return Reading(notice=f"nothing is known of {common.piece or common.number} yet")
    reading = read_each(events, f"{where}.eventSet", lambda event: (_read_event(event, common),))
    expected, faults = read_beside(
        f"{where}.dateOfEstimatedDelivery", lambda: moment(package.get("dateOfEstimatedDelivery"), "%d.%m.%Y")[0]
    )
    return join((Reading(with_estimate(turned_back(reading.events), expected), reading.faults), Reading(faults=faults)))


def _read_event(value: Any, package: _Package) -> Event:
    """An event of an answer, or a callback: that has no place and no words, and its `id` is not the event's."""
    event = as_object(value, "an event")
    code = text(event.get("status"))
    if not code:
        raise Unreadable("the event has no status")
    meaning = CODES.look_up("", code)
    milestone = meaning.milestone
    place = Location(
        facility=text(event.get("unitId")),
        city=text(event.get("city")),
        postcode=text(event.get("postalCode")),
        country=country(first_text(event.get("countryCode"), event.get("country"))),
    )
    written = first_text(event.get("dateIso"), event.get("created"))
    at, quality = iso_moment(written, place.country)
    return Event(
        carrier="bring",
        tracking_number=package.number,
        piece=package.piece,
        milestone=milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(milestone),
        code=code,
        description=text(event.get("description")),
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        reported_at=reported_instant(event.get("pushed")),
        location=place,
        proof_of_delivery=_signature(event.get("recipientSignature")) if milestone is Milestone.DELIVERED else None,
        references=package.references,
        is_test=(package.piece or package.number).startswith(_TEST_NUMBERS),
    )


def _signature(value: Any) -> ProofOfDelivery | None:
    """Who signed, and where the picture of the signature is: told only to who asks with a key."""
    signed_by, document = text(dig(value, "name")), text(dig(value, "linkToImage"))
    return ProofOfDelivery(signed_by, document=document) if signed_by or document else None
