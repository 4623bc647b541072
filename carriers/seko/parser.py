"""What SEKO OmniParcel answers: consignments, each with the events of its parts.

Shape: SEKO OmniParcel API, labels/statusv2, as a public client and its recorded answers show it.
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
    iso_moment,
    leg_of,
    load_json,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_REFERENCES = ("Reference1", "Reference2", "Reference3")
_ERRORS = ("Errors", "Error", "Rejected", "ValidationErrors")


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where SEKO knows nothing or explains an error."""
    body = load_json(message.body)
    if isinstance(body, dict) and "ConsignmentNo" not in body:
        if said := _error_words(body):
            return Reading(notice=f"SEKO answered: {said}")
        raise Unreadable("there is no ConsignmentNo and no error in the body")
    consignments = as_list(body, "the body")
    if not consignments:
        return Reading(notice="SEKO lists no consignment for what was asked")
    return read_parts(consignments, "consignments", _read_consignment)


def _error_words(body: dict[str, Any]) -> str | None:
    """What the errors say: a list of objects with a Message or a Reason, or one object of field and words."""
    for name in _ERRORS:
        found = body.get(name)
        if isinstance(found, dict):
            words = [text(said) for said in found.values()]
        else:
            listed = found if isinstance(found, list) else []
            words = [text(dig(error, "Message")) or text(dig(error, "Reason")) for error in listed]
        if said := "; ".join(filter(None, words[:3])):
            return said
    return text(body.get("Message"))


def _read_consignment(value: Any, where: str) -> Reading:
    consignment = as_object(value, "a consignment")
    number = tracking_number(consignment.get("ConsignmentNo"))
    references = as_references(("reference", consignment.get(name)) for name in _REFERENCES)
    events = as_list(consignment.get("Events"), "Events")
    if not events:
        return Reading(notice=f"SEKO knows {number} and no event of it yet")
    return read_each(events, f"{where}.Events", lambda event: (_read_event(event, number, references),))


def _read_event(value: Any, number: str, references: tuple[Reference, ...]) -> Event:
    event = as_object(value, "an event")
    code, carriers_own = text(event.get("OmniCode")), text(event.get("Code"))
    if not code and not carriers_own:
        raise Unreadable("the event has neither OmniCode nor Code")
    meaning = CODES.look_up("", code) if code else CODES.look_up("carrier", carriers_own or "")
    place = _location(text(event.get("Location")) or "")
    at, quality = iso_moment(event.get("EventDT"))  # by which clock is not known, not even with a place: README
    return Event(
        carrier="seko",
        tracking_number=number,
        piece=text(event.get("Part")),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list="" if code else "carrier",
        code=code or carriers_own or "",
        description=text(event.get("Description")),
        occurred_at=at,
        occurred_text=text(event.get("EventDT")) or "",
        time_quality=quality,
        location=place,
        references=references,
    )


@lru_cache(maxsize=2048)
def _location(written: str) -> Location:
    """A place as "CARSON, CA,US", "Essen, DE" or "NL": the last part is the country."""
    parts = [part.strip() for part in written.split(",")]
    found = country(parts[-1]) if len(parts[-1]) == 2 else None
    if not found:
        return Location(city=written or None)
    return Location(
        city=(parts[0] or None) if len(parts) > 1 else None,
        region=", ".join(parts[1:-1]) or None,
        country=found,
    )
