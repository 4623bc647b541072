"""The answers of Evri's tracking API: `results` with parcels, or one parcel, each with its `trackingEvents`."""

from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    dig,
    epoch,
    first_text,
    iso_moment,
    leg_of,
    load_json,
    on_leg,
    read_each,
    read_parts,
    text,
    tracking_number,
    turned_back,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Reference, TimeQuality, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for an error, for a look-up of identifiers and for a parcel without events."""
    body = load_json(message.body)
    if isinstance(body, list):
        return _read_parcels(body)
    body = as_object(body, "the body")
    if "results" in body:
        return _read_parcels(as_list(body["results"], "results"))
    if "trackingEvents" in body or "parcelIdentifiers" in body:
        return _read_parcels([body])
    if said := _error_words(body):
        return Reading(notice=f"Evri answered with an error: {said}")
    raise Unreadable("there are neither results nor trackingEvents nor errors in the body")


def _read_parcels(parcels: list[Any]) -> Reading:
    return (
        read_parts(parcels, "results", _read_parcel) if parcels else Reading(notice="Evri answered without a parcel.")
    )


def _read_parcel(value: Any, where: str) -> Reading:
    parcel = as_object(value, "a parcel")
    number = _number(parcel)
    listed = as_list(parcel.get("trackingEvents"), "trackingEvents")
    if not listed:
        return Reading(notice=f"Evri has no event of {number} yet.")
    leg = Leg.RETURN if parcel.get("returnParcel") in (True, "true") else Leg.OUTBOUND
    read = read_each(listed, f"{where}.trackingEvents", lambda item: (_read_event(item, number, leg),))
    return Reading(turned_back(read.events), read.faults)


def _number(parcel: dict[str, Any]) -> str:
    """The number on the label; an answer that does not repeat it has only Evri's own id of the parcel."""
    for identifier in as_list(parcel.get("parcelIdentifiers"), "parcelIdentifiers"):
        if number := first_text(dig(identifier, "value"), dig(identifier, "barcode")):
            return tracking_number(number)
    return tracking_number(first_text(parcel.get("barcode"), parcel.get("trackingNumber"), parcel.get("discriminator")))


def _read_event(value: Any, number: str, leg: Leg) -> Event:
    item = as_object(value, "an event")
    code = text(dig(item, "trackingStage", "trackingStageCode"))
    if not code:
        raise Unreadable("the event has no trackingStageCode")
    meaning = CODES.look_up("", code)
    leg = leg_of(meaning.milestone, leg)
    written = item.get("dateTime")
    at, quality = _moment(written)
    point = text(dig(item, "trackingPoint", "trackingPointCode"))
    return Event(
        carrier="evri",
        tracking_number=number,
        milestone=on_leg(meaning.milestone, leg),
        exception_category=meaning.exception_category,
        leg=leg,
        code=code,
        description=first_text(
            dig(item, "trackingPoint", "description"), point, dig(item, "trackingStage", "description")
        ),
        occurred_at=at,
        occurred_text=text(written) or "",
        time_quality=quality,
        references=(Reference("tracking_point", point),) if point else (),
    )


def _moment(written: Any) -> tuple[When, TimeQuality]:
    """ISO 8601, or milliseconds since 1970 as a number."""
    if isinstance(written, int | float):
        return epoch(written, milliseconds=True)
    return iso_moment(written)


def _error_words(body: dict[str, Any]) -> str:
    """The errors of the API, or what the gateway in front of it says."""
    listed = body.get("errors")
    said = [text(dig(error, "message")) or text(error) for error in listed[:5]] if isinstance(listed, list) else []
    return "; ".join(filter(None, [*said, first_text(body.get("message"), body.get("Message"))]))
