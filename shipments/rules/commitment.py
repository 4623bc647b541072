"""What a changed estimate leads to: its history for people to read, and by policy a later promise to the customer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from shipments.effects import Effect, Kind
from shipments.event import Leg
from shipments.fold import Standing
from shipments.milestone import Phase


@dataclass(frozen=True, slots=True)
class Commitment:
    """move_promise: whether the order's promised date follows a later estimate. time_zone: in which days are told."""

    move_promise: bool = False
    time_zone: str = "UTC"


def commitment_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with [commitment]: the field and the sentence."""
    for field in table.keys() - {"move_promise", "time_zone"}:
        yield field, f"{field!r} means nothing here; known are move_promise, time_zone"
    if not isinstance(table.get("move_promise", False), bool):
        yield "move_promise", "move_promise must be true or false"
    zone = table.get("time_zone", "UTC")
    try:
        ZoneInfo(zone)
    except (TypeError, ValueError, OSError, LookupError):
        yield "time_zone", f"{zone!r} is no time zone; write one such as 'Europe/Berlin'"


def estimate_history(standing: Standing) -> str:
    """The revisions of the estimate, the newest first, a line each; empty if there was none."""
    lines = [
        f"{e.at} ({e.tracking_number}, told {e.told_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"
        for e in reversed(standing.estimates)
    ]
    return "\n".join(lines)


def decide_commitment(order_id: int, standings: Iterable[Standing], commitment: Commitment) -> Iterator[Effect]:
    """The day by which all of the order is expected, where the policy moves promises; null if nothing is awaited.

    standings: where each of the order's deliveries stands.
    """
    standings = list(standings)
    if not commitment.move_promise or not any(s.estimates for s in standings):
        return
    zone = ZoneInfo(commitment.time_zone)
    awaited = [
        (day_of(s.estimated_delivery_at, zone).isoformat(), s.carrier, s.tracking_number)
        for s in standings
        if s.estimated_delivery_at and s.phase is not Phase.END and s.leg is Leg.OUTBOUND
    ]
    day, carrier, number = max(awaited, default=(None, None, None))
    payload = {"day": day, "carrier": carrier, "tracking_number": number, "time_zone": commitment.time_zone}
    yield Effect(f"commitment:{order_id}", Kind.COMMITMENT, order_id, payload)


def day_of(estimate: str, zone: tzinfo) -> date:
    """The day of an estimate as it is stored: with an offset in that zone, else the day that is written."""
    if len(estimate) == 10:
        return date.fromisoformat(estimate)
    at = datetime.fromisoformat(estimate)
    return at.astimezone(zone).date() if at.tzinfo else at.date()


def later_promise(promised: datetime, day: date, zone: tzinfo) -> datetime | None:
    """The promised moment moved to that day, at the same time of the day; None if that is no later. Aware, in UTC."""
    there = promised.astimezone(zone)
    if day <= there.date():
        return None
    return there.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
