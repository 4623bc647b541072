"""What people see of Milepost on a real Odoo, in a real browser; --pictures photographs it for docs/odoo.md."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from config.settings import Settings
from shipments.clock import now
from tests.workers.odoo.seen.conftest import Person
from tests.workers.odoo.seen.story import Week
from tests.workers.odoo.seen.web import WebClient

pytestmark = pytest.mark.odoo

DELIVERIES, EXCEPTIONS = "stock.action_picking_tree_all", "milepost.action_exceptions"


def customers(web: WebClient, week: Week) -> set[str]:
    """Of whom the list shows a line."""
    lines = web.rows()
    return {name for name, shipped in week.shipped.items() if any(shipped.sale.customer in line for line in lines)}


@pytest.mark.requirement("M2", "M9", "X2", "X17")
def test_a_delivery_shows_its_badge_place_freshness_dates_and_proof_with_its_document(
    web: WebClient, week: Week
) -> None:
    web.open_record("stock.picking", week.shipped["delivered"].picking)
    assert web.field("x_milepost_milestone") == "Delivered"
    assert web.field("x_milepost_location") == "Turin, IT"
    assert web.field("x_milepost_carrier") == "DHL"
    assert "(UTC+01:00)" in web.field("x_milepost_occurred_text")
    assert web.field("x_milepost_heard_at")
    assert web.field("x_milepost_estimated_on")
    assert web.field("date_deadline")
    assert web.field("x_milepost_signed_by") == "G. Marchetti"
    assert web.field("x_milepost_document_ids").startswith("Proof of delivery JJD")
    assert web.field("x_milepost_exception") == ""
    link = web.page.locator("[name=x_milepost_document_ids] a[href*='/web/content/']").first.get_attribute("href")
    document = web.page.request.get(f"{web.url}{link.removeprefix(web.url)}")
    assert document.body().startswith(b"\x89PNG")
    web.picture("odoo-delivery")


@pytest.mark.requirement("M10", "M17", "M19")
def test_a_delivery_in_trouble_shows_what_it_is_whose_it_is_and_until_when(web: WebClient, week: Week) -> None:
    web.open_record("stock.picking", week.shipped["customs"].picking)
    assert web.field("x_milepost_exception") == "Customs hold"
    assert web.field("x_milepost_exception_severity") == "High"
    assert web.field("x_milepost_exception_owner") == "Customs"
    assert web.field("x_milepost_exception_due")
    assert web.field("x_milepost_document_ids") == ""
    web.page.get_by_text("Customs holds the parcel").first.wait_for()
    web.picture("odoo-exception", 1180)


@pytest.mark.requirement("X11", "X17")
def test_the_timeline_shows_every_scan_with_the_newest_first_and_what_was_estimated(web: WebClient, week: Week) -> None:
    delayed = week.shipped["delayed"]
    web.open_record("stock.picking", delayed.picking)
    assert web.field("x_milepost_days_late") == "2"
    web.tab("Timeline")
    rows = web.rows()
    told = ["Delayed", "Arrived at facility", "Departed facility", "Picked up", "Label created"]
    assert [row.split(" | ")[1] for row in rows] == told
    assert all(word in rows[0] for word in ("Weather", "Malmö, SE", "new delivery date", *delayed.numbers, "FedEx"))
    assert len(web.field("x_milepost_eta_history").splitlines()) == 3
    web.picture("odoo-timeline", 1180)


@pytest.mark.requirement("M7", "M8")
def test_the_list_shows_all_carriers_deliveries_in_the_same_columns(web: WebClient, week: Week) -> None:
    web.open_action(DELIVERIES)
    web.search(week.word)
    web.page.wait_for_function("document.querySelectorAll('.o_data_row').length === 9")
    assert customers(web, week) == set(week.shipped)
    lines = " ".join(web.rows())
    for words in ("Out for delivery", "Partially delivered", "Customs hold", "UPS", "DHL", "FedEx"):
        assert words in lines
    late = web.page.locator(".o_data_row:has-text('Bergström') [name=x_milepost_estimated_on]").first
    assert "text-danger" in late.evaluate("cell => cell.outerHTML")
    web.picture("odoo-deliveries", 560)


@pytest.mark.requirement("M7", "M9", "M10")
@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("Shipment delayed", {"delayed"}),
        ("Shipment exception", {"customs", "delayed", "damaged", "address"}),
        ("No news for 3 days", {"silent"}),
        ("Delivered without proof", set()),
    ],
)
def test_a_filter_finds_the_deliveries_it_names(web: WebClient, week: Week, choice: str, found: set[str]) -> None:
    web.open_action(DELIVERIES)
    web.search(week.word)
    web.choose("filter", choice)
    web.page.wait_for_function(f"document.querySelectorAll('.o_data_row').length === {len(found)}")
    assert customers(web, week) == found


@pytest.mark.requirement("M7", "M10")
@pytest.mark.parametrize(
    ("choice", "group"),
    [
        (("Shipment exception",), "Customs hold (1)"),
        (("Tracked by",), "FedEx (3)"),
        (("Team that resolves it",), "Customer service (2)"),
        (("Estimated delivery", "Day"), f"{now() + timedelta(days=3):%d %b %Y} (1)"),
        (("Heard from the carrier", "Week"), "W"),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_deliveries_are_grouped_by_what_a_team_sorts_its_work_by(
    web: WebClient, week: Week, choice: tuple[str, ...], group: str
) -> None:
    web.open_action(DELIVERIES)
    web.search(week.word)
    web.choose("group_by", *choice)
    web.page.locator(".o_group_header", has_text=group).first.wait_for()
    if choice == ("Shipment exception",):
        web.page.set_viewport_size({"width": 1380, "height": 980})
        web.open_menu("group_by")
        web.picture("odoo-filters", 980)


@pytest.mark.requirement("M10", "M17")
def test_the_menu_exceptions_lists_trouble_with_what_is_due_first_on_top(web: WebClient, week: Week) -> None:
    web.open_action(EXCEPTIONS, "kanban")
    web.search(week.word)
    web.page.wait_for_function("document.querySelectorAll('.o_kanban_record:not(.o_kanban_ghost)').length === 4")
    web.page.locator(".o_kanban_group:has-text('Customs hold')", has_text="Hudson Trail Supply").wait_for()
    web.picture("odoo-exceptions-cards", 420)
    menu = web.page.locator(".o_main_navbar").get_by_text("Operations", exact=True).first
    menu.click()
    web.page.locator(".dropdown-item:has-text('Exceptions'):visible").first.click()
    web.page.wait_for_selector(".o_list_table")
    web.search(week.word)
    web.page.wait_for_function("document.querySelectorAll('.o_data_row').length === 4")
    order = [week.shipped[name].sale.customer for name in ("damaged", "customs", "address", "delayed")]
    assert [next(c for c in order if c in line) for line in web.rows()] == order
    overdue = web.page.locator(".o_data_row:has-text('Sherpa') [name=x_milepost_exception_due]").first
    assert "text-danger" in overdue.evaluate("cell => cell.outerHTML")
    web.picture("odoo-exceptions", 420)


@pytest.mark.requirement("M1", "M15", "X1")
def test_an_order_shows_where_all_its_parcels_stand_together(web: WebClient, week: Week) -> None:
    web.open_record("sale.order", week.shipped["parts"].order)
    assert web.field("x_milepost_milestone") == "Partially delivered"
    parcels = web.page.locator("[name=milepost_parcels]:visible").first.inner_text()
    assert "".join(parcels.split()) == "3,2arrived"
    web.tab("Timeline")
    numbers = week.shipped["parts"].numbers
    assert all(any(number in row for row in web.rows()) for number in numbers)
    web.picture("odoo-order", 1180)


@pytest.mark.requirement("M6")
def test_a_salesperson_without_rights_in_the_inventory_reads_the_timeline_on_the_order(
    open_as: Callable[[str, str], WebClient], salesperson: Person, week: Week, real: Settings
) -> None:
    web = open_as(salesperson.login, salesperson.password)
    web.open_record("sale.order", week.shipped["delivered"].order)
    assert web.field("x_milepost_milestone") == "Delivered"
    assert web.field("x_milepost_document_ids").startswith("Proof of delivery JJD")
    web.tab("Timeline")
    assert "G. Marchetti" in web.field("x_milepost_signed_by")
    assert [row.split(" | ")[1] for row in web.rows()][:2] == ["Delivered", "Out for delivery"]
    web.picture("odoo-salesperson", 1080)
