"""Effects in Odoo: right, in few calls, and the same however often they are performed."""

from typing import Any
from uuid import uuid4

import pytest

from shipments.errors import OdooAway
from tests.fakes.odoo import FakeOdoo
from tests.workers.odoo.conftest import Shop
from tests.workers.odoo.effects import event, state, task
from workers.odoo import setup
from workers.odoo.activities import write_activities
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import EVENT, ORDER, PICKING
from workers.odoo.writes import (
    DONE,
    Outcome,
    Work,
    _first_reasons,
    state_values,
    write_deliveries,
    write_orders,
    write_timeline,
)

NOWHERE = 99_999_999
FIELDS = list(state_values(state(1).payload))


def read(odoo: Odoo, model: str, record: int, fields: list[str]) -> dict[str, Any]:
    row = odoo.call(model, "read", [record], fields=fields)[0]
    return {name: row[name] for name in fields}


def rows(odoo: Odoo, model: str, *domain: tuple[str, str, object], fields: list[str]) -> list[dict[str, Any]]:
    return odoo.call(model, "search_read", domain=list(domain), fields=fields, context={"active_test": False})


# ---- states


@pytest.mark.requirement("M2", "M17")
def test_a_delivery_shows_its_milestone_time_and_place(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    work = state(picking, milestone="exception", exception_category="address_issue", estimated_delivery_at="2026-11-25")
    assert write_deliveries(ready, [work]) == {work.key: DONE}
    shown = {
        "x_milepost_milestone": "exception",
        "x_milepost_exception": "address_issue",
        "x_milepost_occurred_at": "2026-11-23 10:00:00",
        "x_milepost_occurred_text": "2026-11-23 11:00 (UTC+01:00)",
        "x_milepost_location": "Lyon, FR",
        "x_milepost_estimated_delivery": "2026-11-25",
        "x_milepost_estimated_on": "2026-11-25",
    }
    assert read(ready, PICKING, picking, list(shown)) == shown


@pytest.mark.requirement("M1")
def test_an_order_shows_its_milestone(ready: Odoo, shop: Shop) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    assert write_orders(ready, [state(order, milestone="delivered")]) == {f"state:{order}": DONE}
    assert read(ready, ORDER, order, ["x_milepost_milestone"]) == {"x_milepost_milestone": "delivered"}


def test_what_is_no_longer_known_is_emptied(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    write_deliveries(ready, [state(picking, exception_category="weather")])
    write_deliveries(ready, [state(picking, occurred_at=None, occurred_text=None, location=None)])
    emptied = ["x_milepost_exception", "x_milepost_occurred_at", "x_milepost_location"]
    assert read(ready, PICKING, picking, emptied) == dict.fromkeys(emptied, False)


def test_times_are_kept_in_utc_whatever_zone_our_user_lives_in(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    before = ready.call("res.users", "read", [ready.uid], fields=["tz"])[0]["tz"]
    ready.call("res.users", "write", [ready.uid], vals={"tz": "Asia/Tokyo"})
    try:
        write_deliveries(ready, [state(picking, occurred_at="2026-11-23T12:00:00+02:00")])
    finally:
        ready.call("res.users", "write", [ready.uid], vals={"tz": before})
    at = read(ready, PICKING, picking, ["x_milepost_occurred_at"])
    assert at == {"x_milepost_occurred_at": "2026-11-23 10:00:00"}


def test_different_states_of_many_deliveries_are_one_call(ready: Odoo, shop: Shop) -> None:
    pickings = shop.deliver(30)
    calls = ready.calls
    outcomes = write_deliveries(ready, [state(picking, location=f"Hub {picking}") for picking in pickings])
    assert ready.calls - calls == 1
    assert set(outcomes.values()) == {DONE}
    assert read(ready, PICKING, pickings[7], ["x_milepost_location"]) == {"x_milepost_location": f"Hub {pickings[7]}"}


def test_equal_states_of_many_deliveries_are_one_write(ready: Odoo, shop: Shop) -> None:
    pickings = shop.deliver(25)
    calls, heard = ready.calls, []
    ready.on_call = lambda model, method, seconds, outcome: heard.append(method)
    write_deliveries(ready, [state(picking) for picking in pickings])
    assert (ready.calls - calls, heard) == (1, ["write"])
    assert read(ready, PICKING, pickings[-1], FIELDS)["x_milepost_occurred_at"] == "2026-11-23 10:00:00"


def test_a_deleted_delivery_is_parked_and_takes_no_other_down(ready: Odoo, shop: Shop) -> None:
    first, second = shop.deliver(2)
    outcomes = write_deliveries(ready, [state(p, location=f"Hub {p}") for p in (first, NOWHERE, second)])
    assert outcomes[f"state:{NOWHERE}"].state == "parked"
    assert "does not exist" in outcomes[f"state:{NOWHERE}"].reason
    assert outcomes[f"state:{first}"] == outcomes[f"state:{second}"] == DONE
    assert read(ready, PICKING, second, ["x_milepost_location"]) == {"x_milepost_location": f"Hub {second}"}


def test_a_deleted_delivery_among_equal_states_takes_no_other_down(ready: Odoo, shop: Shop) -> None:
    pickings = shop.deliver(22)
    outcomes = write_deliveries(ready, [state(picking) for picking in [*pickings, NOWHERE]])
    assert outcomes.pop(f"state:{NOWHERE}").state == "parked"
    assert set(outcomes.values()) == {DONE}
    assert read(ready, PICKING, pickings[0], ["x_milepost_milestone"]) == {"x_milepost_milestone": "in_transit"}


def test_a_value_odoo_does_not_know_is_parked_with_odoos_reason(ready: Odoo, shop: Shop) -> None:
    first, second = shop.deliver(2)
    outcomes = write_deliveries(ready, [state(first, milestone="teleported"), state(second)])
    assert outcomes[f"state:{first}"].state == "parked"
    assert "teleported" in outcomes[f"state:{first}"].reason
    assert outcomes[f"state:{second}"] == DONE


@pytest.mark.requirement("M58")
def test_replaying_a_state_changes_nothing_and_says_nothing_in_the_chatter(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    about = (("model", "=", PICKING), ("res_id", "=", picking))
    before = rows(ready, "mail.message", *about, fields=["id"])
    write_deliveries(ready, [state(picking)])
    once = read(ready, PICKING, picking, FIELDS)
    for milestone in ("delivered", "in_transit", "in_transit"):
        write_deliveries(ready, [state(picking, milestone=milestone)])
    assert read(ready, PICKING, picking, FIELDS) == once
    assert rows(ready, "mail.message", *about, fields=["id"]) == before


def test_nothing_to_write_is_no_call(ready: Odoo) -> None:
    calls = ready.calls
    assert write_deliveries(ready, []) == write_timeline(ready, []) == write_activities(ready, []) == {}
    assert ready.calls == calls


def test_without_the_rights_the_work_waits_and_is_not_parked(fake: FakeOdoo) -> None:
    picking = fake.seed(1)[0]["picking_id"]
    odoo = connect(fake.settings())
    setup.apply(odoo)
    fake.forbidden.update({(PICKING, "write"), (EVENT, "create"), ("mail.activity", "create")})
    for outcomes in (
        write_deliveries(odoo, [state(picking)]),
        write_timeline(odoo, [event(picking, uuid4().hex)]),
        write_activities(odoo, [task(picking, uuid4().hex)]),
    ):
        [outcome] = outcomes.values()
        assert outcome.state == "later"
        assert "Milepost / Integration" in outcome.reason


def test_an_odoo_that_goes_away_in_the_middle_leaves_the_rest_without_outcome(fake: FakeOdoo) -> None:
    picking = fake.seed(1)[0]["picking_id"]
    odoo = connect(fake.settings())
    setup.apply(odoo)
    fake.away = True
    for write, work in (
        (write_deliveries, state(picking)),
        (write_timeline, event(picking, uuid4().hex)),
        (write_activities, task(picking, uuid4().hex)),
        (write_activities, task(picking, uuid4().hex, open=False, sent=True)),
    ):
        with pytest.raises(OdooAway):
            write(odoo, [work])


def test_three_hundred_deliveries_are_one_call_and_one_more_are_two(fake: FakeOdoo) -> None:
    pickings = [row["picking_id"] for row in fake.seed(301)]
    odoo = connect(fake.settings())
    setup.apply(odoo)
    for count, expected in ((300, 1), (301, 2)):
        calls = odoo.calls
        write_deliveries(odoo, [state(picking, location=str(picking)) for picking in pickings[:count]])
        assert odoo.calls - calls == expected


def test_the_first_row_is_not_blamed_for_what_odoo_puts_in_front() -> None:
    failure = {"type": "error", "message": "no"}
    assert _first_reasons([{**failure, "record": 0}, {**failure, "record": 3}]) == {3: "Odoo says: no"}
    assert _first_reasons([{**failure, "record": 0}]) == {0: "Odoo says: no"}
    assert _first_reasons([{**failure, "record": 0}, {**failure, "record": 0}]) == {0: "Odoo says: no"}


# ---- timeline


@pytest.mark.requirement("X17", "M6")
def test_an_event_is_in_the_timeline_of_the_delivery_and_of_the_order_newest_first(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    older = event(picking, uuid4().hex, occurred_at="2026-11-20T08:30:00+00:00", milestone="picked_up")
    newer = event(picking, uuid4().hex)
    assert set(write_timeline(ready, [newer, older]).values()) == {DONE}
    found = rows(ready, EVENT, ("x_picking_id", "=", picking), fields=["x_milestone", "x_occurred_at", "x_code"])
    assert {(row["x_milestone"], row["x_occurred_at"], row["x_code"]) for row in found} == {
        ("out_for_delivery", "2026-11-23 08:30:00", "OFD"),
        ("picked_up", "2026-11-20 08:30:00", "OFD"),
    }
    ids = read(ready, PICKING, picking, ["x_milepost_event_ids"])["x_milepost_event_ids"]
    assert sorted(ids) == sorted(row["id"] for row in found)
    order_ids = read(ready, ORDER, shop.order_of(picking), ["x_milepost_event_ids"])["x_milepost_event_ids"]
    assert sorted(order_ids) == sorted(ids)


def test_an_event_sent_again_is_there_once_and_the_same_event_on_two_deliveries_twice(ready: Odoo, shop: Shop) -> None:
    first, second = shop.deliver(2)
    key = uuid4().hex
    for _ in range(3):
        write_timeline(ready, [event(first, key), event(second, key)])
    found = rows(ready, EVENT, ("x_picking_id", "in", [first, second]), fields=["x_picking_id"])
    assert sorted(row["x_picking_id"][0] for row in found) == sorted([first, second])


def test_an_event_of_a_deleted_delivery_is_parked_and_takes_no_other_down(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    good, bad = event(picking, uuid4().hex), event(NOWHERE, uuid4().hex)
    outcomes = write_timeline(ready, [bad, good])
    assert outcomes[good.key] == DONE
    assert (outcomes[bad.key].state, outcomes[bad.key].sent) == ("parked", False)
    assert len(rows(ready, EVENT, ("x_picking_id", "=", picking), fields=["id"])) == 1


# ---- activities


def tasks(odoo: Odoo, picking: int) -> list[dict[str, Any]]:
    about = (("res_model", "=", PICKING), ("res_id", "=", picking))
    return odoo.call("mail.activity", "search_read", domain=list(about), fields=["summary", "note", "user_id"])


def test_a_problem_becomes_one_task_however_often_it_is_sent(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    work = task(picking, uuid4().hex)
    for _ in range(3):
        assert write_activities(ready, [work]) == {work.key: DONE}
    [made] = tasks(ready, picking)
    assert made["summary"] == "Address issue"
    assert made["user_id"][0] == ready.uid
    assert "&lt;number&gt; &amp; floor" in made["note"]


@pytest.mark.requirement("M19")
def test_a_task_is_closed_when_the_problem_is_over_and_stays_closed(ready: Odoo, shop: Shop) -> None:
    first, second = shop.deliver(2)
    problem = uuid4().hex
    write_activities(ready, [task(first, problem), task(second, problem)])
    closed = task(first, problem, open=False, sent=True)
    for _ in range(3):
        assert write_activities(ready, [closed]) == {closed.key: DONE}
    write_activities(ready, [task(first, problem, sent=True)])
    assert tasks(ready, first) == []
    assert len(tasks(ready, second)) == 1


def test_closing_leaves_a_persons_own_tasks_open(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    problem, other = uuid4().hex, uuid4().hex
    write_activities(ready, [task(picking, problem), task(picking, other, summary="Another problem")])
    write_activities(ready, [task(picking, problem, open=False, sent=True)])
    assert [row["summary"] for row in tasks(ready, picking)] == ["Another problem"]


def test_a_task_closed_by_a_person_stays_closed_when_the_problem_ends(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    problem = uuid4().hex
    write_activities(ready, [task(picking, problem)])
    ready.call("mail.activity", "action_feedback", [tasks(ready, picking)[0]["id"]], feedback="Done")
    closed = task(picking, problem, open=False, sent=True)
    assert write_activities(ready, [closed]) == {closed.key: DONE}
    assert tasks(ready, picking) == []


def test_a_problem_that_ended_before_it_was_sent_never_becomes_a_task(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    work, calls = task(picking, uuid4().hex, open=False), ready.calls
    assert write_activities(ready, [work]) == {work.key: Outcome("done", sent=False)}
    assert ready.calls == calls


def test_a_responsible_who_does_not_exist_any_more_does_not_stop_the_task(ready: Odoo, shop: Shop) -> None:
    first, second = shop.deliver(2)
    gone, kept = task(first, uuid4().hex, user_id=NOWHERE), task(second, uuid4().hex)
    assert set(write_activities(ready, [gone, kept]).values()) == {DONE}
    assert tasks(ready, first)[0]["user_id"][0] == ready.uid


def test_a_task_about_a_deleted_delivery_is_parked_and_takes_no_other_down(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    works = [task(picking, uuid4().hex), task(NOWHERE, uuid4().hex)]
    good, bad = write_activities(ready, works).values()
    assert (good, bad.state, bad.sent) == (DONE, "parked", False)
    assert len(tasks(ready, picking)) == 1


@pytest.mark.parametrize(
    "make",
    [lambda picking: event(picking, "e" * 32), lambda picking: task(picking, "f" * 32)],
    ids=["timeline", "activity"],
)
def test_work_whose_answer_was_lost_is_there_once_after_it_is_sent_again(fake: FakeOdoo, make: Any) -> None:
    work: Work = make(fake.seed(1)[0]["picking_id"])
    write, model = (write_timeline, EVENT) if "event_key" in work.payload else (write_activities, "mail.activity")
    odoo = connect(fake.settings())
    setup.apply(odoo)
    assert odoo.uid
    fake.answer_after_doing_then_close = True
    with pytest.raises(OdooAway):
        write(odoo, [work])
    fake.answer_after_doing_then_close = False
    assert write(odoo, [work]) == {work.key: DONE}
    assert len(fake.records(model)) == 1
