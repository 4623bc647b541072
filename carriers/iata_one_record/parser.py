"""What ONE Record tells: a LogisticsEvent, a Collection of them, an object with its events, or a Notification."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.iata_one_record.linked_data import kind, last_segment, literal, plain
from carriers.reading import (
    as_list,
    as_object,
    country,
    first_text,
    iso_moment,
    load_json,
    read_each,
    text,
    tracking_number,
    unlocode,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, TimeQuality
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

ACTUAL = "ACTUAL"
_WAYBILL = re.compile(r"(?:[A-Za-z]+[-_])?(\d{3})-?(\d{8})")
"""All of an object's name: the digits inside a UUID are no air waybill."""


def parse(message: Message) -> Reading:
    """The events of a message; a notice for a notification that only says where to look, and for an error."""
    body = load_json(message.body)
    if isinstance(body, list):
        return _read_all(body, "the list", {})
    found = plain(as_object(body, "the body"))
    if "eventCode" in found:
        return _read_all([body], "event", {})
    if kind(found) == "Notification":
        return _read_notification(found)
    for name in ("hasItem", "@graph", "events"):
        if name in found:
            return _read_all(as_list(found[name], name), name, found if name == "events" else {})
    if kind(found) == "Error":
        said = first_text(literal(found.get("hasTitle")), literal(found.get("title")))
        return Reading(notice=f"the ONE Record server answered with an error: {said or 'unnamed'}")
    raise Unreadable("there is no logistics event, collection, notification or error in the body")


def _read_all(items: list[Any], where: str, owner: dict[str, Any]) -> Reading:
    if not items:
        return Reading(notice="the ONE Record server lists no event")
    reading = read_each(items, where, lambda item: (_read_event(item, owner),))
    if reading.faults and not reading.events:
        raise Unreadable("; ".join(f"{fault.where}: {fault.reason}" for fault in reading.faults[:3]))
    return reading


def _read_notification(found: dict[str, Any]) -> Reading:
    event = plain(found.get("hasLogisticsEvent"))
    if "eventCode" in event:
        return _read_all([event], "hasLogisticsEvent", plain(found.get("hasLogisticsObject")))
    what = _bare_word(found.get("hasEventType")) or "a change"
    where = first_text(literal(found.get("hasLogisticsEvent")), literal(found.get("hasLogisticsObject")))
    return Reading(notice=f"ONE Record tells of {what}, to be fetched from {where or 'an address it does not name'}")


def _read_event(value: Any, owner: dict[str, Any]) -> Event:
    event = plain(as_object(value, "an event"))
    number, piece, about = _whose(event, owner)
    time_type = _bare_word(event.get("eventTimeType")) or ACTUAL
    code_list, code, meaning = _meaning(event, time_type)
    place = _location(plain(event.get("eventLocation")))
    is_forecast = time_type != ACTUAL
    written = text(literal(event.get("creationDate" if is_forecast else "eventDate")))
    at, quality = iso_moment(written, place.country)
    expected = iso_moment(literal(event.get("eventDate")), place.country)[0] if is_forecast else None
    reported, stated = iso_moment(literal(event.get("creationDate")))
    words = text(literal(event.get("eventName")))
    return Event(
        carrier="iata_one_record",
        tracking_number=number,
        piece=piece,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        reported_at=reported if isinstance(reported, datetime) and stated is TimeQuality.EXACT else None,
        description=f"{words or code} ({time_type.lower()} for {expected.isoformat()})" if expected else words,
        location=place,
        estimated_delivery_at=expected if CODES.look_up("", code).milestone is Milestone.DELIVERED else None,
        references=(Reference("logistics_object", about),) if about else (),
        provider_event_id=text(event.get("@id")),
    )


def _bare_word(value: Any) -> str:
    """`cargo:ACTUAL`, `{"@id": "cargo:ACTUAL"}` and `Actual` are ACTUAL."""
    said = text(literal(value)) or ""
    return said.rpartition("#")[2].rpartition(":")[2].upper()


def _meaning(event: dict[str, Any], time_type: str) -> tuple[str, str, Meaning]:
    """The code list, the code and what they mean; the list is the kind of time for what is not a fact."""
    held = plain(event.get("eventCode"))
    name = first_text(held.get("@id"), literal(event.get("eventCode"))) or ""
    listed, _, after = name.rpartition("#")
    code = text(literal(held.get("code"))) or after.removeprefix("StatusCode_")
    if not code:
        raise Unreadable("the event has no eventCode")
    if listed and "StatusCode" not in name:
        code_list = last_segment(listed) or ""
        return code_list, code, CODES.look_up(code_list, code)
    base = CODES.look_up("", code)
    if time_type != ACTUAL:
        known = CODES.look_up("timeType", time_type) if base is not UNMAPPED else UNMAPPED
        return time_type, code, CODES.find(time_type, code) or known
    if literal(event.get("partialEventIndicator")) in (True, "true") and (part := CODES.find("partial", code)):
        return "partial", code, part
    return "", code, base


def _whose(event: dict[str, Any], owner: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """The shipment's number, the piece an event is of, and the address of the object it is about."""
    about = plain(event.get("eventFor")) or plain(event.get("linkedObject")) or owner
    uri = text(about.get("@id")) or (text(event.get("@id")) or "").rpartition("/logistics-events/")[0] or None
    whole = plain(about.get("ofShipment")) if kind(about) == "Piece" else {}
    piece = last_segment(uri) if whole else None
    number = _waybill(whole or about) or last_segment(text(whole.get("@id")) if whole else uri)
    if number and (found := _WAYBILL.fullmatch(number)):
        number = f"{found[1]}-{found[2]}"
    return tracking_number(number), piece, uri


def _waybill(about: dict[str, Any]) -> str | None:
    """The air waybill's number, from the waybill itself or the one a shipment carries."""
    waybill = about if "waybillNumber" in about else plain(about.get("waybill"))
    number, prefix = text(literal(waybill.get("waybillNumber"))), text(literal(waybill.get("waybillPrefix")))
    return f"{prefix}-{number}" if number and prefix and not number.startswith(prefix + "-") else number


def _location(place: dict[str, Any]) -> Location:
    """The airport's code, else its name. The address tells town and country."""
    codes = place.get("locationCodes")
    listed = codes[0] if isinstance(codes, list) and codes else codes
    code = first_text(literal(plain(listed).get("code")), literal(place.get("code")))
    address = plain(place.get("address"))
    held = plain(address.get("country"))
    nation = country(first_text(literal(held.get("code")), literal(address.get("country")), address.get("countryCode")))
    where = unlocode(code) if code and len(code) == 5 else None
    return Location(
        facility=code or text(literal(place.get("locationName"))),
        city=first_text(literal(address.get("cityName")), literal(plain(address.get("cityCode")).get("code"))),
        country=nation or (where[:2] if where else None),
        unlocode=where,
    )
