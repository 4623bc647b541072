"""News that is stored and waits to be settled. Where many messages come at once they are stored first, and a parcel
that several of them tell of is settled once for all of them.

Whoever stores events and does not settle their parcels writes it down here, in the same transaction; whoever settles a
parcel, with its lock held, takes it off in the transaction that settles it. So a process may end in between, and any
other goes on.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from shipments.store.rows import as_rows

_LOOKED_AT = 20_000

LONGEST = timedelta(seconds=20)
"""Nothing is put off for longer, whatever else there is to do."""

_AGAIN_AFTER = timedelta(hours=1)

REASON = (
    "what it tells is stored, but what follows from it cannot be worked out; a bug, its error report says more. It is"
    f" tried again after {_AGAIN_AFTER.total_seconds() / 3600:g} h; replay the message once Odoo shows it"
)


class Unsettled(NamedTuple):
    """Parcels that are locked, the keys of the events that are news about them, and since when somebody waits."""

    parcel_ids: list[int]
    news: frozenset[UUID]
    told_at: datetime | None


_PUT_OFF = text("""
    insert into unsettled (parcel_id, event_key, lane, told_at, due_at)
    select parcel_id, event_key, :lane, :told_at, now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (parcel_id bigint, event_key uuid)
    on conflict do nothing
""")

_PUT_OFF_WHOLE = text("""
    insert into unsettled (parcel_id, event_key, lane, told_at, due_at)
    select parcel_id, key, :lane, :told_at, now() from events where parcel_id = any(:ids)
    on conflict do nothing
""")

_CLAIM = """
    with locked as (select id from parcels where id = any(:ids) order by id for update {wait})
    delete from unsettled u using locked where u.parcel_id = locked.id
    returning u.parcel_id, u.event_key, u.told_at
"""
_CLAIM_ALL, _CLAIM_FREE = text(_CLAIM.format(wait="")), text(_CLAIM.format(wait="skip locked"))


def put_off(
    connection: Connection, lane: str, news: Mapping[UUID, int], whole: Collection[int], told_at: datetime | None
) -> None:
    """Writes down what is to be settled by whoever drains that lane.

    news: events by key, with their parcel; whole: parcels with all they have. told_at: when the oldest message behind
    it arrived; None where nobody waits for it.
    """
    common = {"lane": lane, "told_at": told_at}
    if news:
        rows = as_rows({"parcel_id": parcel_id, "event_key": key} for key, parcel_id in news.items())
        connection.execute(_PUT_OFF, common | {"rows": rows})
    if whole:
        connection.execute(_PUT_OFF_WHOLE, common | {"ids": sorted(whole)})


def find_unsettled(connection: Connection, lane: str, after: timedelta) -> list[int]:
    """The parcels of that lane with news that was put off so long ago, or LONGEST, in order; of very many, the oldest.

    What could not be settled and is tried again later is not among them.
    """
    query = text("""
        select parcel_id from unsettled where lane = :lane and due_at <= now() - :after order by due_at limit :count
    """)
    values = {"lane": lane, "after": min(after, LONGEST), "count": _LOOKED_AT}
    return sorted(set(connection.scalars(query, values)))


def claim_unsettled(connection: Connection, parcel_ids: Collection[int], *, wait: bool) -> Unsettled:
    """Locks those of the parcels that still wait, and takes what is to be settled off the list.

    Without `wait` those that somebody else is at work on stay on it.
    """
    rows = connection.execute(_CLAIM_ALL if wait else _CLAIM_FREE, {"ids": list(parcel_ids)}).all()
    return Unsettled(
        sorted({row.parcel_id for row in rows}),
        frozenset(row.event_key for row in rows),
        min((row.told_at for row in rows if row.told_at), default=None),
    )


def park_unsettled(connection: Connection, parcel_id: int) -> int:
    """For a parcel that cannot be settled: parks the messages behind its news, and tries again later; how many."""
    park = text("""
        update messages set state = 'parked', reason = :reason where id in (
            select e.message_id from unsettled u join events e on e.key = u.event_key where u.parcel_id = :parcel_id)
    """)
    parked = connection.execute(park, {"parcel_id": parcel_id, "reason": REASON}).rowcount
    later = text("update unsettled set due_at = now() + :after where parcel_id = :parcel_id")
    connection.execute(later, {"parcel_id": parcel_id, "after": _AGAIN_AFTER})
    return parked
