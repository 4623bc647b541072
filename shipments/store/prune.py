"""Retention: what has been kept long enough is deleted, oldest first, in small batches.

The ids of messages (UUIDv7) and of parcels (a sequence) rise with time. So a walk along the primary key begins at the
oldest row and ends where the young ones begin: it needs no index of its own, and what is young is not read.
Where a walk stands is a mark; once a day it begins anew, for what it had to leave behind.

Parcels go with their events and effects, and all parcels of an order together: an order that has lost a part of its
past would be rolled up wrongly. Its deliveries are closed: nothing told later is taken for news about them.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from shipments.clock import first_id
from shipments.store.deliveries import lock_shipments
from shipments.store.events import lock_parcels_with
from shipments.store.marks import drop_mark, find_mark, save_mark
from shipments.store.transaction import transact

MESSAGES_A_BATCH = 2000
PARCELS_A_BATCH = 500
"""With some 3,000 events and as many effects."""

WALK_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days what is kept; 0 is for ever.

    messages: since they arrived. parked_messages: likewise, while they are parked; never less than the others.
    parcels: since anything was last heard of them, ended or not; with their events and effects.
    """

    messages: int
    parked_messages: int
    parcels: int


class Step(NamedTuple):
    """One batch of a walk: the id it came to, whether nothing after it is old enough, the rows deleted by table."""

    after: str | int
    ended: bool
    gone: Mapping[str, int]


class Pruned(NamedTuple):
    """The rows deleted by table, and whether all that is old enough was looked at."""

    gone: Counter[str]
    ended: bool


Work = Callable[[Connection], Step]


def prune(engine: Engine, retention: Retention, seconds: float) -> Pruned:
    """Deletes batch by batch, each in a transaction of its own, for about so long. For one process at a time."""
    return _prune(retention, seconds, partial(transact, engine))


def count_prunable(engine: Engine, retention: Retention, seconds: float) -> Pruned:
    """What `prune` would delete: deletes it from the oldest on, in one transaction, and takes all of that back."""
    with engine.connect() as connection:
        for name in ("prune_messages", "prune_parcels"):
            drop_mark(connection, name)
        return _prune(retention, seconds, lambda work: work(connection))


def _prune(retention: Retention, seconds: float, run: Callable[[Work], Step]) -> Pruned:
    """A batch of each walk in turn, so that neither waits until the other is through."""
    walks: list[Work] = []
    if retention.messages:
        walks.append(partial(_prune_messages, retention=retention))
    if retention.parcels:
        walks.append(partial(_prune_parcels, retention=retention))
    gone: Counter[str] = Counter()
    ends_at = time.monotonic() + seconds
    while walks and time.monotonic() < ends_at:
        for walk in tuple(walks):
            step = run(walk)
            gone.update(step.gone)
            if step.ended:
                walks.remove(walk)
    return Pruned(gone, not walks)


def _prune_messages(connection: Connection, retention: Retention) -> Step:
    return _advance(connection, "prune_messages", str(UUID(int=0)), partial(_drop_messages, retention=retention))


def _prune_parcels(connection: Connection, retention: Retention) -> Step:
    return _advance(connection, "prune_parcels", 0, partial(_drop_parcels, retention=retention))


def _advance(
    connection: Connection, name: str, start: str | int, drop: Callable[[Connection, Any, datetime], Step]
) -> Step:
    """One batch from where the mark of that name stands. Ages are by the database's clock."""
    now: datetime = connection.execute(text("select now()")).scalar_one()
    mark = find_mark(connection, name) or {"after": start, "began_at": now.isoformat()}
    step = drop(connection, mark["after"], now)
    if step.ended and now - datetime.fromisoformat(mark["began_at"]) >= WALK_AGAIN_AFTER:
        drop_mark(connection, name)
    else:
        save_mark(connection, name, mark | {"after": step.after})
    return step


_WALK_MESSAGES = text("select id from messages where id > :after and id < :before order by id limit :count")

_DROP_MESSAGES = text("""
    delete from messages m
    where m.id > :after and m.id <= :last and (m.state = 'done' or (m.state = 'parked' and m.id < :parked_before))
        and m.id <> all(:held) and not exists (
            select 1 from holds h where h.carrier = m.carrier
                and m.received_at >= coalesce(h.since, '-infinity') and m.received_at < coalesce(h.until, 'infinity'))
""")


def _drop_messages(connection: Connection, after: str, now: datetime, retention: Retention) -> Step:
    """What is received and waits to be ingested is never old enough; what is parked has a time of its own."""
    before = first_id(now - timedelta(days=retention.messages))
    parked = first_id(now - timedelta(days=retention.parked_messages)) if retention.parked_messages else UUID(int=0)
    values = {"after": UUID(after), "before": before, "parked_before": parked, "count": MESSAGES_A_BATCH}
    walked = connection.execute(_WALK_MESSAGES, values).scalars().all()
    if not walked:
        return Step(after, True, {})
    values |= {"last": walked[-1], "held": _held_messages(connection)}
    gone = connection.execute(_DROP_MESSAGES, values).rowcount
    return Step(str(walked[-1]), len(walked) < MESSAGES_A_BATCH, {"messages": gone})


def _held_messages(connection: Connection) -> list[UUID]:
    """The messages that told first of the events of held tracking numbers."""
    query = text("""
        select distinct e.message_id from holds h join parcels p on p.number = h.number
        join events e on e.parcel_id = p.id
    """)
    return [row.message_id for row in connection.execute(query)]


_WALK_PARCELS = text("""
    select p.id, p.number, (select min(e.received_at) from events e where e.parcel_id = p.id) as first_at
    from parcels p where p.id > :after order by p.id limit :count
""")


def _drop_parcels(connection: Connection, after: int, now: datetime, retention: Retention) -> Step:
    before = now - timedelta(days=retention.parcels)
    rows = connection.execute(_WALK_PARCELS, {"after": after, "count": PARCELS_A_BATCH}).all()
    old = [row for row in rows if row.first_at is None or row.first_at < before]
    if not old:  # all of a batch, and not the first that is young: a host's clock may have been a year ahead
        return Step(after, True, {})
    family = _lock_family(connection, {row.number for row in old})
    gone = _drop_family(connection, family.without(_in_use(connection, family, before)))
    return Step(rows[-1].id, len(rows) < PARCELS_A_BATCH, gone)


Node = tuple[str, int | str]
Link = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class Family:
    """Parcels by number, and what goes or stays together: a delivery and its order, a delivery and each number on it.

    A node is ("number", as compared), ("delivery", id) or ("order", id).
    """

    parcels: Mapping[str, Collection[int]]
    links: frozenset[Link]

    def ids(self, kind: str) -> list[int]:
        """The ids of all "delivery" or "order" nodes."""
        return sorted({int(id_) for link in self.links for name, id_ in link if name == kind})

    def parcel_ids(self) -> list[int]:
        """All parcels."""
        return sorted(id_ for ids in self.parcels.values() for id_ in ids)

    def without(self, staying: Iterable[Node]) -> "Family":
        """What is left when these stay, and with them everything they are linked to, over however many links."""
        neighbors: dict[Node, set[Node]] = {}
        for one, other in self.links:
            neighbors.setdefault(one, set()).add(other)
            neighbors.setdefault(other, set()).add(one)
        stays: set[Node] = set()
        fringe = set(staying)
        while fringe:
            stays |= fringe
            fringe = {near for node in fringe for near in neighbors.get(node, ())} - stays
        parcels = {number: ids for number, ids in self.parcels.items() if ("number", number) not in stays}
        return Family(parcels, frozenset(link for link in self.links if link[0] not in stays))


def _lock_family(connection: Connection, numbers: Collection[str]) -> Family:
    """All that goes or stays with those numbers, locked: parcels before deliveries, as everywhere."""
    links: frozenset[Link] = frozenset()
    while (found := _find_links(connection, numbers)) != links:
        links = found
        numbers = {str(id_) for link in links for name, id_ in link if name == "number"} | set(numbers)
        lock_parcels_with(connection, sorted(numbers))
        lock_shipments(connection, Family({}, links).ids("delivery"))
    parcels: dict[str, list[int]] = {}
    query = text("select id, number from parcels where number = any(:numbers) order by id for update")
    for row in connection.execute(query, {"numbers": sorted(numbers)}):
        parcels.setdefault(row.number, []).append(row.id)
    return Family(parcels, links)


# A number no carrier has told of binds nothing: people type "TBA" into a hundred deliveries.
_LINKS = text("""
    select s.id, s.order_id, n.number from shipments s
    left join numbers n on n.shipment_id = s.id and exists (select 1 from parcels p where p.number = n.number)
    where s.id in (
        select shipment_id from numbers where number = any(:numbers)
        union select sibling.id from numbers n join shipments s on s.id = n.shipment_id
            join shipments sibling on sibling.order_id = s.order_id where n.number = any(:numbers))
""")


def _find_links(connection: Connection, numbers: Collection[str]) -> frozenset[Link]:
    """The links of the deliveries that carry these numbers, those of the same orders, and so on."""
    known = set(numbers)
    while True:
        rows = connection.execute(_LINKS, {"numbers": sorted(known)}).all()
        found = known | {row.number for row in rows if row.number}
        if found == known:
            break
        known = found
    on_orders = {(("delivery", row.id), ("order", row.order_id)) for row in rows if row.order_id}
    return frozenset(on_orders | {(("delivery", row.id), ("number", row.number)) for row in rows if row.number})


# The key of a row of the timeline begins with its kind and the key of the event (shipments/rules/decide.py); ";"
# follows ":". Each event's effects are looked up in the index: of a range PostgreSQL expects a share of the table, and
# for many ranges it would read all of it. The limit, which no event reaches, tells it better.
_EFFECTS_OF_EVENTS = """
    events e cross join lateral (select 'timeline:' || replace(e.key::text, '-', '') as start) s
    cross join lateral (
        select key, state from effects where key >= s.start || ':' and key < s.start || ';' order by key limit 1000) f
"""

_IN_USE = text(f"""
    select p.number from parcels p where p.id = any(:ids) and (
        exists (select 1 from events e where e.parcel_id = p.id and e.received_at >= :before)
        or exists (select 1 from holds h where h.number = p.number)
        or exists (
            select 1 from holds h join events e on e.parcel_id = p.id
                and e.received_at >= coalesce(h.since, '-infinity') and e.received_at < coalesce(h.until, 'infinity')
            where h.carrier = p.carrier)
        or exists (select 1 from unsettled u where u.parcel_id = p.id)
        or exists (select 1 from {_EFFECTS_OF_EVENTS} where e.parcel_id = p.id and f.state <> 'done'))
""")  # noqa: S608, put together from the constant above

_OPEN_EFFECTS = text("select kind, subject from effects where key = any(:keys) and state <> 'done'")
_OPEN_TASKS = text("""
    select 'delivery' as kind, subject from effects
    where kind = 'activity' and subject = any(:ids) and state <> 'done'
""")

_NEW_DELIVERIES = text("select id from shipments where id = any(:ids) and registered_at >= :before")


def _in_use(connection: Connection, family: Family, before: datetime) -> set[Node]:
    """What has to stay: news since then or still to be settled, a legal hold, effects that are not done, deliveries
    made since then."""
    values = {"ids": family.parcel_ids(), "before": before}
    numbers = {("number", row.number) for row in connection.execute(_IN_USE, values)}
    effects = connection.execute(_OPEN_EFFECTS, {"keys": _keys(family)})
    tasks = connection.execute(_OPEN_TASKS, {"ids": family.ids("delivery")})
    deliveries = connection.execute(_NEW_DELIVERIES, {"ids": family.ids("delivery"), "before": before})
    nodes = {(row.kind, row.subject) for row in (*effects, *tasks)}
    return numbers | nodes | {("delivery", row.id) for row in deliveries}


def _keys(family: Family) -> list[str]:
    """The keys of the effects that say where deliveries and orders stand."""
    return [f"{kind}:{id_}" for kind in ("delivery", "order") for id_ in family.ids(kind)]


def _bookkeeping_keys(family: Family) -> list[str]:
    """The keys of the effects that finance and sales are told by. They hold nothing back."""
    of_orders = [f"{kind}:{id_}" for kind in ("order_billing", "invoice", "commitment") for id_ in family.ids("order")]
    return [*(f"billing:{id_}" for id_ in family.ids("delivery")), *of_orders]


_EVENT_EFFECTS = text(f"select f.key from {_EFFECTS_OF_EVENTS} where e.parcel_id = any(:ids)")  # noqa: S608, likewise

# Of each delivery, and of each parcel whose number is on none any more, by the stretches of its trouble.
_TASKS = text("""
    select key from effects where kind = 'activity' and subject = any(:deliveries)
    union select f.key from parcels p
    cross join lateral jsonb_path_query(p.state, '$.shown[*].problems[*].key') as k (problem)
    cross join lateral (select 'activity:' || (k.problem #>> '{}') as start) s
    cross join lateral (
        select key from effects where key >= s.start || ':' and key < s.start || ';' order by key limit 1000) f
    where p.id = any(:ids)
""")

# Found by the beginning of their keys, likewise.
_DOCUMENTS = text("""
    select f.key from unnest(cast(:ids as bigint[])) as d (id) cross join lateral (
        select key from effects where key >= 'document:' || d.id || ':' and key < 'document:' || d.id || ';'
        order by key limit 1000) f
""")

_CLOSE = text("""
    update shipments set state = null, closed_at = now()
    where id = any(:ids) and exists (select 1 from numbers where shipment_id = shipments.id)
""")


def _drop_family(connection: Connection, family: Family) -> dict[str, int]:
    ids, deliveries = {"ids": family.parcel_ids()}, {"ids": family.ids("delivery")}
    events, tasks = (
        connection.execute(_EVENT_EFFECTS, ids),
        connection.execute(_TASKS, ids | {"deliveries": deliveries["ids"]}),
    )
    documents = connection.execute(_DOCUMENTS, deliveries)
    keys = [*_keys(family), *_bookkeeping_keys(family), *(row.key for row in (*events, *tasks, *documents))]
    gone = {
        "effects": connection.execute(text("delete from effects where key = any(:keys)"), {"keys": keys}).rowcount,
        "events": connection.execute(text("delete from events where parcel_id = any(:ids)"), ids).rowcount,
        "parcels": connection.execute(text("delete from parcels where id = any(:ids)"), ids).rowcount,
    }
    connection.execute(_CLOSE, deliveries)
    connection.execute(text("delete from keeps where key = any(:keys)"), {"keys": _keys(family)})
    connection.execute(text("delete from numbers where shipment_id = any(:ids)"), deliveries)
    return gone
