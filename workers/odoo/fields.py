"""Everything Milepost adds to an Odoo, declared once: fields, the event model, its access rules and the views.

Each item is one row for Odoo's `load`, under an external id of the module `milepost`, by which it is found again.
"""

from dataclasses import dataclass, field

from shipments.milestone import ExceptionCategory, Milestone
from shipments.proof import PROOF
from workers.odoo import views
from workers.odoo.badges import SEVERITY
from workers.odoo.forms import PROMISE
from workers.odoo.ownership import KEPT, LOCKED, SENT
from workers.odoo.wording import label

MODULE = "milepost"
PICKING, ORDER, EVENT = "stock.picking", "sale.order", "x_milepost_event"

MODEL_ID = {PICKING: "stock.model_stock_picking", ORDER: "sale.model_sale_order", EVENT: f"{MODULE}.model_{EVENT}"}
INTEGRATION = f"{MODULE}.group_integration"

WITHOUT_ROLE = (19, 0)
"""From this version on Milepost's user is no internal user, and has no right that is not ours."""


@dataclass(frozen=True)
class Item:
    """One record to be in Odoo: in which model, under which external id, with which values, as `load` takes them."""

    model: str
    name: str
    label: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def external_id(self) -> str:
        return f"{MODULE}.{self.name}"


Stage = list[Item]
"""Items of one Odoo model, sent in one `load`. Stages follow each other: a later one refers to an earlier one."""


def declared(version: tuple[int, int], *, with_orders: bool) -> list[Stage]:
    """What has to be in an Odoo of that version, in the order it has to be made."""
    models = [PICKING, ORDER] if with_orders else [PICKING]
    stages = [
        [Item("res.groups", "group_integration", "the group Milepost / Integration", _group(version))],
        [Item("ir.model", f"model_{EVENT}", "the event model", {"name": "Shipment event", "model": EVENT})],
        [_field(EVENT, *row) for row in _EVENT_FIELDS],
        [_field(model, *row) for model in models for row in _STATE_FIELDS],
        [_field(model, *row) for model in models for row in _BILLING_FIELDS],
        [_field(ORDER, *row) for row in _PROMISE_FIELDS] if with_orders else [],
        [_days_late(model) for model in models],
        [_documents(model) for model in models],
        [_field(EVENT, *row) for row in _EVENT_ORDER] if with_orders else [],
        [_event_list(model) for model in models],
        [Item("ir.model", f"model_{EVENT}", "newest event first", {"order": "x_occurred_at desc, id desc"})],
        [rule("event_company", MODEL_ID[EVENT], _OF_OWN_COMPANIES)],
        [access(*row) for row in _ACCESS if with_orders or row[0] not in _ORDER_ACCESS],
        *([Item(*row) for row in stage] for stage in views.declared(version, with_orders=with_orders)),
    ]
    return [stage for stage in stages if stage]


def _group(version: tuple[int, int]) -> dict[str, str]:
    """Up to Odoo 18 its members are internal users: what Milepost needs of that role was measured on 19 alone."""
    return {
        "name": "Milepost / Integration",
        "implied_ids/id": "" if version >= WITHOUT_ROLE else "base.group_user",
        "comment": "For the user Milepost signs in as: it may write shipment states and events, and nothing else.",
    }


def _selection(values: type[Milestone] | type[ExceptionCategory]) -> dict[str, str]:
    return {"selection": repr([(str(value), label(value)) for value in values])}


_MILESTONE, _EXCEPTION = _selection(Milestone), _selection(ExceptionCategory)
_SEVERITY = {"selection": repr([(stored, label(value)) for value, stored in SEVERITY.items()])}
_ORDER_ACCESS = ("event_salesman", "order_integration")

# name, what a person reads, Odoo's type, more columns
_STATE_FIELDS: list[tuple[str, str, str, dict[str, str]]] = [
    ("x_milepost_milestone", "Shipment", "selection", {**_MILESTONE, "index": "1"}),
    ("x_milepost_exception", "Shipment exception", "selection", {**_EXCEPTION, "index": "1"}),
    ("x_milepost_exception_severity", "Severity", "selection", _SEVERITY),
    ("x_milepost_exception_owner", "Team that resolves it", "char", {}),
    ("x_milepost_exception_since", "In trouble since", "datetime", {}),
    ("x_milepost_exception_due", "To be resolved by", "datetime", {"index": "1"}),
    ("x_milepost_occurred_at", "Last scan", "datetime", {}),
    ("x_milepost_occurred_text", "Last scan, as the carrier means it", "char", {}),
    ("x_milepost_location", "Last place", "char", {}),
    ("x_milepost_estimated_delivery", "Estimated delivery, as the carrier says", "char", {}),
    ("x_milepost_eta_history", "Estimates so far, the newest first", "text", {}),
    ("x_milepost_estimated_on", "Estimated delivery", "date", {}),
    ("x_milepost_heard_at", "Heard from the carrier", "datetime", {}),
    ("x_milepost_carrier", "Tracked by", "char", {}),
    ("x_milepost_parcels", "Parcels", "integer", {}),
    ("x_milepost_arrived", "Parcels that arrived", "integer", {}),
    ("x_milepost_proof", "Delivery is proven", "boolean", {}),
    ("x_milepost_proof_link", "Where to see the proof", "char", {}),
    (LOCKED, "Locked for Milepost", "boolean", {"readonly": "0"}),
    (KEPT, "Kept by a person", "char", {}),
    (SENT, "Fingerprint of what Milepost wrote", "char", {}),
]

OWNED = ("write_uid", *(name for name, *_ in _STATE_FIELDS))
"""What is read of a delivery or an order to see whether somebody else changed what Milepost wrote."""

_BILLING_FIELDS: list[tuple[str, str, str, dict[str, str]]] = [
    ("x_milepost_billable", "Delivered, may be billed", "boolean", {"index": "1"}),
    ("x_milepost_delivered_at", "Delivered at", "datetime", {}),
    ("x_milepost_delivered_text", "Delivered, as the carrier means it", "char", {}),
    ("x_milepost_signed_by", "Signed by", "char", {}),
    ("x_milepost_billing_check", "To check before billing", "char", {}),
]

_PROMISE_FIELDS: list[tuple[str, str, str, dict[str, str]]] = [
    ("x_milepost_promise_from", "Promised before Milepost moved it", "datetime", {}),
    ("x_milepost_promise_to", "Promised since Milepost moved it", "datetime", {}),
]

_EVENT_FIELDS: list[tuple[str, str, str, dict[str, str]]] = [
    ("x_name", "Event", "char", {}),
    ("x_picking_id", "Delivery", "many2one", {"relation": PICKING, "on_delete": "cascade", "index": "1"}),
    ("x_milestone", "Milestone", "selection", _MILESTONE),
    ("x_exception", "Exception", "selection", _EXCEPTION),
    ("x_occurred_at", "Time", "datetime", {"index": "1"}),
    ("x_occurred_text", "Time, as the carrier means it", "char", {}),
    ("x_location", "Place", "char", {}),
    ("x_carrier", "Carrier", "char", {}),
    ("x_tracking_number", "Tracking number", "char", {"index": "1"}),
    ("x_code", "Carrier's code", "char", {}),
    ("x_description", "Carrier's words", "char", {}),
    ("x_trace", "Correlation id", "char", {"index": "1"}),
]

_EVENT_ORDER: list[tuple[str, str, str, dict[str, str]]] = [
    (
        "x_order_id",
        "Sales order",
        "many2one",
        {"relation": ORDER, "related": "x_picking_id.sale_id", "store": "1", "index": "1"},
    ),
]

# a row belongs to the company of its delivery, whoever has the right to read timelines
_OF_OWN_COMPANIES = "['|', ('x_picking_id', '=', False), ('x_picking_id.company_id', 'in', company_ids)]"

_EVENT_LINK = {PICKING: "x_picking_id", ORDER: "x_order_id"}

# what, group, model, read, write, create
_ACCESS: list[tuple[str, str, str, str, str, str]] = [
    ("event_stock_user", "stock.group_stock_user", MODEL_ID[EVENT], "1", "0", "0"),
    ("event_salesman", "sales_team.group_sale_salesman", MODEL_ID[EVENT], "1", "0", "0"),
    ("event_administrator", "base.group_system", MODEL_ID[EVENT], "1", "1", "1"),
    ("event_integration", INTEGRATION, MODEL_ID[EVENT], "1", "1", "1"),
    ("picking_integration", INTEGRATION, MODEL_ID[PICKING], "1", "1", "0"),
    ("order_integration", INTEGRATION, MODEL_ID[ORDER], "1", "1", "0"),
]


def _field(model: str, name: str, text: str, ttype: str, more: dict[str, str]) -> Item:
    values = {
        "model_id/id": MODEL_ID[model],
        "name": name,
        "field_description": text,
        "ttype": ttype,
        # a return or a backorder is made by copying: it must not start with the milestone of the first delivery
        "copied": "0",
        "readonly": "1",
        **more,
    }
    return Item("ir.model.fields", f"field_{model.replace('.', '_')}__{name}", f"{name} on {model}", values)


def _days_late(model: str) -> Item:
    """Odoo works it out when somebody looks, from its own promise and our estimate: nothing is stored or written."""
    promise = PROMISE[model]
    code = (
        "for record in self:\n"
        f"    day, promise = record.x_milepost_estimated_on, record.{promise}\n"
        "    late = max(0, (day - promise.date()).days) if day and promise else 0\n"
        "    record['x_milepost_days_late'] = late\n"
    )
    more = {"store": "0", "depends": f"x_milepost_estimated_on, {promise}", "compute": code}
    return _field(model, "x_milepost_days_late", "Days later than promised", "integer", more)


def _documents(model: str) -> Item:
    """Odoo looks for them when somebody opens the form. They are attached to the delivery, and an order shows those of
    its deliveries."""
    pickings = {PICKING: "record.ids", ORDER: "record.picking_ids.ids"}[model]
    code = (
        "for record in self:\n"
        f"    domain = [('res_model', '=', '{PICKING}'), ('res_id', 'in', {pickings}),\n"
        f"              ('name', '=like', '{PROOF}%')]\n"
        "    record['x_milepost_document_ids'] = record.env['ir.attachment'].search(domain)\n"
    )
    more = {"relation": "ir.attachment", "store": "0", "depends": "x_milepost_proof", "compute": code}
    return _field(model, "x_milepost_document_ids", "Proof of delivery", "many2many", more)


def _event_list(model: str) -> Item:
    more = {"relation": EVENT, "relation_field": _EVENT_LINK[model]}
    return _field(model, "x_milepost_event_ids", "Shipment events", "one2many", more)


def access(what: str, group: str, model: str, read: str, write: str, create: str) -> Item:
    """What a group may do in a model, each "1" or "0". group, model: external ids. Nothing of ours may delete."""
    values = {
        "name": f"milepost {what.replace('_', ' ')}",
        "model_id/id": model,
        "group_id/id": group,
        "perm_read": read,
        "perm_write": write,
        "perm_create": create,
        "perm_unlink": "0",
    }
    return Item("ir.model.access", f"access_{what}", f"rights of {group} on {model.split('.model_')[1]}", values)


def rule(what: str, model: str, domain: str, group: str = "") -> Item:
    """Which records of a model may be seen and written: by the users of a group, or by everybody where none is named.

    model, group: external ids. domain: as Odoo evaluates it, with `user` and `company_ids` in it.
    """
    values = {"name": f"milepost {what.replace('_', ' ')}", "model_id/id": model, "domain_force": domain}
    whose = f"{group} sees" if group else "everybody sees"
    label = f"the rule which records of {model.split('.model_')[1]} {whose}"
    return Item("ir.rule", f"rule_{what}", label, {**values, "groups/id": group} if group else values)
