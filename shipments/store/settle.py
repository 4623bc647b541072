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

from shipments.correlation import SAME_PARCEL, comparable, journey_of, may_name
from shipments.delivery import Delivery
from shipments.effects import Effect
from shipments.fold import NEW_JOURNEY_AFTER_END, Dated, Standing, fold, roll_up, same_parcel
from shipments.rules.decide import decide_delivery, decide_order, decide_timeline
from shipments.rules.policy import Policy
from shipments.store.deliveries import OtherNumber, add_other_numbers, lock_shipments
from shipments.store.effects import save_effects
from shipments.store.events import find_events
from shipments.store.rows import as_rows


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


@dataclass(slots=True)
class _Shipment:
    """A delivery with the numbers it carries and where it stands."""

    delivery: Delivery
    standing: Standing | None
    journeys: dict[str, Standing | None]  # by number; None where the number has told nothing yet
    parcels: dict[str, str]  # from a number to the one it stands for, most often itself

    def roll_up(self) -> Standing | None:
        """Where its parcels stand together; None until something is known of one."""
        known: dict[str, list[Standing]] = {}
        for number, journey in self.journeys.items():
            if journey:
                known.setdefault(self.parcels[number], []).append(journey)
        each = [journeys[0] if len(journeys) == 1 else same_parcel(journeys) for journeys in known.values()]
        return roll_up(each, expected=len(set(self.parcels.values()))) if each else None


def settle(
    connection: Connection,
    parcel_ids: Collection[int],
    shipment_ids: Collection[int],
    policy: Policy,
    *,
    news: Collection[UUID] | None = None,
    told_at: datetime | None = None,
) -> Settled:
    """Settles those parcels (which the caller has locked) and shipments, and all that follows from them.

    news: keys of the events that brought this about, so that rows of the timeline are decided for them alone; None
    for all. told_at: when the oldest message with news arrived; None where nobody waits for it.
    """
    parcels = _fold_parcels(connection, parcel_ids, policy, news)
    matches = _match(connection, parcels)
    _save_parcels(connection, parcels, matches.keys())
    touched = set(shipment_ids) | {s for ids in matches.values() for s in ids}
    effects: list[Effect] = []
    if touched:
        effects = list(_settle_shipments(connection, touched, parcels, matches, policy))
    saved = save_effects(connection, effects, told_at)
    unmatched = sum(1 for p in parcels if p.shown and p.number not in matches)
    return Settled(len(parcels), len(touched), unmatched, saved)


def _fold_parcels(
    connection: Connection, parcel_ids: Collection[int], policy: Policy, news: Collection[UUID] | None
) -> list[_Parcel]:
    """A parcel that had no delivery until now is news with all its events."""
    events = find_events(connection, parcel_ids)
    query = text("select id, number, unmatched_since from parcels where id = any(:ids) order by id")
    rows = connection.execute(query, {"ids": list(parcel_ids)}).all()
    return [
        _folded(id_, number, events[id_], policy, None if unmatched_since else news)
        for id_, number, unmatched_since in rows
        if id_ in events
    ]


def _folded(
    parcel_id: int, number: str, entries: Sequence[Dated], policy: Policy, news: Collection[UUID] | None
) -> _Parcel:
    journeys = fold(entries)
    hides = any(not policy.shows(entry.event.milestone) for entry in entries)
    shown = fold(entries, lambda event: policy.shows(event.milestone)) if hides else journeys
    new = entries if news is None else [entry for entry in entries if entry.event.key in news]
    return _Parcel(parcel_id, number, entries, new, journeys, shown)


def _match(connection: Connection, parcels: Iterable[_Parcel]) -> dict[str, list[int]]:
    """Which deliveries carry the parcels' numbers, by number."""
    found: dict[str, list[int]] = {}
    query = text("select number, shipment_id from numbers where number = any(:numbers)")
    for number, shipment_id in connection.execute(query, {"numbers": sorted({p.number for p in parcels})}).all():
        found.setdefault(number, []).append(shipment_id)
    return found


def _other_numbers(parcels: Iterable[_Parcel], matches: Mapping[str, Sequence[int]]) -> Iterator[OtherNumber]:
    """The numbers that events with news tell the same parcel goes by, for each delivery that carries it."""
    for parcel in parcels:
        if parcel.number in matches:
            for kind, value in {(r.type, r.value) for e in parcel.news for r in e.event.references}:
                other = comparable(value)
                if kind in SAME_PARCEL and may_name(kind, value) and other != parcel.number:
                    because = f"{kind} of {parcel.number}"
                    yield from (OtherNumber(id_, other, because, parcel.number) for id_ in matches[parcel.number])


def _save_parcels(connection: Connection, parcels: Sequence[_Parcel], matched: Collection[str]) -> None:
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
        {"rows": as_rows(_parcel_row(p, bool(p.shown) and p.number not in matched) for p in parcels)},
    )


def _parcel_row(parcel: _Parcel, stranger: bool) -> dict[str, Any]:
    """All that is known, and beside it what Odoo may see of it."""
    journeys = [s.to_dict() for s in parcel.journeys]
    shown = journeys if parcel.shown is parcel.journeys else [s.to_dict() for s in parcel.shown]
    return {"id": parcel.id, "state": {"journeys": journeys, "shown": shown}, "stranger": stranger}


def _settle_shipments(
    connection: Connection,
    touched: Collection[int],
    parcels: Sequence[_Parcel],
    matches: Mapping[str, Sequence[int]],
    policy: Policy,
) -> Iterator[Effect]:
    locked = lock_shipments(connection, touched)
    add_other_numbers(connection, _other_numbers(parcels, matches))
    family = _load_shipments(connection, locked)
    _choose_journeys(connection, family, parcels)
    changed = [shipment for id_, shipment in family.items() if id_ in touched]
    by_number: dict[str, list[_Parcel]] = {}
    for parcel in parcels:
        by_number.setdefault(parcel.number, []).append(parcel)
    for shipment in changed:
        shipment.standing = shipment.roll_up()
        if shipment.standing:
            yield from decide_delivery(shipment.delivery, shipment.standing, policy)
            yield from _timeline(shipment, by_number, policy)
    _save_shipments(connection, changed)
    yield from _orders(family.values(), {s.delivery.order_id for s in changed})


def _load_shipments(connection: Connection, ids: Collection[int]) -> dict[int, _Shipment]:
    query = text("""
        select id, name, order_id, order_name, company_id, user_id, registered_at, written_at, state,
            (select jsonb_object_agg(number, coalesce(stands_for, number)) from numbers
                where shipment_id = shipments.id) as parcels
        from shipments where id = any(:ids) order by id
    """)
    return {row.id: _shipment(row) for row in connection.execute(query, {"ids": list(ids)}).all()}


def _shipment(row: Any) -> _Shipment:
    parcels = row.parcels or {}
    numbers = tuple(sorted(parcels))
    delivery = Delivery(
        picking_id=row.id,
        name=row.name,
        numbers=numbers,
        order_id=row.order_id,
        order_name=row.order_name,
        company_id=row.company_id,
        registered_at=row.registered_at,
        written_at=row.written_at,
        user_id=row.user_id,
    )
    standing = Standing.from_dict(row.state) if row.state else None
    return _Shipment(delivery, standing, dict.fromkeys(numbers), parcels)


def _choose_journeys(connection: Connection, shipments: Mapping[int, _Shipment], parcels: Sequence[_Parcel]) -> None:
    """For each number of each delivery the journey that is meant: numbers are used again."""
    numbers = sorted({n for s in shipments.values() for n in s.delivery.numbers})
    journeys = _journeys_by_number(connection, numbers, parcels)
    registrations = _registrations_by_number(connection, numbers)
    for shipment in shipments.values():
        at = shipment.delivery.registered_at
        for number in shipment.journeys:
            earlier = any(other <= at - NEW_JOURNEY_AFTER_END for other in registrations[number])
            shipment.journeys[number] = journey_of(journeys.get(number, []), at, earlier)


def _journeys_by_number(
    connection: Connection, numbers: Sequence[str], parcels: Sequence[_Parcel]
) -> dict[str, list[Standing]]:
    """The journeys that Odoo may see, oldest first. A number may be several parcels': another carrier's, a new one.

    parcels: those just folded, which need not be read.
    """
    found: dict[str, list[Standing]] = {}
    for parcel in parcels:
        found.setdefault(parcel.number, []).extend(parcel.shown)
    query = text("""
        select number, state -> 'shown' from parcels where number = any(:numbers) and id <> all(:folded)
    """)
    for number, shown in connection.execute(query, {"numbers": numbers, "folded": [p.id for p in parcels]}).all():
        found.setdefault(number, []).extend(Standing.from_dict(journey) for journey in shown or ())
    for journeys in found.values():
        journeys.sort(key=lambda j: (j.started_at, j.carrier, j.tracking_number))
    return found


def _registrations_by_number(connection: Connection, numbers: Sequence[str]) -> dict[str, list[datetime]]:
    """When the deliveries that carry each number were made in Odoo."""
    found: dict[str, list[datetime]] = {}
    query = text("""
        select n.number, s.registered_at from numbers n join shipments s on s.id = n.shipment_id
        where n.number = any(:numbers)
    """)
    for number, registered_at in connection.execute(query, {"numbers": numbers}).all():
        found.setdefault(number, []).append(registered_at)
    return found


def _timeline(shipment: _Shipment, parcels: Mapping[str, Sequence[_Parcel]], policy: Policy) -> Iterator[Effect]:
    """The rows of the parcels that have news, as far as they belong to the journey this delivery means."""
    for number, journey in shipment.journeys.items():
        if journey is None:
            continue
        for parcel in parcels.get(number, ()):
            meant = [e for e in parcel.news if journey.started_at <= e.instant <= journey.last_at]
            yield from decide_timeline(shipment.delivery.picking_id, meant, policy)


def _save_shipments(connection: Connection, shipments: Sequence[_Shipment]) -> None:
    query = text("""
        update shipments set state = t.state
        from jsonb_to_recordset(cast(:rows as jsonb)) as t (id bigint, state jsonb)
        where shipments.id = t.id and shipments.state is distinct from t.state
    """)
    states = ((s.delivery.picking_id, s.standing) for s in shipments)
    rows = as_rows({"id": id_, "state": standing.to_dict() if standing else None} for id_, standing in states)
    connection.execute(query, {"rows": rows})


def _orders(shipments: Iterable[_Shipment], order_ids: Collection[int | None]) -> Iterator[Effect]:
    """An order stands where its deliveries stand; one that carries a number and has no news yet keeps it open."""
    by_order: dict[int, list[_Shipment]] = {}
    for shipment in shipments:
        order_id = shipment.delivery.order_id
        if order_id is not None and order_id in order_ids and shipment.journeys:
            by_order.setdefault(order_id, []).append(shipment)
    for order_id, members in sorted(by_order.items()):
        if known := [s.standing for s in members if s.standing]:
            yield decide_order(order_id, roll_up(known, expected=len(members)))
