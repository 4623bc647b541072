"""La Poste: a parcel that keeps its number on the way back, and stages that are no events."""

from typing import Any

import pytest

from carriers.laposte import CARRIER
from shipments.event import Leg, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read


@pytest.mark.requirement("M28")
def test_a_delivery_after_the_return_began_is_returned() -> None:
    events = {event.code: event for event in read(CARRIER, "poll_returned").events}
    assert (events["DI1"].milestone, events["DI1"].leg) == (Milestone.RETURNED, Leg.RETURN)
    assert (events["ET1"].leg, events["ND1"].leg) == (Leg.RETURN, Leg.OUTBOUND)


def test_without_a_return_the_same_code_is_a_delivery() -> None:
    def stay(body: Any) -> None:
        body["shipment"]["event"] = [e for e in body["shipment"]["event"] if e["code"] != "RE1"]

    events = {event.code: event for event in read(CARRIER, "poll_returned", stay).events}
    assert (events["DI1"].milestone, events["DI1"].leg) == (Milestone.DELIVERED, Leg.OUTBOUND)


def test_the_stages_are_not_read() -> None:
    def plan(body: Any) -> None:
        body["shipment"]["timeline"] = [{"id": 5, "shortLabel": "Delivered", "date": "2026-03-30", "status": False}]

    assert read(CARRIER, "poll_returned", plan) == read(CARRIER, "poll_returned")


def test_a_time_without_an_offset_stays_local() -> None:
    def cut(body: Any) -> None:
        body["shipment"]["event"][0]["date"] = "2026-03-20T09:45:00"

    assert read(CARRIER, "poll_returned", cut).events[0].time_quality is TimeQuality.LOCAL
