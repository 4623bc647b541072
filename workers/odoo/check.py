"""Seeing whether an Odoo is ready for Milepost, and saying what to do where it is not."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.settings import Settings
from shipments.errors import MilepostError, OdooRefused
from workers.odoo.activities import find_users
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import EVENT, MODEL_ID, ORDER, PICKING, WITHOUT_ROLE, Item, declared
from workers.odoo.guard import find_other_owner
from workers.odoo.keys import ENDS_SOON, days_left, find_keys
from workers.odoo.project import PROJECT_TASK, TASK_PICKING
from workers.odoo.setup import plan
from workers.resources import policy

OK, WARNING, FAULT = "ok", "warning", "fault"

_RUN_SETUP = "run `milepost odoo setup`"

RIGHTS = {
    PICKING: ("read", "write"),
    ORDER: ("read", "write"),
    EVENT: ("read", "write", "create"),
    "mail.activity": ("read", "write", "create"),
    "ir.attachment": ("read", "write", "create"),
    "stock.move.line": ("read",),
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
        for part in (_user, _modules, _additions, _rights, _tasks, _key, _database):
            findings += part(odoo)
        findings += _companies(odoo, settings)
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
    if odoo.version >= WITHOUT_ROLE and odoo.call("res.users", "has_group", [odoo.uid], group_ext_id="base.group_user"):
        more = "That user may read and write more than Milepost needs, as every internal user may"
        yield Finding(WARNING, f"{more}: make one of Milepost's own with `milepost odoo setup --user LOGIN`.")


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


def _tasks(odoo: Odoo) -> Iterator[Finding]:
    """Whether Odoo has what the policy names: users, and the project."""
    logins = policy().logins()
    if unknown := sorted(logins - find_users(odoo, logins).keys()):
        sentence = f"The policy names logins that Odoo does not know: {', '.join(unknown)}"
        yield Finding(WARNING, f"{sentence}; their tasks go to others. Mend the policy, or make the users in Odoo.")
    if not policy().wants_project or odoo.version < (17, 0):
        return
    if TASK_PICKING not in odoo.field_names(PROJECT_TASK):
        yield Finding(FAULT, f"The policy wants project tasks: install Project in Odoo and {_RUN_SETUP}.")
    elif lacking := [o for o in ("read", "write", "create") if not odoo.may(PROJECT_TASK, o)]:
        yield Finding(FAULT, f"Milepost's user may not {', '.join(lacking)} {PROJECT_TASK}: {_RUN_SETUP}.")
    else:
        yield Finding(OK, "Project tasks can be written.")


def _key(odoo: Odoo) -> Iterator[Finding]:
    """When the API key ends. Which of several keys is in use cannot be seen, so the one that ends first counts."""
    if odoo.version < (18, 0):  # until then keys lived forever
        return
    try:
        keys = [(key.name, key.ends) for key in find_keys(odoo) if key.ends]
    except OdooRefused:
        yield Finding(WARNING, "When the API key ends cannot be seen by this user: note it, and renew it in time.")
        return
    for name, ends in keys[:1]:
        days = int(days_left(ends))
        sentence = f"The API key {name!r} ends on {ends:%Y-%m-%d}, in {days} days"
        if days < ENDS_SOON.days:
            rotate = "run `milepost odoo rotate-key`, and once there is a new one, that with --finish"
            yield Finding(WARNING, f"{sentence}: {rotate}.")
        else:
            yield Finding(OK, f"{sentence}.")


def _database(odoo: Odoo) -> Iterator[Finding]:
    if fault := find_other_owner(odoo):
        yield Finding(FAULT, fault)
    try:
        uuid = odoo.call("ir.config_parameter", "get_param", key="database.uuid")
    except OdooRefused:
        yield Finding(OK, "The database's own identifier can be read by an administrator only.")
        return
    yield Finding(OK, f"The database is {uuid}.")


def _companies(odoo: Odoo, settings: Settings) -> Iterator[Finding]:
    """Whose deliveries Milepost sees, and whether they are those that carriers' accounts belong to."""
    if not odoo.may("res.company", "read"):
        return  # the rights say so
    rows = odoo.call("res.company", "search_read", domain=[], fields=["name"], order="id")
    names = ", ".join(row["name"] for row in rows)
    yield Finding(
        OK, f"Milepost's user is allowed in {names}, and neither reads nor writes other companies' deliveries."
    )
    allowed = {row["id"] for row in rows}
    for account, company in sorted(settings.carrier_companies.items()):
        if company not in allowed:
            yield Finding(
                FAULT,
                f"CARRIER_{account}_COMPANY is {company}, which is no company in Odoo or one that Milepost's user is "
                "not allowed in: nothing that account tells is shown. Correct the setting, or the user's companies.",
            )


def _has_orders(odoo: Odoo) -> bool:
    return "sale_id" in odoo.field_names(PICKING) and bool(odoo.field_names(ORDER))


def _has_field(odoo: Odoo, item: Item) -> bool:
    model = next(model for model, external_id in MODEL_ID.items() if external_id == item.values["model_id/id"])
    return item.values["name"] in odoo.field_names(model)
