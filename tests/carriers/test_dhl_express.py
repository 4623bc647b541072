"""DHL Express: a scan of the shipment and of its pieces, and clocks of service areas."""

from typing import Any

import pytest

from carriers.dhl_express import CARRIER
from shipments.event import Leg, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read

CASE = "poll_two_pieces_one_delivered"


def scans(**fields: Any) -> list[dict[str, Any]]:
    area = [{"code": "TLL", "description": "TALLINN-EE"}]
    return [{"date": "2026-04-15", "time": "09:41:00", "typeCode": "OK", "description": "Delivered",
             "serviceArea": area, **fields}]  # fmt: skip


def events(shipment: list[dict[str, Any]], *pieces: list[dict[str, Any]]) -> list[Any]:
    def change(body: Any) -> None:
        body["shipments"][0]["events"] = shipment
        body["shipments"][0]["pieces"] = [
            {"number": n, "trackingNumber": f"JD99900000000000000{n}", "events": found}
            for n, found in enumerate(pieces, 1)
        ]

    return list(read(CARRIER, CASE, change).events)


def test_a_scan_of_the_shipment_is_told_with_the_piece_it_was_made_of() -> None:
    (event,) = events(scans(), scans())
    assert event.piece == "JD999000000000000001"


def test_another_time_place_or_code_is_another_scan() -> None:
    for other in ({"time": "09:42:00"}, {"typeCode": "PD"}, {"serviceArea": [{"code": "HEL"}]}):
        assert {event.piece for event in events(scans(**other), scans())} == {None, "JD999000000000000001"}


def test_a_scan_that_two_pieces_have_is_told_of_both() -> None:
    assert [event.piece for event in events(scans(), scans(), scans())] == [
        "JD999000000000000001",
        "JD999000000000000002",
    ]


def test_the_offset_beside_the_clock_makes_it_exact_and_the_area_only_assumes() -> None:
    (stated,), (placed,) = events(scans(GMTOffset="+03:00")), events(scans())
    assert [stated.time_quality, placed.time_quality] == [TimeQuality.EXACT, TimeQuality.ASSUMED]
    (wide,) = events(scans(serviceArea=[{"code": "JFK", "description": "NEW YORK-US"}]))
    assert wide.time_quality is TimeQuality.LOCAL


@pytest.mark.requirement("M28")
def test_rt_is_the_end_of_a_return() -> None:
    (event,) = events(scans(typeCode="RT", description="Returned to shipper", signedBy="T MUSTER"))
    assert (event.milestone, event.leg, event.proof_of_delivery) == (Milestone.RETURNED, Leg.RETURN, None)
