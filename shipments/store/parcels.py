"""Parcels in the database: found or made for the events that tell of them, and locked while those are worked on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from shipments.correlation import comparable
from shipments.event import Event
from shipments.store.rows import as_rows
from shipments.store.transaction import wait_for_no_disk

ParcelKey = tuple[str, str, str]
"""Carrier, tracking number as printed, and the carrier's own id of the journey."""


class Locked(NamedTuple):
    """ids: of the parcels that are ours until the transaction ends. busy: those that somebody else is at work on."""

    ids: Mapping[ParcelKey, int]
    busy: frozenset[ParcelKey] = frozenset()


_LOCK = """
    select p.id, p.carrier, p.tracking_number, p.journey
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (carrier text, tracking_number text, journey text)
    join parcels p using (carrier, tracking_number, journey)
"""
_LOCK_ALL = text(f"{_LOCK} order by p.id for update of p")
_LOCK_FREE = text(f"{_LOCK} for update of p skip locked")
_FIND = text(_LOCK)

_ADD = text("""
    insert into parcels (carrier, tracking_number, journey, number)
    select * from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        carrier text, tracking_number text, journey text, number text)
    on conflict do nothing
""")


def parcel_key(event: Event) -> ParcelKey:
    """Which parcel the event tells of."""
    return event.carrier, event.tracking_number, event.journey


def lock_parcels(connection: Connection, keys: Collection[ParcelKey], *, wait: bool) -> Locked:
    """Those parcels, made if they are not there.

    With `wait` all of them, in the order of their ids, so that two who want the same wait for each other and never
    deadlock. Without, those that are free: who holds what others wait for does not wait himself.
    """
    lock, wanted, busy = (_LOCK_ALL if wait else _LOCK_FREE), sorted(keys), frozenset[ParcelKey]()
    ids = _ids(connection, lock, wanted)
    while missing := [key for key in wanted if key not in ids and key not in busy]:
        if not wait:
            busy |= _ids(connection, _FIND, missing).keys()
        _add(connection, [key for key in missing if key not in busy])
        ids |= _ids(connection, lock, missing)  # again if one that was there is pruned before it is locked
        busy -= ids.keys()
    return Locked(ids, busy)


def _ids(connection: Connection, query: object, keys: Sequence[ParcelKey]) -> dict[ParcelKey, int]:
    rows = connection.execute(query, {"rows": as_rows(map(_row, keys))}).all()  # type: ignore[call-overload]
    return {(carrier, number, journey): id_ for id_, carrier, number, journey in rows}


def _add(connection: Connection, keys: Iterable[ParcelKey]) -> None:
    """In a transaction of its own: whoever makes the same one would else wait until ours has ended.

    It need not be on disk before ours is, and ours does not get there without it.
    """
    rows = as_rows(_row(key) | {"number": comparable(key[1])} for key in keys)
    if rows != "[]":
        with connection.engine.begin() as other:
            wait_for_no_disk(other)
            other.execute(_ADD, {"rows": rows})


def _row(key: ParcelKey) -> dict[str, str]:
    carrier, tracking_number, journey = key
    return {"carrier": carrier, "tracking_number": tracking_number, "journey": journey}
