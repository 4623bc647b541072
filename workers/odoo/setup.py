"""Making an Odoo ready for Milepost, seeing what is missing, and taking it all away again.

No addon is installed: everything goes over the API under external ids of the module `milepost`, so that it works on
Odoo Online, can be done again at any time, and is found again for removal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shipments.errors import OdooRefused, SetupFault
from workers.odoo.client import Odoo
from workers.odoo.documents import ATTACHMENT
from workers.odoo.fields import EVENT, MODULE, ORDER, PICKING, Item, Stage, declared
from workers.odoo.guard import Owner, claim, read_owner, sign
from workers.odoo.project import PROJECT_TASK, project_stages
from workers.odoo.rights import further_rights
from workers.resources import policy

_UNLINK_AT_ONCE = 5000


@dataclass(frozen=True)
class Change:
    """One thing that is not as it should be. action: add, change or remove."""

    action: str
    what: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.what}" + (f" ({', '.join(self.columns)})" if self.columns else "")


def plan(odoo: Odoo) -> list[Change]:
    """What is missing in that Odoo or differs from what Milepost needs; nothing if it is ready."""
    stages = _stages(odoo)
    known = _External(odoo, [item for stage in stages for item in stage])
    changes = [change for stage in stages for _, change in _differences(odoo, known, stage)]
    changes += [change for model in _RIGHTS for change in _surplus(odoo, stages, model).values()]
    owner = claim(odoo, adopt=False)
    return changes if read_owner(odoo) == owner else [*changes, _owning(owner)]


def apply(odoo: Odoo, *, adopt: bool = False) -> list[Change]:
    """Make that Odoo ready. Returns what was changed; a second time, nothing.

    adopt: although another deployment has set it up, or the database it was copied from. Raises SetupFault without it.
    """
    owner = claim(odoo, adopt=adopt)
    done: list[Change] = []
    stages = _stages(odoo)
    for stage in stages:
        known = _External(odoo, stage)
        _adopt(odoo, known, stage)
        different = _differences(odoo, known, stage)
        if different:
            _load(odoo, known, [item for item, _ in different])
            done += [change for _, change in different]
    for model in _RIGHTS:
        if surplus := _surplus(odoo, stages, model):
            odoo.call(model, "unlink", list(surplus))
            done += surplus.values()
    if read_owner(odoo) != owner:
        sign(odoo, owner)
        done.append(_owning(owner))
    odoo.forget_fields()
    return done


# in the order in which they go: a right is taken away before the rule that narrows it
_RIGHTS = {"ir.model.access": "rights", "ir.rule": "rule"}


def _surplus(odoo: Odoo, stages: Iterable[Stage], model: str) -> dict[int, Change]:
    """The rights or rules that an earlier policy or version of Milepost needed, by their database ids."""
    names = {item.name for stage in stages for item in stage}
    domain = [("module", "=", MODULE), ("model", "=", model), ("name", "not in", sorted(names))]
    rows = odoo.call("ir.model.data", "search_read", domain=domain, fields=["name", "res_id"], order="id")
    return {row["res_id"]: Change("remove", f"the {_RIGHTS[model]} {row['name']}") for row in rows}


def _owning(owner: Owner) -> Change:
    return Change("add", f"the mark that this Odoo belongs to the deployment {owner.environment}")


def remove(odoo: Odoo) -> list[Change]:
    """Take away everything Milepost added, the events with it.

    Tasks and proofs of delivery stay: they are people's work, and what was billed on.
    """
    done = [Change("remove", label) for label in removable(odoo)]
    for model, domain in _REMOVAL:
        _unlink_ours(odoo, model, domain)
    _forget_external_ids(odoo)
    odoo.forget_fields()
    return done


# in this order: Odoo keeps a field that a view shows or another is worked out from, and a model that a field points to
_REMOVAL: list[tuple[str, list[tuple[str, str, Any]]]] = [
    ("ir.actions.server", []),
    ("base.automation", []),
    ("ir.ui.menu", []),
    ("ir.actions.act_window", []),
    ("ir.ui.view", []),
    ("ir.model.access", []),
    ("ir.rule", []),
    ("ir.model.fields", [("ttype", "=", "one2many")]),
    ("ir.model.fields", [("depends", "!=", False)]),
    ("ir.model.fields", [("model", "!=", EVENT)]),
    ("ir.model.fields", [("name", "=", "x_order_id")]),
    ("ir.model", []),
    ("res.groups", []),
]


def removable(odoo: Odoo) -> list[str]:
    """What `remove` would take away, in words."""
    labels = {item.name: item.label for stage in declared(odoo.version, with_orders=True) for item in stage}
    stays = ["mail.activity", "project.project", PROJECT_TASK, ATTACHMENT]
    domain = [("module", "=", MODULE), ("model", "not in", [EVENT, *stays])]
    rows = odoo.call("ir.model.data", "search_read", domain=domain, fields=["name", "model"], order="id")
    return [labels.get(row["name"], f"{row['model']} {row['name']}") for row in rows]


def _stages(odoo: Odoo) -> list[Stage]:
    if "carrier_tracking_ref" not in odoo.field_names(PICKING):
        module = "stock_delivery" if odoo.version >= (17, 0) else "delivery"
        raise SetupFault(
            [
                f"Deliveries in this Odoo have no tracking reference, or our user may not read them: "
                f"install the module {module} (Delivery Costs), and give the user Milepost / Integration."
            ]
        )
    with_orders = bool(odoo.field_names(ORDER)) and "sale_id" in odoo.field_names(PICKING)
    wanted = policy()
    return [
        *declared(odoo.version, with_orders=with_orders),
        *project_stages(odoo, wanted),
        *further_rights(odoo, wanted),
    ]


class _External:
    """The database ids behind the external ids that some items have or speak of."""

    def __init__(self, odoo: Odoo, items: Iterable[Item]) -> None:
        names = {item.external_id for item in items}
        for item in items:
            names |= {value for column, value in item.values.items() if column.endswith("/id") and value}
        domain: list[Any] = [
            ("module", "in", sorted({name.split(".")[0] for name in names})),
            ("name", "in", sorted({name.split(".", 1)[1] for name in names})),
        ]
        rows = odoo.call("ir.model.data", "search_read", domain=domain, fields=["module", "name", "res_id"])
        self._ids = {f"{row['module']}.{row['name']}": row["res_id"] for row in rows}

    def find(self, external_id: str) -> int | None:
        return self._ids.get(external_id)

    def learn(self, external_id: str, record: int) -> None:
        self._ids[external_id] = record


def _differences(odoo: Odoo, known: _External, stage: Stage) -> list[tuple[Item, Change]]:
    ids = {item.name: record for item in stage if (record := known.find(item.external_id))}
    columns = sorted({column.split("/")[0] for item in stage for column in item.values})
    domain = [("id", "in", sorted(ids.values()))]
    rows = odoo.call(stage[0].model, "search_read", domain=domain, fields=columns) if ids else []
    present = {row["id"]: row for row in rows}
    found = []
    for item in stage:
        record = present.get(ids.get(item.name, 0))
        if record is None:
            found.append((item, Change("add", item.label)))
        elif wrong := tuple(
            c for c, value in item.values.items() if not _same(known, record[c.split("/")[0]], c, value)
        ):
            found.append((item, Change("change", item.label, wrong)))
    return found


def _same(known: _External, actual: Any, column: str, wanted: str) -> bool:
    """Whether what `read` gave is what `load` would make of that column."""
    if column.endswith("/id"):
        return known.find(wanted) in _linked(actual) if wanted else not actual
    if isinstance(actual, bool):
        return actual == (wanted == "1")
    return str(actual).strip() == wanted.strip()


def _linked(actual: Any) -> list[int]:
    """The ids in a relation as `read` gives it: False, [id, name], a list of ids, or "model,id"."""
    if not actual:
        return []
    if isinstance(actual, str):
        return [int(actual.rpartition(",")[2])]
    return actual[:1] if isinstance(actual[-1], str) else actual


def _adopt(odoo: Odoo, known: _External, stage: Stage) -> None:
    """Have our external ids mean the fields and models of those names, where they exist.

    Odoo makes x_name by itself, without one; and when it removes a model, it leaves the external ids of its fields.
    """
    key = _IDENTITY.get(stage[0].model)
    if not key:
        return
    items = {_identity(known, item): item for item in stage if key[0] in item.values}
    domain = [(key[0], "in", [item.values[key[0]] for item in items.values()])]
    for row in odoo.call(stage[0].model, "search_read", domain=domain, fields=list(key)):
        item = items.get(tuple(_linked(row[column])[0] if column == "model_id" else row[column] for column in key))
        if item and known.find(item.external_id) != row["id"]:
            _point(odoo, item, row["id"])
            known.learn(item.external_id, row["id"])


def _point(odoo: Odoo, item: Item, record: int) -> None:
    """Have the external id of an item mean that record."""
    domain = [("module", "=", MODULE), ("name", "=", item.name)]
    if rows := odoo.call("ir.model.data", "search_read", domain=domain, fields=["id"]):
        odoo.call("ir.model.data", "unlink", [row["id"] for row in rows])
    values = {"module": MODULE, "name": item.name, "model": item.model, "res_id": record}
    odoo.call("ir.model.data", "create", vals_list=[values])


# what makes a record the same one even without an external id
_IDENTITY: dict[str, tuple[str, ...]] = {"ir.model": ("model",), "ir.model.fields": ("name", "model_id")}


def _identity(known: _External, item: Item) -> tuple[Any, ...]:
    key = _IDENTITY.get(item.model, ())
    return tuple(known.find(item.values["model_id/id"]) if c == "model_id" else item.values.get(c) for c in key)


# a menu's action may be of several models, and `load` wants the model and the database id of it
_REFERENCES = {"action/id": "ir.actions.act_window"}


def _column(known: _External, column: str, value: str) -> tuple[str, str]:
    """A column and its value as `load` takes them."""
    if model := _REFERENCES.get(column):
        return column.removesuffix("/id"), f"{model},{known.find(value)}"
    return column, value


def _load(odoo: Odoo, known: _External, items: list[Item]) -> None:
    """Send the items of one stage. Rows with the same columns go together."""
    by_columns: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        by_columns.setdefault(tuple(item.values), []).append(item)
    for group in by_columns.values():
        rows = [dict(_column(known, *pair) for pair in item.values.items()) for item in group]
        data = [[item.external_id, *row.values()] for item, row in zip(group, rows, strict=True)]
        answer = odoo.call(group[0].model, "load", fields=["id", *rows[0]], data=data)
        if not answer["ids"]:
            reasons = "; ".join(" ".join(str(message["message"]).split()) for message in answer["messages"])
            raise OdooRefused(f"Odoo did not take {', '.join(item.label for item in group)}: {reasons}")
        if group[0].model == "ir.model.access":
            # Odoo 19 empties its cache of who may create what before it makes the rules, and fills it again while it
            # makes them: without another write, the process that made them goes on as if they were not there
            odoo.call("ir.model.access", "write", answer["ids"], vals={"perm_unlink": False})


def _ours(odoo: Odoo, model: str) -> list[int]:
    domain = [("module", "=", MODULE), ("model", "=", model)]
    return [row["res_id"] for row in odoo.call("ir.model.data", "search_read", domain=domain, fields=["res_id"])]


def _unlink_ours(odoo: Odoo, model: str, domain: list[tuple[str, str, Any]]) -> None:
    if not (ours := _ours(odoo, model)):
        return  # Odoo may not even have that model
    if rows := odoo.call(model, "search_read", domain=[("id", "in", ours), *domain], fields=["id"]):
        odoo.call(model, "unlink", [row["id"] for row in rows])


def _forget_external_ids(odoo: Odoo) -> None:
    """Odoo drops the table of a removed model, and leaves the external ids of its rows behind."""
    domain = [("module", "=", MODULE)]
    while rows := odoo.call("ir.model.data", "search_read", domain=domain, fields=["id"], limit=_UNLINK_AT_ONCE):
        odoo.call("ir.model.data", "unlink", [row["id"] for row in rows])
