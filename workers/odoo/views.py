"""What people see of Milepost in Odoo: additions to Odoo's own forms, lists and searches, and a menu of its own.

Each row becomes a record by `load`: its model, external name, label for people, and values.
"""

from collections.abc import Iterator

from workers.odoo import forms, lists
from workers.odoo.engine import Engine

Row = tuple[str, str, str, dict[str, str]]

_VIEW, _ACTION, _MODE, _MENU = "ir.ui.view", "ir.actions.act_window", "ir.actions.act_window.view", "ir.ui.menu"
_PICKING, _ORDER = "stock.picking", "sale.order"


def declared(version: tuple[int, int], *, with_orders: bool) -> list[list[Row]]:
    """What people see in an Odoo of that version, in stages: a later one refers to an earlier one."""
    engine = Engine(version)
    return [_views(engine, with_orders=with_orders), *_menu(engine)]


# what people call the records, and Odoo's own views of them by the kind of view
_EXTENDED = {
    _PICKING: (
        "deliveries",
        {
            "form": "stock.view_picking_form",
            "list": "stock.vpicktree",
            "search": "stock.view_picking_internal_search",
        },
    ),
    _ORDER: (
        "sales orders",
        {
            "form": "sale.view_order_form",
            "list": "sale.view_order_tree",
            "search": "sale.view_sales_order_filter",
        },
    ),
}


def _views(engine: Engine, *, with_orders: bool) -> list[Row]:
    additions = [row for model in _EXTENDED if model != _ORDER or with_orders for row in _added(engine, model)]
    return [
        *additions,
        _own("exceptions_list", "list of exceptions", lists.exceptions(engine)),
        _own("exceptions_kanban", "cards of exceptions", lists.cards(engine)),
    ]


def _added(engine: Engine, model: str) -> Iterator[Row]:
    """Additions to Odoo's own views of that model."""
    words, parents = _EXTENDED[model]
    archs = {"form": forms.form(engine, model), "list": lists.columns(engine, model), "search": lists.search(model)}
    for kind, arch in archs.items():
        name = f"{model.split('.')[1]}_{kind}"
        values = {"name": f"milepost.{name}", "model": model, "inherit_id/id": parents[kind], "priority": "90"}
        yield _VIEW, f"view_{name}", f"shipments in the {kind} of {words} (view)", values | {"arch": arch}


def _own(name: str, label: str, arch: str) -> Row:
    """A view of ours, which Odoo shows where it is asked for and nowhere else: its priority is the lowest."""
    values = {"name": f"milepost.{name}", "model": _PICKING, "priority": "900", "arch": arch}
    return _VIEW, f"view_{name}", f"{label} (view)", values


def _menu(engine: Engine) -> list[list[Row]]:
    """Inventory, Operations, Exceptions."""
    action = {
        "name": "Exceptions",
        "res_model": _PICKING,
        "view_mode": engine.modes(),
        "domain": lists.IN_TROUBLE,
        "search_view_id/id": "stock.view_picking_internal_search",
    }
    menu = {
        "name": "Exceptions",
        "parent_id/id": "stock.menu_stock_warehouse_mgmt",
        "sequence": "2",
        "action/id": "milepost.action_exceptions",
    }
    return [
        [(_ACTION, "action_exceptions", "exceptions (action)", action)],
        [
            _mode("list", 1, engine.rows),
            _mode("kanban", 2, "kanban"),
        ],
        [(_MENU, "menu_exceptions", "Inventory, Exceptions (menu)", menu)],
    ]


def _mode(name: str, place: int, mode: str) -> Row:
    values = {
        "act_window_id/id": "milepost.action_exceptions",
        "sequence": str(place),
        "view_mode": mode,
        "view_id/id": f"milepost.view_exceptions_{name}",
    }
    return _MODE, f"action_exceptions_{name}", f"exceptions as {name} (action)", values
