"""The delivery's form and the sales order's: where the shipment stands, above the pages, and its timeline as a page."""

from workers.odoo.badges import due, estimate, exception_badge, heard_at, milestone_badge, severity
from workers.odoo.engine import Engine

PROMISE = {"stock.picking": "date_deadline", "sale.order": "commitment_date"}
"""Where Odoo has the promised time: it takes that of a delivery from its order, or from its lead times."""


def form(engine: Engine, model: str) -> str:
    """What is added to the form of that model."""
    return f"""<data>
<xpath expr="//notebook" position="before">
<group name="milepost" {engine.invisible("x_milepost_milestone")}>
<group name="milepost_state">
{milestone_badge()}
<field name="x_milepost_occurred_text" string="Last scan" {engine.invisible("x_milepost_occurred_text")}/>
<field name="x_milepost_location" {engine.invisible("x_milepost_location")}/>
{heard_at()}
<field name="x_milepost_carrier"/>
<label for="x_milepost_parcels" {_unless_several(engine)}/>
<div name="milepost_parcels" {_unless_several(engine)}>
<field name="x_milepost_parcels" class="oe_inline"/>, <field name="x_milepost_arrived" class="oe_inline"/> arrived
</div>
<field name="x_milepost_kept" {engine.invisible("x_milepost_kept")}/>
<field name="x_milepost_locked"/>
</group>
<group name="milepost_more">
{_trouble(engine)}
{_dates(engine, PROMISE[model])}
{_proof(engine)}
</group>
</group>
</xpath>
<xpath expr="//notebook" position="inside">
{_timeline(engine)}
</xpath>
</data>"""


def _unless_several(engine: Engine) -> str:
    return engine.invisible("x_milepost_parcels", "<", 2)


def _trouble(engine: Engine) -> str:
    hidden = engine.invisible("x_milepost_exception")
    return f"""{exception_badge(hidden)}
{severity(hidden)}
<field name="x_milepost_exception_owner" {hidden}/>
<field name="x_milepost_exception_since" {hidden}/>
{due(hidden)}"""


def _dates(engine: Engine, promise: str) -> str:
    """The estimate beside the promise, and by how many days it is late."""
    return f"""{estimate(promise, engine.invisible("x_milepost_estimated_on"))}
<field name="{promise}" string="Promised" readonly="1" {engine.invisible(promise)}/>
<field name="x_milepost_days_late" decoration-danger="1" {engine.invisible("x_milepost_days_late", "<", 1)}/>"""


def _proof(engine: Engine) -> str:
    undelivered, undocumented = (
        engine.invisible("x_milepost_delivered_text"),
        _without(engine, "x_milepost_document_ids"),
    )
    return f"""<field name="x_milepost_delivered_text" string="Delivered" {undelivered}/>
<field name="x_milepost_signed_by" {engine.invisible("x_milepost_signed_by")}/>
<field name="x_milepost_document_ids" widget="many2many_binary" readonly="1" {undocumented}/>
<field name="x_milepost_proof_link" widget="url" {engine.invisible("x_milepost_proof_link")}/>
<field name="x_milepost_billing_check" decoration-warning="1" {engine.invisible("x_milepost_billing_check")}/>"""


def _without(engine: Engine, records: str) -> str:
    return engine.invisible(records, "=", [])


def _timeline(engine: Engine) -> str:
    """What happened, and what was estimated meanwhile."""
    return f"""<page string="Timeline" name="milepost_timeline" {_without(engine, "x_milepost_event_ids")}>
<field name="x_milepost_event_ids" readonly="1">
<{engine.rows} default_order="x_occurred_at desc" limit="80" create="0" delete="0">
<field name="x_occurred_at"/>
{milestone_badge("x_milestone")}
<field name="x_exception" optional="show"/>
<field name="x_location"/>
<field name="x_description"/>
<field name="x_tracking_number"/>
<field name="x_carrier" optional="show"/>
<field name="x_code" optional="hide"/>
<field name="x_occurred_text" optional="hide"/>
</{engine.rows}>
</field>
<group {engine.invisible("x_milepost_eta_history")}>
<field name="x_milepost_eta_history"/>
</group>
</page>"""
