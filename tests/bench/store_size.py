"""What an event costs in a store that holds millions of them, against an empty one: the same batches into both."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median

import psycopg
from sqlalchemy import Engine

from carriers.base import Message
from carriers.registry import find_carrier
from shipments.clock import new_id, now
from shipments.rules.policy import Policy, load_policy
from shipments.store.database import make_engine
from shipments.store.events import Told
from shipments.store.intake import Intaken
from shipments.store.messages import MessageState, Verdict
from shipments.store.migrate import migrate
from tests.bench.databases import replace_database
from tests.bench.figures import Figure, Report, progress
from tests.bench.posts import CARRIER, bodies, made_up_numbers
from tests.bench.size import Size
from tests.bench.through import register
from workers.ingest import ingest_batch
from workers.resources import SHIPPED_POLICY
from workers.understand import Understood

BATCH = 200
WARM_UP = 3

PATTERN = 500
"""So many parcels are told of in earnest; the others are made from their rows."""

# Rows that ingest made are copied under new numbers, so that they have the size and shape ingest gives them today.
# Keys are random, as real ones are: the indexes are as deep and as scattered as they get.
COPIES = """
    create temporary table copies as
        select p.id as old, p.id + g * (select max(id) from parcels) as new, p.number || 'X' || g as number
        from parcels p, generate_series(1, :times) g;
    insert into parcels (id, carrier, tracking_number, journey, number, state) overriding system value
        select c.new, p.carrier, c.number, p.journey, c.number, p.state from copies c join parcels p on p.id = c.old;
    insert into events (key, parcel_id, message_id, received_at, instant, milestone, event)
        select gen_random_uuid(), c.new, e.message_id, e.received_at, e.instant, e.milestone, e.event
        from copies c join events e on e.parcel_id = c.old;
    insert into shipments (id, name, order_id, order_name, company_id, registered_at, written_at, state)
        select c.new + 10000000, s.name, c.new + 10000000, s.order_name, 1, s.registered_at, s.written_at, s.state
        from copies c join parcels p on p.id = c.old join numbers n on n.number = p.number
        join shipments s on s.id = n.shipment_id;
    insert into numbers (shipment_id, number) select new + 10000000, number from copies;
    insert into effects (key, kind, subject, payload, state, due_at, sent, decided_at, told_at, done_at)
        select f.key || 'X' || g, f.kind, f.subject, f.payload, 'done', f.due_at, true, f.decided_at, f.told_at, now()
        from effects f, generate_series(1, :times) g;
    select setval(pg_get_serial_sequence('parcels', 'id'), (select max(id) from parcels));
    update effects set state = 'done' where state <> 'done';
"""


def cost_per_event(report: Report, size: Size, server_url: str) -> None:
    """The ratio, from batches that go into the two stores in turn."""
    with logging_off(), _store(server_url, "full") as full, _store(server_url, "empty") as empty:
        policy = load_policy(SHIPPED_POLICY)
        _fill(full, policy, size.stored_events)
        numbers = made_up_numbers(size.batches * BATCH // 6 + 1, "COST")
        for engine in (full, empty):
            register(engine.url.render_as_string(hide_password=False), numbers, first_id=5_000_000)
        times = _alternate(full, empty, list(_batches(bodies(numbers))), policy)
    cost = {engine: median(spent) / BATCH * 1e6 for engine, spent in times.items()}
    report.add(Figure("cost of an event in an empty store", cost[empty], unit="us"))
    report.add(Figure(f"cost of an event beside {size.stored_events:,} others", cost[full], unit="us"))
    ratio = median(a / b for a, b in zip(times[full], times[empty], strict=True))
    report.add(Figure("cost of an event, full store against empty", ratio, 1.2, "x"))


def _alternate(
    full: Engine, empty: Engine, batches: Sequence[list[Understood]], policy: Policy
) -> dict[Engine, list[float]]:
    """Seconds for each batch in each store. Who goes first changes, and the first few are left out."""
    times: dict[Engine, list[float]] = {full: [], empty: []}
    for place, batch in enumerate(batches):
        for engine in (full, empty) if place % 2 else (empty, full):
            times[engine].append(_seconds(partial(ingest_batch, engine, batch, policy)))
    return {engine: spent[WARM_UP:] for engine, spent in times.items()}


def _fill(engine: Engine, policy: Policy, events: int) -> None:
    url = engine.url.render_as_string(hide_password=False)
    numbers = made_up_numbers(PATTERN, "PATTERN")
    register(url, numbers, first_id=1)
    for batch in _batches(bodies(numbers)):
        ingest_batch(engine, batch, policy)
    times = events // (PATTERN * 6)
    began = time.monotonic()
    copies = COPIES.replace(":times", str(times))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(copies.encode())
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    progress(f"the full store took {time.monotonic() - began:.0f} s to make")


def _batches(made: Sequence[bytes]) -> Iterator[list[Understood]]:
    for start in range(0, len(made), BATCH):
        yield [_understood(body) for body in made[start : start + BATCH]]


def _understood(body: bytes) -> Understood:
    carrier = find_carrier(CARRIER)
    assert carrier is not None
    events = carrier.parse(Message(body)).events
    message = Intaken(new_id(), CARRIER, "", "live", now(), "0" * 32, body)
    told = tuple(Told(event, message.id, message.received_at) for event in events)
    return Understood(Verdict(message, MessageState.DONE, None, len(told)), told)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _store(server_url: str, name: str) -> Iterator[Engine]:
    url = f"{server_url.rsplit('/', 1)[0]}/bench_{name}"
    replace_database(url)
    migrate(url)
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def logging_off() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
