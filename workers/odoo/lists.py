"""Lists, their filters, and the cards: which deliveries and orders need somebody, and what to do first."""

from workers.odoo.badges import (
    BAD,
    ENDED,
    SILENT_DAYS,
    TOO_LONG_AGO,
    due,
    estimate,
    exception_badge,
    heard_at,
    milestone_badge,
    severity,
)
from workers.odoo.engine import Engine, condition
from workers.odoo.forms import PROMISE

_BEFORE_TODAY = "context_today().strftime('%Y-%m-%d')"
_UNDER_WAY = f"('x_milepost_milestone', '!=', False), ('x_milepost_milestone', 'not in', {list(ENDED)!r})"

IN_TROUBLE = f"['|', ('x_milepost_exception', '!=', False), ('x_milepost_milestone', 'in', {list(BAD)!r})]"
"""Which deliveries are exceptions, as a domain."""


def columns(engine: Engine, model: str) -> str:
    """What is added to a list of that model, each column to be shown or hidden by everybody for themselves."""
    before = {"stock.picking": "state", "sale.order": "invoice_status"}[model]
    return f"""<data>
<xpath expr="//field[@name='{before}']" position="before">
{milestone_badge(more='optional="show"')}
{exception_badge('string="Exception" optional="show"')}
<field name="x_milepost_carrier" optional="{"show" if model == "stock.picking" else "hide"}"/>
{_promised(engine, model)}
{estimate(PROMISE[model], 'string="Estimate" optional="show"')}
<field name="x_milepost_days_late" optional="hide"/>
<field name="x_milepost_location" optional="hide"/>
<field name="x_milepost_occurred_at" optional="hide"/>
{heard_at('optional="hide"')}
<field name="x_milepost_exception_owner" optional="hide"/>
{due('optional="hide"')}
<field name="x_milepost_parcels" optional="hide"/>
</xpath>
</data>"""


def _promised(engine: Engine, model: str) -> str:
    """The promise beside which the estimate is colored: Odoo's lists have it, but one may have taken it out."""
    return engine.unseen_column(PROMISE[model]) if model == "sale.order" and engine.version < (15, 0) else ""


def search(model: str) -> str:
    """The filters and groups that are added to the search of that model."""
    promise = PROMISE[model]
    delayed = (
        f"[{_UNDER_WAY}, '|', '|', '|', ('x_milepost_milestone', '=', 'delayed'),"
        f" ('x_milepost_exception', '=', 'carrier_delay'), ('x_milepost_estimated_on', '<', {_BEFORE_TODAY}),"
        f" ('{promise}', '<', {_BEFORE_TODAY})]"
    )
    unproven = "[('x_milepost_milestone', '=', 'delivered'), ('x_milepost_proof', '=', False)]"
    silent = f"[{_UNDER_WAY}, ('x_milepost_heard_at', '<', {TOO_LONG_AGO})]"
    return f"""<data>
<xpath expr="//search" position="inside">
<separator/>
{_filter("delayed", "Shipment delayed", delayed)}
{_filter("exception", "Shipment exception", IN_TROUBLE)}
{_filter("silent", f"No news for {SILENT_DAYS} days", silent)}
{_filter("unproven", "Delivered without proof", unproven)}
<separator/>
{_group("milestone", "Shipment")}
{_group("exception", "Shipment exception")}
{_group("carrier", "Tracked by")}
{_group("exception_owner", "Team that resolves it")}
{_group("estimated_on", "Estimated delivery", "day")}
{_group("heard_at", "Heard from the carrier", "week")}
</xpath>
</data>"""


def _filter(name: str, label: str, domain: str) -> str:
    return f'<filter name="milepost_{name}" string="{label}" domain="{condition(domain)}"/>'


def _group(name: str, label: str, by: str = "") -> str:
    """by: day or week, for a field that is a date."""
    context = f"{{'group_by': 'x_milepost_{name}{':' if by else ''}{by}'}}"
    return f'<filter name="milepost_by_{name}" string="{label}" context="{context}"/>'


def exceptions(engine: Engine) -> str:
    """The list of all trouble: what is due first stands first.

    Up to Odoo 16 fields of a delivery can be edited by its state, and a view without it does not open.
    """
    order = "x_milepost_exception_due, x_milepost_exception_severity desc, x_milepost_exception_since"
    return f"""<{engine.rows} string="Exceptions" default_order="{order}" create="0" delete="0">
{engine.unseen_column("state")}
<field name="name"/>
<field name="partner_id" optional="show"/>
{exception_badge('string="Exception"')}
{severity('optional="show"')}
{due('string="Resolve by" optional="show"')}
<field name="x_milepost_exception_owner" string="Team" optional="show"/>
{milestone_badge(more='optional="show"')}
<field name="x_milepost_location" optional="show"/>
<field name="x_milepost_carrier" optional="show"/>
<field name="carrier_tracking_ref" optional="show"/>
<field name="x_milepost_exception_since" string="Since" optional="hide"/>
<field name="user_id" optional="hide"/>
{heard_at('optional="hide"')}
</{engine.rows}>"""


def cards(engine: Engine) -> str:
    """The same trouble as cards, one column for each kind."""
    fields = [
        "state",
        "name",
        "partner_id",
        "x_milepost_milestone",
        "x_milepost_exception",
        "x_milepost_exception_owner",
        "x_milepost_exception_due",
    ]
    content = f"""<div><strong><field name="name"/></strong></div>
<div><field name="partner_id"/></div>
<div>{milestone_badge()}</div>
<div><field name="x_milepost_exception_owner"/>, until {due()}</div>"""
    return (
        '<kanban default_group_by="x_milepost_exception" create="0" group_create="0" records_draggable="0">'
        f"{engine.card(fields, content)}</kanban>"
    )
