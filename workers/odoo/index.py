"""Reading from Odoo which tracking number belongs to which delivery."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shipments.correlation import comparable
from shipments.delivery import Delivery
from shipments.keep import Keep
from workers.odoo.client import Odoo
from workers.odoo.fields import ORDER, OWNED, PICKING
from workers.odoo.numbers import SEPARATORS, split_numbers, written_forms
from workers.odoo.ownership import find_keep

# A record is stamped when its transaction begins, and seen when it ends. Odoo ends transactions after two minutes
# unless it is told otherwise, so what ended late is found when the last five are read again.
OVERLAP = timedelta(minutes=5)

_SECOND = timedelta(seconds=1)

DATES_FOR_EACH = 5
"""So many times more deliveries are looked at than read: our own writes change them too, and each change is looked at
for as long as OVERLAP."""

_BY_CHANGE = "write_date, id"

MOST_STRANGERS = 2000
"""Deliveries that a search for numbers or references looks at, at most."""

# Nothing is shipped with these: what is made or repaired in the house, and what a customer takes over the counter.
_STAYS_IN_THE_HOUSE = ("mrp_operation", "repair_operation")
_OVER_THE_COUNTER = "pos_session_id"

_MAY_HAVE = {"sale_id", "carrier_id", "picking_type_code", "return_id", _OVER_THE_COUNTER}


@dataclass(frozen=True)
class Page:
    """Some deliveries. Ask again from next_since: at once if there are more, and after a while if not.

    newest: the latest moment at which a delivery of the page was changed; None if it is empty.
    """

    deliveries: list[Delivery]
    next_since: datetime | None
    more: bool
    newest: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What was read before. until: the latest change among it. changes: when those deliveries were last changed, as
    they are known, by id.
    """

    until: datetime
    changes: Callable[[Collection[int]], Mapping[int, datetime]]


def pull(
    odoo: Odoo, since: datetime | None, limit: int = 2000, seen: Seen | None = None, *, by_others: bool = False
) -> Page:
    """The deliveries changed since then, oldest change first; the first time, all with a tracking number and returns.

    Some come more than once; none is left out, however many were changed in the same second. Later on, deliveries
    without a number come too: they may have had one. What is seen already is not read again.
    by_others: without those that we changed last.
    """
    if since is None:
        rows = read_pickings(odoo, _first_time(odoo), _BY_CHANGE, limit)
        return _page(odoo, since, rows, rows, limit, more=len(rows) == limit)
    most = limit * DATES_FOR_EACH
    changed = changed_since(odoo, since, by_others=by_others)
    dates = odoo.call(PICKING, "search_read", domain=changed, fields=["write_date"], order=_BY_CHANGE, limit=most)
    more = len(dates) == most
    known = seen.changes([row["id"] for row in dates]) if seen else {}
    news = [place for place, row in enumerate(dates) if _is_news(row, seen, known)]
    if len(news) > limit:
        dates, news, more = dates[: news[limit]], news[:limit], True
    ids = [dates[place]["id"] for place in news]
    rows = read_pickings(odoo, [("id", "in", ids)], _BY_CHANGE, limit) if ids else []
    return _page(odoo, since, dates, rows, limit, more=more)


def _page(
    odoo: Odoo,
    since: datetime | None,
    dates: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    limit: int,
    *,
    more: bool,
) -> Page:
    """dates: when each delivery was changed, in order; rows: all that is read of those that are news."""
    newest = _time(dates[-1]["write_date"]) if dates else None
    if newest is None or not more:
        return Page(deliveries_of(odoo, rows), _back(since, newest), False, newest)
    # Odoo stores microseconds and tells whole seconds: the last second may go on behind the page
    if _time(dates[0]["write_date"]) < newest:
        told = {row["id"] for row in dates if _time(row["write_date"]) < newest}
        return Page(deliveries_of(odoo, [row for row in rows if row["id"] in told]), newest, True, newest)
    return Page(_second(odoo, newest, limit), newest + _SECOND, True, newest)


def _is_news(row: dict[str, Any], seen: Seen | None, known: Mapping[int, datetime]) -> bool:
    """Whether it was changed since it was read. Of the last second that was read, more may have come since."""
    changed_at = _time(row["write_date"])
    return seen is None or changed_at >= seen.until or known.get(row["id"]) != changed_at


def _first_time(odoo: Odoo) -> list[Any]:
    """A return shows the way back of what it is made from, whether or not it has a number of its own."""
    returns = [("return_id", "!=", False)] if "return_id" in odoo.field_names(PICKING) else []
    return any_of([("carrier_tracking_ref", "!=", False), *returns])


def find_numbers(odoo: Odoo, numbers: Iterable[str]) -> list[Delivery]:
    """The deliveries that carry any of these numbers, alone or among others. One search for all of them."""
    wanted = {comparable(number): number.strip() for number in numbers if comparable(number)}
    if not wanted:
        return []
    # `in` can use an index; the slow comparison is left for the few references that hold several numbers
    several = any_of([("carrier_tracking_ref", "ilike", separator) for separator in SEPARATORS])
    within = any_of([("carrier_tracking_ref", "ilike", _literally(number)) for number in wanted.values()])
    forms = sorted({form for number in wanted.values() for form in written_forms(number)})
    domain = ["|", ("carrier_tracking_ref", "in", forms), "&", *several, *within]
    rows = read_pickings(odoo, domain, "id", MOST_STRANGERS)
    return [
        delivery
        for delivery in deliveries_of(odoo, rows)
        if any(comparable(number) in wanted for number in delivery.numbers)
    ]


def read_pickings(odoo: Odoo, domain: list[Any], order: str, limit: int) -> list[dict[str, Any]]:
    """The deliveries of that domain, with the fields that `deliveries_of` reads."""
    names = ["name", "origin", "carrier_tracking_ref", "company_id", "create_date", "write_date", "user_id"]
    names += ["state", "backorder_id", *sorted({*_MAY_HAVE, *OWNED} & odoo.field_names(PICKING))]
    return odoo.call(PICKING, "search_read", domain=domain, fields=names, order=order, limit=limit)


def _second(odoo: Odoo, at: datetime, limit: int) -> list[Delivery]:
    """All deliveries changed in that second, a page at a time: more were changed in it than a page holds."""
    deliveries: list[Delivery] = []
    page: list[dict[str, Any]] = []
    while not deliveries or len(page) == limit:
        after = deliveries[-1].picking_id if deliveries else 0
        domain = [("write_date", ">=", _text(at)), ("write_date", "<", _text(at + _SECOND)), ("id", ">", after)]
        page = read_pickings(odoo, domain, "id", limit)
        if not page:
            break
        deliveries += deliveries_of(odoo, page)
    return deliveries


def _back(since: datetime | None, newest: datetime | None) -> datetime | None:
    if newest is None:
        return since
    start = newest - OVERLAP
    return max(since, start) if since else start


def deliveries_of(odoo: Odoo, rows: list[dict[str, Any]]) -> list[Delivery]:
    """The deliveries as they are kept, those that ship nothing without numbers."""
    responsible = _responsible(odoo, {row["sale_id"][0] for row in rows if row.get("sale_id") and not row["user_id"]})
    originals = _originals(odoo, rows)
    return [_delivery(row, responsible, originals.get(row["id"]), find_keep(odoo, row)) for row in rows]


def _responsible(odoo: Odoo, orders: set[int]) -> dict[int, int]:
    """Who is responsible for these orders. Odoo leaves a delivery made from an order without one."""
    if not orders:
        return {}
    rows = odoo.call(ORDER, "search_read", domain=[("id", "in", sorted(orders))], fields=["user_id"])
    return {row["id"]: row["user_id"][0] for row in rows if row["user_id"]}


def _delivery(row: dict[str, Any], responsible: dict[int, int], original: int | None, keep: Keep | None) -> Delivery:
    order = row.get("sale_id") or None
    order_id = order[0] if order else None
    return Delivery(
        picking_id=row["id"],
        name=row["name"] or "",
        numbers=split_numbers(row["carrier_tracking_ref"] or None) if ships(row) else (),
        order_id=order_id,
        order_name=order[1] if order else None,
        company_id=_company(row),
        registered_at=_time(row["create_date"]),
        written_at=_time(row["write_date"]),
        user_id=row["user_id"][0] if row["user_id"] else responsible.get(order_id or 0),
        method=row["carrier_id"][1] if row.get("carrier_id") else None,
        keep=keep,
        operation=row.get("picking_type_code") or "outgoing",
        stage=row["state"] or "",
        return_of=original,
        backorder_of=row["backorder_id"][0] if row["backorder_id"] else None,
    )


def _originals(odoo: Odoo, rows: list[dict[str, Any]]) -> dict[int, int]:
    """What returns were made from, by the return. Odoo up to 16 says so in words, which end in the delivery's name;
    and of what comes in, only a return is of a sales order."""
    if "return_id" in odoo.field_names(PICKING):
        return {row["id"]: row["return_id"][0] for row in rows if row["return_id"]}
    named = {
        row["id"]: (row["origin"].split()[-1], _company(row))
        for row in rows
        if row.get("sale_id") and row["origin"] and row.get("picking_type_code") == "incoming"
    }
    if not named:
        return {}
    domain = [("name", "in", sorted({name for name, _ in named.values()}))]
    found = odoo.call(PICKING, "search_read", domain=domain, fields=["name", "company_id"])
    ids = {(row["name"], _company(row)): row["id"] for row in found}  # each company may have a WH/OUT/00001
    return {id_: ids[which] for id_, which in named.items() if which in ids}


def _company(row: dict[str, Any]) -> int | None:
    return row["company_id"][0] if row["company_id"] else None


def ships(row: dict[str, Any]) -> bool:
    """Whether anything is shipped with it, as far as its type says."""
    return row.get("picking_type_code") not in _STAYS_IN_THE_HOUSE and not row.get(_OVER_THE_COUNTER)


def changed_since(odoo: Odoo, since: datetime, *, by_others: bool) -> list[Any]:
    """The domain of records that were written since then. by_others: without those that we wrote last."""
    return [("write_date", ">=", _text(since)), *([("write_uid", "!=", odoo.uid)] if by_others else [])]


def any_of(conditions: list[Any]) -> list[Any]:
    """The conditions joined by `or`, as Odoo writes it."""
    return ["|"] * (len(conditions) - 1) + conditions


def _literally(number: str) -> str:
    """`ilike` would take % and _ in a number for anything."""
    return re.sub(r"([\\%_])", r"\\\1", number)


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
