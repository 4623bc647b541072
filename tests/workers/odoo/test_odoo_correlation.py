"""Which delivery of a real Odoo shows a parcel: steps, backorders, packages, transfers and returns."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shipments.event import Event, Reference
from shipments.store.marks import find_mark, save_mark
from tests.fakes.odoo import FakeOdoo, Field
from tests.shipments.telling import told
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import WHICH, Shop
from workers.correlate import Correlated, link_strangers, look_up_strangers, pull_changes
from workers.odoo.client import Odoo, connect
from workers.odoo.index import find_numbers
from workers.odoo.numbers import split_numbers
from workers.odoo.packages import find_packages

PICKING = "stock.picking"
REAL = pytest.mark.parametrize("settings", WHICH[2:3], indirect=True)


def parcel(number: str, milestone: str, hours: float, *references: tuple[str, str], **fields: Any) -> Event:
    found = tuple(Reference(kind, value) for kind, value in references)
    return told(milestone, hours, tracking_number=number, references=found, **fields)


@pytest.fixture
def correlate(engine: Engine, odoo: Odoo) -> Callable[[], Correlated]:
    """Pulls all there is in Odoo, and asks about all strangers, however lately it was asked."""

    def correlate() -> Correlated:
        tally = Correlated()
        with engine.begin() as connection:
            connection.execute(text("delete from marks where name = 'odoo_pulled'"))
            connection.execute(text("update parcels set look_up_at = now() where unmatched_since is not null"))
        pull_changes(engine, odoo, POLICY, tally)
        link_strangers(engine, POLICY, tally)
        look_up_strangers(engine, odoo, POLICY, tally)
        return tally

    return correlate


@pytest.fixture
def shown(rows: Any) -> Callable[[], dict[int, str]]:
    """Where each delivery stands that was decided to be written to Odoo."""
    query = "select subject, payload ->> 'milestone' from effects where kind = 'delivery' order by subject"
    return lambda: dict(rows(query))


@pytest.mark.requirement("M75")
def test_what_others_changed_is_read_at_once_and_what_we_wrote_only_once_a_minute(
    engine: Engine, odoo: Odoo, shop: Shop, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled() -> set[str]:
        pull_changes(engine, odoo, POLICY, Correlated())
        return {number for (number,) in rows("select number from numbers where shipment_id = any(:ids)", ids=pickings)}

    def write(picking: int, number: str) -> None:
        odoo.call(PICKING, "write", [picking], vals={"carrier_tracking_ref": number})

    pickings = shop.ship(shop.number(1), shop.number(2))
    assert pulled() == {shop.number(1), shop.number(2)}
    with monkeypatch.context() as somebody_else:
        somebody_else.setattr(type(odoo), "uid", 1)
        write(pickings[0], shop.number(3))
        assert pulled() == {shop.number(3), shop.number(2)}
    write(pickings[1], shop.number(4))
    assert pulled() == {shop.number(3), shop.number(2)}
    with engine.begin() as connection:
        mark = find_mark(connection, "odoo_pulled")
        a_minute_ago = datetime.fromisoformat(mark["ended_at"]) - timedelta(minutes=1)
        save_mark(connection, "odoo_pulled", {**mark, "ended_at": a_minute_ago.isoformat()})
    assert pulled() == {shop.number(3), shop.number(4)}


def validate(odoo: Odoo, pickings: list[int]) -> None:
    assert odoo.call(PICKING, "button_validate", pickings) is True


def order(odoo: Odoo, shop: Shop, quantity: int = 1, products: int = 1) -> int:
    """A confirmed order of goods that are in stock."""
    [place] = odoo.call("stock.warehouse", "search_read", domain=[], fields=["lot_stock_id"], limit=1)
    [partner] = odoo.call("res.partner", "create", vals_list=[{"name": f"Customer {shop.name}"}])
    values = [{"name": f"{shop.name} {n}", "type": "consu", "is_storable": True} for n in range(products)]
    goods = odoo.call("product.product", "create", vals_list=values)
    stock = {"location_id": place["lot_stock_id"][0], "inventory_quantity": quantity}
    quants = odoo.call("stock.quant", "create", vals_list=[stock | {"product_id": product} for product in goods])
    odoo.call("stock.quant", "action_apply_inventory", quants)
    lines = [(0, 0, {"product_id": product, "product_uom_qty": quantity}) for product in goods]
    [id_] = odoo.call("sale.order", "create", vals_list=[{"partner_id": partner, "order_line": lines}])
    odoo.call("sale.order", "action_confirm", [id_])
    return int(id_)


def pickings_of(odoo: Odoo, order_id: int, **wanted: str) -> list[int]:
    domain = [("sale_id", "=", order_id), *((name, "=", value) for name, value in wanted.items())]
    return [row["id"] for row in odoo.call(PICKING, "search_read", domain=domain, fields=["id"], order="id")]


def number_them(odoo: Odoo, pickings: list[int], reference: str) -> None:
    odoo.call(PICKING, "write", pickings, vals={"carrier_tracking_ref": reference})


@pytest.fixture
def steps(odoo: Odoo) -> Any:
    """Sets how many steps the warehouse takes to ship; one again afterwards."""
    [warehouse] = odoo.call("stock.warehouse", "search_read", domain=[], fields=["id"], limit=1)

    def steps(how: str) -> None:
        odoo.call("stock.warehouse", "write", [warehouse["id"]], vals={"delivery_steps": how})

    yield steps
    steps("ship_only")


@REAL
@pytest.mark.requirement("M46", "M47")
@pytest.mark.parametrize(("how", "count"), [("pick_ship", 2), ("pick_pack_ship", 3)])
def test_of_several_steps_with_the_number_the_one_that_leaves_the_house_shows_the_parcel(
    how: str, count: int, steps: Any, ingest: Any, odoo: Odoo, shop: Shop, correlate: Any, shown: Any, rows: Any
) -> None:
    steps(how)
    order_id = order(odoo, shop)
    for _ in range(count):
        validate(odoo, pickings_of(odoo, order_id, state="assigned"))
    pickings = pickings_of(odoo, order_id)
    assert len(pickings) == count
    number_them(odoo, pickings, shop.number(1))  # as the connectors of carriers do
    [leaves] = pickings_of(odoo, order_id, picking_type_code="outgoing")
    ingest([parcel(shop.number(1), "delivered", 5)])
    correlate()
    assert shown() == {leaves: "delivered"}
    assert rows("select payload ->> 'milestone' from effects where kind = 'order'") == [("delivered",)]
    assert correlate().effects == 0


@REAL
@pytest.mark.requirement("M47", "M15")
def test_a_number_on_a_shipped_delivery_and_its_waiting_backorder_is_that_of_the_one_that_shipped(
    ingest: Any, odoo: Odoo, shop: Shop, correlate: Any, shown: Any
) -> None:
    order_id = order(odoo, shop, quantity=3)
    [shipped] = pickings_of(odoo, order_id)
    [move] = odoo.call("stock.move", "search_read", domain=[("picking_id", "=", shipped)], fields=["id"])
    odoo.call("stock.move", "write", [move["id"]], vals={"quantity": 1, "picked": True})
    context = odoo.call(PICKING, "button_validate", [shipped])["context"]
    line = (0, 0, {"picking_id": shipped, "to_backorder": True})
    values = {"pick_ids": [(6, 0, [shipped])], "backorder_confirmation_line_ids": [line]}
    [wizard] = odoo.call("stock.backorder.confirmation", "create", vals_list=[values], context=context)
    odoo.call("stock.backorder.confirmation", "process", [wizard], context=context)
    [backorder] = pickings_of(odoo, order_id, state="assigned")
    number_them(odoo, [shipped, backorder], shop.number(1))
    ingest([parcel(shop.number(1), "delivered", 5)])
    correlate()
    assert shown() == {shipped: "delivered"}
    validate(odoo, [backorder])
    correlate()
    assert shown() == {shipped: "delivered", backorder: "delivered"}


def pack(odoo: Odoo, picking: int, *names: str) -> None:
    """Puts each line of the delivery into a package of that name."""
    lines = odoo.call("stock.move.line", "search_read", domain=[("picking_id", "=", picking)], fields=["id"])
    packages = odoo.call("stock.package", "create", vals_list=[{"name": name} for name in names])
    for line, package in zip(lines, packages, strict=True):
        odoo.call("stock.move.line", "write", [line["id"]], vals={"result_package_id": package})


def sscc(shop: Shop, place: int) -> str:
    """An SSCC that nobody else uses, with its check digit."""
    digits = f"3{int(shop.name, 16) % 10**14:014d}{place:02d}"
    total = sum(int(d) * (1 if n % 2 else 3) for n, d in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


@REAL
@pytest.mark.requirement("M15", "X1")
def test_packages_with_a_number_of_their_own_are_parcels_of_their_delivery(
    ingest: Any, odoo: Odoo, shop: Shop, correlate: Any, shown: Any, rows: Any
) -> None:
    order_id = order(odoo, shop, products=3)
    [picking] = pickings_of(odoo, order_id)
    number_them(odoo, [picking], shop.number(9))  # of the consignment, which nothing is told of
    pack(odoo, picking, f"00{sscc(shop, 1)}", f"00{sscc(shop, 2)}", f"PACK{shop.name}")
    ingest([parcel(sscc(shop, 1), "delivered", 5)])
    correlate()
    assert shown() == {picking: "partially_delivered"}
    ingest([parcel(sscc(shop, 2), "delivered", 6)])
    assert shown() == {picking: "delivered"}
    why = rows("select number, because from numbers where is_package order by number")
    assert why == [(sscc(shop, n), f"package {sscc(shop, n)}") for n in (1, 2)]
    assert correlate().effects == 0


@REAL
def test_packages_are_asked_about_for_strangers_alone_and_all_at_once(odoo: Odoo, shop: Shop) -> None:
    odoo.field_names(PICKING)
    calls = odoo.calls
    assert find_packages(odoo, [shop.number(n) for n in range(50)]) == []
    assert odoo.calls - calls == 1
    assert find_packages(odoo, [""]) == []
    assert odoo.calls - calls == 1


@REAL
@pytest.mark.requirement("M48")
def test_an_internal_transfer_with_a_number_of_its_own_shows_its_parcel(
    ingest: Any, odoo: Odoo, shop: Shop, correlate: Any, shown: Any
) -> None:
    inside = {"domain": [("code", "=", "internal")], "fields": ["id"], "limit": 1, "context": {"active_test": False}}
    [kind] = odoo.call("stock.picking.type", "search_read", **inside)
    places = ["lot_stock_id", "view_location_id"]
    [place] = odoo.call("stock.warehouse", "search_read", domain=[], fields=places, limit=1)
    [other] = odoo.call(
        "stock.location", "create", vals_list=[{"name": shop.name, "location_id": place["view_location_id"][0]}]
    )
    values = {"picking_type_id": kind["id"], "location_id": place["lot_stock_id"][0], "location_dest_id": other}
    [transfer] = odoo.call(PICKING, "create", vals_list=[values | {"carrier_tracking_ref": shop.number(1)}])
    ingest([parcel(shop.number(1), "in_transit", 5)])
    correlate()
    assert shown() == {transfer: "in_transit"}


def give_back(odoo: Odoo, picking: int) -> int:
    """The return of all of a delivery."""
    context = {"active_id": picking, "active_ids": [picking], "active_model": PICKING}
    [wizard] = odoo.call("stock.return.picking", "create", vals_list=[{"picking_id": picking}], context=context)
    domain = [("wizard_id", "=", wizard)]
    lines = odoo.call("stock.return.picking.line", "search_read", domain=domain, fields=["move_quantity"])
    for line in lines:
        odoo.call("stock.return.picking.line", "write", [line["id"]], vals={"quantity": line["move_quantity"]})
    odoo.call("stock.return.picking", "action_create_returns", [wizard], context=context)
    [row] = odoo.call(PICKING, "search_read", domain=[("return_id", "=", picking)], fields=["id"])
    return int(row["id"])


@pytest.fixture
def shipped(odoo: Odoo, shop: Shop) -> int:
    """A delivery that has left, with number 1."""
    [picking] = pickings_of(odoo, order(odoo, shop))
    number_them(odoo, [picking], shop.number(1))
    validate(odoo, [picking])
    return picking


TIMELINE = "select subject, payload ->> 'milestone' from effects where kind = 'timeline' order by key, subject"


@REAL
@pytest.mark.requirement("M49", "M80")
@pytest.mark.parametrize("numbered", [False, True], ids=["without a number", "with the same number"])
def test_a_return_shows_the_way_back_of_the_number_that_its_delivery_went_out_by(
    *, numbered: bool, ingest: Any, odoo: Odoo, shop: Shop, shipped: int, correlate: Any, shown: Any, rows: Any
) -> None:
    back = give_back(odoo, shipped)
    if numbered:
        number_them(odoo, [back], shop.number(1))
    ingest([parcel(shop.number(1), "in_transit", 1)])
    correlate()
    assert shown() == {shipped: "in_transit"}
    ingest([parcel(shop.number(1), "return_in_transit", 5)])
    assert shown() == {shipped: "return_in_transit", back: "return_in_transit"}
    ingest([parcel(shop.number(1), "delivered", 9)])
    assert shown() == {shipped: "returned", back: "returned"}
    seen = rows(TIMELINE)
    assert sorted(milestone for id_, milestone in seen if id_ == back) == ["delivered", "return_in_transit"]
    assert len([id_ for id_, _ in seen if id_ == shipped]) == 3
    assert rows("select payload ->> 'milestone' from effects where kind = 'order'") == [("returned",)]


@REAL
@pytest.mark.requirement("M49", "M80", "X16")
def test_a_return_with_a_number_of_its_own_is_returned_when_the_carrier_says_delivered(
    ingest: Any, odoo: Odoo, shop: Shop, shipped: int, correlate: Any, shown: Any, rows: Any
) -> None:
    back = give_back(odoo, shipped)
    number_them(odoo, [back], shop.number(2))
    ingest([parcel(shop.number(1), "delivered", 1)], [parcel(shop.number(2), "in_transit", 30)])
    correlate()
    assert shown() == {shipped: "delivered", back: "return_in_transit"}
    ingest([parcel(shop.number(2), "delivered", 50)])
    assert shown() == {shipped: "delivered", back: "returned"}
    assert rows("select payload ->> 'milestone' from effects where kind = 'order'") == [("delivered",)]
    assert rows("select return_of from shipments where id = :id", id=back) == [(shipped,)]


@REAL
@pytest.mark.requirement("X16")
def test_a_return_number_that_only_the_carrier_tells_of_is_the_way_back_of_the_parcel(
    ingest: Any, odoo: Odoo, shop: Shop, shipped: int, correlate: Any, shown: Any
) -> None:
    refused = parcel(shop.number(1), "exception", 5, ("return_parcel", shop.number(2)))
    ingest([refused])
    correlate()
    assert ingest([parcel(shop.number(2), "delivered", 9)]).unmatched == 0
    assert shown() == {shipped: "returned"}
    back = give_back(odoo, shipped)
    correlate()
    assert shown() == {shipped: "returned", back: "returned"}


@pytest.mark.requirement("M46")
def test_numbers_are_found_however_they_are_written(
    ingest: Any, odoo: Odoo, shop: Shop, correlate: Any, shown: Any
) -> None:
    one, other, third = shop.deliver(3)
    number = shop.number(1)
    number_them(odoo, [one], f"UPS: {number[:2].lower()} {number[2:8]} {number[8:]}")
    number_them(odoo, [other], f"(00) {sscc(shop, 1)} | DHL {shop.number(3)}")
    number_them(odoo, [third], f"{shop.number(4)} {shop.number(5)}")
    told_of = [number, sscc(shop, 1), shop.number(3), shop.number(4), shop.number(5)]
    ingest(*[[parcel(n, "delivered", 5)] for n in told_of])
    assert correlate().unmatched == 0
    assert shown() == dict.fromkeys((one, other, third), "delivered")


@pytest.mark.requirement("M46")
def test_an_invoice_names_its_order_where_our_user_may_read_invoices(
    ingest: Any, odoo: Odoo, shop: Shop, correlate: Any, shown: Any
) -> None:
    [picking] = shop.deliver(1)
    [row] = odoo.call("sale.order", "read", [shop.order_of(picking)], fields=["name"])
    values = {"move_type": "out_invoice", "invoice_origin": row["name"], "name": f"INV/{shop.name}"}
    odoo.call("account.move", "create", vals_list=[values])
    ingest([parcel(shop.number(1), "delivered", 5, ("invoice", f"INV/{shop.name}"))])
    assert correlate().unmatched == 0
    assert shown() == {picking: "delivered"}


def test_without_the_right_to_read_invoices_none_is_asked_for(fake: FakeOdoo, ingest: Any, engine: Engine) -> None:
    fake.forbidden.add(("account.move", "read"))
    ingest([parcel("A1000", "delivered", 5, ("invoice", "INV/2026/7"))])
    look_up_strangers(engine, connect(fake.settings()), POLICY, Correlated())
    assert ("account.move", "search_read") not in fake.calls


@pytest.mark.parametrize("how", ["mrp_operation", "repair_operation", "over the counter"])
def test_what_is_made_repaired_or_sold_over_the_counter_is_left_alone(how: str, fake: FakeOdoo) -> None:
    picking = fake.seed(1)[0]["picking_id"]
    model = fake.store.models[PICKING]
    model.fields["pos_session_id"] = Field("many2one", "res.users")
    record = model.records[picking]
    record["pos_session_id"] = 2 if how == "over the counter" else False
    if how != "over the counter":
        record["picking_type_code"] = how
    assert find_numbers(connect(fake.settings()), [str(record["carrier_tracking_ref"]).split(",")[0]]) == []


def test_before_there_was_a_field_for_it_a_return_says_in_words_what_it_is_the_return_of(fake: FakeOdoo) -> None:
    original, back = (row["picking_id"] for row in fake.seed(2))
    model = fake.store.models[PICKING]
    del model.fields["return_id"]
    name = model.records[original]["name"]
    model.records[back] |= {"origin": f"Return of {name}", "picking_type_code": "incoming"}
    odoo = connect(fake.settings())
    number = str(model.records[back]["carrier_tracking_ref"])
    [delivery] = find_numbers(odoo, [number])
    assert (delivery.return_of, delivery.is_return) == (original, True)


def test_a_reference_is_taken_apart_where_numbers_end() -> None:
    assert split_numbers("1Z999AA10000000001+1Z999AA10000000002") == ("1Z999AA10000000001", "1Z999AA10000000002")
    assert split_numbers("1Z999AA10000000001 1Z999AA10000000002") == ("1Z999AA10000000001", "1Z999AA10000000002")
    assert split_numbers("RR 473 124 829 DE") == ("RR 473 124 829 DE",)
    assert split_numbers("DHL Express 1234567890") == ("1234567890",)
    assert split_numbers("Tracking no.: 123 456 7890 / JD0146") == ("123 456 7890", "JD0146")


@REAL
@pytest.mark.requirement("M80")
def test_an_order_does_not_stand_where_its_return_stands(
    ingest: Any, odoo: Odoo, shop: Shop, shipped: int, correlate: Any, shown: Any, rows: Any
) -> None:
    back = give_back(odoo, shipped)
    number_them(odoo, [shipped], "")
    number_them(odoo, [back], shop.number(2))
    ingest([parcel(shop.number(2), "delivered", 50)])
    correlate()
    assert shown() == {back: "returned"}
    assert rows("select count(*) from effects where kind = 'order'") == [(0,)]


def test_a_drop_shipment_leaves_the_house_although_nothing_comes_by_it(fake: FakeOdoo) -> None:
    seeded = fake.seed(1)[0]
    fake.store.models[PICKING].records[seeded["picking_id"]]["picking_type_code"] = "dropship"
    [delivery] = find_numbers(connect(fake.settings()), seeded["tracking"][:1])
    assert delivery.leaves_the_house
    assert delivery.numbers == tuple(seeded["tracking"])
