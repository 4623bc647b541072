"""What people see of Milepost in Odoo: additions to Odoo's own forms and lists."""

Row = tuple[str, str, dict[str, str]]

_GOOD = ("delivered", "returned", "available_for_pickup")
_BAD = ("exception", "lost", "damaged", "delivery_attempted")
_WATCH = ("delayed", "partially_delivered", "return_in_transit", "customs_clearance", "unknown")
_QUIET = ("label_created", "pickup_scheduled", "info_received", "cancelled")


def declared(version: tuple[int, int], *, with_orders: bool) -> list[Row]:
    """The views for an Odoo of that version: external name, label, values as `load` takes them."""
    rows = [
        _view(
            "picking_form", "shipment on the delivery form", "stock.picking", "stock.view_picking_form", _form(version)
        ),
        _view("picking_list", "shipment in the list of deliveries", "stock.picking", "stock.vpicktree", _LIST),
    ]
    if with_orders:
        arch = _form(version)
        rows.append(_view("order_form", "shipment on the sales order form", "sale.order", "sale.view_order_form", arch))
    return rows


def _view(name: str, label: str, model: str, parent: str, arch: str) -> Row:
    values = {"name": f"milepost.{name}", "model": model, "inherit_id/id": parent, "priority": "90", "arch": arch}
    return f"view_{name}", f"{label} (view)", values


def _badge(name: str, more: str = "") -> str:
    def among(milestones: tuple[str, ...]) -> str:
        return f"{name} in {milestones!r}"

    moving = f"{name} not in {(*_GOOD, *_BAD, *_WATCH, *_QUIET)!r}"
    return (
        f'<field name="{name}" widget="badge" decoration-success="{among(_GOOD)}" decoration-danger="{among(_BAD)}"'
        f' decoration-warning="{among(_WATCH)}" decoration-muted="{among(_QUIET)}" decoration-info="{moving}"{more}/>'
    )


def _hidden_unless(version: tuple[int, int], name: str) -> str:
    """Odoo 17 replaced `attrs` by Python expressions in the attribute itself."""
    if version >= (17, 0):
        return f'invisible="not {name}"'
    return f"""attrs="{{'invisible': [('{name}', '=', False)]}}\""""


def _form(version: tuple[int, int]) -> str:
    """The badge and what is known above the pages, and a page with the timeline."""
    rows = "list" if version >= (18, 0) else "tree"
    exception = _hidden_unless(version, "x_milepost_exception")
    return f"""<data>
<xpath expr="//notebook" position="before">
<group name="milepost" {_hidden_unless(version, "x_milepost_milestone")}>
<group>
{_badge("x_milepost_milestone")}
<field name="x_milepost_exception" widget="badge" decoration-danger="1" {exception}/>
<field name="x_milepost_estimated_delivery" {_hidden_unless(version, "x_milepost_estimated_delivery")}/>
</group>
<group>
<field name="x_milepost_occurred_text" string="Last scan"/>
<field name="x_milepost_location"/>
</group>
</group>
</xpath>
<xpath expr="//notebook" position="inside">
<page string="Timeline" name="milepost_timeline" {_hidden_unless(version, "x_milepost_event_ids")}>
<field name="x_milepost_event_ids" readonly="1">
<{rows} default_order="x_occurred_at desc" limit="80" create="0" delete="0">
<field name="x_occurred_at"/>
{_badge("x_milestone")}
<field name="x_exception" optional="show"/>
<field name="x_location"/>
<field name="x_description"/>
<field name="x_tracking_number"/>
<field name="x_carrier" optional="show"/>
<field name="x_code" optional="hide"/>
<field name="x_occurred_text" optional="hide"/>
</{rows}>
</field>
</page>
</xpath>
</data>"""


_LIST = f"""<data>
<xpath expr="//field[@name='state']" position="before">
{_badge("x_milepost_milestone", ' optional="show"')}
<field name="x_milepost_exception" optional="show"/>
<field name="x_milepost_occurred_at" optional="hide"/>
</xpath>
</data>"""
