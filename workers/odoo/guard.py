"""Which deployment an Odoo belongs to, so that a test never writes to production, nor production to a copy.

Setup, which has the rights for it, reads `database.uuid` and writes it with the deployment's MILEPOST_ENVIRONMENT into
the help text of a field of ours: whoever may read deliveries can read it there, and only an administrator can change
it. A restored copy brings that text along, so a test deployment that is pointed at a copy of production is refused as
well, until somebody says with `--adopt` that the copy is the test's own.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from config import metrics
from shipments.errors import SetupFault
from shipments.store.marks import drop_mark, find_mark, save_mark
from workers.odoo.client import Odoo, OdooLockedOut
from workers.odoo.fields import PICKING
from workers.odoo.ownership import SENT

_REMEMBERED = "odoo_database"
_TELLS = "Set up by Milepost: "
_ENGLISH = {"lang": "en_US"}


class WrongOdoo(OdooLockedOut):
    """The Odoo behind ODOO_URL is not the one this deployment was set up with. It is neither read nor written."""


@dataclass(frozen=True)
class Owner:
    """What stands in Odoo. environment: MILEPOST_ENVIRONMENT of whoever ran setup; database: the uuid at that time."""

    environment: str
    database: str

    def __str__(self) -> str:
        return _TELLS + json.dumps({"environment": self.environment, "database": self.database})


def read_owner(odoo: Odoo) -> Owner | None:
    """To whom this Odoo belongs; None if setup has not been run yet. One call."""
    asked: dict[str, Any] = {"allfields": [SENT], "attributes": ["help"], "context": _ENGLISH}
    text = str((odoo.call(PICKING, "fields_get", **asked).get(SENT) or {}).get("help") or "")
    if not text.startswith(_TELLS):
        return None
    told = json.loads(text.removeprefix(_TELLS))
    return Owner(told["environment"], told["database"])


def claim(odoo: Odoo, *, adopt: bool) -> Owner:
    """Who this Odoo will belong to after setup. For an administrator. Raises SetupFault if it belongs to another."""
    wanted = Owner(odoo.environment, str(odoo.call("ir.config_parameter", "get_param", key="database.uuid")))
    there = read_owner(odoo)
    if there and not adopt and (fault := _fault(odoo, there, wanted)):
        raise SetupFault([fault])
    return wanted


def sign(odoo: Odoo, owner: Owner) -> None:
    """Writes into Odoo to whom it belongs."""
    domain = [("model", "=", PICKING), ("name", "=", SENT)]
    [field] = odoo.call("ir.model.fields", "search_read", domain=domain, fields=["name"])
    odoo.call("ir.model.fields", "write", [field["id"]], vals={"help": str(owner)}, context=_ENGLISH)


def verify(engine: Engine, odoo: Odoo) -> None:
    """Raises WrongOdoo unless this Odoo is ours; for the start of each process that writes to it. One call.

    The store remembers the first database it has met. Where setup has never been run, nothing can be written anyway.
    """
    owner = read_owner(odoo)
    if owner is None and SENT not in odoo.field_names(PICKING):
        return
    with engine.begin() as connection:
        fault = _find_fault(connection, odoo, owner)
        if fault is None and owner:
            save_mark(connection, _REMEMBERED, _known(odoo, owner))
    if fault:
        metrics.WRONG_ODOO.inc()
        raise WrongOdoo(fault)


def find_other_owner(odoo: Odoo) -> str | None:
    """Why Odoo says that it is not this deployment's; None if it does not say so."""
    owner = read_owner(odoo)
    return _fault(odoo, owner, Owner(odoo.environment, owner.database)) if owner else None


def forget(connection: Connection) -> None:
    """The next Odoo that is met is taken for ours, if it was set up by this environment."""
    drop_mark(connection, _REMEMBERED)


def _find_fault(connection: Connection, odoo: Odoo, owner: Owner | None) -> str | None:
    if owner is None:
        return f"{_here(odoo)} does not say whom it belongs to. Run `milepost odoo setup` with an administrator's key."
    if owner.environment != odoo.environment:
        return _fault(odoo, owner, Owner(odoo.environment, owner.database))
    remembered = find_mark(connection, _REMEMBERED)
    if remembered and remembered != _known(odoo, owner):
        return (
            f"This deployment's store belongs to the database {remembered['name']} ({remembered['uuid']}), and "
            f"{_here(odoo)} is another ({owner.database}). Correct ODOO_URL and ODOO_DATABASE; if Odoo has moved, run "
            "`milepost odoo setup --adopt` where the store can be reached."
        )
    return None


def _fault(odoo: Odoo, there: Owner, ours: Owner) -> str | None:
    """Why what stands in Odoo does not fit us; None if it does."""
    if there.environment != ours.environment:
        return (
            f"{_here(odoo)} was set up by the deployment {there.environment!r}, and this one is {ours.environment!r} "
            "(MILEPOST_ENVIRONMENT). Correct ODOO_URL or MILEPOST_ENVIRONMENT; if it is a copy that belongs to this "
            "deployment from now on, run `milepost odoo setup --adopt` with an administrator's key."
        )
    if there.database != ours.database:
        return (
            f"{_here(odoo)} is a copy of the database that was set up ({there.database}). If it belongs to this "
            "deployment from now on, run `milepost odoo setup --adopt` with an administrator's key."
        )
    return None


def _known(odoo: Odoo, owner: Owner) -> dict[str, str]:
    return {"uuid": owner.database, "name": odoo.database}


def _here(odoo: Odoo) -> str:
    return f"Odoo at {odoo.url}"
