"""What Landmark Global answers: a TrackResponse in XML with packages and the events of each.

Shape: Landmark Global API, Track (TrackResponse), as public clients and their recorded answers show it.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    dig,
    element_to_dict,
    first_text,
    leg_of,
    load_xml,
    moment,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_TIMES = ("%m/%d/%Y %I:%M %p", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")
_STATES = {
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY",
    "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH",
    "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "AB", "BC", "MB",
    "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT",
}  # fmt: skip
"""The states of the USA and the provinces of Canada: "Los Angeles, CA" is not in Canada."""


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where Landmark knows nothing or explains an error."""
    root = load_xml(message.body, message.headers.get("content-type", ""))
    if root.tag != "TrackResponse":
        raise Unreadable(f"the root element is {root.tag[:40]}, not TrackResponse")
    body = as_object(element_to_dict(root), "TrackResponse")
    is_test = (text(body.get("Test")) or "").lower() == "true"
    results = [as_object(result, "Result") for result in as_list(body.get("Result"), "Result")]
    packages = [p for result in results for p in _children(result.get("Packages"), "Package")]
    if packages:
        return read_parts(packages, "Package", lambda package, where: _read_package(package, where, is_test))
    if said := _words(body, results):
        return Reading(notice=f"Landmark answered: {said}")
    if results:
        return Reading(notice="Landmark lists no package for what was asked")
    raise Unreadable("there is no Result and no error in the answer")


def _children(parent: Any, name: str) -> list[Any]:
    """The elements of that name, one or several; an empty one stays in the list, to be told as damaged."""
    if not isinstance(parent, dict) or name not in parent:
        return []
    value = parent[name]
    return value if isinstance(value, list) else [value]


def _words(body: dict[str, Any], results: list[dict[str, Any]]) -> str | None:
    """What the errors say, without the markup that Landmark puts behind the first sentence; else the result."""
    errors = [text(dig(error, "ErrorMessage")) for error in _children(body.get("Errors"), "Error")]
    messages = [message.partition("<")[0].partition("&lt;")[0].strip() for message in errors if message]
    return "; ".join(filter(None, messages)) or first_text(*(result.get("ResultMessage") for result in results))


def _read_package(value: Any, where: str, is_test: bool) -> Reading:
    package = as_object(value, "a package")
    number = tracking_number(first_text(package.get("LandmarkTrackingNumber"), package.get("TrackingNumber")))
    references = tuple(one for one in _references(package) if one.value != number)
    events = _children(package.get("Events"), "Event")
    if not events:
        return Reading(notice=f"Landmark knows {number} and no event of it yet")
    return read_each(events, f"{where}.Event", lambda event: (_read_event(event, number, references, is_test),))


def _references(package: dict[str, Any]) -> tuple[Reference, ...]:
    named = (
        ("carrier_tracking_number", package.get("TrackingNumber")),
        ("package_reference", package.get("PackageReference")),
    )
    return as_references(named)


def _read_event(value: Any, number: str, references: tuple[Reference, ...], is_test: bool) -> Event:
    event = as_object(value, "an event")
    code = text(event.get("EventCode"))
    if not code:
        raise Unreadable("the event has no EventCode")
    meaning = CODES.look_up("", code)
    place = _location(text(event.get("Location")) or "")
    written = text(event.get("DateTime"))
    at, quality = moment(written, *_TIMES, country_code=place.country)
    return Event(
        carrier="landmark",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=text(event.get("Status")),
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        location=place,
        references=references,
        is_test=is_test,
    )


@lru_cache(maxsize=2048)
def _location(written: str) -> Location:
    """A place as "New York, NY, US", "Paris, FR", "Romulus, MI" or "North Shields"; the country only if it is sure."""
    parts = [part.strip() for part in written.split(",")]
    if len(parts) == 3 and (found := country(parts[2])):
        return Location(city=parts[0] or None, region=parts[1] or None, country=found)
    if len(parts) == 2 and parts[1] in _STATES:
        return Location(city=parts[0] or None, region=parts[1])
    if len(parts) == 2 and (found := country(parts[1])):
        return Location(city=parts[0] or None, country=found)
    return Location(city=written or None)
