"""Keeping the index of tracking numbers in step with Odoo, and finding the deliveries of parcels that wait for one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from msgspec import convert, to_builtins
from sqlalchemy import Connection, Engine, text

from config import metrics
from shipments.correlation import Chosen, choose_by_reference, comparable
from shipments.delivery import Delivery
from shipments.rules.policy import Policy
from shipments.store.companies import may_see
from shipments.store.deliveries import (
    OtherNumber,
    Stranger,
    add_other_numbers,
    claim_strangers,
    count_unmatched,
    find_bound_strangers,
    find_matched_strangers,
    find_numbers_of,
    find_strangers_with_references,
    find_written,
    lock_shipments,
    note_candidates,
    numbers_of,
    save_deliveries,
)
from shipments.store.events import lock_parcels_with
from shipments.store.keeps import Noted, note_keeps
from shipments.store.marks import find_mark, save_mark
from shipments.store.settle import Settled, settle
from shipments.store.transaction import transact
from workers.odoo.client import Odoo, OdooTooSlow
from workers.odoo.index import Seen, find_numbers, pull
from workers.odoo.packages import find_packages
from workers.odoo.references import find_named

_PULLED, _PULLED_OF_OTHERS = "odoo_pulled", "odoo_pulled_of_others"
ALL_EVERY = timedelta(minutes=1)
STRANGERS_A_CALL = 100
PULLED_AT_ONCE, _LEAST_PULLED = 2000, 50
MOST_CANDIDATES = 5
"""Of the deliveries that fit a parcel alike, that many are named and kept, for a person to choose."""


@dataclass(slots=True)
class Correlated:
    """What a run did: deliveries read, strangers asked about, parcels that found their delivery, effects decided."""

    deliveries: int = 0
    asked: int = 0
    settled: int = 0
    effects: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far Odoo has been read, by its clock. rows: of a page. seen: the latest change among what was read before.

    ended_at: when the last pull began that came to its end, by our clock.
    """

    since: datetime | None = None
    seen: datetime | None = None
    rows: int = PULLED_AT_ONCE
    ended_at: datetime | None = None


def pull_changes(engine: Engine, odoo: Odoo, policy: Policy, tally: Correlated) -> None:
    """Takes over what changed in Odoo since the last pull, page by page; a page that is stored is not read again.

    Most changes are what we wrote ourselves. They are read back once in ALL_EVERY, for what somebody had changed just
    before; the pulls between are for what others changed last.
    A page that Odoo does not read in time is half as large the next time, until the pull has caught up.
    """
    with engine.connect() as connection:
        at: datetime = connection.execute(text("select now()")).scalar_one()
        name, mark = _choose_pull(connection, at)
    by_others, more, newest = name == _PULLED_OF_OTHERS, True, mark.seen
    known = Seen(mark.seen, partial(_find_changes, engine)) if mark.seen else None
    while more:
        try:
            page = pull(odoo, mark.since, mark.rows, known, by_others=by_others)
        except OdooTooSlow:
            _save_pulled(engine, name, replace(mark, rows=max(_LEAST_PULLED, mark.rows // 2)))
            raise
        store_deliveries(engine, page.deliveries, policy, tally)
        mark, more, newest = replace(mark, since=page.next_since), page.more, _latest(newest, page.newest)
        # until all is read, what was read before this pull is all that counts as seen
        _save_pulled(engine, name, mark if more else replace(mark, seen=newest, rows=PULLED_AT_ONCE, ended_at=at))


def _choose_pull(connection: Connection, at: datetime) -> tuple[str, _Mark]:
    """Which pull is due, and from where: of everything, or of what others changed since the later of both."""
    everything = _find_pulled(connection, _PULLED)
    if everything.ended_at is None or at - everything.ended_at >= ALL_EVERY:
        return _PULLED, everything
    others = _find_pulled(connection, _PULLED_OF_OTHERS)
    since, seen = _latest(others.since, everything.since), _latest(others.seen, everything.seen)
    return _PULLED_OF_OTHERS, replace(others, since=since, seen=seen)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _find_changes(engine: Engine, ids: Collection[int]) -> Mapping[int, datetime]:
    with engine.connect() as connection:
        return find_written(connection, ids)


def _find_pulled(connection: Connection, name: str) -> _Mark:
    return convert(find_mark(connection, name) or {}, _Mark)


def _save_pulled(engine: Engine, name: str, mark: _Mark) -> None:
    with engine.begin() as connection:
        save_mark(connection, name, to_builtins(mark))


def link_strangers(engine: Engine, policy: Policy, tally: Correlated) -> None:
    """Settles parcels whose number the index has learned since they arrived."""

    def work(connection: Connection) -> Settled:
        return settle(connection, find_matched_strangers(connection, 500), (), policy)

    while (settled := transact(engine, work)).parcels:
        _count(tally, settled)


def look_up_strangers(engine: Engine, odoo: Odoo, policy: Policy, tally: Correlated) -> None:
    """Asks Odoo for the numbers that the index does not know, in batches, each number ever less often."""
    while True:
        with engine.begin() as connection:
            numbers = claim_strangers(connection, STRANGERS_A_CALL)
        if not numbers:
            break
        tally.asked += len(numbers)
        found = find_numbers(odoo, numbers)
        store_deliveries(engine, found, policy, tally)
        known = set(numbers_of(found))
        with engine.connect() as connection:
            known -= find_bound_strangers(connection, known)
        if strangers := [number for number in numbers if comparable(number) not in known]:
            look_up_packages(engine, odoo, strangers, policy, tally)
            look_up_references(engine, odoo, strangers, policy, tally)
    with engine.connect() as connection:
        tally.unmatched = count_unmatched(connection)


def look_up_packages(engine: Engine, odoo: Odoo, numbers: Sequence[str], policy: Policy, tally: Correlated) -> None:
    """Asks Odoo which deliveries have packages of those names; all their packages so named are parcels of them."""
    packed = find_packages(odoo, numbers)
    others = [
        OtherNumber(delivery.picking_id, name, f"package {name}", None, is_package=True)
        for delivery, names in packed
        for name in names
    ]
    store_deliveries(engine, [delivery for delivery, _ in packed], policy, tally)
    _add_numbers(engine, others, {}, policy, tally)


def look_up_references(engine: Engine, odoo: Odoo, numbers: Sequence[str], policy: Policy, tally: Correlated) -> None:
    """Asks Odoo which deliveries the references of those strangers name, all at once; nothing where they have none.

    A parcel gets its delivery only if it is the only one; else it stays parked, with those that fit.
    """
    with engine.connect() as connection:
        strangers = find_strangers_with_references(connection, numbers)
    if not strangers:
        return
    naming = find_named(odoo, {value for stranger in strangers for _, value in stranger.references})
    deliveries = {d.picking_id: d for d in naming.deliveries}
    others: list[OtherNumber] = []
    notes: dict[int, str | None] = {}
    meant: set[int] = set()
    for stranger in strangers:
        chosen = _of_own_companies(choose_by_reference(stranger.references, naming.named), stranger, deliveries)
        notes[stranger.id] = None
        meant |= set(sorted(chosen.deliveries)[:MOST_CANDIDATES]) if chosen else set()
        if chosen and len(chosen.deliveries) == 1:
            (id_,) = chosen.deliveries
            others.append(OtherNumber(id_, stranger.number, chosen.because, chosen.stands_for))
        elif chosen:
            notes[stranger.id] = _note(chosen, deliveries)
    store_deliveries(engine, [deliveries[id_] for id_ in sorted(meant)], policy, tally)
    _add_numbers(engine, others, notes, policy, tally)


def _add_numbers(
    engine: Engine, others: Sequence[OtherNumber], notes: Mapping[int, str | None], policy: Policy, tally: Correlated
) -> None:
    """Takes over numbers that are in no tracking reference of Odoo's, and what to say of those that nobody has."""

    def work(connection: Connection) -> Settled:
        parcels = lock_parcels_with(connection, sorted({other.number for other in others}))
        lock_shipments(connection, {other.shipment_id for other in others})
        added = add_other_numbers(connection, others)
        note_candidates(connection, notes)
        return settle(connection, parcels if added else [], added, policy)

    if others or notes:
        _count(tally, transact(engine, work))


def _of_own_companies(chosen: Chosen | None, stranger: Stranger, deliveries: Mapping[int, Delivery]) -> Chosen | None:
    """What was chosen, without deliveries of companies that may not see the parcel; None if no other is left."""
    if chosen is None or not stranger.companies:
        return chosen
    own = frozenset(id_ for id_ in chosen.deliveries if may_see(stranger.companies, deliveries[id_].company_id))
    return replace(chosen, deliveries=own) if own else None


def _note(chosen: Chosen, deliveries: Mapping[int, Delivery]) -> str:
    """Which deliveries fit alike, for a person, who can link the first few by name."""
    fit = [deliveries[id_].name for id_ in sorted(chosen.deliveries)]
    more = f" and {len(fit) - MOST_CANDIDATES} more" if len(fit) > MOST_CANDIDATES else ""
    return f"{chosen.because} fits {', '.join(fit[:MOST_CANDIDATES])}{more}"


def store_deliveries(engine: Engine, deliveries: Sequence[Delivery], policy: Policy, tally: Correlated) -> None:
    """Takes over deliveries as Odoo tells of them, and settles whatever their numbers change.

    Parcels are locked before deliveries, as everywhere, so that two transactions wait and never deadlock.
    """

    def work(connection: Connection) -> tuple[Settled, Noted]:
        ids = [d.picking_id for d in deliveries]
        originals = {d.return_of for d in deliveries if d.return_of and d.is_return}
        numbers = {*numbers_of(deliveries), *find_numbers_of(connection, {*ids, *originals})}
        parcels = lock_parcels_with(connection, sorted(numbers))
        lock_shipments(connection, ids)
        changed = save_deliveries(connection, deliveries)
        settled = settle(connection, parcels if changed else [], changed, policy)
        return settled, note_keeps(connection, {f"delivery:{d.picking_id}": d.keep for d in deliveries})

    if deliveries:
        tally.deliveries += len(deliveries)
        settled, noted = transact(engine, work)
        _count(tally, settled)
        count_keeps(tally, noted)


def count_keeps(tally: Correlated, noted: Noted) -> None:
    """Effects to perform again, and news for the metrics."""
    tally.effects += len(noted.kept) + len(noted.unlocked)
    for key, why in noted.kept.items():
        metrics.KEEPS.labels(key.partition(":")[0], why.value).inc()
    for key in noted.unlocked:
        metrics.KEEPS.labels(key.partition(":")[0], "unlocked").inc()


def _count(tally: Correlated, settled: Settled) -> None:
    tally.settled += settled.parcels
    tally.effects += settled.effects
