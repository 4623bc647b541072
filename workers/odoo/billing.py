"""Telling finance in Odoo: a flag, a correction beside it, and by policy a draft invoice. Nothing is ever posted.

A delivery or order that is billable is flagged with time and signatory. What is decided otherwise later never takes the
flag back: it goes into a field of its own, and only where the flag was set.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from config import metrics
from shipments.clock import now
from shipments.errors import OdooRefused
from shipments.rules.finance import invoice_key, order_key
from workers.odoo.client import Odoo, OdooLockedOut
from workers.odoo.fields import ORDER, PICKING
from workers.odoo.wording import time_label
from workers.odoo.writes import GONE, Outcome, Work, in_halves, load, odoo_time

WIZARD = "sale.advance.payment.inv"

_LOOK_AGAIN_AT_LEAST, _LOOK_AGAIN_AT_MOST = timedelta(hours=1), timedelta(days=1)
_MODELS = {"delivery": PICKING, "order": ORDER}
_LEAVES_THE_HOUSE = ["outgoing", "dropship"]


def write_billing(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Flag deliveries, then orders, and write down corrections of what was flagged."""
    outcomes: dict[str, Outcome] = {}
    for of, model in _MODELS.items():
        mine = [work for work in works if work.payload["of"] == of]
        flags = [work for work in mine if work.payload["billable"]]
        if of == "order":
            flags, waiting = _divide_orders(odoo, flags)
            outcomes |= waiting
        outcomes |= _waking(flags, _counted(load(odoo, model, flags, _flag_row), of, "flagged"))
        outcomes |= _correct(odoo, of, [work for work in mine if not work.payload["billable"]])
    return outcomes


def write_invoices(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Ask Odoo for the draft invoice of each order that it shows as billable: once, whatever becomes of the draft.

    An answer that was lost is found by asking what is left to invoice. Nothing left is a reason and no error.
    """
    outcomes = {work.key: Outcome("done") for work in works if work.sent}
    asked = [work for work in works if not work.sent]
    return outcomes | _read(asked, lambda: _draft_what_is_left(odoo, asked))


# ---- flags


def _flag_row(work: Work) -> dict[str, str]:
    return {
        ".id": str(work.subject),
        "x_milepost_billable": "1",
        "x_milepost_delivered_at": odoo_time(work.payload["delivered_at"]),
        "x_milepost_delivered_text": time_label(work.payload["delivered_text"]),
        "x_milepost_signed_by": work.payload["signed_by"] or "",
        "x_milepost_billing_check": "",
    }


def _divide_orders(odoo: Odoo, works: Sequence[Work]) -> tuple[list[Work], dict[str, Outcome]]:
    """The orders of which every delivery is flagged, and what becomes of the others: they are looked at again.

    By the clock, since Odoo may have some that Milepost never heard of: a backorder that waits, one that goes by an own
    van. The flag of one that only comes with another batch wakes the order.
    """
    waiting = _read(works, lambda: _unfinished(odoo, works))
    return [work for work in works if work.key not in waiting], waiting


def _unfinished(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    domain = [
        ("sale_id", "in", [work.subject for work in works]),
        ("picking_type_code", "in", _LEAVES_THE_HOUSE),
        ("state", "!=", "cancel"),
        ("x_milepost_billable", "=", False),
    ]
    rows = odoo.call(PICKING, "search_read", domain=domain, fields=["name", "sale_id"])
    names = {row["sale_id"][0]: row["name"] for row in rows}
    return {
        work.key: _again(work, f"{name} of this order is not delivered, as far as Milepost knows.")
        for work in works
        if (name := names.get(work.subject))
    }


def _waking(flags: Sequence[Work], outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    """What waits for a flag and was looked at before: a delivery's order, an order's invoice."""
    wakes = {work.key: invoice_key(work.subject) for work in flags if work.payload["of"] == "order"}
    wakes |= {work.key: order_key(order) for work in flags if (order := work.payload.get("order_id"))}
    return {key: replace(o, wakes=wakes.get(key)) if o.state == "done" else o for key, o in outcomes.items()}


def _correct(odoo: Odoo, of: str, works: Sequence[Work]) -> dict[str, Outcome]:
    """What Odoo cannot have heard of needs no correction; of the rest Odoo says which it shows as billable."""
    outcomes = {work.key: Outcome("done", sent=work.sent) for work in works}
    told = [work for work in works if work.sent or work.changed]
    shown: set[int] = set()

    def look() -> dict[str, Outcome]:
        domain = [("id", "in", [work.subject for work in told]), ("x_milepost_billable", "=", True)]
        shown.update(row["id"] for row in odoo.call(_MODELS[of], "search_read", domain=domain, fields=["id"]))
        return {}

    outcomes |= _read(told, look)
    flagged = [work for work in told if work.subject in shown]
    return outcomes | _counted(load(odoo, _MODELS[of], flagged, _check_row), of, "corrected")


def _check_row(work: Work) -> dict[str, str]:
    return {".id": str(work.subject), "x_milepost_billing_check": work.payload["check"]}


# ---- invoices


def _draft_what_is_left(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    fields = ["state", "invoice_status", "x_milepost_billable", "x_milepost_billing_check"]
    domain = [("id", "in", [work.subject for work in works])]
    rows = {row["id"]: row for row in odoo.call(ORDER, "search_read", domain=domain, fields=fields)}
    outcomes = {work.key: outcome for work in works if (outcome := _reason_not_to(work, rows.get(work.subject)))}
    ready = [work for work in works if work.key not in outcomes]
    if "consolidated_billing" in odoo.field_names(WIZARD):
        return outcomes | _counted(_draft(odoo, ready), "order", "drafted")
    for work in ready:  # an older Odoo would make one invoice of several orders of a customer
        outcomes |= _counted(_draft(odoo, [work]), "order", "drafted")
    return outcomes


def _reason_not_to(work: Work, order: dict[str, Any] | None) -> Outcome | None:
    if order is None:
        return Outcome("parked", f"This order {GONE}", sent=False)
    if order["state"] == "cancel":
        return Outcome("done", "The order is canceled: there is nothing to invoice.", sent=False)
    if not order["x_milepost_billable"] or order["x_milepost_billing_check"]:
        return _again(work, "Odoo does not show the order as billable.")
    if order["invoice_status"] == "to invoice":
        return None
    if order["invoice_status"] == "no":
        return _again(work, "Odoo has nothing to invoice on this order yet.")
    return Outcome("done", "Odoo has nothing left to invoice on this order.")


def _draft(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """The way of Odoo's own button: the order's method that makes invoices is private, the wizard's is not."""
    if not works:
        return {}
    orders = [work.subject for work in works]
    known = odoo.field_names(WIZARD)
    offered = {"sale_order_ids": [[6, 0, orders]], "consolidated_billing": False}
    values = {name: value for name, value in offered.items() if name in known}
    context = {"active_model": ORDER, "active_ids": orders, "active_id": orders[0]}  # all that Odoo 14 goes by
    try:
        vals = {"advance_payment_method": "delivered", **values}
        wizards = odoo.call(WIZARD, "create", vals_list=[vals], context=context)
        odoo.call(WIZARD, "create_invoices", wizards, context=context)
    except OdooLockedOut as refusal:
        return {work.key: Outcome("later", str(refusal), sent=False) for work in works}
    except OdooRefused as refusal:
        return in_halves(works, lambda part: _draft(odoo, part), refusal)
    return {work.key: Outcome("done") for work in works}


# ---- outcomes


def _again(work: Work, reason: str) -> Outcome:
    """Nothing to do as things are in Odoo, where they change without our hearing of it.

    The longer ago the delivery, the less often it is looked at: after a tenth of that time, an hour to a day.
    """
    at = work.at or now()
    age = (at - datetime.fromisoformat(work.payload["delivered_at"])) / 10
    return Outcome("done", reason, work.sent, at + min(max(age, _LOOK_AGAIN_AT_LEAST), _LOOK_AGAIN_AT_MOST))


def _read(works: Sequence[Work], look: Callable[[], dict[str, Outcome]]) -> dict[str, Outcome]:
    """What was found; where Odoo does not let us look, all of it waits until somebody mends the setup."""
    try:
        return look() if works else {}
    except OdooRefused as refusal:
        return {work.key: Outcome("later", str(refusal), work.sent) for work in works}


def _counted(outcomes: dict[str, Outcome], of: str, what: str) -> dict[str, Outcome]:
    count = sum(outcome.state == "done" for outcome in outcomes.values())
    metrics.BILLING.labels(of, what).inc(count)
    return outcomes
