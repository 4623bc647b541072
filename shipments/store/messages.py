"""Messages in the database: kept when Redis is away, stored when ingested, replayed when asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, Engine, Select, select, text, update

from shipments.clock import first_id
from shipments.store.intake import BATCH_BYTES, Intaken
from shipments.store.rows import as_rows
from shipments.store.schema import messages

LOOKED_AT = 5_000
"""Messages that a replay looks at in one transaction; a fraction of a second."""

_ID_MARGIN = timedelta(minutes=5)
_BEFORE_ALL = UUID(int=0)


class MessageState(StrEnum):
    RECEIVED = "received"  # kept, to be ingested
    DONE = "done"
    PARKED = "parked"  # waits for a person; the reason says what for


class Verdict(Struct, frozen=True):
    """What became of a message: its state, why if a person should know, and how many events it told of."""

    message: Intaken
    state: MessageState
    reason: str | None = None
    events: int = 0


_INSERT = text("""
    insert into messages (id, carrier, account, lane, received_at, trace, sealed, state, reason, events)
    select id, carrier, account, lane, received_at, trace, substring(cast(:sealed as bytea) from begins for bytes),
        state, reason, events
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        id uuid, carrier text, account text, lane text, received_at timestamptz, trace text, begins int, bytes int,
        state text, reason text, events int)
    on conflict (id) do update set state = excluded.state, reason = excluded.reason, events = excluded.events
""")


def save_messages(connection: Connection, verdicts: Sequence[Verdict]) -> None:
    """Stores messages with what became of them. A message that is there already only takes the new verdict."""
    unique = {v.message.id: v for v in verdicts}.values()
    if unique:
        # what is sealed travels beside the rows, all in one piece: as Base64 in their JSON it costs a multiple
        begins = accumulate((len(v.message.sealed) for v in unique), initial=1)
        rows = as_rows(_row(v, at) for v, at in zip(unique, begins, strict=False))
        connection.execute(_INSERT, {"rows": rows, "sealed": b"".join(v.message.sealed for v in unique)})


def keep_received(engine: Engine, message: Intaken) -> None:
    """Keeps a message that the stream could not take; the sweep feeds it on. Raises SQLAlchemyError."""
    with engine.begin() as connection:
        connection.execute(text("set local synchronous_commit = on"))
        save_messages(connection, [Verdict(message, MessageState.RECEIVED)])


_RECEIVED = text("""
    with oldest as (
        select id, carrier, account, lane, received_at, trace, sealed,
            sum(octet_length(sealed)) over (order by received_at, id) - octet_length(sealed) as before
        from (select * from messages where state = 'received' order by received_at limit :count) as waiting)
    select id, carrier, account, lane, received_at, trace, sealed from oldest where before < :bytes
    order by received_at, id
""")


def find_received(connection: Connection, count: int) -> list[Intaken]:
    """Messages that wait in the database, the oldest first: so many, or fewer where they are large (BATCH_BYTES)."""
    return [_intaken(row) for row in connection.execute(_RECEIVED, {"count": count, "bytes": BATCH_BYTES})]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: those that meet all that is said. Times are UTC."""

    ids: Collection[UUID] = ()
    carrier: str | None = None
    state: MessageState | None = None
    since: datetime | None = None
    until: datetime | None = None


def replay_messages(connection: Connection, wanted: Wanted, after: UUID = _BEFORE_ALL) -> tuple[int, UUID | None]:
    """Marks messages to be ingested again, in the bulk lane. What is right already does not change.

    It looks at LOOKED_AT of them above the id `after`, the oldest first, so that a year of them is many short
    transactions. Returns how many it marked, and the id to go on after; None when there are no more.
    """
    looked_at = connection.scalars(_among(wanted, after)).all()
    if not looked_at:
        return 0, None
    change = update(messages).where(messages.c.id.in_(looked_at), messages.c.state != MessageState.RECEIVED)
    if wanted.carrier:
        change = change.where(messages.c.carrier == wanted.carrier)
    if wanted.since:
        change = change.where(messages.c.received_at >= wanted.since)
    if wanted.until:
        change = change.where(messages.c.received_at < wanted.until)
    count = connection.execute(change.values(state=MessageState.RECEIVED, lane="bulk")).rowcount
    return count, looked_at[-1]


def _among(wanted: Wanted, after: UUID) -> Select[Any]:
    """The next ids, by what an index knows. An id is made a moment before or after the time is read."""
    found = select(messages.c.id).where(messages.c.id > after).order_by(messages.c.id).limit(LOOKED_AT)
    if wanted.ids:
        found = found.where(messages.c.id.in_(wanted.ids))
    if wanted.state:
        found = found.where(messages.c.state == wanted.state)
    if wanted.since:
        found = found.where(messages.c.id >= first_id(wanted.since - _ID_MARGIN))
    if wanted.until:
        found = found.where(messages.c.id < first_id(wanted.until + _ID_MARGIN))
    return found


def _intaken(row: Any) -> Intaken:
    return Intaken(row.id, row.carrier, row.account, row.lane, row.received_at, row.trace, bytes(row.sealed))


def _row(verdict: Verdict, begins: int) -> dict[str, Any]:
    message = verdict.message
    return {
        "id": message.id,
        "carrier": message.carrier,
        "account": message.account,
        "lane": message.lane,
        "received_at": message.received_at,
        "trace": message.trace,
        "begins": begins,
        "bytes": len(message.sealed),
        "state": verdict.state.value,
        "reason": verdict.reason,
        "events": verdict.events,
    }
