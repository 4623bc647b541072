"""Setting Odoo up: complete, done once however often it is asked for, and taken away without a trace."""

from dataclasses import replace
from uuid import uuid4

import pytest

from shipments.errors import SetupFault
from shipments.milestone import ExceptionCategory, Milestone
from shipments.rules.commitment import Commitment
from shipments.rules.finance import Finance
from tests.fakes.odoo import FakeOdoo
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import Shop, one_of_each
from tests.workers.odoo.effects import event, state
from workers.odoo import setup
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import EVENT, ORDER, PICKING
from workers.odoo.writes import write_deliveries, write_timeline


def test_setting_up_twice_changes_nothing_the_second_time(odoo: Odoo) -> None:
    setup.apply(odoo)
    assert setup.plan(odoo) == []
    assert setup.apply(odoo) == []


def test_removing_leaves_nothing_of_ours(ready: Odoo) -> None:
    setup.remove(ready)
    assert ready.field_names(EVENT) == frozenset()
    for model in (PICKING, ORDER):
        assert [name for name in ready.field_names(model) if name.startswith("x_milepost")] == []
    left = ready.call("ir.model.data", "search_read", domain=[("module", "=", "milepost")], fields=["name"])
    assert left == []
    assert setup.removable(ready) == []


def test_a_plan_names_what_is_missing_and_changes_nothing(bare: Odoo) -> None:
    planned = [str(change) for change in setup.plan(bare)]
    assert "add x_milepost_milestone on stock.picking" in planned
    assert "add x_milepost_milestone on sale.order" in planned
    assert "x_milepost_milestone" not in bare.field_names(PICKING)
    assert [str(change) for change in setup.plan(bare)] == planned


def test_before_setup_the_work_waits_and_is_not_parked(bare: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    for outcome in (
        write_deliveries(bare, [state(picking)])[f"state:{picking}"],
        *write_timeline(bare, [event(picking, uuid4().hex)]).values(),
    ):
        assert outcome.state == "later"
        assert "milepost odoo setup" in outcome.reason


def test_every_milestone_and_category_can_be_chosen_on_deliveries_orders_and_events(ready: Odoo) -> None:
    domain = [("name", "in", ["x_milepost_milestone", "x_milestone"]), ("model", "in", [PICKING, ORDER, EVENT])]
    rows = ready.call("ir.model.fields", "search_read", domain=domain, fields=["selection"])
    assert len(rows) == 3
    for row in rows:
        assert all(f"'{milestone}'" in row["selection"] for milestone in Milestone)
    exceptions = ready.call(
        "ir.model.fields", "search_read", domain=[("name", "=", "x_milepost_exception")], fields=["selection"]
    )
    assert all(f"'{category}'" in row["selection"] for row in exceptions for category in ExceptionCategory)


def test_what_somebody_changed_is_seen_and_mended(ready: Odoo) -> None:
    domain = [("name", "=", "x_milepost_location"), ("model", "=", PICKING)]
    [field] = ready.call("ir.model.fields", "search_read", domain=domain, fields=["name"])
    ready.call("ir.model.fields", "write", [field["id"]], vals={"field_description": "Whatever"})
    assert [str(change) for change in setup.plan(ready)] == [
        "change x_milepost_location on stock.picking (field_description)"
    ]
    setup.apply(ready)
    assert setup.plan(ready) == []


def test_a_field_that_lost_its_external_id_is_taken_over_and_not_made_twice(ready: Odoo) -> None:
    domain = [("module", "=", "milepost"), ("name", "=", "field_stock_picking__x_milepost_location")]
    [row] = ready.call("ir.model.data", "search_read", domain=domain, fields=["res_id"])
    ready.call("ir.model.data", "unlink", [row["id"]])
    setup.apply(ready)
    [again] = ready.call("ir.model.data", "search_read", domain=domain, fields=["res_id"])
    assert again["res_id"] == row["res_id"]


@one_of_each
def test_an_external_id_left_of_a_field_that_is_gone_is_given_to_the_one_there_is(ready: Odoo) -> None:
    """As a removal leaves it that was broken off between the model of events and the external ids of its fields."""
    domain = [("module", "=", "milepost"), ("name", "like", "field_x_milepost_event")]
    rows = ready.call("ir.model.data", "search_read", domain=domain, fields=["name", "res_id"])
    setup.remove(ready)
    left = [
        {"module": "milepost", "name": row["name"], "model": "ir.model.fields", "res_id": row["res_id"]} for row in rows
    ]
    ready.call("ir.model.data", "create", vals_list=left)
    setup.apply(ready)
    assert setup.plan(ready) == []
    assert "x_name" in ready.field_names(EVENT)


def test_rights_come_and_go_with_the_policy_that_needs_them(ready: Odoo, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = replace(POLICY, finance=Finance(invoice="draft"), commitment=Commitment(move_promise=True))
    with monkeypatch.context() as patch:
        patch.setattr(setup, "policy", lambda: policy)
        added = setup.apply(ready)
        assert {change.action for change in added} == {"add"}
        assert setup.plan(ready) == []
    planned = setup.plan(ready)
    assert (len(planned), {change.action for change in planned}) == (len(added), {"remove"})
    assert {str(change) for change in planned} >= {
        f"remove the rights access_{name}_integration"
        for name in ("order_line", "invoice_wizard", "invoice_line", "move")
    }
    assert setup.apply(ready) == planned
    assert setup.plan(ready) == []


def test_a_copied_delivery_does_not_inherit_the_milestone(ready: Odoo) -> None:
    domain = [("name", "like", "x_milepost_"), ("model", "in", [PICKING, ORDER])]
    rows = ready.call("ir.model.fields", "search_read", domain=domain, fields=["copied"])
    assert {row["copied"] for row in rows} == {False}


def test_deliveries_without_tracking_reference_are_a_setup_fault_that_names_the_module(fake: FakeOdoo) -> None:
    del fake.store.models[PICKING].fields["carrier_tracking_ref"]
    with pytest.raises(SetupFault, match="stock_delivery"):
        setup.plan(connect(fake.settings()))


def test_an_odoo_without_sales_is_set_up_for_deliveries_only(fake: FakeOdoo) -> None:
    del fake.store.models[PICKING].fields["sale_id"]
    odoo = connect(fake.settings())
    setup.apply(odoo)
    assert "x_milepost_milestone" in odoo.field_names(PICKING)
    assert "x_milepost_milestone" not in odoo.field_names(ORDER)
    assert setup.plan(odoo) == []
