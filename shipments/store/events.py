"""Events in the database: each once, under its key, at its parcel."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from shipments.event import Event
from shipments.fold import Dated, dated
from shipments.store.parcels import ParcelKey, parcel_key
from shipments.store.rows import as_rows


class Told(NamedTuple):
    """An event as a message told of it."""

    event: Event
    message_id: UUID
    received_at: datetime


class Saved(NamedTuple):
    """What saving events changed: the events new or mended, by key with their parcel; how many were known.

    added: those that are new, by parcel; they need not be read back.
    """

    changed: Mapping[UUID, int]
    repeats: int
    added: Mapping[int, Sequence[Dated]]


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
    returning key, parcel_id, xmax = 0 as is_new
""")


def save_events(connection: Connection, told: Sequence[Told], parcels: Mapping[ParcelKey, int]) -> Saved:
    """Stores events, each once, at their parcels, which are locked."""
    unique = {t.event.key: t for t in reversed(told)}  # of several tellings in one batch, the first
    if not unique:
        return Saved({}, 0, {})
    moments = {key: dated(t.event, t.received_at) for key, t in unique.items()}
    in_order = sorted(unique, key=attrgetter("int"))  # as numbers, since a UUID compares itself in Python
    rows = [_row(parcels[parcel_key(unique[key].event)], unique[key], moments[key].instant) for key in in_order]
    changed = connection.execute(_ADD_EVENTS, {"rows": as_rows(rows)}).all()
    added: dict[int, list[Dated]] = {}
    for key, parcel_id, is_new in changed:
        if is_new:
            added.setdefault(parcel_id, []).append(moments[key])
    return Saved({key: parcel_id for key, parcel_id, _ in changed}, len(told) - len(changed), added)


def _row(parcel_id: int, told: Told, instant: datetime) -> dict[str, Any]:
    return {
        "key": told.event.key,
        "parcel_id": parcel_id,
        "message_id": told.message_id,
        "received_at": told.received_at,
        "instant": instant,
        "milestone": told.event.milestone.value,
        "event": told.event.to_dict(),
    }


def find_events(
    connection: Connection, parcel_ids: Collection[int], added: Mapping[int, Sequence[Dated]] | None = None
) -> Mapping[int, list[Dated]]:
    """All events of those parcels, by parcel. added: those of them that are at hand, and are not read."""
    found = {id_: list(events) for id_, events in (added or {}).items()}
    query = text("""
        select parcel_id, key, instant, received_at, event from events
        where parcel_id = any(:ids) and key <> all(cast(:at_hand as uuid[]))
    """)
    at_hand = ",".join(entry.event.key.hex for events in found.values() for entry in events)
    values = {"ids": list(parcel_ids), "at_hand": f"{{{at_hand}}}"}
    for parcel_id, key, instant, received_at, event in connection.execute(query, values).all():
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
