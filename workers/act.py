"""Performing effects: claim what is due, do it in Odoo in batches, write down what became of it."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine

from config import metrics
from shipments.clock import now
from shipments.effects import Kind
from shipments.errors import OdooAway
from shipments.keep import Keep
from shipments.store.effects import (
    MOST_ATTEMPTS,
    Claimed,
    Recorded,
    claim_effects,
    delay_after,
    record_effects,
    release_effects,
    wake_effects,
)
from shipments.store.keeps import find_keeps
from shipments.store.transaction import transact
from workers.odoo.activities import write_activities
from workers.odoo.billing import write_billing, write_invoices
from workers.odoo.client import Odoo, OdooConflict, OdooTooSlow
from workers.odoo.commitments import write_commitments
from workers.odoo.conflicts import past_conflicts
from workers.odoo.documents import write_documents
from workers.odoo.pace import Pace
from workers.odoo.writes import ROWS_A_CALL, Outcome, Work, write_deliveries, write_orders, write_timeline

log = logging.getLogger(__name__)

BATCH = {
    Kind.DELIVERY: 300,
    Kind.ORDER: 1200,
    Kind.ACTIVITY: 200,
    Kind.TIMELINE: 1200,
    Kind.DOCUMENT: 20,
    **dict.fromkeys((Kind.BILLING, Kind.INVOICE, Kind.COMMITMENT), 300),
}

LONG_ROUND_SECONDS = 1.0
"""So long may deliveries wait for what goes along with them, unless Odoo is slow and is to be called seldom."""

KEPT_KINDS = (Kind.DELIVERY, Kind.ORDER)
"""What a person may keep as it is in Odoo."""

Performer = Callable[[Odoo, Sequence[Work]], dict[str, Outcome]]

PERFORMERS: Mapping[Kind, Performer] = {
    Kind.DELIVERY: write_deliveries,
    Kind.ORDER: write_orders,
    Kind.ACTIVITY: write_activities,
    Kind.TIMELINE: write_timeline,
    Kind.DOCUMENT: write_documents,
    Kind.BILLING: write_billing,
    Kind.INVOICE: write_invoices,
    Kind.COMMITMENT: write_commitments,
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
    """How many effects a round performed, and whether more wait: a batch was full, or its time was over."""

    performed: int
    full: bool


def act_round(engine: Engine, odoo: Odoo, tally: Done, pace: Pace | None = None, ends_at: float = math.inf) -> Round:
    """Performs one batch of each kind: deliveries, and then the others in turn. Lets OdooAway through.

    While deliveries fill their batch, such as after a replay, and in a round that takes long, one other kind goes along
    and the next round begins: a delivery that somebody waits for does not wait for a batch of everything.
    pace: how large the batches are, and which kinds have their turn; full pace without one.
    ends_at: by time.monotonic(); no kind is begun after it, since a task that takes too long is killed.
    """
    pace = pace or Pace(math.inf)
    transact(engine, wake_effects)
    most = {kind: pace.most(kind, BATCH[kind]) for kind in Kind if pace.turn(kind)}
    performed: dict[Kind, int] = {}
    began = time.monotonic()
    for kind in (Kind.DELIVERY, *pace.in_turn(kind for kind in most if kind is not Kind.DELIVERY)):
        if time.monotonic() > ends_at:
            return Round(sum(performed.values()), full=True)
        performed[kind] = _act_kind(engine, odoo, kind, tally, pace)
        pace.had_turn(kind)
        is_long = not pace.level and time.monotonic() - began > LONG_ROUND_SECONDS
        goes_on = is_long or performed[Kind.DELIVERY] == most[Kind.DELIVERY]
        if goes_on and kind is not Kind.DELIVERY and performed[kind]:
            return Round(sum(performed.values()), full=True)
    return Round(sum(performed.values()), any(count == most[kind] for kind, count in performed.items()))


def _act_kind(engine: Engine, odoo: Odoo, kind: Kind, tally: Done, pace: Pace) -> int:
    with engine.begin() as connection:
        claimed = claim_effects(connection, kind, pace.most(kind, BATCH[kind]))
        keeps = find_keeps(connection, [c.key for c in claimed]) if claimed and kind in KEPT_KINDS else {}
    if not claimed:
        return 0
    calls = odoo.calls
    works = [_work(c, keeps.get(c.key)) for c in claimed]
    try:
        outcomes = past_conflicts(kind, lambda: PERFORMERS[kind](odoo, works))
    except OdooConflict as fault:
        outcomes = {work.key: Outcome("later", str(fault), work.sent) for work in works}
    except OdooAway as fault:
        if isinstance(fault, OdooTooSlow):
            pace.timed_out(kind, min(len(claimed), ROWS_A_CALL))
        transact(engine, lambda connection: release_effects(connection, claimed))
        raise
    pace.went_through(kind, BATCH[kind])
    at = now()
    recorded = [_record(c, outcomes.get(c.key)) for c in claimed]
    transact(engine, lambda connection: record_effects(connection, recorded))
    _note(kind, recorded, at, tally)
    tally.calls += odoo.calls - calls
    return len(claimed)


def _work(claimed: Claimed, keep: Keep | None) -> Work:
    changed = claimed.version > 1
    return Work(claimed.key, claimed.subject, claimed.payload, claimed.sent, changed, at=claimed.claimed_at, keep=keep)


def _record(claimed: Claimed, outcome: Outcome | None) -> Recorded:
    """`later` waits as long as it takes, until somebody mends the setup; what never gets an outcome is parked."""
    if outcome is None and claimed.attempts >= MOST_ATTEMPTS:
        return Recorded(claimed, "parked", reason=f"no outcome after {claimed.attempts} attempts; see the log")
    if outcome is None or outcome.state == "later":
        reason = outcome.reason if outcome else "Odoo gave no answer for it"
        return Recorded(claimed, "due", delay_after(claimed.attempts), reason, bool(outcome and outcome.sent))
    told = outcome.reason or None, outcome.sent, outcome.again_at, outcome.wakes
    return Recorded(claimed, outcome.state, timedelta(0), *told)


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
