"""An activity of UPS's, in either of its two shapes, and the event that it means."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.reading import country, dig, leg_of, text
from carriers.ups.times import read_moment, settle_zone
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

# One two-character code means different things under different types (OT: out for delivery, or a matter of clearance),
# so the type picks the list. A type without a list of its own gets one of its name, in which nothing is mapped yet.
_LISTS = {
    "I": "movement", "P": "movement", "D": "delivery", "X": "exception", "M": "manifest", "MV": "manifest",
    "U": "update", "DO": "freight-activity", "DD": "freight-activity", "W": "freight-activity",
}  # fmt: skip
# A voided label keeps the code of the label, and a return the code of a delivery.
_TYPE_DECIDES = frozenset({"MV", "RS"})
# An update (a photo of the delivery, a new date) carries the status of the parcel at that time, which is no news; and
# freight has three-digit codes of its own, where 011 is not a delivery.
_STATUS_IS_SILENT = frozenset({"U", "DO", "DD", "W"})
_NOT_YET_THE_RECIPIENT = frozenset({Milestone.RETURNED, Milestone.AVAILABLE_FOR_PICKUP})
_TEST_NUMBERS = "1ZCIETST"


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity as UPS wrote it, whichever of the two shapes it came in."""

    type: str
    code: str
    status: str
    description: str | None
    day: str | None
    clock: str | None
    gmt: When
    gmt_offset: str | None
    place: Location


def to_event(number: str, activity: Activity, references: tuple[Reference, ...] = ()) -> Event:
    code_list, code = _name_code(activity)
    meaning, leg = _understand(activity)
    local = read_moment(activity.day, activity.clock)
    at, quality = settle_zone(local, activity.gmt, activity.gmt_offset, activity.place)
    return Event(
        carrier="ups",
        tracking_number=number,
        leg=leg,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=activity.description,
        occurred_at=at,
        occurred_text=" ".join(filter(None, (activity.day, activity.clock))) or str(activity.gmt or ""),
        time_quality=quality,
        location=activity.place,
        references=references,
        is_test=number.startswith(_TEST_NUMBERS),
    )


def _name_code(activity: Activity) -> tuple[str, str]:
    """The list and the code that name the activity: the finest stated, whichever level decides the milestone."""
    if activity.code:
        return _list_of(activity), activity.code
    if activity.status:
        return "status", activity.status
    if activity.type:
        return "type", activity.type
    raise Unreadable("the activity has neither a code nor a type")


def _list_of(activity: Activity) -> str:
    return _LISTS.get(activity.type, activity.type.lower() or "untyped")


def _understand(activity: Activity) -> tuple[Meaning, Leg]:
    """What the activity means: by its code, else by its status, else by its type; and which way the parcel goes."""
    by_type = CODES.find("type", activity.type)
    by_code = by_status = None
    if activity.type not in _TYPE_DECIDES:
        by_code = _find_code(_list_of(activity), activity.code)
        by_status = None if activity.type in _STATUS_IS_SILENT else CODES.find("status", activity.status)
    meaning = by_code or by_status or by_type or UNMAPPED
    # The code of a delivery may only name the spot (front door, store); the status knows whose door it was.
    if by_code and by_status and by_code.milestone is Milestone.DELIVERED:
        meaning = by_status if by_status.milestone in _NOT_YET_THE_RECIPIENT else by_code
    return meaning, leg_of(meaning.milestone, leg_of(by_status.milestone) if by_status else Leg.OUTBOUND)


def _find_code(code_list: str, code: str) -> Meaning | None:
    """The code's meaning; the published lists drop the leading zero of codes such as 05."""
    found = CODES.find(code_list, code)
    return found or (CODES.find(code_list, code[1:]) if code.startswith("0") else None)


def with_proof(event: Event, signed_by: str | None, handed_over: When) -> Event:
    """The event with the proof of delivery, if it is a delivery: a signature alone never makes one."""
    if event.milestone is not Milestone.DELIVERED or not (signed_by or handed_over):
        return event
    at = event.occurred_at
    local = at.replace(tzinfo=None) if isinstance(at, datetime) else at
    at = at if handed_over == local else handed_over
    return replace(event, proof_of_delivery=ProofOfDelivery(signed_by, at.isoformat() if at else None))


def read_place(address: Any, slic: str | None = None) -> Location:
    """The place, without street lines. UPS's site number stands in where there is no city."""
    city = say(dig(address, "city"))
    return Location(
        facility=None if city else slic,
        city=city,
        region=say(dig(address, "stateProvince")),
        postcode=say(dig(address, "postalCode")),
        country=country(dig(address, "countryCode")) or country(dig(address, "country")),
    )


def pad(status: str | None) -> str:
    """A description code in its three digits; UPS's own YAML examples turn 011 into a number."""
    return status.zfill(3) if status else ""


def say(value: Any) -> str | None:
    """The text, or None where UPS says nothing: also for the word "string", which its reference puts for a value."""
    said = text(value)
    return None if said == "string" else said
