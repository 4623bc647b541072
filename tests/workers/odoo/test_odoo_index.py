"""Which number belongs to which delivery: nothing is missed, and nothing foreign is taken for ours."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.odoo import FakeOdoo
from tests.workers.odoo.conftest import Shop
from workers.odoo.client import Odoo, connect
from workers.odoo.index import OVERLAP, Delivery, Seen, find_numbers, pull
from workers.odoo.numbers import split_numbers


def pull_all(
    odoo: Odoo, since: datetime | None, limit: int, seen: Seen | None = None
) -> tuple[dict[int, Delivery], datetime | None]:
    found: dict[int, Delivery] = {}
    for _ in range(1000):
        page = pull(odoo, since, limit, seen)
        found |= {delivery.picking_id: delivery for delivery in page.deliveries}
        since = page.next_since
        if not page.more:
            return found, since
    raise AssertionError("the pages do not end")


def test_a_reference_holds_one_number_or_several() -> None:
    assert split_numbers("A1") == ("A1",)
    assert split_numbers(" A1, B2;C3\nD4 ,, A1") == ("A1", "B2", "C3", "D4")
    assert split_numbers(None) == split_numbers(" ") == ()


def test_a_delivery_comes_with_its_numbers_its_order_and_its_responsible(odoo: Odoo, shop: Shop) -> None:
    [picking] = shop.ship(f"{shop.number(1)}, {shop.number(2)}")
    start = datetime.now(UTC) - timedelta(minutes=5)
    found, _ = pull_all(odoo, start, 2000)
    delivery = found[picking]
    assert delivery.numbers == (shop.number(1), shop.number(2))
    assert delivery.order_id == shop.order_of(picking)
    assert delivery.order_name
    assert delivery.user_id == odoo.uid
    assert delivery.company_id
    assert start < delivery.registered_at <= delivery.written_at <= datetime.now(UTC) + timedelta(minutes=1)


def test_a_delivery_says_by_which_method_it_goes(odoo: Odoo, shop: Shop) -> None:
    [with_method, without] = shop.ship(shop.number(1), shop.number(2))
    [product] = odoo.call("product.product", "create", vals_list=[{"name": shop.name, "type": "service"}])
    vals = {"name": f"By Road {shop.name}", "product_id": product}
    [method] = odoo.call("delivery.carrier", "create", vals_list=[vals])
    odoo.call("stock.picking", "write", [with_method], vals={"carrier_id": method})
    found, _ = pull_all(odoo, datetime.now(UTC) - timedelta(minutes=5), 2000)
    assert found[with_method].method == f"By Road {shop.name}"
    assert found[without].method is None


def test_many_deliveries_changed_in_the_same_second_are_all_found_page_by_page(odoo: Odoo, shop: Shop) -> None:
    pickings = shop.ship(*[shop.number(place) for place in range(11)])
    found, _ = pull_all(odoo, datetime.now(UTC) - timedelta(seconds=30), 4)
    assert set(pickings) <= set(found)


def test_a_second_that_begins_on_one_page_and_goes_on_behind_it_is_not_cut_short(fake: FakeOdoo) -> None:
    pickings = [row["picking_id"] for row in fake.seed(9)]
    start = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    for place, picking in enumerate(pickings):
        at = start if place < 2 else start + timedelta(seconds=1, microseconds=place) if place < 8 else start + OVERLAP
        fake.store.models["stock.picking"].records[picking]["write_date"] = at
    found, _ = pull_all(connect(fake.settings()), start, 4)
    assert set(found) == set(pickings)


def test_a_number_that_was_wiped_is_told(odoo: Odoo, shop: Shop) -> None:
    [picking] = shop.ship(shop.number(1))
    _, since = pull_all(odoo, datetime.now(UTC) - timedelta(seconds=30), 2000)
    odoo.call("stock.picking", "write", [picking], vals={"carrier_tracking_ref": False})
    found, _ = pull_all(odoo, since, 2000)
    assert found[picking].numbers == ()


def test_the_first_time_only_deliveries_with_a_number_come(fake: FakeOdoo) -> None:
    with_number = fake.seed(3)[0]["picking_id"]
    odoo = connect(fake.settings())
    without = Shop(odoo).deliver(1)[0]
    found, _ = pull_all(odoo, None, 2000)
    assert with_number in found
    assert without not in found


def test_a_page_is_one_call_for_deliveries_that_have_a_responsible(fake: FakeOdoo) -> None:
    pickings = [row["picking_id"] for row in fake.seed(5)]
    odoo = connect(fake.settings())
    odoo.call("stock.picking", "write", pickings, vals={"user_id": odoo.uid})
    odoo.field_names("stock.picking")
    calls = odoo.calls
    assert len(pull(odoo, None).deliveries) == 5
    assert odoo.calls - calls == 1


def test_the_next_pull_looks_back_for_what_ended_late_and_never_further_than_before(fake: FakeOdoo) -> None:
    fake.seed(2)
    odoo = connect(fake.settings())
    page = pull(odoo, None)
    assert page.next_since == page.deliveries[-1].written_at - OVERLAP
    later = page.deliveries[-1].written_at - timedelta(seconds=10)
    assert pull(odoo, later).next_since == later
    future = datetime(2100, 1, 1, tzinfo=UTC)
    assert (pull(odoo, future).deliveries, pull(odoo, future).next_since) == ([], future)


def seen_until(fake: FakeOdoo, pickings: list[int], until: datetime) -> Seen:
    """Those deliveries were read as they are now, and nothing changed later than `until` was."""
    records = fake.store.models["stock.picking"].records
    changes = {picking: records[picking]["write_date"].replace(microsecond=0) for picking in pickings}
    return Seen(until, lambda ids: {id_: changes[id_] for id_ in ids if id_ in changes})


def test_what_was_seen_is_not_read_again_unless_it_has_changed_since(fake: FakeOdoo) -> None:
    pickings = [row["picking_id"] for row in fake.seed(6)]
    records, start = fake.store.models["stock.picking"].records, datetime(2026, 11, 1, 12, tzinfo=UTC)
    for place, picking in enumerate(pickings):
        records[picking]["write_date"] = start + timedelta(seconds=place)
    *old, last = pickings
    seen = seen_until(fake, pickings, start + timedelta(seconds=5))
    odoo = connect(fake.settings())
    page = pull(odoo, start, 2000, seen)
    assert [d.picking_id for d in page.deliveries] == [last], "its second may not have been over"
    records[old[1]]["write_date"] = start + timedelta(seconds=9)
    late = fake.seed(1)[0]["picking_id"]
    records[late]["write_date"] = start + timedelta(seconds=2)  # begun then, and ended after the last pull
    page = pull(odoo, start, 2000, seen)
    assert [d.picking_id for d in page.deliveries] == [late, last, old[1]]
    assert (page.newest, page.more) == (start + timedelta(seconds=9), False)


def test_many_that_were_seen_among_a_few_that_changed_cost_two_calls(fake: FakeOdoo) -> None:
    pickings = [row["picking_id"] for row in fake.seed(30)]
    records, start = fake.store.models["stock.picking"].records, datetime(2026, 11, 1, 12, tzinfo=UTC)
    for place, picking in enumerate(pickings):
        records[picking] |= {"write_date": start + timedelta(seconds=place), "user_id": 2}
    changed = pickings[::10]
    seen = seen_until(fake, [p for p in pickings if p not in changed], start + timedelta(hours=1))
    odoo = connect(fake.settings())
    odoo.field_names("stock.picking")
    calls = odoo.calls
    page = pull(odoo, start, 7, seen)
    assert [d.picking_id for d in page.deliveries] == changed
    assert (odoo.calls - calls, page.more) == (2, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 40])
@pytest.mark.parametrize("seconds", [1, 4, 11])
def test_pages_of_any_size_leave_nothing_out_that_is_news(fake: FakeOdoo, limit: int, seconds: int) -> None:
    pickings = [row["picking_id"] for row in fake.seed(24)]
    records, start = fake.store.models["stock.picking"].records, datetime(2026, 11, 1, 12, tzinfo=UTC)
    for place, picking in enumerate(pickings):
        records[picking]["write_date"] = start + timedelta(seconds=place * seconds // 24, microseconds=place)
    news = set(pickings[::3])
    seen = seen_until(fake, [p for p in pickings if p not in news], start + timedelta(hours=1))
    found, _ = pull_all(connect(fake.settings()), start, limit, seen)
    assert news <= set(found)


def test_strangers_are_found_alone_and_among_others_in_one_search(odoo: Odoo, shop: Shop) -> None:
    alone, among, other = shop.ship(shop.number(1), f"{shop.number(2)},{shop.number(3)}", shop.number(4))
    found = find_numbers(odoo, [shop.number(1), shop.number(3), "1ZNOBODYHASTHIS"])
    assert {delivery.picking_id for delivery in found} == {alone, among}
    assert other not in {delivery.picking_id for delivery in found}


def test_one_number_on_two_deliveries_finds_both(odoo: Odoo, shop: Shop) -> None:
    pickings = shop.ship(shop.number(1), f"{shop.number(2)};{shop.number(1)}")
    assert sorted(delivery.picking_id for delivery in find_numbers(odoo, [shop.number(1)])) == pickings


def test_part_of_a_number_and_wildcards_find_nothing(odoo: Odoo, shop: Shop) -> None:
    shop.ship(f"{shop.number(1)},{shop.number(2)}")
    assert find_numbers(odoo, [shop.number(1)[:-2], "%", "_" * 18, shop.number(1)[:-1] + "_", "\\"]) == []


def test_a_number_with_a_wildcard_in_it_is_found_among_others(odoo: Odoo, shop: Shop) -> None:
    [picking] = shop.ship(f"{shop.number(1)},{shop.number(2)}_%7")
    assert [delivery.picking_id for delivery in find_numbers(odoo, [f"{shop.number(2)}_%7"])] == [picking]


def test_no_numbers_are_no_call(odoo: Odoo) -> None:
    calls = odoo.calls
    assert find_numbers(odoo, ["", " "]) == []
    assert odoo.calls == calls
