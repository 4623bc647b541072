"""From messages to parcels, deliveries, orders and effects, on a real database."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from config.queues import LIVE
from shipments.clock import now
from shipments.effects import Effect, Kind
from shipments.event import Leg
from shipments.fold import NEW_JOURNEY_AFTER_END
from shipments.store.effects import Recorded, claim_effects, record_effects, save_effects
from tests.shipments.telling import START, told
from tests.workers.conftest import POLICY, understood
from workers.correlate import Correlated, link_strangers
from workers.ingest import ingest_batch, settle_put_off

SNAPSHOT = {
    "events": "select key, milestone, instant, event from events order by key",
    "parcels": "select tracking_number, journey, state, unmatched_since is null from parcels order by 1, 2",
    "shipments": "select id, state from shipments order by id",
    "effects": "select key, kind, subject, payload, state from effects order by key",
}


@pytest.fixture
def snapshot(rows):
    return lambda: {name: rows(query) for name, query in SNAPSHOT.items()}


@pytest.mark.requirement("M1", "M2", "M46", "M47", "B2")
def test_an_event_moves_its_parcel_its_delivery_and_its_order(ingest, register, rows):
    register(1, "T1", order_id=9)
    tally = ingest([told("in_transit", 1)])
    assert (tally.events, tally.repeats, tally.unmatched) == (1, 0, 0)
    effects = rows("select key, payload ->> 'milestone' from effects order by key")
    assert [e for e in effects if not e[0].startswith("timeline")] == [
        ("delivery:1", "in_transit"),
        ("order:9", "in_transit"),
    ]
    assert rows("select state ->> 'milestone' from shipments") == [("in_transit",)]


@pytest.mark.requirement("M45", "M132")
def test_the_same_event_told_again_changes_nothing(ingest, register, snapshot):
    register(1, "T1", order_id=9)
    ingest([told("in_transit", 1), told("exception", 2, "damaged")])
    before = snapshot()
    for _ in range(3):
        tally = ingest([told("in_transit", 1)], [told("exception", 2, "damaged", description="in other words")])
        assert (tally.events, tally.repeats, tally.effects) == (0, 2, 0)
    assert snapshot() == before


@pytest.mark.requirement("M45", "M51")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False))
def test_any_order_batching_and_repetition_give_the_same_parcels_deliveries_and_effects(
    chance, engine, register, snapshot, shared_engine
):
    stories = [
        told(milestone, hours, category, tracking_number=number)
        for number in ("A1", "A2", "B1", "C1")
        for milestone, hours, category in (
            ("label_created", 0, None),
            ("in_transit", 2, None),
            ("exception", 3, "customs_hold"),
            ("customs_released", 4, None),
            ("delivered", 9, None),
            ("return_in_transit", 30, "refused"),
        )
        if not (number == "A2" and milestone == "delivered") and not (number != "B1" and hours == 30)
    ]

    def play(events, size, whens):
        """whens: until when settling may be put off; None for not at all."""
        with engine.begin() as connection:
            tables = "messages, events, unsettled, parcels, shipments, numbers, effects"
            connection.execute(text(f"truncate {tables} restart identity cascade"))
        register(1, "A1", "A2", order_id=9)
        register(2, "B1", order_id=9)
        for start in range(0, len(events), size):
            ingest_batch(
                engine,
                [understood(e, received_at=arrived) for e in events[start : start + size]],
                POLICY,
                chance.choice(whens),
            )
            if chance.random() < 0.1:
                settle_put_off(engine, LIVE, POLICY)
        settle_put_off(engine, LIVE, POLICY)
        return snapshot()

    arrived = now()  # Odoo is shown the quarter of an hour, and one may end in between
    told_in_order = play(stories, len(stories), [None])
    shuffled = [*stories, *chance.choices(stories, k=20)]
    chance.shuffle(shuffled)
    assert play(shuffled, chance.choice([1, 3, 50]), [None, LIVE]) == told_in_order


@pytest.mark.requirement("M50")
def test_an_event_before_odoo_knows_the_number_waits_and_is_applied_later(ingest, register, rows):
    assert ingest([told("delivered", 5)]).unmatched == 1
    assert rows("select unmatched_since is not null from parcels") == [(True,)]
    assert rows("select count(*) from effects") == [(0,)]
    register(1, "T1")
    assert rows("select unmatched_since from parcels") == [(None,)]
    assert rows("select payload ->> 'milestone' from effects where kind = 'delivery'") == [("delivered",)]
    assert rows("select count(*) from effects where kind = 'timeline'") == [(1,)]


def test_a_stranger_whose_number_the_index_learned_at_the_same_moment_is_found(ingest, engine, register, rows):
    ingest([told("delivered", 5)])
    with engine.begin() as connection:  # as if the index had been written by a transaction that saw no parcel yet
        connection.execute(
            text("insert into shipments (id, name, registered_at, written_at) values (1, 'x', now(), now())")
        )
        connection.execute(text("insert into numbers values (1, 'T1')"))
    tally = Correlated()
    link_strangers(engine, POLICY, tally)
    assert tally.settled == 1
    assert rows("select payload ->> 'milestone' from effects where kind = 'delivery'") == [("delivered",)]


@pytest.mark.requirement("M15", "X1")
def test_two_of_three_parcels_delivered_is_partially_delivered(ingest, register, rows):
    register(1, "A1", "A2", "A3")
    ingest([told("delivered", 5, tracking_number="A1"), told("delivered", 6, tracking_number="A2")])
    assert rows("select state ->> 'milestone' from shipments") == [("partially_delivered",)]
    ingest([told("delivered", 7, tracking_number="A3")])
    assert rows("select state ->> 'milestone' from shipments") == [("delivered",)]


@pytest.mark.requirement("M46", "M48", "M49")
def test_transfers_and_returns_without_an_order_stand_on_their_own_number(ingest, register, rows):
    register(1, "OUT1", order_id=9)
    register(2, "INT1")
    register(3, "RET1")
    ingest(
        [told("delivered", 5, tracking_number="OUT1")],
        [told("in_transit", 5, tracking_number="INT1")],
        [told("delivered", 5, tracking_number="RET1", leg=Leg.RETURN)],
    )
    states = rows("select id, state ->> 'milestone' from shipments order by id")
    assert states == [(1, "delivered"), (2, "in_transit"), (3, "returned")]
    assert rows("select subject from effects where kind = 'order'") == [(9,)]


@pytest.mark.requirement("M47")
def test_one_number_on_two_deliveries_moves_both(ingest, register, rows):
    register(1, "T1")
    register(2, "t-1")
    ingest([told("delivered", 5)])
    assert rows("select id, state ->> 'milestone' from shipments order by id") == [(1, "delivered"), (2, "delivered")]


def test_a_number_used_again_moves_the_new_delivery_and_leaves_the_old_one(ingest, register, rows):
    later = START + NEW_JOURNEY_AFTER_END + timedelta(days=60)
    register(1, "T1")
    ingest([told("delivered", 5)])
    register(2, "T1", registered_at=later)
    assert rows("select state from shipments where id = 2") == [(None,)], "the old delivery is not the new one's news"
    ingest([told("in_transit", (later - START).total_seconds() / 3600 + 2)])
    assert rows("select id, state ->> 'milestone' from shipments order by id") == [(1, "delivered"), (2, "in_transit")]
    timeline = rows("select subject, payload ->> 'milestone' from effects where kind = 'timeline' order by subject")
    assert timeline == [(1, "delivered"), (2, "in_transit")]


def test_a_number_taken_off_a_delivery_does_not_move_it_any_more(ingest, register, rows):
    register(1, "T1")
    register(1)
    assert ingest([told("delivered", 5)]).unmatched == 1
    assert rows("select state from shipments") == [(None,)]


def test_a_parcel_whose_number_odoo_took_off_its_delivery_is_a_stranger_again(ingest, register, rows):
    register(1, "T1")
    ingest([told("in_transit", 5)])
    register(1, "T2")
    assert rows("select unmatched_since is not null from parcels") == [(True,)]
    register(2, "T1")
    assert rows("select unmatched_since is not null from parcels") == [(False,)]
    assert rows("select id, state ->> 'milestone' from shipments order by id") == [(1, None), (2, "in_transit")]


def test_test_events_are_kept_and_move_nothing(ingest, register, rows):
    register(1, "T1")
    assert ingest([told("delivered", 5, is_test=True)]).events == 1
    assert rows("select count(*) from effects") == [(0,)]
    assert rows("select unmatched_since from parcels") == [(None,)]


@pytest.mark.requirement("M30", "M131")
def test_a_better_mapping_and_a_replay_mend_history(ingest, register, rows):
    register(1, "T1")
    ingest([told("unknown", 5, code="ZZ")])
    ingest([told("delivered", 5, code="ZZ")])
    assert rows("select milestone from events") == [("delivered",)]
    assert rows("select payload ->> 'milestone' from effects where kind = 'timeline'") == [("delivered",)]


def test_an_effect_decided_anew_while_it_is_performed_is_performed_again(ingest, engine, register, rows):
    register(1, "T1")
    ingest([told("in_transit", 1)])
    with engine.begin() as connection:
        (claimed,) = claim_effects(connection, Kind.DELIVERY, 10)
    ingest([told("delivered", 5)])
    with engine.begin() as connection:
        assert claim_effects(connection, Kind.DELIVERY, 10) == [], "it is being performed"
        record_effects(connection, [Recorded(claimed, "done", sent=True)])
    assert rows("select state, payload ->> 'milestone' from effects where kind = 'delivery'") == [("due", "delivered")]


def test_batches_of_the_same_parcels_ingested_at_once_wait_for_each_other(engine, register, rows):
    for number in range(6):
        register(number + 1, f"P{number}", order_id=number // 3)
    batches = [
        [understood(told("in_transit", hour, tracking_number=f"P{number}")) for number in order]
        for hour, order in enumerate([range(6), range(5, -1, -1), [3, 0, 5, 1, 4, 2], [1, 0, 3, 2, 5, 4]] * 4)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda batch: ingest_batch(engine, batch, POLICY), batches))
    assert rows("select count(*) from events") == [(96,)]
    instants = set(rows("select cast(state ->> 'instant' as timestamptz) from shipments"))
    assert instants == {(START + timedelta(hours=15),)}


@pytest.mark.requirement("M44", "M130")
def test_one_message_that_cannot_be_stored_is_parked_and_its_neighbors_go_on(engine, register, rows, caplog):
    register(1, "T1")
    poison = understood(told("in_transit", 1, tracking_number="P\x00ISON"))
    batch = [understood(told("in_transit", 1)), poison, understood(told("delivered", 2))]
    tally = ingest_batch(engine, batch, POLICY)
    assert (tally.read, tally.events, tally.parked) == (3, 2, 1)
    ((parked,),) = rows("select id from messages where state = 'parked'")
    assert parked == poison.verdict.message.id
    assert rows("select state ->> 'milestone' from shipments") == [("delivered",)]


_DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


def test_effects_are_recorded_while_new_ones_are_decided_without_a_deadlock(engine, rows):
    keys = [f"delivery:{n:04d}" for n in range(1500)]

    def decide(round_):
        with engine.begin() as connection:
            save_effects(connection, [Effect(key, Kind.DELIVERY, 1, {"round": round_}) for key in keys])

    def record(_):
        with engine.begin() as connection:
            claimed = claim_effects(connection, Kind.DELIVERY, len(keys))
        with engine.begin() as connection:
            record_effects(connection, [Recorded(c, "done", sent=True) for c in random.sample(claimed, len(claimed))])

    before = rows(_DEADLOCKS)
    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, n) for n in range(10) for work in (decide, record)]
        for each in working:
            each.result()
    assert rows(_DEADLOCKS) == before
