"""Each kind of thing in Odoo: what is there twice is found, and so is what two runs do not have in common."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.chaos.odoo_state import WATCHED, differences, shown
from tests.chaos.once import duplicates
from tests.chaos.orders import PROMISED_AFTER, fill
from tests.chaos.site import set_up, write_environ
from tests.fakes.odoo import FakeOdoo
from workers.odoo.tasks import ESCALATED

START = datetime(2026, 3, 2, tzinfo=UTC)
PROMISED = START + PROMISED_AFTER


@pytest.fixture(scope="module")
def odoo(tmp_path_factory):
    """A stand-in with one order in two deliveries, made ready for everything that Milepost can bring about."""
    with FakeOdoo() as fake:
        fill(fake, 1, START)
        set_up(write_environ(tmp_path_factory.mktemp("home"), fake.environ()))
        fake.store.watched |= WATCHED
        yield fake


@pytest.fixture
def site(odoo):
    """Nothing was decided, nothing stands in Odoo, nothing has changed."""
    yield SimpleNamespace(odoo=odoo, rows=lambda query, **values: [])
    added = ("x_milepost_event", "mail.activity", "project.task", "ir.attachment", "account.move", "mail.message")
    for model in added:
        odoo.store.remove(model, list(odoo.store.models[model].records))
    odoo.store.change("sale.order", [1], {"commitment_date": PROMISED})
    odoo.store.change("stock.picking", [1], {"x_milepost_billable": False})
    odoo.store.changes.clear()


def add(odoo, model, **values):
    return odoo.store.add(model, values)


def activity(odoo, **values):
    model = next(row["id"] for row in odoo.records("ir.model") if row["model"] == "stock.picking")
    return add(odoo, "mail.activity", res_model_id=model, res_id=1, **values)


def flag(odoo, on):
    odoo.store.change("stock.picking", [1], {"x_milepost_billable": on})


def move(odoo, days, note=True):
    [order] = odoo.records("sale.order")
    before = datetime.fromisoformat(f"{order['commitment_date']}+00:00")
    after = before + timedelta(days=days)
    odoo.store.change("sale.order", [1], {"commitment_date": after})
    if note:
        body = f"<p>Milepost moved the promised date from {before:%Y-%m-%d %H:%M:%S} to {after:%Y-%m-%d %H:%M:%S} (UTC)"
        odoo.store.add("mail.message", {"model": "sale.order", "res_id": 1, "body": body})


ONCE = {
    "rows of a timeline": lambda odoo: add(odoo, "x_milepost_event", x_picking_id=1, x_milestone="in_transit"),
    "documents": lambda odoo: add(odoo, "ir.attachment", res_id=1, name="Proof", mimetype="image/png", datas="iVBO"),
    "draft invoices": lambda odoo: add(odoo, "account.move", invoice_origin="S00001", state="draft"),
}


@pytest.mark.parametrize("kind", ONCE)
def test_what_stands_there_twice_is_found(site, kind):
    ONCE[kind](site.odoo)
    assert duplicates(site)[kind] == []
    ONCE[kind](site.odoo)
    assert [line.endswith("stands there 2 times") for line in duplicates(site)[kind]] == [True]


@pytest.mark.parametrize(("model", "project"), [("mail.activity", False), ("project.task", True)])
def test_a_task_that_nobody_decided_is_found(site, model, project):
    if project:
        add(site.odoo, model, x_milepost_picking_id=1, name="WH/OUT/00001: Customs holds the parcel")
    else:
        activity(site.odoo, summary="The delivery failed")
    assert duplicates(site)["tasks"] == [f"delivery 1 has 1 of {model}"]
    site.rows = lambda query, **values: [(1, 1)] if values["project"] is project else []
    assert duplicates(site)["tasks"] == []


def test_a_task_that_was_escalated_twice_is_found(site):
    site.rows = lambda query, **values: [(1, 1)]
    task = activity(site.odoo, summary="The delivery failed")
    for escalated in (f"{ESCALATED}The delivery failed", f"{ESCALATED * 2}The delivery failed"):
        assert duplicates(site)["tasks"] == []
        site.odoo.store.change("mail.activity", [task], {"summary": escalated})
    assert duplicates(site)["tasks"] == [f"mail.activity {task} was escalated 2 times"]


def test_a_flag_that_was_taken_back_or_set_again_is_found(site):
    flag(site.odoo, True)
    assert duplicates(site)["billing flags"] == []
    flag(site.odoo, False)
    assert duplicates(site)["billing flags"] == ["the flag of stock.picking 1 changed 2 times"]


def test_a_promise_that_moved_has_one_note_and_moved_to_a_later_day(site):
    move(site.odoo, 2)
    assert duplicates(site)["notes of moved promises"] == []
    move(site.odoo, 1, note=False)
    assert [line[-7:] for line in duplicates(site)["notes of moved promises"]] == ["0 notes", "2 moves"]
    move(site.odoo, -1)
    assert duplicates(site)["notes of moved promises"][1].endswith("that is no later")


def escalate(odoo):
    odoo.store.change("mail.activity", list(odoo.store.models["mail.activity"].records), {"summary": ESCALATED})


CHANGES = {
    "states": lambda odoo: odoo.store.change("stock.picking", [1], {"x_milepost_location": "Memphis"}),
    "timelines": ONCE["rows of a timeline"],
    "tasks": escalate,
    "documents": ONCE["documents"],
    "billing": lambda odoo: odoo.store.change("sale.order", [1], {"x_milepost_billing_check": "It came back."}),
    "draft invoices": ONCE["draft invoices"],
    "promises": lambda odoo: move(odoo, 1),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_difference_of_one_kind_is_found_under_that_kind(site, kind):
    activity(site.odoo, summary="The delivery failed")
    before = shown(site.odoo)
    CHANGES[kind](site.odoo)
    after = shown(site.odoo)
    assert {name for name in before if differences(after[name], before[name])} == {kind}


def test_the_promise_of_an_order_that_arrived_is_not_compared(site):
    assert shown(site.odoo)["promises"] == {"S00001": f"{PROMISED:%Y-%m-%d %H:%M:%S}"}
    add(site.odoo, "x_milepost_event", x_picking_id=2, x_milestone="delivered")
    assert shown(site.odoo)["promises"] == {}
