"""An automation rule in Odoo that rings at Milepost when a delivery gets another tracking number (Odoo 17 and later).

The rule posts which record it was and nothing about it (`_model`, `_id`, `_action`). Odoo sends it after the commit,
waits a second at most, and forgets it: what is lost is found by the pull.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from config.settings import Settings, load_settings
from shipments.errors import OdooRefused, SetupFault
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import MODEL_ID, MODULE, PICKING

RULE, ACTION = "base.automation", "ir.actions.server"
RULE_ID, ACTION_ID = f"{MODULE}.rule_tracking_number", f"{MODULE}.action_tracking_number"
_NAME = "Milepost: a tracking number was changed"
_REFERENCE = "stock_delivery.field_stock_picking__carrier_tracking_ref"
_REFERENCE_ONLY_IF_SET = "[('carrier_tracking_ref', '!=', False)]"

_COLUMNS: dict[str, dict[str, str]] = {
    RULE: {
        "name": _NAME,
        "model_id/id": MODEL_ID[PICKING],
        "trigger": "on_create_or_write",
        "trigger_field_ids/id": _REFERENCE,
        "filter_domain": _REFERENCE_ONLY_IF_SET,
        "active": "1",
    },
    ACTION: {
        "name": _NAME,
        "model_id/id": MODEL_ID[PICKING],
        "state": "webhook",
        "usage": "base_automation",
        "base_automation_id/id": RULE_ID,
    },
}


@dataclass(frozen=True)
class Door:
    """Where the rule rings. shown: without the secret word, for people to read."""

    url: str
    shown: str


def door(settings: Settings) -> Door:
    """The address of Milepost's own door. Raises SetupFault where it is not set, or is not safe to post to."""
    faults = []
    if not settings.public_url:
        faults.append("MILEPOST_PUBLIC_URL is not set: without it Odoo does not know where to ring.")
    elif urlsplit(settings.public_url).scheme != "https" and not _is_here(settings.public_url):
        faults.append("MILEPOST_PUBLIC_URL does not start with https://: the secret word would be sent in the clear.")
    if not settings.odoo_webhook_words:
        faults.append("ODOO_WEBHOOK_WORD is not set: make one, such as with `openssl rand -hex 24`.")
    if faults:
        raise SetupFault(faults)
    base = f"{settings.public_url.rstrip('/')}/odoo/changed/"
    return Door(base + settings.odoo_webhook_words[0], f"{base}...")


def add(odoo: Odoo, url: str) -> None:
    """Makes the rule, or sets it right. Needs an administrator's key. Raises SetupFault if Odoo has no such rules."""
    if odoo.version < (17, 0):
        raise SetupFault(["Odoo can post to an address from version 17 on: this one is asked every ten seconds."])
    if not odoo.field_names(RULE):
        raise SetupFault(["Odoo has no automation rules yet: install the module base_automation (Automation Rules)."])
    _load(odoo, RULE, RULE_ID, _COLUMNS[RULE])
    _load(odoo, ACTION, ACTION_ID, {**_COLUMNS[ACTION], "webhook_url": url})


def remove(odoo: Odoo) -> bool:
    """Takes the rule away; whether there was one."""
    found = False
    for model, external_id in ((ACTION, ACTION_ID), (RULE, RULE_ID)):
        module, name = external_id.split(".")
        domain = [("module", "=", module), ("name", "=", name)]
        for row in odoo.call("ir.model.data", "search_read", domain=domain, fields=["res_id"]):
            odoo.call(model, "unlink", [row["res_id"]])
            found = True
    return found


def _load(odoo: Odoo, model: str, external_id: str, values: dict[str, str]) -> None:
    answer: Any = odoo.call(model, "load", fields=["id", *values], data=[[external_id, *values.values()]])
    if not answer["ids"]:
        reasons = "; ".join(" ".join(str(message["message"]).split()) for message in answer["messages"])
        raise OdooRefused(f"Odoo did not take {external_id}: {reasons}")


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


@click.command("webhook")
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@click.option("--remove", "remove_it", is_flag=True, help="Take the rule away.")
def webhook_command(dry_run: bool, remove_it: bool) -> None:
    """Make Odoo ring at Milepost when a tracking number is typed in, so that it is matched within seconds."""
    settings = load_settings()
    if remove_it and not dry_run:
        found = remove(connect(settings))
        click.echo("The automation rule is gone." if found else "There was no automation rule of Milepost's.")
        return
    where = door(settings)
    if dry_run:
        click.echo(f"would make the automation rule {_NAME!r}, which rings at {where.shown}")
        return
    add(connect(settings), where.url)
    click.echo(f"Odoo rings at {where.shown} when a delivery gets another tracking number.")
