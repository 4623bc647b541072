"""Ingesting a batch: in one transaction store the messages, their events and everything that follows from them."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine

from config import metrics
from config.queues import LIVE
from shipments.clock import now
from shipments.fold import dated
from shipments.milestone import Milestone
from shipments.rules.policy import Policy
from shipments.store.events import save_events
from shipments.store.messages import MessageState, save_messages
from shipments.store.settle import settle
from shipments.store.transaction import transact
from workers.understand import Understood

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a batch, or of several: Flower's task list shows it."""

    read: int = 0
    events: int = 0
    repeats: int = 0
    parked: int = 0
    unmatched: int = 0
    effects: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        mine, theirs = asdict(self), asdict(other)
        return Tally(**{name: mine[name] + theirs[name] for name in mine})


def ingest_batch(engine: Engine, batch: Sequence[Understood], policy: Policy) -> Tally:
    """Stores a batch. When it returns, everything is committed; doing it again with the same batch changes nothing."""
    tally = transact(engine, lambda connection: store_batch(connection, batch, policy))
    note_batch(batch, tally)
    return tally


def store_batch(connection: Connection, batch: Sequence[Understood], policy: Policy) -> Tally:
    """The same on an open transaction, which the caller commits."""
    save_messages(connection, [u.verdict for u in batch])
    saved = save_events(connection, [told for u in batch for told in u.told])
    told_at = min((u.verdict.message.received_at for u in batch if u.verdict.message.lane == LIVE), default=None)
    settled = settle(connection, saved.parcel_ids, (), policy, now(), told_at)
    return Tally(
        read=len(batch),
        events=saved.changed,
        repeats=saved.repeats,
        parked=sum(u.verdict.state is MessageState.PARKED for u in batch),
        unmatched=settled.unmatched,
        effects=settled.effects,
    )


def note_batch(batch: Sequence[Understood], tally: Tally) -> None:
    """Counts and logs what a stored batch held; after the commit, so that a batch tried again counts once."""
    metrics.REPEATS.inc(tally.repeats)
    for understood in batch:
        verdict, message = understood.verdict, understood.verdict.message
        about = {"message_id": str(message.id), "carrier": message.carrier, "trace": message.trace, "stage": "ingest"}
        metrics.INGESTED.labels(message.carrier).inc()
        if verdict.state is MessageState.PARKED:
            metrics.PARKED.labels(message.carrier).inc()
            log.warning("a message is parked", extra=about | {"reason": verdict.reason})
        for told in understood.told:
            metrics.EVENTS.labels(message.carrier).inc()
            late = told.received_at - dated(told.event, told.received_at).instant
            metrics.OCCURRED_TO_RECEIVED_SECONDS.labels(message.carrier).observe(max(0.0, late.total_seconds()))
            if told.event.milestone is Milestone.UNKNOWN:
                metrics.UNKNOWN_CODES.labels(message.carrier).inc()
                code = f"{told.event.code_list}:{told.event.code}"
                log.warning("a code has no mapping", extra=about | {"parcel": told.event.tracking_number, "code": code})
        log.info("ingested", extra=about | {"parcel": [t.event.tracking_number for t in understood.told][:20]})
