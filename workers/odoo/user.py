"""Milepost's own user in Odoo: in the group Milepost / Integration and in no other, in every company or in some.

An administrator makes it, and gives it the password that `milepost odoo rotate-key` asks for when it makes an API key.
Odoo makes and revokes keys for internal users only, so it has that role for as long as that takes, and no longer.
"""

from collections.abc import Sequence
from typing import Any

from shipments.errors import SetupFault
from workers.odoo.client import Odoo
from workers.odoo.fields import MODULE
from workers.odoo.setup import Change

NAME = "Milepost"
_USERS = "res.users"


def apply_user(
    admin: Odoo, login: str, companies: Sequence[str] = (), *, with_role: bool = False, dry_run: bool = False
) -> list[Change]:
    """Makes the user, or takes away what it has too much and gives what it lacks; nothing if it is as it should be.

    companies: the names of those whose deliveries it is for; all of them if none is named. with_role: it may make keys.
    Raises SetupFault if Odoo has no such company, or if that login is an administrator's: it would lose its rights.
    """
    names = [f"{MODULE}.group_integration", *(["base.group_user"] if with_role else [])]
    groups = [_record(admin, name) for name in names]
    allowed = _find_companies(admin, companies)
    wanted: dict[str, Any] = {
        group_field(admin): groups,
        "company_ids": allowed,
        "active": True,
    }
    user = _find_user(admin, login)
    if user is None:
        if not dry_run:
            values = _commands(wanted) | {"name": NAME, "login": login, "company_id": allowed[0]}
            admin.call(_USERS, "create", vals_list=[values])
        return [Change("add", f"the user {login}")]
    _refuse_administrator(admin, user)
    # Odoo itself puts whoever is in several companies into this one
    if (several := _record(admin, "base.group_multi_company")) in user[group_field(admin)]:
        groups.append(several)
    different = [name for name, value in wanted.items() if _plain(user[name]) != _plain(value)]
    if different and not dry_run:
        values = {name: wanted[name] for name in different}
        if user["company_id"] and user["company_id"][0] not in allowed:
            values["company_id"] = allowed[0]  # a user is always in its own
        admin.call(_USERS, "write", [user["id"]], vals=_commands(values))
    return [Change("change", f"the user {login}", tuple(different))] if different else []


def steps(login: str) -> list[str]:
    """What a person does in Odoo to the same end."""
    return [
        f"Settings, Users: make the user {login}, or open it; give it the role User for now, no other right, and the "
        "companies whose deliveries Milepost is for.",
        "Give it the group Milepost / Integration (Settings, Groups; with developer mode on).",
        "Give it a long password (the gear, Change Password): Milepost asks for it when it makes or revokes API keys.",
        f"Set ODOO_LOGIN to {login} and run `milepost odoo rotate-key`: it prints an API key, or writes it to the file"
        " of ODOO_API_KEY_FILE, which may be empty. Or sign in as that user and make one (Preferences, Security).",
        f"Take the role User away from it again, in Odoo or with `milepost odoo setup --user {login}`: an API key does "
        "not need it, and from Odoo 19 on neither does anything Milepost does.",
        "Set ODOO_API_KEY if the key was printed, and run `milepost odoo check`.",
    ]


def _find_user(admin: Odoo, login: str) -> dict[str, Any] | None:
    fields = ["login", "active", "company_id", "company_ids", group_field(admin)]
    domain = [("login", "=", login), ("active", "in", [True, False])]
    rows = admin.call(_USERS, "search_read", domain=domain, fields=fields)
    return rows[0] if rows else None


def _find_companies(admin: Odoo, names: Sequence[str]) -> list[int]:
    domain = [("name", "in", list(names))] if names else []
    rows = admin.call("res.company", "search_read", domain=domain, fields=["name"], order="id")
    if unknown := sorted(set(names) - {row["name"] for row in rows}):
        raise SetupFault([f"Odoo has no company called {', '.join(unknown)}, or the administrator is not in it."])
    return [row["id"] for row in rows]


def _refuse_administrator(admin: Odoo, user: dict[str, Any]) -> None:
    if user["id"] == admin.uid or _record(admin, "base.group_system") in user[group_field(admin)]:
        raise SetupFault([f"{user['login']} is an administrator of Odoo: choose a login of Milepost's own."])


def group_field(odoo: Odoo) -> str:
    """Odoo 19 renamed the field."""
    return "group_ids" if odoo.version >= (19, 0) else "groups_id"


def _record(odoo: Odoo, external_id: str) -> int:
    module, name = external_id.split(".")
    domain = [("module", "=", module), ("name", "=", name)]
    rows = odoo.call("ir.model.data", "search_read", domain=domain, fields=["res_id"])
    if not rows:
        raise SetupFault([f"{external_id} is missing in {odoo.url}: run `milepost odoo setup`."])
    return int(rows[0]["res_id"])


def _commands(values: dict[str, Any]) -> dict[str, Any]:
    """As `create` and `write` take them: a list of ids replaces what is linked."""
    return {name: [(6, 0, value)] if isinstance(value, list) else value for name, value in values.items()}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
