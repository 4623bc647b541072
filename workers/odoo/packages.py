"""Finding deliveries by the names of their packages: an SSCC, or the number that one parcel of several has."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from shipments.correlation import comparable
from shipments.delivery import Delivery
from workers.odoo.client import Odoo
from workers.odoo.index import MOST_STRANGERS, deliveries_of, read_pickings, ships
from workers.odoo.numbers import written_forms

_LINE = "stock.move.line"


class Packed(NamedTuple):
    """A delivery and the names of its packages that are numbers, as compared."""

    delivery: Delivery
    names: tuple[str, ...]


def find_packages(odoo: Odoo, numbers: Iterable[str]) -> list[Packed]:
    """The deliveries that have a package of one of these names, with all their packages that are named in that way.

    One call for all the numbers, and one more if anything is found. The other packages of a delivery are parcels as
    well if their names have the same form, letter for letter and digit for digit; Odoo's own names (PACK0000123) are
    no numbers of a carrier's. A package's lines say so in every version of Odoo, whatever its model is called.
    """
    wanted = {comparable(number) for number in numbers} - {""}
    forms = sorted({form for number in numbers for form in written_forms(number)})
    if not forms:
        return []
    named = [("picking_id.move_line_ids.result_package_id.name", "in", forms), ("result_package_id", "!=", False)]
    fields = ["picking_id", "result_package_id"]
    domain = [*named, ("state", "!=", "cancel")]
    lines = odoo.call(_LINE, "search_read", domain=domain, fields=fields, order="id", limit=MOST_STRANGERS)
    names: dict[int, set[str]] = {}
    for line in lines:
        names.setdefault(line["picking_id"][0], set()).add(comparable(_own_name(line["result_package_id"][1])))
    told = {id_: _of_one_form(found, wanted) for id_, found in names.items()}
    ids = sorted(id_ for id_, found in told.items() if found)
    if not ids:
        return []
    rows = [row for row in read_pickings(odoo, [("id", "in", ids)], "id", MOST_STRANGERS) if ships(row)]
    return [Packed(delivery, told[delivery.picking_id]) for delivery in deliveries_of(odoo, rows)]


def _own_name(shown: str) -> str:
    """A package in another is shown behind it, up to Odoo 18: PALLET > BOX."""
    return shown.rpartition(" > ")[2]


def _of_one_form(names: set[str], wanted: set[str]) -> tuple[str, ...]:
    forms = {_form(name) for name in names & wanted}
    return tuple(sorted(name for name in names if _form(name) in forms))


def _form(name: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", name))
