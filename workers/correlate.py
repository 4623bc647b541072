"""Keeping the index of tracking numbers in step with Odoo, and finding the deliveries of parcels that wait for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from shipments.correlation import Chosen, choose_by_reference
from shipments.delivery import Delivery
from shipments.rules.policy import Policy
from shipments.store.deliveries import (
    OtherNumber,
    add_other_numbers,
    claim_strangers,
    count_unmatched,
    find_matched_strangers,
    find_numbers_of,
    find_strangers_with_references,
    lock_shipments,
    note_candidates,
    numbers_of,
    save_deliveries,
)
from shipments.store.events import lock_parcels_with
from shipments.store.marks import find_mark, save_mark
from shipments.store.settle import Settled, settle
from shipments.store.transaction import transact
from workers.odoo.client import Odoo
from workers.odoo.index import find_named, find_numbers, pull

_PULLED = "odoo_pulled"
STRANGERS_A_CALL = 100


@dataclass(slots=True)
class Correlated:
    """What a run did: deliveries read, strangers asked about, parcels that found their delivery, effects decided."""

    deliveries: int = 0
    asked: int = 0
    settled: int = 0
    effects: int = 0
    unmatched: int = 0


def pull_changes(engine: Engine, odoo: Odoo, policy: Policy, tally: Correlated) -> None:
    """Takes over what changed in Odoo since the last pull, page by page; a page that is stored is not read again."""
    with engine.connect() as connection:
        mark = find_mark(connection, _PULLED)
    since = datetime.fromisoformat(mark["since"]) if mark and mark["since"] else None
    more = True
    while more:
        page = pull(odoo, since)
        store_deliveries(engine, page.deliveries, policy, tally)
        since, more = page.next_since, page.more
        with engine.begin() as connection:
            save_mark(connection, _PULLED, {"since": since.isoformat() if since else None})


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
        store_deliveries(engine, find_numbers(odoo, numbers), policy, tally)
        look_up_references(engine, odoo, numbers, policy, tally)
    with engine.connect() as connection:
        tally.unmatched = count_unmatched(connection)


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
    for stranger in strangers:
        chosen = choose_by_reference(stranger.references, naming.named)
        notes[stranger.id] = None
        if chosen and len(chosen.deliveries) == 1:
            (id_,) = chosen.deliveries
            others.append(OtherNumber(id_, stranger.number, chosen.because, chosen.stands_for))
        elif chosen:
            notes[stranger.id] = _note(chosen, deliveries)
    store_deliveries(engine, [deliveries[other.shipment_id] for other in others], policy, tally)

    def work(connection: Connection) -> Settled:
        parcels = lock_parcels_with(connection, sorted({other.number for other in others}))
        lock_shipments(connection, {other.shipment_id for other in others})
        added = add_other_numbers(connection, others)
        note_candidates(connection, notes)
        return settle(connection, parcels if added else [], added, policy)

    _count(tally, transact(engine, work))


def _note(chosen: Chosen, deliveries: Mapping[int, Delivery]) -> str:
    """Which deliveries fit alike, for a person: the first few by name."""
    names = sorted(deliveries[id_].name for id_ in chosen.deliveries)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{chosen.because} fits {', '.join(names[:5])}{more}"


def store_deliveries(engine: Engine, deliveries: Sequence[Delivery], policy: Policy, tally: Correlated) -> None:
    """Takes over deliveries as Odoo tells of them, and settles whatever their numbers change.

    Parcels are locked before deliveries, as everywhere, so that two transactions wait and never deadlock.
    """

    def work(connection: Connection) -> Settled:
        ids = [d.picking_id for d in deliveries]
        numbers = {*numbers_of(deliveries), *find_numbers_of(connection, ids)}
        parcels = lock_parcels_with(connection, sorted(numbers))
        lock_shipments(connection, ids)
        changed = save_deliveries(connection, deliveries)
        return settle(connection, parcels if changed else [], changed, policy)

    if deliveries:
        tally.deliveries += len(deliveries)
        _count(tally, transact(engine, work))


def _count(tally: Correlated, settled: Settled) -> None:
    tally.settled += settled.parcels
    tally.effects += settled.effects
