"""Every metric, declared once with a sentence, and the account in Redis that all processes add their counts to.

A process counts in its own memory, which costs the request or the task next to nothing, and now and then posts what
was added since to one hash in Redis. /metrics shows that hash: the same truth from whichever web process is asked,
with the counts of workers that have no port, on other machines, or gone. See docs/decisions/0003-metrics.md.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import redis
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

log = logging.getLogger(__name__)

disable_created_metrics()
COUNTED = CollectorRegistry()
"""Counters and histograms: added up over all processes."""
MEASURED = CollectorRegistry()
"""Gauges: measured by whoever is asked, at the moment of asking."""

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TIMES = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 100)
_LATE = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600)


def _counter(name: str, sentence: str, *labels: str) -> Counter:
    return Counter(f"milepost_{name}", sentence, labels, registry=COUNTED)


def _histogram(name: str, sentence: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(f"milepost_{name}", sentence, labels, buckets=buckets, registry=COUNTED)


def _gauge(name: str, sentence: str, *labels: str) -> Gauge:
    return Gauge(f"milepost_{name}", sentence, labels, registry=MEASURED)


# receive
RECEIVED = _counter("received_total", "Messages posted, by what they were answered.", "carrier", "outcome")
RECEIVE_SECONDS = _histogram("receive_seconds", "From a message's first byte read to its answer.", _QUICK)
FALLBACKS = _counter("fallback_total", "Messages kept in PostgreSQL because the stream could not take them.")

# ingest
INGESTED = _counter("ingested_total", "Messages taken from intake and understood, replays included.", "carrier")
EVENTS = _counter("events_total", "Events that messages told of, repeats included.", "carrier")
REPEATS = _counter("repeats_total", "Events that were known already.")
PARKED = _counter("parked_total", "Messages parked for a person.", "carrier")
UNKNOWN_CODES = _counter("unknown_codes_total", "Events whose code has no mapping yet.", "carrier")
OCCURRED_TO_RECEIVED_SECONDS = _histogram(
    "occurred_to_received_seconds", "How late a carrier tells what happened.", _LATE, "carrier"
)

# act
EFFECTS = _counter("effects_total", "Effects performed, by what became of them.", "kind", "outcome")
RECEIVED_TO_ODOO_SECONDS = _histogram(
    "received_to_odoo_seconds", "How long Odoo shows less than Milepost was told.", _LATE, "carrier"
)
ODOO_CALLS = _counter("odoo_calls_total", "Calls to Odoo.", "model", "method", "outcome")
ODOO_CALL_SECONDS = _histogram("odoo_call_seconds", "Odoo's time to answer one call.", _CALL, "method")

BILLING = _counter(
    "billing_total", "What finance was told in Odoo: deliveries and orders flagged or corrected, drafts.", "of", "what"
)
PROMISES = _counter(
    "promises_total", "Promised dates of orders moved in Odoo, or left because a person changed them.", "what"
)

ODOO_CONFLICTS = _counter("odoo_conflicts_total", "Writes done again because somebody else wrote the same.", "kind")
ODOO_WOKEN = _counter("odoo_woken_total", "Posts of Odoo's automation rule, by what they were answered.", "outcome")

# what people keep as it is in Odoo, and what reconcile finds
KEEPS = _counter(
    "keeps_total", "Deliveries and orders found changed or locked by somebody in Odoo, or unlocked.", "kind", "what"
)
DRIFT = _counter("drift_total", "Differences between Odoo and the store that reconcile found.", "kind")
RECONCILED = _counter("reconciled_total", "Deliveries in Odoo that were compared with the store.")
WRONG_ODOO = _counter("wrong_odoo_total", "Times Milepost refused an Odoo that is not the one it was set up with.")

# poll
POLL_CALLS = _counter("poll_calls_total", "Calls to carriers, by what was answered.", "carrier", "outcome")
POLLED = _counter("polled_total", "Numbers carriers were asked about, by what came of it.", "carrier", "outcome")
POLLS_PER_PARCEL = _histogram(
    "polls_per_parcel", "How often a number was asked about before asking ended.", _TIMES, "carrier"
)

# started again
RESTARTS = _counter(
    "restarts_total", "Workers and beats started again: ended by themselves, or silent and killed.", "process", "reason"
)

# prune
PRUNED = _counter("pruned_total", "Rows deleted because they were kept long enough.", "table")

# measured when asked
UP = _gauge("up", "Whether a part answers: 1 or 0.", "part")
STREAM_LENGTH = _gauge("stream_length", "Messages in an intake stream, waiting or being worked on.", "lane")
EFFECTS_DUE = _gauge("effects_due", "Effects that are due and not done; counted up to 100,000.")
EFFECTS_PARKED = _gauge("effects_parked", "Effects that wait for a person; counted up to 100,000.")
MESSAGES_PARKED = _gauge("messages_parked", "Messages that wait for a person; counted up to 100,000.")
POLLS_WAITING = _gauge("polls_waiting", "Numbers that carriers are asked about, now or later.")
POLLS_DUE = _gauge("polls_due", "Numbers that carriers are to be asked about now.")
UNSETTLED = _gauge("unsettled", "News that is stored and settled a little later; counted up to 100,000.")
UNMATCHED = _gauge("unmatched", "Parcels whose number no delivery in Odoo carries; counted up to 100,000.")
ODOO_KEY_DAYS_LEFT = _gauge(
    "odoo_key_days_left", "Days until the API key for Odoo ends; below 0 once it has.", "database"
)
ODOO_CIRCUIT_OPEN = _gauge("odoo_circuit_open", "1 while nobody calls Odoo because it failed several times, else 0.")
ODOO_PACE = _gauge("odoo_pace", "How often the pace of writing to Odoo was halved because it is slow; 0 is full pace.")
EXCEPTIONS_OPEN = _gauge("exceptions_open", "Deliveries in trouble; counted up to 100,000.", "category")
EXCEPTIONS_OVERDUE = _gauge("exceptions_overdue", "Deliveries in trouble that should have been resolved by now.")
EXCEPTIONS_ESCALATED = _gauge("exceptions_escalated", "Deliveries in trouble whose task has moved on.")
KEPT = _gauge("kept", "Deliveries and orders that people keep as they are in Odoo; counted up to 100,000.")
RECONCILED_AT = _gauge(
    "reconciled_at", "When a comparison of Odoo with the store last came to its end; seconds since 1970, 0 for never."
)
STORE_BYTES = _gauge("store_bytes", "Room a table takes on PostgreSQL's disk, with its indexes.", "table")

ACCOUNT = "milepost:metrics"
POST_EVERY_SECONDS = 1.0


class Ledger:
    """This process's way to the account: `post` after a task, or `keep_posting` in a server.

    Raises nothing when Redis is away: the counts stay here and are posted later.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._posted: dict[str, float] = {}
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._start_over)

    def post(self) -> bool:
        """Adds what this process counted since the last time; False if it could not."""
        with self._lock:
            counts = _counts()
            added = {name: count - self._posted.get(name, 0.0) for name, count in counts.items()}
            try:
                self._add({name: more for name, more in added.items() if more})
            except redis.RedisError as fault:
                log.debug("counts are kept for later", extra={"fault": type(fault).__name__})
                return False
            self._posted = counts
            return True

    def keep_posting(self) -> None:
        """Posts every second, in a thread that ends with the process."""
        threading.Thread(target=self._post_for_ever, name="ledger", daemon=True).start()

    def read(self) -> dict[str, float]:
        """The account of all processes. Raises RedisError."""
        entries: Any = self._client.hgetall(ACCOUNT)
        return {name.decode(): float(value) for name, value in entries.items()}

    def _add(self, added: Mapping[str, float]) -> None:
        if added:
            pipe = self._client.pipeline(transaction=True)
            for name, more in added.items():
                pipe.hincrbyfloat(ACCOUNT, name, more)
            pipe.execute()

    def _post_for_ever(self) -> None:
        while True:
            time.sleep(POST_EVERY_SECONDS)
            self.post()

    def _start_over(self) -> None:
        """A forked worker inherits its parent's counts; they are the parent's to post."""
        self._lock = threading.Lock()
        self._posted = _counts()


class Totals:
    """What /metrics shows: the account's counts, and the gauges of this process. A prometheus_client collector."""

    def __init__(self, account: Mapping[str, float]) -> None:
        self._account = account

    def collect(self) -> Iterator[Metric]:
        yield from MEASURED.collect()
        samples = sorted((_sample(*entry) for entry in self._account.items()), key=_place)
        for family in COUNTED.collect():
            metric = Metric(family.name, family.documentation, family.type)
            metric.samples = [s for s in samples if _family(s.name) == family.name]
            yield metric


def _counts() -> dict[str, float]:
    return {_entry(sample): sample.value for family in COUNTED.collect() for sample in family.samples if sample.value}


def _entry(sample: Sample) -> str:
    return json.dumps([sample.name, *sorted(sample.labels.items())], separators=(",", ":"))


def _sample(entry: str, value: float) -> Sample:
    name, *labels = json.loads(entry)
    return Sample(name, dict(labels), value, None, None)


def _place(sample: Sample) -> tuple[Any, ...]:
    rest: Iterable[tuple[str, str]] = ((k, v) for k, v in sample.labels.items() if k != "le")
    return tuple(rest), sample.name, float(sample.labels.get("le", "inf"))


def _family(name: str) -> str:
    for suffix in ("_total", "_bucket", "_count", "_sum"):
        name = name.removesuffix(suffix)
    return name
