"""The demo's own deliveries in Odoo: a customer, orders, and a tracking number on each delivery."""

from collections.abc import Sequence

from shipments.delivery import Delivery
from workers.odoo.client import Odoo
from workers.odoo.index import find_numbers

CARRIERS = ("dhl_unified", "fedex", "ups")


def demo_numbers(count: int) -> dict[str, str]:
    """So many tracking numbers, each with its carrier; the same ones every time, so that a demo can be run again."""
    return {f"DEMO{place:04d}{CARRIERS[place % 3][:3].upper()}": CARRIERS[place % 3] for place in range(1, count + 1)}


def make_deliveries(odoo: Odoo, numbers: Sequence[str]) -> dict[str, Delivery]:
    """The delivery of each number; those that Odoo does not have yet are made."""
    known = {number for delivery in find_numbers(odoo, numbers) for number in delivery.numbers}
    missing = [number for number in numbers if number not in known]
    if missing:
        _make(odoo, missing)
    return {number: d for d in find_numbers(odoo, numbers) for number in d.numbers if number in numbers}


def _make(odoo: Odoo, numbers: Sequence[str]) -> None:
    (product,) = odoo.call("product.product", "create", vals_list=[{"name": "Milepost demo", "type": "consu"}])
    (partner,) = odoo.call("res.partner", "create", vals_list=[{"name": "Milepost demo customer"}])
    line = (0, 0, {"product_id": product, "product_uom_qty": 1})
    orders = odoo.call(
        "sale.order", "create", vals_list=[{"partner_id": partner, "order_line": [line]} for _ in numbers]
    )
    odoo.call("sale.order", "action_confirm", orders)
    pickings = odoo.call("stock.picking", "search_read", domain=[("sale_id", "in", orders)], fields=["id"], order="id")
    rows = [[str(picking["id"]), number] for picking, number in zip(pickings, numbers, strict=True)]
    odoo.call("stock.picking", "load", fields=[".id", "carrier_tracking_ref"], data=rows)
