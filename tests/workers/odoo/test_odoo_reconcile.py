"""Odoo against the store: on the stand-in and on a real Odoo, in both protocols."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from shipments.clock import now
from tests.shipments.telling import told
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import real
from tests.workers.odoo.people import sign_in_as_milepost
from workers.odoo import guard, reconcile_command
from workers.odoo.client import Odoo
from workers.odoo.commands import odoo as odoo_commands
from workers.odoo.fields import PICKING
from workers.odoo.reconcile import Run, reconcile_page


@pytest.fixture
def reconcile(engine: Engine, ready: Odoo) -> Callable[..., Run]:
    """One whole comparison of what was written from `since` on, which leaves out other tests' deliveries."""
    time.sleep(1.1)  # Odoo tells whole seconds
    since = now().replace(microsecond=0)

    def reconcile(*, repair: bool = True) -> Run:
        run = Run.begin(now(), repair=repair, since=since)
        while not run.ended:
            reconcile_page(engine, ready, POLICY, run)
        return run

    return reconcile


def shown(odoo: Odoo, picking: int) -> dict:
    fields = ["x_milepost_milestone", "x_milepost_kept", "x_milepost_locked", "x_milepost_sent"]
    return odoo.call(PICKING, "read", [picking], fields=fields)[0]


@pytest.mark.requirement("M137")
def test_drift_is_found_and_mended_and_the_second_run_finds_none(ready, shop, look, act, ingest, reconcile) -> None:
    numbers = [shop.number(place) for place in range(4)]
    pickings = shop.ship(*numbers)
    look(*numbers)
    ingest(*[[told("damaged", 3, "damaged", tracking_number=number)] for number in numbers])
    act()
    lost, wiped, moved, _ = pickings
    before = {"x_milepost_milestone": "lost", "x_milepost_sent": False}  # as of a backup from before fingerprints
    ready.call(PICKING, "write", [lost], vals=before)
    events = ready.call("x_milepost_event", "search", domain=[("x_picking_id", "=", wiped)])
    ready.call("x_milepost_event", "write", events, vals={"x_picking_id": False})
    ready.call(PICKING, "write", [moved], vals={"carrier_tracking_ref": shop.number(9)})
    only_listed = reconcile(repair=False)
    assert only_listed.drift == {"state": 1, "timeline": 1, "number": 1}
    assert act().done == 0
    assert reconcile().drift == only_listed.drift
    act()
    assert shown(ready, lost)["x_milepost_milestone"] == "damaged"
    assert reconcile(repair=False).drift == {}
    assert act().done == 0


@pytest.mark.requirement("M137")
def test_an_order_that_lost_its_state_gets_it_back(ready, shop, look, act, ingest, reconcile) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    order = shop.order_of(picking)
    lost = {"x_milepost_milestone": False, "x_milepost_sent": False}
    ready.call("sale.order", "write", [order], vals=lost)
    assert reconcile().drift == {"order": 1}
    act()
    [row] = ready.call("sale.order", "read", [order], fields=["x_milepost_milestone"])
    assert row["x_milepost_milestone"] == "in_transit"
    assert reconcile().drift == {}


@pytest.mark.requirement("M137")
def test_numbers_added_and_wiped_in_odoo_are_followed(ready, shop, look, act, ingest, reconcile) -> None:
    kept, added = shop.number(1), shop.number(2)
    first, second = shop.ship(kept, shop.number(3))
    look(kept, shop.number(3))
    ingest(*[[told("in_transit", 1, tracking_number=number)] for number in (kept, added)])
    act()
    ready.call(PICKING, "write", [first], vals={"carrier_tracking_ref": False})
    ready.call(PICKING, "write", [second], vals={"carrier_tracking_ref": added})
    assert reconcile().drift == {"number": 2}
    act()
    assert shown(ready, first)["x_milepost_milestone"] is False
    assert shown(ready, second)["x_milepost_milestone"] == "in_transit"
    assert reconcile().drift == {}


@pytest.mark.requirement("M137")
def test_a_task_that_is_over_and_still_open_in_odoo_is_closed(
    engine, ready, shop, look, act, ingest, reconcile
) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("exception", 1, "address_issue", tracking_number=number)])
    act()
    ingest([told("delivered", 9, tracking_number=number)])
    with engine.begin() as connection:  # as if it had been written down as closed, and Odoo was set back afterwards
        connection.execute(text("update effects set state = 'done', done_at = now() where kind = 'activity'"))
    act()
    about = [("res_model", "=", PICKING), ("res_id", "=", picking)]
    assert ready.call("mail.activity", "search_count", domain=about) == 1
    assert reconcile().drift == {"task": 1}
    act()
    assert ready.call("mail.activity", "search_count", domain=about) == 0
    assert reconcile().drift == {}


@pytest.mark.requirement("M137")
def test_what_arrived_and_was_not_written_down_is_written_down_and_not_sent_twice(
    rows, engine, ready, shop, look, act, ingest, reconcile
) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    with engine.begin() as connection:
        connection.execute(text("update effects set state = 'parked' where kind in ('delivery', 'timeline')"))
    assert reconcile().drift == {"unrecorded": 2}
    act()
    assert rows("select count(*) from effects where state <> 'done'") == [(0,)]
    events = [("x_picking_id", "=", picking)]
    assert ready.call("x_milepost_event", "search_count", domain=events) == 1
    assert reconcile().drift == {}


@pytest.mark.requirement("M137")
def test_what_waits_for_a_delivery_deleted_in_odoo_is_closed_and_listed_once(
    rows, engine, ready, shop, look, act, ingest, reconcile
) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    ready.call(PICKING, "unlink", [picking])
    ingest([told("exception", 5, "address_issue", tracking_number=number)])
    act()
    ingest([told("delivered", 9, tracking_number=number)])
    parked = "select count(*) from effects where state = 'parked' and kind <> 'order'"
    assert rows(parked) != [(0,)]
    assert reconcile().drift == {"deleted": 1}
    assert act().parked == 0
    assert rows(parked) == [(0,)]
    [(reason,)] = rows("select distinct reason from effects where subject = :id and reason is not null", id=picking)
    assert reason == "closed: the delivery was deleted in Odoo"
    assert reconcile().drift == {}


@pytest.mark.requirement("M137", "M46")
def test_a_delivery_that_our_user_may_not_see_any_more_is_not_taken_for_deleted(
    ready, shop, look, act, ingest, reconcile
) -> None:
    numbers = [shop.number(place) for place in range(3)]
    hidden, deleted, _ = shop.ship(*numbers)
    look(*numbers)
    ingest(*[[told("in_transit", 1, tracking_number=number)] for number in numbers])
    act()
    ready.call(PICKING, "unlink", [deleted])
    [model] = ready.call("ir.model", "search", domain=[("model", "=", PICKING)])
    rule = {"name": shop.name, "model_id": model, "domain_force": f"[('id', '!=', {hidden})]"}
    [made] = ready.call("ir.rule", "create", vals_list=[rule])
    try:
        run = reconcile()
    finally:
        ready.call("ir.rule", "unlink", [made])
    assert (run.drift, run.hidden) == ({"deleted": 1}, 1)
    ingest([told("delivered", 9, tracking_number=numbers[0])])
    act()
    assert shown(ready, hidden)["x_milepost_milestone"] == "delivered"
    assert reconcile().drift == {}


@pytest.mark.requirement("M137", "M84")
def test_a_thousand_deliveries_are_reconciled_in_under_thirty_calls(
    ready, thousand, look, act, ingest, reconcile
) -> None:
    for start in range(0, 1000, 100):
        look(*thousand[start : start + 100])
    ingest(*[[told("in_transit", 3, tracking_number=number)] for number in thousand])
    act()
    run = reconcile()
    assert (run.deliveries, run.drift) == (1000, {})
    assert run.calls < 30


@pytest.mark.requirement("M137")
def test_reconcile_on_demand_lists_mends_and_shows_its_last_report(
    engine, database_url, settings, ready, shop, monkeypatch
) -> None:
    here = replace(settings, database_url=database_url)
    monkeypatch.setattr(reconcile_command, "running_settings", lambda: here)

    def run(*words: str) -> Result:
        return CliRunner().invoke(odoo_commands, ["reconcile", *words], catch_exceptions=False)

    time.sleep(1.1)  # Odoo tells whole seconds
    since = f"--since={now():%Y-%m-%dT%H:%M:%S}"
    [picking] = shop.ship(shop.number(1))
    only_listed, mended, again, last = run("--dry-run", since), run(since), run(since), run("--last")
    for result in (only_listed, mended):
        assert f"number      delivery:{picking}" in result.output
        assert "1 deliveries compared" in result.output
        assert "1 differences" in result.output
    assert "listed only" in only_listed.output
    assert "0 differences" in again.output
    assert last.output.splitlines()[-1] == again.output.splitlines()[-1]


@real
@pytest.mark.requirement("M137", "M93")
def test_reconcile_needs_no_more_rights_than_setup_gives(engine, shop, ready, look, act, ingest, settings) -> None:
    own = sign_in_as_milepost(ready, settings)
    numbers = [shop.number(place) for place in range(3)]
    since = now()
    lost, deleted, troubled = shop.ship(*numbers)
    look(*numbers)
    ingest(*[[told("exception", 1, "address_issue", tracking_number=number)] for number in numbers])
    act()
    ingest([told("delivered", 9, tracking_number=numbers[2])])
    with engine.begin() as connection:  # the task stays open, and the rows of a timeline seem to be parked
        connection.execute(text("update effects set state = 'done', done_at = now() where kind = 'activity'"))
        connection.execute(text("update effects set state = 'parked' where kind = 'timeline'"))
    act()
    ready.call(PICKING, "write", [lost], vals={"x_milepost_milestone": "lost", "x_milepost_sent": False})
    ready.call(PICKING, "unlink", [deleted])
    guard.verify(engine, own)
    run = Run.begin(now(), repair=False, since=since - timedelta(seconds=1))
    reconcile_page(engine, own, POLICY, run)
    assert (run.ended, run.hidden) == (True, 0)
    assert run.drift == {"state": 1, "deleted": 1, "task": 1, "unrecorded": 2}
    assert troubled
