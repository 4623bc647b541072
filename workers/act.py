"""Performing effects: claim what is due, do it in Odoo in batches, write down what became of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine

from config import metrics
from shipments.clock import now
from shipments.effects import Kind
from shipments.errors import OdooAway
from shipments.store.effects import (
    MOST_ATTEMPTS,
    Claimed,
    Recorded,
    claim_effects,
    delay_after,
    record_effects,
    release_effects,
)
from shipments.store.transaction import transact
from workers.odoo.client import Odoo
from workers.odoo.writes import Outcome, Work, write_activities, write_deliveries, write_orders, write_timeline

log = logging.getLogger(__name__)

BATCH = {Kind.DELIVERY: 300, Kind.ORDER: 600, Kind.ACTIVITY: 200, Kind.TIMELINE: 600}

Performer = Callable[[Odoo, Sequence[Work]], dict[str, Outcome]]

PERFORMERS: Mapping[Kind, Performer] = {
    Kind.DELIVERY: write_deliveries,
    Kind.ORDER: write_orders,
    Kind.ACTIVITY: write_activities,
    Kind.TIMELINE: write_timeline,
}


@dataclass(slots=True)
class Done:
    """What a round did: effects by outcome. Flower's task list shows it."""

    done: int = 0
    later: int = 0
    parked: int = 0
    calls: int = 0
    kinds: list[str] = field(default_factory=list)


class Round(NamedTuple):
    """How many effects a round performed, and whether a batch was full, so that more of them wait."""

    performed: int
    full: bool


def act_round(engine: Engine, odoo: Odoo, tally: Done) -> Round:
    """Performs one batch of each kind, what a person waits for first. Lets OdooAway through."""
    performed = {kind: _act_kind(engine, odoo, kind, tally) for kind in Kind}
    return Round(sum(performed.values()), any(performed[kind] == BATCH[kind] for kind in Kind))


def _act_kind(engine: Engine, odoo: Odoo, kind: Kind, tally: Done) -> int:
    with engine.begin() as connection:
        claimed = claim_effects(connection, kind, BATCH[kind])
    if not claimed:
        return 0
    calls = odoo.calls
    try:
        outcomes = PERFORMERS[kind](odoo, [_work(c) for c in claimed])
    except OdooAway:
        transact(engine, lambda connection: release_effects(connection, claimed))
        raise
    at = now()
    recorded = [_record(c, outcomes.get(c.key)) for c in claimed]
    transact(engine, lambda connection: record_effects(connection, recorded))
    _note(kind, recorded, at, tally)
    tally.calls += odoo.calls - calls
    return len(claimed)


def _work(claimed: Claimed) -> Work:
    return Work(claimed.key, claimed.subject, claimed.payload, claimed.sent, changed=claimed.version > 1)


def _record(claimed: Claimed, outcome: Outcome | None) -> Recorded:
    """`later` waits as long as it takes, until somebody mends the setup; what never gets an outcome is parked."""
    if outcome is None and claimed.attempts >= MOST_ATTEMPTS:
        return Recorded(claimed, "parked", reason=f"no outcome after {claimed.attempts} attempts; see the log")
    if outcome is None or outcome.state == "later":
        reason = outcome.reason if outcome else "Odoo gave no answer for it"
        return Recorded(claimed, "due", delay_after(claimed.attempts), reason, bool(outcome and outcome.sent))
    return Recorded(claimed, outcome.state, reason=outcome.reason or None, sent=outcome.sent)


def _note(kind: Kind, recorded: Sequence[Recorded], at: datetime, tally: Done) -> None:
    tally.kinds.append(f"{kind.value}: {len(recorded)}")
    for record in recorded:
        outcome = {"due": "later"}.get(record.state, record.state)
        setattr(tally, outcome, getattr(tally, outcome) + 1)
        metrics.EFFECTS.labels(kind.value, outcome).inc()
        told_at = record.claimed.told_at
        if outcome == "done" and told_at and kind is Kind.DELIVERY:
            carrier = record.claimed.payload["carrier"]
            metrics.RECEIVED_TO_ODOO_SECONDS.labels(carrier).observe(max(0.0, (at - told_at).total_seconds()))
        if outcome == "parked":
            about = {"stage": "act", "shipment": record.claimed.subject, "kind": kind.value}
            log.warning("an effect is parked", extra=about)
