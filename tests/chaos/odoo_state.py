"""What Odoo shows in the end, in a form in which two runs can be compared, and what stands in it twice."""

from collections import Counter
from typing import Any

from tests.chaos.site import Site
from tests.fakes.odoo import FakeOdoo

STATE = (
    "x_milepost_milestone",
    "x_milepost_exception",
    "x_milepost_occurred_at",
    "x_milepost_occurred_text",
    "x_milepost_location",
    "x_milepost_estimated_delivery",
)
ROW = ("x_name", "x_milestone", "x_exception", "x_occurred_at", "x_occurred_text", "x_location", "x_carrier")
ROW += ("x_tracking_number", "x_code", "x_description")
TASK = ("summary", "note", "date_deadline", "user_id")

Shown = dict[str, Any]


def shown(odoo: FakeOdoo) -> Shown:
    """Every delivery and order field by field, every row of a timeline, every open task; by what it is about."""
    found: Shown = {}
    for model in ("stock.picking", "sale.order"):
        for record in odoo.records(model):
            found |= {f"{record['name']} {name}": record.get(name) for name in STATE}
    for row, count in timeline(odoo).items():
        found[f"timeline {row}"] = count
    for task, count in tasks(odoo, open_only=True).items():
        found[f"open task {task}"] = count
    return found


def differences(one: Shown, other: Shown) -> list[str]:
    """What is not the same, a line each."""
    keys = sorted(one.keys() | other.keys())
    return [f"{key}: {one.get(key)!r}, quietly {other.get(key)!r}" for key in keys if one.get(key) != other.get(key)]


def duplicates(site: Site) -> list[str]:
    """Rows, tasks and chatter of ours that Odoo holds once more than was decided."""
    found = [f"timeline {row} stands there {count} times" for row, count in timeline(site.odoo).items() if count > 1]
    decided = dict(site.rows("select subject, count(*) from effects where kind = 'activity' group by subject"))
    held = Counter(task["res_id"] for task in site.odoo.records("mail.activity"))
    said = Counter(m["res_id"] for m in site.odoo.records("mail.message") if m["model"] == "stock.picking")
    found += [f"delivery {id_} has {n} tasks" for id_, n in held.items() if n > decided.get(id_, 0)]
    found += [f"delivery {id_} has {n} notes that a task was closed" for id_, n in said.items() if n > held[id_]]
    return found


def timeline(odoo: FakeOdoo) -> Counter[tuple[Any, ...]]:
    rows = odoo.records("x_milepost_event")
    return Counter((row["x_picking_id"][1], *(row[name] for name in ROW)) for row in rows)


def tasks(odoo: FakeOdoo, open_only: bool) -> Counter[tuple[Any, ...]]:
    rows = [task for task in odoo.records("mail.activity") if task["active"] or not open_only]
    return Counter((row["res_id"], *(str(row[name]) for name in TASK)) for row in rows)
