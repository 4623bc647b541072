"""The histories of the tracking calls: v2 with `statuses`, v3 with `events`."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from carriers.base import Fault, Reading
from carriers.reading import as_list, as_object, dig, iso_moment, read_each, text
from carriers.sendcloud.parcel import Parcel, common, make_event
from shipments.event import Event, Reference


def read_history(value: Any, where: str) -> Reading:
    """The tracking call of v2, which has the number only in the addresses of the tracking pages."""
    value = as_object(value, "a tracking")
    number = _in_query(value.get("carrier_tracking_url"), "code") or _in_query(
        value.get("sendcloud_tracking_url"), "tracking_number"
    )
    parcel, faults = common(value, value, where, number)
    return _listed(value["statuses"], f"{where}.statuses", parcel, faults, _read_status)


def _in_query(address: Any, name: str) -> str | None:
    try:
        found = parse_qs(urlsplit(text(address) or "").query, max_num_fields=40).get(name)
    except ValueError:
        return None
    return text(found[0]) if found else None


def read_tracking(value: Any, where: str) -> Reading:
    """The tracking call of v3; of several numbers the first is the parcel's, the others are references."""
    value = as_object(value, "a tracking")
    numbers = as_list(value["tracking_numbers"], "tracking_numbers")
    first = as_object(numbers[0] if numbers else None, "tracking_numbers[0]")
    parcel, faults = common(
        {**value, "carrier_code": first.get("carrier_code")}, value.get("details"), where, first.get("tracking_number")
    )
    others = [said for other in numbers[1:] if (said := text(dig(other, "tracking_number")))]
    if others:
        more = tuple(Reference("tracking_number", number) for number in others)
        parcel = Parcel(parcel.number, parcel.leg, parcel.piece, (*parcel.references, *more), parcel.estimate)
    return _listed(value.get("events"), f"{where}.events", parcel, faults, _read_event)


def _listed(
    items: Any, where: str, parcel: Parcel, faults: tuple[Fault, ...], read: Callable[[Any, Parcel], Event]
) -> Reading:
    listed = as_list(items, where)
    if not listed:
        return Reading(faults=faults, notice=f"Sendcloud has nothing on {parcel.number} yet.")
    reading = read_each(listed, where, lambda item: (read(item, parcel),))
    return Reading(reading.events, (*reading.faults, *faults))


def _read_status(value: Any, parcel: Parcel) -> Event:
    item = as_object(value, "a status")
    written = text(item.get("carrier_update_timestamp"))
    code, words = text(item.get("parent_status")), text(item.get("carrier_message"))
    event_id = text(item.get("parcel_status_history_id"))
    return make_event(parcel, "parent_status", code, words, (*iso_moment(written), written or ""), None, event_id)


def _read_event(value: Any, parcel: Parcel) -> Event:
    item = as_object(value, "an event")
    written = text(item.get("event_at"))
    code, words = text(item.get("status_code")), text(item.get("status_description"))
    return make_event(parcel, "status_code", code, words, (*iso_moment(written), written or ""))
