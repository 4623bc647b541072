"""The verified stand-in for Odoo: the few calls Milepost makes, over HTTP, in JSON-2 and JSON-RPC, from memory.

    python -m tests.fakes.odoo --port 8069 --seed 12

prints its settings as `export` lines and one JSON line per delivery, and runs until it is stopped. It exists so that
tests and a newcomer's demo take seconds. The tests in tests/workers/odoo hold it to what a real Odoo does; it is never
the proof that Odoo works.
"""

import argparse
import ast
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from config.settings import Settings, load_settings
from tests.fakes.odoo_keys import KEY_MODELS, WebSessions, live_keys, shape_keys
from tests.fakes.odoo_refusal import No

DATABASE, LOGIN, PASSWORD, API_KEY = "milepost", "admin", "admin", "stand-in-key-of-no-value"
ADMIN = 2
Record = dict[str, Any]


def _missing(model: str, ids: list[int]) -> No:
    text = f"Record does not exist or has been deleted.\n(Record: {model}({', '.join(map(str, ids))},), User: {ADMIN})"
    return No("odoo.exceptions.MissingError", text, 404)


def _forbidden(operation: str, model: str) -> No:
    return No("odoo.exceptions.AccessError", f"You are not allowed to {operation} '{model}' records.", 403)


def _invalid(text: str) -> No:
    return No("builtins.ValueError", text, 500)


# ---- what a plain Odoo has, as far as Milepost looks at it: "field:type:model it points to", a star is required

_COMMON = (
    "id:integer create_date:datetime write_date:datetime create_uid:many2one:res.users write_uid:many2one:res.users"
)
_COMMON += " display_name:char"
_MODELS = {
    "res.users": "name:char login:char tz:char lang:char company_ids:many2many:res.company",
    **KEY_MODELS,
    "res.groups": "name:char comment:text implied_ids:many2many:res.groups",
    "res.company": "name:char",
    "res.partner": "name:char email:char phone:char street:char city:char zip:char",
    "product.product": "name:char type:char weight:float list_price:float",
    "sale.order": "name:char partner_id:many2one:res.partner client_order_ref:char order_line:json state:char"
    " user_id:many2one:res.users company_id:many2one:res.company commitment_date:datetime invoice_status:char",
    "sale.advance.payment.inv": "advance_payment_method:char sale_order_ids:many2many:sale.order"
    " consolidated_billing:boolean",
    "sale.order.line": "name:char order_id:many2one:sale.order",
    "account.tax": "name:char",
    "product.template": "name:char",
    "stock.location": "name:char",
    "stock.warehouse": "name:char code:char company_id:many2one:res.company",
    "account.move.line": "name:char move_id:many2one:account.move",
    "stock.move": "name:char picking_id:many2one:stock.picking",
    "account.move": "name:char move_type:char state:char invoice_origin:char",
    "stock.picking": "name:char origin:char partner_id:many2one:res.partner carrier_tracking_ref:char state:char"
    " sale_id:many2one:sale.order company_id:many2one:res.company user_id:many2one:res.users location_id:char*"
    " carrier_id:many2one:delivery.carrier picking_type_code:char return_id:many2one:stock.picking"
    " backorder_id:many2one:stock.picking",
    "stock.package": "name:char",
    "stock.move.line": "picking_id:many2one:stock.picking result_package_id:many2one:stock.package state:char",
    "delivery.carrier": "name:char product_id:many2one:product.product",
    "mail.message": "model:char res_id:integer body:html message_type:char is_internal:boolean"
    " subtype_id:many2one:mail.message.subtype",
    "mail.message.subtype": "name:char",
    "mail.activity": "res_model_id:many2one:ir.model res_model:char res_id:integer summary:char note:html"
    " active:boolean"
    " activity_type_id:many2one:mail.activity.type date_deadline:date user_id:many2one:res.users feedback:text",
    "mail.activity.type": "name:char",
    "mail.alias.domain": "name:char",
    "project.project": "name:char privacy_visibility:char active:boolean",
    "project.task.type": "name:char",
    "project.tags": "name:char",
    "project.task": "name:char project_id:many2one:project.project user_ids:many2many:res.users state:char"
    " company_id:many2one:res.company"
    " date_deadline:datetime description:html priority:char active:boolean",
    "ir.model": "name:char model:char order:char state:char",
    "ir.model.fields": "name:char model_id:many2one:ir.model model:char field_description:char ttype:char help:text"
    " selection:char relation:char relation_field:char"
    " related:char store:boolean on_delete:char copied:boolean readonly:boolean"
    " index:boolean state:char compute:text depends:char help:text",
    "ir.model.access": "name:char model_id:many2one:ir.model group_id:many2one:res.groups perm_read:boolean"
    " perm_write:boolean perm_create:boolean perm_unlink:boolean",
    "ir.rule": "name:char model_id:many2one:ir.model domain_force:char groups:many2many:res.groups",
    "ir.model.data": "module:char name:char model:char res_id:integer",
    "ir.module.module": "name:char state:char",
    "ir.ui.view": "name:char model:char inherit_id:many2one:ir.ui.view priority:integer arch:text",
    "ir.actions.act_window": "name:char res_model:char view_mode:char domain:char search_view_id:many2one:ir.ui.view",
    "ir.actions.act_window.view": "act_window_id:many2one:ir.actions.act_window sequence:integer view_mode:char"
    " view_id:many2one:ir.ui.view",
    "ir.ui.menu": "name:char parent_id:many2one:ir.ui.menu sequence:integer action:reference",
    "ir.attachment": "name:char res_model:char res_id:integer mimetype:char datas:binary",
    "ir.config_parameter": "key:char value:char",
}
_PLACES = {"create": ["vals_list"], "write": ["ids", "vals"], "search": ["domain"], "search_count": ["domain"]}
"""What JSON-RPC takes by its place, for these methods."""

_MODULES = ("base", "mail", "stock", "delivery", "stock_delivery", "sale", "sale_stock")
_AREAS = {"account", "mail", "product", "project", "sale", "stock"}
_REFERENCES = {
    "base.group_user": ("res.groups", "Role / User"),
    "base.group_system": ("res.groups", "Role / Administrator"),
    "base.group_multi_company": ("res.groups", "Multi Companies"),
    "stock.group_stock_user": ("res.groups", "Inventory / User"),
    "sales_team.group_sale_salesman": ("res.groups", "Sales / User: Own Documents Only"),
    "mail.mt_note": ("mail.message.subtype", "Note"),
    "mail.mail_activity_data_todo": ("mail.activity.type", "To-Do"),
    "stock.view_picking_form": ("ir.ui.view", "stock.picking.form"),
    "stock.vpicktree": ("ir.ui.view", "stock.picking.list"),
    "stock.view_picking_internal_search": ("ir.ui.view", "stock.picking.internal.search"),
    "stock.menu_stock_warehouse_mgmt": ("ir.ui.menu", "Operations"),
    "sale.view_order_form": ("ir.ui.view", "sale.order.form"),
    "sale.view_order_tree": ("ir.ui.view", "sale.order.list (orders)"),
    "sale.view_sales_order_filter": ("ir.ui.view", "sale.order.list.select"),
}


@dataclass
class Field:
    type: str
    relation: str = ""
    required: bool = False
    selection: dict[str, str] = field(default_factory=dict)
    inverse: str = ""
    related: str = ""
    is_stored: bool = True


class Change(NamedTuple):
    """A field that somebody wanted to be told of got another value."""

    model: str
    id: int
    name: str
    before: Any
    after: Any


@dataclass
class Model:
    fields: dict[str, Field]
    records: dict[int, Record] = field(default_factory=dict)
    last_id: int = 0


def _fields(text: str) -> dict[str, Field]:
    found = {}
    for word in f"{_COMMON} {text}".split():
        name, kind, relation = (*word.rstrip("*").split(":"), "")[:3]
        found[name] = Field(kind, relation, required=word.endswith("*"))
    return found


class Store:
    """The records, and the rules Odoo has for them. One call at a time, each a transaction.

    watched: names of fields whose changes of value are kept, in order, in `changes`.
    """

    def __init__(self, version: tuple[int, int]) -> None:
        self.version = version
        self.models = {name: Model(_fields(text)) for name, text in _MODELS.items()}
        shape_keys(self)
        self.forbidden: set[tuple[str, str]] = set()
        self.watched: set[str] = set()
        self.changes: list[Change] = []
        self._now = datetime.now(UTC)
        self._external: dict[str, tuple[str, int]] = {}
        self._fill()

    def _fill(self) -> None:
        lines = Field("one2many", "stock.move.line", inverse="picking_id")
        self.models["stock.picking"].fields["move_line_ids"] = lines
        self.add("res.users", {"name": "System", "login": "__system__"})
        self.add("res.users", {"name": "Administrator", "login": LOGIN, "tz": False, "lang": "en_US"})
        self.add("ir.config_parameter", {"key": "database.uuid", "value": "00000000-0000-4000-8000-00000000fa4e"})
        expires = self._now.replace(year=self._now.year + 1)
        key = {"name": "sandbox", "user_id": ADMIN, "expiration_date": expires, "key": API_KEY}
        self.add("res.users.apikeys", key)
        for name in _MODULES:
            self.add("ir.module.module", {"name": name, "state": "installed"})
        for model in _MODELS:
            record = self.add("ir.model", {"name": model, "model": model, "order": "id", "state": "base"})
            area = model.split(".")[0]
            module = area if area in _AREAS else "base"
            self.name_it(f"{module}.model_{model.replace('.', '_')}", "ir.model", record)
        for external_id, (model, text) in _REFERENCES.items():
            self.name_it(external_id, model, self.add(model, {"name": text}))
        self.add("res.company", {"name": "Sample Company"})
        for model in ("stock.picking", "sale.order"):
            values = {"model_id": self._external[f"{model.split('.')[0]}.model_{model.replace('.', '_')}"][1]}
            self.add("ir.rule", values | {"domain_force": "[('company_id', 'in', company_ids)]"})

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._now = datetime.now(UTC)
        yield

    def get(self, name: str) -> Model:
        if name not in self.models:
            raise No("werkzeug.exceptions.NotFound", f"the model '{name}' does not exist", 404)
        return self.models[name]

    # -- records

    def add(self, model: str, values: Record) -> int:
        """A new record, with what Odoo fills in by itself."""
        target = self.get(model)
        self._know(model, values)
        target.last_id += 1
        record = dict.fromkeys(target.fields, False)
        record |= {"create_uid": ADMIN, "create_date": self._now, **self._defaults(model, target.last_id)}
        target.records[target.last_id] = record | {"id": target.last_id}
        self.change(model, [target.last_id], values)
        return target.last_id

    def change(self, model: str, ids: list[int], values: Record) -> None:
        target = self.get(model)
        self._know(model, values)
        if gone := [record for record in ids if record not in target.records]:
            raise _missing(model, gone)
        for record in ids:
            stored = {k: self._stored(target.fields[k], v) for k, v in values.items()}
            before = target.records[record]
            self.changes += [
                Change(model, record, name, before[name], stored[name])
                for name in stored.keys() & self.watched
                if before[name] != stored[name]
            ]
            target.records[record] |= stored
            target.records[record] |= {"write_date": self._now, "write_uid": ADMIN}
            self._after_change(model, target.records[record])

    def remove(self, model: str, ids: list[int]) -> None:
        for record in ids:
            gone = self.get(model).records.pop(record, None)
            if gone is None:
                continue
            if model == "ir.model.fields":
                self.models[gone["model"]].fields.pop(gone["name"], None)
            if model == "ir.model":
                self.models.pop(gone["model"], None)
            if model == "ir.model.data":
                self._external.pop(f"{gone['module']}.{gone['name']}", None)
            else:
                self._forget_name(model, record)
            self._cascade(model, record)

    def _know(self, model: str, values: Record) -> None:
        for name in values:
            if name not in self.models[model].fields:
                raise _invalid(f"Invalid field '{name}' in '{model}'")

    def _defaults(self, model: str, record: int) -> Record:
        if model == "sale.order":
            return {"name": f"S{record:05d}", "state": "draft", "user_id": ADMIN, "company_id": 1}
        if model == "stock.picking":
            return {"name": f"WH/OUT/{record:05d}", "state": "assigned", "company_id": 1, "location_id": "WH/Stock"}
        if model == "project.task":
            return {"active": True, "state": "01_in_progress", "priority": "0"}
        active = {"active": True}
        defaults = {"mail.activity": active, "project.project": active, "ir.model": {"order": "id", "state": "manual"}}
        return defaults.get(model, {})

    def _stored(self, kind: Field, value: Any) -> Any:
        if kind.type == "integer":
            return int(value or 0)
        if kind.type == "datetime" and isinstance(value, str) and value:
            return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        if kind.type == "many2many" and isinstance(value, list):
            return [record for command in value for record in command[2]]
        if kind.selection and value and value not in kind.selection:
            raise _invalid(f"Wrong value: {value!r}")
        return value

    def _after_change(self, model: str, record: Record) -> None:
        if model == "ir.model" and record["model"] not in self.models:
            self.models[record["model"]] = Model(_fields("x_name:char"))
            values = {"name": "x_name", "model_id": record["id"], "field_description": "Name", "ttype": "char"}
            self.add("ir.model.fields", values | {"copied": True})
        if model == "ir.model.fields" and record["model_id"] and record["ttype"]:
            record["model"] = self.models["ir.model"].records[record["model_id"]]["model"]
            self._define(record)
        if model == "ir.model.data":
            self._external[f"{record['module']}.{record['name']}"] = (record["model"], record["res_id"])
        if model == "res.company":  # whoever makes a company is in it
            user = self.models["res.users"].records[ADMIN]
            user["company_ids"] = sorted({*(user["company_ids"] or ()), record["id"]})
        if model == "mail.activity" and record["res_model_id"]:
            record["res_model"] = self.models["ir.model"].records[record["res_model_id"]]["model"]

    def _define(self, record: Record) -> None:
        model = self.models[record["model"]]
        choices = dict(ast.literal_eval(record["selection"])) if record["selection"] else {}
        model.fields[record["name"]] = Field(
            record["ttype"],
            record["relation"] or "",
            selection=choices,
            inverse=record["relation_field"] or "",
            related=record["related"] or "",
        )
        for other in model.records.values():
            other.setdefault(record["name"], False)

    def _cascade(self, model: str, record: int) -> None:
        if model == "stock.picking" and "x_milepost_event" in self.models:
            events = self.models["x_milepost_event"].records
            self.remove("x_milepost_event", [e["id"] for e in list(events.values()) if e["x_picking_id"] == record])
        if model == "ir.model":  # Odoo has its database remove the fields of a model, which leaves their external ids
            fields = self.models["ir.model.fields"].records
            for field in [row["id"] for row in fields.values() if row["model_id"] == record]:
                del fields[field]

    def rules(self, model: str) -> list[Any]:
        """What our user may see of that model, as one domain. It is in no group that has rules of its own."""
        companies = self.models["res.users"].records[ADMIN]["company_ids"]
        rows = [row for row in self.models["ir.rule"].records.values() if not row["groups"]]
        about = [row for row in rows if self.models["ir.model"].records[row["model_id"]]["model"] == model]
        domains = [row["domain_force"].replace("company_ids", repr(companies)) for row in about]
        return [term for domain in domains for term in ast.literal_eval(domain)]

    def sees(self, model: str, record: int) -> bool:
        """Whether our user may see that record, if there is one."""
        row = self.get(model).records.get(record)
        return row is None or matcher(self, model, self.rules(model))(row)

    # -- external ids

    def find(self, external_id: str, model: str) -> int | None:
        known = self._external.get(external_id)
        return known[1] if known and known[0] == model and known[1] in self.get(model).records else None

    def name_it(self, external_id: str, model: str, record: int) -> None:
        module, name = external_id.split(".", 1)
        self.add("ir.model.data", {"module": module, "name": name, "model": model, "res_id": record})

    def names(self, model: str) -> dict[int, str]:
        return {record: name for name, (its_model, record) in self._external.items() if its_model == model}

    def _forget_name(self, model: str, record: int) -> None:
        for row in list(self.models["ir.model.data"].records.values()):
            if (row["model"], row["res_id"]) == (model, record):
                self.remove("ir.model.data", [row["id"]])

    # -- reading

    def value(self, model: str, record: Record, name: str) -> Any:
        """What is behind a field: a stored value, or for a link the ids it leads to."""
        kind = self.get(model).fields.get(name)
        if kind is None:
            raise _invalid(f"Invalid field '{name}' on '{model}'")
        if kind.related:
            link, last = kind.related.split(".")
            target = self.models[model].fields[link].relation
            return self.value(target, self.models[target].records[record[link]], last) if record[link] else False
        if kind.type == "one2many":
            rows = self.models[kind.relation].records.values()
            return [row["id"] for row in rows if self.value(kind.relation, row, kind.inverse) == record["id"]]
        return record[name]

    def shown(self, model: str, record: Record, name: str) -> Any:
        """A field as `read` gives it."""
        value, kind = self.value(model, record, name), self.get(model).fields[name]
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S")
        if kind.type == "many2one" and value:
            other = self.models[kind.relation].records[value]
            return [value, other.get("name") or other.get("x_name") or f"{kind.relation},{value}"]
        if kind.type == "integer":
            return value or 0
        return (value or []) if kind.type == "many2many" else value


# ---- domains

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, ">": gt, "<=": le, ">=": ge}


def _like(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|%|_|[^\\%_]+", pattern, re.S)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(p) or re.escape(p.removeprefix("\\")) for p in parts), re.I | re.S)


def matcher(store: Store, model: str, domain: list[Any]) -> Callable[[Record], bool]:
    """A domain, in Odoo's prefix notation with & left out between its terms, as a test of one record."""
    stack: list[Callable[[Record], bool]] = []
    for term in reversed(domain):
        if term == "!":
            one = stack.pop()
            stack.append(lambda record, a=one: not a(record))
        elif term in ("&", "|"):
            one, other = stack.pop(), stack.pop()
            both = term == "&"
            stack.append(lambda r, a=one, b=other, both=both: (a(r) and b(r)) if both else (a(r) or b(r)))
        else:
            stack.append(_condition(store, model, *term))
    return lambda record: all(test(record) for test in stack)


def _condition(store: Store, model: str, name: str, operator: str, wanted: Any) -> Callable[[Record], bool]:
    if "." in name:
        link, _, rest = name.partition(".")
        target = store.get(model).fields[link].relation
        test = _condition(store, target, rest, operator, wanted)
        return lambda record: any(test(row) for row in _linked(store, model, record, link, target))
    kind = store.get(model).fields.get(name)
    if kind is None:
        raise _invalid(f"Invalid field {model}.{name} in condition ({name!r}, {operator!r}, {wanted!r})")
    if kind.type == "datetime" and wanted:
        wanted = datetime.strptime(wanted, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    if operator in ("ilike", "like"):
        pattern = _like(wanted)
        return lambda record: bool(pattern.search(store.value(model, record, name) or ""))
    if operator in ("in", "not in"):
        choices = set(wanted)
        return lambda record: (store.value(model, record, name) in choices) == (operator == "in")
    compare = _COMPARE[operator]
    if operator in ("=", "!="):
        return lambda record: compare(store.value(model, record, name), wanted)
    return lambda record: bool(value := store.value(model, record, name)) and compare(value, wanted)


def _linked(store: Store, model: str, record: Record, link: str, target: str) -> list[Record]:
    ids = store.value(model, record, link) or []
    return [store.models[target].records[id_] for id_ in (ids if isinstance(ids, list) else [ids])]


# ---- the methods


class Methods:
    """The methods of every model, by the names and arguments Odoo gives them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def search_read(
        self,
        model: str,
        domain: Any = (),
        fields: Any = (),
        offset: int = 0,
        limit: int = 0,
        order: str = "",
        context: Any = None,
    ) -> list[Record]:
        self._allow("read", model)
        target, test = self.store.get(model), matcher(self.store, model, [*domain, *self.store.rules(model)])
        if "active" in target.fields and "active" not in str(domain) and (context or {}).get("active_test", True):
            rows = [r for r in target.records.values() if r["active"] and test(r)]
        else:
            rows = [r for r in target.records.values() if test(r)]
        for part in reversed((order or "id").split(",")):
            name, _, direction = part.strip().partition(" ")
            rows.sort(key=lambda r, n=name: self.store.value(model, r, n) or 0, reverse=direction == "desc")
        rows = rows[offset : offset + limit if limit else None]
        return [self._row(model, row, fields or target.fields) for row in rows]

    def search(self, model: str, domain: Any = (), **more: Any) -> list[int]:
        return [row["id"] for row in self.search_read(model, domain, ["id"], **more)]

    def search_count(self, model: str, domain: Any = (), context: Any = None) -> int:
        return len(self.search(model, domain, context=context))

    def read(self, model: str, ids: list[int], fields: Any = (), context: Any = None) -> list[Record]:
        self._allow("read", model)
        target = self.store.get(model)
        self._see(model, ids)
        rows = [target.records[record] for record in ids if record in target.records]
        return [self._row(model, row, fields or target.fields) for row in rows]

    def write(self, model: str, ids: list[int], vals: Record, context: Any = None) -> bool:
        self._allow("write", model)
        self._see(model, ids)
        self.store.change(model, ids, vals)
        return True

    def create(self, model: str, vals_list: Any, context: Any = None) -> Any:
        self._allow("create", model)
        if isinstance(vals_list, dict):
            return self.store.add(model, vals_list)
        return [self.store.add(model, values) for values in vals_list]

    def unlink(self, model: str, ids: list[int], context: Any = None) -> bool:
        self._allow("unlink", model)
        self.store.remove(model, ids)
        return True

    def load(self, model: str, fields: list[str], data: list[list[Any]], context: Any = None) -> Record:
        return Load(self.store, model, fields, context or {}).run(data)

    def fields_get(self, model: str, attributes: Any = (), allfields: Any = (), context: Any = None) -> Record:
        fields = self.store.get(model).fields
        told: Record = {
            name: {"type": kind.type} for name, kind in fields.items() if not allfields or name in allfields
        }
        for name in told:
            told[name] |= {"store": fields[name].is_stored} if "store" in attributes else {}
            if "selection" in attributes and fields[name].selection:
                told[name]["selection"] = [list(choice) for choice in fields[name].selection.items()]
        if "help" in attributes:
            for row in self.store.models["ir.model.fields"].records.values():
                if row["model"] == model and row["name"] in told and row["help"]:
                    told[row["name"]]["help"] = row["help"]
        return told

    def formatted_read_group(
        self, model: str, domain: Any = (), groupby: Any = (), aggregates: Any = (), context: Any = None
    ) -> list[Record]:
        [name] = groupby
        groups: dict[Any, Record] = {}
        for row in self.search_read(model, domain, [name], context=context):
            groups.setdefault(str(row[name]), {name: row[name], "__count": 0})["__count"] += 1
        return list(groups.values())

    def read_group(self, model: str, domain: Any, fields: Any, groupby: Any, lazy: bool = True) -> list[Record]:
        return self.formatted_read_group(model, domain, groupby)

    def has_access(self, model: str, operation: str, ids: Any = (), context: Any = None) -> bool:
        if self.store.version < (18, 0):
            raise No("werkzeug.exceptions.NotFound", f"The method '{model}.has_access' does not exist", 404)
        return self.check_access_rights(model, operation)

    def check_access_rights(
        self, model: str, operation: str, raise_exception: bool = False, context: Any = None
    ) -> bool:
        self.store.get(model)
        return (model, operation) not in self.store.forbidden

    def context_get(self, model: str) -> Record:
        return {"lang": "en_US", "tz": self.store.models["res.users"].records[ADMIN]["tz"], "uid": ADMIN}

    def has_group(self, model: str, group_ext_id: str = "", ids: Any = (), context: Any = None) -> bool:
        return True

    def get_param(self, model: str, key: str, default: Any = False, context: Any = None) -> Any:
        rows = self.store.models["ir.config_parameter"].records.values()
        return next((row["value"] for row in rows if row["key"] == key), default)

    def get_external_id(self, model: str, ids: list[int], context: Any = None) -> dict[str, str]:
        names = self.store.names(model)
        return {str(record): names.get(record, "") for record in ids}

    def action_confirm(self, model: str, ids: list[int], context: Any = None) -> bool:
        """Confirming an order makes its delivery."""
        for order in self.read(model, ids, ["name", "partner_id", "company_id"]):
            self.store.change(model, [order["id"]], {"state": "sale", "invoice_status": "to invoice"})
            values = {"origin": order["name"], "sale_id": order["id"], "partner_id": order["partner_id"][0]}
            more = {"picking_type_code": "outgoing", "company_id": order["company_id"][0]}
            self.store.add("stock.picking", values | more)
        return True

    def create_invoices(self, model: str, ids: list[int], context: Any = None) -> Record:
        """What the button Create Invoice of an order calls: a draft for each order that has something to invoice."""
        orders = [order for wizard in ids for order in self.store.models[model].records[wizard]["sale_order_ids"]]
        rows = [self.store.models["sale.order"].records[order] for order in orders]
        if not (left := [row for row in rows if row["invoice_status"] == "to invoice"]):
            raise No("odoo.exceptions.UserError", "Cannot create an invoice. No items are available to invoice.", 422)
        for order in left:
            values = {"move_type": "out_invoice", "state": "draft", "invoice_origin": order["name"]}
            self.store.add("account.move", values)
            self.store.change("sale.order", [order["id"]], {"invoice_status": "invoiced"})
        return {"type": "ir.actions.act_window"}

    def action_feedback(self, model: str, ids: list[int], feedback: str = "", context: Any = None) -> int:
        for activity in self.read(model, ids):
            values = {"model": activity["res_model"], "res_id": activity["res_id"], "body": f"To-Do done: {feedback}"}
            self.store.add("mail.message", values)
        if self.store.version >= (19, 0):
            self.store.change(model, ids, {"active": False, "feedback": feedback})
        else:
            self.store.remove(model, ids)
        return len(self.store.models["mail.message"].records)

    def _row(self, model: str, record: Record, names: Any) -> Record:
        return {"id": record["id"], **{name: self.store.shown(model, record, name) for name in names}}

    def _see(self, model: str, ids: list[int]) -> None:
        if not all(self.store.sees(model, id_) for id_ in ids):
            raise _forbidden("read", model)

    def _allow(self, operation: str, model: str) -> None:
        self.store.get(model)
        if (model, operation) in self.store.forbidden:
            raise _forbidden(operation, model)


class Load:
    """Odoo's `load`: update or create by `.id` or external id, all rows or none, a message for each bad row."""

    def __init__(self, store: Store, model: str, columns: list[str], context: Record) -> None:
        self._store, self._model, self._columns = store, model, columns
        self._zone = ZoneInfo(context.get("tz") or store.models["res.users"].records[ADMIN]["tz"] or "UTC")
        self._messages: list[Record] = []
        for column in columns:
            if column.split("/")[0] not in {*store.get(model).fields, ".id"}:
                raise _invalid(f"Invalid field name '{column.split('/')[0]}'")

    def run(self, data: list[list[Any]]) -> Record:
        rows = [self._convert(place, dict(zip(self._columns, row, strict=True))) for place, row in enumerate(data)]
        if not self._messages:
            self._messages = self._refused(rows)
        if self._messages:
            return {"ids": False, "messages": self._messages, "nextrow": 0}
        return {"ids": [self._save(*row) for row in rows], "messages": [], "nextrow": 0}

    def _convert(self, place: int, row: Record) -> tuple[int | None, str, Record]:
        record, external_id = self._identity(place, row)
        values = {}
        for column, value in row.items():
            name, _, key = column.partition("/")
            if name in ("id", ".id"):
                continue
            kind = self._store.models[self._model].fields[name]
            try:
                values[name] = self._link(kind, key, value) if key else self._plain(kind, value)
            except ValueError as fault:
                self._say(place, str(fault), name)
        self._require(place, record, values)
        return record, external_id, values

    def _identity(self, place: int, row: Record) -> tuple[int | None, str]:
        if ".id" in row:
            record = int(row[".id"])
            there = record in self._store.models[self._model].records
            if not (there and self._store.sees(self._model, record)):
                self._say(place, f"Unknown database identifier '{record}'", ".id")
                return None, ""
            return record, ""
        return self._store.find(row.get("id", ""), self._model), row.get("id", "")

    def _link(self, kind: Field, key: str, value: str) -> Any:
        if not value:
            return False
        found = [self._linked(kind, key, one) for one in value.split(",")]
        return [[6, 0, found]] if kind.type == "many2many" else found[0]

    def _linked(self, kind: Field, key: str, value: str) -> int:
        found = self._store.find(value, kind.relation) if key == "id" else int(value)
        if found is None or found not in self._store.models[kind.relation].records:
            raise ValueError(f"No matching record found for {'external' if key == 'id' else 'database'} id '{value}'")
        return found

    def _plain(self, kind: Field, value: Any) -> Any:
        if value in ("", False, None):
            return False
        if kind.type == "boolean":
            return str(value).lower() in ("1", "true", "yes")
        if kind.type == "integer":
            return int(value)
        if kind.type == "datetime":
            return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=self._zone).astimezone(UTC)
        if kind.selection:
            by_label = {text: choice for choice, text in kind.selection.items()}
            if value not in kind.selection and value not in by_label:
                raise ValueError(f"Value '{value}' not found in selection field")
            return by_label.get(value, value)
        return value

    def _require(self, place: int, record: int | None, values: Record) -> None:
        for name, kind in self._store.models[self._model].fields.items():
            if record is None and kind.required and not values.get(name):
                self._say(place, f"Missing required value for the field '{name}'.", name)

    def _say(self, place: int, message: str, name: str) -> None:
        rows = {"from": place, "to": place}
        self._messages.append({"rows": rows, "type": "error", "record": place, "field": name, "message": message})

    def _refused(self, rows: list[tuple[int | None, str, Record]]) -> list[Record]:
        """Rows that Odoo refuses only when it saves them. It puts the first failure in front, blaming the first row."""
        bad = [place for place, row in enumerate(rows) if self._is_refused(*row)]
        text = "The requested operation cannot be completed due to security restrictions.\n\nRecords: {}, User: 2"
        found = [{"record": place, "type": "error", "message": text.format(place + 1)} for place in bad]
        return [{"record": 0, "type": "error", "message": text.format(0)}, *found] if found else []

    def _is_refused(self, record: int | None, external_id: str, values: Record) -> bool:
        if (self._model, "write" if record else "create") in self._store.forbidden:
            return True
        pickings = self._store.models["stock.picking"].records
        is_about_one = self._model in ("mail.activity", "ir.attachment")
        return is_about_one and "res_id" in values and values["res_id"] not in pickings

    def _save(self, record: int | None, external_id: str, values: Record) -> int:
        if record is None and external_id:
            record = self._store.find(external_id, self._model)
        if record is None:
            record = self._store.add(self._model, values)
            if external_id:
                self._store.name_it(external_id, self._model, record)
        else:
            self._store.change(self._model, [record], values)
        return record


# ---- over HTTP


# load catches what PostgreSQL says of a row that somebody else has just changed, and blames the row
_CONFLICT_TEXT = "could not serialize access due to concurrent update"
_CONFLICT = {"ids": False, "messages": [{"record": 0, "type": "error", "message": _CONFLICT_TEXT}]}


_WRITES = ("load", "write", "create", "create_invoices", "action_feedback")


class _Lost(Exception):
    """The work is done, and the answer shall not arrive."""


class FakeOdoo:
    """A stand-in that listens on 127.0.0.1 from `with` on. Port 0 takes a free one.

    calls: (model, method) of each call it was asked; spoiled: how many met each kind of trouble. Switches: away answers
    503; slow_seconds waits before it answers; slow_row_seconds waits so long for each row of a load or write;
    conflicts: so many loads meet somebody else's write;
    close_mid_answer sends half an answer; answer_after_doing_then_close does the work and hangs up; lose_one_in does
    so to one in so many writes, by turns to each kind of them; fail_next(n, status) fails the next n calls; forbidden
    takes (model, operation) rights away.
    web: who signed in with the password.
    """

    def __init__(self, port: int = 0, version: tuple[int, int] = (19, 0)) -> None:
        self.store = Store(version)
        self.web = WebSessions(self.store, ADMIN, LOGIN, PASSWORD)
        self.calls: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.away = self.close_mid_answer = self.answer_after_doing_then_close = False
        self.slow_seconds = self.slow_row_seconds = 0.0
        self.conflicts = self.lose_one_in = 0
        self._lost: Counter[tuple[str, ...]] = Counter()
        self._written = 0
        self.spoiled: Counter[str] = Counter()
        self._failures: list[tuple[int, dict[str, str]]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.odoo = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def forbidden(self) -> set[tuple[str, str]]:
        return self.store.forbidden

    def environ(self) -> dict[str, str]:
        """The environment variables that lead here."""
        secrets = {"ODOO_PASSWORD": PASSWORD, "ODOO_API_KEY": API_KEY}
        return {"ODOO_URL": self.url, "ODOO_DATABASE": DATABASE, "ODOO_LOGIN": LOGIN, **secrets}

    def settings(self, **changed: str) -> Settings:
        """The settings that lead here, some of them changed, such as ODOO_TIMEOUT_SECONDS="1"."""
        return load_settings(self.environ() | changed)

    def records(self, model: str) -> list[Record]:
        """The records of that model as `read` gives them, archived ones too; none if there is no such model."""
        if model not in self.store.models:
            return []
        with self._lock:
            return Methods(self.store).search_read(model, context={"active_test": False})

    def seed(self, count: int) -> list[Record]:
        """So many confirmed orders, each with a delivery that has a tracking number; every tenth delivery has two."""
        with self._lock, self.store.transaction():
            return [self._delivery(place) for place in range(count)]

    def fail_next(self, count: int, status: int, **headers: str) -> None:
        """Answer the next so many calls with that status and no JSON."""
        self._failures += [(status, headers)] * count

    def _delivery(self, place: int) -> Record:
        email = False if place % 5 == 0 else f"customer{place:05d}@example.com"
        partner = self.store.add("res.partner", {"name": f"Customer {place:05d}", "email": email, "city": "Lyon"})
        order = self.store.add("sale.order", {"partner_id": partner, "client_order_ref": f"PO-{place:06d}"})
        Methods(self.store).action_confirm("sale.order", [order])
        picking = self.store.models["stock.picking"].records[self.store.models["stock.picking"].last_id]
        numbers = [f"1Z999AA1{picking['id']:010d}"]
        if place % 10 == 0:
            numbers.append(f"1Z999AB1{picking['id']:010d}")
        self.store.change("stock.picking", [picking["id"]], {"carrier_tracking_ref": ",".join(numbers)})
        names = {"picking_id": picking["id"], "picking": picking["name"], "order": picking["origin"]}
        return {**names, "order_id": order, "tracking": numbers}

    def trouble(self) -> tuple[int, dict[str, str]] | None:
        """The status the next call fails with."""
        if self.away:
            return 503, {}
        return self._failures.pop(0) if self._failures else None

    def press(self, cookie: str, model: str, method: str, ids: list[int], context: Any) -> Any:
        """What a button answers that a key cannot press; None if it is another. Raises No."""
        with self._lock, self.store.transaction():
            return self.web.press(cookie, model, method, ids, context)

    def perform(self, model: str, method: str, arguments: Record) -> Any:
        """Do one call. Raises No."""
        self.calls.append((model, method))
        if method in ("load", "write"):
            time.sleep(self.slow_row_seconds * len(arguments.get("data") or arguments["ids"]))
        if method == "load" and self.conflicts:
            self.conflicts -= 1
            return _CONFLICT
        with self._lock, self.store.transaction():
            self.store.get(model)
            do = None if method.startswith("_") else getattr(Methods(self.store), method, None)
            if do is None:
                raise No("werkzeug.exceptions.NotFound", f"The method '{model}.{method}' does not exist", 404)
            try:
                done = do(model, **arguments)
            except TypeError as fault:
                raise No("werkzeug.exceptions.UnprocessableEntity", str(fault), 422) from fault
            if self._loses(model, method, arguments):
                raise _Lost
            return done

    def _loses(self, model: str, method: str, arguments: Record) -> bool:
        """Kinds of writes are told apart by what they write; the one that lost the fewest answers is next."""
        if not self.lose_one_in or method not in _WRITES:
            return False
        kind = (model, method, *arguments.get("fields", ()), *arguments.get("vals", ()))
        self._lost[kind] += 0
        self._written += 1
        if self._written < self.lose_one_in or self._lost[kind] > min(self._lost.values()):
            return False
        self._written = 0
        self._lost[kind] += 1
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    odoo: FakeOdoo

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a caller that hung up: workers are killed in the middle of a call on purpose."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.server.odoo.connections += 1

    def log_message(self, *_: object) -> None:
        """Say nothing: the output is for settings and deliveries."""

    def do_GET(self) -> None:
        if self.server.odoo.away:
            self._send(503, b"away")
        elif self.path == "/web/version" and self.server.odoo.store.version >= (19, 0):
            self._json(200, {"version_info": self._version(), "version": "stand-in"})
        else:
            self._send(404, b"<h1>Not Found</h1>")

    def do_POST(self) -> None:
        odoo = self.server.odoo
        body = self.rfile.read(int(self.headers["Content-Length"]))
        odoo.headers.append(dict(self.headers))
        if trouble := odoo.trouble():
            odoo.spoiled["failed"] += 1
            self._send(trouble[0], b"<h1>Not now</h1>", trouble[1])
            return
        if odoo.slow_seconds:
            odoo.spoiled["slow"] += 1
            time.sleep(odoo.slow_seconds)
        try:
            self._answer(urlsplit(self.path).path.split("/"), body)
        except _Lost:
            odoo.spoiled["answered after the work was done"] += 1
            self._hang_up()

    def _answer(self, path: list[str], body: bytes) -> None:
        odoo = self.server.odoo
        if path[1:] == ["jsonrpc"]:
            self._json(200, self._json_rpc(json.loads(body)["params"]))
        elif path[1] == "web":
            self._web(path[2:], json.loads(body)["params"])
        elif path[1:3] == ["json", "2"] and odoo.store.version >= (19, 0):
            self._json(*self._json_2(path[3], path[4], json.loads(body)))
        else:
            self._send(404, b"<h1>Not Found</h1>")

    def _json_2(self, model: str, method: str, arguments: Record) -> tuple[int, Any]:
        if str(self.headers["Authorization"]).removeprefix("bearer ") not in live_keys(self.server.odoo.store):
            return 401, _error(No("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401))
        try:
            return 200, self.server.odoo.perform(model, method, arguments)
        except No as no:
            return no.status, _error(no)

    def _json_rpc(self, params: Record) -> Record:
        service, method, arguments = params["service"], params["method"], params["args"]
        if (service, method) == ("common", "version"):
            return {"result": {"server_version": "stand-in", "server_version_info": self._version()}}
        if service == "common":
            return {"result": ADMIN if arguments[1] == LOGIN and self._opens(arguments[2]) else False}
        if not self._opens(arguments[2]):
            return {"error": {"code": 0, "data": _error(No("odoo.exceptions.AccessDenied", "Access Denied", 403))}}
        model, method, positional, named = (*arguments[3:], {})[:4]
        try:
            if method in _PLACES and named.keys() & set(_PLACES[method]):  # they have other names in Odoo 14
                raise No("builtins.TypeError", f"{method}() got an unexpected keyword argument", 500)
            return {"result": self.server.odoo.perform(model, method, _named(method, positional, named))}
        except No as no:
            if no.kind.endswith("NotFound") and "model" in no.message:
                no = No("odoo.exceptions.UserError", f"Object {model} doesn't exist", 422)
            return {"error": {"code": 0, "message": "Odoo Server Error", "data": _error(no)}}

    def _web(self, path: list[str], params: Record) -> None:
        web, cookie = self.server.odoo.web, (self.headers["Cookie"] or "").removeprefix("session_id=")
        try:
            if path == ["session", "authenticate"]:
                cookie = web.sign_in(params["login"], params["password"]) or ""
                result: Any = {"uid": ADMIN, "is_internal_user": web.is_internal} if cookie else {"uid": None}
            elif path == ["session", "destroy"]:
                result = web.sign_out(cookie)
            else:
                web.check(cookie)
                result = self._call_kw(cookie, **params)
            self._json(200, {"result": result}, {"Set-Cookie": f"session_id={cookie}; HttpOnly; Path=/"})
        except No as no:
            self._json(200, {"error": {"code": 0, "message": "Odoo Server Error", "data": _error(no)}})

    def _call_kw(self, cookie: str, model: str, method: str, args: list[Any], kwargs: Record) -> Any:
        pressed = self.server.odoo.press(cookie, model, method, args[0] if args else [], kwargs.get("context"))
        return pressed or self.server.odoo.perform(model, method, _named(method, args, kwargs))

    def _opens(self, secret: str) -> bool:
        return secret == PASSWORD or secret in live_keys(self.server.odoo.store)

    def _version(self) -> list[Any]:
        return [*self.server.odoo.store.version, 0, "final", 0, ""]

    def _json(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        odoo, body = self.server.odoo, json.dumps(document).encode()
        if odoo.answer_after_doing_then_close:
            odoo.spoiled["answered after the work was done"] += 1
            self._hang_up()
        elif odoo.close_mid_answer:
            odoo.spoiled["closed mid-answer"] += 1
            self._send(status, body[: len(body) // 2], {"Content-Length": str(len(body))})
            self._hang_up()
        else:
            self._send(status, body, {"Content-Type": "application/json"} | (headers or {}))

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _named(method: str, positional: list[Any], named: Record) -> Record:
    """All arguments of a call by name."""
    places = _PLACES.get(method, ["ids"])
    return {**named, **dict(zip(places, positional, strict=False))}


def _error(no: No) -> Record:
    return {"name": no.kind, "message": no.message, "arguments": [no.message], "context": {}, "debug": "Traceback ..."}


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Odoo, in memory, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8069)
    parser.add_argument("--seed", type=int, default=0, help="so many deliveries with tracking numbers")
    given = parser.parse_args()
    with FakeOdoo(given.port) as odoo:
        for name, value in odoo.environ().items():
            print(f"export {name}={value}")
        for delivery in odoo.seed(given.seed):
            print(json.dumps(delivery))
        print(end="", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
