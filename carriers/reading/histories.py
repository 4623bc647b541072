"""What the events of one parcel say together: which is the newest, where it turned back, when it is awaited."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from shipments.event import Event, Leg, When
from shipments.milestone import Milestone

_ON_THE_WAY_BACK = (Milestone.RETURN_IN_TRANSIT, Milestone.RETURNED)
_OVER = (Milestone.DELIVERED, Milestone.RETURNED)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def leg_of(milestone: Milestone, known: Leg = Leg.OUTBOUND) -> Leg:
    """The leg of an event: the way back where the milestone says so, else what is known of the whole parcel."""
    return Leg.RETURN if milestone in _ON_THE_WAY_BACK else known


def on_leg(milestone: Milestone, leg: Leg) -> Milestone:
    """What the milestone is on that leg: a delivery on the way back is `returned`."""
    return Milestone.RETURNED if leg is Leg.RETURN and milestone is Milestone.DELIVERED else milestone


def order_of(event: Event) -> datetime:
    """What to put events in order by: the instant; one without a time is before all others."""
    return event.instant() or _LONG_AGO


def newest(events: Iterable[Event]) -> Event:
    """The newest of the events, of several the first; ValueError if there are none."""
    return max(events, key=order_of)


def turned_back(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events of a parcel that keeps its number on the way back: those after the first `return_in_transit` are it.

    A delivery among them is `returned`, and nobody's proof of delivery.
    """
    turns = [order_of(event) for event in events if event.milestone is Milestone.RETURN_IN_TRANSIT]
    if not turns:
        return tuple(events)
    since = min(turns)
    return tuple(_sent_back(event) if order_of(event) > since else event for event in events)


def _sent_back(event: Event) -> Event:
    if event.milestone is Milestone.DELIVERED:
        return replace(event, leg=Leg.RETURN, milestone=Milestone.RETURNED, proof_of_delivery=None)
    return replace(event, leg=Leg.RETURN)


def with_estimate(events: Sequence[Event], expected: When) -> tuple[Event, ...]:
    """Puts an estimate that is told once for a parcel on its newest event, as long as the parcel is awaited."""
    if not expected or not events:
        return tuple(events)
    last = newest(events)
    if last.milestone in _OVER:
        return tuple(events)
    return tuple(replace(event, estimated_delivery_at=expected) if event is last else event for event in events)
