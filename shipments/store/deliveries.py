"""Odoo's deliveries and the index of their tracking numbers, kept in step with Odoo."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text

from shipments.correlation import MOST_REFERENCES, comparable, may_name
from shipments.delivery import Delivery
from shipments.store.rows import as_rows

_UPSERT = text("""
    insert into shipments (
        id, name, order_id, order_name, company_id, user_id, registered_at, written_at, delivery_method)
    select * from unnest(cast(:id as bigint[]), cast(:name as text[]), cast(:order_id as bigint[]),
        cast(:order_name as text[]), cast(:company_id as bigint[]), cast(:user_id as bigint[]),
        cast(:registered_at as timestamptz[]), cast(:written_at as timestamptz[]), cast(:method as text[]))
    on conflict (id) do update set
        name = excluded.name, order_id = excluded.order_id, order_name = excluded.order_name,
        company_id = excluded.company_id, user_id = excluded.user_id, written_at = excluded.written_at,
        delivery_method = excluded.delivery_method
    where (shipments.name, shipments.order_id, shipments.user_id, shipments.written_at, shipments.delivery_method)
        is distinct from (
            excluded.name, excluded.order_id, excluded.user_id, excluded.written_at, excluded.delivery_method)
""")

_DROP_NUMBERS = text("""
    delete from numbers n using unnest(cast(:id as bigint[])) as t (id)
    where n.shipment_id = t.id and n.because is null and not exists (
        select 1 from unnest(cast(:shipment_id as bigint[]), cast(:number as text[])) as k (shipment_id, number)
        where k.shipment_id = n.shipment_id and k.number = n.number)
    returning n.shipment_id
""")

# What Odoo itself says of a number goes over what was found by a reference.
_DROP_FOUND = text("""
    delete from numbers where number = any(:number) and because is not null returning shipment_id
""")

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
    return [row.number for row in connection.execute(query, {"ids": list(ids)})]


def save_deliveries(connection: Connection, deliveries: Sequence[Delivery]) -> set[int]:
    """Takes over what Odoo says of its deliveries; the ids of those whose tracking numbers changed.

    A number that Odoo does not carry any more is dropped from the index; what was told about it stays in the store. One
    that was found by a reference stays until Odoo carries it anywhere. A delivery whose past was pruned takes no
    number: news about it would be rolled up without what came before.
    """
    rows = [d for _, d in sorted({d.picking_id: d for d in deliveries}.items())]
    if not rows:
        return set()
    connection.execute(
        _UPSERT,
        {
            "id": [d.picking_id for d in rows],
            "name": [d.name for d in rows],
            "order_id": [d.order_id for d in rows],
            "order_name": [d.order_name for d in rows],
            "company_id": [d.company_id for d in rows],
            "user_id": [d.user_id for d in rows],
            "registered_at": [d.registered_at for d in rows],
            "written_at": [d.written_at for d in rows],
            "method": [d.method for d in rows],
        },
    )
    pairs = sorted({(d.picking_id, comparable(n)) for d in rows for n in d.numbers if comparable(n)})
    numbers = {"shipment_id": [p for p, _ in pairs], "number": [n for _, n in pairs]}
    dropped = connection.execute(_DROP_NUMBERS, numbers | {"id": [d.picking_id for d in rows]})
    found = connection.execute(_DROP_FOUND, {"number": numbers_of(rows)})
    changed = {row.shipment_id for row in (*dropped, *found)}
    return changed | {row.shipment_id for row in connection.execute(_ADD_NUMBERS, numbers)}


class OtherNumber(NamedTuple):
    """A number that belongs to a delivery although Odoo does not carry it there, and how that is known.

    stands_for: the number on the delivery whose parcel it is; None for a parcel of its own. Both as compared.
    """

    shipment_id: int
    number: str
    because: str
    stands_for: str | None


# Each number is looked up by itself (a scalar subquery is never joined), since PostgreSQL would else read all numbers.
_ADD_OTHERS = text("""
    insert into numbers (shipment_id, number, because, stands_for)
    select t.shipment_id, t.number, t.because, coalesce(
        (select n.stands_for from numbers n where n.shipment_id = t.shipment_id and n.number = t.stands_for),
        t.stands_for)
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        shipment_id bigint, number text, because text, stands_for text)
    join shipments s on s.id = t.shipment_id and s.closed_at is null
    where (select true from numbers n where n.number = t.number and n.because is null limit 1) is null
    on conflict do nothing
    returning shipment_id
""")


def add_other_numbers(connection: Connection, others: Iterable[OtherNumber]) -> set[int]:
    """Adds numbers to the index that Odoo carries nowhere; the ids of the deliveries that have got one."""
    rows = sorted(set(others), key=lambda other: (other.shipment_id, other.number, other.because))
    if not rows:
        return set()
    added = connection.execute(_ADD_OTHERS, {"rows": as_rows(other._asdict() for other in rows)})
    return {row.shipment_id for row in added}


class Stranger(NamedTuple):
    """A parcel without a delivery, and what else it is known by: type and value of each reference."""

    id: int
    number: str
    references: list[tuple[str, str]]


def find_strangers_with_references(connection: Connection, numbers: Collection[str]) -> list[Stranger]:
    """Those of the parcels with these tracking numbers that match no delivery and have references that may name one."""
    query = text("""
        select p.id, p.number, r.type, r.value
        from parcels p join events e on e.parcel_id = p.id
        cross join lateral jsonb_to_recordset(e.event -> 'references') as r (type text, value text)
        where p.number = any(:numbers) and p.unmatched_since is not null
        group by p.id, p.number, r.type, r.value order by p.id, r.type, r.value
    """)
    found: dict[int, Stranger] = {}
    for id_, number, kind, value in connection.execute(query, {"numbers": sorted({comparable(n) for n in numbers})}):
        if may_name(kind, value):
            stranger = found.setdefault(id_, Stranger(id_, number, []))
            if len(stranger.references) < MOST_REFERENCES:
                stranger.references.append((kind, value))
    return list(found.values())


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
            cross join lateral (select 1 from numbers n where n.number = p.number limit 1) n
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
    """Those shipments and all others of the same orders, locked in order until the transaction ends; their ids.

    A union, since PostgreSQL reads the whole table for `id in ... or order_id in ...`.
    """
    query = text("""
        select id from shipments where id in (
            select unnest(cast(:ids as bigint[]))
            union select sibling.id from shipments s join shipments sibling on sibling.order_id = s.order_id
            where s.id = any(:ids))
        order by id for update
    """)
    return [row.id for row in connection.execute(query, {"ids": list(ids)})]
