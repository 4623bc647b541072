"""The plan of each hot statement in a store that is full: none reads a large table from end to end.

Every statement that the real code sends is explained, with its own parameters, just before it runs.
"""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, event, text

from app.commands import parked
from app.commands.guesses import GUESSED
from app.health import Health
from config.queues import LIVE
from config.settings import load_settings
from shipments.clock import now
from shipments.delivery import Delivery
from shipments.effects import Kind
from shipments.event import Reference
from shipments.keep import Keep, Why
from shipments.store import messages
from shipments.store.choices import Choice, add_choice
from shipments.store.database import make_engine
from shipments.store.deliveries import (
    OtherNumber,
    add_other_numbers,
    claim_strangers,
    count_unmatched,
    find_strangers_with_references,
    note_candidates,
)
from shipments.store.drift import (
    close_deleted,
    find_known,
    find_rows_and_tasks,
    find_states,
    find_unseen,
    forget_numbers,
)
from shipments.store.effects import (
    Recorded,
    claim_effects,
    has_due,
    reclaim_effects,
    record_effects,
    release_effects,
    repeat_effects,
    retry_parked,
)
from shipments.store.holds import Hold, add_hold
from shipments.store.keeps import find_keeps, note_keeps
from shipments.store.links import Link, find_links, get_delivery, save_link
from shipments.store.messages import MessageState, Wanted, find_received, replay_messages
from shipments.store.migrate import migrate
from shipments.store.prune import Retention, count_prunable, prune
from shipments.store.schema import metadata
from tests.bench.databases import replace_database
from tests.bench.store_size import COPIES
from tests.shipments.telling import START, told
from tests.workers.conftest import POLICY, understood
from workers.correlate import STRANGERS_A_CALL, Correlated, link_strangers, store_deliveries
from workers.ingest import ingest_batch, settle_put_off
from workers.odoo.reconcile import give_way

LARGE = {"messages", "events", "parcels", "shipments", "numbers", "effects"}
PATTERN = 100
TIMES = 200

# Beside the copies of parcels with all that belongs to them: as many messages, a few of everything that waits, and
# parcels nothing was heard of for a long time.
MORE = f"""
    insert into messages (id, carrier, account, lane, received_at, trace, sealed, state, events)
        select cast(lpad(to_hex(cast(extract(epoch from at) * 1000 as bigint)), 12, '0') || '7'
                || substr(md5(g::text), 1, 3) || '8' || substr(md5(g::text), 4, 15) as uuid),
            'testing', '', 'live', at, md5(g::text), decode(md5(g::text), 'hex'),
            case when g % 5000 = 0 then 'parked' when g % 5000 = 1 then 'received' else 'done' end, 1
        from (select g, now() - g * interval '1 minute' as at from generate_series(1, {PATTERN * TIMES * 3}) g) g;
    update parcels set unmatched_since = now(), look_up_at = now() where id % 200 = 0;
    delete from numbers where number in (select number from parcels where id % 200 = 0 and id % 400 > 0);
    insert into effects (key, kind, subject, payload, due_at, decided_at)
        select other || ':' || key, other, subject, payload, due_at, decided_at
        from effects, unnest(array['document', 'invoice', 'commitment']) other
        where kind = 'delivery' and subject % 100 = 0;
    update effects set state = 'due' where subject % 100 = 0;
    update effects set state = 'parked' where subject % 500 = 1;
    update events set received_at = received_at - interval '500 days' where parcel_id < {PATTERN};
    update shipments set registered_at = registered_at - interval '500 days';
    analyze;
"""


@pytest.fixture(scope="module")
def full(database_url: str) -> Iterator[Engine]:
    """A store with 20,000 parcels and 60,000 events, in a database of its own."""
    url = f"{database_url.rsplit('/', 1)[0]}/plans"
    replace_database(url)
    migrate(url)
    engine = make_engine(url)
    numbers = [f"T{place}" for place in range(PATTERN)]
    store_deliveries(engine, [delivery(place, number) for place, number in enumerate(numbers, 1)], POLICY, Correlated())
    ingest_batch(engine, [understood(*way(number)) for number in numbers], POLICY)
    with psycopg.connect(url, autocommit=True) as connection:
        copies = COPIES.replace("f.key || 'X' || g", "f.kind || ':' || md5(f.key || 'X' || g)")
        copies = copies.replace("f.kind, f.subject,", "f.kind, f.subject + g * 100000,")
        connection.execute((copies.replace(":times", str(TIMES)) + MORE).encode())
    yield engine
    engine.dispose()


def way(number: str) -> list[Any]:
    return [
        told("picked_up", 1, tracking_number=number),
        told("exception", 2, "damaged", tracking_number=number),
        told("delivered", 3, tracking_number=number),
    ]


def delivery(id_: int, *numbers: str) -> Delivery:
    return Delivery(id_, f"WH/OUT/{id_}", numbers, id_, f"S{id_}", 1, START, now(), None)


@contextmanager
def explained(engine: Engine) -> Iterator[list[str]]:
    """What reads a large table from end to end, each with its statement, is in the list when the block has ended."""
    found: list[str] = []
    seen: list[str] = []
    with engine.connect() as connection:
        rows = connection.execute(
            text("select indexname, tablename from pg_indexes where indexdef not like '% WHERE %'")
        )
        whole = {row.indexname for row in rows if row.tablename in LARGE}

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().split(None, 1)[0].lower() not in ("select", "insert", "update", "delete", "with"):
            return
        seen.append(statement)
        with cursor.connection.cursor() as beside:
            beside.execute("explain (format json) " + statement, parameters)
            (plan,) = beside.fetchone()
        if read := {what for node in _nodes(plan[0]["Plan"]) if (what := _read_whole(node, whole))}:
            found.append(f"all of {', '.join(sorted(read))} is read by {statement}\n{json.dumps(plan)}")

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    assert seen


def _read_whole(node: dict[str, Any], indexes: Collection[str]) -> str | None:
    """The table or index, if it is read from end to end. An index of a few rows only (`where ...`) may be."""
    if node["Node Type"] == "Seq Scan":
        return node["Relation Name"] if node["Relation Name"] in LARGE else None
    return node["Index Name"] if node.get("Index Name") in indexes and "Index Cond" not in node else None


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def beside(engine: Engine, statements: str) -> None:
    """What the test does to the store itself; it is not explained."""
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute(statements.encode())


def ingest_known_and_new(engine: Engine) -> None:
    known = [[told("in_transit", 5, tracking_number=f"T{place}X7")] for place in range(100)]
    new = [way(f"N{place}") for place in range(100)]
    assert ingest_batch(engine, [understood(*events) for events in known + new], POLICY).effects
    assert ingest_batch(engine, [understood(*events) for events in known], POLICY).repeats == 100


def ingest_before_the_tables_were_analyzed(engine: Engine) -> None:
    """Without statistics PostgreSQL expects hundreds of rows for each value, and would rather read all of a table."""
    known = [told("in_transit", 7, tracking_number=f"T{n}X{copy}") for copy in range(11, 16) for n in range(PATTERN)]
    beside(engine, "delete from pg_statistic where starelid in ('numbers'::regclass, 'shipments'::regclass)")
    try:
        assert ingest_batch(engine, [understood(event) for event in known], POLICY).effects
    finally:
        beside(engine, "analyze")


def settle_what_was_put_off(engine: Engine) -> None:
    news = [told("in_transit", 6, tracking_number=f"T{place}X7") for place in range(100)]
    ingest_batch(
        engine,
        [understood(event) for event in news],
        replace(POLICY, companies={"TESTING": 1}),
        LIVE,
    )
    assert settle_put_off(engine, LIVE, POLICY, timedelta(0)).effects


def take_over_deliveries(engine: Engine) -> None:
    store_deliveries(engine, [delivery(id_, f"N{id_}", f"T{id_}X9") for id_ in range(50)], POLICY, Correlated())


def take_over_returns(engine: Engine) -> None:
    """Returns of deliveries that have numbers, and steps with the same numbers; once, and again with another stage."""
    for stage in ("assigned", "done"):
        back = [replace(delivery(9000000 + n), operation="incoming", return_of=n, stage=stage) for n in range(1, 50)]
        step = [replace(delivery(9100000 + n, f"T{n}"), operation="internal", stage=stage) for n in range(1, 50)]
        store_deliveries(engine, [*back, *step], POLICY, Correlated())


def link_by_hand(engine: Engine) -> None:
    ingest_batch(engine, [understood(told("in_transit", 1, tracking_number="L1000"))], POLICY)
    with engine.begin() as connection:
        id_ = get_delivery(connection, "7")
        assert save_link(connection, Link("L1000", id_, "read on the label", "Kari"), POLICY).parcels
        save_link(connection, Link("L1000", None, "a mistake", "Kari"), POLICY)
        assert find_links(connection, "L1000")


def find_strangers(engine: Engine) -> None:
    tally = Correlated()
    link_strangers(engine, POLICY, tally)
    assert tally.settled
    with engine.begin() as connection:
        assert claim_strangers(connection, STRANGERS_A_CALL)
        assert count_unmatched(connection)


def find_by_references(engine: Engine) -> None:
    """Strangers with references; a number that is another's; one whose carrier was guessed, and who says otherwise."""
    order, partner = Reference("order", "S0012"), Reference("partner_number", "T3X7")
    replaced, guessed = Reference("new_tracking_number", "R7777"), Reference("carrier_guess", "ups")
    strangers = [told("in_transit", 1, tracking_number=f"R{place}", references=(order, partner)) for place in range(90)]
    news = told("in_transit", 9, tracking_number="T5X9", references=(replaced, guessed))
    with engine.begin() as connection:
        assert add_choice(connection, Choice("T5X9", "usps", "read on the label", "Kari"))
    ingest_batch(engine, [understood(event) for event in (*strangers, news)], POLICY)
    with engine.begin() as connection:
        found = find_strangers_with_references(connection, [event.tracking_number for event in strangers])
        assert len(found) == 90
        note_candidates(connection, {stranger.id: "S0012 fits two" for stranger in found})
        assert add_other_numbers(connection, [OtherNumber(5, found[0].number, "order S0012", None)]) == {5}
    with engine.connect() as connection:
        values = {"guess": "carrier_guess", "number": "T5X9", "count": 50, "sources": ["testing"]}
        assert connection.execute(GUESSED, values).all()


def perform_effects(engine: Engine) -> None:
    beside(engine, "update effects set due_at = now() where state = 'due'")
    with engine.begin() as connection:
        assert has_due(connection)
        for kind in Kind:
            claimed = claim_effects(connection, kind, 20)
            assert claimed, kind
            record_effects(connection, [Recorded(c, "done", sent=True) for c in claimed[:10]])
            release_effects(connection, claimed[10:])
        assert reclaim_effects(connection) == 0
        retry_parked(connection)


def sweep(engine: Engine) -> None:
    with engine.begin() as connection:
        assert find_received(connection, 200)


def replay_some(engine: Engine) -> None:
    """As in a store of many times LOOKED_AT: where a third of all is wanted, PostgreSQL rightly reads all."""
    beside(engine, "analyze messages")
    with pytest.MonkeyPatch.context() as patch, engine.begin() as connection:
        patch.setattr(messages, "LOOKED_AT", 100)
        ids = [m.id for m in find_received(connection, 2)]
        since = now() - timedelta(hours=2)
        assert replay_messages(connection, Wanted(since=since))[0]
        assert replay_messages(connection, Wanted(since=since - timedelta(hours=3), until=since, carrier="testing"))[0]
        assert replay_messages(connection, Wanted(carrier="testing"), after=ids[0])[1]
        assert replay_messages(connection, Wanted(state=MessageState.PARKED))[0]
        assert replay_messages(connection, Wanted(ids))[0] == 0


def prune_old(engine: Engine) -> None:
    with engine.begin() as connection:
        add_hold(connection, Hold("T1", None, None, None, "claim 7", "legal"))
        add_hold(connection, Hold(None, "other", None, None, "claim 8", "legal"))
    retention = Retention(messages=10, parked_messages=20, parcels=400)
    counted = count_prunable(engine, retention, 0.5)
    assert {table for table, rows in counted.gone.items() if rows} == {"messages", "parcels", "events", "effects"}
    assert prune(engine, retention, 0.5).gone["parcels"]


def reconcile_a_page(engine: Engine) -> None:
    """What a page of a comparison asks of the store and mends there, with a few deliveries that Odoo has no more."""
    first, last = 10_000_500, 10_002_000  # of the copies
    seen = list(range(first, last - 500))
    with engine.connect() as connection:
        assert find_unseen(connection, first, last, seen, now() - timedelta(days=60))
        known = find_known(connection, [*range(1, PATTERN), *seen])
        assert find_states(connection, [f"delivery:{id_}" for id_ in known], now())
        assert {stored.kind for stored in find_rows_and_tasks(connection, known, now())} == {"timeline", "activity"}
        keep = Keep(Why.LOCKED, "somebody", now())
        assert note_keeps(connection, {f"delivery:{id_}": keep for id_ in known}).kept
        assert find_keeps(connection, [f"delivery:{id_}" for id_ in known])
        repeat_effects(connection, [f"delivery:{id_}" for id_ in known], as_new=True)
        forget_numbers(connection, [5, 6, 7])
        assert close_deleted(connection, [5, 6, 7])
        connection.rollback()
    give_way(engine, 0)


def measure_health(engine: Engine) -> None:
    Health(load_settings({}), None, engine, None).measure()


def list_parked(engine: Engine) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parked, "open_store", lambda: engine)
        assert "message" in CliRunner().invoke(parked.parked, catch_exceptions=False).output


def work_off_a_backlog(engine: Engine) -> None:
    """Most effects are due: PostgreSQL expects to find one wherever it looks, and they may all be at the end."""
    beside(engine, "update effects set state = 'due', due_at = now(); analyze effects")
    perform_effects(engine)


HOT = [
    ingest_known_and_new,
    ingest_before_the_tables_were_analyzed,
    settle_what_was_put_off,
    take_over_deliveries,
    take_over_returns,
    link_by_hand,
    find_strangers,
    find_by_references,
    perform_effects,
    sweep,
    prune_old,
    reconcile_a_page,
    measure_health,
    list_parked,
    replay_some,
    work_off_a_backlog,
]


@pytest.mark.requirement("M149")
@pytest.mark.parametrize("work", HOT, ids=lambda work: work.__name__)
def test_nothing_that_is_done_often_reads_a_large_table_from_end_to_end(
    full: Engine, work: Callable[[Engine], None]
) -> None:
    with explained(full) as found:
        work(full)
    assert not found, "\n\n".join(found)


def test_the_tables_are_stored_as_the_schema_says(full: Engine) -> None:
    """Alembic compares columns and indexes, but not how a table is stored."""
    query = text("select relname, reloptions from pg_class where relname = any(:names)")
    with full.connect() as connection:
        rows = connection.execute(query, {"names": list(metadata.tables)}).all()
    told = {row.relname: set(row.reloptions or ()) for row in rows}
    meant = {
        name: {f"{option}={value}" for option, value in (table.dialect_kwargs.get("postgresql_with") or {}).items()}
        for name, table in metadata.tables.items()
    }
    assert told == meant
