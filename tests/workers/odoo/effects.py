"""Pieces of work as the decisions make them, for the tests to change one thing of."""

from workers.odoo.writes import Work


def state(subject: int, **changed: object) -> Work:
    """The state of a delivery or an order."""
    payload = {
        "milestone": "in_transit",
        "exception_category": None,
        "occurred_at": "2026-11-23T10:00:00+00:00",
        "occurred_text": "2026-11-23T11:00:00+01:00",
        "location": "Lyon, FR",
        "estimated_delivery_at": None,
    }
    return Work(f"state:{subject}", subject, payload | changed, sent=False)


def event(picking: int, event_key: str, **changed: object) -> Work:
    """One row of a timeline."""
    payload = {
        "event_key": event_key,
        "picking_id": picking,
        "milestone": "out_for_delivery",
        "exception_category": None,
        "occurred_at": "2026-11-23T08:30:00+00:00",
        "occurred_text": "2026-11-23T09:30:00+01:00",
        "location": "Lyon, FR",
        "description": "On the vehicle",
        "carrier": "ups",
        "tracking_number": "1Z999AA10000000001",
        "code": "OFD",
    }
    return Work(f"timeline:{event_key}:{picking}", picking, payload | changed, sent=False)


def task(picking: int, problem: str, *, open: bool = True, sent: bool = False, **changed: object) -> Work:  # noqa: A002 - the payload's own word
    """A task about a problem."""
    payload = {
        "picking_id": picking,
        "problem": problem,
        "milestone": "exception",
        "exception_category": "address_issue",
        "summary": "Address issue",
        "note": "The carrier asks for the street <number> & floor.",
        "due": "2026-12-01",
        "user_id": None,
        "open": open,
    }
    return Work(f"activity:{problem}:{picking}", picking, payload | changed, sent)
