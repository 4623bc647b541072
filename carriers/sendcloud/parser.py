"""What Sendcloud says: a parcel with its current status (webhook, parcel calls), or its history (tracking calls)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carriers.base import Message, Reading
from carriers.reading import (
    as_list,
    as_object,
    dig,
    epoch,
    first_text,
    iso_moment,
    load_json,
    load_xml,
    read_each,
    read_parts,
    text,
)
from carriers.sendcloud.history import read_history, read_tracking
from carriers.sendcloud.parcel import Parcel, common, make_event
from shipments.errors import Unreadable
from shipments.event import Event, TimeQuality, When

_MILLISECONDS = 10**11
"""Above it an epoch is one of milliseconds: in seconds it would be the year 5138."""


def parse(message: Message) -> Reading:
    """The events of a push or of a poll's answer; a notice for other things, parcels without a number and not found."""
    body = _load(message.body)
    if isinstance(body, Reading):
        return body
    if action := text(body.get("action")):
        return _read_push(action, body)
    if "parcels" in body:
        listed = as_list(body["parcels"], "parcels")
        return read_parts(listed, "parcels", _read_parcel) if listed else Reading(notice="Sendcloud lists no parcel.")
    if "parcel" in body:
        return read_parts([body["parcel"]], "parcel", _read_parcel)
    if "statuses" in body:
        return read_parts([body], "tracking", read_history)
    if "tracking_numbers" in body:
        return read_parts([body], "tracking", read_tracking)
    if said := _error(body):
        return Reading(notice=f"Sendcloud answered: {said}")
    raise Unreadable("there is neither a parcel nor a tracking nor an action in the body")


def _load(body: bytes) -> dict[str, Any] | Reading:
    """The JSON; for a number that is not known the tracking call of v2 answers with an XML error of its file store."""
    try:
        value = load_json(body)
    except Unreadable as fault:
        try:
            root = load_xml(body)
        except Unreadable:
            raise fault from None
        if root.tag != "Error":
            raise fault from None
        return Reading(notice=f"Sendcloud answered: {text(root.findtext('Code')) or 'an error without a code'}")
    return as_object(value, "the body")


def _error(body: dict[str, Any]) -> str | None:
    return first_text(dig(body, "error", "message"), body.get("detail"))


def _read_push(action: str, body: dict[str, Any]) -> Reading:
    """Only parcel_status_changed is about a parcel; messages about the integration may hold keys, so none is quoted."""
    if action != "parcel_status_changed":
        return Reading(notice=f"Sendcloud told of something that is no tracking: {action}.")
    times = _Times(body.get("timestamp"), body.get("carrier_status_change_timestamp"))
    return read_parts([body.get("parcel")], "parcel", lambda value, where: _read_parcel(value, where, times))


# ---- a parcel with its current status


@dataclass(frozen=True, slots=True)
class _Times:
    """When Sendcloud sent the message, and when the carrier changed the status, as far as it says."""

    sent: Any = None
    changed: Any = None


def _read_parcel(value: Any, where: str, times: _Times | None = None) -> Reading:
    value = as_object(value, "a parcel")
    if not text(value.get("tracking_number")):
        named = text(value.get("id"))
        if not named:
            raise Unreadable("the parcel has neither a tracking number nor an id")
        return Reading(notice=f"Sendcloud's parcel {named} has no tracking number yet.")
    parcel, faults = common(value, value, where)
    reading = read_each([value.get("status")], f"{where}.status", lambda item: (_current(item, parcel, times),))
    return Reading(reading.events, (*reading.faults, *faults))


def _current(value: Any, parcel: Parcel, times: _Times | None) -> Event:
    """The current status: at the carrier's time of it, or without a time, which the sending of a message is not."""
    status = as_object(value, "the status")
    sent, changed = (text(times.sent), text(times.changed)) if times else (None, None)
    at, quality = _moment(changed)
    reported = _moment(sent)[0] if sent else None
    return make_event(
        parcel,
        "",
        text(status.get("id")),
        text(status.get("message")),
        (at, quality, changed or sent or ""),
        reported if isinstance(reported, datetime) and reported.tzinfo else None,
    )


def _moment(written: str | None) -> tuple[When, TimeQuality]:
    """An epoch in seconds or milliseconds, or ISO 8601."""
    if written and written.replace(".", "", 1).isdecimal():
        return epoch(written, milliseconds=float(written) > _MILLISECONDS)
    return iso_moment(written)
