"""Odoo's deliveries and the index of their tracking numbers, kept in step with Odoo."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from shipments.correlation import MOST_REFERENCES, comparable, may_name
from shipments.delivery import Delivery
from shipments.store.claims import weigh_claims
from shipments.store.rows import as_rows

_UPSERT = text("""
    insert into shipments (
        id, name, order_id, order_name, company_id, user_id, registered_at, written_at, delivery_method,
        operation, stage, return_of, backorder_of)
    select * from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        id bigint, name text, order_id bigint, order_name text, company_id bigint, user_id bigint,
        registered_at timestamptz, written_at timestamptz, delivery_method text,
        operation text, stage text, return_of bigint, backorder_of bigint)
    on conflict (id) do update set
        name = excluded.name, order_id = excluded.order_id, order_name = excluded.order_name,
        company_id = excluded.company_id, user_id = excluded.user_id, written_at = excluded.written_at,
        delivery_method = excluded.delivery_method, operation = excluded.operation, stage = excluded.stage,
        return_of = excluded.return_of, backorder_of = excluded.backorder_of
    where (shipments.name, shipments.order_id, shipments.user_id, shipments.written_at, shipments.delivery_method,
            shipments.operation, shipments.stage, shipments.return_of, shipments.backorder_of)
        is distinct from (
            excluded.name, excluded.order_id, excluded.user_id, excluded.written_at, excluded.delivery_method,
            excluded.operation, excluded.stage, excluded.return_of, excluded.backorder_of)
""")

# Odoo sets what a delivery was made from once, when it makes it.
_NEW_RETURNS = text("""
    select t.id from unnest(cast(:ids as bigint[])) as t (id)
    where not exists (select 1 from shipments s where s.id = t.id and s.return_of is not null)
""")

_DROP_NUMBERS = text("""
    delete from numbers n using unnest(cast(:id as bigint[])) as t (id)
    where n.shipment_id = t.id and n.shipment_id = any(:id) and n.because is null and not exists (
        select 1 from unnest(cast(:shipment_id as bigint[]), cast(:number as text[])) as k (shipment_id, number)
        where k.shipment_id = n.shipment_id and k.number = n.number)
    returning n.shipment_id
""")

# Whether the number n is that of a parcel which the delivery s sees and the delivery o, of another company, does not:
# then o has no say in it.
_IS_NOT_FOR_O = """
    exists (select from parcels p where p.number = n.number and 0 <> all(p.companies)
        and s.company_id = any(p.companies) and o.company_id <> all(p.companies))
"""

# What Odoo itself says of a number goes over what was found by a reference.
_DROP_FOUND = text(f"""
    delete from numbers n using shipments s
    where n.number = any(:number) and n.because is not null and s.id = n.shipment_id and exists (
        select from unnest(cast(:shipment_id as bigint[]), cast(:number as text[])) as k (shipment_id, number)
        join shipments o on o.id = k.shipment_id
        where k.number = n.number and not {_IS_NOT_FOR_O})
    returning n.shipment_id
""")  # noqa: S608, from above

_ADD_NUMBERS = text("""
    insert into numbers (shipment_id, number)
    select t.shipment_id, t.number
    from unnest(cast(:shipment_id as bigint[]), cast(:number as text[])) as t (shipment_id, number)
    join shipments s on s.id = t.shipment_id and s.closed_at is null
    on conflict do nothing
    returning shipment_id
""")


def numbers_of(deliveries: Sequence[Delivery]) -> list[str]:
    """The tracking numbers of those deliveries, as compared."""
    return sorted({comparable(n) for d in deliveries for n in d.numbers} - {""})


def find_numbers_of(connection: Connection, ids: Collection[int]) -> list[str]:
    """The numbers the index has for those deliveries now, which Odoo may have taken off them."""
    query = text("select distinct number from numbers where shipment_id = any(:ids)")
    return [row.number for row in connection.execute(query, {"ids": sorted(ids)})]


def find_written(connection: Connection, ids: Collection[int]) -> dict[int, datetime]:
    """When Odoo had changed those deliveries last, as far as they were read, by id."""
    query = text("select id, written_at from shipments where id = any(:ids)")
    return {row.id: row.written_at for row in connection.execute(query, {"ids": sorted(ids)})}


def save_deliveries(connection: Connection, deliveries: Sequence[Delivery]) -> set[int]:
    """Takes over what Odoo says of its deliveries; the ids of those that now speak for other parcels than before.

    A number that Odoo does not carry any more is dropped from the index; what was told about it stays in the store. One
    that was found by a reference stays until Odoo carries it anywhere. A delivery whose past was pruned takes no
    number: news about it would be rolled up without what came before.
    """
    rows = [d for _, d in sorted({d.picking_id: d for d in deliveries}.items())]
    if not rows:
        return set()
    returns = [d.picking_id for d in rows if d.is_return]
    changed = {row.id for row in connection.execute(_NEW_RETURNS, {"ids": returns})} if returns else set()
    connection.execute(_UPSERT, {"rows": as_rows(_row(d) for d in rows)})
    pairs = sorted({(d.picking_id, comparable(n)) for d in rows for n in d.numbers if comparable(n)})
    numbers = {"shipment_id": [p for p, _ in pairs], "number": [n for _, n in pairs]}
    ids = [d.picking_id for d in rows]
    touched = {*numbers_of(rows), *find_numbers_of(connection, ids)}
    dropped = connection.execute(_DROP_NUMBERS, numbers | {"id": ids})
    found = connection.execute(_DROP_FOUND, numbers)
    changed |= {row.shipment_id for row in (*dropped, *found)}
    changed |= {row.shipment_id for row in connection.execute(_ADD_NUMBERS, numbers)}
    return changed | weigh_claims(connection, touched)


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.picking_id,
        "name": delivery.name,
        "order_id": delivery.order_id,
        "order_name": delivery.order_name,
        "company_id": delivery.company_id,
        "user_id": delivery.user_id,
        "registered_at": delivery.registered_at,
        "written_at": delivery.written_at,
        "delivery_method": delivery.method,
        "operation": delivery.operation,
        "stage": delivery.stage,
        "return_of": delivery.return_of,
        "backorder_of": delivery.backorder_of,
    }


class OtherNumber(NamedTuple):
    """A number that belongs to a delivery although Odoo does not carry it there, and how that is known.

    stands_for: the number on the delivery whose parcel it is; None for a parcel of its own. Both as compared.
    leg: "return" if the parcel comes back under it. is_package: it is the name of one of the delivery's packages.
    by_person: a person said so, which nothing but Odoo goes over.
    """

    shipment_id: int
    number: str
    because: str
    stands_for: str | None
    leg: str | None = None
    is_package: bool = False
    by_person: bool = False


# Each number is looked up by itself (a scalar subquery is never joined), since PostgreSQL would else read all numbers.
_ADD_OTHERS = text(f"""
    insert into numbers (shipment_id, number, because, stands_for, leg, is_package, by_person)
    select t.shipment_id, t.number, t.because, coalesce(
        (select n.stands_for from numbers n where n.shipment_id = t.shipment_id and n.number = t.stands_for),
        t.stands_for), t.leg, t.is_package, t.by_person
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        shipment_id bigint, number text, because text, stands_for text, leg text, is_package bool, by_person bool)
    join shipments s on s.id = t.shipment_id and s.closed_at is null
    where (select true from numbers n join shipments o on o.id = n.shipment_id
        where n.number = t.number and (n.because is null or n.by_person)
            and not {_IS_NOT_FOR_O} limit 1) is null
    on conflict do nothing
    returning shipment_id
""")  # noqa: S608, from above


def add_other_numbers(connection: Connection, others: Iterable[OtherNumber]) -> set[int]:
    """Adds numbers to the index that Odoo carries nowhere; the ids of the deliveries it changes anything for."""
    rows = sorted(set(others), key=lambda other: (other.shipment_id, other.number, other.because))
    if not rows:
        return set()
    added = connection.execute(_ADD_OTHERS, {"rows": as_rows(other._asdict() for other in rows)})
    changed = {row.shipment_id for row in added}
    return changed | weigh_claims(connection, {row.number for row in rows}) if changed else changed


class Stranger(NamedTuple):
    """A parcel without a delivery, and what else it is known by: type and value of each reference."""

    id: int
    number: str
    references: list[tuple[str, str]]
    companies: Sequence[int] | None = None


def find_strangers_with_references(connection: Connection, numbers: Collection[str]) -> list[Stranger]:
    """Those of the parcels with these tracking numbers that match no delivery and have references that may name one."""
    query = text("""
        select p.id, p.number, p.companies, r.type, r.value
        from parcels p join events e on e.parcel_id = p.id
        cross join lateral jsonb_to_recordset(e.event -> 'references') as r (type text, value text)
        where p.number = any(:numbers) and p.unmatched_since is not null
        group by p.id, p.number, r.type, r.value order by p.id, r.type, r.value
    """)
    found: dict[int, Stranger] = {}
    values = {"numbers": sorted({comparable(n) for n in numbers})}
    for id_, number, companies, kind, value in connection.execute(query, values):
        if may_name(kind, value):
            stranger = found.setdefault(id_, Stranger(id_, number, [], companies))
            if len(stranger.references) < MOST_REFERENCES:
                stranger.references.append((kind, value))
    return list(found.values())


def find_bound_strangers(connection: Connection, numbers: Collection[str]) -> set[str]:
    """Those of the numbers (as compared) whose parcels match no delivery that may see them: see companies.py."""
    query = text("""
        select distinct number from parcels
        where number = any(:numbers) and unmatched_since is not null and 0 <> all(companies)
    """)
    return set(connection.execute(query, {"numbers": sorted(numbers)}).scalars()) if numbers else set()


def note_candidates(connection: Connection, notes: Mapping[int, str | None]) -> None:
    """Writes down why parcels (by id) have no delivery although some fit, for a person."""
    query = text("""
        update parcels set candidates = t.note
        from jsonb_to_recordset(cast(:rows as jsonb)) as t (id bigint, note text)
        where parcels.id = t.id and parcels.unmatched_since is not null and parcels.candidates is distinct from t.note
    """)
    rows = as_rows({"id": id_, "note": note} for id_, note in sorted(notes.items()))
    connection.execute(query, {"rows": rows})


def find_matched_strangers(connection: Connection, count: int) -> list[int]:
    """Parcels that are parked as unmatched although the index knows their number by now, locked.

    Each stranger is looked up (lateral), since PostgreSQL would else read the whole index; and the strangers are found
    before they are put in order, since it would else look for them along all parcels.
    """
    query = text("""
        with matched as materialized (
            select p.id from parcels p
            cross join lateral (select 1 from numbers n where n.number = p.number and n.aside is null and (
                p.companies is null or 0 = any(p.companies) or exists (
                    select from shipments s where s.id = n.shipment_id and s.company_id = any(p.companies)))
                limit 1) n
            where p.unmatched_since is not null)
        select p.id from parcels p where p.id in (select id from matched order by id limit :count)
        order by p.id for update
    """)
    return [row.id for row in connection.execute(query, {"count": count})]


def claim_strangers(connection: Connection, count: int) -> list[str]:
    """Numbers of unmatched parcels that Odoo has not been asked about lately; each is asked about ever less often."""
    query = text("""
        update parcels set look_up_at = now() + greatest(interval '1 minute', least(now() - unmatched_since, :longest))
        where id in (select id from parcels where unmatched_since is not null and look_up_at <= now()
            order by look_up_at limit :count for update skip locked)
        returning tracking_number
    """)
    values = {"count": count, "longest": timedelta(hours=12)}
    return sorted({row.tracking_number for row in connection.execute(query, values)})


def count_unmatched(connection: Connection) -> int:
    """Parcels parked because no delivery in Odoo carries their number; counted up to 100,000."""
    query = """
        select count(*) from (
            select from parcels where unmatched_since is not null order by look_up_at limit 100000) as waiting
    """
    return int(connection.execute(text(query)).scalar_one())


def lock_shipments(connection: Connection, ids: Collection[int]) -> list[int]:
    """Those shipments, all others of the same orders, what was returned of them and what they are returned of, locked
    in order until the transaction ends; their ids.

    A union, since PostgreSQL reads the whole table for `id in ... or order_id in ...`; an array, and `offset 0` as in
    `with_number` (rows.py), since it reads all of a young table for `id in` and for joins as well.
    """
    query = text("""
        with mine as materialized (select id, order_id, return_of from shipments where id = any(:ids))
        select id from shipments where id = any(array(
            select id from mine
            union all select sibling.id from mine
                cross join lateral (select id from shipments where order_id = mine.order_id offset 0) sibling
            union all select id from shipments where return_of = any(:ids)
            union all select r.id from mine
                cross join lateral (select id from shipments where return_of = mine.return_of offset 0) r
            union all select return_of from mine where return_of is not null))
        order by id for update
    """)
    return [row.id for row in connection.execute(query, {"ids": list(ids)})]
