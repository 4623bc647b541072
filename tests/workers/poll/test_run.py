"""Asking carriers, on a real database and a real Valkey, with a stub in the carrier's place."""

import logging
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from carriers.polling import Outcome
from config import metrics
from shipments.store.intake import Intake
from shipments.store.polls import LEASE, claim_polls, enter_numbers, enter_parcels, find_due, find_poll
from tests.fakes.carrier_api import API_KEY, CLIENT_ID, CLIENT_SECRET, CarrierApi
from tests.fakes.carriers import USUAL
from tests.workers.poll.asking import SEAL, age_polls, ask_about, history, run, settings, source_of, throttle_of
from workers.poll.answer import Answer
from workers.poll.tokens import Tokens

ROOT = Path(__file__).parents[3]
CARRIERS = ("dhl_unified", "fedex", "ups")


@pytest.mark.requirement("M32", "B5")
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_number_that_only_odoo_knows_is_asked_about_until_it_is_delivered(
    engine, client, register, rows, ingest_all, carrier
):
    register(1, "T1")
    with engine.begin() as connection:
        connection.execute(text("update shipments set delivery_method = 'By Road'"))
        assert enter_numbers(connection, {"by road": carrier}, timedelta(days=21)) == 1
        assert enter_numbers(connection, {"by road": carrier}, timedelta(days=21)) == 0
        assert find_due(connection, CARRIERS) == [carrier]
    with CarrierApi(carrier) as api:
        assert run(engine, client, settings(api), carrier).not_found == 1
        ingest_all()
        assert rows("select count(*) from parcels") == [(0,)]
        for known in range(1, len(USUAL) + 1):
            age_polls(engine, timedelta(hours=25))
            api.histories["T1"] = history(*USUAL[:known])
            run(engine, client, settings(api), carrier)
            ingest_all()
            assert rows("select state #>> '{journeys,-1,milestone}' from parcels") == [(USUAL[known - 1],)]
        assert rows("select payload ->> 'milestone' from effects where kind = 'delivery'") == [("delivered",)]
        calls = len(api.asked)
        age_polls(engine, timedelta(days=2))
        assert run(engine, client, settings(api), carrier).asked == 0
        assert len(api.asked) == calls
    assert rows("select reason, due_at from polls") == [("over: delivered", None)]


@pytest.mark.requirement("M135", "M74")
@pytest.mark.parametrize("carrier", CARRIERS)
def test_when_a_webhook_falls_silent_the_carrier_is_asked_and_the_gap_is_filled(
    engine, client, push, rows, ingest_all, carrier
):
    push(carrier, "T1", *USUAL[:2])
    with CarrierApi(carrier, histories={"T1": history(*USUAL)}) as api:
        with engine.begin() as connection:
            enter_parcels(connection, CARRIERS)
        assert run(engine, client, settings(api), carrier).later == 1
        assert api.asked == []
        age_polls(engine, timedelta(hours=49))
        assert run(engine, client, settings(api), carrier).news == 1
    tally = ingest_all()
    assert (tally.events, tally.repeats) == (len(USUAL) - 2, 2)
    assert rows("select state #>> '{journeys,-1,milestone}' from parcels") == [("delivered",)]


@pytest.mark.requirement("M75")
def test_a_webhook_that_works_spares_the_carrier_every_call(engine, client, push, rows):
    with CarrierApi("ups", everything=True) as api:
        for known in range(1, len(USUAL)):
            push("ups", "T1", *USUAL[:known])
            with engine.begin() as connection:
                enter_parcels(connection, CARRIERS)
            age_polls(engine, timedelta(hours=5))
            run(engine, client, settings(api), "ups")
        push("ups", "T1", *USUAL)
        age_polls(engine, timedelta(days=10))
        run(engine, client, settings(api), "ups")
        assert api.asked == []
    assert rows("select calls, reason from polls") == [(0, "over: delivered")]


@pytest.mark.requirement("M75", "X6")
def test_a_parcel_that_has_come_to_an_end_is_never_entered(engine, push, rows):
    push("ups", "T1", *USUAL)
    push("ups", "T2", *USUAL[:3])
    with engine.begin() as connection:
        enter_parcels(connection, CARRIERS)
    assert rows("select number from polls") == [("T2",)]


@pytest.mark.requirement("X6")
def test_asking_ends_by_itself_and_what_was_known_last_stays(engine, client, push, rows):
    push("ups", "T1", *USUAL[:3])
    with CarrierApi("ups", histories={"T1": history(*USUAL[:3])}) as api:
        with engine.begin() as connection:
            enter_parcels(connection, CARRIERS)
        for _ in range(40):
            age_polls(engine, timedelta(days=1))
            run(engine, client, settings(api), "ups")
        assert len(api.asked) < 20
    assert rows("select due_at, outcome from polls") == [(None, "same")]
    assert rows("select reason from polls")[0][0].startswith("silent")
    assert rows("select state #>> '{journeys,-1,milestone}' from parcels") == [("departed_facility",)]


@pytest.mark.requirement("M75")
def test_an_answer_that_tells_nothing_new_is_not_kept(engine, client, ingest_all):
    with CarrierApi("fedex", histories={"T1": history(*USUAL[:3])}) as api:
        ask_about(engine, "fedex", "T1")
        assert run(engine, client, settings(api), "fedex").news == 1
        assert ingest_all().read == 1
        age_polls(engine, timedelta(hours=7))
        assert run(engine, client, settings(api), "fedex").same == 1
        assert ingest_all().read == 0


@pytest.mark.requirement("M85")
def test_one_call_carries_as_many_numbers_as_the_carrier_takes(engine, client):
    with CarrierApi("fedex", everything=True) as api:
        ask_about(engine, "fedex", *(f"T{n}" for n in range(70)))
        assert run(engine, client, settings(api), "fedex").asked == 70
    assert sorted(len(call.numbers) for call in api.asked) == [10, 30, 30]


def test_a_number_the_carrier_refuses_does_not_spoil_the_others(engine, client):
    with CarrierApi("fedex", everything=True, bad_numbers=frozenset({"T7"})) as api:
        ask_about(engine, "fedex", *(f"T{n}" for n in range(20)))
        polled = run(engine, client, settings(api), "fedex")
    assert (polled.news, polled.not_found) == (19, 1)
    with engine.connect() as connection:
        assert find_poll(connection, "fedex", "T7")["outcome"] == "bad_number"


COUNTED = (20, 0.8)
"""What a carrier that allows 20 calls a second counts here: a call that the machine holds up for a moment comes closer
to the next ones. How far apart they leave, to the microsecond, is in test_throttle.py."""


@pytest.mark.requirement("M85")
def test_a_carrier_that_counts_every_call_sees_no_more_than_its_limit(engine, client):
    with CarrierApi("ups", latency=0.05, limit=COUNTED, everything=True) as api:
        ask_about(engine, "ups", *(f"T{n}" for n in range(60)))
        assert run(engine, client, settings(api, "20/s"), "ups", 30).asked == 60
        assert api.statuses() == {200: 60}
        assert api.most_at_once > 1


@pytest.mark.requirement("M85")
def test_two_processes_share_one_limit(engine, client, database_url, redis_url):
    with CarrierApi("dhl_unified", latency=0.05, limit=COUNTED, everything=True) as api:
        ask_about(engine, "dhl_unified", *(f"T{n}" for n in range(60)))
        processes = [in_a_process(database_url, redis_url, settings(api, "20/s"), "dhl_unified") for _ in range(2)]
        outputs = [process.communicate(timeout=60)[0] for process in processes]
        assert api.statuses() == {200: 60}, outputs
        assert set(api.numbers().values()) == {1}
    assert all("'asked': 0" not in output for output in outputs)


@pytest.mark.requirement("B5")
def test_two_beats_at_once_ask_about_each_number_once(engine, client, database_url, redis_url):
    with CarrierApi("dhl_unified", latency=0.01, everything=True) as api:
        ask_about(engine, "dhl_unified", *(f"T{n}" for n in range(200)))
        processes = [in_a_process(database_url, redis_url, settings(api), "dhl_unified") for _ in range(2)]
        for process in processes:
            process.communicate(timeout=60)
        assert len(api.numbers()) == 200
        assert set(api.numbers().values()) == {1}


@pytest.mark.requirement("B5")
def test_what_one_has_claimed_another_neither_gets_nor_waits_for(engine):
    ask_about(engine, "ups", *(f"T{n}" for n in range(5)))
    with engine.begin() as first, engine.begin() as second:
        second.execute(text("set local lock_timeout = '5s'"))
        claimed = [[one.number for one in claim_polls(c, "ups", 3)] for c in (first, second)]
    assert [len(numbers) for numbers in claimed] == [3, 2]
    assert len({*claimed[0], *claimed[1]}) == 5


def test_a_token_that_another_has_just_fetched_is_not_fetched_again(client, monkeypatch):
    fetched = []

    def fetch() -> Answer:
        fetched.append(1)
        return Answer(Outcome.ANSWERED, b'{"access_token": "t", "expires_in": 3600}')

    set_ = client.set

    def overtaken(key: str, *values: object, **options: object) -> object:
        monkeypatch.setattr(client, "set", set_)
        assert Tokens(client, SEAL, "ups", "a").get(fetch) == "t"
        return set_(key, *values, **options)

    monkeypatch.setattr(client, "set", overtaken)
    assert Tokens(client, SEAL, "ups", "a").get(fetch) == "t"
    assert fetched == [1]


@pytest.mark.requirement("M134", "M85")
def test_a_storm_of_429_loses_nothing_and_the_carrier_is_left_alone_as_it_asks(engine, client, ingest_all):
    with CarrierApi("ups", everything=True, storm=50, retry_after=600) as api:
        ask_about(engine, "ups", *(f"T{n}" for n in range(40)))
        polled = run(engine, client, settings(api), "ups")
        assert polled.asked == 0
        assert polled.why == "it answers 429"
        assert len(api.asked) <= 33
        gate = throttle_of(client, source_of(settings(api), "ups"))
        assert gate.failures() == 1  # one for the storm, however many calls were under way
        seconds, why = gate.paused()
        assert seconds > 590
        assert why == "it answers 429"
        calls = len(api.asked)
        assert run(engine, client, settings(api), "ups", 1).asked == 0
        assert len(api.asked) == calls
        end_pauses(client)
        api.storm = 0
        for _ in range(3):
            run(engine, client, settings(api), "ups")
        assert len(api.numbers()) == 40
    assert ingest_all().read == 40


@pytest.mark.requirement("M134", "M85")
def test_a_run_that_finds_the_carrier_left_alone_says_why_and_leaves_the_pause_as_it_is(engine, client):
    with CarrierApi("ups", everything=True) as api:
        ask_about(engine, "ups", *(f"T{n}" for n in range(8)))
        gate = throttle_of(client, source_of(settings(api), "ups"))
        gate.pause(timedelta(minutes=7), "it answers 429")
        polled = run(engine, client, settings(api), "ups", 1)
        assert (polled.asked, polled.why) == (0, "it answers 429")
        assert api.asked == []
        seconds, why = gate.paused()
        assert seconds <= 420
        assert why == "it answers 429"


@pytest.mark.requirement("M134")
def test_a_storm_at_one_carrier_does_not_touch_another(engine, client):
    with CarrierApi("ups", everything=True, storm=50) as stormy, CarrierApi("fedex", everything=True) as calm:
        for carrier in ("ups", "fedex"):
            ask_about(engine, carrier, "T1", "T2")
        run(engine, client, settings(stormy), "ups")
        assert run(engine, client, settings(calm), "fedex").asked == 2


def test_a_carrier_that_is_away_is_left_alone_after_a_few_calls_and_tried_by_one(engine, client, rows):
    with CarrierApi("ups", everything=True, broken=10_000) as api:
        ask_about(engine, "ups", *(f"T{n}" for n in range(300)))
        polled = run(engine, client, settings(api), "ups")
        assert polled.why == "it answers 500"
        assert len(api.asked) < 100
        end_pauses(client)
        calls = len(api.asked)
        run(engine, client, settings(api), "ups")
        assert len(api.asked) == calls + 1
        assert rows("select count(*) from polls where due_at is not null") == [(300,)]
        api.broken = 0
        end_pauses(client)
        age_polls(engine, timedelta(minutes=10))
        for _ in range(2):
            run(engine, client, settings(api), "ups")
        assert len(api.numbers()) == 300


def test_wrong_credentials_pause_the_carrier_and_lose_nothing(engine, client, rows):
    with CarrierApi("dhl_unified", everything=True) as api:
        wrong = settings(api) | {"CARRIER_DHL_UNIFIED_API_KEY": "wrong"}
        ask_about(engine, "dhl_unified", *(f"T{n}" for n in range(40)))
        assert run(engine, client, wrong, "dhl_unified").why == "it answers 401"
        assert len(api.asked) <= 33
        assert rows("select count(*) from polls where due_at is not null and asked_at is null") == [(40,)]
        assert run(engine, client, settings(api), "dhl_unified").asked == 40


@pytest.mark.parametrize("carrier", ["ups", "fedex"])
def test_a_token_is_fetched_once_for_all_and_again_when_the_carrier_takes_it_back(engine, client, carrier):
    with CarrierApi(carrier, everything=True) as api:
        ask_about(engine, carrier, *(f"T{n}" for n in range(100)))
        run(engine, client, settings(api), carrier)
        assert (api.tokens, api.refused) == (1, 0)
        api.revoked.add("Bearer stub-token-1")
        ask_about(engine, carrier, "T1")
        assert run(engine, client, settings(api), carrier).asked == 0
        end_pauses(client)
        assert run(engine, client, settings(api), carrier).asked == 1
        assert api.tokens == 2


@pytest.mark.requirement("M134")
def test_killed_in_the_middle_everything_is_asked_about_again_and_nothing_happens_twice(
    engine, client, database_url, redis_url, ingest_all, rows
):
    with CarrierApi("ups", latency=0.1, everything=True) as api:
        ask_about(engine, "ups", *(f"T{n}" for n in range(300)))
        process = in_a_process(database_url, redis_url, settings(api, "40/s"), "ups")
        while len(api.asked) < 40 and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
        assert 0 < len(api.numbers()) < 300
        age_polls(engine, LEASE)
        run(engine, client, settings(api), "ups", 30)
    ingest_all()
    assert rows("select count(*), count(distinct tracking_number) from parcels") == [(300, 300)]
    assert rows("select count(*) from events") == [(300,)]
    assert rows("select count(*) from polls where due_at <= now()") == [(0,)]


def test_an_answer_is_kept_in_the_database_while_redis_takes_no_message(engine, client, monkeypatch, rows):
    def refuse(*_: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(Intake, "add_all", refuse)
    with CarrierApi("ups", everything=True) as api:
        ask_about(engine, "ups", "T1")
        run(engine, client, settings(api), "ups")
    assert rows("select state, lane from messages") == [("received", "bulk")]


def test_an_answer_that_cannot_be_read_is_kept_once_for_a_person(engine, client, monkeypatch, ingest_all, rows):
    monkeypatch.setattr(CarrierApi, "answer", lambda self, numbers, authorized: (200, {}, ["what is this"]))
    with CarrierApi("ups") as api:
        ask_about(engine, "ups", "T1")
        run(engine, client, settings(api), "ups")
        assert ingest_all().parked == 1
        age_polls(engine, timedelta(days=1))
        run(engine, client, settings(api), "ups")
        assert ingest_all().read == 0
    assert rows("select outcome, calls from polls") == [("unreadable", 2)]


def test_an_answer_without_end_is_not_read_to_the_end(engine, client, monkeypatch, rows):
    monkeypatch.setattr(CarrierApi, "answer", lambda self, numbers, authorized: (200, {}, "x" * 2_000_000))
    with CarrierApi("ups") as api:
        ask_about(engine, "ups", "T1")
        assert run(engine, client, settings(api), "ups").failed == 1
    assert rows("select outcome from polls") == [("away",)]


def test_a_redirect_is_not_followed(engine, client, monkeypatch):
    with CarrierApi("dhl_unified", everything=True) as elsewhere, CarrierApi("dhl_unified") as api:
        moved = (302, {"Location": elsewhere.url + "/track/shipments?trackingNumber=T1"}, {})
        monkeypatch.setattr(api, "answer", lambda numbers, authorized: moved)
        ask_about(engine, "dhl_unified", "T1")
        assert "redirects" in run(engine, client, settings(api), "dhl_unified").why
        assert elsewhere.asked == []


@pytest.mark.requirement("M96")
@pytest.mark.parametrize("carrier", CARRIERS)
def test_no_secret_is_logged_or_left_in_redis(engine, client, caplog, carrier):
    caplog.set_level(logging.DEBUG)
    with CarrierApi(carrier, everything=True, storm=1) as api:
        ask_about(engine, carrier, "T1")
        run(engine, client, settings(api), carrier)
        end_pauses(client)
        ask_about(engine, carrier, "T1")
        assert run(engine, client, settings(api), carrier).asked == 1
    told = caplog.text + str([record.__dict__ for record in caplog.records])
    kept = str([client.dump(key) for key in client.scan_iter()] + list(client.scan_iter()))
    for secret in (API_KEY, CLIENT_ID, CLIENT_SECRET, "stub-token-"):
        assert secret not in told
        assert secret not in kept


def test_a_number_used_again_for_another_delivery_is_asked_about_again(engine, client, register, push, rows):
    push("ups", "T1", *USUAL)
    ask_about(engine, "ups", "T1")
    with CarrierApi("ups", histories={"T1": history(*USUAL)}) as api:
        run(engine, client, settings(api), "ups")
        assert rows("select reason from polls") == [("over: delivered",)]
        register(9, "T1", registered_at=datetime.now(UTC))
        with engine.begin() as connection:
            connection.execute(text("update polls set stopped_at = now() - interval '100 days', asked_at = null"))
            for moment in ("started_at", "last_at"):
                past = "to_jsonb((now() - interval '100 days')::text)"
                connection.execute(
                    text(f"update parcels set state = jsonb_set(state, '{{journeys,-1,{moment}}}', {past})")
                )
            connection.execute(text("update shipments set delivery_method = 'UPS'"))
            enter_numbers(connection, {"ups": "ups"}, timedelta(days=21))
        calls = len(api.asked)
        run(engine, client, settings(api), "ups")
        assert len(api.asked) == calls + 1


@pytest.mark.requirement("M75")
def test_the_calls_a_parcel_took_are_counted_when_asking_ends(engine, client):
    before = metrics.POLLS_PER_PARCEL.labels("ups")._sum.get()
    with CarrierApi("ups", histories={"T1": history("picked_up")}) as api:
        ask_about(engine, "ups", "T1")
        run(engine, client, settings(api), "ups")
        api.histories["T1"] = history(*USUAL)
        age_polls(engine, timedelta(hours=7))
        run(engine, client, settings(api), "ups")
    assert metrics.POLLS_PER_PARCEL.labels("ups")._sum.get() == before + 2


def end_pauses(client: redis.Redis) -> None:
    for key in client.scan_iter("milepost:poll:*"):
        if client.type(key) == b"hash":
            client.hdel(key, "paused_until")


def in_a_process(database_url: str, redis_url: str, environ: dict[str, str], carrier: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.workers.poll.asking", database_url, redis_url, carrier, "30"]
    pairs = [f"{name}={value}" for name, value in environ.items()]
    told = os.environ | {"MILEPOST_REDIS_URL": redis_url}
    return subprocess.Popen([*command, *pairs], cwd=ROOT, env=told, stdout=subprocess.PIPE, text=True)
