"""Whose word a field in Odoo is: on the stand-in and on a real Odoo, in both protocols."""

from uuid import uuid4

import pytest

from app.health import Health
from config import metrics
from config.settings import load_settings
from shipments.store.marks import drop_mark
from tests.shipments.telling import told
from tests.workers.odoo.conftest import real
from tests.workers.odoo.people import group_of, sign_in
from workers.correlate import Correlated
from workers.odoo.client import Odoo
from workers.odoo.fields import PICKING
from workers.orders import watch_orders


def shown(odoo: Odoo, record: int, model: str = PICKING) -> dict:
    fields = ["x_milepost_milestone", "x_milepost_kept", "x_milepost_locked"]
    return odoo.call(model, "read", [record], fields=fields)[0]


@pytest.mark.requirement("M103")
def test_what_a_person_changed_is_kept_shown_and_right_again_after_unlocking(ready, shop, look, act, ingest) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    look(number)
    assert act().done == 0, "what we wrote ourselves is nobody's change"
    ready.call(PICKING, "write", [picking], vals={"x_milepost_milestone": "lost"})
    look(number)
    act()
    ingest([told("delivered", 9, tracking_number=number)])
    act()
    row = shown(ready, picking)
    look(number)
    assert act().done == 0, "what is said once is not said again"
    assert (row["x_milepost_milestone"], row["x_milepost_locked"]) == ("lost", True)
    assert row["x_milepost_kept"].startswith("Kept as changed by ")
    assert "Milepost's own value is: Delivered" in row["x_milepost_kept"]
    ready.call(PICKING, "write", [picking], vals={"x_milepost_locked": False})
    look(number)
    act()
    row = shown(ready, picking)
    assert (row["x_milepost_milestone"], row["x_milepost_kept"]) == ("delivered", False)


@pytest.mark.requirement("M103")
def test_a_locked_delivery_is_left_alone_from_its_first_news_on(ready, shop, look, act, ingest) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    ready.call(PICKING, "write", [picking], vals={"x_milepost_locked": True})
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    row = shown(ready, picking)
    assert row["x_milepost_milestone"] is False
    assert row["x_milepost_kept"].startswith("Locked by ")


@pytest.mark.requirement("M103")
def test_a_locked_delivery_of_which_nothing_is_known_any_more_says_so(ready, shop, look, reread, act, ingest) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    ready.call(PICKING, "write", [picking], vals={"x_milepost_locked": True, "carrier_tracking_ref": False})
    reread(picking)
    act()
    row = shown(ready, picking)
    assert row["x_milepost_milestone"] == "in_transit"
    assert row["x_milepost_kept"].endswith("Milepost's own value is: Nothing.")


@pytest.mark.requirement("M103")
def test_a_sales_order_changed_by_another_user_is_kept(engine, ready, shop, look, act, ingest, monkeypatch) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    order = shop.order_of(picking)
    ready.call("sale.order", "write", [order], vals={"x_milepost_milestone": "lost"})
    monkeypatch.setattr(type(ready), "uid", 1)  # as if it had been somebody else
    watch_orders(engine, ready, Correlated())
    ingest([told("delivered", 9, tracking_number=number)])
    act()
    [row] = ready.call("sale.order", "read", [order], fields=["x_milepost_milestone", "x_milepost_kept"])
    assert row["x_milepost_milestone"] == "lost"
    assert row["x_milepost_kept"].startswith("Kept as changed by ")


@pytest.mark.requirement("M103")
def test_a_sales_order_locked_before_its_first_news_shows_them_once_it_is_unlocked(
    engine, ready, shop, look, act, ingest, monkeypatch
) -> None:
    number = shop.number(1)
    [picking] = shop.ship(number)
    look(number)
    order = shop.order_of(picking)
    ready.call("sale.order", "write", [order], vals={"x_milepost_locked": True})
    monkeypatch.setattr(type(ready), "uid", 1)  # as if it had been somebody else
    watch_orders(engine, ready, Correlated())
    ingest([told("in_transit", 1, tracking_number=number)])
    act()
    assert shown(ready, order, "sale.order")["x_milepost_milestone"] is False
    ready.call("sale.order", "write", [order], vals={"x_milepost_locked": False})
    with engine.begin() as connection:
        drop_mark(connection, "odoo_orders_read")
    watch_orders(engine, ready, Correlated())
    act()
    assert shown(ready, order, "sale.order")["x_milepost_milestone"] == "in_transit"


def test_however_many_orders_were_changed_none_is_missed(engine, ready, shop, rows, monkeypatch) -> None:
    orders = [shop.order_of(picking) for picking in shop.deliver(5)]
    monkeypatch.setattr(type(ready), "uid", 1)  # as if somebody else had
    monkeypatch.setattr("workers.orders._A_CALL", 2)
    ready.call("sale.order", "write", orders, vals={"x_milepost_locked": True})
    watch_orders(engine, ready, Correlated())
    assert {f"order:{order}" for order in orders} <= {key for (key,) in rows("select key from keeps")}


@real
@pytest.mark.requirement("M103")
def test_somebody_with_inventory_rights_may_lock_and_change_a_delivery_and_is_named(
    ready, settings, shop, look, act, ingest
) -> None:
    groups = [(4, group_of(ready, "stock.group_stock_user"))]
    kari = sign_in(ready, settings, f"{uuid4().hex}@example.com", name="Kari Example", group_ids=groups)
    numbers = [shop.number(1), shop.number(2)]
    locked, changed = shop.ship(*numbers)
    look(*numbers)
    kari.call(PICKING, "write", [locked], vals={"x_milepost_locked": True})
    look(*numbers)
    ingest(*[[told("in_transit", 1, tracking_number=number)] for number in numbers])
    act()
    kari.call(PICKING, "write", [changed], vals={"x_milepost_location": "On my desk"})
    look(*numbers)
    act()
    assert shown(ready, locked)["x_milepost_kept"].startswith("Locked by Kari Example on ")
    assert shown(ready, changed)["x_milepost_kept"].startswith("Kept as changed by Kari Example on ")


def test_metrics_count_what_people_keep(engine, ready, shop, look) -> None:
    health = Health(load_settings({}), None, engine, None)
    number = shop.number(1)
    [picking] = shop.ship(number)
    for locked, expected in ((True, 1), (False, 0)):
        ready.call(PICKING, "write", [picking], vals={"x_milepost_locked": locked})
        look(number)
        health.measure()
        assert metrics.KEPT._value.get() == expected
