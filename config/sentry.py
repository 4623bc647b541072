"""Error reports to Sentry, by an allow-list: what is not known to be harmless is not sent.

A report says where in our code it happened, of which kind it is, and which message, parcel and carrier it is about.
It says nothing of the request, of local variables, of the arguments of log lines or of tasks, and quotes an
exception's text only where we wrote it.
"""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.flask import FlaskIntegration

from config.logging import EXTRAS, is_our_error, is_our_logger
from config.settings import Settings

_EVENT = (
    "event_id", "timestamp", "type", "level", "platform", "environment", "release", "server_name", "sdk", "logger",
    "transaction", "transaction_info", "fingerprint",
)  # fmt: skip
_FRAME = ("filename", "function", "module", "lineno", "in_app")
_CRUMB = ("type", "category", "level", "timestamp")
_CONTEXTS = {
    "runtime": ("name", "version"),
    "os": ("name", "version"),
    "trace": ("trace_id", "span_id", "parent_span_id", "op", "status"),
    "celery-job": ("task_name",),
}


def configure(settings: Settings, transport: Any = None) -> None:
    """Reports errors to SENTRY_DSN; does nothing without one. transport: where reports go instead, for tests."""
    if not settings.sentry_dsn:
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.environment,
        transport=transport,
        integrations=[FlaskIntegration(), CeleryIntegration()],
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        before_send=scrub,
        before_breadcrumb=scrub_crumb,
    )


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    """The report, made anew from what may be in it. The hint holds the exceptions themselves."""
    kept = _only(event, _EVENT)
    kept["tags"] = _only(event.get("tags"), EXTRAS)
    kept["extra"] = _only(event.get("extra"), EXTRAS)
    kept["request"] = _only(event.get("request"), ("method",))
    kept["contexts"] = {n: _only(c, _CONTEXTS[n]) for n, c in (event.get("contexts") or {}).items() if n in _CONTEXTS}
    kept["breadcrumbs"] = {"values": [scrub_crumb(crumb, {}) for crumb in _values(event, "breadcrumbs")]}
    if exceptions := _values(event, "exception"):
        ours = _our_kinds(hint)
        kept["exception"] = {"values": [_exception(told, ours) for told in exceptions]}
    if event.get("logentry"):
        kept["logentry"] = {"message": _template(event)}
    return kept


def scrub_crumb(crumb: Any, hint: dict[str, Any]) -> Any:
    """What happened before, without its words: the SDK has put the arguments in already."""
    return _only(crumb, _CRUMB) | {"data": _only(crumb.get("data"), ("method", "status_code", *EXTRAS))}


def _only(found: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in names if name in found}


def _values(event: Any, name: str) -> list[Any]:
    found = event.get(name) or {}
    return list(found.get("values", ())) if isinstance(found, dict) else list(found)


def _exception(told: dict[str, Any], ours: set[str]) -> dict[str, Any]:
    kept = _only(told, ("type", "module"))
    kept["mechanism"] = _only(told.get("mechanism"), ("type", "handled"))
    frames = (told.get("stacktrace") or {}).get("frames") or ()
    kept["stacktrace"] = {"frames": [_only(frame, _FRAME) for frame in frames]}
    if f"{told.get('module')}.{told.get('type')}" in ours:
        kept["value"] = told.get("value")
    return kept


def _our_kinds(hint: dict[str, Any]) -> set[str]:
    """Names of the exceptions in the chain whose text is a sentence of ours."""
    exception = (hint.get("exc_info") or (None, None, None))[1]
    found, seen = set[str](), set[int]()
    while exception is not None and id(exception) not in seen:
        seen.add(id(exception))
        if is_our_error(type(exception)):
            found.add(f"{type(exception).__module__}.{type(exception).__qualname__}")
        exception = exception.__cause__ or exception.__context__
    return found


def _template(event: Any) -> str:
    """The log line's words before its arguments are put in, where the words are ours."""
    logger = str(event.get("logger", ""))
    return str(event["logentry"].get("message", "")) if is_our_logger(logger) else f"an error logged by {logger}"
