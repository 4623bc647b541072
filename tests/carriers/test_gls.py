"""GLS: three interfaces and their clocks, and a shop that is no recipient."""

from typing import Any

import pytest

from carriers.gls import CARRIER
from shipments.event import TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read


@pytest.mark.parametrize(("day", "offset"), [("2026-01-15", "+01:00"), ("2026-07-15", "+02:00")])
def test_the_dutch_clock_is_that_of_amsterdam_in_winter_and_in_summer(day: str, offset: str) -> None:
    def move(body: Any) -> None:
        body["scans"][-1]["dateTime"] = f"{day}T13:12:42"

    event = read(CARRIER, "poll_nl_delivered", move).events[-1]
    assert str(event.occurred_at) == f"{day} 13:12:42{offset}"
    assert event.time_quality is TimeQuality.ASSUMED


def test_the_german_clock_is_that_of_berlin() -> None:
    events = read(CARRIER, "poll_de_parcelshop_texts").events
    assert {(str(event.occurred_at)[-6:], event.time_quality) for event in events} == {("+02:00", TimeQuality.ASSUMED)}


def test_the_group_states_its_offset() -> None:
    event = read(CARRIER, "poll_group_batch_and_unmapped").events[0]
    assert (event.time_quality, str(event.occurred_at)) == (TimeQuality.EXACT, "2026-03-10 15:24:57+01:00")


@pytest.mark.requirement("M28")
def test_delivered_at_a_shop_waits_to_be_collected() -> None:
    by_words = {event.description: event.milestone for event in read(CARRIER, "poll_de_parcelshop_texts").events}
    said = {words: stands for words, stands in by_words.items() if words and "delivered at the ParcelShop" in words}
    assert list(said.values()) == [Milestone.AVAILABLE_FOR_PICKUP]
