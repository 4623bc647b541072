"""Which delivery a parcel belongs to that goes by a number Odoo does not have: what its references name."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shipments.event import Event, Reference
from tests.fakes.odoo import FakeOdoo
from tests.shipments.telling import told
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import Shop
from workers.correlate import Correlated, link_strangers, look_up_strangers, store_deliveries
from workers.odoo import references
from workers.odoo.client import Odoo, connect
from workers.odoo.index import find_numbers
from workers.odoo.references import find_named

pytestmark = pytest.mark.requirement("M46", "M47")


def known_as(number: str, milestone: str, hours: float, *references: tuple[str, str]) -> Event:
    found = tuple(Reference(kind, value) for kind, value in references)
    return told(milestone, hours, tracking_number=number, references=found)


@pytest.fixture
def look_up(engine: Engine, odoo: Odoo) -> Callable[[], Correlated]:
    """Asks Odoo about all strangers now, however lately it was asked."""

    def look_up() -> Correlated:
        with engine.begin() as connection:
            connection.execute(text("update parcels set look_up_at = now() where unmatched_since is not null"))
        tally = Correlated()
        look_up_strangers(engine, odoo, POLICY, tally)
        link_strangers(engine, POLICY, tally)
        return tally

    return look_up


def named(odoo: Odoo, model: str, id_: int) -> str:
    return str(odoo.call(model, "read", [id_], fields=["name"])[0]["name"])


def standings(rows: Callable[..., list[Any]]) -> dict[int, str]:
    return dict(rows("select id, state ->> 'milestone' from shipments where state is not null order by id"))


@pytest.mark.parametrize("how", ["delivery", "order", "customer"])
def test_a_parcel_is_found_by_the_name_of_its_delivery_its_order_or_what_the_customer_calls_it(
    how: str, ingest: Any, odoo: Odoo, shop: Shop, look_up: Any, rows: Any
) -> None:
    [picking] = shop.deliver(1)
    value = {
        "delivery": named(odoo, "stock.picking", picking),
        "order": named(odoo, "sale.order", shop.order_of(picking)),
        "customer": shop.name,
    }[how]
    ingest([known_as(shop.number(1), "delivered", 5, ("reference", value), ("carrier", "ups"))])
    assert look_up().unmatched == 0
    assert standings(rows) == {picking: "delivered"}
    assert rows("select because, stands_for from numbers") == [(f"reference {value}", None)]


def test_trap_40_a_partners_number_goes_on_for_the_parcel_and_is_no_second_one(
    ingest: Any, shop: Shop, look_up: Any, rows: Any
) -> None:
    [picking] = shop.ship(shop.number(1))
    ingest([known_as(shop.number(1), "in_transit", 1)])
    look_up()
    ingest([known_as(shop.number(2), "delivered", 5, ("partner_number", shop.number(1)))])
    assert look_up().unmatched == 0
    assert standings(rows) == {picking: "delivered"}
    ingest([known_as(shop.number(1), "in_transit", 9)])
    assert standings(rows) == {picking: "delivered"}


def test_trap_40_a_number_that_replaces_one_is_known_before_anything_is_told_under_it(
    ingest: Any, shop: Shop, look_up: Any, rows: Any
) -> None:
    [picking] = shop.ship(shop.number(1))
    ingest([known_as(shop.number(1), "in_transit", 1)])
    look_up()
    ingest([known_as(shop.number(1), "info_received", 2, ("new_tracking_number", shop.number(2)))])
    assert standings(rows) == {picking: "in_transit"}
    assert ingest([known_as(shop.number(2), "delivered", 5)]).unmatched == 0
    assert standings(rows) == {picking: "delivered"}


def test_another_parcel_of_the_delivery_is_one_more_to_arrive(
    ingest: Any, shop: Shop, look_up: Any, rows: Any, odoo: Odoo
) -> None:
    [picking] = shop.ship(shop.number(1))
    order = named(odoo, "sale.order", shop.order_of(picking))
    ingest([known_as(shop.number(2), "delivered", 5, ("order_number", order))])
    look_up()
    assert standings(rows) == {picking: "partially_delivered"}


def test_references_that_fit_several_deliveries_leave_the_parcel_parked_with_them(
    ingest: Any, odoo: Odoo, shop: Shop, look_up: Any, rows: Any
) -> None:
    pickings = shop.deliver(2)
    ingest([known_as(shop.number(1), "delivered", 5, ("customer_reference", shop.name))])
    assert look_up().unmatched == 1
    [(why,)] = rows("select candidates from parcels")
    names = sorted(named(odoo, "stock.picking", picking) for picking in pickings)
    assert why == f"customer_reference {shop.name} fits {names[0]}, {names[1]}"
    assert standings(rows) == {}
    odoo.call("stock.picking", "write", pickings[:1], vals={"carrier_tracking_ref": shop.number(1)})
    assert look_up().unmatched == 0
    assert standings(rows) == {pickings[0]: "delivered"}
    assert rows("select candidates from parcels") == [(None,)]


def test_what_odoo_says_of_a_number_goes_over_what_a_reference_says(
    ingest: Any, engine: Engine, odoo: Odoo, shop: Shop, look_up: Any, rows: Any
) -> None:
    wrong, right = shop.deliver(2)
    ingest([known_as(shop.number(1), "delivered", 5, ("reference", named(odoo, "stock.picking", wrong)))])
    look_up()
    assert standings(rows) == {wrong: "delivered"}
    odoo.call("stock.picking", "write", [right], vals={"carrier_tracking_ref": shop.number(1)})
    store_deliveries(engine, find_numbers(odoo, [shop.number(1)]), POLICY, Correlated())
    assert standings(rows) == {right: "delivered"}


def test_a_reference_that_is_short_or_says_something_else_names_nothing(
    ingest: Any, odoo: Odoo, shop: Shop, look_up: Any
) -> None:
    [picking] = shop.deliver(1)
    name = named(odoo, "stock.picking", picking)
    ingest([known_as(shop.number(1), "delivered", 5, ("return_pin", name), ("carrier", name), ("order", "7"))])
    odoo.field_names("stock.picking")  # asked once
    calls = odoo.calls
    assert look_up().unmatched == 1
    assert odoo.calls - calls == 2, "only the number was asked about, of deliveries and of their packages"


def test_a_canceled_delivery_is_not_meant(odoo: Odoo, shop: Shop) -> None:
    [kept, canceled] = shop.deliver(2)
    odoo.call("stock.picking", "write", [canceled], vals={"state": "cancel"})
    assert find_named(odoo, [shop.name]).named[shop.name].order == {kept}


def test_of_an_order_only_what_leaves_the_house_is_meant_but_its_own_name_always_is(fake: FakeOdoo) -> None:
    leaves, stays = (row["picking_id"] for row in fake.seed(2))
    records = fake.store.models["stock.picking"].records
    records[stays] |= {"origin": records[leaves]["origin"], "picking_type_code": "internal"}
    odoo = connect(fake.settings())
    order, name = str(records[leaves]["origin"]), str(records[stays]["name"])
    found = find_named(odoo, [order, name]).named
    assert (found[order].order, found[name].delivery) == ({leaves}, {stays})


def test_a_reference_that_fits_more_than_a_page_is_ambiguous_and_hides_no_other(
    fake: FakeOdoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickings = [row["picking_id"] for row in fake.seed(6)]
    records = fake.store.models["stock.picking"].records
    for picking in pickings[:5]:
        records[picking]["origin"] = "WEBSHOP"
    monkeypatch.setattr(references, "MOST_STRANGERS", 3)
    name = str(records[pickings[5]]["name"])
    found = find_named(connect(fake.settings()), ["WEBSHOP", name]).named
    assert len(found["WEBSHOP"].order) > 1
    assert found[name].delivery == {pickings[5]}
