"""What stands in the Odoo of the chaos run: orders with one or two deliveries, each with one or two parcels."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.chaos.policy import DESK
from tests.fakes.odoo import FakeOdoo

A_BACKORDER_IN = 4
PROMISED_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Order:
    """numbers: the tracking numbers of all its deliveries."""

    name: str
    numbers: tuple[str, ...]


def fill(odoo: FakeOdoo, count: int, start: datetime) -> list[Order]:
    """So many orders, the same ones every time, promised some days after `start`. Every fourth has a backorder."""
    made = odoo.seed(count)
    with odoo.store.transaction():
        odoo.store.add("res.users", {"name": "Exceptions desk", "login": DESK})
        return [
            _promise(odoo, row, start + PROMISED_AFTER, place % A_BACKORDER_IN == 0) for place, row in enumerate(made)
        ]


def _promise(odoo: FakeOdoo, row: dict[str, object], promised: datetime, in_two: bool) -> Order:
    odoo.store.change("sale.order", [row["order_id"]], {"commitment_date": promised})
    numbers = list(row["tracking"])
    if in_two:
        first = odoo.store.models["stock.picking"].records[row["picking_id"]]
        same = {name: first[name] for name in ("origin", "sale_id", "partner_id", "picking_type_code")}
        second = odoo.store.add("stock.picking", same | {"backorder_id": first["id"]})
        numbers.append(f"1Z999AC1{second:010d}")
        odoo.store.change("stock.picking", [second], {"carrier_tracking_ref": numbers[-1]})
    return Order(row["order"], tuple(numbers))
