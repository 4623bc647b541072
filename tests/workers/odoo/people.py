"""Users of a real Odoo whom tests sign in as: people with some rights, and the user that setup makes for Milepost."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import requests

from config.settings import Settings
from workers.odoo.client import Odoo, connect
from workers.odoo.user import apply_user

_KEYS = "res.users.apikeys.description"


def by_password(settings: Settings, password: str, login: str = "") -> Settings:
    """As that user, over JSON-RPC: an Odoo 19 is spoken to so where there is only a password. A key will do as one."""
    name = login or settings.odoo_login
    return replace(settings, odoo_login=name, odoo_password=password, odoo_api_keys=(), odoo_api_key_file="")


def sign_in(admin: Odoo, settings: Settings, login: str, **values: Any) -> Odoo:
    """As a new user with these values, by a key."""
    password = uuid4().hex
    row = {"name": login, "login": login, "password": password, **values}
    admin.call("res.users", "create", vals_list=[row])
    return connect(replace(settings, odoo_login=login, odoo_api_keys=(make_key(settings, login, password),)))


def sign_in_as_milepost(admin: Odoo, settings: Settings, *companies: str) -> Odoo:
    """As the user that setup makes, by a key that is made as `milepost odoo setup --print` says."""
    login, groups = f"milepost-{uuid4().hex[:8]}", [group_of(admin, "base.group_user")]
    bot = sign_in(admin, settings, login, group_ids=[(6, 0, groups)])
    apply_user(admin, login, companies)
    return bot


def make_key(settings: Settings, login: str, password: str) -> str:
    """A key as an internal user makes one, in a browser."""
    browser = requests.Session()

    def post(path: str, **params: Any) -> Any:
        document = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = browser.post(settings.odoo_url + path, json=document, timeout=30).json()
        assert "error" not in answer, answer["error"]["data"]["message"]
        return answer["result"]

    def click(model: str, method: str, *args: Any, **context: Any) -> Any:
        of = {"model": model, "method": method, "args": args, "kwargs": {"context": context}}
        return post(f"/web/dataset/call_kw/{model}/{method}", **of)

    post("/web/session/authenticate", db=settings.odoo_database, login=login, password=password)
    made = click(_KEYS, "create", [{"name": "tests", "duration": "1"}])
    asked = click(_KEYS, "make_key", made)
    shown = click(asked["res_model"], "run_check", [asked["res_id"]], password=password)
    return str(shown["context"]["default_key"])


def group_of(admin: Odoo, external_id: str) -> int:
    """The database id of a group."""
    module, name = external_id.split(".")
    domain = [("module", "=", module), ("name", "=", name)]
    return int(admin.call("ir.model.data", "search_read", domain=domain, fields=["res_id"])[0]["res_id"])
