"""Events and parcels in the database: each event once, under its key, at its parcel."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from shipments.correlation import comparable
from shipments.event import Event
from shipments.fold import Dated, dated
from shipments.store.rows import as_rows


class Told(NamedTuple):
    """An event as a message told of it."""

    event: Event
    message_id: UUID
    received_at: datetime


class Saved(NamedTuple):
    """What saving events changed: the parcels with news, the keys of events new or mended, how many were known."""

    parcel_ids: list[int]
    changed: frozenset[UUID]
    repeats: int


ParcelKey = tuple[str, str, str]

_ADD_PARCELS = text("""
    insert into parcels (carrier, tracking_number, journey, number)
    select * from unnest(cast(:carrier as text[]), cast(:tracking_number as text[]), cast(:journey as text[]),
        cast(:number as text[]))
    on conflict do nothing
""")

_LOCK_PARCELS = text("""
    select p.id, p.carrier, p.tracking_number, p.journey from parcels p
    join unnest(cast(:carrier as text[]), cast(:tracking_number as text[]), cast(:journey as text[]))
        as t (carrier, tracking_number, journey) using (carrier, tracking_number, journey)
    order by p.id for update of p
""")

# An event that is known changes only if the same message is read again with a better mapping or zone, or if its code
# was unknown and is known now. Another message's wording never does: the result would depend on who came first.
_ADD_EVENTS = text("""
    insert into events (key, parcel_id, message_id, received_at, instant, milestone, event)
    select * from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        key uuid, parcel_id bigint, message_id uuid, received_at timestamptz, instant timestamptz, milestone text,
        event jsonb)
    on conflict (key) do update set milestone = excluded.milestone, event = excluded.event, instant = excluded.instant
    where events.event is distinct from excluded.event and (
        events.message_id = excluded.message_id
        or (events.milestone = 'unknown' and excluded.milestone <> 'unknown'))
    returning key, parcel_id
""")


def save_events(connection: Connection, told: Iterable[Told]) -> Saved:
    """Stores events, each once, and their parcels, which stay locked until the transaction ends."""
    told = list(told)
    unique = {t.event.key: t for t in reversed(told)}  # of several tellings in one batch, the first
    if not unique:
        return Saved([], frozenset(), 0)
    parcels = _lock_parcels(connection, {_parcel_key(t.event) for t in unique.values()})
    rows = [_row(key, parcels[_parcel_key(t.event)], t) for key, t in sorted(unique.items())]
    changed = connection.execute(_ADD_EVENTS, {"rows": as_rows(rows)}).all()
    keys = frozenset(row.key for row in changed)
    return Saved(sorted({row.parcel_id for row in changed}), keys, len(told) - len(changed))


def _row(key: UUID, parcel_id: int, told: Told) -> dict[str, Any]:
    return {
        "key": key,
        "parcel_id": parcel_id,
        "message_id": told.message_id,
        "received_at": told.received_at,
        "instant": dated(told.event, told.received_at).instant,
        "milestone": told.event.milestone.value,
        "event": told.event.to_dict(),
    }


def find_events(connection: Connection, parcel_ids: Collection[int]) -> Mapping[int, list[Dated]]:
    """All events of those parcels, by parcel."""
    found: dict[int, list[Dated]] = {}
    query = text("select parcel_id, key, instant, received_at, event from events where parcel_id = any(:ids)")
    for parcel_id, key, instant, received_at, event in connection.execute(query, {"ids": list(parcel_ids)}).all():
        found.setdefault(parcel_id, []).append(Dated(instant, Event.from_dict(event, key), received_at))
    return found


def find_traces(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """The correlation id of the message that told first of each of these events (keys in hex), while it is kept."""
    query = text("""
        select e.key, m.trace from events e join messages m on m.id = e.message_id
        where e.key = any(cast(:keys as uuid[]))
    """)
    return {row.key.hex: row.trace for row in connection.execute(query, {"keys": list(keys)})}


def lock_parcels_with(connection: Connection, numbers: Sequence[str]) -> list[int]:
    """The parcels with those numbers (as compared), locked until the transaction ends."""
    query = text("select id from parcels where number = any(:numbers) order by id for update")
    return [row.id for row in connection.execute(query, {"numbers": list(numbers)})]


def _parcel_key(event: Event) -> ParcelKey:
    return event.carrier, event.tracking_number, event.journey


def _lock_parcels(connection: Connection, keys: Iterable[ParcelKey]) -> dict[ParcelKey, int]:
    """Sorted, so that two batches with the same parcels wait for each other and never deadlock."""
    ordered = sorted(keys)
    values = {
        "carrier": [carrier for carrier, _, _ in ordered],
        "tracking_number": [number for _, number, _ in ordered],
        "journey": [journey for _, _, journey in ordered],
    }
    numbers = {"number": [comparable(number) for _, number, _ in ordered]}
    while len(rows := connection.execute(_LOCK_PARCELS, values).all()) < len(ordered):
        connection.execute(_ADD_PARCELS, values | numbers)  # again if one that was there is pruned before it is locked
    return {(row.carrier, row.tracking_number, row.journey): row.id for row in rows}
