"""What an answer of DHL Express means: MyDHL `/tracking` in JSON, or a TrackingResponse of the XML services."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.dhl_express.shape import MYDHL, XML, Scan, Shape
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    first_text,
    fixed_date,
    is_xml,
    iso_moment,
    join,
    leg_of,
    load_json,
    load_xml_object,
    piece_count,
    read_beside,
    read_each,
    read_part,
    read_parts,
    text,
    tracking_number,
    with_offset,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_HANDED_OVER = (Milestone.DELIVERED, Milestone.PARTIALLY_DELIVERED)


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where DHL knows none of the numbers."""
    if is_xml(message.body):
        return _read_xml(message)
    body = as_object(load_json(message.body), "the body")
    if "shipments" in body:
        shipments = as_list(body["shipments"], "shipments")
        if not shipments:
            return Reading(notice="DHL Express lists no shipment in this answer.")
        return read_parts(shipments, "shipments", lambda item, where: _read_shipment(item, where, MYDHL))
    if said := first_text(body.get("detail"), body.get("message"), body.get("title")):
        return Reading(notice=f"DHL Express answered: {said} (status {text(body.get('status')) or 'not stated'}).")
    raise Unreadable("there are neither shipments nor an error in the body")


def _read_xml(message: Message) -> Reading:
    answer = load_xml_object(message.body, message.headers.get("content-type", ""))
    infos = as_list(dig(answer, "AWBInfo"), "AWBInfo")
    if infos:
        return read_parts(infos, "AWBInfo", lambda item, where: _read_shipment(item, where, XML))
    condition = dig(answer, "Response", "Status", "Condition")
    if said := text(dig(condition, "ConditionData")):
        return Reading(notice=f"DHL Express answered: {said} (condition {text(dig(condition, 'ConditionCode'))}).")
    raise Unreadable("there is no AWBInfo in the answer")


@dataclass(frozen=True, slots=True)
class _Shipment:
    """What holds for every scan of a shipment. `signatures` are those of the scans that a piece repeats."""

    number: str
    piece_count: int | None
    references: tuple[Reference, ...]
    estimate: When
    signatures: dict[Any, str]


def _read_shipment(value: Any, where: str, shape: Shape) -> Reading:
    value = as_object(value, "a shipment")
    details = value if shape is MYDHL else value.get("ShipmentInfo") or {}
    said = _refusal(value)
    if said and not details:
        return Reading(notice=f"DHL Express has nothing on {text(value.get(shape.number)) or 'a number'}: {said}")
    number = tracking_number(value.get(shape.number))
    details = as_object(details, "ShipmentInfo")
    scans = as_list(details.get(shape.events), "the scans")
    estimate, faults = read_beside(f"{where}.estimatedDeliveryDate", lambda: _estimate(details, shape))
    count = piece_count(shape.piece_count(details))
    shipment = _Shipment(number, count, tuple(shape.references(details)), estimate, _signatures(scans, shape))
    marks: set[Any] = set()
    pieces = [
        read_part(piece, f"{where}.pieces[{place}]", lambda item, at: _read_piece(item, at, shape, shipment, marks))
        for place, piece in enumerate(shape.pieces(details))
    ]
    own = read_each(scans, f"{where}.{shape.events}", lambda item: _read_scan(item, shape, shipment, marks))
    reading = join([Reading(faults=faults), own, *pieces])
    if not reading.events and not reading.faults:
        return Reading(notice=f"DHL Express has no scan of {number} yet.")
    return reading


def _refusal(value: dict[str, Any]) -> str | None:
    """Why DHL tells nothing of the number: XML-PI has one answer for each that was asked."""
    status = value.get("Status")
    return text(dig(status, "Condition", "ConditionData")) or (
        said if (said := text(dig(status, "ActionStatus"))) and said.lower() != "success" else None
    )


def _signatures(scans: list[Any], shape: Shape) -> dict[Any, str]:
    """Who signed, by the mark of the scan: DHL writes it at the shipment, not at the pieces."""
    found = {}
    for item in scans:
        if isinstance(item, dict) and (item.get("signedBy") or item.get("Signatory")):
            try:
                scan = shape.scan(item)
            except Unreadable:
                continue
            if scan.signed_by:
                found[scan.mark] = scan.signed_by
    return found


def _read_piece(piece: Any, where: str, shape: Shape, shipment: _Shipment, marks: set[Any]) -> Reading:
    """The scans of a piece; their marks are added, so that the shipment does not tell them once more."""
    piece = as_object(piece, "a piece")
    scans = as_list(piece.get(shape.piece_events), "the scans")
    name = shape.piece_id(piece) if scans else ""

    def read(item: Any) -> Iterable[Event]:
        scan = shape.scan(item)
        event = _event(scan, shipment, name)
        marks.add(scan.mark)
        return (event,)

    return read_each(scans, f"{where}.events", read)


def _read_scan(item: Any, shape: Shape, shipment: _Shipment, marks: set[Any]) -> Iterable[Event]:
    """A scan of the shipment, unless a piece has it."""
    scan = shape.scan(item)
    return () if scan.mark in marks else (_event(scan, shipment, None),)


def _event(scan: Scan, shipment: _Shipment, piece: str | None) -> Event:
    meaning = CODES.look_up("", scan.code)
    handed_over = meaning.milestone in _HANDED_OVER
    words, _, name = scan.words.partition(":") if scan.words and handed_over else (scan.words, "", "")
    signed_by = (scan.signed_by or shipment.signatures.get(scan.mark) or name.strip()) if handed_over else None
    place = _place(scan.area, scan.place)
    occurred_at, quality = _moment(scan, place.country)
    return Event(
        carrier="dhl_express",
        tracking_number=shipment.number,
        piece=piece,
        piece_count=shipment.piece_count,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code=scan.code,
        description=text(words),
        occurred_at=occurred_at,
        occurred_text=f"{scan.date} {scan.time}".strip(),
        time_quality=quality,
        location=place,
        estimated_delivery_at=shipment.estimate,
        proof_of_delivery=ProofOfDelivery(signed_by, f"{scan.date}T{scan.time}") if signed_by else None,
        references=shipment.references,
    )


def _moment(scan: Scan, country_code: str | None) -> tuple[When, TimeQuality]:
    """The clock of the service area. Only an answer that was asked for offsets has them."""
    written = f"{scan.date}T{scan.time}" if scan.date and scan.time else scan.date
    at, quality = iso_moment(written, country_code)
    if scan.offset and isinstance(at, datetime):
        return with_offset(at.replace(tzinfo=None), scan.offset)
    return at, quality


@lru_cache(maxsize=4096)
def _place(area: str | None, place: str | None) -> Location:
    """`AUCKLAND-NZ`, `KINGSTON-JAM` or `Barcelona - Spain`: the city, and a country if it is one."""
    city, _, land = (place or "").rpartition("-")
    code = country(land)
    return Location(facility=area, city=text(city) if code else text(place), country=code)


def _estimate(shipment: dict[str, Any], shape: Shape) -> When:
    """One minute before midnight is how DHL writes a day without a time of day. XML-PI has no estimate."""
    if shape is not MYDHL:
        return None
    written = text(shipment.get("estimatedDeliveryDate"))
    land = country(dig(shipment, "receiverDetails", "postalAddress", "countryCode"))
    at, _ = iso_moment(written, land)
    if isinstance(at, datetime) and (at.hour, at.minute) in ((23, 59), (0, 0)):
        return fixed_date(at.date())[0]
    return at
