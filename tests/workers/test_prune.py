"""Retention: what is old enough goes, whole; what is held, parked or in use stays; what comes late changes nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from config import metrics
from config.queues import LIVE
from shipments.clock import now
from shipments.keep import Keep, Why
from shipments.store.alone import Lock, alone
from shipments.store.holds import Hold, add_hold, remove_hold
from shipments.store.intake import connect
from shipments.store.keeps import note_keeps
from shipments.store.marks import save_mark
from shipments.store.messages import MessageState, Verdict, save_messages
from shipments.store.prune import Retention, count_prunable, prune
from tests.shipments.telling import told
from tests.workers.conftest import POLICY, message, understood
from workers.correlate import Correlated, link_strangers
from workers.ingest import ingest_batch, settle_put_off
from workers.tasks import prune as task

RETENTION = Retention(messages=90, parked_messages=0, parcels=400)
SECONDS = 10.0
WAY = (told("picked_up", 0), told("exception", 5, "damaged"), told("delivered", 30))

EARLIER = """cast(
    lpad(to_hex(cast('x' || left(replace(message_id::text, '-', ''), 12) as bit(48))::bigint
        - cast(extract(epoch from cast(:days as interval)) * 1000 as bigint)), 12, '0')
    || substr(replace(message_id::text, '-', ''), 13) as uuid)"""
"""A message's id as it would be had it come that much earlier: its first 48 bits are milliseconds."""


@pytest.fixture
def age(engine: Engine) -> Callable[..., None]:
    """Makes everything that is there older by so many days, as if it had come that much earlier."""

    def age(days: int) -> None:
        with engine.begin() as connection:
            for query in (
                f"update events set received_at = received_at - cast(:days as interval), message_id = {EARLIER}",
                "update shipments set registered_at = registered_at - cast(:days as interval)",
                "update messages set received_at = received_at - cast(:days as interval), id = "
                + EARLIER.replace("message_id", "id"),
                "update effects set state = 'done', sent = true",
            ):
                connection.execute(text(query), {"days": timedelta(days=days)} if ":days" in query else {})

    return age


@pytest.fixture
def pruned(engine: Engine) -> Callable[..., dict[str, int]]:
    """Prunes, beginning anew; the rows deleted by table."""

    def pruned(retention: Retention = RETENTION) -> dict[str, int]:
        with engine.begin() as connection:
            connection.execute(text("delete from marks"))
        return +prune(engine, retention, SECONDS).gone

    return pruned


@pytest.fixture
def save(engine: Engine) -> Callable[..., None]:
    """Stores messages, each given by its state and its age in days, with its carrier where it matters."""

    def save(*wanted: tuple[str, float] | tuple[str, float, str]) -> None:
        with engine.begin() as connection:
            for state, days, *carrier in wanted:
                about = message(*carrier, received_at=now() - timedelta(days=days))
                save_messages(connection, [Verdict(about, MessageState(state))])
            connection.execute(
                text("""
                    update messages set id = cast(lpad(to_hex(cast(extract(epoch from received_at) * 1000 as bigint)),
                        12, '0') || substr(replace(id::text, '-', ''), 13) as uuid)
                """)
            )

    return save


def hold(engine: Engine, **about: object) -> int:
    usual = dict.fromkeys(("number", "carrier", "since", "until")) | {"reason": "claim 7", "placed_by": "legal"}
    with engine.begin() as connection:
        return add_hold(connection, Hold(**(usual | about)))


@pytest.mark.requirement("M97", "M101")
def test_messages_go_when_their_time_has_passed_and_never_while_they_wait(save, pruned, rows):
    save(("done", 91), ("done", 89), ("parked", 91), ("received", 91))
    assert pruned() == {"messages": 1}
    assert rows("select state from messages order by state") == [("done",), ("parked",), ("received",)]


@pytest.mark.requirement("M101")
def test_parked_messages_have_a_time_of_their_own_which_is_never_shorter(save, pruned, rows):
    save(("parked", 201), ("parked", 199), ("parked", 89))
    assert pruned(Retention(messages=90, parked_messages=200, parcels=400)) == {"messages": 1}
    assert pruned(Retention(messages=90, parked_messages=10, parcels=400)) == {"messages": 1}
    assert len(rows("select from messages")) == 1


@pytest.mark.requirement("M101")
def test_nothing_goes_where_everything_is_kept_for_ever(save, ingest, age, pruned):
    ingest(WAY)
    save(("done", 5000))
    age(5000)
    assert pruned(Retention(0, 0, 0)) == {}


@pytest.mark.requirement("M101")
def test_a_parcel_with_news_that_waits_to_be_settled_stays(engine, ingest, age, pruned, rows):
    ingest(WAY)
    ingest_batch(engine, [understood(told("delivered", 31))], POLICY, LIVE)
    age(401)
    assert "parcels" not in pruned()
    settle_put_off(engine, LIVE, POLICY)
    age(0)
    assert pruned()["parcels"] == 1
    assert rows("select count(*) from unsettled") == [(0,)]


@pytest.mark.requirement("M97", "M101")
def test_a_parcel_goes_with_its_events_and_effects_and_its_delivery_is_closed(ingest, register, age, pruned, rows):
    register(1, "T1", order_id=9)
    ingest(WAY)
    age(401)
    keys = rows("select key from effects")
    assert {key.split(":")[0] for (key,) in keys} == {
        "delivery",
        "order",
        "activity",
        "timeline",
        "billing",
        "order_billing",
    }
    assert pruned() == {"messages": 1, "parcels": 1, "events": 3, "effects": len(keys)}
    assert rows("select count(*) from effects") == [(0,)]
    assert rows("select state, closed_at is null from shipments") == [(None, False)]
    assert rows("select count(*) from numbers") == [(0,)]


def test_who_keeps_a_delivery_is_forgotten_with_it(engine, ingest, register, age, pruned, rows):
    register(1, "T1", order_id=9)
    ingest(WAY)
    with engine.begin() as connection:
        keep = Keep(Why.LOCKED, "Kari Example", now())
        note_keeps(connection, {"delivery:1": keep, "order:9": keep, "delivery:2": keep})
        connection.execute(text("update effects set state = 'done'"))
    age(401)
    pruned()
    assert rows("select key from keeps") == [("delivery:2",)]


def test_effects_of_a_number_that_was_taken_off_its_delivery_go_too(ingest, register, age, pruned, rows):
    register(1, "T1")
    ingest(WAY)
    register(1)
    age(401)
    pruned()
    assert rows("select key from effects where kind in ('activity', 'timeline')") == []


def test_a_parcel_that_was_heard_of_lately_stays_however_old_it_is(ingest, register, age, pruned, rows):
    register(1, "T1")
    ingest(WAY[:1])
    age(300)
    ingest(WAY[1:])
    age(101)
    assert "parcels" not in pruned()
    assert rows("select count(*) from events") == [(3,)]


@pytest.mark.requirement("M101")
def test_the_parcels_of_an_order_go_together(ingest, register, age, pruned, rows):
    other = told("picked_up", 1, tracking_number="T2")
    register(1, "T1", order_id=9)
    register(2, "T2", order_id=9)
    ingest(WAY)
    age(401)
    ingest([other])
    assert "parcels" not in pruned()
    age(401)
    assert pruned()["parcels"] == 2


def test_a_number_that_no_carrier_told_of_binds_no_deliveries_together(ingest, register, age, pruned, rows):
    register(1, "T1", "TBA")
    register(2, "T2", "TBA")
    ingest(WAY)
    age(401)
    ingest([told("picked_up", 1, tracking_number="T2")])
    assert pruned()["parcels"] == 1
    assert rows("select tracking_number from parcels") == [("T2",)]


@pytest.mark.parametrize("state", ["due", "claimed", "parked"])
@pytest.mark.parametrize("kind", ["delivery", "order", "activity", "timeline"])
def test_a_parcel_stays_while_one_of_its_effects_is_not_done(engine, ingest, register, age, pruned, state, kind):
    register(1, "T1", order_id=9)
    ingest(WAY)
    age(401)
    with engine.begin() as connection:
        connection.execute(text("update effects set state = :state where kind = :kind"), {"state": state, "kind": kind})
    assert pruned() == {"messages": 1}


@pytest.mark.requirement("M51", "M101", "M132")
def test_a_repeat_that_comes_after_its_parcel_was_pruned_changes_nothing_in_odoo(
    engine, ingest, register, age, pruned, rows
):
    register(1, "T1", order_id=9)
    ingest(WAY)
    age(401)
    pruned()
    late = ingest(WAY[:2])
    assert (late.events, late.unmatched, late.effects) == (2, 1, 0)
    register(1, "T1", order_id=9)  # Odoo tells of the delivery again, as when the stranger is looked up
    link_strangers(engine, POLICY, Correlated())
    assert rows("select count(*) from effects") == [(0,)]
    register(2, "T1")  # a new delivery uses the number again
    assert rows("select shipment_id from numbers") == [(2,)]


@pytest.mark.requirement("M101")
def test_a_hold_of_a_number_keeps_its_parcel_its_order_and_the_messages_that_told_of_it(
    engine, ingest, register, age, pruned, rows
):
    register(1, "T1", order_id=9)
    register(2, "T2", order_id=9)
    ingest(WAY, [told("picked_up", 1, tracking_number="T2")], [told("picked_up", 1, tracking_number="T3")])
    age(401)
    placed = hold(engine, number="T1")
    assert pruned() == {"messages": 2, "parcels": 1, "events": 1}
    with engine.begin() as connection:
        assert remove_hold(connection, placed)
    assert pruned()["parcels"] == 2
    assert rows("select count(*) from messages") == [(0,)]


@pytest.mark.requirement("M101")
def test_a_hold_of_a_carrier_keeps_what_was_heard_of_it_in_that_time(engine, ingest, save, age, pruned, rows):
    ingest([told("picked_up", carrier="one")], [told("picked_up", carrier="two", tracking_number="T2")])
    age(500)
    save(("done", 95, "one"), ("done", 300, "one"), ("done", 95, "two"))
    hold(engine, carrier="one", since=now() - timedelta(days=600), until=now() - timedelta(days=200))
    assert pruned() == {"messages": 4, "parcels": 1, "events": 1}
    assert rows("select carrier from messages") == [("one",)]
    assert rows("select carrier from parcels") == [("one",)]


def test_pruning_goes_on_where_it_stopped_and_begins_anew_after_a_day(engine, save, rows):
    save(*[("parked", 100 + days) for days in range(3)])
    assert prune(engine, RETENTION, SECONDS).ended
    with engine.begin() as connection:
        connection.execute(text("update messages set state = 'done'"))
    assert +prune(engine, RETENTION, SECONDS).gone == {}  # behind the mark
    save(("done", 91))
    assert +prune(engine, RETENTION, SECONDS).gone == {"messages": 1}
    with engine.begin() as connection:
        connection.execute(text("""update marks set value = value || '{"began_at": "2020-01-01T00:00:00+00:00"}'"""))
    prune(engine, RETENTION, SECONDS)
    assert +prune(engine, RETENTION, SECONDS).gone == {"messages": 3}


def test_many_go_in_several_batches(engine, ingest, register, age, rows, monkeypatch):
    for batch in ("MESSAGES_A_BATCH", "PARCELS_A_BATCH"):
        monkeypatch.setattr(f"shipments.store.prune.{batch}", 3)
    register(1, *[f"T{place}" for place in range(10)])
    ingest(*[[told("picked_up", tracking_number=f"T{place}")] for place in range(20)])
    age(401)
    gone = prune(engine, RETENTION, SECONDS).gone
    assert (gone["messages"], gone["parcels"], gone["events"]) == (20, 20, 20)


def test_a_parcel_with_a_time_from_a_wrong_clock_does_not_keep_those_after_it(engine, ingest, age, pruned, rows):
    ingest(*[[told("picked_up", tracking_number=f"T{place}")] for place in range(3)])
    age(401)
    with engine.begin() as connection:
        connection.execute(text("update events set received_at = now() where parcel_id = 1"))
    assert pruned()["parcels"] == 2
    assert rows("select id from parcels") == [(1,)]


def test_counting_deletes_nothing_and_tells_what_pruning_deletes(engine, ingest, register, age, pruned, save):
    register(1, "T1", order_id=9)
    ingest(WAY)
    age(401)
    with engine.begin() as connection:
        save_mark(connection, "prune_parcels", {"after": 10_000, "began_at": now().isoformat()})
    counted = +count_prunable(engine, RETENTION, SECONDS).gone
    assert counted["parcels"] == 1
    assert pruned() == counted


def test_a_parcel_that_is_pruned_while_a_message_about_it_arrives_is_made_again(engine, ingest, age, pruned, rows):
    """The message finds the parcel's row, and it is gone when the row is to be locked."""
    ingest(WAY)
    age(401)
    seen = []

    def prune_in_between(connection, cursor, statement, *_):
        if "for update of p" in statement and not seen:
            seen.append(statement)
            pruned()

    event.listen(engine, "before_cursor_execute", prune_in_between)
    try:
        tally = ingest_batch(engine, [understood(*WAY)], POLICY)
    finally:
        event.remove(engine, "before_cursor_execute", prune_in_between)
    assert (len(seen), tally.events, tally.parked) == (1, 3, 0)
    assert rows("select count(*) from parcels") == [(1,)]


@pytest.mark.requirement("M101")
def test_the_task_prunes_alone_and_counts_what_it_deleted(engine, redis_url, save, monkeypatch):
    save(("done", 91), ("done", 92))
    monkeypatch.setattr(task, "engine", lambda: engine)
    monkeypatch.setattr(task, "ledger", lambda: metrics.Ledger(connect(redis_url)))
    before = metrics.PRUNED.labels("messages")._value.get()
    with alone(engine, Lock.PRUNER):
        assert "skipped" in task.prune_store()
    assert task.prune_store()["messages"] == 2
    assert metrics.PRUNED.labels("messages")._value.get() == before + 2
