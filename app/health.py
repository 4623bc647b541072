"""Whether we are alive, whether messages can be kept, and how much of everything there is.

Authentication: /livez and /readyz none, they name parts and nothing else; /metrics a bearer token, or loopback only.
"""

import hmac
import ipaddress
from collections.abc import Iterable
from typing import Any

import redis
from flask import Blueprint, Request, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.patience import Patience
from app.problem import Problem
from config import metrics
from config.queues import LANES
from config.settings import Settings
from shipments.milestone import ExceptionCategory
from shipments.store.intake import Intake
from shipments.store.marks import ODOO_KEY, ODOO_PACE, ODOO_PAUSE
from shipments.store.trouble import Troubles, count_trouble

DATABASE_SECONDS = 2.0

COUNTED_UP_TO = 100_000


def _count(rows: str) -> str:
    """So that /metrics answers just when much waits. In the order of an index, which PostgreSQL uses then for sure."""
    return f"select count(*) from (select from {rows} limit {COUNTED_UP_TO}) as waiting"  # noqa: S608, constants


_CIRCUIT_OPEN = f"select count(*) from marks where name = '{ODOO_PAUSE}' and value ->> 'open' = 'true'"  # noqa: S608

_BACKLOG = {
    metrics.EFFECTS_DUE: _count(
        "effects where state in ('due', 'claimed') and due_at <= now() order by kind, told_at is null, due_at"
    ),
    metrics.EFFECTS_PARKED: _count("effects where state = 'parked' order by decided_at"),
    metrics.MESSAGES_PARKED: _count("messages where state = 'parked' order by carrier, received_at"),
    metrics.POLLS_WAITING: "select count(*) from polls where due_at is not null",
    metrics.POLLS_DUE: "select count(*) from polls where due_at <= now()",
    metrics.UNSETTLED: _count("unsettled order by lane, due_at"),
    metrics.UNMATCHED: _count("parcels where unmatched_since is not null order by look_up_at"),
    metrics.KEPT: _count("keeps order by key"),
    metrics.RECONCILED_AT: "select extract(epoch from max(ended_at)) from reports where report ->> 'fault' = ''",
    metrics.ODOO_CIRCUIT_OPEN: _CIRCUIT_OPEN,
    metrics.ODOO_PACE: f"select cast(value ->> 'level' as int) from marks where name = '{ODOO_PACE}'",  # noqa: S608
}

"""Each reads an index of what waits and nothing else (tests/workers/test_plans.py)."""

_ODOO_KEY_SECONDS = f"""
    select extract(epoch from cast(value ->> 'ends' as timestamptz) - now()) from marks where name = '{ODOO_KEY}'
"""  # noqa: S608, a constant
_KEY_WARNING_DAYS = 14

_SIZES = """
    select relname, pg_total_relation_size(oid) as bytes from pg_class
    where relkind = 'r' and relnamespace = cast(current_schema() as regnamespace)
"""


class Health:
    """Looks at each part. None for a store means that none is set up."""

    def __init__(
        self, settings: Settings, intake: Intake | None, engine: Engine | None, ledger: metrics.Ledger | None
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._engine = engine
        self._ledger = ledger
        self._patience = Patience(DATABASE_SECONDS)

    def parts(self) -> dict[str, list[str]]:
        """Each part with what is wrong about it, a sentence each."""
        parts = {"redis": self._redis_faults(), "postgresql": self._database_faults(), "secret-key": self._key_faults()}
        if not parts["postgresql"] and (days := self._odoo_key_days()) is not None and days < _KEY_WARNING_DAYS:
            parts["odoo-key"] = [f"Odoo's API key ends in {max(0, int(days))} days: run `milepost odoo rotate-key`"]
        if not parts["postgresql"] and self._is_circuit_open():
            parts["odoo"] = ["Odoo failed several times and is left alone for now; what is to be written there waits"]
        return parts

    def can_keep(self, parts: dict[str, list[str]]) -> bool:
        """Whether a message could be kept: with a key to seal it, and at least one of the two stores."""
        return not parts["secret-key"] and (self._redis_answers() or not parts["postgresql"])

    def measure(self) -> metrics.Totals:
        """Fills the gauges; the counts are those of all processes, or left out while Redis cannot say."""
        self._measure_streams()
        self._measure_backlog()
        return metrics.Totals(self._account())

    def _redis_answers(self) -> bool:
        try:
            return self._intake is not None and self._intake.length(LANES[0]) >= 0
        except redis.RedisError:
            return False

    def _redis_faults(self) -> list[str]:
        if self._intake is None:
            return ["MILEPOST_REDIS_URL is not set"]
        try:
            return self._intake.durability_faults()
        except redis.RedisError:
            return ["Redis does not answer: messages go to PostgreSQL"]

    def _database_faults(self) -> list[str]:
        if self._engine is None:
            return ["MILEPOST_DATABASE_URL is not set"]
        try:
            self._patience.call(self._ask, ["select 1 where cast('messages' as regclass) is not null"])
        except (SQLAlchemyError, TimeoutError):
            return ["PostgreSQL does not answer, or its tables are not there yet: messages wait in the stream"]
        return []

    def _key_faults(self) -> list[str]:
        missing = "MILEPOST_SECRET_KEY is not set, so nothing can be sealed; make a key with: milepost new-key"
        return [] if self._settings.secret_key else [missing]

    def _measure_streams(self) -> None:
        up = self._redis_answers()
        metrics.UP.labels("redis").set(up)
        if up and self._intake:
            for lane in LANES:
                metrics.STREAM_LENGTH.labels(lane).set(self._intake.length(lane))

    def _is_circuit_open(self) -> bool:
        try:
            return bool(*self._patience.call(self._ask, [_CIRCUIT_OPEN]))
        except (SQLAlchemyError, TimeoutError):
            return False

    def _odoo_key_days(self) -> float | None:
        """How long the API key for Odoo lives, as correlate last looked it up; None if not known or for ever."""
        try:
            (seconds,) = self._patience.call(self._ask, [_ODOO_KEY_SECONDS])
        except (SQLAlchemyError, TimeoutError):
            return None
        return float(seconds) / 86400 if seconds else None

    def _measure_odoo_key(self) -> None:
        metrics.ODOO_KEY_DAYS_LEFT.clear()
        if (days := self._odoo_key_days()) is not None:
            metrics.ODOO_KEY_DAYS_LEFT.labels(self._settings.odoo_database).set(days)

    def _measure_backlog(self) -> None:
        up = not self._database_faults()
        if up:
            try:
                counts, sizes = self._patience.call(self._ask, _BACKLOG.values()), self._patience.call(self._ask_sizes)
                troubles = self._patience.call(self._ask_trouble)
            except (SQLAlchemyError, TimeoutError):
                up = False
        metrics.UP.labels("postgresql").set(up)
        if up:
            for gauge, count in zip(_BACKLOG, counts, strict=True):
                gauge.set(count)
            self._measure_odoo_key()
            for table, size in sizes:
                metrics.STORE_BYTES.labels(table).set(size)
            for category in ExceptionCategory:
                metrics.EXCEPTIONS_OPEN.labels(category.value).set(troubles.open[category.value])
            metrics.EXCEPTIONS_OVERDUE.set(troubles.overdue)
            metrics.EXCEPTIONS_ESCALATED.set(troubles.escalated)

    def _ask(self, queries: Iterable[str]) -> list[int]:
        assert self._engine is not None  # noqa: S101, asked only where there is one
        with self._engine.connect() as connection:
            return [connection.execute(text(query)).scalar() or 0 for query in queries]

    def _ask_sizes(self) -> list[tuple[str, int]]:
        assert self._engine is not None  # noqa: S101, asked only where there is one
        with self._engine.connect() as connection:
            return [(row.relname, row.bytes) for row in connection.execute(text(_SIZES))]

    def _ask_trouble(self) -> Troubles:
        assert self._engine is not None  # noqa: S101, asked only where there is one
        with self._engine.connect() as connection:
            return count_trouble(connection)

    def _account(self) -> dict[str, float]:
        if self._ledger is None or not self._ledger.post():
            return {}
        return self._ledger.read()


def routes(health: Health, settings: Settings) -> Blueprint:
    """`/livez`, `/readyz` and `/metrics`."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/livez")
    def livez() -> Response:
        return jsonify(status="alive")

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        parts = health.parts()
        can_keep = health.can_keep(parts)
        return jsonify(_readiness(parts, can_keep)), 200 if can_keep else 503

    @blueprint.get("/metrics")
    def show_metrics() -> Response:
        _admit(request, settings.metrics_token)
        return Response(generate_latest(health.measure()), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def _readiness(parts: dict[str, list[str]], can_keep: bool) -> dict[str, Any]:
    degraded = [name for name, faults in parts.items() if faults]
    status = "ready" if not degraded else "degraded" if can_keep else "away"
    return {"status": status, "degraded": degraded, "parts": {n: {"ok": not f, "faults": f} for n, f in parts.items()}}


def _admit(asked: Request, token: str) -> None:
    """Raises Problem 401 without the token, 403 where none is set and the question does not come from this machine."""
    if token:
        claimed = asked.headers.get("Authorization", "")
        if not hmac.compare_digest(claimed.encode(), f"Bearer {token}".encode()):
            raise Problem(401, "token-mismatch", "The bearer token for metrics is missing or wrong.")
    elif not _is_loopback(asked.remote_addr) or "X-Forwarded-For" in asked.headers or "Forwarded" in asked.headers:
        raise Problem(403, "loopback-only", "Without MILEPOST_METRICS_TOKEN, metrics are shown on this machine only.")


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
