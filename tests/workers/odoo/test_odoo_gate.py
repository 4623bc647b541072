"""The circuit between Milepost and Odoo, in the real store."""

import pytest
from sqlalchemy import Engine, text

from app.health import Health
from config import metrics
from config.settings import load_settings
from workers.odoo.gate import OPENS_AFTER, may_try, pause, paused_until, resume


def end_the_pause(engine: Engine) -> None:
    with engine.begin() as connection:
        past = """update marks set value = value || jsonb_build_object('until', now() - interval '1 second')"""
        connection.execute(text(past))


def open_it(engine: Engine) -> None:
    for _ in range(OPENS_AFTER):
        pause(engine, "away")


@pytest.mark.requirement("M129")
def test_one_failure_keeps_everybody_off_for_a_moment_and_then_the_way_is_free(engine: Engine) -> None:
    pause(engine, "away")
    assert paused_until(engine)
    end_the_pause(engine)
    assert paused_until(engine) is None
    assert not may_try(engine)


@pytest.mark.requirement("M129")
def test_several_failures_open_the_circuit_and_only_a_call_that_gets_through_closes_it(engine: Engine) -> None:
    open_it(engine)
    assert not may_try(engine), "its time is not over"
    end_the_pause(engine)
    assert paused_until(engine), "the others keep off until one has tried"
    assert may_try(engine)
    pause(engine, "still away")
    assert not may_try(engine)
    end_the_pause(engine)
    assert may_try(engine)
    resume(engine)
    assert (paused_until(engine), may_try(engine)) == (None, False)


@pytest.mark.requirement("M129")
def test_failures_far_apart_are_not_in_a_row_and_open_nothing(engine: Engine) -> None:
    for _ in range(OPENS_AFTER - 1):
        pause(engine, "away")
    with engine.begin() as connection:
        long_ago = "update marks set value = value || jsonb_build_object('until', now() - interval '6 minutes')"
        connection.execute(text(long_ago))
    assert pause(engine, "away") <= 2.5
    end_the_pause(engine)
    assert paused_until(engine) is None


@pytest.mark.requirement("M84", "M129")
def test_the_pause_grows_while_odoo_stays_away_up_to_half_a_minute(engine: Engine) -> None:
    pauses = [pause(engine, "away") for _ in range(12)]
    assert 1.5 <= pauses[0] <= 2.5
    assert pauses[0] < pauses[2] < pauses[4]
    assert min(pauses[-4:]) > 22
    assert max(pauses) <= 37.5
    assert len(set(pauses[-4:])) == 4, "with jitter"


@pytest.mark.requirement("M85")
def test_odoo_is_left_alone_for_as_long_as_it_asked_for(engine: Engine) -> None:
    assert pause(engine, "answers 429", retry_after_seconds=600) == 600


def test_health_and_metrics_show_an_open_circuit(engine: Engine) -> None:
    health = Health(load_settings({}), None, engine, None)
    health.measure()
    assert metrics.ODOO_CIRCUIT_OPEN._value.get() == 0
    assert "odoo" not in health.parts()
    open_it(engine)
    health.measure()
    assert metrics.ODOO_CIRCUIT_OPEN._value.get() == 1
    assert "left alone" in health.parts()["odoo"][0]
