"""What a message of DHL's Shipment Tracking Unified means, pushed or polled: both list the same shipments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from msgspec.structs import replace

from carriers.base import Message, Reading
from carriers.dhl_unified.control import PUSH, read_control
from carriers.dhl_unified.meaning import understand
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    fixed_date,
    iso_moment,
    join,
    leg_of,
    load_json,
    on_leg,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

_A_MINUTE = timedelta(minutes=1)


def parse(message: Message) -> Reading:
    """The events of a push or of a poll's answer; a notice for control messages and for an answer without result."""
    body = as_object(load_json(message.body), "the body")
    scope = text(body.get("scope")) or PUSH
    if scope != PUSH:
        return read_control(scope, body)
    if "shipments" in body:
        reading = _read_shipments(as_list(body["shipments"], "shipments"))
        more = "DHL has more shipments, on a page that was not read." if text(body.get("nextUrl")) else None
        return join((reading, Reading(notice=more))) if more else reading
    if title := text(body.get("title")):
        return Reading(notice=f"DHL answered: {title} (status {text(body.get('status')) or 'not stated'}).")
    raise Unreadable("there are no shipments, no scope and no error in the body")


@dataclass(frozen=True, slots=True)
class _Shipment:
    """What holds for every event of a shipment."""

    number: str
    service: str
    leg: Leg
    references: tuple[Reference, ...]
    proof: ProofOfDelivery | None
    names: tuple[str, ...]


def _read_shipments(shipments: list[Any]) -> Reading:
    if not shipments:
        return Reading(notice="DHL lists no shipment in this message.")
    return read_parts(shipments, "shipments", _read_shipment)


def _read_shipment(value: Any, where: str) -> Reading:
    shipment = _common(as_object(value, "a shipment"))
    items = as_list(value.get("events"), "events")
    listed = read_each(items, f"{where}.events", lambda item: (_read_event(item, shipment),))
    summary = read_each([value.get("status")], f"{where}.status", lambda item: _read_summary(item, shipment, listed))
    events, faults = listed.events + summary.events, listed.faults + summary.faults
    if not events and not faults:
        raise Unreadable("the shipment has neither a status nor events")
    expected, damage = read_beside(f"{where}.estimatedTimeOfDelivery", lambda: _estimate(value))
    if expected:
        events = tuple(replace(event, estimated_delivery_at=expected) for event in events)
    return Reading(events, faults + damage)


def _common(shipment: dict[str, Any]) -> _Shipment:
    details = shipment.get("details")
    proof = dig(details, "proofOfDelivery")
    return _Shipment(
        number=tracking_number(shipment.get("id")),
        service=(text(shipment.get("service")) or "").lower(),
        leg=Leg.RETURN if shipment.get("returnFlag") in (True, "true") else Leg.OUTBOUND,
        references=tuple(_references(dig(details, "references"))),
        proof=_proof_of_delivery(proof) if proof else None,
        names=_names(details, proof) if details else (),
    )


def _read_event(item: Any, shipment: _Shipment) -> Event:
    """One entry of the list, or the status, which has the same form."""
    item = as_object(item, "the event")
    place = _location(item.get("location"))
    at, quality = iso_moment(item.get("timestamp"), place.country)
    code_list, code, meaning = understand(item, shipment.service)
    leg = leg_of(meaning.milestone, shipment.leg)
    delivered = meaning.milestone is Milestone.DELIVERED
    return Event(
        carrier="dhl_unified",
        tracking_number=shipment.number,
        milestone=on_leg(meaning.milestone, leg),
        exception_category=meaning.exception_category,
        code=code,
        code_list=code_list,
        occurred_at=at,
        occurred_text=text(item.get("timestamp")) or "",
        time_quality=quality,
        leg=leg,
        description=_words(item, shipment.names),
        location=place,
        proof_of_delivery=shipment.proof if delivered and leg is Leg.OUTBOUND else None,
        references=shipment.references,
    )


def _read_summary(item: Any, shipment: _Shipment, listed: Reading) -> Iterable[Event]:
    """The status, unless it repeats a listed event."""
    if item is None:
        return ()
    status = _read_event(item, shipment)
    return () if any(_repeats(status, event) for event in listed.events) else (status,)


def _repeats(status: Event, event: Event) -> bool:
    """Whether they are one event: DHL gives the status an offset that the list may lack, so clocks are compared."""
    same_code = (status.code_list, status.code) == (event.code_list, event.code)
    if status.occurred_at is None or event.occurred_at is None:
        return same_code and status.occurred_at is None
    return same_code and abs(_wall_clock(status.occurred_at) - _wall_clock(event.occurred_at)) <= _A_MINUTE


def _wall_clock(at: datetime | date) -> datetime:
    return at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, time())


def _estimate(shipment: dict[str, Any]) -> When:
    """Midnight is how DHL writes a day without a time of day; moving it to another zone would change the day."""
    written = shipment.get("estimatedTimeOfDelivery")
    at, _ = iso_moment(written, country(dig(shipment, "destination", "address", "countryCode")))
    if isinstance(at, datetime) and at.time() == time():
        return fixed_date(at.date())[0]
    return at


def _location(value: Any) -> Location:
    """The place; DHL Express gives it as one text, with or without an address around it."""
    if not isinstance(value, dict):
        return Location(city=text(value))
    address = value.get("address")
    if not isinstance(address, dict):
        return Location(facility=text(dig(value, "servicePoint", "label")), city=text(address))
    return Location(
        facility=text(dig(value, "servicePoint", "label")),
        city=text(address.get("addressLocality")),
        region=text(address.get("addressRegion")),
        postcode=text(address.get("postalCode")),
        country=country(address.get("countryCode")),
    )


def _references(value: Any) -> Iterable[Reference]:
    """An object in older answers, a list in newer ones; entries without a number say nothing."""
    for item in value if isinstance(value, list) else [value]:
        if number := text(dig(item, "number")):
            yield Reference(text(dig(item, "type")) or "reference", number)


def _proof_of_delivery(proof: Any) -> ProofOfDelivery | None:
    document = _link(dig(proof, "documentUrl")) or _link(dig(proof, "signatureUrl"))
    found = ProofOfDelivery(_name(dig(proof, "signed")), text(dig(proof, "timestamp")), document)
    return found if found != ProofOfDelivery() else None


def _link(value: Any) -> str | None:
    """An address; DHL's own examples have the word "string" in its place."""
    link = text(value)
    return link if link and link.startswith("https://") else None


def _name(person: Any) -> str | None:
    parts = filter(None, (text(dig(person, "givenName")), text(dig(person, "familyName"))))
    return text(dig(person, "name")) or " ".join(parts) or text(dig(person, "organizationName"))


def _names(details: Any, proof: Any) -> tuple[str, ...]:
    """The people a message names, in lower case; DHL Express puts who signed into the description."""
    people = (dig(details, "receiver"), dig(details, "consignee"), dig(proof, "signed"))
    fields = ("name", "givenName", "familyName")
    found = (text(dig(person, field)) for person in people for field in fields)
    return tuple({name.casefold() for name in found if name and len(name) > 2})


def _words(item: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """DHL's words for the event, the longest first, without those that name a person."""
    for field in ("description", "status", "statusDetailed"):
        words = text(item.get(field))
        if words and not any(name in words.casefold() for name in names):
            return words
    return None
