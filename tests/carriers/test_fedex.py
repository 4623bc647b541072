"""FedEx: what is odd about it, and the reference samples where they lie."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from carriers.base import Message, Reading
from carriers.fedex import CARRIER
from shipments.errors import SignatureMismatch, Unreadable
from shipments.event import Event, Leg, Reference, TimeQuality
from shipments.milestone import ExceptionCategory, Milestone

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "carriers"
REFERENCE = SHARED / "samples" / "fedex"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="the reference samples are not on this machine")


def read(body: Any) -> Reading:
    return CARRIER.parse(Message(json.dumps(body).encode()))


def read_scans(*scans: dict[str, Any], **result: Any) -> tuple[Event, ...]:
    info = {"trackingNumber": "776650990011", "trackingNumberUniqueId": "12099~776650990011~FDX"}
    track = {"trackingNumberInfo": info, "scanEvents": list(scans), **result}
    return read({"output": {"completeTrackResults": [{"trackResults": [track]}]}}).events


def read_scan(code: str = "IT", at: str | None = "2026-02-10T08:30:00-06:00", **fields: Any) -> Event:
    (event,) = read_scans({"date": at, "eventType": code, **fields})
    return event


# ---- codes and reasons


@pytest.mark.requirement("M28")
@pytest.mark.parametrize("code", ["DE", "SE", "DY"])
def test_the_reason_decides_what_an_exception_means(code: str) -> None:
    event = read_scan(code, exceptionCode="08", eventDescription="Exception", exceptionDescription="Business closed")
    assert event.milestone is Milestone.DELIVERY_ATTEMPTED
    assert event.exception_category is ExceptionCategory.MISSED_RECIPIENT
    assert (event.code_list, event.code) == ("", code)
    assert event.description == "Exception: Business closed"
    assert event.references == (Reference("exception_code", "08"),)


def test_the_key_does_not_depend_on_the_reason() -> None:
    assert read_scan("DE", exceptionCode="08").key == read_scan("DE", exceptionCode="").key


def test_leading_zeros_of_a_reason_are_part_of_it() -> None:
    assert read_scan("DE", exceptionCode="007").exception_category is ExceptionCategory.MISSED_RECIPIENT
    assert read_scan("DE", exceptionCode="7").exception_category is ExceptionCategory.FAILED_DELIVERY


@pytest.mark.requirement("M30")
def test_an_unmapped_reason_leaves_the_general_meaning_and_is_kept() -> None:
    event = read_scan("SE", exceptionCode="Q7")
    assert (event.milestone, event.exception_category) == (Milestone.EXCEPTION, ExceptionCategory.OTHER)
    assert event.references == (Reference("exception_code", "Q7"),)


def test_a_reason_beside_an_ordinary_scan_decides_nothing() -> None:
    event = read_scan("PU", exceptionCode="08")
    assert (event.milestone, event.exception_category) == (Milestone.PICKED_UP, None)


@pytest.mark.parametrize(
    ("code", "delay", "category"),
    [
        ("DY", {"type": "WEATHER", "status": "DELAYED"}, ExceptionCategory.WEATHER),
        ("SE", {"type": "WEATHER"}, ExceptionCategory.WEATHER),
        ("SE", {"type": "CLEARANCE", "status": "DELAYED"}, ExceptionCategory.CUSTOMS_HOLD),
        ("DY", {"type": "WEATHER", "status": "ON_TIME"}, ExceptionCategory.CARRIER_DELAY),
        ("DY", {"type": "METEORITES"}, ExceptionCategory.CARRIER_DELAY),
        ("CD", {"type": "WEATHER", "status": "DELAYED"}, ExceptionCategory.CUSTOMS_HOLD),
        ("PU", {"type": "WEATHER", "status": "DELAYED"}, None),
    ],
)
def test_a_delay_refines_a_vague_trouble_and_makes_none(
    code: str, delay: dict[str, str], category: ExceptionCategory | None
) -> None:
    event = read_scan(code, delayDetail=delay)
    assert event.exception_category is category
    assert event.milestone is CARRIER.codes.look_up("", code).milestone


@pytest.mark.requirement("M12", "M13", "M14")
@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("PD", ExceptionCategory.FAILED_PICKUP),
        ("CD", ExceptionCategory.CUSTOMS_HOLD),
        ("AS", ExceptionCategory.ADDRESS_ISSUE),
    ],
)
def test_kinds_of_trouble_are_told_apart(code: str, category: ExceptionCategory) -> None:
    assert read_scan(code).exception_category is category


@pytest.mark.requirement("M16")
def test_a_return_to_the_shipper_is_a_return_leg() -> None:
    event = read_scan("RS")
    assert (event.milestone, event.leg) == (Milestone.RETURN_IN_TRANSIT, Leg.RETURN)


def test_do_is_a_delivery_unless_the_derived_status_says_otherwise() -> None:
    assert read_scan("DO").milestone is Milestone.DELIVERED
    assert read_scan("DO", derivedStatusCode="DL").milestone is Milestone.DELIVERED
    assert read_scan("DO", derivedStatusCode="PU").milestone is Milestone.PICKED_UP


# ---- time


def test_a_midnight_without_offset_is_a_date() -> None:
    event = read_scan("PU", "2024-08-15T00:00:00", scanLocation={"countryCode": "DE"})
    assert (event.occurred_at, event.time_quality) == (date(2024, 8, 15), TimeQuality.DATE)
    assert event.occurred_text == "2024-08-15T00:00:00"


def test_a_midnight_with_an_offset_is_a_midnight() -> None:
    assert read_scan("PU", "2024-08-15T00:00:00-06:00").time_quality is TimeQuality.EXACT


@pytest.mark.requirement("M24")
def test_a_time_without_offset_is_only_placed_where_the_country_has_one_zone() -> None:
    assert read_scan(at="2026-02-10T08:30:00", scanLocation={"countryCode": "DE"}).time_quality is TimeQuality.ASSUMED
    assert read_scan(at="2026-02-10T08:30:00", scanLocation={"countryCode": "US"}).time_quality is TimeQuality.LOCAL


# ---- identity, results and envelopes


def test_a_reused_number_is_another_journey() -> None:
    scan = {"date": "2026-02-10T08:30:00-06:00", "eventType": "PU"}
    (now,) = read_scans(scan)
    (then,) = read_scans(scan, trackingNumberInfo={"trackingNumber": "776650990011", "trackingNumberUniqueId": "9~9~9"})
    assert now.journey == "12099~776650990011~FDX"
    assert now.key != then.key


def test_the_current_status_is_no_second_event() -> None:
    events = read_scans({"date": "2026-02-10T08:30:00-06:00", "eventType": "PU"}, latestStatusDetail={"code": "PU"})
    assert len(events) == 1


def test_the_current_status_counts_where_no_scans_are_listed() -> None:
    times = [{"type": "ACTUAL_DELIVERY", "dateTime": "2026-02-10T08:30:00-06:00"}]
    (event,) = read_scans(latestStatusDetail={"code": "DL", "description": "Delivered"}, dateAndTimes=times)
    assert (event.milestone, event.occurred_text) == (Milestone.DELIVERED, "2026-02-10T08:30:00-06:00")


def test_a_signature_makes_no_delivery() -> None:
    (event,) = read_scans({"eventType": "OD"}, deliveryDetails={"signedByName": "R.STONE"})
    assert (event.milestone, event.proof_of_delivery) == (Milestone.OUT_FOR_DELIVERY, None)


def test_the_signature_belongs_to_the_last_delivery_wherever_it_is_listed() -> None:
    early, late = "2026-02-10T08:30:00-06:00", "2026-02-11T08:30:00-06:00"
    scans = [{"date": early, "eventType": "DL"}, {"date": late, "eventType": "DL"}]
    events = read_scans(*scans, deliveryDetails={"signedByName": "R.STONE"})
    assert [event.proof_of_delivery is not None for event in events] == [False, True]


def test_an_unreadable_estimate_costs_nothing_but_itself() -> None:
    window = {"window": {"ends": "soon"}}
    track = {"trackingNumber": "7", "scanEvents": [{"eventType": "PU"}], "estimatedDeliveryTimeWindow": window}
    reading = read({"trackResults": [track]})
    assert len(reading.events) == 1
    assert [fault.where for fault in reading.faults] == ["trackResults[0].estimate"]


@pytest.mark.requirement("M44")
def test_one_damaged_scan_costs_nothing_but_itself() -> None:
    reading = read({"trackingNumber": "7", "scanEvents": [{"eventType": "PU"}, {"date": "x", "eventType": "OD"}, 7]})
    assert [event.code for event in reading.events] == ["PU"]
    assert [fault.where for fault in reading.faults] == ["result.scanEvents[1]", "result.scanEvents[2]"]


@pytest.mark.requirement("M44")
def test_a_message_of_nothing_but_damage_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="tracking number"):
        read({"output": {"completeTrackResults": [{"trackResults": [{"scanEvents": [{"eventType": "PU"}]}]}]}})


@pytest.mark.parametrize("alerts", ["VIRTUAL.RESPONSE", [{"code": "VIRTUAL.RESPONSE"}], ["VIRTUAL.RESPONSE - canned"]])
def test_the_sandbox_sends_tests(alerts: Any) -> None:
    track = {"trackingNumber": "7", "scanEvents": [{"eventType": "PU"}]}
    assert read({"output": {"alerts": alerts, "trackResults": [track]}}).events[0].is_test
    assert not read({"output": {"alerts": "NOTE", "trackResults": [track]}}).events[0].is_test


def test_the_recipient_is_never_in_an_event() -> None:
    contact = {"personName": "Never Shown", "companyName": "Never Shown"}
    (event,) = read_scans({"eventType": "PU"}, recipientInformation={"contact": contact})
    assert "Never Shown" not in json.dumps(event.to_dict())


# ---- the reference pack


@needs_reference
def test_the_reference_answer_has_one_scan_and_one_number_nobody_knows() -> None:
    reading = CARRIER.parse(Message((REFERENCE / "track_v1_in_transit.json").read_bytes()))
    (event,) = reading.events
    assert (event.tracking_number, event.journey) == ("128667043726", "245822~123456789012~FDEG")
    assert (event.milestone, event.exception_category) == (Milestone.PICKED_UP, None)
    assert event.to_dict()["occurred_at"] == "2018-02-02T12:01:00-07:00"
    assert reading.notice is not None
    assert "TRACKING.TRACKINGNUMBER.NOTFOUND" in reading.notice


@needs_reference
@pytest.mark.parametrize("name", ["track_v1_error.json", "track_v1_with_signature_proof.json"])
def test_a_reference_answer_without_scans_is_a_notice(name: str) -> None:
    reading = CARRIER.parse(Message((REFERENCE / name).read_bytes()))
    assert (reading.events, reading.faults) == ((), ())
    assert reading.notice


@pytest.mark.skipif(not SHARED.exists(), reason="the reference signatures are not on this machine")
@pytest.mark.requirement("M43")
@pytest.mark.parametrize("form", ["expected", "hex_form"])
def test_the_reference_signature_is_accepted_in_both_forms(form: str) -> None:
    vectors = json.loads((SHARED / "signature-vectors.json").read_text(encoding="utf-8"))["vectors"]
    (vector,) = [vector for vector in vectors if vector["carrier"] == "fedex"]
    headers, body = {vector["header"].lower(): vector[form]}, vector["body"].encode()
    CARRIER.proof.verify(headers, body, [vector["secret"]], NOW)
    with pytest.raises(SignatureMismatch):
        CARRIER.proof.verify(headers, body + b" ", [vector["secret"]], NOW)
    assert CARRIER.parse(Message(body)).events[0].milestone is Milestone.DELIVERED
