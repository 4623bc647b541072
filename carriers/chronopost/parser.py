"""The answers of Chronopost's tracking service (SOAP): `listEventInfoComp` with a parcel's events, oldest first."""

import re
from collections.abc import Iterator
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
    leg_of,
    load_xml_object,
    moment,
    read_each,
    read_parts,
    text,
    tracking_number,
    turned_back,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_LISTS = ("listEventInfoComp", "listEvents", "listParcel")
_PLACE = re.compile(r"(.{1,100}) - ([A-Z]{2})(?: \(depot \d{1,6}\))?")
_RECIPIENT = ("consignee's name", "nom du destinataire")
_PARTNER = ("partner number", "numéro partenaire")
_NEXT_DAY, _NEXT_WINDOW = "date de relivraison", "fin créneau rdv"
_DAYS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y")


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for an error and for a parcel that is not known."""
    root = load_xml_object(message.body, message.headers.get("content-type", ""))
    body = as_object(dig(root, "Body"), "the SOAP body")
    if fault := body.get("Fault"):
        words = first_text(dig(fault, "faultstring"), dig(fault, "faultcode")) or "no reason given"
        return Reading(notice=f"Chronopost answered with an error: {words}")
    answers = [dig(answer, "return") for name, answer in body.items() if name.startswith("track")]
    if not answers:
        raise Unreadable("there is no answer of the tracking service in the SOAP body")
    answer = as_object(answers[0], "the answer")
    error = text(answer.get("errorCode"))
    if error and error != "0":
        return Reading(notice=f"Chronopost answered with an error: {text(answer.get('errorMessage'))} ({error})")
    parcels = [parcel for name in _LISTS for parcel in _items(answer.get(name))]
    if not parcels:
        return Reading(notice="Chronopost answered without a parcel.")
    return read_parts(parcels, "parcels", _read_parcel)


def _items(value: Any) -> list[Any]:
    """A leaf is nothing; one element is an object, several are a list."""
    return [] if value is None or isinstance(value, str) else as_list(value, "an element")


def _read_parcel(value: Any, where: str) -> Reading:
    parcel = as_object(value, "a parcel")
    number = tracking_number(parcel.get("skybillNumber"))
    scans = as_list(parcel.get("events"), "events")
    if not scans:
        return Reading(notice=f"Chronopost has no event of {number} yet.")
    read = read_each(scans, f"{where}.events", lambda scan: (_read_event(scan, number),))
    return Reading(turned_back(read.events), read.faults)


def _read_event(value: Any, number: str) -> Event:
    scan = as_object(value, "an event")
    code = text(scan.get("code"))
    if not code:
        raise Unreadable("the event has no code")
    told = dict(_details(scan.get("infoCompList")))
    meaning = CODES.look_up("", code)
    place = _location(scan, told.get("lieu"))
    at, quality = iso_moment(scan.get("eventDate"), place.country)
    delivered = meaning.milestone == Milestone.DELIVERED
    signed_by = next((told[name] for name in _RECIPIENT if name in told), None)
    partner = next((told[name] for name in _PARTNER if name in told), None)
    return Event(
        carrier="chronopost",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=text(scan.get("eventLabel")),
        occurred_at=at,
        occurred_text=text(scan.get("eventDate")) or "",
        time_quality=quality,
        location=place,
        estimated_delivery_at=_expected(told),
        proof_of_delivery=ProofOfDelivery(signed_by) if delivered and signed_by else None,
        references=(Reference("partner_number", partner),) if partner else (),
    )


def _details(value: Any) -> Iterator[tuple[str, str]]:
    """The names (in lower case) and values beside an event; the names are in the language that was asked for."""
    for pair in _items(value):
        name, said = text(dig(pair, "name")), text(dig(pair, "value"))
        if name and said:
            yield name.casefold(), said


def _location(scan: dict[str, Any], place: str | None) -> Location:
    """The office with its postcode; where a place is told beside it, its town and country."""
    match = _PLACE.fullmatch(place) if place else None
    return Location(
        facility=text(scan.get("officeLabel")),
        city=match[1] if match else None,
        postcode=text(scan.get("zipCode")),
        country=country(match[2]) if match else None,
    )


def _expected(told: dict[str, str]) -> When:
    """The day or the end of the window that was agreed; one that cannot be read costs only itself."""
    try:
        return moment(told.get(_NEXT_WINDOW) or told.get(_NEXT_DAY), *_DAYS)[0]
    except Unreadable:
        return None
