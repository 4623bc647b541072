"""The poll task: looks around, wakes a task for each carrier with something due, and asks."""

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import text

import workers.poll.run
import workers.tasks.poll as task
from config.settings import load_settings
from shipments.store.intake import Intake
from shipments.store.polls import OVERLAP, PAGE, enter_parcels
from tests.fakes.carrier_api import CarrierApi
from tests.fakes.carriers import USUAL
from tests.workers.poll.asking import SEAL, TABLE, ask_about, settings


@pytest.fixture
def woken(monkeypatch) -> list[tuple[str, ...]]:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(task, "ring", lambda *wake_up: sent.append(wake_up))
    monkeypatch.setattr(workers.poll.run, "wake", lambda *wake_up: sent.append(wake_up))
    return sent


@pytest.fixture
def told(engine, redis_url, monkeypatch) -> Iterator:
    """Sets the task up with the tests' stores; called with the settings it is told."""
    with redis.Redis.from_url(redis_url) as client:
        for name, value in {"engine": engine, "redis_client": client, "intake": Intake(client), "seal": SEAL}.items():
            monkeypatch.setattr(task, name, lambda value=value: value)
        monkeypatch.setattr(task, "polling", lambda: TABLE)
        monkeypatch.setattr(task, "answer", lambda *_: None)
        monkeypatch.setattr(task, "ledger", lambda: type("Ledger", (), {"post": staticmethod(bool)}))
        yield lambda environ: monkeypatch.setattr(task, "get_settings", lambda: load_settings(environ))


def test_without_credentials_nobody_is_asked_and_it_says_so(told, woken, engine):
    told({})
    ask_about(engine, "ups", "T1")
    assert "credentials" in task.poll()["skipped"]
    assert "credentials" in task.poll("ups")["skipped"]
    assert woken == []


@pytest.mark.requirement("M32", "B5", "M135")
def test_each_carrier_with_something_due_gets_a_task_of_its_own(told, woken, engine, push):
    with CarrierApi("ups", everything=True) as ups, CarrierApi("fedex", everything=True) as fedex:
        told(settings(ups) | settings(fedex))
        push("ups", "T1", *USUAL[:2])
        ask_about(engine, "fedex", "T2")
        assert task.poll() == {"entered": 0, "woken": ["fedex", "ups"]}
        assert sorted(woken) == [("poll", "poll", "fedex"), ("poll", "poll", "ups")]
        assert task.poll("fedex")["asked"] == 1
        assert task.poll("ups")["later"] == 1
        assert task.poll()["woken"] == []


@pytest.mark.requirement("M85")
def test_a_carrier_that_is_left_alone_is_not_even_looked_at(told, woken, engine):
    with CarrierApi("ups", everything=True, storm=1, retry_after=60) as api:
        told(settings(api))
        ask_about(engine, "ups", "T1")
        assert task.poll("ups")["why"] == "it answers 429"
        assert "left alone" in task.poll("ups")["skipped"]
        assert len(api.asked) == 1


def test_what_a_run_could_not_finish_wakes_the_next(told, woken, engine, monkeypatch):
    monkeypatch.setattr(task, "POLL_SECONDS", 0.5)
    with CarrierApi("ups", everything=True, latency=0.05) as api:
        told(settings(api, "20/s"))
        ask_about(engine, "ups", *(f"T{n}" for n in range(200)))
        assert task.poll("ups")["more"]
    assert ("poll", "poll", "ups") in woken


def test_parcels_are_entered_page_by_page_and_late_ones_are_not_missed(told, woken, engine, rows):
    make = """
        insert into parcels (id, carrier, tracking_number, number, state)
        overriding system value select n, 'ups', 'T' || n, 'T' || n, '{"journeys": [{"milestone": "in_transit"}]}'
        from generate_series(cast(:a as int), cast(:b as int)) n
    """

    def enter() -> int:
        with engine.begin() as connection:
            return enter_parcels(connection, ["ups"])

    def pass_time() -> None:
        with engine.begin() as connection:
            older = """
                update marks set value = jsonb_set(value, '{at}',
                    to_jsonb((cast(value ->> 'at' as timestamptz) - cast(:by as interval))::text))
            """
            connection.execute(text(older), {"by": 2 * OVERLAP})

    with engine.begin() as connection:
        connection.execute(text(make), {"a": 10, "b": 2 * PAGE})
    enter()
    assert rows("select count(*) from polls") == [(PAGE - 9,)]
    with engine.begin() as connection:  # their ids were given out before, and can be seen only now
        connection.execute(text(make), {"a": 1, "b": 9})
    enter()
    assert rows("select count(*) from polls") == [(PAGE,)]
    pass_time()
    assert enter() == PAGE
    assert enter() == PAGE
    assert enter() == 0
    assert rows("select count(*) from polls") == [(2 * PAGE,)]
