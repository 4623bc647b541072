"""Effects in the database: decided in the transaction that changes the state, claimed in batches, done once.

What is due is decided by the database's clock: workers' clocks may differ by an hour.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from shipments.backoff import backoff
from shipments.effects import Effect, Kind
from shipments.store.rows import as_rows

LEASE = timedelta(seconds=90)
"""A claim that is not recorded within this time is another's. Longer than a batch of calls to Odoo may take."""

DEPARTS_EVERY = {
    **dict.fromkeys((Kind.ORDER, Kind.TIMELINE), timedelta(seconds=9)),
    Kind.DOCUMENT: timedelta(seconds=10),
    **dict.fromkeys((Kind.BILLING, Kind.INVOICE, Kind.COMMITMENT), timedelta(seconds=20)),
}
"""A kind that goes to Odoo by timetable, all of it together, so that Odoo is called less often: the roll-up of an order
and the rows of the timeline, and what finance and sales are told. Where a delivery stands, and its exceptions, are due
at once."""

MOST_ATTEMPTS = 8
RETRIED_AT_ONCE = 5_000
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=2), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An effect that is ours to perform until the lease ends."""

    key: str
    subject: int
    payload: dict[str, Any]
    version: int
    attempts: int
    sent: bool
    told_at: datetime | None = None
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a claimed effect. state: done, due (again, after due_in) or parked.

    again_at: when the clock makes one that is done due again, if nothing is decided anew before. wakes: the key of
    another that is due at once, if it waits for the clock in that way.
    """

    claimed: Claimed
    state: str
    due_in: timedelta = timedelta(0)
    reason: str | None = None
    sent: bool = False
    again_at: datetime | None = None
    wakes: str | None = None


_SAVE = text("""
    insert into effects (key, kind, subject, payload, due_at, decided_at, told_at)
    select key, kind, subject, payload,
        case when departs_every > 0
            then to_timestamp(ceil(extract(epoch from now()) / departs_every) * departs_every) else now() end,
        now(), :told_at
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        key text, kind text, subject bigint, payload jsonb, departs_every double precision)
    on conflict (key) do update set
        payload = excluded.payload, version = effects.version + 1, decided_at = excluded.decided_at,
        told_at = case when effects.state = 'due'
            then least(effects.told_at, excluded.told_at) else excluded.told_at end,
        attempts = 0, reason = null, again_at = null,
        state = case when effects.state = 'claimed' then 'claimed' else 'due' end,
        due_at = case when effects.state = 'claimed' then effects.due_at else excluded.due_at end
    where effects.payload is distinct from excluded.payload
    returning kind
""")


def save_effects(connection: Connection, effects: Iterable[Effect], told_at: datetime | None = None) -> int:
    """Stores what was decided; how many are news. A decision equal to the one under its key changes nothing.

    One that is being performed right now is performed again afterwards if its payload has changed meanwhile.
    told_at: when the oldest message behind them arrived, to measure how late Odoo shows it; None if nobody waits. One
    that somebody waits for already stays waited for, and since then, if a replay or a later message decides it anew.
    """
    unique = {e.key: e for e in effects}
    if not unique:
        return 0
    rows = as_rows(_row(unique[key]) for key in sorted(unique))
    return len(connection.execute(_SAVE, {"rows": rows, "told_at": told_at}).all())


def _row(effect: Effect) -> dict[str, Any]:
    return {
        "key": effect.key,
        "kind": effect.kind.value,
        "subject": effect.subject,
        "payload": effect.payload,
        "departs_every": DEPARTS_EVERY.get(effect.kind, timedelta(0)).total_seconds(),
    }


_CLAIM = text("""
    update effects set state = 'claimed', due_at = now() + :lease, attempts = attempts + 1
    where key in (
        select key from effects where kind = :kind and state in ('due', 'claimed') and due_at <= now()
        order by told_at is null, due_at limit :count for update skip locked)
    returning key, subject, payload, version, attempts, sent, told_at, now() as claimed_at
""")


def claim_effects(connection: Connection, kind: Kind, count: int) -> list[Claimed]:
    """Up to `count` due effects of that kind, ours until the lease ends; those whose lease has ended count as due.

    What a webhook brought about, which somebody waits for, goes before what a replay did.
    """
    values = {"kind": kind.value, "count": count, "lease": LEASE}
    return [Claimed(**row._mapping) for row in connection.execute(_CLAIM, values)]


_RECORD = text("""
    update effects set
        state = case when effects.version > t.version then 'due' else t.state end,
        due_at = case when effects.version > t.version then now() else now() + t.due_in end,
        attempts = case when t.state = 'done' then 0 else effects.attempts end,
        sent = effects.sent or t.sent, reason = t.reason,
        again_at = case when effects.version = t.version and t.state = 'done' then t.again_at end,
        done_at = case when t.state = 'done' then now() else effects.done_at end
    from unnest(
        cast(:key as text[]), cast(:version as int[]), cast(:state as text[]), cast(:due_in as interval[]),
        cast(:reason as text[]), cast(:sent as bool[]), cast(:again_at as timestamptz[]))
        as t (key, version, state, due_in, reason, sent, again_at)
    where effects.key = t.key and effects.state = 'claimed'
""")


def record_effects(connection: Connection, outcomes: Sequence[Recorded]) -> None:
    """Writes down what became of claimed effects. One decided anew meanwhile is due again."""
    waiting = [o.wakes for o in outcomes if o.wakes]
    _lock(connection, [o.claimed.key for o in outcomes] + waiting)
    if outcomes:
        values: Mapping[str, Any] = {
            "key": [o.claimed.key for o in outcomes],
            "version": [o.claimed.version for o in outcomes],
            "state": [o.state for o in outcomes],
            "due_in": [o.due_in for o in outcomes],
            "reason": [o.reason for o in outcomes],
            "sent": [o.sent for o in outcomes],
            "again_at": [o.again_at for o in outcomes],
        }
        connection.execute(_RECORD, values)
    if waiting:
        query = f"{_WAKE} where key = any(:keys) and again_at is not null and state = 'done'"
        connection.execute(text(query), {"keys": waiting})


_WAKE = "update effects set state = 'due', due_at = now(), told_at = null, again_at = null"


def release_effects(connection: Connection, claimed: Sequence[Claimed]) -> None:
    """Gives back what could not be tried (Odoo was away): due at once, the attempt not counted."""
    _lock(connection, [c.key for c in claimed])
    if claimed:
        connection.execute(
            text("""
                update effects set state = 'due', due_at = now(), attempts = greatest(attempts - 1, 0)
                where key = any(:keys) and state = 'claimed'
            """),
            {"keys": [c.key for c in claimed]},
        )


def _lock(connection: Connection, keys: Sequence[str]) -> None:
    """In the order in which `save_effects` takes them, so that the two wait for each other and never deadlock."""
    query = text("select 1 from effects where key = any(:keys) order by key for update")
    connection.execute(query, {"keys": list(keys)})


def reclaim_effects(connection: Connection) -> int:
    """Makes due what a writer that is gone had claimed; for the one who writes alone now. How many.

    Claims whose lease has ended count as due anyway, so what waits to be done is not looked through.
    """
    query = """
        update effects set state = 'due', due_at = now()
        where kind = any(:kinds) and state in ('due', 'claimed') and due_at > now() and state = 'claimed'
    """
    return connection.execute(text(query), {"kinds": [kind.value for kind in Kind]}).rowcount


def wake_effects(connection: Connection) -> int:
    """Makes due what is done and has come to the time at which the clock makes more of it to do; how many."""
    return connection.execute(text(f"{_WAKE} where again_at <= now() and state = 'done'")).rowcount


def find_open_tasks(connection: Connection, subjects: Collection[int]) -> list[Effect]:
    """The tasks about those deliveries that are to be open, as they were decided last."""
    query = text("""
        select key, subject, payload from effects
        where kind = 'activity' and subject = any(:subjects) and payload -> 'open' = 'true'
    """)
    rows = connection.execute(query, {"subjects": sorted(subjects)})
    return [Effect(row.key, Kind.ACTIVITY, row.subject, row.payload) for row in rows]


def has_due(connection: Connection) -> bool:
    """Whether an effect is due now. In the order of an index, which PostgreSQL then uses however many are due."""
    query = """
        select 1 from effects where state in ('due', 'claimed') and due_at <= now()
        order by kind, told_at is null, due_at limit 1
    """
    return connection.execute(text(query)).first() is not None


_RETRY = text("""
    with parked as (select key from effects where state = 'parked' and key > :after order by key limit :count)
    update effects set state = 'due', due_at = now(), attempts = 0 from parked where effects.key = parked.key
    returning effects.key
""")


def retry_parked(connection: Connection, after: str = "") -> tuple[int, str | None]:
    """Makes parked effects due again, so many at a time; how many, and the key to go on after, None at the end."""
    keys = connection.scalars(_RETRY, {"after": after, "count": RETRIED_AT_ONCE}).all()
    return len(keys), max(keys, default=None)


def repeat_effects(connection: Connection, keys: Collection[str], *, as_new: bool = False) -> int:
    """Makes effects due again although their payload is the same; how many. One under way is done again afterwards.

    Nobody waits for it, so what a webhook brought about goes first. as_new: Odoo does not have it after all.
    """
    _lock(connection, sorted(keys))
    query = text("""
        update effects set version = version + 1, attempts = 0, reason = null, sent = sent and not :as_new,
            told_at = case when state in ('due', 'claimed') then told_at end,
            due_at = case when state = 'claimed' then due_at else now() end,
            state = case when state = 'claimed' then 'claimed' else 'due' end
        where key = any(:keys)
    """)
    return connection.execute(query, {"keys": sorted(keys), "as_new": as_new}).rowcount if keys else 0


def delay_after(attempts: int) -> timedelta:
    """How long to wait before the next attempt: doubling from 2 s to LONGEST_DELAY, with jitter of half."""
    return backoff(attempts, FIRST_DELAY, LONGEST_DELAY, jitter=0.5)
