"""What CARRIER_TITLE says: the shape in a line, and where it is documented. TODO"""

from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    iso_moment,
    leg_of,
    load_json,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


def parse(message: Message) -> Reading:
    """The events of a message; TODO: what gives a notice instead."""
    body = as_object(load_json(message.body), "the body")
    if "parcels" not in body:
        raise Unreadable("there are no parcels in the body")
    parcels = as_list(body["parcels"], "parcels")
    return read_parts(parcels, "parcels", _read_parcel) if parcels else Reading(notice="no parcel is listed")


def _read_parcel(value: Any, where: str) -> Reading:
    parcel = as_object(value, "a parcel")
    number = tracking_number(parcel.get("number"))
    events = as_list(parcel.get("events"), "events")
    if not events:
        return Reading(notice=f"nothing is known of {number} yet")
    return read_each(events, f"{where}.events", lambda event: (_read_event(event, number),))


def _read_event(value: Any, number: str) -> Event:
    event = as_object(value, "an event")
    code = text(event.get("code"))
    if not code:
        raise Unreadable("the event has no code")
    meaning = CODES.look_up("", code)
    place = Location(
        city=text(dig(event, "place", "city")),
        postcode=text(dig(event, "place", "postcode")),
        country=country(dig(event, "place", "country")),
    )
    at, quality = iso_moment(event.get("time"), place.country)
    return Event(
        carrier="_template",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=text(event.get("text")),
        occurred_at=at,
        occurred_text=text(event.get("time")) or "",
        time_quality=quality,
        location=place,
    )
