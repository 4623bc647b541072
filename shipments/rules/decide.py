"""What follows from where a delivery stands: the effects, as a pure function.

Deciding the same twice gives the same effects under the same keys, so the store can compare and do nothing. A payload
says what Odoo shall show, never how it came about.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from shipments.delivery import Delivery
from shipments.effects import Effect, Kind
from shipments.fold import Dated, Standing, place
from shipments.rules.commitment import estimate_history
from shipments.rules.exceptions import decide_task, describe_trouble
from shipments.rules.policy import Policy


def decide_delivery(delivery: Delivery, standing: Standing, policy: Policy) -> list[Effect]:
    """The state of the delivery in Odoo, and an activity for each stretch of trouble that the policy makes a task."""
    effects = [Effect(f"delivery:{delivery.picking_id}", Kind.DELIVERY, delivery.picking_id, _state(standing, policy))]
    tasks = (decide_task(delivery, problem, policy.exceptions[problem.category]) for problem in standing.problems)
    return [*effects, *(task for task in tasks if task)]


def decide_order(order_id: int, standing: Standing, policy: Policy) -> Effect:
    """The rolled-up state of the sale order in Odoo."""
    return Effect(f"order:{order_id}", Kind.ORDER, order_id, _state(standing, policy))


def withdraw_state(kind: Kind, subject: int, before: Standing, policy: Policy) -> Effect:
    """Nothing is known any more of a delivery or an order that stood somewhere: its parcel was another's."""
    return Effect(f"{kind.value}:{subject}", kind, subject, dict.fromkeys(_state(before, policy)))


def decide_timeline(delivery_id: int, entries: Iterable[Dated], policy: Policy) -> list[Effect]:
    """A row of the timeline for each event Odoo is told of. Test events and retractions are not shown."""
    return [
        Effect(f"timeline:{entry.event.key.hex}:{delivery_id}", Kind.TIMELINE, delivery_id, _row(delivery_id, entry))
        for entry in entries
        if policy.shows(entry.event.milestone) and not entry.event.is_test and not entry.event.retracts
    ]


def _state(standing: Standing, policy: Policy) -> dict[str, Any]:
    return {
        "milestone": standing.milestone.value,
        "exception_category": standing.exception_category.value if standing.exception_category else None,
        **describe_trouble(standing, policy.exceptions),
        "occurred_at": standing.instant.astimezone(UTC).isoformat(timespec="seconds"),
        "occurred_text": standing.occurred,
        "location": standing.location,
        "estimated_delivery_at": standing.estimated_delivery_at,
        "estimate_history": estimate_history(standing),
        "carrier": standing.carrier,
        "heard_at": standing.heard_at.isoformat() if standing.heard_at else None,
        "parcels": standing.parcels,
        "arrived": standing.arrived,
        "proven": bool(standing.hand_over and standing.hand_over.proven),
        "proof_link": (standing.proof_of_delivery or {}).get("document"),
    }


def _row(delivery_id: int, entry: Dated) -> dict[str, Any]:
    event = entry.event
    return {
        "event_key": event.key.hex,
        "picking_id": delivery_id,
        "milestone": event.milestone.value,
        "exception_category": event.exception_category.value if event.exception_category else None,
        "occurred_at": entry.instant.astimezone(UTC).isoformat(timespec="seconds"),
        "occurred_text": event.occurred_at.isoformat() if event.occurred_at else None,
        "location": place(event),
        "description": event.description,
        "carrier": event.carrier,
        "tracking_number": event.tracking_number,
        "code": event.code,
    }
