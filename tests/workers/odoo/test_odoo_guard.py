"""Whose Odoo it is: what another deployment has set up is neither read nor written until somebody says so."""

from types import SimpleNamespace

import pytest

from config import metrics
from shipments.errors import SetupFault
from tests.fakes.odoo import FakeOdoo
from tests.shipments.telling import told
from tests.workers.conftest import POLICY
from workers.correlate import Correlated, store_deliveries
from workers.odoo import guard, setup
from workers.odoo.check import FAULT, check
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import PICKING
from workers.odoo.index import find_numbers
from workers.odoo.pace import Pace
from workers.tasks import act as act_task


@pytest.mark.requirement("M94")
def test_an_odoo_that_another_deployment_set_up_is_refused_until_it_is_adopted(engine, ready) -> None:
    guard.verify(engine, ready)
    ready.environment = "test"
    with pytest.raises(guard.WrongOdoo, match="milepost odoo setup --adopt"):
        guard.verify(engine, ready)
    with pytest.raises(SetupFault, match="was set up by the deployment 'development'"):
        setup.apply(ready)
    setup.apply(ready, adopt=True)
    guard.verify(engine, ready)
    ready.environment = "development"
    setup.apply(ready, adopt=True)


@pytest.mark.requirement("M94")
def test_another_database_at_the_same_address_is_refused(engine) -> None:
    with FakeOdoo() as one, FakeOdoo() as other:
        other.store.models["ir.config_parameter"].records[1]["value"] = "another"
        first, second = connect(one.settings()), connect(other.settings())
        for odoo in (first, second):
            setup.apply(odoo)
        guard.verify(engine, first)
        with pytest.raises(guard.WrongOdoo, match="store belongs to the database"):
            guard.verify(engine, second)
        with engine.begin() as connection:
            guard.forget(connection)
        guard.verify(engine, second)


@pytest.mark.requirement("M94")
def test_act_writes_nothing_to_the_wrong_odoo_and_pauses(engine, ready, shop, ingest, rows, monkeypatch) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    row = ready.call(PICKING, "read", [picking], fields=["write_date"])[0]
    store_deliveries(engine, find_numbers(ready, [number]), POLICY, Correlated())
    ingest([told("in_transit", 1, tracking_number=number)])
    ready.environment = "test"

    def odoo() -> Odoo:
        guard.verify(engine, ready)
        return ready

    monkeypatch.setattr(act_task, "engine", lambda: engine)
    monkeypatch.setattr(act_task, "odoo", odoo)
    monkeypatch.setattr(act_task, "pace", lambda: Pace(1.0))
    monkeypatch.setattr(act_task, "ledger", lambda: SimpleNamespace(post=lambda: None))
    monkeypatch.setattr(act_task, "get_settings", lambda: SimpleNamespace(odoo_url=ready.url))
    for name in ("answer", "ring"):
        monkeypatch.setattr(act_task, name, lambda *_: None)
    before = metrics.WRONG_ODOO._value.get()
    assert act_task.act()["done"] == 0
    assert "skipped" in act_task.act()
    assert metrics.WRONG_ODOO._value.get() == before + 1
    assert rows("select count(*) from effects where state = 'due' and attempts = 0") != [(0,)]
    [(reason,)] = rows("select value ->> 'reason' from marks where name = 'odoo_pause'")
    assert "milepost odoo setup --adopt" in reason
    assert ready.call(PICKING, "read", [picking], fields=["write_date"])[0] == row


@pytest.mark.requirement("M94")
@pytest.mark.parametrize("may_set_up", [True, False])
def test_check_says_that_an_odoo_belongs_to_another_deployment(fake: FakeOdoo, may_set_up: bool) -> None:
    setup.apply(connect(fake.settings(MILEPOST_ENVIRONMENT="production")))
    if not may_set_up:
        fake.forbidden.add(("ir.model.data", "read"))
    faults = [finding.sentence for finding in check(fake.settings()) if finding.level == FAULT]
    assert any("set up by the deployment 'production'" in sentence for sentence in faults)
