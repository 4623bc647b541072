"""What an answer of DPD means, in its three shapes: life cycle by SOAP, life cycle by REST, and the group interface."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
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
    is_xml,
    iso_moment,
    join,
    leg_of,
    load_json,
    load_xml_object,
    moment,
    read_each,
    read_parts,
    text,
    tracking_number,
    with_offset,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

ASKED = "x-parcel-number"
"""The header with the number that was asked for: an answer of the SOAP service does not repeat it."""

_SOAP_TIMES = ("%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y, %H:%M", "%d.%m.%Y %H:%M", "iso")
_PLACE = re.compile(r"(.*?)\s*\(([A-Z]{2,3})\)")
_GROUP_LISTS = ("incomingShipments", "sendingShipments")


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where DPD refuses or lists nothing."""
    if is_xml(message.body):
        return _read_soap(message)
    body = as_object(load_json(message.body), "the body")
    if "parcellifecycleResponse" in body:
        cycles = as_list(dig(body, "parcellifecycleResponse", "parcelLifeCycleData"), "parcelLifeCycleData")
        if not cycles:
            return Reading(notice="DPD has no life cycle of the parcel in this answer.")
        return read_parts(cycles, "parcelLifeCycleData", _read_life_cycle)
    found = [name for name in _GROUP_LISTS if name in body]
    if not found:
        raise Unreadable("the body is none of the shapes of DPD")
    return _read_group(body, found)


def _event(
    number: str,
    code_list: str,
    code: str | None,
    words: str | None,
    at: tuple[When, TimeQuality],
    written: str | None,
    place: Location,
    **more: Any,
) -> Event:
    if not code:
        raise Unreadable("an event has no code")
    meaning = CODES.look_up(code_list, code)
    return Event(
        carrier="dpd",
        tracking_number=number,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=words,
        occurred_at=at[0],
        occurred_text=written or "",
        time_quality=at[1],
        location=place,
        **more,
    )


@lru_cache(maxsize=4096)
def _place(written: str | None, land: str | None) -> Location:
    """`Puurs (BE)`: the city, and a country if it is one."""
    match = _PLACE.fullmatch(written) if written else None
    if match and (code := country(match[2])):
        return Location(city=match[1] or None, country=code)
    return Location(city=written, country=country(land))


# ---- life cycle by SOAP


def _read_soap(message: Message) -> Reading:
    answer = load_xml_object(message.body, message.headers.get("content-type", ""))
    body = dig(answer, "Body")
    if fault := dig(body, "Fault"):
        details = dig(fault, "detail")
        details = next(iter(details.values()), None) if isinstance(details, dict) else None
        said = first_text(dig(details, "errorMessage"), dig(fault, "faultstring")) or "a fault"
        return Reading(notice=f"DPD answered: {said} ({text(dig(details, 'errorCode')) or 'no code'}).")
    result = as_object(dig(body, "getTrackingDataResponse", "trackingresult"), "trackingresult")
    number = tracking_number(first_text(dig(result, "shipmentInfo", "parcelLabelNumber"), message.headers.get(ASKED)))
    stages = as_list(result.get("statusInfo"), "statusInfo")
    reading = read_each(stages, "statusInfo", lambda stage: _read_stage(stage, number))
    if reading.faults and not reading.events:
        raise Unreadable("; ".join(fault.reason for fault in reading.faults[:3]))
    if not reading.events:
        return Reading(notice=f"DPD has no event of {number} yet.")
    return reading


def _read_stage(stage: Any, number: str) -> Iterable[Event]:
    """A stage that was reached; those still to come are listed without a date."""
    stage = as_object(stage, "a stage")
    if text(stage.get("statusHasBeenReached")) == "false":
        return ()
    place = _place(_content(stage.get("location")), None)
    written = _content(stage.get("date"))
    at = moment(written, *_SOAP_TIMES, country_code=place.country)
    words = first_text(_content(stage.get("description")), _content(stage.get("label")))
    return (_event(number, "status", text(stage.get("status")), words, at, written, place),)


def _content(value: Any) -> str | None:
    """A text of the service is one or two `content` deep, or a list of them."""
    for _ in range(3):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get("content") if isinstance(value, dict) else value
    return text(value)


# ---- life cycle by REST


def _read_life_cycle(data: Any, where: str) -> Reading:
    data = as_object(data, "a life cycle")
    number = tracking_number(dig(data, "shipmentInfo", "parcelLabelNumber"))
    scans = as_list(dig(data, "scanInfo", "scan"), "scans")
    if scans:
        return read_each(scans, f"{where}.scan", lambda scan: (_read_scan(scan, number),))
    stages = as_list(data.get("statusInfo"), "statusInfo")
    reading = read_each(stages, f"{where}.statusInfo", lambda stage: _read_current(stage, number))
    if not reading.events and not reading.faults:
        return Reading(notice=f"DPD has no event of {number} yet.")
    return reading


def _read_scan(scan: Any, number: str) -> Event:
    scan = as_object(scan, "a scan")
    data = as_object(scan.get("scanData"), "scanData")
    code = text(dig(data, "scanType", "code"))
    numeric = bool(code and code.isdigit())
    place = _place(text(data.get("location")), text(data.get("country")))
    written = text(scan.get("date"))
    words = first_text(_content(scan.get("scanDescription")), dig(data, "scanType", "name"))
    event_list, event_code = ("scan", code.zfill(2)) if code and numeric else ("geo", code)
    at = iso_moment(written, place.country)
    proof = _proof(scan, written) if event_code and _is_delivery(event_list, event_code) else None
    return _event(number, event_list, event_code, words, at, written, place, proof_of_delivery=proof)


def _is_delivery(code_list: str, code: str) -> bool:
    return CODES.look_up(code_list, code).milestone is Milestone.DELIVERED


def _proof(scan: dict[str, Any], written: str | None) -> ProofOfDelivery | None:
    """The document of the delivery, if the scan links one."""
    links = scan.get("links")
    for link in links if isinstance(links, list) else ():
        address = first_text(dig(link, "url"), dig(link, "href"))
        if address and address.startswith("https://"):
            return ProofOfDelivery(at=written, document=address)
    return None


def _read_current(stage: Any, number: str) -> Iterable[Event]:
    """The stage it stands at, which has no time; only read where no scans are listed."""
    stage = as_object(stage, "a stage")
    if stage.get("isCurrentStatus") is not True or stage.get("statusHasBeenReached") is not True:
        return ()
    words = first_text(_content(stage.get("description")), stage.get("label"))
    return (_event(number, "plc", text(stage.get("status")), words, (None, TimeQuality.NONE), None, Location()),)


# ---- the group interface


def _read_group(body: dict[str, Any], names: list[str]) -> Reading:
    parts = [(name, as_list(body[name], name)) for name in names]
    if not any(items for _, items in parts):
        return Reading(notice="DPD lists no parcel in this answer.")
    readings = [read_each(items, name, lambda item: (_read_parcel(item),)) for name, items in parts]
    reading = join(readings)
    if reading.faults and not reading.events:
        raise Unreadable("; ".join(f"{fault.where}: {fault.reason}" for fault in reading.faults[:3]))
    return reading


def _read_parcel(parcel: Any) -> Event:
    parcel = as_object(parcel, "a parcel")
    number = tracking_number(parcel.get("parcelNumber"))
    status = as_object(parcel.get("status"), "the status")
    land = country(status.get("countryCode"))
    written = text(status.get("eventDateAndTime"))
    at, quality = iso_moment(written, land)
    if isinstance(at, datetime) and quality is not TimeQuality.EXACT:
        at, quality = with_offset(at.replace(tzinfo=None), status.get("eventDateAndTimeZoneId"), land)
    code = text(status.get("description"))
    place = Location(city=text(status.get("city")), country=land)
    other = text(parcel.get("shipmentOriginalCode"))
    references = (Reference("original_code", other),) if other else ()
    return _event(number, "group", code, code, (at, quality), written, place, references=references)
