"""Signing in to Odoo with a password, as a browser does. Keys are made and revoked only so, not with another key.

Odoo 14 to 19 have the same two addresses for it. Whoever makes or revokes a key is asked for the password once more, in
a wizard (`res.users.identitycheck`); for ten minutes after that, in that session, no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import requests

from config.settings import Settings
from shipments.errors import MilepostError, OdooRefused, SetupFault
from workers.odoo.client import (
    CONNECT_SECONDS,
    JsonRpc,
    NoAuth,
    Odoo,
    OdooLockedOut,
    ask_version,
    envelope,
    send,
    split_arguments,
)
from workers.odoo.keyring import KeyRing

_CHECK = "res.users.identitycheck"


class Browser(JsonRpc):
    """What Odoo's own web client speaks, within a session that is kept by a cookie."""

    name = "web session"

    def question(self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any]) -> tuple[str, Any]:
        positional, named = split_arguments(method, ids, arguments)
        path = f"/web/dataset/call_kw/{model}/{method}"
        return path, envelope(model=model, method=method, args=positional, kwargs=named)


class Person:
    """Our user in Odoo, signed in with its password. odoo: what it can call so."""

    def __init__(self, odoo: Odoo, password: str) -> None:
        self.odoo = odoo
        self._password = password

    def confirmed(self, model: str, method: str, ids: list[int]) -> Any:
        """What that button answers, the password shown where Odoo asks for it. Raises OdooAway or OdooRefused."""
        answer = self.odoo.call(model, method, ids)
        if not isinstance(answer, dict) or answer.get("res_model") != _CHECK:
            return answer
        wizard = [answer["res_id"]]
        field = self.odoo.call(_CHECK, "fields_get", allfields=["password"], attributes=["store"])["password"]
        if field["store"]:  # as in Odoo 14, which empties it at once; Odoo 19 takes it from the context
            self.odoo.call(_CHECK, "write", wizard, vals={"password": self._password})
        return self.odoo.call(_CHECK, "run_check", wizard, context={"password": self._password})


def check_can_sign_in(settings: Settings) -> None:
    """Raises SetupFault if they do not say where, and as whom."""
    wanted = {
        "ODOO_URL": settings.odoo_url,
        "ODOO_DATABASE": settings.odoo_database,
        "ODOO_LOGIN": settings.odoo_login,
    }
    if missing := [name for name, value in wanted.items() if not value]:
        raise SetupFault([f"{name} is not set: without it nobody can sign in to Odoo." for name in missing])


@contextmanager
def signed_in(settings: Settings, password: str) -> Iterator[Person]:
    """Our user, signed in with that password, and signed out again afterwards.

    Raises SetupFault, OdooAway, or OdooLockedOut, which says what to do where the password is not enough.
    """
    check_can_sign_in(settings)
    settings = replace(settings, odoo_api_keys=(), odoo_api_key_file="", odoo_password=password)
    url, timeout = settings.odoo_url.rstrip("/"), (CONNECT_SECONDS, settings.odoo_timeout_seconds)
    with requests.Session() as session:
        session.auth = NoAuth()
        version = ask_version(session, url, timeout)
        keys = KeyRing(settings)
        browser = Browser(settings, keys)
        question = envelope(db=settings.odoo_database, login=settings.odoo_login, password=password)
        try:
            answer = browser.understand(
                send(session, "POST", url + "/web/session/authenticate", timeout, json=question)
            )
        except OdooRefused as refusal:
            raise _explained(refusal, settings) from None
        if not answer.get("uid"):
            raise OdooLockedOut(_SECOND_FACTOR.format(login=settings.odoo_login))
        if answer.get("is_internal_user") is False:  # older ones do not say so here, but when the key is made
            raise SetupFault([_NOT_INTERNAL.format(login=settings.odoo_login)])
        browser.uid = int(answer["uid"])
        try:
            yield Person(Odoo(session, settings, version, browser, keys), password)
        finally:
            with suppress(MilepostError):
                send(session, "POST", url + "/web/session/destroy", timeout, json=envelope())


_SECOND_FACTOR = (
    "Odoo asks {login} for a second factor, which Milepost has not. Take two-factor authentication off that user (an"
    " administrator can, in Settings, Users), or make the key by hand (Preferences, Security) and write it in front of"
    " the others."
)
_NOT_LET_IN = (
    "Odoo does not let {login} in with that password. A user that `milepost odoo setup` made has none yet: an"
    " administrator gives it one (Settings, Users, the gear, Change Password). After five wrong ones Odoo takes none"
    " for a minute."
)
_NOT_INTERNAL = (
    "{login} is not an internal user of Odoo, and only those make and revoke API keys. An administrator gives it that"
    " role for as long as it takes: `milepost odoo setup --user {login} --with-role`, then this again, then"
    " `milepost odoo setup --user {login}`. Its keys go on working without the role."
)


def _explained(refusal: OdooRefused, settings: Settings) -> MilepostError:
    kind = refusal.kind.rsplit(".", 1)[-1]
    if kind == "AccessDenied":
        return OdooLockedOut(_NOT_LET_IN.format(login=settings.odoo_login), refusal.kind)
    if kind == "AccessError":
        return SetupFault([f"{settings.odoo_url} has no database {settings.odoo_database}: check ODOO_DATABASE."])
    return refusal
