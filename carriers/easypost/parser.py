"""What EasyPost says: a Tracker with its details, pushed as the `result` of an Event, polled alone or in a list."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    date_if_midnight,
    dig,
    iso_moment,
    join,
    leg_of,
    load_json,
    on_leg,
    place_in_zone,
    read_beside,
    read_each,
    read_parts,
    reported_instant,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_SAYS_NOTHING = ("status_update", "unknown")
"""Details that leave it to the status beside them."""
_STATUS_DECIDES = ("delivered", "out_for_delivery", "available_for_pickup", "return_to_sender", "cancelled")
"""Statuses that say more than any detail beside them: delivered stands with the detail arrived_at_destination."""


def parse(message: Message) -> Reading:
    """The events of a push or of a poll's answer; a notice for events of other things and for an error."""
    body = as_object(load_json(message.body), "the body")
    if "result" in body and "tracking_code" not in body:
        return _read_event_message(body)
    if "trackers" in body:
        return _read_list(body)
    if "tracking_code" in body:
        return read_parts([body], "tracker", _read_tracker)
    if "error" in body:
        return Reading(notice=f"EasyPost answered: {text(dig(body, 'error', 'code')) or 'an error without a code'}.")
    raise Unreadable("there is neither a tracker nor the result of an event in the body")


def _read_event_message(body: dict[str, Any]) -> Reading:
    result = as_object(body["result"], "result")
    kind = text(result.get("object"))
    if kind != "Tracker" and "tracking_code" not in result:
        what = text(body.get("description")) or kind
        if not what:
            raise Unreadable("the event says neither what it is nor what its result is")
        return Reading(notice=f"EasyPost told of something that is no tracking: {what}.")
    return read_parts([result], "result", _read_tracker)


def _read_list(body: dict[str, Any]) -> Reading:
    listed = as_list(body["trackers"], "trackers")
    if not listed:
        return Reading(notice="EasyPost lists no tracker.")
    more = "EasyPost has more trackers on further pages." if body.get("has_more") is True else None
    return join([read_parts(listed, "trackers", _read_tracker), Reading(notice=more)])


# ---- a tracker: one number at one carrier


@dataclass(frozen=True, slots=True)
class _Tracker:
    """What holds for every detail of a tracker."""

    number: str
    journey: str
    leg: Leg
    references: tuple[Reference, ...]
    signer: str | None
    proof: ProofOfDelivery | None
    estimate: When
    is_test: bool


def _read_tracker(value: Any, where: str) -> Reading:
    value = as_object(value, "a tracker")
    estimate, faults = read_beside(f"{where}.est_delivery_date", lambda: _estimate(value))
    signer = text(value.get("signed_by"))
    tracker = _Tracker(
        number=tracking_number(value.get("tracking_code")),
        journey=text(value.get("id")) or "",
        leg=Leg.RETURN if value.get("is_return") is True else Leg.OUTBOUND,
        references=_references(value),
        signer=signer.casefold() if signer and len(signer) > 2 else None,
        proof=ProofOfDelivery(signer) if signer else None,
        estimate=estimate,
        is_test=value.get("mode") == "test",
    )
    details = as_list(value.get("tracking_details"), "tracking_details")
    if details:
        reading = read_each(details, f"{where}.tracking_details", lambda item: (_read_detail(item, tracker),))
        return Reading(reading.events, (*reading.faults, *faults))
    if text(value.get("status")) in (None, "unknown"):
        return Reading(faults=faults, notice=f"EasyPost has nothing on {tracker.number} yet.")
    status = {"status": value["status"], "status_detail": value.get("status_detail")}
    return Reading((_read_detail(status, tracker, reported_instant(value.get("updated_at"))),), faults)


def _references(value: dict[str, Any]) -> tuple[Reference, ...]:
    named = (
        ("carrier", value.get("carrier")),
        ("shipment_id", value.get("shipment_id")),
        ("alternate_identifier", dig(value, "carrier_detail", "alternate_identifier")),
    )
    return as_references(named)


def _estimate(value: dict[str, Any]) -> When:
    """The carrier's local day, with its time where it says one; else EasyPost's, where midnight is a day."""
    detail = value.get("carrier_detail")
    if day := text(dig(detail, "est_delivery_date_local")):
        clock = text(dig(detail, "est_delivery_time_local"))
        place = country(dig(detail, "destination_tracking_location", "country"))
        return iso_moment(f"{day[:10]}T{clock}" if clock else day[:10], place)[0]
    return date_if_midnight(*iso_moment(value.get("est_delivery_date")))[0]


# ---- a detail: one event


def _read_detail(value: Any, tracker: _Tracker, reported_at: datetime | None = None) -> Event:
    item = as_object(value, "a tracking detail")
    code_list, code, meaning, unmapped = _understand(text(item.get("status")), text(item.get("status_detail")))
    where = item.get("tracking_location")
    place = Location(
        city=text(dig(where, "city")),
        region=text(dig(where, "state")),
        postcode=text(dig(where, "zip")),
        country=country(dig(where, "country")),
    )
    written = text(item.get("datetime"))
    at, quality = _moment(written, place)
    milestone = meaning.milestone
    leg = leg_of(milestone, tracker.leg)
    delivered = milestone is Milestone.DELIVERED
    return Event(
        carrier="easypost",
        tracking_number=tracker.number,
        journey=tracker.journey,
        leg=leg,
        milestone=on_leg(milestone, leg),
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=_words(item, tracker.signer),
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        reported_at=reported_at,
        location=place,
        estimated_delivery_at=tracker.estimate,
        proof_of_delivery=tracker.proof if delivered and leg is Leg.OUTBOUND else None,
        references=_references_of(item, tracker, unmapped),
        is_test=tracker.is_test,
    )


def _understand(status: str | None, detail: str | None) -> tuple[str, str, Meaning, str | None]:
    """List, code and meaning of what decides, and a detail that is not mapped and leaves it to the status."""
    if detail and detail not in _SAYS_NOTHING and status not in _STATUS_DECIDES:
        if meaning := CODES.find("detail", detail):
            return "detail", detail, meaning, None
        if not status or not CODES.find("", status):
            return "detail", detail, UNMAPPED, None
    else:
        detail = None
    if not status:
        raise Unreadable("a tracking detail has neither a status nor a detail that says something")
    return "", status, CODES.look_up("", status), detail


def _moment(written: str | None, place: Location) -> tuple[When, TimeQuality]:
    """EasyPost writes Z always: an instant where it knew the place, else the local clock with a Z behind it."""
    at, quality = iso_moment(written, place.country)
    knows_place = place.postcode or (place.city and (place.region or place.country))
    if knows_place or quality is not TimeQuality.EXACT or not isinstance(at, datetime) or at.utcoffset():
        return at, quality
    return place_in_zone(at.replace(tzinfo=None), place.country)


def _words(item: dict[str, Any], signer: str | None) -> str | None:
    """The carrier's words, without those that name who signed."""
    for name in ("message", "description"):
        said = text(item.get(name))
        if said and not (signer and signer in said.casefold()):
            return said
    return None


def _references_of(item: dict[str, Any], tracker: _Tracker, unmapped: str | None) -> tuple[Reference, ...]:
    found = tracker.references
    if code := text(item.get("carrier_code")):
        found = (*found, Reference("carrier_code", code))
    return (*found, Reference("status_detail", unmapped)) if unmapped else found
