"""What bpost's item tracking answers: an `itemTracking` with a `stateInfo` for every state the item has been in.

Source: the answers kept in the tests of public clients of `trackedmail/item/<item>/trackingInfo`.
"""

from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    iso_moment,
    leg_of,
    load_xml_parts,
    read_each,
    read_parts,
    text,
)
from carriers.reading import tracking_number as read_number
from shipments.errors import Unreadable
from shipments.event import Event, Reference

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_REFERENCES = (("customerReference", "customer_reference"), ("trackingId", "tracking_id"))


def parse(message: Message) -> Reading:
    """The states of every item; a notice for an exception of the service and for an item without states."""
    parts = load_xml_parts(message.body, message.headers.get("content-type", ""), _is_part)
    if not parts:
        raise Unreadable("there is no itemTracking and no exception in the body")
    return read_parts(parts, "items", _read_part)


def _is_part(name: str) -> bool:
    return name == "itemTracking" or name.endswith("Exception")


def _read_part(part: tuple[str, Any], where: str) -> Reading:
    tag, value = part
    found = as_object(value, f"the {tag}")
    if tag != "itemTracking":
        return Reading(notice=f"bpost answered with a {tag}: {text(found.get('message')) or 'no words'}")
    number = read_number(found.get("itemCode"))
    states = as_list(found.get("stateInfo"), "stateInfo")
    if not states:
        return Reading(notice=f"bpost lists no state of {number}.")
    references = as_references((kind, found.get(name)) for name, kind in _REFERENCES)
    return read_each(states, f"{where}.stateInfo", lambda state: (_read_state(state, number, references),))


def _read_state(value: Any, number: str, references: tuple[Reference, ...]) -> Event:
    state = as_object(value, "a stateInfo")
    code = text(state.get("stateCode"))
    if not code:
        raise Unreadable("the stateInfo has no stateCode")
    meaning = CODES.look_up("", code)
    at, quality = iso_moment(state.get("time"))
    return Event(
        carrier="bpost",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=text(state.get("stateDescription")),
        occurred_at=at,
        occurred_text=text(state.get("time")) or "",
        time_quality=quality,
        references=references,
    )
