"""Odoo on bad days: slow, in conflict with others, away. What is written gets there, and Odoo is not worked harder."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import text

from config import metrics
from shipments.effects import Kind
from shipments.errors import OdooAway
from tests.fakes.odoo import FakeOdoo
from tests.shipments.telling import told
from workers.act import BATCH, Done, act_round
from workers.odoo import conflicts, setup
from workers.odoo.budget import OdooBudgetSpent
from workers.odoo.client import OdooTooSlow, connect
from workers.odoo.gate import OPENS_AFTER, pause, paused_until
from workers.odoo.pace import Pace, load_pace, save_pace
from workers.tasks import act as act_task
from workers.tasks import correlate as correlate_task
from workers.tasks import reconcile as reconcile_task


@pytest.fixture
def fake():
    with FakeOdoo() as running:
        yield running


@pytest.fixture
def odoo(fake):
    client = connect(fake.settings(ODOO_TIMEOUT_SECONDS="1"))
    setup.apply(client)
    yield client
    client.close()


@pytest.fixture
def seed(fake, ingest, register):
    """So many deliveries with news of each, those of the timeline due at once, too."""

    def seed(count: int) -> list[int]:
        deliveries = fake.seed(count)
        for delivery in deliveries:
            register(delivery["picking_id"], *delivery["tracking"])
        ingest([told("in_transit", 1, tracking_number=n) for d in deliveries for n in d["tracking"]])
        return [delivery["picking_id"] for delivery in deliveries]

    return seed


@pytest.fixture
def make_due(engine):
    def make_due() -> None:
        with engine.begin() as connection:
            connection.execute(text("update effects set due_at = now() where state = 'due'"))

    return make_due


@pytest.fixture
def tasks(monkeypatch, engine, fake, odoo):
    """The tasks act and correlate themselves, on this store and this Odoo. The pace is one of the test's own."""
    pace = Pace(5.0)

    class NoLedger:
        def post(self) -> None:
            pass

    for task in (act_task, correlate_task, reconcile_task):
        monkeypatch.setattr(task, "engine", lambda: engine)
        monkeypatch.setattr(task, "odoo", lambda: odoo)
        monkeypatch.setattr(task, "ledger", NoLedger)
        monkeypatch.setattr(task, "get_settings", lambda: fake.settings(MILEPOST_RECONCILE_HOUR="0"))
        monkeypatch.setattr(task, "answer", lambda *_: None, raising=False)
        monkeypatch.setattr(task, "ring", lambda *_: None)
    monkeypatch.setattr(act_task, "pace", lambda: pace)
    monkeypatch.setattr(act_task, "ROUND_SECONDS", 0.0)
    return pace


def states(rows, kind):
    return Counter(state for (state,) in rows("select state from effects where kind = :kind", kind=kind))


def end_the_pause(engine):
    with engine.begin() as connection:
        connection.execute(text("update marks set value = value || jsonb_build_object('until', now())"))


@pytest.mark.requirement("M85", "M129")
def test_a_batch_that_times_out_is_done_again_in_halves_and_the_next_one_starts_small(
    engine, fake, odoo, rows, seed, make_due
):
    pace = Pace(5.0)
    seed(200)
    fake.slow_row_seconds = 0.008
    with pytest.raises(OdooTooSlow):
        act_round(engine, odoo, Done(), pace)
    assert states(rows, "delivery") == {"due": 200}
    tally = Done()
    while "due" in states(rows, "delivery"):
        with suppress(OdooTooSlow):  # the timelines, once their time has come
            act_round(engine, odoo, tally, pace)
    assert states(rows, "delivery") == {"done": 200}
    assert pace.most(Kind.DELIVERY, 300) == 100
    fake.slow_row_seconds = 0.0
    make_due()
    while act_round(engine, odoo, tally, pace).performed:
        pass
    assert tally.parked == 0
    keys = [(r["x_picking_id"][0], r["x_tracking_number"]) for r in fake.records("x_milepost_event")]
    assert len(keys) == len(set(keys)) == 220, "every tenth delivery has two parcels; no row is there twice"


@pytest.mark.requirement("M85")
def test_what_was_learned_of_odoo_is_there_for_the_next_process(engine):
    pace, other = Pace(5.0), Pace(5.0)
    pace.level = 2
    pace.timed_out(Kind.TIMELINE, 300, at=7)
    pace.had_turn(Kind.TIMELINE, at=8)
    save_pace(engine, pace)
    load_pace(engine, other)
    assert (other.level, other.rows, other.turns) == (2, {"timeline": (150, 7)}, {"timeline": 8})
    pace.level, pace.rows = 0, {}
    save_pace(engine, pace)
    load_pace(engine, other)
    assert (other.level, other.rows) == (0, {})


@pytest.mark.requirement("M133")
def test_while_odoo_is_slow_deliveries_go_on_and_timelines_wait(engine, odoo, rows, seed, make_due):
    pace = Pace(5.0, level=1)
    pace.had_turn(Kind.TIMELINE)
    seed(3)
    make_due()
    act_round(engine, odoo, Done(), pace)
    assert states(rows, "delivery") == {"done": 3}
    assert set(states(rows, "timeline")) == {"due"}
    pace.turns.clear()
    act_round(engine, odoo, Done(), pace)
    assert set(states(rows, "timeline")) == {"done"}


@pytest.mark.requirement("M133")
def test_while_odoo_is_slow_and_deliveries_fill_their_batch_only_what_had_its_turn_waits_for_the_next(
    engine, odoo, seed, ingest, make_due, monkeypatch
):
    monkeypatch.setitem(BATCH, Kind.DELIVERY, 1)
    pace = Pace(5.0, level=1)
    first, *_ = seed(6)
    ingest([told("exception", 2, "damaged", tracking_number=f"1Z999AA1{first:010d}")])
    make_due()
    went = []
    for _ in range(4):
        done = Done()
        act_round(engine, odoo, done, pace)
        went += [kind.split(":")[0] for kind in done.kinds if not kind.startswith("delivery")]
    assert went == ["activity", "timeline"], "tasks that went first did not put it off"
    assert not pace.turn(Kind.TIMELINE)


@pytest.mark.requirement("M133")
def test_slow_answers_halve_the_pace_of_the_task_and_quick_ones_bring_it_back(
    engine, fake, odoo, seed, make_due, tasks, monkeypatch
):
    odoo.on_done = lambda call: tasks.note(call.seconds)
    tasks.slow_seconds = 0.2
    monkeypatch.setattr("workers.odoo.pace.LONGEST_REST_SECONDS", 0.0)
    seed(3)
    make_due()
    fake.slow_seconds = 0.3
    act_task.act()
    assert tasks.level > 0
    fake.slow_seconds = 0.0
    for _ in range(20):
        for _ in range(5):
            odoo.call("res.users", "context_get")
        tasks.adapt()
    assert tasks.level == 0


@pytest.mark.requirement("M133")
def test_when_a_rounds_time_is_over_no_kind_is_begun_and_what_waits_stays_due(engine, fake, odoo, rows, seed, make_due):
    seed(3)
    make_due()
    done = act_round(engine, odoo, Done(), ends_at=0.0)
    assert (done.performed, done.full) == (0, True)
    assert states(rows, "delivery") == {"due": 3}


@pytest.mark.requirement("M133")
def test_a_task_that_its_time_limit_ends_leaves_the_next_one_a_slower_pace(engine, tasks, monkeypatch):
    def too_slow(*_):
        tasks.note(9.0)
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(act_task, "act_round", too_slow)
    with pytest.raises(SoftTimeLimitExceeded):
        act_task.act()
    other = Pace(5.0)
    load_pace(engine, other)
    assert other.level == 1


def test_quick_answers_of_before_say_nothing_of_an_odoo_that_another_process_found_slow(engine):
    pace, other = Pace(5.0, level=1), Pace(5.0)
    for _ in range(20):
        other.note(0.1)
    save_pace(engine, pace)
    load_pace(engine, other)
    other.adapt()
    assert other.level == 1


def test_a_spent_budget_lets_the_nights_comparison_wait_and_pauses_nobody(engine, tasks, monkeypatch):
    def spent(*_):
        raise OdooBudgetSpent("used up", 1)

    monkeypatch.setattr(reconcile_task, "reconcile_page", spent)
    reconcile_task.reconcile()
    assert paused_until(engine) is None
    monkeypatch.setattr(reconcile_task, "reconcile_page", away)
    reconcile_task.reconcile()
    assert paused_until(engine)


def away(*_):
    raise OdooAway("away")


@pytest.mark.requirement("M84", "M129")
def test_a_write_in_conflict_with_somebody_elses_is_done_again_and_counted(engine, fake, odoo, rows, seed, monkeypatch):
    monkeypatch.setattr(conflicts, "FIRST_WAIT", timedelta(0))
    seed(3)
    before = metrics.ODOO_CONFLICTS.labels("delivery")._value.get()
    fake.conflicts = 2
    act_round(engine, odoo, Done())
    assert states(rows, "delivery") == {"done": 3}
    assert metrics.ODOO_CONFLICTS.labels("delivery")._value.get() - before == 2


@pytest.mark.requirement("M129")
def test_a_conflict_that_lasts_makes_effects_wait_and_parks_none(engine, fake, odoo, rows, seed, monkeypatch):
    monkeypatch.setattr(conflicts, "FIRST_WAIT", timedelta(0))
    seed(3)
    fake.conflicts = 1000
    act_round(engine, odoo, Done())
    assert states(rows, "delivery") == {"due": 3}
    ((reason,),) = rows("select distinct reason from effects where kind = 'delivery'")
    assert "Somebody else wrote" in reason


@pytest.mark.requirement("M129")
def test_an_open_circuit_is_tried_by_one_call_and_nothing_else_before_that_got_through(
    engine, fake, odoo, rows, seed, tasks
):
    seed(3)
    fake.away = True
    for _ in range(OPENS_AFTER):
        act_task.act()
        assert "skipped" in act_task.act()
        end_the_pause(engine)
    asked = len(fake.headers)
    act_task.act()
    assert len(fake.headers) == asked + 1
    assert "skipped" in correlate_task.correlate()
    end_the_pause(engine)
    assert "skipped" in correlate_task.correlate(), "it is still open"
    fake.away = False
    fake.calls.clear()
    tally = act_task.act()
    assert fake.calls[0] == ("res.users", "context_get")
    assert tally["done"] >= 3
    assert "skipped" not in correlate_task.correlate()


def test_an_open_circuit_closes_although_nothing_is_due(engine, tasks):
    for _ in range(OPENS_AFTER):
        pause(engine, "away")
    end_the_pause(engine)
    act_task.act()
    assert paused_until(engine) is None
