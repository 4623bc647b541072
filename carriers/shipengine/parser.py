"""What ShipEngine says: a tracking with its events, pushed as `data` of a message, polled as it is."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from carriers.base import Message, Reading
from carriers.reading import (
    as_list,
    as_object,
    date_if_midnight,
    dig,
    first_text,
    iso_moment,
    load_json,
    newest,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from carriers.shipengine.event import Tracking, read_event, written_time
from shipments.errors import Unreadable
from shipments.event import Reference
from shipments.milestone import Milestone

_NO_NEWS = (None, "UN", "NY")
"""Statuses of a number that the carrier does not know (yet)."""
_OF_THE_NEWEST = (
    "occurred_at", "carrier_occurred_at", "city_locality", "state_province", "postal_code", "country_code", "signer",
    "proof_of_delivery_url",
)  # fmt: skip
"""What the status of a tracking has from its newest event."""


def parse(message: Message) -> Reading:
    """The events of a push or of a poll's answer; a notice for messages of other things and for an error."""
    body = as_object(load_json(message.body), "the body")
    if "tracking_number" in body:
        return read_parts([body], "tracking", lambda value, where: _read_tracking(value, where, None))
    kind = text(body.get("resource_type"))
    if kind and "TRACK" not in kind:
        return Reading(notice=f"ShipEngine told of something that is no tracking: {kind}.")
    if body.get("data"):
        address = text(body.get("resource_url"))
        return read_parts([body["data"]], "data", lambda value, where: _read_tracking(value, where, address))
    if kind:
        raise Unreadable(f"the message {kind} has no data; ShipEngine wants it fetched from resource_url")
    if "errors" in body:
        codes = [text(dig(error, "error_code")) for error in as_list(body["errors"], "errors")[:5]]
        return Reading(notice=f"ShipEngine answered: {', '.join(filter(None, codes)) or 'an error without a code'}.")
    raise Unreadable("there is neither a tracking nor a message nor an error in the body")


# ---- a tracking: one number at one carrier


def _read_tracking(value: Any, where: str, address: str | None) -> Reading:
    value = as_object(value, "a tracking")
    estimate, faults = read_beside(
        f"{where}.estimated_delivery_date",
        lambda: date_if_midnight(*iso_moment(value.get("estimated_delivery_date")))[0],
    )
    carrier = text(value.get("carrier_code")) or _carrier_in(address)
    tracking = Tracking(
        number=tracking_number(value.get("tracking_number")),
        references=(Reference("carrier", carrier),) if carrier else (),
        estimate=estimate,
    )
    items = as_list(value.get("events"), "events")
    listed = read_each(items, f"{where}.events", lambda item: (read_event(item, tracking),))
    summary = read_each(_status_of(value, items, listed), f"{where}.status", lambda item: (read_event(item, tracking),))
    events, found = (*listed.events, *summary.events), (*listed.faults, *summary.faults, *faults)
    if not events and not found:
        return Reading(notice=f"ShipEngine has nothing on {tracking.number} yet.")
    return Reading(events, found)


def _carrier_in(address: str | None) -> str | None:
    """The carrier in the query of resource_url, which is in the message even where `carrier_code` is not."""
    try:
        found = parse_qs(urlsplit(address).query, max_num_fields=20).get("carrier_code") if address else None
    except ValueError:
        return None
    return text(found[0]) if found else None


def _status_of(value: dict[str, Any], items: list[Any], listed: Reading) -> Iterator[dict[str, Any]]:
    """The status of the tracking in the form of an event, unless a listed event has it already.

    Its time is that of the delivery, or of the newest event, whose status it is.
    """
    code, detail = text(value.get("status_code")), text(value.get("status_detail_code"))
    meant = {(event.code_list, event.code) for event in listed.events}
    if (code in _NO_NEWS and not detail) or ("detail", detail) in meant or ("", code) in meant:
        return
    if code == "DE" and any(event.milestone is Milestone.DELIVERED for event in listed.events):
        return
    pattern = _newest(items, listed)
    status: dict[str, Any] = {
        "status_code": code,
        "status_detail_code": detail,
        "description": first_text(
            value.get("exception_description"),
            value.get("carrier_status_description"),
            value.get("status_detail_description"),
            value.get("status_description"),
        ),
    }
    for name in _OF_THE_NEWEST:
        status[name] = pattern.get(name)
    if code == "DE" and (delivered := text(value.get("actual_delivery_date"))):
        status |= {"occurred_at": delivered, "carrier_occurred_at": None}
    yield status


def _newest(items: list[Any], listed: Reading) -> dict[str, Any]:
    """The newest listed event as it was written; events that could not be read do not count."""
    dated = [event for event in listed.events if event.occurred_at]
    if not dated:
        return {}
    written = newest(dated).occurred_text
    return next((item for item in items if isinstance(item, dict) and written_time(item) == written), {})
