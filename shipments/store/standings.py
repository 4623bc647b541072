"""Deliveries with what they are rolled up from: their numbers, the journey each number means, and where they stood."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, text

from shipments.correlation import journey_of
from shipments.delivery import Delivery
from shipments.fold import NEW_JOURNEY_AFTER_END, Standing
from shipments.parcels import Carried, stand_together
from shipments.return_leg import after_turn, as_return
from shipments.store.companies import may_see
from shipments.store.rows import as_rows, with_number

_Owned = tuple[Standing, Collection[int] | None]  # a journey, and the companies whose parcel it is


class Folded(Protocol):
    """A parcel as it was just folded: the journeys that Odoo may see, and whose it is (companies.py)."""

    @property
    def id(self) -> int: ...

    @property
    def number(self) -> str: ...

    @property
    def shown(self) -> tuple[Standing, ...]: ...

    @property
    def companies(self) -> Collection[int] | None: ...


@dataclass(slots=True)
class Shipment:
    """A delivery with the numbers it speaks for and where it stands. closed: what was told of it was pruned."""

    delivery: Delivery
    standing: Standing | None
    carried: dict[str, Carried]
    closed: bool
    journeys: dict[str, Standing | None] = field(init=False)  # by number; None where it has told nothing yet

    def __post_init__(self) -> None:
        self.journeys = dict.fromkeys(self.carried)

    def roll_up(self) -> Standing | None:
        """Where its parcels stand together; None until something is known of one."""
        return stand_together(self.carried, self.journeys)


def load_shipments(connection: Connection, ids: Collection[int], parcels: Sequence[Folded]) -> dict[int, Shipment]:
    """Those deliveries by id, with the journeys of their numbers. parcels: those just folded, not to be read again."""
    query = text("""
        select id, name, order_id, order_name, company_id, user_id, registered_at, written_at, state,
            operation, stage, return_of, backorder_of, closed_at is not null as closed,
            (select jsonb_object_agg(number,
                    jsonb_build_array(coalesce(stands_for, number), coalesce(leg = 'return', false), is_package))
                from numbers where shipment_id = shipments.id and aside is null) as numbers
        from shipments where id = any(:ids) order by id
    """)
    shipments = {row.id: _shipment(row) for row in connection.execute(query, {"ids": list(ids)}).all()}
    _choose_journeys(connection, shipments, parcels)
    _choose_return_legs(shipments)
    return shipments


def returns_beside(shipments: Mapping[int, Shipment], ids: Collection[int]) -> set[int]:
    """The returns that follow when those deliveries change: made from them, or from the same delivery as they."""
    originals = {*ids, *(shipments[id_].delivery.return_of for id_ in ids if id_ in shipments)}
    return {id_ for id_, s in shipments.items() if s.delivery.is_return and s.delivery.return_of in originals}


def save_shipments(connection: Connection, shipments: Sequence[Shipment]) -> None:
    """Writes down where they stand."""
    query = text("""
        update shipments set state = t.state
        from jsonb_to_recordset(cast(:rows as jsonb)) as t (id bigint, state jsonb)
        where shipments.id = t.id and shipments.state is distinct from t.state
    """)
    states = ((s.delivery.picking_id, s.standing) for s in shipments)
    rows = as_rows({"id": id_, "state": standing} for id_, standing in states)
    connection.execute(query, {"rows": rows})


def _shipment(row: Any) -> Shipment:
    carried = {number: Carried(*how) for number, how in sorted((row.numbers or {}).items())}
    delivery = Delivery(
        picking_id=row.id,
        name=row.name,
        numbers=tuple(carried),
        order_id=row.order_id,
        order_name=row.order_name,
        company_id=row.company_id,
        registered_at=row.registered_at,
        written_at=row.written_at,
        user_id=row.user_id,
        operation=row.operation or "outgoing",
        stage=row.stage or "",
        return_of=row.return_of,
        backorder_of=row.backorder_of,
    )
    return Shipment(delivery, Standing.from_dict(row.state) if row.state else None, carried, row.closed)


def _choose_journeys(connection: Connection, shipments: Mapping[int, Shipment], parcels: Sequence[Folded]) -> None:
    """For each number of each delivery the journey that is meant: numbers are used again."""
    numbers = sorted({n for s in shipments.values() for n in s.carried})
    journeys = _journeys_by_number(connection, numbers, parcels)
    registrations = _registrations_by_number(connection, numbers)
    for shipment in shipments.values():
        at = shipment.delivery.registered_at
        for number, how in shipment.carried.items():
            own = [(j, c) for j, c in journeys.get(number, ()) if may_see(c, shipment.delivery.company_id)]
            before = [company for other, company in registrations[number] if other <= at - NEW_JOURNEY_AFTER_END]
            earlier = any(may_see(companies, company) for _, companies in own for company in before)
            journey = journey_of([j for j, _ in own], at, earlier)
            shipment.journeys[number] = as_return(journey) if journey and how.comes_back else journey


def _choose_return_legs(shipments: Mapping[int, Shipment]) -> None:
    """Of a number that a return shares with what it is a return of, it shows the way back alone; of its own, all.

    The only return without a number shows the way back of what it was made from.
    """
    numberless: dict[int | None, list[Shipment]] = {}
    for shipment in shipments.values():
        if not shipment.delivery.is_return:
            continue
        original = shipments.get(shipment.delivery.return_of or 0)
        if not shipment.carried and shipment.delivery.stage != "cancel":
            numberless.setdefault(shipment.delivery.return_of, []).append(shipment)
        for number, journey in shipment.journeys.items():
            if journey:
                shared = original is not None and number in original.carried
                shipment.journeys[number] = after_turn(journey) if shared else as_return(journey)
    for return_of, returns in numberless.items():
        if len(returns) == 1 and (original := shipments.get(return_of or 0)):
            back = {n: part for n, journey in original.journeys.items() if journey and (part := after_turn(journey))}
            returns[0].carried = {number: original.carried[number] for number in back}
            returns[0].journeys = dict(back)
            returns[0].closed |= original.closed


def _journeys_by_number(
    connection: Connection, numbers: Sequence[str], parcels: Sequence[Folded]
) -> dict[str, list[_Owned]]:
    """The journeys that Odoo may see, oldest first. A number may be several parcels': another carrier's, a new one."""
    found: dict[str, list[_Owned]] = {}
    for parcel in parcels:
        found.setdefault(parcel.number, []).extend((journey, parcel.companies) for journey in parcel.shown)
    query = text(f"""
        select parcels.number, state -> 'shown', companies from {with_number("parcels")} where id <> all(:folded)
    """)  # noqa: S608, nothing but names of ours
    values = {"numbers": numbers, "folded": [p.id for p in parcels]}
    for number, shown, companies in connection.execute(query, values).all():
        found.setdefault(number, []).extend((Standing.from_dict(journey), companies) for journey in shown or ())
    for journeys in found.values():
        journeys.sort(key=lambda owned: (owned[0].started_at, owned[0].carrier, owned[0].tracking_number))
    return found


def _registrations_by_number(
    connection: Connection, numbers: Iterable[str]
) -> dict[str, list[tuple[datetime, int | None]]]:
    """When the deliveries that carry each number were made in Odoo, and of which companies they are."""
    found: dict[str, list[tuple[datetime, int | None]]] = {}
    query = text(f"""
        select numbers.number, registered_at, company_id from {with_number("numbers")}
        cross join lateral (select * from shipments where id = numbers.shipment_id offset 0) as shipments
    """)  # noqa: S608, nothing but names of ours
    for number, registered_at, company_id in connection.execute(query, {"numbers": list(numbers)}).all():
        found.setdefault(number, []).append((registered_at, company_id))
    return found
