"""What DCSA events mean. Version 3 has `metadata` and `payload`, version 2.2 the same fields in one object."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from carriers.base import Fault, Message, Reading
from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.dcsa.place import first_object, location_of
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    dig,
    first_text,
    iso_moment,
    load_json,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Reference, TimeQuality, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

ACTUAL = "ACT"
NUMBERS = ("BKG", "TRD", "BOL", "CBR", "SHI")
"""Documents whose number a shipment goes by, the best first; without any, it goes by its container."""

LISTS = ("relatedDocumentReferences", "documentReferences", "references")


def parse(message: Message) -> Reading:
    """The events of a push or of a poll; a notice for an error, for an empty list, and for a bare retraction."""
    body = load_json(message.body)
    if isinstance(body, dict):
        if "events" in body:
            body = body["events"]
        elif "errors" in body or "statusCode" in body:
            return Reading(notice=_error(body))
    items = as_list(body, "the body")
    return read_parts(items, "events", _read) if items else Reading(notice="the carrier lists no event")


def _error(body: dict[str, Any]) -> str:
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    said = (text(body.get("statusCode")), first_text(body.get("statusCodeText"), dig(first, "reason")))
    words = first_text(dig(first, "message"), dig(first, "errorCodeMessage"))
    return f"the carrier answered with an error: {', '.join(filter(None, (*said, words))) or 'unnamed'}"


class _Told(Struct, frozen=True):
    """The parts of an event that both versions have."""

    head: dict[str, Any]
    body: dict[str, Any]
    kind: str
    classifier: str
    documents: list[tuple[str, str]]
    references: list[tuple[str, str]]


def _read(value: Any, where: str) -> Reading:
    item = as_object(value, "an event")
    metadata = item.get("metadata")
    head, body = (metadata, item.get("payload")) if isinstance(metadata, dict) else (item, item)
    retracts = text(head.get("retractedEventID"))
    if retracts and not text(dig(body, "eventClassifierCode")):
        notice = f"the carrier withdrew the event {retracts} and names no shipment; look it up and correct it"
        return Reading(notice=notice, needs_a_person=True)
    told = _told(head, as_object(body, "the payload"))
    numbers, piece = _numbers(told)
    withdrawn = tuple(_retraction(told, number, piece, retracts) for number in numbers) if retracts else ()
    return Reading((*withdrawn, *_events(told, numbers, piece)), tuple(_damaged(told.body, where)))


def _told(head: dict[str, Any], body: dict[str, Any]) -> _Told:
    return _Told(
        head,
        body,
        kind=(text(head.get("eventType")) or "").upper(),
        classifier=(text(body.get("eventClassifierCode")) or "").upper(),
        documents=list(_pairs(body, *LISTS[:2])),
        references=list(_pairs(body, *LISTS[2:])),
    )


def _pairs(body: dict[str, Any], *names: str) -> Iterable[tuple[str, str]]:
    """Type and value of each reference: `type` and `value`, in 2.2 with the list's name before them."""
    for name in names:
        listed = body.get(name)
        if not isinstance(listed, list):
            continue
        for item in listed:
            if not isinstance(item, dict):
                continue
            kind = text(item.get("type")) or first_text(item.get("referenceType"), item.get("documentReferenceType"))
            value = text(item.get("value")) or first_text(
                item.get("referenceValue"), item.get("documentReferenceValue")
            )
            if kind and value:
                yield kind, value


def _damaged(body: dict[str, Any], where: str) -> Iterable[Fault]:
    """References that are none: the shipment may go by one of them, so they are not passed over in silence."""
    for name in LISTS:
        listed = body.get(name)
        if not isinstance(listed, list):
            continue
        for position, item in enumerate(listed):
            if not isinstance(item, dict):
                yield Fault(f"{where}.{name}[{position}]", "a reference is not an object")


def _numbers(told: _Told) -> tuple[list[str], str | None]:
    """The numbers of the shipments an event is of, and the container it is of, where it is of one."""
    container = text(told.body.get("equipmentReference"))
    own = text(told.body.get("documentTypeCode"))
    own_number = first_text(told.body.get("documentReference"), told.body.get("documentID"))
    named = [*told.documents, (own, own_number)] if own and own_number else told.documents
    for kind in NUMBERS:
        if found := dict.fromkeys(tracking_number(value) for k, value in named if k == kind):
            return list(found), container
    containers = [container] if container else [value for kind, value in told.references if kind == "EQ"]
    if not containers:
        raise Unreadable("the event names no booking, no transport document and no container")
    return [tracking_number(number) for number in dict.fromkeys(containers)], None


def _retraction(told: _Told, number: str, piece: str | None, retracts: str) -> Event:
    """What takes an earlier event back. It stands alone: the event that is told in its place is one of its own."""
    written = told.head.get("eventCreatedDateTime")
    at, quality = iso_moment(written)
    return Event(
        carrier="dcsa",
        tracking_number=number,
        piece=piece,
        milestone=CODES.look_up("metadata", "retractedEventID").milestone,
        code_list="metadata",
        code="retractedEventID",
        occurred_at=at,
        occurred_text=text(written) or "",
        time_quality=quality,
        retracts=retracts,
    )


def _events(told: _Told, numbers: list[str], piece: str | None) -> Iterable[Event]:
    place, at_customer = location_of(told.body)
    code_list, code, meaning = _meaning(told, at_customer)
    is_forecast = told.classifier != ACTUAL
    written = told.head.get("eventCreatedDateTime") if is_forecast else told.body.get("eventDateTime")
    at, quality = iso_moment(written, None if is_forecast else place.country)
    expected = iso_moment(told.body.get("eventDateTime"), place.country)[0] if is_forecast else None
    reported, stated = iso_moment(told.head.get("eventCreatedDateTime"))
    for number in numbers:
        yield Event(
            carrier="dcsa",
            tracking_number=number,
            piece=piece,
            milestone=meaning.milestone,
            exception_category=meaning.exception_category,
            code_list=code_list,
            code=code,
            occurred_at=at,
            occurred_text=text(written) or "",
            time_quality=quality,
            reported_at=reported if isinstance(reported, datetime) and stated is TimeQuality.EXACT else None,
            description=_words(told, code, expected),
            location=place,
            estimated_delivery_at=expected if at_customer and code in ("ARRI", "DROP") else None,
            references=tuple(_references(told, number)),
            provider_event_id=text(told.head.get("eventID")),
        )


def _meaning(told: _Told, at_customer: bool) -> tuple[str, str, Meaning]:
    """The code list, the code and what they mean: see `What is odd` in the README, under Codes."""
    body, kind = told.body, told.kind
    code = first_text(body.get(f"{kind.lower()}EventTypeCode"), body.get("eventTypeCode"))
    if not kind or not code:
        raise Unreadable("the event has no eventType or no event type code")
    if told.classifier != ACTUAL:
        code_list = f"{kind}.{told.classifier}" if told.classifier else kind
        known = CODES.find(kind, code) and CODES.find("classifier", told.classifier)
        return code_list, code, CODES.find(code_list, code) or known or UNMAPPED
    finer = None
    if kind == "SHIPMENT":
        finer = text(body.get("documentTypeCode"))
    elif kind == "EQUIPMENT":
        finer = _state(body, at_customer)
    code_list = f"{kind}.{finer}" if finer else kind
    base = CODES.look_up(kind, code)
    if finer == "EMPTY" and base is not UNMAPPED:
        base = CODES.look_up("indicator", finer)
    return code_list, code, CODES.find(code_list, code) or base


def _state(body: dict[str, Any], at_customer: bool) -> str | None:
    """EMPTY, or CLOC for a full container at the customer's: there a move means something else."""
    held = text(body.get("emptyIndicatorCode"))
    if held == "EMPTY":
        return "EMPTY"
    return "CLOC" if at_customer and held == "LADEN" and body.get("isTransshipmentMove") is not True else None


def _words(told: _Told, code: str, expected: When) -> str | None:
    said = first_text(told.body.get("changeRemark"), told.body.get("reason"), told.body.get("delayReasonCode"))
    if expected is None:
        return said
    forecast = {"EST": "estimated", "PLN": "planned"}.get(told.classifier, told.classifier)
    return f"{code} {forecast} for {expected.isoformat()}" + (f": {said}" if said else "")


def _references(told: _Told, number: str) -> Iterable[Reference]:
    yield from (Reference(kind, value) for kind, value in told.documents if value != number)
    yield from (Reference(kind, value) for kind, value in told.references)
    call = first_object(told.body.get("transportCall"))
    vessel = call.get("vessel")
    found = {
        "carrier": dig(told.head, "publisher", "carrierCode"),
        "mode": call.get("modeOfTransport"),
        "vessel_imo": dig(vessel, "vesselIMONumber"),
        "vessel": first_text(dig(vessel, "name"), dig(vessel, "vesselName"), vessel),
        "voyage": first_text(call.get("carrierExportVoyageNumber"), call.get("exportVoyageNumber")),
    }
    yield from as_references(found.items())
