"""A shipment of PostNL: its events, and the statuses that say what the events do not."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from carriers.base import Reading
from carriers.codes import CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    dig,
    first_text,
    iso_moment,
    leg_of,
    moment,
    read_beside,
    read_each,
    text,
    tracking_number,
    turned_back,
    with_estimate,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_ZONE = "Europe/Amsterdam"
_SHAPES = ("%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S.%f", "iso")
_NOT_APPLICABLE = "99"
_TO_THE_SECOND = 19

Common = tuple[str, str | None, tuple[Reference, ...]]
"""What holds for every event of a shipment: its number, its piece of a set, its references."""


def read_shipment(value: Any, where: str) -> Reading:
    """The events of one barcode; a notice where nothing is known of it yet."""
    shipment = as_object(value, "a shipment")
    common = _common(shipment)
    events = _items(_either(shipment, ("Event",), ("Events", "CompleteStatusResponseEvent")), "the events")
    listed = read_each(events, f"{where}.Event", lambda item: (_read_event(item, common),))
    statuses = [*_items(shipment.get("Status"), "Status"), *_old_statuses(shipment)]
    told = {event.occurred_text[:_TO_THE_SECOND] for event in listed.events if event.milestone != Milestone.UNKNOWN}
    others = read_each(statuses, f"{where}.Status", lambda item: _read_status(item, common, told))
    read, faults = listed.events + others.events, listed.faults + others.faults
    if not read and not faults:
        return Reading(notice=f"PostNL has no status of {common[0]} yet.")
    expected, damage = read_beside(f"{where}.Expectation", lambda: _expected(shipment))
    return Reading(with_estimate(turned_back(read), expected), faults + damage)


def _either(shipment: dict[str, Any], rest: tuple[str, ...], soap: tuple[str, ...]) -> Any:
    return dig(shipment, *rest) or dig(shipment, *soap)


def _items(value: Any, where: str) -> list[Any]:
    """A list, or the lone object of one; {} is how PostNL writes nothing."""
    return [] if value in ({}, "") else as_list(value, where)


def _old_statuses(shipment: dict[str, Any]) -> Iterator[Any]:
    """Earlier statuses, without the many that say "not applicable" between the others."""
    for item in _items(
        _either(shipment, ("OldStatus",), ("OldStatuses", "CompleteStatusResponseOldStatus")), "OldStatus"
    ):
        if not isinstance(item, dict) or first_text(item.get("StatusCode"), item.get("Code")) != _NOT_APPLICABLE:
            yield item


def _common(shipment: dict[str, Any]) -> Common:
    number = tracking_number(shipment.get("Barcode"))
    group = dig(shipment, "Groups", "ResponseGroup") or shipment
    group = group[0] if isinstance(group, list) else group
    main, amount = text(dig(group, "MainBarcode")), text(dig(group, "ShipmentAmount"))
    references = []
    if said := text(shipment.get("Reference")):
        references.append(Reference("customer_reference", said))
    if main and main != number:
        references.append(Reference("main_barcode", main))
    piece = text(dig(group, "ShipmentCounter")) if amount not in (None, "0", "1") else None
    return number, piece, tuple(references)


def _read_event(value: Any, common: Common) -> Event:
    item = as_object(value, "an event")
    code = text(item.get("Code"))
    if not code:
        raise Unreadable("the event has no code")
    place = Location(facility=text(item.get("LocationCode")))
    return _event(
        common, "event", code, CODES.look_up("event", code), item.get("TimeStamp"), item.get("Description"), place
    )


def _read_status(value: Any, common: Common, told: set[str]) -> Iterable[Event]:
    """A status, unless an event that is understood has its time, or the same status was just read."""
    item = as_object(value, "a status")
    written = first_text(item.get("TimeStamp"), item.get("Timestamp"), item.get("CurrentStatusTimeStamp"))
    at = (written or "")[:_TO_THE_SECOND]
    code = first_text(item.get("StatusCode"), item.get("CurrentStatusCode"), item.get("Code"))
    phase = first_text(item.get("PhaseCode"), item.get("CurrentPhaseCode"))
    if not code and not phase:
        raise Unreadable("the status has neither a status code nor a phase code")
    kind, code = ("status", code) if code else ("phase", phase or "")
    words = first_text(
        item.get("StatusDescription"), item.get("CurrentStatusDescription"), item.get("Description"),
        item.get("PhaseDescription"), item.get("CurrentPhaseDescription"),
    )  # fmt: skip
    same = f"{at} {kind}:{code}"
    if at in told or same in told:
        return ()
    event = _event(common, kind, code, CODES.look_up(kind, code), written, words, Location())
    told.add(same)
    return (event,)


def _event(common: Common, kind: str, code: str, meaning: Meaning, written: Any, words: Any, place: Location) -> Event:
    number, piece, references = common
    at, quality = _moment(written)
    return Event(
        carrier="postnl",
        tracking_number=number,
        piece=piece,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        code_list=kind,
        description=text(words),
        occurred_at=at,
        occurred_text=text(written) or "",
        time_quality=quality,
        location=place,
        references=references,
    )


def _moment(written: Any) -> tuple[When, TimeQuality]:
    return moment(written, *_SHAPES, zone=_ZONE)


def _expected(shipment: dict[str, Any]) -> When:
    """The end of the expected window: an ISO time without offset, in the Netherlands."""
    window = shipment.get("Expectation")
    return iso_moment(first_text(dig(window, "ETATo"), dig(window, "ETAFrom")), zone=_ZONE)[0]
