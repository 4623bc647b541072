"""Effects into Odoo, with Odoo as it is on bad days: the stand-in behind the real client, effects in the real store."""

import math

import pytest

from shipments.effects import Effect, Kind
from shipments.errors import OdooAway
from shipments.store.alone import Lock, alone
from shipments.store.effects import claim_effects, reclaim_effects, retry_parked, save_effects
from tests.fakes.odoo import FakeOdoo
from tests.shipments.telling import told
from workers.act import BATCH, Done, act_round
from workers.odoo import setup
from workers.odoo.client import connect
from workers.odoo.pace import Pace


@pytest.fixture
def fake():
    with FakeOdoo() as running:
        yield running


@pytest.fixture
def odoo(fake):
    client = connect(fake.settings(ODOO_TIMEOUT_SECONDS="2"))
    setup.apply(client)
    yield client
    client.close()


@pytest.fixture
def act(engine, odoo):
    """Rounds until nothing is due, timelines included."""

    def act() -> Done:
        with engine.begin() as connection:
            connection.exec_driver_sql("update effects set due_at = now() where state = 'due'")
        tally = Done()
        while act_round(engine, odoo, tally).performed:
            pass
        return tally

    return act


@pytest.fixture
def seeded(fake, register):
    """A delivery in Odoo that the store knows."""
    delivery = fake.seed(2)[1]
    register(delivery["picking_id"], *delivery["tracking"], order_id=delivery["order_id"])
    return delivery


def shown(fake, delivery):
    return next(r for r in fake.records("stock.picking") if r["id"] == delivery["picking_id"])


@pytest.mark.requirement("M1", "M2", "X17")
def test_odoo_shows_the_milestone_on_delivery_and_order_and_the_event_in_the_timeline(act, fake, ingest, seeded):
    number = seeded["tracking"][0]
    ingest([told("in_transit", 1, tracking_number=number)], [told("delivered", 9, tracking_number=number)])
    tally = act()
    assert (tally.done, tally.parked) == (6, 0), "the delivery, its order, two rows, and what finance is told of both"
    assert shown(fake, seeded)["x_milepost_milestone"] == "delivered"
    order = next(r for r in fake.records("sale.order") if r["id"] == seeded["order_id"])
    assert order["x_milepost_milestone"] == "delivered"
    assert {r["x_milestone"] for r in fake.records("x_milepost_event")} == {"in_transit", "delivered"}


@pytest.mark.requirement("M45", "M132", "B3")
def test_what_was_told_once_is_not_told_again(act, fake, ingest, seeded):
    event = told("delivered", 9, tracking_number=seeded["tracking"][0])
    ingest([event])
    act()
    calls = len(fake.calls)
    ingest([event], [event])
    assert act().done == 0
    assert len(fake.calls) == calls


@pytest.mark.requirement("M5")
def test_an_order_whose_turn_came_before_that_of_its_delivery_is_flagged_and_drafted_as_soon_as_that_is_flagged(
    act, engine, fake, ingest, odoo, rows, seeded
):
    order = seeded["order_id"]
    ingest([told("delivered", 9, tracking_number=seeded["tracking"][0])])
    with engine.begin() as connection:
        draft = Effect(f"invoice:{order}", Kind.INVOICE, order, {"delivered_at": "2026-03-02T09:00:00+00:00"})
        save_effects(connection, [draft])
        connection.exec_driver_sql("update effects set due_at = now() + interval '1 h' * (key like 'billing:%%')::int")
    act_round(engine, odoo, Done())
    states = "select state, again_at is null from effects where kind in ('billing', 'invoice') order by key"
    assert rows(states) == [("due", True), ("done", False), ("done", False)], "delivery, invoice, order"
    act()
    assert [row["invoice_origin"] for row in fake.records("account.move")] == [seeded["order"]]
    assert rows(states) == [("done", True)] * 3


@pytest.mark.requirement("M42", "M129")
def test_while_odoo_is_away_effects_wait_and_no_attempt_is_counted(act, fake, ingest, rows, seeded):
    ingest([told("delivered", 9, tracking_number=seeded["tracking"][0])])
    fake.away = True
    for _ in range(20):
        with pytest.raises(OdooAway):
            act()
    assert set(rows("select state, attempts from effects")) == {("due", 0)}
    fake.away = False
    act()
    assert shown(fake, seeded)["x_milepost_milestone"] == "delivered"


def test_an_answer_that_was_lost_after_the_work_was_done_leaves_nothing_twice(act, fake, ingest, seeded):
    number = seeded["tracking"][0]
    ingest([told("exception", 3, "damaged", tracking_number=number)])
    fake.answer_after_doing_then_close = True
    with pytest.raises(OdooAway):
        act()
    fake.answer_after_doing_then_close = False
    act()
    assert len(fake.records("x_milepost_event")) == 1
    assert len(fake.records("mail.activity")) == 1


def test_a_task_that_odoo_made_without_our_hearing_of_it_is_closed_when_the_parcel_moves_on(
    act, engine, fake, ingest, rows, seeded
):
    number = seeded["tracking"][0]
    ingest([told("exception", 3, "damaged", tracking_number=number)])
    act()
    with engine.begin() as connection:  # killed before it was written down
        connection.exec_driver_sql("update effects set state = 'due', sent = false where kind = 'activity'")
    assert [task["active"] for task in fake.records("mail.activity")] == [True]
    ingest([told("in_transit", 5, tracking_number=number)])
    act()
    assert [task for task in fake.records("mail.activity") if task["active"]] == []
    assert rows("select sent from effects where kind = 'activity'") == [(True,)]


def test_a_delivery_deleted_in_odoo_is_parked_with_a_sentence_and_the_others_go_through(
    act, engine, fake, ingest, register, rows, seeded
):
    register(999, "GONE1")
    ingest(
        [told("delivered", 9, tracking_number="GONE1")],
        [told("delivered", 9, tracking_number=seeded["tracking"][0])],
    )
    tally = act()
    assert tally.parked == 3, "the delivery, its row of the timeline, and what finance is told"
    assert shown(fake, seeded)["x_milepost_milestone"] == "delivered"
    parked = rows("select key, reason from effects where state = 'parked' order by key")
    assert [key.split(":")[0] for key, _ in parked] == ["billing", "delivery", "timeline"]
    assert all("does not exist in Odoo any more" in reason for _, reason in parked[:2])
    with engine.begin() as connection:
        assert retry_parked(connection) == (3, max(key for key, _ in parked))
        assert retry_parked(connection) == (0, None)


def test_missing_rights_make_effects_wait_with_the_reason_and_not_park(act, engine, fake, ingest, rows, odoo, seeded):
    fake.forbidden.add(("stock.picking", "write"))
    ingest([told("delivered", 9, tracking_number=seeded["tracking"][0])])
    act_round(engine, odoo, Done())
    ((state, reason),) = rows("select state, reason from effects where kind = 'delivery'")
    assert state == "due"
    assert reason


@pytest.mark.requirement("M19", "M18")
def test_an_activity_is_opened_once_and_closed_when_the_parcel_moves_on(act, fake, ingest, seeded):
    number = seeded["tracking"][0]
    ingest([told("exception", 3, "customs_hold", tracking_number=number, description="Duty unpaid")])
    act()
    (activity,) = fake.records("mail.activity")
    assert activity["active"]
    assert "Duty unpaid" in activity["note"]
    ingest([told("exception", 3, "customs_hold", tracking_number=number)])
    act()
    assert len(fake.records("mail.activity")) == 1
    ingest([told("customs_released", 8, tracking_number=number)])
    act()
    assert [a["active"] for a in fake.records("mail.activity")] == [False]


def test_trouble_that_was_over_before_odoo_could_be_told_makes_no_activity(act, fake, ingest, seeded):
    number = seeded["tracking"][0]
    ingest([told("exception", 3, "customs_hold", tracking_number=number), told("delivered", 8, tracking_number=number)])
    act()
    assert fake.records("mail.activity") == []


@pytest.mark.requirement("M75", "M149")
def test_three_hundred_deliveries_are_a_handful_of_calls(act, fake, ingest, register):
    for delivery in fake.seed(300):
        register(delivery["picking_id"], *delivery["tracking"], order_id=delivery["order_id"])
        ingest([told("in_transit", 1, tracking_number=number) for number in delivery["tracking"]])
    assert act().calls <= 8


def test_what_a_killed_writer_had_claimed_is_done_by_the_next_at_once(act, engine, fake, ingest, seeded):
    ingest([told("delivered", 9, tracking_number=seeded["tracking"][0])])
    with engine.begin() as connection:
        assert claim_effects(connection, Kind.DELIVERY, 10)
    assert act().done == 4, "the order, the timeline and what finance is told; the delivery is somebody's"
    with engine.begin() as connection:
        assert reclaim_effects(connection) == 1
    act()
    assert shown(fake, seeded)["x_milepost_milestone"] == "delivered"


def test_only_one_process_writes_at_a_time(engine):
    with alone(engine, Lock.ODOO_WRITER) as first, alone(engine, Lock.ODOO_WRITER) as second:
        assert (first, second) == (True, False)
    with alone(engine, Lock.ODOO_WRITER) as again:
        assert again


def test_a_round_says_whether_more_may_wait(engine, odoo, fake, ingest, register, monkeypatch):
    monkeypatch.setitem(BATCH, Kind.DELIVERY, 2)
    for delivery in fake.seed(3):
        register(delivery["picking_id"], *delivery["tracking"])
        ingest([told("in_transit", tracking_number=delivery["tracking"][0])])
    with engine.begin() as connection:  # their timetable may come in between
        connection.exec_driver_sql("delete from effects where kind = 'timeline'")
    rounds = [act_round(engine, odoo, Done()) for _ in range(3)]
    assert rounds == [(2, True), (1, False), (0, False)]


@pytest.mark.requirement("M133")
def test_while_deliveries_fill_their_batch_one_other_kind_goes_along_in_turn(
    engine, odoo, fake, ingest, register, monkeypatch
):
    monkeypatch.setitem(BATCH, Kind.DELIVERY, 2)
    for delivery in fake.seed(5):
        register(delivery["picking_id"], delivery["tracking"][0], order_id=delivery["order_id"])
        ingest([told("in_transit", tracking_number=delivery["tracking"][0])])
    with engine.begin() as connection:
        connection.exec_driver_sql("update effects set due_at = now()")
    pace, rounds = Pace(math.inf), []
    for _ in range(3):
        act_round(engine, odoo, tally := Done(), pace)
        rounds.append([kind.partition(":")[0] for kind in tally.kinds])
    assert rounds == [["delivery", "order"], ["delivery", "timeline"], ["delivery"]]


@pytest.mark.requirement("M133")
def test_deliveries_go_before_the_rest_of_a_round_that_takes_long(engine, odoo, fake, ingest, register, monkeypatch):
    (delivery,) = fake.seed(1)
    register(delivery["picking_id"], delivery["tracking"][0], order_id=delivery["order_id"])

    def kinds_after(milestone: str, hour: int, pace: Pace) -> list[str]:
        ingest([told(milestone, hour, tracking_number=delivery["tracking"][0])])
        with engine.begin() as connection:
            connection.exec_driver_sql("update effects set due_at = now() where state = 'due'")
        act_round(engine, odoo, tally := Done(), pace)
        return [kind.partition(":")[0] for kind in tally.kinds]

    monkeypatch.setattr("workers.act.LONG_ROUND_SECONDS", 0.0)
    pace = Pace(math.inf)
    assert kinds_after("in_transit", 1, pace) == ["delivery", "order"]
    assert kinds_after("out_for_delivery", 2, pace) == ["delivery", "timeline"]
    slow = Pace(math.inf, level=1)
    assert kinds_after("available_for_pickup", 3, slow) == ["delivery", "order", "timeline"], "as few calls as may be"
