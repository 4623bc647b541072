"""What a notification of USPS means, and an answer of Tracking v3: both tell a mail piece with its events."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    date_if_midnight,
    dig,
    first_text,
    iso_moment,
    leg_of,
    load_json,
    moment,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
    with_offset,
)
from carriers.usps.envelope import open_envelope
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

DELIVERED = "01"
"""The only code whose words decide: a delivery to the sender is the end of a return."""

_ESTIMATES = (
    "predictedDeliveryTimeStamp", "expectedDeliveryTimeStamp", "predictedDeliveryDate", "expectedDeliveryDate",
    "guaranteedDeliveryTimeStamp", "guaranteedDeliveryDate",
)  # fmt: skip


def parse(message: Message) -> Reading:
    """The events of a notification or of an answer; a notice where USPS reports an error."""
    body, sent_at = load_json(message.body), None
    if isinstance(body, dict) and "payload" in body:
        body, sent_at = open_envelope(body)
    if isinstance(body, dict):
        return _read_piece(body, "the body", sent_at)
    pieces = as_list(body, "the body")
    if not pieces:
        raise Unreadable("there is no mail piece in the body")
    return read_parts(pieces, "pieces", lambda item, where: _read_piece(item, where, sent_at))


@dataclass(frozen=True, slots=True)
class _Piece:
    """What holds for every event of a mail piece."""

    number: str
    references: tuple[Reference, ...]
    estimate: When
    sent_at: datetime | None


def _read_piece(value: Any, where: str, sent_at: datetime | None) -> Reading:
    value = as_object(value, "a mail piece")
    if isinstance(value.get("error"), dict):
        return Reading(notice=f"USPS answered: {_error_words(value['error'])}")
    number = tracking_number(value.get("trackingNumber"))
    estimate, faults = read_beside(f"{where}.estimate", lambda: _estimate(value))
    references = as_references([("mail_piece_id", value.get("uniqueMailPieceID"))])
    piece = _Piece(number, references, estimate, sent_at)
    items = as_list(value.get("trackingEvents"), "trackingEvents")
    if not items:
        items = [value if text(value.get("eventCode")) else _summary(value)]
    listed = read_each(items, f"{where}.trackingEvents", lambda item: (_read_event(item, piece),))
    if not listed.events and not any(faults):
        raise Unreadable("; ".join(fault.reason for fault in listed.faults[:3]))
    return Reading(listed.events, (*listed.faults, *faults))


def _error_words(error: dict[str, Any]) -> str:
    details = error.get("errors")
    detail = details[0] if isinstance(details, list) and details else None
    said = first_text(dig(detail, "detail"), dig(detail, "title"), error.get("message"))
    return f"{said or 'an error'} (code {first_text(dig(detail, 'code'), error.get('code')) or 'not stated'})."


def _estimate(value: dict[str, Any]) -> When:
    return date_if_midnight(*moment(first_text(*map(value.get, _ESTIMATES)), "iso", "%b %d, %Y"))[0]


def _summary(value: dict[str, Any]) -> dict[str, Any]:
    """The current status as an event: only used where no events are listed."""
    category = first_text(value.get("statusCategory"), value.get("status"))
    return {"statusCategory": category, "eventType": first_text(value.get("status"), category)}


# ---- one event


def _read_event(item: Any, piece: _Piece) -> Event:
    item = as_object(item, "an event")
    code, code_list = text(item.get("eventCode")), ""
    if not code:
        code, code_list = text(item.get("statusCategory")), "statusCategory"
    if not code:
        raise Unreadable("an event has neither an eventCode nor a status")
    if len(code) == 1 and code.isdigit():
        code = f"0{code}"
    words = text(item.get("eventType"))
    meaning = (CODES.find("eventType", words) if code == DELIVERED and words else None) or CODES.look_up(
        code_list, code
    )
    occurred_at, quality = _moment(item)
    return Event(
        carrier="usps",
        tracking_number=piece.number,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=words,
        occurred_at=occurred_at,
        occurred_text=first_text(item.get("eventTimestamp"), item.get("GMTTimestamp")) or "",
        time_quality=quality,
        reported_at=piece.sent_at,
        location=_location(item),
        estimated_delivery_at=piece.estimate,
        proof_of_delivery=_proof(item, occurred_at) if meaning.milestone is Milestone.DELIVERED else None,
        references=piece.references,
    )


def _moment(item: dict[str, Any]) -> tuple[When, TimeQuality]:
    """The local clock with its offset. GMTTimestamp has other seconds and is read only where there is no local one."""
    at, quality = iso_moment(item.get("eventTimestamp"))
    if at is None:
        return iso_moment(item.get("GMTTimestamp"))
    if isinstance(at, datetime) and at.tzinfo is None:
        return with_offset(at, item.get("GMTOffset"))
    return at, quality


def _location(item: dict[str, Any]) -> Location:
    """USPS names no country at home."""
    city, state, code = text(item.get("eventCity")), text(item.get("eventState")), text(item.get("eventZIP"))
    abroad = text(item.get("eventCountry"))
    land = country(abroad) if abroad else "US" if city or state or code else None
    return Location(city=city, region=state, postcode=code, country=land)


def _proof(item: dict[str, Any], at: When) -> ProofOfDelivery | None:
    signed_by = first_text(item.get("name"), item.get("firm"))
    return ProofOfDelivery(signed_by, at.isoformat() if at else None) if signed_by else None
