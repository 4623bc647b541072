"""Talking to Odoo: one small client over its two protocols, with timeouts, and with the ways to fail told apart.

JSON-2 exists from Odoo 19 on and takes API keys only; JSON-RPC serves Odoo 14 to 18, and Odoo 19 where there is only
a password. Which one is spoken is decided once, by asking Odoo for its version.
"""

import logging
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import requests
from requests.auth import AuthBase

from config.settings import Settings
from shipments.errors import OdooAway, OdooRefused, SetupFault
from workers.odoo.keyring import KeyRing
from workers.retry_after import read_retry_after

CONNECT_SECONDS = 5
log = logging.getLogger(__name__)

OnCall = Callable[[str, str, float, str], None]


class OdooConflict(OdooAway):
    """Somebody else wrote the same record at the same moment; Odoo gave up after trying five times."""


class OdooTooSlow(OdooAway):
    """Odoo took the call and did not answer in time. It may still do the work; fewer rows may be done in time."""


class OdooLockedOut(OdooRefused):
    """Odoo refuses whatever we ask, not this record: key, rights, missing fields, wrong address. Mend it and go on."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made. outcome: done, conflict, away or refused; seconds: until Odoo's answer was there.

    rows: as many as were sent, or else came back; bytes: of the bodies, without headers and compression.
    """

    model: str
    method: str
    outcome: str
    seconds: float
    rows: int
    sent_bytes: int
    received_bytes: int


class Dialect(Protocol):
    """One of Odoo's two protocols: how a call is put, and how its answer is understood."""

    name: str
    uid: int

    def question(self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any]) -> tuple[str, Any]:
        """The path and the JSON body of a call."""

    def understand(self, response: requests.Response) -> Any:
        """The result in an answer. Raises OdooAway or OdooRefused."""


class Odoo:
    """One Odoo, spoken to by one user over one kept connection. Not to be shared between threads.

    environment: the name of this deployment.
    version: such as (19, 0). calls: how many were made. on_call(model, method, seconds, outcome) hears of each, outcome
    being done, conflict, away or refused; on_done hears of each with what it cost. place: entered around each call,
    which a budget may let wait; it may raise OdooAway.
    """

    def __init__(
        self,
        session: requests.Session,
        settings: Settings,
        version: tuple[int, int],
        dialect: Dialect,
        keys: KeyRing,
    ) -> None:
        self.url = settings.odoo_url.rstrip("/")
        self.database = settings.odoo_database
        self.login = settings.odoo_login
        self.environment = settings.environment
        self.version = version
        self.calls = 0
        self.on_call: OnCall | None = None
        self.on_done: Callable[[Call], None] | None = None
        self.place: Callable[[], AbstractContextManager[None]] = nullcontext
        self._bytes = (0, 0)
        self._session = session
        self._dialect = dialect
        self._keys = keys
        self._timeout = (CONNECT_SECONDS, settings.odoo_timeout_seconds)
        self._field_names: dict[str, frozenset[str]] = {}

    def __repr__(self) -> str:
        return f"Odoo({self.url!r}, database={self.database!r}, login={self.login!r}, protocol={self.protocol!r})"

    @property
    def protocol(self) -> str:
        return self._dialect.name

    @property
    def uid(self) -> int:
        """The id of our own user in Odoo."""
        if not self._dialect.uid:
            self._dialect.uid = self.call("res.users", "context_get")["uid"]
        return self._dialect.uid

    def call(self, model: str, method: str, ids: list[int] | None = None, **arguments: Any) -> Any:
        """What Odoo's `model.method` answers. Arguments have the names they have in Odoo; `context` is one of them.

        Raises OdooAway (try again later), OdooConflict (try again soon) or OdooRefused (a person has to act;
        OdooLockedOut if that is true of every record). Nothing is tried twice here.
        """
        with self.place():
            return self._call(model, method, ids, arguments)

    def _call(self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any]) -> Any:
        started, outcome, request_id, result = time.monotonic(), "refused", uuid4().hex, None
        self.calls, self._bytes = self.calls + 1, (0, 0)
        try:
            result = self._exchange(model, method, ids, arguments, request_id)
            outcome = "done"
        except OdooConflict:
            outcome = "conflict"
            raise
        except OdooAway:
            outcome = "away"
            raise
        else:
            return result
        finally:
            seconds = time.monotonic() - started
            log.debug("odoo %s.%s: %s in %.3f s (request %s)", model, method, outcome, seconds, request_id)
            if self.on_call:
                self.on_call(model, method, seconds, outcome)
            if self.on_done:
                self.on_done(Call(model, method, outcome, seconds, _rows(ids, arguments, result), *self._bytes))

    def field_names(self, model: str) -> frozenset[str]:
        """The fields that model has, asked once. Empty if Odoo has no such model."""
        if model not in self._field_names:
            try:
                names = frozenset(self.call(model, "fields_get", attributes=["type"]))
            except OdooLockedOut as refusal:
                if not refusal.kind.endswith("NotFound"):
                    raise
                names = frozenset()
            self._field_names[model] = names
        return self._field_names[model]

    def may(self, model: str, operation: str) -> bool:
        """Whether our user has that right (read, write, create, unlink) on the model; no model, no right."""
        try:
            if self.version >= (18, 0):
                return bool(self.call(model, "has_access", [], operation=operation))
            return bool(self.call(model, "check_access_rights", operation=operation, raise_exception=False))
        except OdooLockedOut as refusal:
            if refusal.kind.endswith("NotFound"):
                return False
            raise

    def forget_fields(self) -> None:
        """Ask for the fields again next time: they were changed."""
        self._field_names.clear()

    def close(self) -> None:
        self._session.close()

    def _exchange(
        self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any], request_id: str
    ) -> Any:
        while True:
            path, body = self._dialect.question(model, method, ids, arguments)
            response = send(
                self._session, "POST", self.url + path, self._timeout, json=body, headers={"X-Request-Id": request_id}
            )
            self._bytes = len(response.request.body or b""), len(response.content)
            try:
                return self._dialect.understand(response)
            except OdooLockedOut as refusal:
                if not self._keys.turn(refusal):  # a refused key has done nothing: the call is made with the next one
                    raise


def _rows(ids: list[int] | None, arguments: dict[str, Any], result: Any) -> int:
    """How many rows a call was about: those that were sent, else those that came back."""
    for rows in (arguments.get("data"), arguments.get("vals_list"), ids, result):
        if isinstance(rows, list):
            return len(rows)
    return 0


def connect(settings: Settings) -> Odoo:
    """The client for that Odoo, in the protocol it speaks. Raises SetupFault, OdooAway or OdooRefused."""
    _check(settings)
    session = requests.Session()
    timeout = (CONNECT_SECONDS, settings.odoo_timeout_seconds)
    url = settings.odoo_url.rstrip("/")
    version = ask_version(session, url, timeout)
    dialect: Dialect
    keys = KeyRing(settings)
    if version >= (19, 0) and settings.odoo_api_keys:
        session.auth = _Bearer(keys, settings.odoo_database)
        dialect = Json2()
    else:
        session.auth = NoAuth()
        dialect = JsonRpc(settings, keys)
        dialect.uid = _log_in(session, url, timeout, dialect, keys)
    return Odoo(session, settings, version, dialect, keys)


class Json2:
    """Odoo 19 and later: POST /json/2/<model>/<method>, named arguments, real HTTP statuses."""

    name = "JSON-2"
    uid = 0

    def question(self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any]) -> tuple[str, Any]:
        body = arguments if ids is None else {"ids": ids, **arguments}
        return f"/json/2/{model}/{method}", body

    def understand(self, response: requests.Response) -> Any:
        document = _document(response)
        if response.status_code >= 400:
            raise _refusal(str(document.get("name", "")), str(document.get("message", "")))
        return document


class JsonRpc:
    """Odoo 14 to 19: POST /jsonrpc, execute_kw, every answer with status 200 and errors inside."""

    name = "JSON-RPC"

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self.uid = 0
        self._database, self._login = settings.odoo_database, settings.odoo_login
        self._keys = keys

    def question(self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any]) -> tuple[str, Any]:
        positional, named = split_arguments(method, ids, arguments)
        return "/jsonrpc", _rpc(
            "object", "execute_kw", self._database, self.uid, self._keys.current, model, method, positional, named
        )

    def login_question(self) -> Any:
        return _rpc("common", "login", self._database, self._login, self._keys.current)

    def understand(self, response: requests.Response) -> Any:
        document = _document(response)
        if "error" in document:
            data = document["error"].get("data") or {}
            raise _refusal(str(data.get("name", "")), str(data.get("message") or document["error"].get("message", "")))
        return document.get("result")


def split_arguments(method: str, ids: list[int] | None, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call as Odoo's older protocols take them: those by place, and those by name."""
    named = dict(arguments)
    positional: list[Any] = [] if ids is None else [ids]
    # These have other names in older versions, in Odoo 14 from model to model. execute_kw also looks at the first
    # positional argument of create to choose between an id and a list of ids.
    positional += [named.pop(name) for name in ("vals_list", "vals") if name in named]
    if method in ("search", "search_count"):
        positional.append(named.pop("domain"))
    return positional, named


class _Bearer(AuthBase):
    """The API key. As `auth`, because requests lets a .netrc file replace an Authorization header, but not this."""

    def __init__(self, keys: KeyRing, database: str) -> None:
        self._keys, self._database = keys, database

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"bearer {self._keys.current}"
        request.headers["X-Odoo-Database"] = self._database
        return request


class NoAuth(AuthBase):
    """Nothing in the headers: the secret is in the body, or in a cookie. Keeps a .netrc file out of it."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _check(settings: Settings) -> None:
    faults = []
    for name, value in (("ODOO_URL", settings.odoo_url), ("ODOO_DATABASE", settings.odoo_database)):
        if not value:
            faults.append(f"{name} is not set: without it Milepost does not know which Odoo to write to.")
    if not (settings.odoo_api_keys or settings.odoo_password):
        faults.append("Neither ODOO_API_KEY nor ODOO_PASSWORD is set: Odoo lets nobody in without one.")
    elif not settings.odoo_login and not settings.odoo_api_keys:
        faults.append("ODOO_LOGIN is not set: a password needs the login it belongs to.")
    if faults:
        raise SetupFault(faults)


def ask_version(session: requests.Session, url: str, timeout: tuple[float, float]) -> tuple[int, int]:
    """Odoo's version. /web/version exists from 19 on; older ones are asked over JSON-RPC."""
    response = send(session, "GET", url + "/web/version", timeout)
    if response.status_code in (429, 502, 503, 504):
        raise _away(response)
    if (info := _member(response, "version_info")) is None:
        response = send(session, "POST", url + "/jsonrpc", timeout, json=_rpc("common", "version"))
        info = (_document(response).get("result") or {}).get("server_version_info")
    if not isinstance(info, list) or len(info) < 2:
        raise OdooLockedOut(f"What answers at {url} is not Odoo, or an Odoo older than 14: check ODOO_URL.")
    # Odoo Online runs versions such as ["saas~18", 2, ...]
    return int(re.sub(r"\D", "", str(info[0]))), int(info[1])


def _member(response: requests.Response, name: str) -> Any:
    try:
        document = response.json()
    except requests.JSONDecodeError:
        return None
    return document.get(name) if isinstance(document, dict) else None


def _log_in(session: requests.Session, url: str, timeout: tuple[float, float], dialect: JsonRpc, keys: KeyRing) -> int:
    while True:
        response = send(session, "POST", url + "/jsonrpc", timeout, json=dialect.login_question())
        if uid := dialect.understand(response):
            return int(uid)
        refusal = OdooLockedOut(
            f"Odoo says no: Access Denied. {_LOCKED_OUT['AccessDenied']}", "odoo.exceptions.AccessDenied"
        )
        if not keys.turn(refusal):
            raise refusal


def _rpc(service: str, method: str, *arguments: Any) -> Any:
    return envelope(service=service, method=method, args=arguments)


def envelope(**parameters: Any) -> Any:
    """A body of JSON-RPC."""
    return {"jsonrpc": "2.0", "method": "call", "params": parameters}


def send(
    session: requests.Session, verb: str, url: str, timeout: tuple[float, float], **what: Any
) -> requests.Response:
    """The answer, whatever its status. Raises OdooAway, or OdooLockedOut where the address leads elsewhere."""
    try:
        response = session.request(verb, url, timeout=timeout, allow_redirects=False, **what)
    except requests.ReadTimeout:
        raise OdooTooSlow(f"Odoo at {url} did not answer in time.") from None
    except requests.ConnectionError as fault:
        raise OdooAway(f"Odoo at {url} cannot be reached, or hung up ({_cause(fault)}).") from None
    except requests.RequestException as fault:
        raise OdooAway(f"Odoo at {url} gave no whole answer ({type(fault).__name__}).") from None
    if response.is_redirect and verb == "POST":
        # following would turn the POST into a GET, and take the key along
        raise OdooLockedOut(f"Odoo at {url} redirects to {response.headers['Location']}: set ODOO_URL to that address.")
    return response


def _cause(fault: BaseException) -> str:
    """The innermost reason of a failed connection, such as "Connection refused"."""
    while deeper := fault.__cause__ or fault.__context__:
        fault = deeper
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__


_WAITING = {429, 502, 503, 504}


def _document(response: requests.Response) -> Any:
    """The JSON in an answer. Raises OdooAway if Odoo, or something in front of it, cannot answer now."""
    if response.status_code in _WAITING:
        raise _away(response)
    try:
        document = response.json()
    except requests.JSONDecodeError:
        if 400 <= response.status_code < 500:
            raise OdooLockedOut(
                f"{response.url} answers {response.status_code} and no JSON: check ODOO_URL and ODOO_DATABASE."
            ) from None
        raise _away(response) from None
    if response.status_code >= 400 and not isinstance(document, dict):
        raise _away(response)
    return document


def _away(response: requests.Response) -> OdooAway:
    if response.status_code in _WAITING:
        problem = f"answers {response.status_code}"
    else:
        problem = f"answers {response.status_code} with something that is not JSON"
    wait = read_retry_after(response.headers.get("Retry-After", ""))
    error = OdooTooSlow if response.status_code == 504 else OdooAway
    return error(f"Odoo at {response.url} {problem}.", None if wait is None else wait.total_seconds())


# What Odoo calls its errors: the end of the exception's name, and what that means for us.
_CONFLICTS = ("SerializationFailure", "DeadlockDetected", "LockNotAvailable", "ConcurrencyError", "LockError")
_CONFLICT_WORDS = ("could not serialize access", "concurrent update", "deadlock detected")
_BUSY = (
    "OperationalError",
    "InterfaceError",
    "PoolError",
    "AdminShutdown",
    "CannotConnectNow",
    "CrashShutdown",
    "TooManyConnections",
    "QueryCanceled",
    "DiskFull",
    "ServiceUnavailable",
    "TooManyRequests",
    "MemoryError",
)
_RUN_SETUP = "Run `milepost odoo setup`, and `milepost odoo check` to see what is missing."
_LOCKED_OUT = {
    "Unauthorized": "Make a new API key with `milepost odoo rotate-key`, or by hand in Odoo, and set ODOO_API_KEY.",
    "AccessDenied": "Check ODOO_LOGIN, and ODOO_API_KEY or ODOO_PASSWORD; an API key lives 90 days at most.",
    "Forbidden": _RUN_SETUP,
    "NotFound": _RUN_SETUP,
    "KeyError": _RUN_SETUP,
}
_INVALID_FIELD = re.compile(r"Invalid field|Unknown field", re.I)
_NO_MODEL = re.compile(r"Object \S+ doesn't exist")  # how JSON-RPC says it; JSON-2 has NotFound for it


def is_conflict(message: str) -> bool:
    """Whether what Odoo says means that two transactions wrote the same row. PostgreSQL's words, never translated."""
    return any(words in message for words in _CONFLICT_WORDS)


def _refusal(kind: str, message: str) -> OdooAway | OdooRefused:
    """The error that Odoo's own exception means. `kind` is its name, such as odoo.exceptions.AccessError."""
    name, said = kind.rsplit(".", 1)[-1], " ".join(message.split())[:500]
    if name in _CONFLICTS or is_conflict(message):
        return OdooConflict("Somebody else wrote the same record in Odoo at the same moment.")
    if name in _BUSY:
        return OdooAway(f"Odoo cannot answer now: {said}")
    if _NO_MODEL.match(message):
        kind, name = "werkzeug.exceptions.NotFound", "NotFound"
    if name in _LOCKED_OUT:
        return OdooLockedOut(f"Odoo says no: {said}. {_LOCKED_OUT[name]}", kind)
    if name in ("ValueError", "UserError") and _INVALID_FIELD.search(message):
        return OdooLockedOut(f"Odoo says no: {said}. {_RUN_SETUP}", kind)
    if name == "AccessError":
        return OdooRefused(f"Odoo says no: {said} Put Milepost's user into the group Milepost / Integration.", kind)
    return OdooRefused(f"Odoo says no: {said}", kind)
