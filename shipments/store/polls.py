"""What carriers are asked about, in the database: entered in batches, claimed with a lease, given back with a plan.

What is due is decided by the database's clock. Ingest writes nothing here: its parcels are found later, by their ids.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shipments.correlation import comparable
from shipments.milestone import DEFINITIONS, Milestone, Phase
from shipments.rules.polling import Known
from shipments.store.marks import find_mark, save_mark
from shipments.store.rows import as_rows

LEASE = timedelta(minutes=3)
"""A number that was claimed and not recorded within this time is another's. Longer than a run and its last answer."""

PAGE = 5_000
OVERLAP = timedelta(minutes=3)
"""Ids are given out before they can be seen, and no transaction of ours is open for longer than this."""

_ENDS = sorted(m.value for m in Milestone if DEFINITIONS[m].phase is Phase.END)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A number that is ours to ask about until the lease ends, and what is known of it."""

    carrier: str
    number: str
    tracking_number: str
    wanted: bool
    digest: str | None
    known: Known


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a claimed number. due_in None: it is not asked about again, for that reason.

    outcome: what came of the call; None if there was none, and then `digest` is left as it was. is_answered: whether
    the carrier said something about the number.
    """

    claimed: Claimed
    due_in: timedelta | None
    reason: str = ""
    outcome: str | None = None
    is_answered: bool = False
    digest: str | None = None


_ENTER_PARCELS = text("""
    insert into polls (carrier, number, tracking_number, since, due_at)
    select distinct on (p.carrier, p.number) p.carrier, p.number, p.tracking_number, now(), now()
    from parcels p
    where p.id > :after and p.id <= :upto and p.carrier = any(:carriers)
        and coalesce(p.state #>> '{journeys,-1,milestone}', :over) <> all(cast(:ends as text[]))
    on conflict do nothing
""")


def enter_parcels(connection: Connection, carriers: Collection[str]) -> int:
    """Enters parcels under way that were made since the last time; PAGE if there are more, else fewer.

    Walks up the ids and never past those of the last minutes for good, as their transactions may still be open.
    """
    name = f"polls_entered:{','.join(sorted(carriers))}"
    mark = find_mark(connection, name) or {"after": 0, "settled": 0, "newest": 0, "at": None}
    newest = connection.execute(text("select coalesce(max(id), 0) as id, now() as at from parcels")).one()
    if mark["at"] is None or newest.at - datetime.fromisoformat(mark["at"]) > OVERLAP:
        mark |= {"settled": mark["newest"], "newest": newest.id, "at": newest.at.isoformat()}
    after = int(mark["after"])
    upto = min(newest.id, after + PAGE)
    values = {"after": after, "upto": upto, "carriers": list(carriers), "ends": _ENDS, "over": _ENDS[0]}
    connection.execute(_ENTER_PARCELS, values)
    mark["after"] = max(after, min(upto, int(mark["settled"])))
    save_mark(connection, name, mark)
    return int(mark["after"]) - after


_OF_ODOO = """
    from shipments s
    join unnest(cast(:methods as text[]), cast(:carriers as text[])) as m (method, carrier)
        on lower(s.delivery_method) = m.method
    join numbers n on n.shipment_id = s.id and n.because is null
"""

_ENTER_NUMBERS = text(f"""
    insert into polls (carrier, number, tracking_number, since, due_at)
    select distinct m.carrier, n.number, n.number, now(), now() {_OF_ODOO}
    where s.delivery_method is not null and s.written_at > now() - :within
        and not exists (select 1 from parcels p where p.number = n.number and p.carrier = m.carrier)
    on conflict do nothing
""")  # noqa: S608, the text is ours

_REOPEN = text(f"""
    update polls q set due_at = now(), since = now(), stopped_at = null, reason = null {_OF_ODOO}
    where q.carrier = m.carrier and q.number = n.number and q.stopped_at < s.registered_at
        and s.delivery_method is not null and s.written_at > now() - :within
""")  # noqa: S608


def enter_numbers(connection: Connection, methods: Mapping[str, str], within: timedelta) -> int:
    """Enters numbers of Odoo's deliveries of which their carrier has told nothing; how many.

    methods: from the delivery method, in lower case, to its carrier. within: how long ago Odoo may have written the
    delivery. A number that had stopped is taken up again for a delivery that was made since.
    """
    if not methods:
        return 0
    values = {"methods": list(methods), "carriers": list(methods.values()), "within": within}
    entered = connection.execute(_ENTER_NUMBERS, values).rowcount
    return entered + connection.execute(_REOPEN, values).rowcount


def forget_stopped(connection: Connection, after: timedelta) -> int:
    """Deletes numbers that stopped longer ago than that, up to PAGE of them; how many."""
    query = text("""
        delete from polls where (carrier, number) in (
            select carrier, number from polls where stopped_at < now() - :after order by stopped_at limit :count)
    """)
    return connection.execute(query, {"after": after, "count": PAGE}).rowcount


def find_due(connection: Connection, carriers: Collection[str]) -> list[str]:
    """Those of the carriers that have numbers to be looked at now, by name."""
    query = text("""
        select c.carrier from unnest(cast(:carriers as text[])) as c (carrier)
        where exists (select 1 from polls where carrier = c.carrier and due_at <= now())
        order by c.carrier
    """)
    return [row.carrier for row in connection.execute(query, {"carriers": list(carriers)})]


_CLAIM = text("""
    update polls set due_at = now() + :lease
    where (carrier, number) in (
        select carrier, number from polls where carrier = :carrier and due_at <= now()
        order by due_at limit :count for update skip locked)
    returning carrier, number, tracking_number, wanted, digest, since, asked_at
""")

_KNOWN = text("""
    select p.number, p.state #> '{journeys,-1}' as journey, news.received_at as news_at, news.lane = 'live' as pushed
    from parcels p
    left join lateral (
        select e.received_at, m.lane from events e left join messages m on m.id = e.message_id
        where e.parcel_id = p.id order by e.received_at desc, e.key limit 1) news on true
    where p.carrier = :carrier and p.number = any(:numbers)
""")


def claim_polls(connection: Connection, carrier: str, count: int) -> list[Claimed]:
    """Up to `count` numbers that are to be looked at, ours until the lease ends; the longest waiting first."""
    rows = connection.execute(_CLAIM, {"carrier": carrier, "count": count, "lease": LEASE}).all()
    known = _find_known(connection, carrier, [row.number for row in rows])
    return [_claimed(row, known.get(row.number)) for row in rows]


def _claimed(row: Any, known: Known | None) -> Claimed:
    since = Known(row.since, row.asked_at)
    told = replace(known, since=row.since, asked_at=row.asked_at) if known else since
    return Claimed(row.carrier, row.number, row.tracking_number, row.wanted, row.digest, told)


def _find_known(connection: Connection, carrier: str, numbers: Sequence[str]) -> dict[str, Known]:
    """Where the newest journey of each number stands; numbers are used again, and may have several parcels."""
    found: dict[str, Known] = {}
    for row in connection.execute(_KNOWN, {"carrier": carrier, "numbers": list(numbers)}):
        if row.journey:
            told = _known(row)
            if row.number not in found or _last_at(told) > _last_at(found[row.number]):
                found[row.number] = told
    return found


def _known(row: Any) -> Known:
    started_at, last_at = (datetime.fromisoformat(row.journey[name]) for name in ("started_at", "last_at"))
    milestone = Milestone(row.journey["milestone"])
    return Known(started_at, None, milestone, started_at, last_at, row.news_at, bool(row.pushed))


def _last_at(known: Known) -> datetime:
    assert known.last_at is not None  # noqa: S101, made by _known
    return known.last_at


def find_new_keys(connection: Connection, keys: Collection[UUID]) -> set[UUID]:
    """Those of the events' keys that the store does not have."""
    query = text("select key from events where key = any(:keys)")
    return set(keys) - {row.key for row in connection.execute(query, {"keys": list(keys)})}


_RECORD = text("""
    update polls set
        due_at = case when t.reason is null then now() + make_interval(secs => t.due_in) end,
        reason = t.reason, stopped_at = case when t.reason is not null then now() end,
        asked_at = case when t.is_answered then now() else polls.asked_at end,
        calls = polls.calls + case when t.outcome is null then 0 else 1 end,
        outcome = coalesce(t.outcome, polls.outcome),
        digest = case when t.outcome is null then polls.digest else t.digest end,
        wanted = polls.wanted and not t.is_answered
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (
        carrier text, number text, due_in double precision, reason text, outcome text, is_answered bool, digest text)
    where polls.carrier = t.carrier and polls.number = t.number
    returning polls.calls, polls.stopped_at is not null as stopped
""")


def record_polls(connection: Connection, decided: Sequence[Decided]) -> list[int]:
    """Writes down what became of claimed numbers. The calls that each number took of which asking has ended now."""
    if not decided:
        return []
    rows = [_row(d) for d in sorted(decided, key=lambda d: d.claimed.number)]
    return [row.calls for row in connection.execute(_RECORD, {"rows": as_rows(rows)}) if row.stopped]


def _row(decided: Decided) -> dict[str, Any]:
    stops = decided.due_in is None
    return {
        "carrier": decided.claimed.carrier,
        "number": decided.claimed.number,
        "due_in": None if decided.due_in is None else max(0.0, decided.due_in.total_seconds()),
        "reason": (decided.reason or "stopped") if stops else None,
        "outcome": decided.outcome,
        "is_answered": decided.is_answered,
        "digest": decided.digest,
    }


def want(connection: Connection, carrier: str, numbers: Collection[str]) -> int:
    """A person wants these numbers asked about, before all others and whatever is known of them; how many."""
    query = text("""
        insert into polls (carrier, number, tracking_number, since, due_at, wanted)
        select :carrier, number, tracking_number, now(), 'epoch', true
        from unnest(cast(:number as text[]), cast(:tracking_number as text[])) as t (number, tracking_number)
        on conflict (carrier, number) do update
            set due_at = 'epoch', wanted = true, stopped_at = null, reason = null
    """)
    unique = {comparable(n): n.strip() for n in numbers if comparable(n)}
    values = {"carrier": carrier, "number": list(unique), "tracking_number": list(unique.values())}
    return connection.execute(query, values).rowcount


def want_all(connection: Connection, carrier: str) -> int:
    """A person wants everything of that carrier asked about now that is asked about at all; how many numbers."""
    query = text("update polls set due_at = now(), wanted = true where carrier = :carrier and due_at is not null")
    return connection.execute(query, {"carrier": carrier}).rowcount


@dataclass(frozen=True, slots=True)
class Count:
    """The numbers of a carrier: those still asked about, those of them that are due, those that have stopped."""

    waiting: int
    due: int
    stopped: int
    calls: int


def count_polls(connection: Connection) -> dict[str, Count]:
    """By carrier."""
    query = text("""
        select carrier, count(due_at) as waiting, count(*) filter (where due_at <= now()) as due,
            count(stopped_at) as stopped, coalesce(sum(calls), 0) as calls
        from polls group by carrier
    """)
    return {r.carrier: Count(r.waiting, r.due, r.stopped, int(r.calls)) for r in connection.execute(query)}


def find_poll(connection: Connection, carrier: str, number: str) -> Mapping[str, Any] | None:
    """What is written of that number, or None."""
    query = text("""
        select due_at, asked_at, calls, outcome, reason, wanted from polls where carrier = :carrier and number = :number
    """)
    row = connection.execute(query, {"carrier": carrier, "number": comparable(number)}).first()
    return dict(row._mapping) if row else None
