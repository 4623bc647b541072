"""Reading from Odoo what it shows of deliveries and orders: the state Milepost wrote, and who wrote the record last."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from shipments.errors import OdooRefused
from workers.odoo.client import Odoo, OdooLockedOut
from workers.odoo.fields import EVENT, ORDER, OWNED, PICKING
from workers.odoo.index import any_of, changed_since
from workers.odoo.ownership import KEPT, LOCKED, SENT

Row = dict[str, Any]

_MOST_TOLD_APART = 16


def read_states(odoo: Odoo, model: str, domain: list[Any], limit: int = 0) -> list[Row]:
    """The records of that domain, by id, with what is ours on them. Nothing where setup has not been run."""
    names = odoo.field_names(model)
    if SENT not in names:
        return []
    fields = ["name", "write_date", *sorted(names & set(OWNED))]
    more: dict[str, Any] = {"limit": limit} if limit else {}
    rows: list[Row] = odoo.call(model, "search_read", domain=domain, fields=fields, order="id", **more)
    return rows


def people_changed(odoo: Odoo, since: datetime) -> list[Any]:
    """Those that carry something of ours and were written since then by anybody but us."""
    ours = any_of([(SENT, "!=", False), (KEPT, "!=", False), (LOCKED, "=", True)])
    return [*changed_since(odoo, since, by_others=True), *ours]


def has_orders(odoo: Odoo) -> bool:
    """Whether this Odoo has sales orders that lead to deliveries."""
    return "sale_id" in odoo.field_names(PICKING) and SENT in odoo.field_names(ORDER)


def find_deleted(odoo: Odoo, pickings: Collection[int]) -> set[int]:
    """Those that do not exist any more. To read one that our user may not see is refused, and it is not among them.

    pickings: such as no search finds. Where many are hidden, all of them are taken for hidden.
    """
    ids = sorted(pickings)
    if not ids:
        return set()
    try:
        there = {row["id"] for row in odoo.call(PICKING, "read", ids, fields=["name"])}
    except OdooLockedOut:
        raise
    except OdooRefused as refusal:
        if not refusal.kind.endswith("AccessError"):
            raise
        if len(ids) == 1 or len(ids) > _MOST_TOLD_APART:
            return set()
        middle = len(ids) // 2
        return find_deleted(odoo, ids[:middle]) | find_deleted(odoo, ids[middle:])
    return set(ids) - there


def count_events(odoo: Odoo, pickings: Collection[int]) -> dict[int, int]:
    """How many rows the timeline of each of these deliveries has; none where it has none. One call."""
    domain = [("x_picking_id", "in", sorted(pickings))]
    if odoo.version >= (19, 0):
        groups = odoo.call(
            EVENT, "formatted_read_group", domain=domain, groupby=["x_picking_id"], aggregates=["__count"]
        )
    else:
        groups = odoo.call(
            EVENT, "read_group", domain=domain, fields=["x_picking_id"], groupby=["x_picking_id"], lazy=False
        )
    return {group["x_picking_id"][0]: group["__count"] for group in groups}


def find_external_ids(odoo: Odoo, model: str, domain: list[Any]) -> set[str]:
    """The external ids of the records of that domain, archived ones too. Two calls, one where there are none.

    Asked of the records: our user may not read ir.model.data.
    """
    rows = odoo.call(model, "search_read", domain=domain, fields=["id"], context={"active_test": False})
    names = odoo.call(model, "get_external_id", [row["id"] for row in rows]) if rows else {}
    return {name for name in names.values() if name}
