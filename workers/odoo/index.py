"""Reading from Odoo which tracking number belongs to which delivery."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shipments.correlation import Named
from shipments.delivery import Delivery
from workers.odoo.client import Odoo
from workers.odoo.fields import ORDER, PICKING

# A record is stamped when its transaction begins, and seen when it ends. Odoo ends transactions after two minutes
# unless it is told otherwise, so what ended late is found when the last five are read again.
OVERLAP = timedelta(minutes=5)

_SECOND = timedelta(seconds=1)
_SEPARATORS = (",", ";", "\n")
_MOST_STRANGERS = 2000
_LEAVES_THE_HOUSE = ("outgoing", "dropship")


@dataclass(frozen=True)
class Page:
    """Some deliveries. Ask again from next_since: at once if there are more, and after a while if not."""

    deliveries: list[Delivery]
    next_since: datetime | None
    more: bool


def pull(odoo: Odoo, since: datetime | None, limit: int = 2000) -> Page:
    """The deliveries changed since then, oldest change first; the first time, all that have a tracking number.

    Some come more than once; none is left out, however many were changed in the same second. Later on, deliveries
    without a number come too: they may have had one.
    """
    changed = [("carrier_tracking_ref", "!=", False)] if since is None else [("write_date", ">=", _text(since))]
    rows = _read(odoo, changed, "write_date, id", limit)
    if len(rows) < limit:
        return Page(_deliveries(odoo, rows), _back(since, rows), more=False)
    # Odoo stores microseconds and tells whole seconds: the last second may go on behind the page
    last = _time(rows[-1]["write_date"])
    if _time(rows[0]["write_date"]) < last:
        rows = [row for row in rows if _time(row["write_date"]) < last]
        return Page(_deliveries(odoo, rows), last, more=True)
    return Page(_deliveries(odoo, _second(odoo, last, limit)), last + _SECOND, more=True)


def find_numbers(odoo: Odoo, numbers: Iterable[str]) -> list[Delivery]:
    """The deliveries that carry any of these numbers, alone or among others. One search for all of them."""
    wanted = {_folded(number): number for number in numbers if number.strip()}
    if not wanted:
        return []
    # `in` can use an index; the slow comparison is left for the few references that hold several numbers
    several = _any([("carrier_tracking_ref", "ilike", separator) for separator in _SEPARATORS])
    within = _any([("carrier_tracking_ref", "ilike", _literally(number)) for number in wanted.values()])
    domain = ["|", ("carrier_tracking_ref", "in", list(wanted.values())), "&", *several, *within]
    rows = _read(odoo, domain, "id", _MOST_STRANGERS)
    return [
        delivery
        for delivery in _deliveries(odoo, rows)
        if any(_folded(number) in wanted for number in delivery.numbers)
    ]


class Naming(NamedTuple):
    """What references name, by the reference, and the deliveries that are named."""

    named: dict[str, Named]
    deliveries: list[Delivery]


def find_named(odoo: Odoo, references: Iterable[str]) -> Naming:
    """The deliveries that these references name: by a tracking number, by their own name, or by the name of the order
    or the customer's reference for it. Three calls for all of them. Canceled deliveries are left out, and of an order
    those that do not leave the house; a reference many orders have names as many deliveries as a page holds.
    """
    wanted = sorted({reference.strip() for reference in references} - {""})
    if not wanted:
        return Naming({}, [])
    orders = _orders_named(odoo, wanted)
    domain = _any(
        [("name", "in", wanted), ("origin", "in", wanted), *([("sale_id", "in", list(orders))] if orders else ())]
    )
    rows = _read(odoo, [("state", "!=", "cancel"), *domain], "id", _MOST_STRANGERS)
    if len(wanted) > 1 and max(len(rows), len(orders)) >= _MOST_STRANGERS:
        halves = [find_named(odoo, half) for half in (wanted[: len(wanted) // 2], wanted[len(wanted) // 2 :])]
        return Naming(halves[0].named | halves[1].named, halves[0].deliveries + halves[1].deliveries)
    by_number = find_numbers(odoo, wanted)
    found = {d.picking_id: d for d in (*_deliveries(odoo, rows), *by_number)}
    named = {reference: _named(reference, rows, orders, by_number) for reference in wanted}
    return Naming({reference: n for reference, n in named.items() if n != Named()}, list(found.values()))


def _orders_named(odoo: Odoo, wanted: list[str]) -> dict[int, set[str]]:
    """The orders of that name or with that customer's reference, each with the references that name it."""
    if "sale_id" not in odoo.field_names(PICKING):
        return {}
    domain = _any([("name", "in", wanted), ("client_order_ref", "in", wanted)])
    fields = ["name", "client_order_ref"]
    rows = odoo.call(ORDER, "search_read", domain=domain, fields=fields, order="id", limit=_MOST_STRANGERS)
    return {row["id"]: {row["name"], row["client_order_ref"]} for row in rows}


def _named(reference: str, rows: list[dict[str, Any]], orders: dict[int, set[str]], by_number: list[Delivery]) -> Named:
    def is_of_order(row: dict[str, Any]) -> bool:
        order = row.get("sale_id")
        of_order = row["origin"] == reference or (order and reference in orders.get(order[0], ()))
        return bool(of_order) and row.get("picking_type_code", "outgoing") in _LEAVES_THE_HOUSE

    return Named(
        number=frozenset(d.picking_id for d in by_number if _folded(reference) in map(_folded, d.numbers)),
        delivery=frozenset(row["id"] for row in rows if row["name"] == reference),
        order=frozenset(row["id"] for row in rows if is_of_order(row)),
    )


def split_numbers(reference: str | None) -> tuple[str, ...]:
    """The tracking numbers in a reference as Odoo keeps it: one text, several numbers joined by commas."""
    parts = (part.strip() for part in re.split(r"[,;\r\n]", reference or ""))
    return tuple(dict.fromkeys(filter(None, parts)))


def _read(odoo: Odoo, domain: list[Any], order: str, limit: int) -> list[dict[str, Any]]:
    names = ["name", "origin", "carrier_tracking_ref", "company_id", "create_date", "write_date", "user_id"]
    names += sorted({"sale_id", "carrier_id", "picking_type_code"} & odoo.field_names(PICKING))
    return odoo.call(PICKING, "search_read", domain=domain, fields=names, order=order, limit=limit)


def _second(odoo: Odoo, at: datetime, limit: int) -> list[dict[str, Any]]:
    """All deliveries changed in that second, a page at a time: more were changed in it than a page holds."""
    rows: list[dict[str, Any]] = []
    page: list[dict[str, Any]] = []
    while not rows or len(page) == limit:
        after = rows[-1]["id"] if rows else 0
        domain = [("write_date", ">=", _text(at)), ("write_date", "<", _text(at + _SECOND)), ("id", ">", after)]
        page = _read(odoo, domain, "id", limit)
        if not page:
            break
        rows += page
    return rows


def _back(since: datetime | None, rows: list[dict[str, Any]]) -> datetime | None:
    if not rows:
        return since
    start = _time(rows[-1]["write_date"]) - OVERLAP
    return max(since, start) if since else start


def _deliveries(odoo: Odoo, rows: list[dict[str, Any]]) -> list[Delivery]:
    responsible = _responsible(odoo, {row["sale_id"][0] for row in rows if row.get("sale_id") and not row["user_id"]})
    return [_delivery(row, responsible) for row in rows]


def _responsible(odoo: Odoo, orders: set[int]) -> dict[int, int]:
    """Who is responsible for these orders. Odoo leaves a delivery made from an order without one."""
    if not orders:
        return {}
    rows = odoo.call(ORDER, "search_read", domain=[("id", "in", sorted(orders))], fields=["user_id"])
    return {row["id"]: row["user_id"][0] for row in rows if row["user_id"]}


def _delivery(row: dict[str, Any], responsible: dict[int, int]) -> Delivery:
    order = row.get("sale_id") or None
    order_id = order[0] if order else None
    return Delivery(
        picking_id=row["id"],
        name=row["name"] or "",
        numbers=split_numbers(row["carrier_tracking_ref"] or None),
        order_id=order_id,
        order_name=order[1] if order else None,
        company_id=row["company_id"][0] if row["company_id"] else None,
        registered_at=_time(row["create_date"]),
        written_at=_time(row["write_date"]),
        user_id=row["user_id"][0] if row["user_id"] else responsible.get(order_id or 0),
        method=row["carrier_id"][1] if row.get("carrier_id") else None,
    )


def _any(conditions: list[Any]) -> list[Any]:
    return ["|"] * (len(conditions) - 1) + conditions


def _literally(number: str) -> str:
    """`ilike` would take % and _ in a number for anything."""
    return re.sub(r"([\\%_])", r"\\\1", number)


def _folded(number: str) -> str:
    return "".join(number.split()).upper()


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
