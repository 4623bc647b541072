"""What holds for every event of a Sendcloud parcel, and the event of a status."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from carriers.base import Fault
from carriers.codes import CodeTable
from carriers.reading import (
    as_references,
    dig,
    first_text,
    iso_moment,
    leg_of,
    on_leg,
    read_beside,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Reference, TimeQuality, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


@dataclass(frozen=True, slots=True)
class Parcel:
    """What holds for every event of a parcel."""

    number: str
    leg: Leg
    piece: str | None
    references: tuple[Reference, ...]
    estimate: When


def common(value: dict[str, Any], details: Any, where: str, number: Any = None) -> tuple[Parcel, tuple[Fault, ...]]:
    """The parcel, and a fault for an estimate that cannot be read; Unreadable without a tracking number."""
    estimate, faults = read_beside(
        f"{where}.expected_delivery_date", lambda: iso_moment(dig(details, "expected_delivery_date"))[0]
    )
    count = text(value.get("collo_count"))
    parcel = Parcel(
        number=tracking_number(number or value.get("tracking_number")),
        leg=Leg.RETURN if dig(details, "is_return") is True else Leg.OUTBOUND,
        piece=text(value.get("collo_nr")) if count and count not in ("0", "1") else None,
        references=_references(value),
        estimate=estimate,
    )
    return parcel, faults


def _references(value: dict[str, Any]) -> tuple[Reference, ...]:
    carrier = value.get("carrier")
    named = (
        ("carrier", first_text(dig(carrier, "code"), value.get("carrier_code"))),
        ("parcel_id", first_text(value.get("id"), value.get("parcel_id"))),
        ("order_number", value.get("order_number")),
        ("external_order_id", value.get("external_order_id")),
        ("external_reference", value.get("external_reference")),
        ("source_id", value.get("source_id")),
    )
    return as_references(named)


def make_event(
    parcel: Parcel,
    code_list: str,
    code: str | None,
    words: str | None,
    when: tuple[When, TimeQuality, str],
    reported_at: datetime | None = None,
    event_id: str | None = None,
) -> Event:
    """The event of a status; `when` is its time, how sure it is, and as it was written. Unreadable without a code."""
    if not code:
        raise Unreadable("the status has no code")
    meaning = CODES.look_up(code_list, code)
    leg = leg_of(meaning.milestone, parcel.leg)
    at, quality, written = when
    return Event(
        carrier="sendcloud",
        tracking_number=parcel.number,
        leg=leg,
        piece=parcel.piece,
        milestone=on_leg(meaning.milestone, leg),
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=words,
        occurred_at=at,
        occurred_text=written,
        time_quality=quality,
        reported_at=reported_at,
        estimated_delivery_at=parcel.estimate,
        references=parcel.references,
        provider_event_id=event_id,
    )
