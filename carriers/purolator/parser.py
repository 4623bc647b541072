"""What Purolator's TrackPackagesByPin answers, in SOAP: a `TrackingInformation` a parcel, with its `Scans`.

Source: Purolator E-Ship Web Services, Tracking Service 1.2. `ScanType` is coarse, so the scan's words are the code, in
the list of that type: in lower case, with single blanks, and without what follows a fixed beginning.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    dig,
    first_text,
    leg_of,
    load_xml_object,
    moment,
    place_in_zone,
    read_each,
    read_parts,
    text,
)
from carriers.reading import tracking_number as read_number
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_BEGINNINGS = ("shipment delivered to", "new tracking number assigned", "picked up by purolator at")
_PROVINCES = frozenset({"AB", "BC", "MB", "NB", "NF", "NL", "NS", "NT", "NU", "ON", "PE", "PQ", "QC", "SK", "YT"})
# Provinces whose clocks all show the same time.
_ZONES = {
    "AB": "America/Edmonton",
    "MB": "America/Winnipeg",
    "NB": "America/Moncton",
    "NS": "America/Halifax",
    "PE": "America/Halifax",
}


def parse(message: Message) -> Reading:
    """The scans of every parcel; a notice for errors, for a SOAP fault, and for a number that is not known."""
    body = dig(load_xml_object(message.body, message.headers.get("content-type", "")), "Body")
    if fault := dig(body, "Fault"):
        return Reading(
            notice=f"Purolator answered with a fault: {first_text(dig(fault, 'faultstring')) or 'no words'}."
        )
    answers = body.values() if isinstance(body, dict) else ()
    answer = next((value for value in answers if isinstance(value, dict) and "TrackingInformationList" in value), None)
    if answer is None:
        raise Unreadable("there is no TrackingInformationList in the body of the envelope")
    parcels = dig(answer, "TrackingInformationList", "TrackingInformation")
    if parcels is not None:
        return read_parts(as_list(parcels, "TrackingInformation"), "TrackingInformation", _read_parcel)
    return Reading(notice=f"Purolator answered: {_errors(answer) or 'no parcel is listed'}.")


def _read_parcel(value: Any, where: str) -> Reading:
    parcel = as_object(value, "a TrackingInformation")
    number = read_number(dig(parcel, "PIN", "Value"))
    scans = dig(parcel, "Scans", "Scan")
    if scans is None:
        return Reading(notice=f"Purolator answered for {number}: {_errors(parcel) or 'no scan is listed'}.")
    return read_each(as_list(scans, "Scans"), f"{where}.Scans", lambda scan: (_read_scan(scan, number),))


def _errors(holder: dict[str, Any]) -> str:
    listed = dig(holder, "ResponseInformation", "Errors", "Error")
    errors = listed if isinstance(listed, list) else [listed]
    told = (first_text(dig(error, "Description"), dig(error, "Code")) for error in errors[:5])
    return ", ".join(filter(None, told))


def _read_scan(value: Any, number: str) -> Event:
    scan = as_object(value, "a scan")
    kind = text(scan.get("ScanType"))
    if not kind:
        raise Unreadable("the scan has no ScanType")
    code, words, rest = _code(text(scan.get("Description")) or "")
    meaning = _understand(kind, code)
    place = _place(text(dig(scan, "Depot", "Name")))
    day, clock = text(scan.get("ScanDate")), text(scan.get("ScanTime"))
    at, quality = _moment(day, clock, place.region)
    pin = text(dig(scan, "PIN", "Value"))
    return Event(
        carrier="purolator",
        tracking_number=number,
        piece=pin if pin != number else None,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list=kind if code else "",
        code=code or kind,
        description=words,
        occurred_at=at,
        occurred_text=" ".join(filter(None, (day, clock))),
        time_quality=quality,
        location=place,
        proof_of_delivery=_proof(scan, at) if meaning.milestone is Milestone.DELIVERED else None,
        references=(Reference("new_tracking_number", rest),) if code == _BEGINNINGS[1] and rest else (),
    )


def _understand(kind: str, code: str) -> Meaning:
    """What the words mean in scans of that type; else what the type alone means. Other alone means nothing."""
    return CODES.find(kind, code) or CODES.look_up("", kind)


def _code(written: str) -> tuple[str, str | None, str]:
    """The words as a code, the words to show, and what follows a fixed beginning: a person, a number, a place."""
    words = " ".join(written.split())
    code = words.lower().rstrip(". -")
    for beginning in _BEGINNINGS:
        if code.startswith(beginning):
            return beginning, words[: len(beginning)], words[len(beginning) :].strip(" -:")
    return code, words or None, ""


def _moment(day: str | None, clock: str | None, province: str | None) -> tuple[When, TimeQuality]:
    """The local time of the depot: 2026-02-05 and 132041, zeros in front may be missing."""
    if not day:
        return None, TimeQuality.NONE
    written = f"{day} {clock.zfill(6)}" if clock else day
    at, quality = moment(written, "%Y-%m-%d %H%M%S", "%Y-%m-%d")
    return place_in_zone(at, None, _ZONES.get(province or "")) if isinstance(at, datetime) else (at, quality)


def _place(depot: str | None) -> Location:
    """`CALGARY, AB`: the depot, and its province after the last comma."""
    name, _, region = (depot or "").rpartition(", ")
    if name and region in _PROVINCES:
        return Location(facility=name, region=region, country="CA")
    return Location(facility=depot)


def _proof(scan: dict[str, Any], at: When) -> ProofOfDelivery | None:
    signed = text(dig(scan, "ScanDetails", "DeliverySignature"))
    return ProofOfDelivery(signed_by=signed, at=at.isoformat() if at else None) if signed else None
