"""Events and parcels in the database: each event once, under its key, at its parcel."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from shipments.correlation import comparable
from shipments.event import Event
from shipments.fold import Dated, dated


class Told(NamedTuple):
    """An event as a message told of it."""

    event: Event
    message_id: UUID
    received_at: datetime


class Saved(NamedTuple):
    """What saving events changed: the parcels with news, how many events were new or mended, how many were known."""

    parcel_ids: list[int]
    changed: int
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
    select * from unnest(cast(:key as uuid[]), cast(:parcel_id as bigint[]), cast(:message_id as uuid[]),
        cast(:received_at as timestamptz[]), cast(:instant as timestamptz[]), cast(:milestone as text[]),
        cast(:event as jsonb[]))
    on conflict (key) do update set milestone = excluded.milestone, event = excluded.event, instant = excluded.instant
    where events.event is distinct from excluded.event and (
        events.message_id = excluded.message_id
        or (events.milestone = 'unknown' and excluded.milestone <> 'unknown'))
    returning parcel_id
""")


def save_events(connection: Connection, told: Iterable[Told]) -> Saved:
    """Stores events, each once, and their parcels, which stay locked until the transaction ends."""
    told = list(told)
    unique = {t.event.key: t for t in reversed(told)}  # of several tellings in one batch, the first
    if not unique:
        return Saved([], 0, 0)
    parcels = _lock_parcels(connection, {_parcel_key(t.event) for t in unique.values()})
    rows = sorted(unique.items())
    values = {
        "key": [key for key, _ in rows],
        "parcel_id": [parcels[_parcel_key(t.event)] for _, t in rows],
        "message_id": [t.message_id for _, t in rows],
        "received_at": [t.received_at for _, t in rows],
        "instant": [dated(t.event, t.received_at).instant for _, t in rows],
        "milestone": [t.event.milestone.value for _, t in rows],
        "event": [json.dumps(t.event.to_dict()) for _, t in rows],
    }
    changed = [row.parcel_id for row in connection.execute(_ADD_EVENTS, values)]
    return Saved(sorted(set(changed)), len(changed), len(told) - len(changed))


def find_events(connection: Connection, parcel_ids: Collection[int]) -> Mapping[int, list[Dated]]:
    """All events of those parcels, by parcel."""
    found: dict[int, list[Dated]] = {}
    query = text("select parcel_id, instant, event from events where parcel_id = any(:ids)")
    for row in connection.execute(query, {"ids": list(parcel_ids)}):
        found.setdefault(row.parcel_id, []).append(Dated(row.instant, Event.from_dict(row.event)))
    return found


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
    connection.execute(_ADD_PARCELS, values | {"number": [comparable(number) for _, number, _ in ordered]})
    rows = connection.execute(_LOCK_PARCELS, values)
    return {(row.carrier, row.tracking_number, row.journey): row.id for row in rows}
