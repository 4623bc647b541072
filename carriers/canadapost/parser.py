"""What Canada Post's Get Tracking Details answers: one `tracking-detail` a parcel, its scans in `significant-events`.

Source: Canada Post Developer Program, Tracking (REST, track-v2). Elements with or without namespace, and several under
one root, are read alike.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    dig,
    iso_moment,
    leg_of,
    load_xml_parts,
    moment,
    place_in_zone,
    read_beside,
    read_each,
    read_parts,
    text,
    with_offset,
)
from carriers.reading import tracking_number as read_number
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_PARTS = ("tracking-detail", "tracking-summary", "message")
_PROVINCES = frozenset({"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "PQ", "QC", "SK", "YT"})
_REFERENCES = (
    ("customer-ref-1", "customer_reference"),
    ("customer-ref-2", "customer_reference"),
    ("original-pin", "original_pin"),
    ("return-pin", "return_pin"),
)


def parse(message: Message) -> Reading:
    """The scans of every parcel; a notice for a message of the service, such as a number without history."""
    parts = load_xml_parts(message.body, message.headers.get("content-type", ""), _PARTS.__contains__)
    if not parts:
        raise Unreadable("there is no tracking-detail and no message in the body")
    return read_parts(parts, "parts", _read_part)


def _read_part(part: tuple[str, Any], where: str) -> Reading:
    tag, value = part
    found = as_object(value, f"the {tag}")
    if tag == "tracking-detail":
        return _read_parcel(found, where)
    if tag == "message":
        code, words = text(found.get("code")), text(found.get("description"))
        if not code and not words:
            raise Unreadable("a message has neither a code nor a description")
        return Reading(notice=f"Canada Post answered: {words or 'no words'} (code {code or 'not stated'}).")
    pin = read_number(dig(next(iter(as_list(found.get("pin-summary"), "pin-summary")), None), "pin"))
    return Reading(notice=f"A summary of {pin} has no event codes and is not read; ask for its details.")


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What holds for every scan of a parcel; `signed` is who signed, by the date and time written beside it."""

    number: str
    references: tuple[Reference, ...]
    estimate: When
    signed: dict[tuple[str | None, str | None], str]


def _read_parcel(detail: dict[str, Any], where: str) -> Reading:
    number = read_number(detail.get("pin"))
    scans = as_list(dig(detail, "significant-events", "occurrence"), "significant-events")
    if not scans:
        return Reading(notice=f"Canada Post lists no scan of {number}.")
    estimate, faults = read_beside(f"{where}.expected-delivery-date", lambda: _estimate(detail))
    references = as_references((kind, detail.get(name)) for name, kind in _REFERENCES)
    parcel = _Parcel(number, references, estimate, _signatories(scans))
    read = read_each(scans, f"{where}.significant-events", lambda scan: (_read_scan(scan, parcel),))
    return Reading(read.events, (*read.faults, *faults))


def _estimate(detail: dict[str, Any]) -> When:
    return iso_moment(text(detail.get("changed-expected-date")) or detail.get("expected-delivery-date"))[0]


def _signatories(scans: list[Any]) -> dict[tuple[str | None, str | None], str]:
    """Who signed, by date and time: Canada Post writes it into a scan of its own beside that of the delivery."""
    return {
        (text(scan.get("event-date")), text(scan.get("event-time"))): name
        for scan in scans
        if isinstance(scan, dict) and (name := text(scan.get("signatory-name")))
    }


def _read_scan(value: Any, parcel: _Parcel) -> Event:
    scan = as_object(value, "an occurrence")
    written = text(scan.get("event-identifier"))
    if not written:
        raise Unreadable("an occurrence has no event-identifier")
    code, words = written.lstrip("0") or "0", text(scan.get("event-description"))
    meaning = _understand(code, words)
    place = _place(scan)
    day, clock, zone = text(scan.get("event-date")), text(scan.get("event-time")), text(scan.get("event-time-zone"))
    at, quality = _moment(day, clock, zone, place.country)
    signed = parcel.signed.get((day, clock)) if meaning.milestone is Milestone.DELIVERED else None
    return Event(
        carrier="canadapost",
        tracking_number=parcel.number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=words,
        occurred_at=at,
        occurred_text=" ".join(filter(None, (day, clock, zone))),
        time_quality=quality,
        location=place,
        estimated_delivery_at=parcel.estimate,
        proof_of_delivery=ProofOfDelivery(signed_by=signed, at=at.isoformat() if at else None) if signed else None,
        references=parcel.references,
    )


def _understand(code: str, words: str | None) -> Meaning:
    """What the code means; a few codes say with their words that the parcel is on the way back."""
    return (CODES.find(code, words.replace("\u2019", "'")) if words else None) or CODES.look_up("", code)


def _moment(day: str | None, clock: str | None, zone: str | None, there: str | None) -> tuple[When, TimeQuality]:
    """Date, time and the abbreviation beside them; scans abroad leave it empty or name a country in its place."""
    if not day:
        return None, TimeQuality.NONE
    at, quality = moment(f"{day} {clock or ''}".strip(), "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
    if not isinstance(at, datetime):
        return at, quality
    try:
        return with_offset(at, zone, there)
    except Unreadable:
        return place_in_zone(at, country(zone) or there)


def _place(scan: dict[str, Any]) -> Location:
    """City and province in Canada; abroad one text such as `ILTLVA,Israel`."""
    site, province = text(scan.get("event-site")), text(scan.get("event-province"))
    there = "CA" if province in _PROVINCES else country(province) if province and len(province) > 2 else None
    if site and not province and "," in site:
        city, _, name = site.rpartition(",")
        if there := country(name):
            site = text(city)
    return Location(facility=text(scan.get("event-retail-name")), city=site, region=province, country=there)
