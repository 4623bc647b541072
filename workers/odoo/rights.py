"""The rights of Milepost's user beyond deliveries, orders and events, each only where something asks for it.

From Odoo 19 on that user is no internal user: it has the rights named here, those of fields.py and of project.py, and
no other. Rules narrow them to the records they are for.
"""

from shipments.rules.policy import Policy
from workers.odoo.client import Odoo
from workers.odoo.fields import INTEGRATION, ORDER, PICKING, WITHOUT_ROLE, Item, Stage, access, rule

# ---- what every internal user may do, as far as Milepost does it

_ROLE = [
    access("activity_integration", INTEGRATION, "mail.model_mail_activity", "1", "1", "1"),
    access("activity_type_integration", INTEGRATION, "mail.model_mail_activity_type", "1", "0", "0"),
    access("subtype_integration", INTEGRATION, "mail.model_mail_message_subtype", "1", "0", "0"),
    # Odoo writes to whom a task is for, in the name of whoever gives it to them
    access("contact_integration", INTEGRATION, "base.model_res_partner", "1", "0", "0"),
    access("message_integration", INTEGRATION, "mail.model_mail_message", "1", "0", "1"),
    access("sender_integration", INTEGRATION, "mail.model_mail_alias_domain", "1", "0", "0"),
    access("document_integration", INTEGRATION, "base.model_ir_attachment", "1", "1", "1"),
    access("packed_integration", INTEGRATION, "stock.model_stock_move_line", "1", "0", "0"),
    access("package_integration", INTEGRATION, "stock.model_stock_package", "1", "0", "0"),
    access("user_integration", INTEGRATION, "base.model_res_users", "1", "0", "0"),
    access("company_integration", INTEGRATION, "base.model_res_company", "1", "0", "0"),
    access("key_integration", INTEGRATION, "base.model_res_users_apikeys", "1", "0", "0"),
]
_OF_DELIVERIES = f"[('res_model', '=', '{PICKING}')]"
_ROLE_RULES = [
    rule("activity", "mail.model_mail_activity", _OF_DELIVERIES, INTEGRATION),
    rule("message", "mail.model_mail_message", "[('create_uid', '=', user.id)]", INTEGRATION),
    rule("contact", "base.model_res_partner", "[('user_ids', '!=', False)]", INTEGRATION),
    rule("document", "base.model_ir_attachment", _OF_DELIVERIES, INTEGRATION),
    rule("packed", "stock.model_stock_move_line", "[('result_package_id', '!=', False)]", INTEGRATION),
    rule("company", "base.model_res_company", "[('id', 'in', company_ids)]", INTEGRATION),
    rule("key", "base.model_res_users_apikeys", "[('user_id', '=', user.id)]", INTEGRATION),
]

# ---- what a policy asks for

_LINE = access("order_line_integration", INTEGRATION, "sale.model_sale_order_line", "1", "0", "0")
# Odoo makes the invoices itself, of an order for whoever may use the button's wizard and read the lines of both
_DRAFTS = [
    _LINE,
    access("invoice_wizard_integration", INTEGRATION, "sale.model_sale_advance_payment_inv", "1", "1", "1"),
    access("invoice_line_integration", INTEGRATION, "account.model_account_move_line", "1", "0", "0"),
]
# it reads them as whoever asks for the invoice
_DRAFTS_WITHOUT_ROLE = [
    access("product_integration", INTEGRATION, "product.model_product_product", "1", "0", "0"),
    access("product_template_integration", INTEGRATION, "product.model_product_template", "1", "0", "0"),
    access("tax_integration", INTEGRATION, "account.model_account_tax", "1", "0", "0"),
]
_DRAFTS_RULES = [
    rule("customer", "base.model_res_partner", "[(1, '=', 1)]", INTEGRATION),
    rule("invoice_line", "account.model_account_move_line", "[('sale_line_ids', '!=', False)]", INTEGRATION),
]
# a promised date that moves takes the deadline of each stock move of the order with it, as whoever moved it
_PROMISES = [_LINE, access("move_integration", INTEGRATION, "stock.model_stock_move", "1", "1", "0")]
_PROMISES_WITHOUT_ROLE = [access("location_integration", INTEGRATION, "stock.model_stock_location", "1", "0", "0")]


def further_rights(odoo: Odoo, policy: Policy) -> list[Stage]:
    """What comes to the rights on deliveries, orders and events in that Odoo: rules first, then the rights."""
    without_role = odoo.version >= WITHOUT_ROLE
    with_orders = bool(odoo.field_names(ORDER))
    rules, rights = (list(_ROLE_RULES), list(_ROLE)) if without_role else ([], [])
    if with_orders and policy.finance.invoice == "draft":
        rights += [*_DRAFTS, *(_DRAFTS_WITHOUT_ROLE if without_role else ())]
        rules += _DRAFTS_RULES if without_role else []
    if with_orders and policy.commitment.move_promise:
        rights += [*_PROMISES, *(_PROMISES_WITHOUT_ROLE if without_role else ())]
    return [stage for stage in (rules, _once(rights)) if stage]


def _once(items: list[Item]) -> Stage:
    return list({item.name: item for item in items}.values())
