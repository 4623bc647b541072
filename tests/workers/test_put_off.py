"""Settling put off where many messages come: done once for all of them, by whomever, with what came of it at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from config.queues import BULK, LIVE
from shipments.store.intake import STREAM, Intake
from shipments.store.parcels import lock_parcels, parcel_key
from shipments.store.unsettled import LONGEST, REASON
from tests.eventually import eventually
from tests.shipments.telling import told
from tests.workers.conftest import POLICY, message, understood
from workers import ingest as ingesting
from workers import understand
from workers.ingest import ingest_batch, settle_put_off
from workers.tasks import ingest as task

WAY = (told("label_created", 0), told("picked_up", 1), told("in_transit", 2), told("delivered", 9))
STATE = "select state ->> 'milestone' from shipments"
TIMELINE = "select count(*) from effects where kind = 'timeline'"


@pytest.mark.requirement("M45", "M118")
def test_a_parcel_that_many_messages_tell_of_is_settled_once(engine, register, rows):
    register(1, "T1", order_id=9)
    for event in WAY:
        tally = ingest_batch(engine, [understood(event)], POLICY, LIVE)
        assert (tally.events, tally.effects) == (1, 0)
    assert rows(STATE) == [(None,)]
    assert settle_put_off(engine, LIVE, POLICY).effects == len(rows("select from effects"))
    assert rows(STATE) == [("delivered",)]
    assert rows(TIMELINE) == [(len(WAY),)]
    assert rows("select max(version) from effects") == [(1,)]
    assert rows("select count(*) from unsettled") == [(0,)]
    assert settle_put_off(engine, LIVE, POLICY).effects == 0


def test_what_somebody_waits_for_is_waited_for_since_the_oldest_message(engine, register, rows):
    register(1, "T1")
    batches = [understood(event) for event in WAY]
    for one in reversed(batches):
        ingest_batch(engine, [one], POLICY, LIVE)
    settle_put_off(engine, LIVE, POLICY)
    assert rows("select distinct told_at from effects") == [(batches[0].verdict.message.received_at,)]


def test_what_the_other_lane_put_off_is_left_to_it(engine, register, rows):
    register(1, "T1")
    ingest_batch(engine, [understood(WAY[0])], POLICY, BULK)
    settle_put_off(engine, LIVE, POLICY)
    assert rows(STATE) == [(None,)]
    settle_put_off(engine, BULK, POLICY)
    assert rows(STATE) == [("label_created",)]


@pytest.mark.requirement("M51", "M115")
def test_two_who_settle_at_once_share_the_work_and_leave_nothing(engine, register, rows, monkeypatch):
    monkeypatch.setattr(ingesting, "SETTLED_AT_ONCE", 3)
    for number in range(40):
        register(number, f"N{number}")
    stories = [understood(told("in_transit", 1, tracking_number=f"N{number}")) for number in range(40)]
    ingest_batch(engine, stories, POLICY, LIVE)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(settle_put_off, engine, LIVE, POLICY) for _ in range(2)]
        effects = sum(done.result(timeout=60).effects for done in both)
    assert rows("select count(*) from unsettled") == [(0,)]
    assert rows("select distinct state ->> 'milestone' from shipments") == [("in_transit",)]
    assert rows("select count(*), max(version) from effects") == [(effects, 1)]


@pytest.mark.requirement("M51", "M115")
def test_a_parcel_that_somebody_is_at_work_on_is_waited_for(engine, register, rows):
    register(1, "T1")
    register(2, "B")
    ingest_batch(engine, [understood(WAY[0]), understood(told("in_transit", 1, tracking_number="B"))], POLICY, LIVE)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as other:
            lock_parcels(other, [parcel_key(WAY[0])], wait=True)
            settling = pool.submit(settle_put_off, engine, LIVE, POLICY)
            assert eventually(lambda: rows(f"{STATE} order by id") == [(None,), ("in_transit",)])
            assert not settling.done()
        settling.result(timeout=30)
    assert rows(f"{STATE} order by id") == [("label_created",), ("in_transit",)]


@pytest.mark.requirement("M44", "M130")
def test_a_parcel_that_cannot_be_settled_parks_its_messages_and_is_tried_again(
    engine, register, rows, monkeypatch, caplog
):
    register(1, "T1")
    register(2, "B")
    first, second, other = understood(WAY[0]), understood(WAY[1]), understood(told("in_transit", tracking_number="B"))
    ingest_batch(engine, [first, second, other], POLICY, LIVE)
    ((broken,),) = rows("select id from parcels where number = 'T1'")
    real = ingesting.settle

    def settle(connection, parcel_ids, *args, **more):
        if broken in parcel_ids:
            raise ValueError("a rule that has a bug")
        return real(connection, parcel_ids, *args, **more)

    monkeypatch.setattr(ingesting, "settle", settle)
    assert settle_put_off(engine, LIVE, POLICY).parked == 2
    assert f"parcel {broken} cannot be settled" in caplog.text
    assert rows(f"{STATE} order by id") == [(None,), ("in_transit",)]
    parked = rows("select id, reason from messages where state = 'parked'")
    assert set(parked) == {(one.verdict.message.id, REASON) for one in (first, second)}
    monkeypatch.setattr(ingesting, "settle", real)
    settle_put_off(engine, LIVE, POLICY)
    assert rows(f"{STATE} order by id") == [(None,), ("in_transit",)], "its time has not come yet"
    with engine.begin() as connection:
        connection.execute(text("update unsettled set due_at = now()"))
    settle_put_off(engine, LIVE, POLICY)
    assert rows(f"{STATE} order by id") == [("picked_up",), ("in_transit",)]
    assert rows("select count(*) from unsettled") == [(0,)]
    ingest_batch(engine, [first, second], POLICY)
    assert rows("select count(*) from messages where state = 'parked'") == [(0,)]


@pytest.fixture
def taken(stores, client, monkeypatch):
    """Puts an event a message into the stream and drains it, two messages a batch."""
    events = {b"%d" % number: event for number, event in enumerate(WAY)}
    monkeypatch.setenv("MILEPOST_BATCH_SIZE", "2")
    monkeypatch.setattr(understand, "_read", lambda intaken, _: understand.Reading((events[intaken.sealed],)))
    monkeypatch.setattr(task, "ring", lambda *_: True)

    def taken(lane, count):
        for body in list(events)[:count]:
            client.xadd(STREAM.format(lane=lane), message(sealed=body).fields())
        done = task.ingest(lane)
        assert Intake(client).length(lane) == 0
        return done

    return taken


@pytest.mark.requirement("M118")
@pytest.mark.parametrize("count", [2, 3, 4])
def test_where_many_come_they_are_stored_first_and_settled_when_the_rush_is_over(
    taken, register, rows, monkeypatch, count
):
    settled = []
    real = ingesting.settle
    monkeypatch.setattr(ingesting, "settle", lambda *args, **more: settled.append(list(args[1])) or real(*args, **more))
    register(1, "T1")
    assert taken(LIVE, count)["events"] == count
    assert rows(STATE) == [(WAY[count - 1].milestone.value,)]
    assert rows("select count(*) from unsettled") == [(0,)]
    at_once = count % 2  # the last batch, where it is not full
    assert [parcels for parcels in settled if parcels] == [[1]] * (1 + at_once)


@pytest.mark.requirement("M118")
def test_in_a_long_rush_what_was_put_off_is_settled_when_its_time_has_come(taken, register, rows, monkeypatch):
    monkeypatch.setattr(task, "SETTLED_AFTER", timedelta(0))
    monkeypatch.setattr(Intake, "waited", lambda *_: timedelta(0))
    register(1, "T1")
    taken(LIVE, 4)
    assert rows("select max(version) from effects where kind = 'delivery'") == [(2,)]


@pytest.mark.requirement("M115", "M116")
def test_in_a_backlog_it_waits_and_is_settled_as_soon_as_the_stream_is_caught_up(taken, register, rows, monkeypatch):
    unsettled = []
    clock = SimpleNamespace(
        monotonic=monotonic, sleep=lambda _: unsettled.extend(rows("select count(*) from unsettled"))
    )
    monkeypatch.setenv("MILEPOST_BATCH_SIZE", "3")
    monkeypatch.setattr(task, "time", clock)
    monkeypatch.setattr(task, "MANY", 1)
    monkeypatch.setattr(task, "SETTLED_AFTER", timedelta(0))
    monkeypatch.setattr(Intake, "waited", lambda *_: timedelta(seconds=10))
    register(1, "T1")
    taken(LIVE, len(WAY))
    assert unsettled == [(0,)]
    assert rows("select max(version) from effects") == [(1,)], "not after the first batch"


@pytest.mark.requirement("M118")
def test_what_is_settled_later_is_not_waited_for_the_disk_and_what_is_stored_is(engine, register, rows, monkeypatch):
    waits = []
    real = ingesting.settle

    def settle(connection, *args, **more):
        waits.append(connection.scalar(text("show synchronous_commit")))
        return real(connection, *args, **more)

    monkeypatch.setattr(ingesting, "settle", settle)
    register(1, "T1")
    ingest_batch(engine, [understood(WAY[0])], POLICY)
    ingest_batch(engine, [understood(WAY[1])], POLICY, LIVE)
    settle_put_off(engine, LIVE, POLICY)
    assert waits == ["on", "off"]
    assert rows("show synchronous_commit") == [("on",)]


@pytest.mark.requirement("M116", "M118")
def test_it_is_put_off_for_as_long_as_it_is_said_and_at_most_for_the_longest(engine, register, rows):
    def age(by):
        with engine.begin() as connection:
            connection.execute(text("update unsettled set due_at = due_at - :by"), {"by": by})

    register(1, "T1")
    ingest_batch(engine, [understood(WAY[0])], POLICY, LIVE)
    age(timedelta(seconds=7))
    ingest_batch(engine, [understood(WAY[1])], POLICY, LIVE)
    assert settle_put_off(engine, LIVE, POLICY, timedelta(seconds=15)).effects == 0
    assert settle_put_off(engine, LIVE, POLICY, timedelta(seconds=7)).effects
    assert rows("select count(*) from unsettled") == [(0,)], "all that is news about a parcel, with the first of it"
    ingest_batch(engine, [understood(WAY[2])], POLICY, LIVE)
    age(LONGEST)
    assert settle_put_off(engine, LIVE, POLICY, timedelta(hours=7)).effects


@pytest.mark.requirement("M116")
@pytest.mark.parametrize(("waited", "after"), [(0.1, 1.0), (4.0, 16.0)])
def test_in_a_backlog_it_is_put_off_for_four_times_as_long_as_the_newest_message_waited(
    client, monkeypatch, waited, after
):
    monkeypatch.setattr(task, "intake", lambda: Intake(client))
    monkeypatch.setattr(Intake, "waited", lambda *_: timedelta(seconds=waited))
    assert task._after(b"1-0") == timedelta(seconds=after)


def test_how_long_an_entry_has_waited_is_told_by_the_servers_clock(client):
    (seconds, _) = client.time()
    waited = Intake(client).waited(b"%d-7" % ((seconds - 5) * 1000))
    assert timedelta(seconds=5) <= waited < timedelta(seconds=30)


@pytest.mark.requirement("M51", "M115")
def test_what_a_process_that_died_had_put_off_is_settled_by_the_next(taken, engine, register, rows):
    register(1, "T1")
    ingest_batch(engine, [understood(event) for event in WAY], POLICY, LIVE)
    assert rows(STATE) == [(None,)]
    taken(LIVE, 0)
    assert rows(STATE) == [("delivered",)]
