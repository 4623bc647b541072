"""What FedEx says: webhook and Track API v1 share one shape, `output.completeTrackResults[].trackResults[]`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from carriers.base import Message, Reading
from carriers.codes import CodeTable, Meaning
from carriers.fedex.envelope import error_words, find_results, is_virtual
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    iso_moment,
    join,
    leg_of,
    load_json,
    order_of,
    read_beside,
    read_each,
    read_part,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import ExceptionCategory, Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

REASON_DECIDES = {"DE", "SE", "DY"}
"""These say only that something is wrong; the exceptionCode beside them says what."""

VAGUE = {ExceptionCategory.CARRIER_DELAY, ExceptionCategory.FAILED_DELIVERY, ExceptionCategory.OTHER}
"""Categories that a delayDetail with a type knows better."""

STATUS_TIMES = {"DL": "ACTUAL_DELIVERY", "PU": "ACTUAL_PICKUP"}


def parse(message: Message) -> Reading:
    """The events of a push or of a poll answer; an answer without scans gives a notice."""
    body = as_object(load_json(message.body), "the body")
    results, notice = find_results(body)
    is_test = is_virtual(body)
    parts = [
        read_part((asked, result), where, lambda found, at: _read_result(found[0], found[1], at, is_test))
        for where, asked, result in results
    ]
    reading = join([Reading(notice=notice), *parts])
    if reading.faults and not reading.events and not reading.notice:
        raise Unreadable(f"{reading.faults[0].where}: {reading.faults[0].reason}")
    return reading


# ---- a result: one journey of one number


def _read_result(asked: Any, value: Any, where: str, is_test: bool) -> Reading:
    result = as_object(value, where)
    number = tracking_number(
        _first(dig(result, "trackingNumberInfo", "trackingNumber"), result.get("trackingNumber"), asked)
    )
    scans = as_list(result.get("scanEvents"), f"{where}.scanEvents") or list(_summary(result))
    if not scans:
        reason = error_words(result["error"]) if result.get("error") else "no scans"
        return Reading(notice=f"FedEx has nothing on {number}: {reason}")
    journey = text(dig(result, "trackingNumberInfo", "trackingNumberUniqueId")) or ""
    references = tuple(_references(result))
    reading = read_each(
        scans, f"{where}.scanEvents", lambda scan: [_read_scan(scan, number, journey, references, is_test)]
    )
    return _complete(reading, where, result)


def _first(*values: Any) -> Any:
    return next((value for value in values if text(value)), None)


def _summary(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The current status as a scan: only used where no scans are listed, or it would be there twice."""
    status = result.get("latestStatusDetail")
    code = text(dig(status, "code"))
    if not code:
        return
    reasons = dig(status, "ancillaryDetails")
    reason = reasons[0] if isinstance(reasons, list) and reasons else None
    yield {
        "date": _time_of(result, STATUS_TIMES.get(code, "")),
        "eventType": code,
        "eventDescription": _first(dig(status, "description"), dig(status, "statusByLocale")),
        "exceptionCode": dig(reason, "reason"),
        "exceptionDescription": dig(reason, "reasonDescription"),
        "scanLocation": dig(status, "scanLocation"),
        "delayDetail": dig(status, "delayDetail"),
    }


def _references(result: dict[str, Any]) -> Iterator[Reference]:
    identifiers = dig(result, "additionalTrackingInfo", "packageIdentifiers")
    for identifier in identifiers if isinstance(identifiers, list) else ():
        kind, values = text(dig(identifier, "type")), dig(identifier, "values") or dig(identifier, "value")
        for value in values if isinstance(values, list) else [values]:
            if kind and (said := text(value)):
                yield Reference(kind.lower(), said)


def _complete(reading: Reading, where: str, result: dict[str, Any]) -> Reading:
    """Adds what FedEx says once per result: the estimate to its newest event, the signature to its last delivery."""
    events = list(reading.events)
    estimate, faults = read_beside(f"{where}.estimate", lambda: _estimate(result))
    if estimate and events:
        newest = _newest(events, range(len(events)))
        events[newest] = replace(events[newest], estimated_delivery_at=estimate)
    deliveries = [place for place, event in enumerate(events) if event.milestone is Milestone.DELIVERED]
    if deliveries and (proof := _proof(result)):
        last = _newest(events, deliveries)
        events[last] = replace(events[last], proof_of_delivery=proof)
    return Reading(tuple(events), reading.faults + faults)


def _newest(events: list[Event], places: range | list[int]) -> int:
    return max(places, key=lambda place: order_of(events[place]))


def _estimate(result: dict[str, Any]) -> When:
    window = dig(result, "estimatedDeliveryTimeWindow", "window")
    written = _first(dig(window, "ends"), _time_of(result, "ESTIMATED_DELIVERY"))
    address = dig(result, "destinationLocation", "locationContactAndAddress", "address")
    return _moment(written, country(dig(address, "countryCode")))[0]


def _time_of(result: dict[str, Any], kind: str) -> Any:
    times = result.get("dateAndTimes")
    found = (dig(time, "dateTime") for time in times if dig(time, "type") == kind) if isinstance(times, list) else ()
    return next(iter(found), None)


def _proof(result: dict[str, Any]) -> ProofOfDelivery | None:
    delivery = result.get("deliveryDetails")
    signed_by = text(_first(dig(delivery, "signedByName"), dig(delivery, "receivedByName")))
    return ProofOfDelivery(signed_by, text(_time_of(result, "ACTUAL_DELIVERY"))) if signed_by else None


# ---- a scan: one event


def _read_scan(scan: Any, number: str, journey: str, references: tuple[Reference, ...], is_test: bool) -> Event:
    scan = as_object(scan, "a scan")
    code = text(_first(scan.get("eventType"), scan.get("derivedStatusCode")))
    if not code:
        raise Unreadable("a scan has neither eventType nor derivedStatusCode")
    reason = text(scan.get("exceptionCode"))
    place = _location(scan)
    occurred_at, quality = _moment(scan.get("date"), place.country)
    meaning = _meaning(code, reason, scan)
    return Event(
        carrier="fedex",
        tracking_number=number,
        journey=journey,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code=code,
        description=_words(scan),
        occurred_at=occurred_at,
        occurred_text=text(scan.get("date")) or "",
        time_quality=quality,
        location=place,
        references=(*references, Reference("exception_code", reason)) if reason else references,
        is_test=is_test,
    )


def _meaning(code: str, reason: str | None, scan: dict[str, Any]) -> Meaning:
    meaning = CODES.look_up("", code)
    if code in REASON_DECIDES and reason:
        meaning = CODES.find("exception", reason) or meaning
    if code == "DO":  # older lists: delivered; reported since: dropped off by the sender. A false delivery costs more
        meaning = CODES.find("", text(scan.get("derivedStatusCode")) or "") or meaning
    if meaning.exception_category in VAGUE and (delay := _delay(scan)):
        return Meaning(meaning.milestone, delay)
    return meaning


def _delay(scan: dict[str, Any]) -> ExceptionCategory | None:
    detail = scan.get("delayDetail")
    if text(dig(detail, "status")) in {"ON_TIME", "EARLY"}:
        return None
    kind = CODES.find("delayType", text(dig(detail, "type")) or "")
    return kind.exception_category if kind else None


def _words(scan: dict[str, Any]) -> str | None:
    """FedEx's own words: what happened, and after a colon why."""
    event, reason = text(scan.get("eventDescription")), text(scan.get("exceptionDescription"))
    return f"{event}: {reason}" if event and reason and event != reason else event or reason


def _location(scan: dict[str, Any]) -> Location:
    place = scan.get("scanLocation")
    return Location(
        facility=text(scan.get("locationId")),
        city=text(dig(place, "city")),
        region=text(dig(place, "stateOrProvinceCode")),
        postcode=text(dig(place, "postalCode")),
        country=country(dig(place, "countryCode")),
    )


def _moment(value: Any, country_code: str | None) -> tuple[When, TimeQuality]:
    """FedEx writes an offset; a midnight without one is a date that had no time."""
    written = text(value)
    if written and len(written) == 19 and written.endswith("T00:00:00"):
        return iso_moment(written[:10])
    return iso_moment(written, country_code)
