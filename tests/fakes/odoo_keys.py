"""API keys in the stand-in, and the web session in which they are made and revoked."""

import json
import secrets
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from tests.fakes.odoo_refusal import No

if TYPE_CHECKING:
    from tests.fakes.odoo import Store

_KEYS, _WIZARD, _CHECK = "res.users.apikeys", "res.users.apikeys.description", "res.users.identitycheck"
KEY_MODELS = {
    _KEYS: "name:char user_id:many2one:res.users expiration_date:datetime key:char",
    _WIZARD: "name:char* duration:char",
    _CHECK: "password:char request:char",
}
DURATIONS = {"1": "1 Day", "7": "1 Week", "30": "1 Month", "90": "3 Months", "-1": "Custom Date"}
_GUARDED = ((_WIZARD, "make_key"), (_KEYS, "remove"))


def live_keys(store: "Store") -> set[str]:
    """The secrets that open the door."""
    return {row["key"] for row in store.models[_KEYS].records.values() if row["key"]}


def shape_keys(store: "Store") -> None:
    """As they are in that version: keys end from 18 on; the password that is shown again is stored until 18."""
    if store.version >= (18, 0):
        store.models[_WIZARD].fields["duration"].selection = DURATIONS
    else:
        del store.models[_WIZARD].fields["duration"]
    store.models[_CHECK].fields["password"].is_stored = store.version < (19, 0)


class WebSessions:
    """Who signed in with the password, by cookie, and whether the password was shown again.

    asks_for_second_factor: then nobody gets in with a password alone. is_internal: whether the user may have keys.
    """

    def __init__(self, store: "Store", user: int, login: str, password: str) -> None:
        self.asks_for_second_factor = False
        self.is_internal = True
        self._store, self._user, self._login, self.password = store, user, login, password
        self._is_confirmed: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._is_confirmed)

    def sign_in(self, login: str, password: str) -> str | None:
        """The cookie; None where a second factor is missing. Raises No."""
        if (login, password) != (self._login, self.password):
            raise No("odoo.exceptions.AccessDenied", "Access Denied", 403)
        if self.asks_for_second_factor:
            return None
        cookie = secrets.token_hex(16)
        self._is_confirmed[cookie] = False
        return cookie

    def sign_out(self, cookie: str) -> None:
        self._is_confirmed.pop(cookie, None)

    def check(self, cookie: str) -> None:
        """Raises No if nobody is signed in with that cookie."""
        if cookie not in self._is_confirmed:
            raise No("odoo.http.SessionExpiredException", "Session expired", 403)

    def press(self, cookie: str, model: str, method: str, ids: list[int], context: Any) -> Any:
        """What a button answers that has to do with keys; None if it is another. Raises No."""
        if (model, method) == (_CHECK, "run_check"):
            return self._confirm(cookie, ids[0], context)
        if (model, method) not in _GUARDED:
            return None
        if not self._is_confirmed[cookie]:
            wizard = self._store.add(_CHECK, {"request": json.dumps([model, method, ids])})
            return {"type": "ir.actions.act_window", "res_model": _CHECK, "res_id": wizard}
        if method == "make_key":
            return {"res_model": f"{_KEYS}.show", "context": {"default_key": self._make(ids[0])}}
        self._store.remove(_KEYS, ids)
        return {"type": "ir.actions.act_window_close"}

    def _confirm(self, cookie: str, wizard: int, context: Any) -> Any:
        row = self._store.models[_CHECK].records[wizard]
        is_stored = self._store.models[_CHECK].fields["password"].is_stored
        if (row["password"] if is_stored else (context or {}).get("password")) != self.password:
            raise No("odoo.exceptions.UserError", "Incorrect Password, try again", 422)
        row["password"], self._is_confirmed[cookie] = False, True
        return self.press(cookie, *json.loads(row["request"]), context)

    def _make(self, wizard: int) -> str:
        row, key = self._store.models[_WIZARD].records[wizard], secrets.token_hex(20)
        values = {"name": row["name"], "user_id": self._user, "key": key}
        if "duration" in row:
            day = datetime.now(UTC).date() + timedelta(days=int(row["duration"]))
            values["expiration_date"] = datetime.combine(day, time(), UTC)
        self._store.add(_KEYS, values)
        self._store.remove(_WIZARD, [wizard])
        return key
