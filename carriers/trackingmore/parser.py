"""What TrackingMore says: `data` is a parcel (push) or a list of them (answer), with scans under two `trackinfo`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    date_if_midnight,
    dig,
    first_text,
    iso_moment,
    join,
    leg_of,
    load_json,
    read_beside,
    read_each,
    read_part,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_NO_NEWS = ("pending", "notfound", "expired")


def parse(message: Message) -> Reading:
    """The events of a push or an answer; a notice for a parcel of which nothing is known and for a refused call."""
    body = as_object(load_json(message.body), "the body")
    parcels = as_list(body.get("data"), "data")
    if parcels:
        return read_parts(parcels, "data", _read_parcel)
    code = first_text(dig(body, "meta", "code"), body.get("code"))
    if "data" in body and code:
        words = first_text(dig(body, "meta", "message"), body.get("message")) or "no parcel is listed"
        return Reading(notice=f"TrackingMore answered: {words} (code {code})")
    raise Unreadable("there is no parcel in the body and no code of an answer")


@dataclass(slots=True)
class _Parcel:
    """What holds for every scan of a parcel, and the scans read so far."""

    number: str
    estimate: When
    proof: ProofOfDelivery | None
    references: tuple[Reference, ...]
    seen: set[tuple[Any, ...]] = field(default_factory=set)


def _read_parcel(value: Any, where: str) -> Reading:
    item = as_object(value, "a parcel")
    estimate, faults = read_beside(f"{where}.scheduled_delivery_date", lambda: _estimate(item))
    signed_by = text(item.get("signed_by"))
    parcel = _Parcel(
        number=tracking_number(item.get("tracking_number")),
        estimate=estimate,
        proof=ProofOfDelivery(signed_by=signed_by) if signed_by else None,
        references=_references(item),
    )
    sides = [
        read_part(item.get(side), f"{where}.{side}", lambda value, at: _read_side(value, parcel, at))
        for side in ("origin_info", "destination_info")
    ]
    reading = join([*sides, Reading(faults=faults)])
    if reading.events or reading.faults:
        return reading
    return _read_status(item, parcel)


def _read_side(value: Any, parcel: _Parcel, where: str) -> Reading:
    scans = as_list(dig(value, "trackinfo"), "trackinfo")
    return read_each(scans, f"{where}.trackinfo", lambda scan: _read_scan(scan, parcel))


def _read_status(item: dict[str, Any], parcel: _Parcel) -> Reading:
    """The status as an event, where no scan is listed; a notice where it says that nothing is known."""
    status = first_text(item.get("delivery_status"), item.get("status"))
    if not status:
        raise Unreadable("the parcel has neither scans nor a status")
    detail = text(item.get("substatus"))
    if status in _NO_NEWS and CODES.look_up("", detail or status).milestone is Milestone.UNKNOWN:
        return Reading(notice=f"TrackingMore knows nothing of {parcel.number} yet ({detail or status})")
    summary = {
        "checkpoint_date": item.get("latest_checkpoint_time"),
        "checkpoint_delivery_status": status,
        "checkpoint_delivery_substatus": detail,
        "tracking_detail": first_text(item.get("latest_event"), item.get("lastEvent")),
    }
    return Reading(tuple(_read_scan(summary, parcel)))


def _references(item: dict[str, Any]) -> tuple[Reference, ...]:
    named = (
        ("carrier", first_text(item.get("courier_code"), item.get("carrier_code"))),
        ("order", first_text(item.get("order_number"), item.get("order_id"))),
        ("local_number", dig(item, "destination_info", "reference_number")),
    )
    return as_references(named)


def _estimate(item: dict[str, Any]) -> When:
    written = first_text(item.get("scheduled_delivery_date"), item.get("expected_delivery"))
    return date_if_midnight(*iso_moment(written))[0]


# ---- a scan: one event


def _read_scan(value: Any, parcel: _Parcel) -> tuple[Event, ...]:
    """The scan, unless the other side's list had it already."""
    scan = as_object(value, "a scan")
    place = _location(scan)
    written = first_text(scan.get("checkpoint_date"), scan.get("Date"))
    at, quality = iso_moment(written, place.country)
    code, meaning, unmapped = _understand(scan)
    words = first_text(scan.get("tracking_detail"), scan.get("StatusDescription"), scan.get("raw_status"))
    known = (code, written, words, place)
    if known in parcel.seen:
        return ()
    parcel.seen.add(known)
    event = Event(
        carrier="trackingmore",
        tracking_number=parcel.number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=words,
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        location=place,
        estimated_delivery_at=parcel.estimate,
        proof_of_delivery=parcel.proof if meaning.milestone is Milestone.DELIVERED else None,
        references=(*parcel.references, Reference("substatus", unmapped)) if unmapped else parcel.references,
    )
    return (event,)


def _understand(scan: dict[str, Any]) -> tuple[str, Meaning, str | None]:
    """The code, its meaning, and a substatus that is not mapped: then the status beside it is the code."""
    status = first_text(scan.get("checkpoint_delivery_status"), scan.get("checkpoint_status"))
    detail = first_text(scan.get("checkpoint_delivery_substatus"), scan.get("substatus"))
    if not status and not detail:
        raise Unreadable("a scan has neither a status nor a substatus")
    if detail and (meaning := CODES.find("", detail)):
        return detail, meaning, None
    if status and detail and (meaning := CODES.find("", status)):
        return status, meaning, detail
    code = detail or status or ""
    return code, CODES.look_up("", code), None


def _location(scan: dict[str, Any]) -> Location:
    """The parts, or the text beside them where they name no city."""
    return Location(
        city=first_text(scan.get("city"), scan.get("location"), scan.get("Details")),
        region=text(scan.get("state")),
        postcode=text(scan.get("zip")),
        country=country(scan.get("country_iso2")),
    )
