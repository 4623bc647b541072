"""Ingesting a batch: in one transaction store the messages, their events and everything that follows from them.

Where many messages come, what follows is put off: it is worked out once for all that was told of a parcel meanwhile.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config import metrics
from config.logging import info_each
from config.queues import LIVE
from shipments.fold import dated
from shipments.milestone import Milestone
from shipments.rules.policy import Policy
from shipments.store.choices import apply_choices
from shipments.store.companies import note_companies
from shipments.store.events import Told, save_events
from shipments.store.messages import MessageState, save_messages
from shipments.store.parcels import ParcelKey, lock_parcels, parcel_key
from shipments.store.settle import Settled, settle
from shipments.store.transaction import transact, wait_for_no_disk
from shipments.store.unsettled import claim_unsettled, find_unsettled, park_unsettled, put_off
from workers.understand import Understood

log = logging.getLogger(__name__)

SETTLED_AT_ONCE = 200
"""Parcels in one transaction, where settling was put off."""


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


def ingest_batch(engine: Engine, batch: Sequence[Understood], policy: Policy, later: str | None = None) -> Tally:
    """Stores a batch. When it returns, everything is committed; doing it again with the same batch changes nothing.

    later: the lane for which `settle_put_off` is to do what follows from the messages; None to do it here.
    """
    tally, _ = _ingest(engine, batch, policy, later, wait=True)
    return tally


def ingest_free(
    engine: Engine, batch: Sequence[Understood], policy: Policy, later: str | None = None
) -> tuple[Tally, Sequence[Understood]]:
    """Likewise, but for the messages of parcels that somebody else is at work on: they are returned, and not stored."""
    return _ingest(engine, batch, policy, later, wait=False)


def settle_put_off(engine: Engine, lane: str, policy: Policy, after: timedelta | None = None) -> Tally:
    """Does what follows from messages that were stored without it; when it returns, that is committed.

    It is not waited for the disk: if PostgreSQL dies, all of it is taken back together, and waits to be settled again.
    Several may be at it together. after: of the parcels whose news was stored so long ago; None for all, and then those
    that somebody else holds are waited for at the end.
    """
    total = Tally()
    for wait in (False, True) if after is None else (False,):
        with engine.connect() as connection:
            waiting = find_unsettled(connection, lane, after or timedelta(0))
        if not waiting:
            break
        for start in range(0, len(waiting), SETTLED_AT_ONCE):
            total += _settle_some(engine, waiting[start : start + SETTLED_AT_ONCE], policy, wait=wait)
    return total


def _settle_some(engine: Engine, parcel_ids: Sequence[int], policy: Policy, *, wait: bool) -> Tally:
    def work(connection: Connection) -> Tally:
        wait_for_no_disk(connection)
        found = claim_unsettled(connection, parcel_ids, wait=wait)
        settled = settle(connection, found.parcel_ids, (), policy, news=found.news, told_at=found.told_at)
        return Tally(unmatched=settled.unmatched, effects=settled.effects)

    try:
        return transact(engine, work)
    except (OperationalError, InterfaceError, PoolTimeout):
        raise  # the database is away: what waits to be settled stays written down
    except Exception:
        if len(parcel_ids) == 1:
            log.exception("parcel %d cannot be settled", *parcel_ids, extra={"stage": "ingest"})
    if len(parcel_ids) == 1:
        return transact(engine, lambda connection: Tally(parked=park_unsettled(connection, parcel_ids[0])))
    middle = len(parcel_ids) // 2
    halves = parcel_ids[:middle], parcel_ids[middle:]
    return sum((_settle_some(engine, half, policy, wait=wait) for half in halves), Tally())


def _ingest(
    engine: Engine, batch: Sequence[Understood], policy: Policy, later: str | None, *, wait: bool
) -> tuple[Tally, Sequence[Understood]]:
    def work(connection: Connection) -> tuple[Tally, Sequence[Understood], Sequence[Understood]]:
        return _store(connection, batch, policy, later, wait=wait)

    try:
        tally, stored, busy = transact(engine, work)
    except (OperationalError, InterfaceError, PoolTimeout):
        raise  # the database is away: the batch stays where it is
    except Exception:  # noqa: BLE001, whatever it is, it is one message that brings it
        return _isolate(engine, batch, policy), []
    _note(stored, tally)
    return tally, busy


def _isolate(engine: Engine, batch: Sequence[Understood], policy: Policy) -> Tally:
    """The store takes no batch with something in it that it cannot hold: finds that message, and parks it alone."""
    if len(batch) > 1:
        middle = len(batch) // 2
        return ingest_batch(engine, batch[:middle], policy) + ingest_batch(engine, batch[middle:], policy)
    (understood,) = batch
    log.exception("a message cannot be stored as understood", extra=_about(understood))
    reason = "what it tells cannot be stored; a bug, its error report says more"
    parked = Understood(replace(understood.verdict, state=MessageState.PARKED, reason=reason, events=0))
    tally, stored, _ = transact(engine, lambda connection: _store(connection, [parked], policy, None, wait=True))
    _note(stored, tally)
    return tally


def _store(
    connection: Connection, batch: Sequence[Understood], policy: Policy, later: str | None, *, wait: bool
) -> tuple[Tally, Sequence[Understood], Sequence[Understood]]:
    """What was done, the messages that are stored, and those that are not, since their parcels are busy."""
    told = apply_choices(connection, (told for u in batch for told in u.told))
    parcels = lock_parcels(connection, {parcel_key(t.event) for t in told}, wait=wait)
    left = {t.message_id for t in told if parcel_key(t.event) in parcels.busy}
    busy = [u for u in batch if u.verdict.message.id in left]
    if left:
        batch = [u for u in batch if u.verdict.message.id not in left]
        told = [t for t in told if t.message_id not in left]
    return _store_free(connection, batch, told, parcels.ids, policy, later), batch, busy


def _store_free(
    connection: Connection,
    batch: Sequence[Understood],
    told: Sequence[Told],
    parcels: Mapping[ParcelKey, int],
    policy: Policy,
    later: str | None,
) -> Tally:
    save_messages(connection, [u.verdict for u in batch])
    saved = save_events(connection, told, parcels)
    wider = _note_companies(connection, batch, told, policy) if policy.companies else []
    told_at = min((u.verdict.message.received_at for u in batch if u.verdict.message.lane == LIVE), default=None)
    settled = Settled()
    if later:
        put_off(connection, later, saved.changed, wider, told_at)
    else:
        changed = set(saved.changed.values())
        settled = settle(connection, changed, (), policy, news=saved.changed, added=saved.added, told_at=told_at)
        if wider:
            settle(connection, wider, (), policy)
    return Tally(
        read=len(batch),
        events=len(saved.changed),
        repeats=saved.repeats,
        parked=sum(u.verdict.state is MessageState.PARKED for u in batch),
        unmatched=settled.unmatched,
        effects=settled.effects,
    )


def _note_companies(
    connection: Connection, batch: Sequence[Understood], told: Sequence[Told], policy: Policy
) -> list[int]:
    """The parcels that deliveries of more companies see now, with all that was told of them before."""
    messages = (u.verdict.message for u in batch)
    companies = {message.id: policy.company_of(message.carrier, message.account) for message in messages}
    return note_companies(connection, ((t.event, companies[t.message_id]) for t in told))


def _note(batch: Sequence[Understood], tally: Tally) -> None:
    """Counts and logs what a stored batch held; after the commit, so that a batch tried again counts once."""
    metrics.REPEATS.inc(tally.repeats)
    by_carrier: dict[str, list[Understood]] = {}
    for understood in batch:
        by_carrier.setdefault(understood.verdict.message.carrier, []).append(understood)
    for carrier, messages in by_carrier.items():
        metrics.INGESTED.labels(carrier).inc(len(messages))
        metrics.EVENTS.labels(carrier).inc(sum(len(understood.told) for understood in messages))
        lateness = metrics.OCCURRED_TO_RECEIVED_SECONDS.labels(carrier)
        for told in (t for understood in messages for t in understood.told):
            instant = dated(told.event, told.received_at).instant
            lateness.observe(max(0.0, (told.received_at - instant).total_seconds()))
    for understood in batch:
        _warn(understood)
    info_each(log, "ingested", map(_ingested, batch))


def _warn(understood: Understood) -> None:
    carrier = understood.verdict.message.carrier
    if understood.verdict.state is MessageState.PARKED:
        metrics.PARKED.labels(carrier).inc()
        log.warning("a message is parked", extra=_about(understood))
    for event in (t.event for t in understood.told if t.event.milestone is Milestone.UNKNOWN):
        metrics.UNKNOWN_CODES.labels(carrier).inc()
        about = {"parcel": event.tracking_number, "code": f"{event.code_list}:{event.code}"}
        log.warning("a code has no mapping", extra=_about(understood) | about)


def _ingested(understood: Understood) -> dict[str, Any]:
    return _about(understood) | {"parcel": [t.event.tracking_number for t in understood.told][:20]}


def _about(understood: Understood) -> dict[str, str]:
    message = understood.verdict.message
    return {"message_id": str(message.id), "carrier": message.carrier, "trace": message.trace, "stage": "ingest"}
