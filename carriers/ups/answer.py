"""An answer of Track API v1: the shipments, packages and activities behind a number."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from msgspec.structs import replace

from carriers.base import Reading
from carriers.reading import as_list, as_object, dig, join, read_each, read_part, read_parts, tracking_number
from carriers.ups.activity import Activity, pad, read_place, say, to_event, with_proof
from carriers.ups.times import read_secondary_moment
from shipments.errors import Unreadable
from shipments.event import Event, Reference
from shipments.milestone import Milestone


def read_answer(answer: dict[str, Any]) -> Reading:
    if "shipment" not in answer:
        raise Unreadable("trackResponse has no shipment")
    shipments = as_list(answer["shipment"], "shipment")
    reading = read_parts(shipments, "shipment", _read_shipment)
    return reading if reading.events or reading.faults or reading.notice else Reading(notice="UPS lists no shipment")


def _read_shipment(value: Any, where: str) -> Reading:
    shipment = as_object(value, where)
    packages = as_list(shipment.get("package"), f"{where}.package")
    # With several packages the number that was asked for says nothing about which of them is meant.
    asked_for = say(shipment.get("inquiryNumber")) if len(packages) == 1 else None
    read = partial(_read_package, asked_for)
    readings = [read_part(part, f"{where}.package[{i}]", read) for i, part in enumerate(packages)]
    return join(
        [*readings, Reading(notice=quote(objects(shipment.get("warnings")))), Reading(notice=_find_missing(packages))]
    )


def _read_package(asked_for: str | None, value: Any, where: str) -> Reading:
    package = as_object(value, where)
    number = tracking_number(say(package.get("trackingNumber")) or asked_for)
    references = _read_references(package)
    activities = as_list(package.get("activity"), f"{where}.activity")
    if not activities:
        return Reading(notice=f"UPS lists no activity for {number}")
    reading = read_each(activities, f"{where}.activity", lambda item: (_read_scan(number, item, references),))
    return replace(reading, events=_complete(reading.events, package))


def _read_scan(number: str, item: Any, references: tuple[Reference, ...]) -> Event:
    scan = as_object(item, "the activity")
    status = as_object(scan.get("status"), "status")
    activity = Activity(
        type=say(status.get("type")) or "",
        code=say(status.get("code")) or "",
        status=pad(say(status.get("statusCode"))),
        description=say(status.get("description")),
        day=say(scan.get("date")),
        clock=say(scan.get("time")),
        gmt=read_secondary_moment(say(scan.get("gmtDate")), say(scan.get("gmtTime"))),
        gmt_offset=say(scan.get("gmtOffset")),
        place=read_place(dig(scan, "location", "address"), slic=say(dig(scan, "location", "slic"))),
    )
    return to_event(number, activity, references)


def _complete(events: tuple[Event, ...], package: dict[str, Any]) -> tuple[Event, ...]:
    """The history with what UPS says once for the package: the plan on its newest event, the proof on its delivery."""
    dates = [date for date in objects(package.get("deliveryDate")) if say(date.get("date"))]
    by_type = {say(date.get("type")): say(date["date"]) for date in dates}
    planned = read_secondary_moment(by_type.get("RDD") or by_type.get("SDD"), None)
    clock = dig(package, "deliveryTime", "endTime") if dig(package, "deliveryTime", "type") == "DEL" else None
    handed_over = read_secondary_moment(by_type.get("DEL"), say(clock))
    signed_by = say(dig(package, "deliveryInformation", "receivedBy"))
    newest = _newest(events)
    delivery = _newest(event for event in events if event.milestone is Milestone.DELIVERED)
    completed = []
    for event in events:
        done = replace(event, estimated_delivery_at=planned) if event is newest else event
        completed.append(with_proof(done, signed_by, handed_over) if event is delivery else done)
    return tuple(completed)


def _newest(events: Iterable[Event]) -> Event | None:
    """UPS lists the newest first; the position only settles ties."""
    dated = [(event.instant(), event) for event in events]
    timed = [(at, event) for at, event in dated if at]
    return max(timed, key=lambda pair: pair[0])[1] if timed else None


def _read_references(package: dict[str, Any]) -> tuple[Reference, ...]:
    """The package's other numbers, by UPS's own types; an alternate number without a type is a UPS number."""
    named = [(objects(package.get("alternateTrackingNumber")), "alternateTrackingNumber")]
    named.append((objects(package.get("referenceNumber")), "referenceNumber"))
    return tuple(
        Reference(say(item.get("type")) or default, number)
        for items, default in named
        for item in items
        if (number := say(item.get("number")))
    )


def _find_missing(packages: list[Any]) -> str | None:
    counts = [count for package in packages if isinstance(count := dig(package, "packageCount"), int)]
    counted = max(counts, default=0)
    return f"UPS counts {counted} packages and lists {len(packages)}" if counted > len(packages) else None


def quote(sayings: list[dict[str, Any]]) -> str | None:
    """UPS's warnings or errors as one sentence for operations."""
    pairs = [(say(saying.get("code")), say(saying.get("message"))) for saying in sayings]
    return "; ".join(f"UPS answers {code or 'without a code'}: {words}" for code, words in pairs if words) or None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list that only adds to an event, so that damage in it costs nothing else."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
