"""Seeing whether an Odoo is ready for Milepost, and saying what to do where it is not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.settings import Settings
from shipments.clock import now
from shipments.errors import MilepostError, OdooRefused
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import EVENT, MODEL_ID, ORDER, PICKING, Item, declared
from workers.odoo.setup import plan

OK, WARNING, FAULT = "ok", "warning", "fault"

_KEY_ENDS_SOON = timedelta(days=14)
_RUN_SETUP = "run `milepost odoo setup`"

RIGHTS = {
    PICKING: ("read", "write"),
    ORDER: ("read", "write"),
    EVENT: ("read", "write", "create"),
    "mail.activity": ("read", "write", "create"),
    "res.users": ("read",),
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. level: ok, warning (it works, for now) or fault (something will not work)."""

    level: str
    sentence: str


def check(settings: Settings) -> list[Finding]:
    """Everything there is to say about that Odoo. Never raises because of Odoo: that is a finding, too."""
    findings: list[Finding] = []
    try:
        odoo = connect(settings)
        findings.append(_protocol(odoo))
        for part in (_user, _modules, _additions, _rights, _key, _database):
            findings += part(odoo)
    except MilepostError as fault:
        findings.append(Finding(FAULT, str(fault)))
    return findings


def _protocol(odoo: Odoo) -> Finding:
    version = ".".join(map(str, odoo.version))
    sentence = f"Odoo {version} answers at {odoo.url} over {odoo.protocol}."
    if odoo.version >= (19, 0) and odoo.protocol != "JSON-2":
        return Finding(WARNING, f"{sentence} JSON-RPC will be removed from Odoo: make an API key and set ODOO_API_KEY.")
    if odoo.version < (14, 0):
        return Finding(FAULT, f"{sentence} Milepost needs Odoo 14 or newer.")
    return Finding(OK, sentence)


def _user(odoo: Odoo) -> Iterator[Finding]:
    rows = odoo.call("res.users", "search_read", domain=[("id", "=", odoo.uid)], fields=["name", "login"])
    name = f"{rows[0]['name']} ({rows[0]['login']})" if rows else f"user {odoo.uid}"
    yield Finding(OK, f"Milepost signs in to the database {odoo.database} as {name}.")


def _modules(odoo: Odoo) -> Iterator[Finding]:
    if "carrier_tracking_ref" in odoo.field_names(PICKING):
        yield Finding(OK, "Deliveries have a tracking reference.")
    else:
        module = "stock_delivery" if odoo.version >= (17, 0) else "delivery"
        yield Finding(FAULT, f"Deliveries have no tracking reference: install the module {module} in Odoo.")
    if _has_orders(odoo):
        yield Finding(OK, "Sales orders lead to deliveries.")
    else:
        yield Finding(
            WARNING, "There are no sales orders with deliveries (module sale_stock): only deliveries are written."
        )


def _additions(odoo: Odoo) -> Iterator[Finding]:
    wanted = [item for stage in declared(odoo.version, with_orders=_has_orders(odoo)) for item in stage]
    missing = [item.label for item in wanted if item.model == "ir.model.fields" and not _has_field(odoo, item)]
    if missing:
        yield Finding(FAULT, f"Missing in Odoo: {', '.join(missing)}; {_RUN_SETUP}.")
    elif not odoo.may("ir.model.data", "read"):
        yield Finding(
            OK, "All fields are there. Whether views and rights are as they should be, an administrator sees."
        )
    elif changes := plan(odoo):
        yield Finding(WARNING, f"Different in Odoo: {'; '.join(map(str, changes))}; {_RUN_SETUP}.")
    else:
        yield Finding(OK, "All fields, rights and views are there.")


def _rights(odoo: Odoo) -> Iterator[Finding]:
    models = [model for model in RIGHTS if model != ORDER or _has_orders(odoo)]
    lacking = [
        f"{operation} {model}" for model in models for operation in RIGHTS[model] if not odoo.may(model, operation)
    ]
    if lacking:
        group = "put Milepost's user into the group Milepost / Integration"
        yield Finding(FAULT, f"Milepost's user may not {', '.join(lacking)}: {_RUN_SETUP}, and {group}.")
    else:
        yield Finding(OK, f"Milepost's user has its rights on {', '.join(models)}.")


def _key(odoo: Odoo) -> Iterator[Finding]:
    """When the API key ends. Which of several keys is in use cannot be seen, so the one that ends first counts."""
    if odoo.version < (18, 0):  # until then keys lived forever
        return
    domain = [("user_id", "=", odoo.uid), ("expiration_date", "!=", False)]
    try:
        rows = odoo.call("res.users.apikeys", "search_read", domain=domain, fields=["name", "expiration_date"])
    except OdooRefused:
        yield Finding(WARNING, "When the API key ends cannot be seen by this user: note it, and renew it in time.")
        return
    for row in sorted(rows, key=lambda row: row["expiration_date"])[:1]:
        ends = datetime.fromisoformat(row["expiration_date"]).replace(tzinfo=UTC)
        sentence = f"The API key {row['name']!r} ends on {ends:%Y-%m-%d}"
        if ends - now() < _KEY_ENDS_SOON:
            yield Finding(WARNING, f"{sentence}: make a new one in Odoo (Preferences, Security), set ODOO_API_KEY.")
        else:
            yield Finding(OK, f"{sentence}.")


def _database(odoo: Odoo) -> Iterator[Finding]:
    try:
        uuid = odoo.call("ir.config_parameter", "get_param", key="database.uuid")
    except OdooRefused:
        yield Finding(OK, "The database's own identifier can be read by an administrator only.")
        return
    yield Finding(OK, f"The database is {uuid}.")


def _has_orders(odoo: Odoo) -> bool:
    return "sale_id" in odoo.field_names(PICKING) and bool(odoo.field_names(ORDER))


def _has_field(odoo: Odoo, item: Item) -> bool:
    model = next(model for model, external_id in MODEL_ID.items() if external_id == item.values["model_id/id"])
    return item.values["name"] in odoo.field_names(model)
