"""What follows from where a delivery stands: the effects, as a pure function.

Deciding the same twice gives the same effects under the same keys, so the store can compare and do nothing. A payload
says what Odoo shall show, never how it came about.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from shipments.delivery import Delivery
from shipments.effects import Effect, Kind
from shipments.fold import Dated, Problem, Standing, place
from shipments.rules.policy import Policy


def decide_delivery(delivery: Delivery, standing: Standing, policy: Policy) -> list[Effect]:
    """The state of the delivery in Odoo, and an activity for each stretch of trouble that the policy makes a task."""
    effects = [Effect(f"delivery:{delivery.picking_id}", Kind.DELIVERY, delivery.picking_id, _state(standing))]
    for problem in standing.problems:
        if policy.exceptions[problem.category].task:
            effects.append(_activity(delivery, problem, policy))
    return effects


def decide_order(order_id: int, standing: Standing) -> Effect:
    """The rolled-up state of the sale order in Odoo."""
    return Effect(f"order:{order_id}", Kind.ORDER, order_id, _state(standing))


def decide_timeline(delivery_id: int, entries: Iterable[Dated], policy: Policy) -> list[Effect]:
    """A row of the timeline for each event Odoo is told of. Test events and retractions are not shown."""
    return [
        Effect(f"timeline:{entry.event.key.hex}:{delivery_id}", Kind.TIMELINE, delivery_id, _row(delivery_id, entry))
        for entry in entries
        if policy.shows(entry.event.milestone) and not entry.event.is_test and not entry.event.retracts
    ]


def _state(standing: Standing) -> dict[str, Any]:
    return {
        "milestone": standing.milestone.value,
        "exception_category": standing.exception_category.value if standing.exception_category else None,
        "occurred_at": standing.instant.astimezone(UTC).isoformat(timespec="seconds"),
        "occurred_text": standing.occurred,
        "location": standing.location,
        "estimated_delivery_at": standing.estimated_delivery_at,
        "carrier": standing.carrier,
    }


def _activity(delivery: Delivery, problem: Problem, policy: Policy) -> Effect:
    rule = policy.exceptions[problem.category]
    words = f" The carrier says: {problem.description}." if problem.description else ""
    return Effect(
        f"activity:{problem.key}:{delivery.picking_id}",
        Kind.ACTIVITY,
        delivery.picking_id,
        {
            "picking_id": delivery.picking_id,
            "problem": problem.key,
            "milestone": problem.milestone.value,
            "exception_category": problem.category.value,
            "summary": rule.summary,
            "note": f"{rule.advice}{words} Owner: {rule.owner}.",
            "due": (problem.opened_at + rule.resolve_within).date().isoformat(),
            "user_id": delivery.user_id,
            "open": problem.open,
        },
    )


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
