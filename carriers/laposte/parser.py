"""The answers of La Poste's Suivi v2 (JSON, one parcel or several) and of Colissimo's older tracking service (SOAP)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    country,
    date_if_midnight,
    dig,
    first_text,
    is_xml,
    iso_moment,
    leg_of,
    load_json,
    load_xml_object,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
    turned_back,
    with_estimate,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for a parcel that is not known and for an error."""
    if is_xml(message.body):
        root = load_xml_object(message.body, message.headers.get("content-type", ""))
        return _read_colissimo(as_object(root, "the body"))
    body = load_json(message.body)
    answers = body if isinstance(body, list) else [body]
    if not answers:
        return Reading(notice="La Poste answered without a parcel.")
    return read_parts(answers, "answers", _read_answer)


# ---- Suivi v2


def _read_answer(value: Any, where: str) -> Reading:
    """What is said of one number: its shipment, or why there is none."""
    answer = as_object(value, "an answer")
    shipment = answer.get("shipment")
    if isinstance(shipment, dict) and shipment:
        return _read_shipment(shipment, where)
    code = first_text(answer.get("returnCode"), answer.get("code"))
    if not code:
        raise Unreadable("there are neither a shipment nor a return code")
    words = first_text(answer.get("returnMessage"), answer.get("message")) or "no reason given"
    number = text(answer.get("idShip"))
    return Reading(notice=f"La Poste has nothing on {number or 'the number'}: {words} ({code})")


def _read_shipment(shipment: dict[str, Any], where: str) -> Reading:
    number = tracking_number(shipment.get("idShip"))
    references = tuple(_references(shipment.get("contextData")))
    listed = as_list(shipment.get("event"), "event")
    if not listed:
        return Reading(notice=f"La Poste knows {number} and has no event of it yet.")
    read = read_each(listed, f"{where}.event", lambda item: (_read_event(item, number, references),))
    expected, faults = read_beside(f"{where}.estimDate", lambda: _expected(shipment))
    return Reading(with_estimate(turned_back(read.events), expected), (*read.faults, *faults))


def _read_event(value: Any, number: str, references: tuple[Reference, ...]) -> Event:
    item = as_object(value, "an event")
    code = text(item.get("code"))
    if not code:
        raise Unreadable("the event has no code")
    there = country(item.get("country"))
    return _event(number, "", code, item.get("date"), item.get("label"), Location(country=there), references)


def _event(
    number: str,
    code_list: str,
    code: str,
    written: Any,
    words: Any,
    place: Location,
    references: tuple[Reference, ...] = (),
) -> Event:
    meaning = CODES.look_up(code_list, code)
    at, quality = iso_moment(written, place.country)
    return Event(
        carrier="laposte",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        code_list=code_list,
        description=text(words),
        occurred_at=at,
        occurred_text=text(written) or "",
        time_quality=quality,
        location=place,
        references=references,
    )


def _references(context: Any) -> Iterator[Reference]:
    """The number at the partner who carries it abroad; one partner is an object, several are a list."""
    partners = dig(context, "partner")
    for partner in partners if isinstance(partners, list) else [partners]:
        if number := text(dig(partner, "reference")):
            yield Reference("partner_number", number)


def _expected(shipment: dict[str, Any]) -> When:
    """The day it is expected, as long as La Poste says that it is awaited; midnight means only the day."""
    if shipment.get("isFinal") is True:
        return None
    return date_if_midnight(*iso_moment(shipment.get("estimDate")))[0]


# ---- Colissimo's older service: the last event of one parcel


def _read_colissimo(root: dict[str, Any]) -> Reading:
    body = dig(root, "Body") or root
    answer = dig(body, "trackResponse", "return") or dig(body, "return") or body
    code = text(dig(answer, "eventCode"))
    if code:
        place = Location(facility=text(dig(answer, "eventSite")))
        number = tracking_number(dig(answer, "skybillNumber"))
        event = _event(number, "colissimo", code, dig(answer, "eventDate"), dig(answer, "eventLibelle"), place)
        return Reading((event,))
    error = first_text(dig(answer, "errorCode"), dig(body, "Fault", "faultcode"))
    if not error:
        raise Unreadable("there are neither an eventCode nor an errorCode")
    words = first_text(dig(answer, "errorMessage"), dig(body, "Fault", "faultstring")) or "no reason given"
    return Reading(notice=f"Colissimo answered without an event: {words} ({error})")
