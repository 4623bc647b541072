"""Companies in the store: what one company's account tells has nothing to do with another's deliveries."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from config.queues import LIVE
from shipments.errors import Permanent
from shipments.fold import NEW_JOURNEY_AFTER_END
from shipments.store.deliveries import OtherNumber
from shipments.store.links import Link, save_link
from tests.shipments.telling import START, told
from tests.workers.conftest import POLICY, understood
from workers.correlate import Correlated, _add_numbers
from workers.ingest import ingest_batch, settle_put_off

NORTH, SOUTH = 1, 2
COMPANIES = replace(POLICY, companies={"TESTING__NORTH": NORTH, "TESTING__SOUTH": SOUTH})

pytestmark = pytest.mark.requirement("M145")


@pytest.fixture
def tell(engine: Engine) -> Callable[..., None]:
    """Ingests what an account tells."""

    def tell(account: str, *events: Any, later: str | None = None) -> None:
        ingest_batch(engine, [understood(*events, account=account)], COMPANIES, later)
        settle_put_off(engine, LIVE, COMPANIES)

    return tell


@pytest.fixture
def shown(rows: Callable[..., list]) -> Callable[[], dict[int, str | None]]:
    """Where each delivery stands, by its id."""
    query = "select id, state ->> 'milestone' from shipments order by id"
    return lambda: dict(rows(query))


@pytest.fixture
def find(engine: Engine) -> Callable[[int, str], None]:
    """Has a number belong to a delivery by a reference, as a look-up does."""

    def find(shipment: int, number: str) -> None:
        _add_numbers(engine, [OtherNumber(shipment, number, "order S1", None)], {}, COMPANIES, Correlated())

    return find


@pytest.mark.parametrize("order", ["told first", "registered first"])
def test_of_two_deliveries_with_a_number_only_the_accounts_own_company_shows_it(tell, register, shown, order) -> None:
    if order == "told first":
        tell("north", told("in_transit", 1))
    register(1, "T1", company_id=NORTH)
    register(2, "T1", company_id=SOUTH)
    if order == "registered first":
        tell("north", told("in_transit", 1))
    assert shown() == {1: "in_transit", 2: None}


def test_what_accounts_of_both_companies_tell_of_both_show(tell, register, shown) -> None:
    register(1, "T1", company_id=NORTH)
    register(2, "T1", company_id=SOUTH)
    tell("north", told("in_transit", 1))
    tell("south", told("delivered", 2))
    assert shown() == {1: "delivered", 2: "delivered"}


def test_what_the_second_company_hears_of_is_settled_for_it_with_all_that_came_before(tell, register, rows) -> None:
    """Also where settling is put off."""
    counts = []
    for later, number in ((None, "T1"), (LIVE, "T2")):
        register(len(counts) * 2 + 1, number, company_id=NORTH)
        register(len(counts) * 2 + 2, number, company_id=SOUTH)
        tell("north", told("picked_up", 0, tracking_number=number), told("in_transit", 1, tracking_number=number))
        tell("south", told("in_transit", 1, tracking_number=number), later=later)
        counts.append(rows("select subject % 2, kind, count(*) from effects group by 1, 2 order by 1, 2"))
    assert counts[1] == [(of, kind, 2 * count) for of, kind, count in counts[0]]
    assert {(of, count) for of, kind, count in counts[0] if kind == "timeline"} == {(0, 2), (1, 2)}


def test_what_an_account_of_no_company_tells_all_show(tell, register, shown) -> None:
    register(1, "T1", company_id=NORTH)
    register(2, "T1", company_id=SOUTH)
    tell("", told("in_transit", 1))
    assert shown() == {1: "in_transit", 2: "in_transit"}


def test_a_receipt_does_not_stand_aside_for_the_delivery_of_another_company(tell, register, shown) -> None:
    register(1, "T1", company_id=NORTH)
    register(2, "T1", company_id=SOUTH, operation="incoming")
    tell("south", told("in_transit", 1))
    assert shown() == {1: None, 2: "in_transit"}


def test_a_number_typed_in_at_another_company_takes_no_parcel_away(tell, register, shown, find) -> None:
    register(2, company_id=SOUTH)
    tell("south", told("in_transit", 1))
    find(2, "T1")
    register(1, "T1", company_id=NORTH)
    assert shown() == {1: None, 2: "in_transit"}
    register(3, "T1", company_id=SOUTH)
    assert shown() == {1: None, 2: None, 3: "in_transit"}


def test_a_number_carried_at_another_company_keeps_no_parcel_from_being_found_by_reference(
    tell, register, shown, find
) -> None:
    register(1, "T1", company_id=NORTH)
    register(2, company_id=SOUTH)
    tell("south", told("in_transit", 1))
    find(2, "T1")
    assert shown() == {1: None, 2: "in_transit"}


def test_where_no_account_belongs_to_a_company_a_number_typed_in_goes_over_a_reference_everywhere(
    tell, register, shown, find
) -> None:
    register(2, company_id=SOUTH)
    tell("", told("in_transit", 1))
    find(2, "T1")
    register(1, "T1", company_id=NORTH)
    assert shown() == {1: "in_transit", 2: None}


def test_an_old_delivery_of_another_company_does_not_hide_the_only_journey_of_a_number(tell, register, shown) -> None:
    register(1, "T1", company_id=NORTH)
    register(2, "T1", company_id=SOUTH, registered_at=START + NEW_JOURNEY_AFTER_END + timedelta(days=60))
    tell("south", told("delivered", 1))
    assert shown() == {1: None, 2: "delivered"}


def test_a_person_links_a_number_to_a_delivery_whose_company_may_see_it_and_to_no_other(
    engine, tell, register, shown
) -> None:
    register(1, "T1", company_id=NORTH)
    register(2, company_id=SOUTH)
    register(3, company_id=NORTH)
    tell("south", told("in_transit", 1))
    with engine.begin() as connection, pytest.raises(Permanent, match="belong to other companies"):
        save_link(connection, Link("T1", 3, "the customer says so", "kari"), COMPANIES)
    with engine.begin() as connection:
        save_link(connection, Link("T1", 2, "the customer says so", "kari"), COMPANIES)
    assert shown() == {1: None, 2: "in_transit", 3: None}
