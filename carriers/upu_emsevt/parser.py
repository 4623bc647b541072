"""What posts tell by the UPU's events: `EdiMailitems[].EdiMailitemEvents[]` of IPS, or a list with its number."""

from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    iso_moment,
    load_json,
    moment,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

REFERENCES = {
    "NonDeliveryReasonCd": "non_delivery_reason",
    "NonDeliveryMeasureCd": "non_delivery_measure",
    "RetentionReasonCd": "retention_reason",
    "ConditionCd": "condition",
}


def parse(message: Message) -> Reading:
    """The events of an answer or of a file; a notice where no item is listed."""
    body = load_json(message.body)
    if isinstance(body, dict) and "EdiMailitems" in body:
        items = as_list(body["EdiMailitems"], "EdiMailitems")
        return read_parts(items, "EdiMailitems", _read_item) if items else Reading(notice="no mail item was found")
    items = as_list(body, "the body")
    return read_parts(items, "items", _read_status_list) if items else Reading(notice="no mail item is listed")


# ---- IPS, events received by EMSEVT


def _read_item(value: Any, where: str) -> Reading:
    item = as_object(value, "a mail item")
    number = tracking_number(item.get("MailitemFid"))
    events = as_list(item.get("EdiMailitemEvents"), "EdiMailitemEvents")
    if not events:
        return Reading(notice=f"nothing is known of {number} yet")
    return read_each(events, f"{where}.EdiMailitemEvents", lambda event: (_read_event(event, number),))


def _read_event(value: Any, number: str) -> Event:
    event = as_object(value, "an event")
    code = text(event.get("EventTypeCd"))
    if not code:
        raise Unreadable("the event has no EventTypeCd")
    code_list = "ips" if code.isdigit() else ""
    meaning = CODES.look_up(code_list, code)
    office = text(event.get("LocationId"))
    place = Location(facility=office, country=country(office[:2]) if office and len(office) == 6 else None)
    at, quality = iso_moment(event.get("EventLocalDate"), place.country)
    signed_by = text(event.get("SignatoryNm")) if meaning.milestone is Milestone.DELIVERED else None
    return Event(
        carrier="upu_emsevt",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        occurred_at=at,
        occurred_text=text(event.get("EventLocalDate")) or "",
        time_quality=quality,
        description=text(event.get("EventTypeNm")),
        location=place,
        proof_of_delivery=ProofOfDelivery(signed_by, text(event.get("EventLocalDate"))) if signed_by else None,
        references=as_references((kind, event.get(name)) for name, kind in REFERENCES.items()),
    )


# ---- a post site's list, with the number that was asked for


def _read_status_list(value: Any, where: str) -> Reading:
    item = as_object(value, "an item")
    if "events" not in item:
        raise Unreadable("a status list does not say which item it is of; wrap it as {number, events}")
    number = tracking_number(item.get("number"))
    rows = as_list(item["events"], "events")
    if not rows:
        return Reading(notice=f"nothing is known of {number} yet")
    return read_each(rows, f"{where}.events", lambda row: (_read_row(row, number),))


def _read_row(value: Any, number: str) -> Event:
    row = as_object(value, "a row")
    code, words = text(row.get("code")), text(row.get("event"))
    if not code and not words:
        raise Unreadable("the row has neither a code nor an event")
    code_list, code = ("", code) if code else ("text", words or "")
    meaning = CODES.look_up(code_list, code)
    place = Location(facility=text(row.get("location")), country=country(row.get("country")))
    at, quality = moment(
        row.get("date"), "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "iso", country_code=place.country
    )
    return Event(
        carrier="upu_emsevt",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        occurred_at=at,
        occurred_text=text(row.get("date")) or "",
        time_quality=quality,
        description=words,
        location=place,
    )
