"""What Odoo shows in the end, kind by kind, in a form in which two runs can be compared.

Left out is what is not a function of what happened: when news arrived (x_milepost_heard_at, the trace), and what was
promised of an order that arrived, since an estimate moves a promise only while the parcel is still awaited.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shipments.milestone import DEFINITIONS, Milestone, Phase
from tests.fakes.odoo import FakeOdoo

Shown = dict[str, Any]
"""What stands there, by what it is about."""

DELIVERY, ORDER = "stock.picking", "sale.order"
STATE = (
    "x_milepost_milestone",
    "x_milepost_exception",
    "x_milepost_exception_severity",
    "x_milepost_exception_owner",
    "x_milepost_exception_since",
    "x_milepost_exception_due",
    "x_milepost_occurred_at",
    "x_milepost_occurred_text",
    "x_milepost_location",
    "x_milepost_estimated_delivery",
    "x_milepost_eta_history",
    "x_milepost_carrier",
    "x_milepost_parcels",
    "x_milepost_arrived",
    "x_milepost_proof",
)
BILLING = ("x_milepost_billable", "x_milepost_delivered_at", "x_milepost_delivered_text", "x_milepost_signed_by")
BILLING += ("x_milepost_billing_check",)
ROW = ("x_name", "x_milestone", "x_exception", "x_occurred_at", "x_occurred_text", "x_location", "x_carrier")
ROW += ("x_tracking_number", "x_code", "x_description")
ACTIVITY = ("summary", "note", "date_deadline", "user_id")
PROJECT_TASK = ("name", "description", "date_deadline", "priority", "user_ids")
DOCUMENT = ("name", "mimetype", "datas")

FLAG, PROMISE = "x_milepost_billable", "commitment_date"
TITLES = {"mail.activity": "summary", "project.task": "name"}
WATCHED = {FLAG, PROMISE, *TITLES.values()}
"""The fields whose every change of value the stand-in keeps, from the first event on."""


def fields_of(odoo: FakeOdoo, names: Iterable[str]) -> Shown:
    """Those fields of every delivery and every order."""
    records = [record for model in (DELIVERY, ORDER) for record in odoo.records(model)]
    return {f"{record['name']} {name}": record[name] for record in records for name in names if record.get(name)}


def timeline(odoo: FakeOdoo) -> Counter[Any]:
    rows = odoo.records("x_milepost_event")
    return Counter((row["x_picking_id"][1], *(row[name] for name in ROW)) for row in rows)


def open_tasks(odoo: FakeOdoo) -> Counter[Any]:
    """Activities and project tasks that nobody has closed, with whom they are for; one that was escalated says so."""
    activities = [task for task in odoo.records("mail.activity") if task["active"]]
    tasks = [task for task in odoo.records("project.task") if not task["state"].startswith("1_")]
    found = Counter((task["res_id"], *(str(task[name]) for name in ACTIVITY)) for task in activities)
    found.update((task["x_milepost_picking_id"][0], *(_plain(task[name]) for name in PROJECT_TASK)) for task in tasks)
    return found


def documents(odoo: FakeOdoo) -> Counter[Any]:
    return Counter((row["res_id"], *(row[name] for name in DOCUMENT)) for row in odoo.records("ir.attachment"))


def invoices(odoo: FakeOdoo) -> Counter[Any]:
    return Counter((row["invoice_origin"], row["state"]) for row in odoo.records("account.move"))


def promises(odoo: FakeOdoo) -> Shown:
    """The promised dates of the orders that were awaited all the time, and of which each delivery is one parcel."""
    unsteady = {row["x_picking_id"][0] for row in odoo.records("x_milepost_event") if _ends(row["x_milestone"])}
    deliveries = odoo.records(DELIVERY)
    unsteady |= {row["id"] for row in deliveries if row.get("x_milepost_parcels", 0) > 1}
    left_out = {row["sale_id"][0] for row in deliveries if row["id"] in unsteady and row["sale_id"]}
    return {order["name"]: order["commitment_date"] for order in odoo.records(ORDER) if order["id"] not in left_out}


KINDS: Mapping[str, Callable[[FakeOdoo], Mapping[Any, Any]]] = {
    "states": lambda odoo: fields_of(odoo, STATE),
    "timelines": timeline,
    "tasks": open_tasks,
    "documents": documents,
    "billing": lambda odoo: fields_of(odoo, BILLING),
    "draft invoices": invoices,
    "promises": promises,
}


def shown(odoo: FakeOdoo) -> dict[str, Shown]:
    """All of it, by kind."""
    return {kind: {str(about): value for about, value in look(odoo).items()} for kind, look in KINDS.items()}


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What is not the same, a line each."""
    keys = sorted(one.keys() | other.keys())
    return [f"{key}: {one.get(key)!r}, quietly {other.get(key)!r}" for key in keys if one.get(key) != other.get(key)]


def _ends(milestone: str) -> bool:
    return DEFINITIONS[Milestone(milestone)].phase is Phase.END


def _plain(value: Any) -> str:
    """Project tasks link to the delivery in Odoo, whose address is another in each run."""
    return re.sub(r"http://[\d.:]+", "", str(value))
