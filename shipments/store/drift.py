"""What the store takes for done in Odoo, to be compared with what Odoo shows."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from shipments.milestone import DEFINITIONS, Phase

_ENDED = [milestone.value for milestone, meant in DEFINITIONS.items() if meant.phase is Phase.END]


class Known(NamedTuple):
    """A delivery as the index has it. numbers: those Odoo carried, as compared; closed: its past was pruned."""

    name: str
    order_id: int | None
    numbers: frozenset[str]
    written_at: datetime
    closed: bool


def find_known(connection: Connection, ids: Collection[int]) -> dict[int, Known]:
    """Those of the deliveries that the index knows."""
    query = text("""
        select id, name, order_id, written_at, closed_at is not null as closed, coalesce(
            (select array_agg(number) from numbers where shipment_id = shipments.id and because is null), '{}'
        ) as numbers
        from shipments where id = any(:ids)
    """)
    rows = connection.execute(query, {"ids": list(ids)})
    return {r.id: Known(r.name, r.order_id, frozenset(r.numbers), r.written_at, r.closed) for r in rows}


def find_unseen(
    connection: Connection, after: int, last: int | None, seen: Collection[int], since: datetime
) -> list[int]:
    """Deliveries of that range of ids that are open, or were written lately, and that have not been seen."""
    query = text("""
        select id from shipments
        where id > :after and (cast(:last as bigint) is null or id <= :last) and id <> all(:seen) and closed_at is null
            and (written_at >= :since or state ->> 'milestone' <> all(:ended))
            and (select true from numbers n where n.shipment_id = shipments.id limit 1)
        order by id
    """)
    values = {"after": after, "last": last, "seen": list(seen), "since": since, "ended": _ENDED}
    return list(connection.execute(query, values).scalars())


@dataclass(frozen=True, slots=True)
class Stored:
    """An effect as the store has it. settled: nothing about it is under way since before Odoo was read."""

    key: str
    kind: str
    subject: int
    payload: Mapping[str, Any]
    state: str
    sent: bool
    settled: bool


_COLUMNS = """
    f.key, f.kind, f.subject, f.payload, f.state, f.sent,
    f.state = 'parked' or (f.state = 'done' and coalesce(f.done_at, f.decided_at) < :before) as settled
"""


def find_states(connection: Connection, keys: Collection[str], before: datetime) -> dict[str, Stored]:
    """The effects of those keys. before: when Odoo was asked, by the database's clock."""
    query = text(f"select {_COLUMNS} from effects f where f.key = any(:keys)")  # noqa: S608, a constant
    return {r.key: Stored(**r._mapping) for r in connection.execute(query, {"keys": list(keys), "before": before})}


# The keys of rows are put together from the delivery's events, so that each is looked up in the primary key.
_OF_DELIVERIES = text(f"""
    select {_COLUMNS} from numbers n
    join parcels p on p.number = n.number
    join events e on e.parcel_id = p.id
    join effects f on f.key = 'timeline:' || replace(cast(e.key as text), '-', '') || ':' || n.shipment_id
    where n.shipment_id = any(:ids)
    union all select {_COLUMNS} from effects f where f.kind = 'activity' and f.subject = any(:ids)
""")  # noqa: S608, a constant


def find_rows_and_tasks(connection: Connection, ids: Collection[int], before: datetime) -> Iterator[Stored]:
    """The rows of the timelines of those deliveries, and their tasks."""
    for row in connection.execute(_OF_DELIVERIES, {"ids": list(ids), "before": before}):
        yield Stored(**row._mapping)


def forget_numbers(connection: Connection, ids: Collection[int]) -> None:
    """Deliveries that Odoo does not have any more: nothing that is told later is decided for them.

    If one comes back, the pull or the next comparison takes its numbers over again.
    """
    connection.execute(text("delete from numbers where shipment_id = any(:ids)"), {"ids": list(ids)})


_CLOSE = text("""
    with about as (
        select key from effects where state = 'parked'
            and subject = any(:ids) and (kind in ('delivery', 'timeline', 'activity', 'document') or key = any(:keys))
        union all select key from effects where state in ('due', 'claimed')
            and subject = any(:ids) and (kind in ('delivery', 'timeline', 'activity', 'document') or key = any(:keys))),
    locked as (select key from effects where key in (select key from about) order by key for update)
    update effects set state = 'done', reason = 'closed: the delivery was deleted in Odoo', done_at = now()
    from locked where effects.key = locked.key
""")


def close_deleted(connection: Connection, ids: Collection[int]) -> int:
    """Whatever waits to be written on deliveries that Odoo does not have any more is closed; how many effects."""
    keys = {"ids": list(ids), "keys": [f"billing:{id_}" for id_ in ids]}  # of orders there are such, too
    connection.execute(text("delete from keeps where key = any(:keys)"), {"keys": [f"delivery:{id_}" for id_ in ids]})
    return connection.execute(_CLOSE, keys).rowcount
