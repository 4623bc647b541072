"""Landmark: a proof that is no delivery, states that are no countries, and the number that stays."""

import pytest

from carriers.base import Message
from carriers.landmark import CARRIER
from shipments.event import Event, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import sample

ANSWER = sample(CARRIER, "poll_delivered_in_france")


def delivery(place: str) -> Event:
    body = ANSWER.replace("Besançon, FR".encode(), place.encode())
    return next(event for event in CARRIER.parse(Message(body)).events if event.code == "500")


@pytest.mark.requirement("M28")
def test_a_proof_of_delivery_alone_makes_no_delivery() -> None:
    events = CARRIER.parse(Message(ANSWER.replace(b">500<", b">275<"))).events
    assert "510" in {event.code for event in events}
    assert Milestone.DELIVERED not in {event.milestone for event in events}


@pytest.mark.parametrize(
    ("place", "land"),
    [("Los Angeles, CA", None), ("Wilmington, DE", None), ("Toronto, ON, Canada", "CA"), ("Lyon, FR", "FR")],
)
def test_a_state_is_never_a_country(place: str, land: str | None) -> None:
    assert delivery(place).location.country == land


def test_a_clock_is_placed_only_where_the_country_has_one() -> None:
    assert delivery("Lyon, FR").time_quality is TimeQuality.ASSUMED
    for place in ("Toronto, ON, Canada", "Los Angeles, CA"):
        assert delivery(place).time_quality is TimeQuality.LOCAL


def test_landmarks_own_number_is_tracked_and_the_last_carriers_is_a_reference() -> None:
    event = delivery("Lyon, FR")
    assert event.tracking_number == "LTN90000011N1"
    assert "XY000000011FR" in {reference.value for reference in event.references}
