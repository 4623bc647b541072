"""InPost: customers' returns, clocks without an offset, and whose place it is."""

from typing import Any

import pytest

from carriers.inpost import CARRIER
from shipments.event import Event, Leg, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read

CASE = "push_delivered_to_locker_collected"


def push(**fields: Any) -> Event:
    (event,) = read(CARRIER, CASE, lambda body: body.update(fields)).events
    return event


@pytest.mark.requirement("M28")
def test_the_delivery_of_a_customers_return_is_returned() -> None:
    back, out = push(shipment={"type": "RETURN"}), push(shipment={"type": "OUTBOUND"})
    assert (back.milestone, back.leg) == (Milestone.RETURNED, Leg.RETURN)
    assert (out.milestone, out.leg) == (Milestone.DELIVERED, Leg.OUTBOUND)


@pytest.mark.parametrize(
    ("land", "quality"), [("PL", TimeQuality.ASSUMED), ("IT", TimeQuality.ASSUMED), ("ES", TimeQuality.LOCAL)]
)
def test_a_clock_without_an_offset_is_placed_where_the_country_has_one(land: str, quality: TimeQuality) -> None:
    place = {"id": "X", "type": "LOGISTIC_CENTER", "name": "Hub", "city": "Town", "country": land}
    assert push(timestamp="2026-05-10T11:00:00", location=place).time_quality is quality


def test_at_an_address_only_the_town_is_kept() -> None:
    home = {"type": "ADDRESS", "name": "Jan Testowy", "address": "Testowa 1", "postalCode": "00-950",
            "city": "Warszawa", "country": "PL"}  # fmt: skip
    place = push(location=home).location
    assert (place.facility, place.postcode, place.city) == (None, None, "Warszawa")
    assert push().location.facility == "TST01M"
