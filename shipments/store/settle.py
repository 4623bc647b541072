"""Settling: after parcels have news, bring everything that follows from them up to date, in the same transaction.

fold the parcels, match them to deliveries by number, roll deliveries and orders up, decide the effects. Settling the
same again changes nothing, so whoever is in doubt settles.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shipments.correlation import SAME_PARCEL, SHORTEST_REFERENCE, WAY_BACK, comparable
from shipments.effects import Effect, Kind
from shipments.fold import Dated, Standing, fold, roll_up
from shipments.rules.commitment import decide_commitment
from shipments.rules.decide import decide_delivery, decide_order, decide_timeline, withdraw_state
from shipments.rules.documents import decide_documents
from shipments.rules.exceptions import withdraw_tasks
from shipments.rules.finance import decide_billing, decide_order_billing, withdraw_order_billing
from shipments.rules.policy import Policy
from shipments.store.companies import may_see, of_own_companies
from shipments.store.deliveries import OtherNumber, add_other_numbers, lock_shipments
from shipments.store.effects import find_open_tasks, save_effects
from shipments.store.events import find_events
from shipments.store.rows import as_rows, with_number
from shipments.store.standings import Shipment, load_shipments, returns_beside, save_shipments


@dataclass(frozen=True, slots=True)
class Settled:
    """How many parcels and shipments were settled, how many parcels match no delivery, how many effects are news."""

    parcels: int = 0
    shipments: int = 0
    unmatched: int = 0
    effects: int = 0


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A parcel as it was just folded: its events, those Odoo's timeline may miss, its journeys, those Odoo may see."""

    id: int
    number: str
    entries: Sequence[Dated]
    news: Sequence[Dated]
    journeys: tuple[Standing, ...]
    shown: tuple[Standing, ...]
    companies: Sequence[int] | None  # whose it is, see shipments/store/companies.py


def settle(
    connection: Connection,
    parcel_ids: Collection[int],
    shipment_ids: Collection[int],
    policy: Policy,
    *,
    news: Collection[UUID] | None = None,
    added: Mapping[int, Sequence[Dated]] | None = None,
    told_at: datetime | None = None,
) -> Settled:
    """Settles those parcels (which the caller has locked) and shipments, and all that follows from them.

    news: keys of the events that brought this about, so that rows of the timeline are decided for them alone; None
    for all. added: events of those parcels that were just stored, by parcel. told_at: when the oldest message with news
    arrived; None where nobody waits for it.
    """
    parcels = _fold_parcels(connection, find_events(connection, parcel_ids, added), policy, news)
    matches = _match(connection, parcels)
    _save_parcels(connection, parcels, matches.keys())
    touched = set(shipment_ids) | {s for ids in matches.values() for s in ids}
    effects: list[Effect] = []
    if touched:
        effects = list(_settle_shipments(connection, touched, parcels, matches, policy))
        effects += withdraw_tasks(find_open_tasks(connection, touched), effects)
    saved = save_effects(connection, effects, told_at)
    unmatched = sum(1 for p in parcels if p.shown and p.id not in matches)
    return Settled(len(parcels), len(touched), unmatched, saved)


def _fold_parcels(
    connection: Connection, events: Mapping[int, Sequence[Dated]], policy: Policy, news: Collection[UUID] | None
) -> list[_Parcel]:
    """A parcel that had no delivery until now is news with all its events."""
    query = text("select id, number, unmatched_since, companies from parcels where id = any(:ids) order by id")
    rows = connection.execute(query, {"ids": list(events)}).all()
    return [
        _folded(id_, number, companies, events[id_], policy, None if unmatched_since else news)
        for id_, number, unmatched_since, companies in rows
    ]


def _folded(
    parcel_id: int,
    number: str,
    companies: Sequence[int] | None,
    entries: Sequence[Dated],
    policy: Policy,
    news: Collection[UUID] | None,
) -> _Parcel:
    journeys = fold(entries)
    hides = any(not policy.shows(entry.event.milestone) for entry in entries)
    shown = fold(entries, lambda event: policy.shows(event.milestone)) if hides else journeys
    new = entries if news is None else [entry for entry in entries if entry.event.key in news]
    return _Parcel(parcel_id, number, entries, new, journeys, shown, companies)


def _match(connection: Connection, parcels: Sequence[_Parcel]) -> dict[int, list[int]]:
    """Which deliveries speak for the parcels' numbers, and may see them, by the parcel's id."""
    found: dict[str, list[int]] = {}
    query = text(f"select numbers.number, shipment_id from {with_number('numbers')} where aside is null")  # noqa: S608
    for number, shipment_id in connection.execute(query, {"numbers": sorted({p.number for p in parcels})}).all():
        found.setdefault(number, []).append(shipment_id)
    matches = {p.id: found[p.number] for p in parcels if p.number in found}
    bound = {p.id: p.companies for p in parcels if p.companies}
    return of_own_companies(connection, matches, bound) if bound else matches


def _other_numbers(parcels: Iterable[_Parcel], matches: Mapping[int, Sequence[int]]) -> Iterator[OtherNumber]:
    """The numbers that events with news tell the same parcel goes by, for each delivery that carries it."""
    for parcel in parcels:
        if parcel.id in matches:
            for kind, value in {(r.type, r.value) for e in parcel.news for r in e.event.references}:
                other = comparable(value)
                is_other = len(other) >= SHORTEST_REFERENCE and other != parcel.number
                if is_other and (kind in SAME_PARCEL or kind in WAY_BACK):
                    because, leg = f"{kind} of {parcel.number}", "return" if kind in WAY_BACK else None
                    yield from (OtherNumber(id_, other, because, parcel.number, leg) for id_ in matches[parcel.id])


def _save_parcels(connection: Connection, parcels: Sequence[_Parcel], matched: Collection[int]) -> None:
    """A parcel that only test events tell of has nothing to be matched."""
    connection.execute(
        text("""
            update parcels set state = t.state,
                unmatched_since = case when t.stranger then coalesce(parcels.unmatched_since, now()) end,
                look_up_at = case when t.stranger then coalesce(parcels.look_up_at, now()) end,
                candidates = case when t.stranger then parcels.candidates end
            from jsonb_to_recordset(cast(:rows as jsonb)) as t (id bigint, state jsonb, stranger bool)
            where parcels.id = t.id
        """),
        {"rows": as_rows(_parcel_row(p, bool(p.shown) and p.id not in matched) for p in parcels)},
    )


def _parcel_row(parcel: _Parcel, stranger: bool) -> dict[str, Any]:
    """All that is known, and beside it what Odoo may see of it."""
    return {"id": parcel.id, "state": {"journeys": parcel.journeys, "shown": parcel.shown}, "stranger": stranger}


def _settle_shipments(
    connection: Connection,
    touched: Collection[int],
    parcels: Sequence[_Parcel],
    matches: Mapping[int, Sequence[int]],
    policy: Policy,
) -> Iterator[Effect]:
    locked = lock_shipments(connection, touched)
    add_other_numbers(connection, _other_numbers(parcels, matches))
    family = load_shipments(connection, locked, parcels)
    following = returns_beside(family, touched)
    changed = [shipment for id_, shipment in family.items() if id_ in touched or id_ in following]
    by_number: dict[str, list[_Parcel]] = {}
    emptied: dict[int | None, Standing] = {}
    for parcel in parcels:
        by_number.setdefault(parcel.number, []).append(parcel)
    for shipment in changed:
        before, shipment.standing = shipment.standing, shipment.roll_up()
        if shipment.closed and not shipment.standing:
            shipment.standing = before  # what was pruned is not taken back
        yield from decide_billing(shipment.delivery, shipment.standing, before, policy.finance)
        if shipment.standing:
            yield from decide_delivery(shipment.delivery, shipment.standing, policy)
            yield from _timeline(shipment, by_number, policy)
        elif before:
            emptied[shipment.delivery.order_id] = before
            yield withdraw_state(Kind.DELIVERY, shipment.delivery.picking_id, before, policy)
    save_shipments(connection, changed)
    orders = {s.delivery.order_id for s in changed}
    told = list(_orders(family.values(), orders, policy))
    yield from told
    for order_id in emptied.keys() - {effect.subject for effect in told}:
        if order_id is not None:
            yield withdraw_state(Kind.ORDER, order_id, emptied[order_id], policy)
            yield from withdraw_order_billing(order_id, emptied[order_id], policy.finance)


def _timeline(shipment: Shipment, parcels: Mapping[str, Sequence[_Parcel]], policy: Policy) -> Iterator[Effect]:
    """The rows of the parcels that have news, as far as they belong to the journey this delivery means."""
    for number, journey in shipment.journeys.items():
        if journey is None:
            continue
        for parcel in parcels.get(number, ()):
            if not may_see(parcel.companies, shipment.delivery.company_id):
                continue
            meant = [e for e in parcel.news if journey.started_at <= e.instant <= journey.last_at]
            yield from decide_timeline(shipment.delivery.picking_id, meant, policy)
            yield from decide_documents(shipment.delivery.picking_id, meant, policy)


def _orders(shipments: Iterable[Shipment], order_ids: Collection[int | None], policy: Policy) -> Iterator[Effect]:
    """An order stands where its deliveries stand; one that carries a number and has no news yet keeps it open.

    What comes back is not waited for, nor a step in the house where something of the order leaves it.
    """
    by_order: dict[int, list[Shipment]] = {}
    for shipment in shipments:
        order_id = shipment.delivery.order_id
        if order_id is not None and order_id in order_ids and shipment.journeys and not shipment.delivery.is_return:
            by_order.setdefault(order_id, []).append(shipment)
    for order_id, deliveries_of in sorted(by_order.items()):
        members = [s for s in deliveries_of if s.delivery.leaves_the_house] or deliveries_of
        if known := [s.standing for s in members if s.standing]:
            yield decide_order(order_id, roll_up(known, expected=len(members)), policy)
            deliveries = [(s.delivery.picking_id, s.standing) for s in members if s.delivery.leaves_the_house]
            yield from decide_order_billing(order_id, deliveries, policy.finance)
            yield from decide_commitment(order_id, known, policy.commitment)
