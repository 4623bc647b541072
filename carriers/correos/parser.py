"""What Correos answers: the `localizador` (Spanish names) and trackpub v2 (English names), a list of shipments each.

There is no public document; the shapes are those of production answers kept in the tests of public clients.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    dig,
    first_text,
    leg_of,
    load_json,
    moment,
    read_beside,
    read_each,
    read_parts,
    text,
)
from carriers.reading import tracking_number as read_number
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
ZONE = "Europe/Madrid"
_SHAPES = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
_NO_OFFICE = "NO_OFI"
_REFERENCES = (
    ("numReferencia1", "customer_reference"),
    ("numReferencia2", "customer_reference"),
    ("numReferencia3", "customer_reference"),
    ("reference1", "customer_reference"),
    ("reference2", "customer_reference"),
    ("reference3", "customer_reference"),
    ("refCliente", "customer_reference"),
    ("codExpedicion", "expedition"),
    ("expeditionCode", "expedition"),
)


def parse(message: Message) -> Reading:
    """The events of every shipment; a notice for one that Correos does not know."""
    body = load_json(message.body)
    if isinstance(body, list):
        if not body:
            return Reading(notice="Correos lists no shipment.")
        return read_parts(body, "shipments", _read_shipment)
    return read_parts((as_object(body, "the body"),), "shipments", _read_shipment)


@dataclass(frozen=True, slots=True)
class _Shipment:
    """What holds for every event of a shipment."""

    number: str
    references: tuple[Reference, ...]
    estimate: When


def _read_shipment(value: Any, where: str) -> Reading:
    shipment = as_object(value, "a shipment")
    number = read_number(first_text(shipment.get("codEnvio"), shipment.get("code")))
    listed = shipment.get("eventos") if "eventos" in shipment else shipment.get("events")
    events = as_list(listed, "eventos")
    if not events:
        return Reading(notice=_why_nothing(shipment, number))
    estimate, faults = read_beside(f"{where}.fec_calculada", lambda: _estimate(shipment))
    common = _Shipment(number, as_references(_named(shipment)), estimate)
    read = read_each(events, f"{where}.eventos", lambda event: (_read_event(event, common),))
    return Reading(read.events, (*read.faults, *faults))


def _why_nothing(shipment: dict[str, Any], number: str) -> str:
    code = text(dig(shipment, "error", "codError"))
    if not code and "eventos" not in shipment and "events" not in shipment:
        raise Unreadable("the shipment has neither events nor an error")
    if not code or code == "0":
        return f"Correos lists no event of {number}."
    return f"Correos answered for {number}: {text(dig(shipment, 'error', 'desError')) or 'no words'} (code {code})."


def _estimate(shipment: dict[str, Any]) -> When:
    """A date; the midnight beside it is no time of day."""
    written = first_text(shipment.get("fec_calculada"), shipment.get("dateCalculated"))
    return moment(written.split(" ")[0], "%d/%m/%Y")[0] if written else None


def _named(shipment: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The customer's references, the expedition, and shipments that belong to this one, such as its return."""
    yield from ((kind, shipment.get(name)) for name, kind in _REFERENCES)
    for name in ("enviosAsociados", "associatedShipments"):
        others = shipment.get(name)
        for other in others if isinstance(others, list) else ():
            yield "associated_shipment", first_text(dig(other, "codEnvio"), dig(other, "code"))


def _read_event(value: Any, shipment: _Shipment) -> Event:
    event = as_object(value, "an event")
    code = first_text(event.get("codEvento"), event.get("eventCode"))
    if not code:
        raise Unreadable("the event has no code")
    meaning = CODES.look_up("", code)
    day = first_text(event.get("fecEvento"), event.get("eventDate"))
    clock = first_text(event.get("horEvento"), event.get("eventHours"))
    written = f"{day} {clock}" if day and clock else day or ""
    at, quality = moment(written, *_SHAPES, zone=ZONE)
    unit = first_text(event.get("unidad"), event.get("unit"))
    return Event(
        carrier="correos",
        tracking_number=shipment.number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=first_text(
            event.get("desTextoResumen"),
            event.get("summaryText"),
            event.get("desTextoAmpliado"),
            event.get("expandedText"),
        ),
        occurred_at=at,
        occurred_text=written,
        time_quality=quality,
        location=Location(facility=unit if unit != _NO_OFFICE else None),
        estimated_delivery_at=shipment.estimate,
        references=shipment.references,
    )
