"""The rights that Milepost's user needs only for what the policy asks for, and has only then."""

from shipments.rules.policy import Policy
from workers.odoo.client import Odoo
from workers.odoo.fields import INTEGRATION, ORDER, Item, Stage, access

_LINE = access("order_line_integration", INTEGRATION, "sale.model_sale_order_line", "1", "0", "0")
# Odoo makes the invoices itself, of an order for whoever may use the button's wizard and read the lines of both
_DRAFTS = [
    _LINE,
    access("invoice_wizard_integration", INTEGRATION, "sale.model_sale_advance_payment_inv", "1", "1", "1"),
    access("invoice_line_integration", INTEGRATION, "account.model_account_move_line", "1", "0", "0"),
]
# a promised date that moves takes the deadline of each stock move of the order with it, as whoever moved it
_PROMISES = [_LINE, access("move_integration", INTEGRATION, "stock.model_stock_move", "1", "1", "0")]


def policy_rights(odoo: Odoo, policy: Policy) -> list[Stage]:
    """The rights for draft invoices and for promises that move, as far as the policy wants them."""
    if not odoo.field_names(ORDER):
        return []
    wanted: dict[str, Item] = {}
    if policy.finance.invoice == "draft":
        wanted |= {item.name: item for item in _DRAFTS}
    if policy.commitment.move_promise:
        wanted |= {item.name: item for item in _PROMISES}
    return [list(wanted.values())] if wanted else []
