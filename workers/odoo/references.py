"""Asking Odoo which deliveries the references of parcels name, where their numbers are nobody's."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from shipments.correlation import Named, comparable
from shipments.delivery import LEAVES_THE_HOUSE, Delivery
from workers.odoo.client import Odoo
from workers.odoo.fields import ORDER, PICKING
from workers.odoo.index import MOST_STRANGERS, any_of, deliveries_of, find_numbers, read_pickings

_INVOICE = "account.move"

_may_read_invoices: WeakKeyDictionary[Odoo, bool] = WeakKeyDictionary()


class Naming(NamedTuple):
    """What references name, by the reference, and the deliveries that are named."""

    named: dict[str, Named]
    deliveries: list[Delivery]


def find_named(odoo: Odoo, references: Iterable[str]) -> Naming:
    """The deliveries that these references name: by a tracking number, by their own name, or by the name of the order,
    the customer's reference for it or its invoice. Three calls for all of them, and one more where our user may read
    invoices. Canceled deliveries are left out, and of an order those that do not leave the house; a reference many
    orders have names as many deliveries as a page holds.
    """
    wanted = sorted({reference.strip() for reference in references} - {""})
    if not wanted:
        return Naming({}, [])
    orders = _orders_named(odoo, wanted)
    domain = any_of(
        [("name", "in", wanted), ("origin", "in", wanted), *([("sale_id", "in", list(orders))] if orders else ())]
    )
    rows = read_pickings(odoo, [("state", "!=", "cancel"), *domain], "id", MOST_STRANGERS)
    if len(wanted) > 1 and max(len(rows), len(orders)) >= MOST_STRANGERS:
        halves = [find_named(odoo, half) for half in (wanted[: len(wanted) // 2], wanted[len(wanted) // 2 :])]
        return Naming(halves[0].named | halves[1].named, halves[0].deliveries + halves[1].deliveries)
    by_number = find_numbers(odoo, wanted)
    found = {d.picking_id: d for d in (*deliveries_of(odoo, rows), *by_number)}
    named = {reference: _named(reference, rows, orders, by_number) for reference in wanted}
    return Naming({reference: n for reference, n in named.items() if n != Named()}, list(found.values()))


def _orders_named(odoo: Odoo, wanted: list[str]) -> dict[int, set[str]]:
    """The orders of that name, customer's reference or invoice, each with the references that name it."""
    if "sale_id" not in odoo.field_names(PICKING):
        return {}
    invoices = _invoices_named(odoo, wanted)
    domain = any_of([("name", "in", [*wanted, *invoices]), ("client_order_ref", "in", wanted)])
    fields = ["name", "client_order_ref"]
    rows = odoo.call(ORDER, "search_read", domain=domain, fields=fields, order="id", limit=MOST_STRANGERS)
    return {row["id"]: {row["name"], row["client_order_ref"], *invoices.get(row["name"], ())} for row in rows}


def _invoices_named(odoo: Odoo, wanted: list[str]) -> dict[str, set[str]]:
    """The invoices of those names, by the name of each order they are for. None where our user may not read them."""
    if odoo not in _may_read_invoices:
        _may_read_invoices[odoo] = odoo.may(_INVOICE, "read")
    if not _may_read_invoices[odoo]:
        return {}
    domain = [("name", "in", wanted), ("move_type", "=", "out_invoice"), ("invoice_origin", "!=", False)]
    fields = ["name", "invoice_origin"]
    found: dict[str, set[str]] = {}
    for row in odoo.call(_INVOICE, "search_read", domain=domain, fields=fields, order="id", limit=MOST_STRANGERS):
        for order in row["invoice_origin"].split(","):
            found.setdefault(order.strip(), set()).add(row["name"])
    return found


def _named(reference: str, rows: list[dict[str, Any]], orders: dict[int, set[str]], by_number: list[Delivery]) -> Named:
    def is_of_order(row: dict[str, Any]) -> bool:
        order = row.get("sale_id")
        of_order = row["origin"] == reference or (order and reference in orders.get(order[0], ()))
        return bool(of_order) and row.get("picking_type_code", "outgoing") in LEAVES_THE_HOUSE

    number = comparable(reference)
    return Named(
        number=frozenset(d.picking_id for d in by_number if number in map(comparable, d.numbers)),
        delivery=frozenset(row["id"] for row in rows if row["name"] == reference),
        order=frozenset(row["id"] for row in rows if is_of_order(row)),
    )
