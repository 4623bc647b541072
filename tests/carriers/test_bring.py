"""Bring: words that mean something else than they say, two numbers, two clocks."""

from typing import Any

import pytest

from carriers.base import Message
from carriers.bring import CARRIER
from shipments.event import Event, Leg, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read


def callback(status: str, **fields: Any) -> Event:
    (event,) = read(CARRIER, "callback_in_transit", lambda body: body.update(status=status, **fields)).events
    return event


@pytest.mark.requirement("M28")
@pytest.mark.parametrize(
    ("status", "milestone"),
    [
        ("DELIVERED_SENDER", Milestone.RETURNED),
        ("RETURN", Milestone.RETURN_IN_TRANSIT),
        ("COLLECTED", Milestone.PICKED_UP),
        ("DELIVERY_CANCELLED", Milestone.INFO_RECEIVED),
        ("UNKNOWN", Milestone.UNKNOWN),
    ],
)
def test_words_are_not_taken_for_what_they_sound_like(status: str, milestone: Milestone) -> None:
    assert callback(status).milestone is milestone


def test_scans_after_the_turn_are_on_the_way_back_and_nobody_has_received_it() -> None:
    events = read(CARRIER, "poll_return").events
    legs = {event.code: event.leg for event in events}
    assert [legs["TERMINAL"], legs["DELIVERED_SENDER"]] == [Leg.RETURN, Leg.RETURN]
    assert legs["READY_FOR_PICKUP"] is Leg.OUTBOUND
    assert not [event for event in events if event.proof_of_delivery]


def test_the_shipment_is_tracked_and_the_package_is_its_piece() -> None:
    event = callback("DELIVERED", shipment="70500000000000001", package="370500000000000002")
    assert (event.tracking_number, event.piece) == ("70500000000000001", "370500000000000002")
    alone = callback("DELIVERED", shipment=None, package="370500000000000002")
    assert alone.tracking_number == "370500000000000002"


def test_a_repeat_sent_later_is_the_same_event() -> None:
    first, again = callback("DELIVERED"), callback("DELIVERED", pushed="2026-03-02T07:12:41+0000")
    assert first.key == again.key
    assert first.reported_at != again.reported_at


def test_a_time_is_taken_with_its_offset_and_never_made_up() -> None:
    assert callback("DELIVERED").time_quality is TimeQuality.EXACT
    assert callback("DELIVERED", created="2026-03-02T05:12:40").time_quality is TimeQuality.LOCAL


def test_the_estimate_is_a_day_of_the_package_that_is_awaited() -> None:
    events = read(CARRIER, "poll_two_packages_one_awaited").events
    assert {event.code: str(event.estimated_delivery_at) for event in events if event.estimated_delivery_at} == {
        "DEVIATION": "2026-07-08"
    }


def test_a_damaged_estimate_costs_nothing_but_itself() -> None:
    def damage(body: Any) -> None:
        body["consignmentSet"][0]["packageSet"][1]["dateOfEstimatedDelivery"] = "soon"

    reading = read(CARRIER, "poll_two_packages_one_awaited", damage)
    assert len(reading.events) == 4
    assert [fault.where for fault in reading.faults] == ["consignmentSet[0].packageSet[1].dateOfEstimatedDelivery"]


def test_not_found_is_a_notice() -> None:
    reading = CARRIER.parse(Message(b'{"consignmentSet": [{"error": {"code": 404, "message": "No shipments found"}}]}'))
    assert (reading.events, reading.notice) == ((), "Bring answered: No shipments found")
