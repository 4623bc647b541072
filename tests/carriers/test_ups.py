"""UPS: which list a code belongs to, what time it was, and what is not a delivery."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from carriers.base import Message, Reading
from carriers.ups import CARRIER
from shipments.errors import Unreadable
from shipments.event import Event, Leg, TimeQuality
from shipments.milestone import ExceptionCategory, Milestone

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "carriers" / "samples"
SAMPLES = Path(__file__).resolve().parents[2] / "carriers" / "ups" / "samples"
needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="the reference samples are not on this machine")


def read(body: Any) -> Reading:
    return CARRIER.parse(Message(json.dumps(body).encode()))


def only(reading: Reading) -> Event:
    (event,) = reading.events
    return event


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.in.json").read_text())


def reference(name: str) -> Reading:
    return CARRIER.parse(Message((REFERENCE / "ups" / name).read_bytes()))


def alert(**fields: Any) -> dict[str, Any]:
    """A Track Alert message: an arrival scan in Memphis, in the central zone of the US."""
    return {
        "trackingNumber": "1ZM1LE570300000017",
        "localActivityDate": "20250311",
        "localActivityTime": "231502",
        "gmtActivityDate": "20250312",
        "gmtActivityTime": "041502",
        "activityLocation": {"city": "Memphis", "stateProvince": "TN", "postalCode": "", "country": "US"},
        "activityStatus": status(),
    } | fields


def status(type: str = "I", code: str = "AR", description_code: Any = "005", description: str = "A scan") -> Any:  # noqa: A002 - UPS's own word
    return {"type": type, "code": code, "descriptionCode": description_code, "description": description}


def event_of(type: str, code: str, description_code: Any = "") -> Event:  # noqa: A002 - UPS's own word
    return only(read(alert(activityStatus=status(type, code, description_code))))


def answer(*packages: Any, number: str = "1ZM1LE570300000017") -> dict[str, Any]:
    return {"trackResponse": {"shipment": [{"inquiryNumber": number, "package": list(packages)}]}}


def scan(type: str = "I", code: str = "AR", day: str = "20250311", clock: str = "101500", **fields: Any) -> Any:  # noqa: A002 - UPS's own word
    return {"date": day, "time": clock, "status": {"type": type, "code": code}} | fields


class TestCodes:
    @pytest.mark.requirement("M28")
    @pytest.mark.parametrize(
        ("type_", "code", "code_list", "milestone"),
        [
            ("I", "OT", "movement", Milestone.OUT_FOR_DELIVERY),
            ("X", "OT", "exception", Milestone.CUSTOMS_CLEARANCE),
            ("I", "OR", "movement", Milestone.PICKED_UP),
            ("X", "OR", "exception", Milestone.EXCEPTION),
            ("I", "DP", "movement", Milestone.DEPARTED_FACILITY),
            ("M", "DP", "manifest", Milestone.LABEL_CREATED),
            ("M", "MP", "manifest", Milestone.LABEL_CREATED),
            ("D", "MP", "delivery", Milestone.DELIVERED),
            ("I", "XD", "movement", Milestone.PICKED_UP),
            ("X", "XD", "exception", Milestone.ARRIVED_AT_FACILITY),
            ("U", "UP", "update", Milestone.INFO_RECEIVED),
        ],
    )
    def test_the_type_picks_the_list_in_which_a_code_is_read(self, type_, code, code_list, milestone):
        event = event_of(type_, code)
        assert (event.code_list, event.code, event.milestone) == (code_list, code, milestone)

    @pytest.mark.parametrize(
        ("type_", "code"), [("X", "AR"), ("M", "OF"), ("M", "AR"), ("U", "OT"), ("U", "AR"), ("ZZ", "OT"), ("", "OF")]
    )
    def test_no_type_but_a_movement_is_read_from_the_movement_list(self, type_, code):
        event = event_of(type_, code)
        assert event.code_list != "movement"
        assert event.milestone not in (Milestone.OUT_FOR_DELIVERY, Milestone.ARRIVED_AT_FACILITY)

    def test_a_code_without_a_mapping_gives_way_to_the_description_code(self):
        event = event_of("D", "F4", "011")
        assert (event.milestone, event.code_list, event.code) == (Milestone.DELIVERED, "delivery", "F4")

    def test_a_description_code_that_lost_its_zeros_is_read_in_three_digits(self):
        assert event_of("I", "Q7", 21).milestone is Milestone.OUT_FOR_DELIVERY

    def test_the_type_decides_where_neither_code_nor_description_code_is_mapped(self):
        assert event_of("X", "Q?", "999").milestone is Milestone.EXCEPTION

    @pytest.mark.requirement("M30")
    def test_an_unmapped_code_of_a_parcel_on_its_way_is_unknown_and_not_in_transit(self):
        event = event_of("I", "Q7", "999")
        assert (event.milestone, event.code_list, event.code) == (Milestone.UNKNOWN, "movement", "Q7")
        assert event.description == "A scan"

    @pytest.mark.requirement("M30")
    def test_a_type_nobody_has_published_is_unknown_and_keeps_its_name(self):
        event = event_of("QQ", "OT", "")
        assert (event.milestone, event.code_list, event.code) == (Milestone.UNKNOWN, "qq", "OT")

    def test_the_event_is_the_same_whichever_level_decided(self):
        assert event_of("D", "F4", "011").key == event_of("D", "F4", "").key

    def test_an_activity_with_only_a_description_code_is_named_by_it(self):
        event = event_of("I", "", "6")
        assert (event.code_list, event.code, event.milestone) == ("status", "006", Milestone.OUT_FOR_DELIVERY)

    def test_an_activity_that_names_nothing_is_unreadable(self):
        with pytest.raises(Unreadable, match="neither a code nor a type"):
            event_of("", "", "")

    def test_a_code_with_a_leading_zero_finds_the_published_one_without(self):
        event = event_of("X", "05")
        assert (event.code, event.milestone) == ("05", Milestone.CUSTOMS_CLEARANCE)

    @pytest.mark.requirement("M12")
    def test_a_pickup_that_was_not_ready_is_a_failed_pickup(self):
        event = event_of("X", "G4", "065")
        assert (event.milestone, event.exception_category) == (Milestone.EXCEPTION, ExceptionCategory.FAILED_PICKUP)

    def test_a_voided_label_is_cancelled_although_it_keeps_the_code_of_the_label(self):
        assert event_of("MV", "MP", "003").milestone is Milestone.CANCELLED

    def test_a_freight_milestone_is_not_read_from_the_parcel_status_list(self):
        assert event_of("DO", "", "011").milestone is Milestone.ARRIVED_AT_FACILITY

    @pytest.mark.parametrize("code", ["F0", "F3"])
    def test_an_arrival_or_departure_of_type_d_is_no_delivery(self, code):
        assert event_of("D", code).milestone is not Milestone.DELIVERED


class TestReturnsAndDeliveries:
    def test_a_parcel_left_at_the_senders_door_is_returned_and_not_delivered(self):
        event = event_of("D", "ML", "034")
        assert (event.milestone, event.leg, event.code) == (Milestone.RETURNED, Leg.RETURN, "ML")

    def test_a_parcel_left_in_a_store_may_still_wait_for_its_recipient(self):
        assert event_of("D", "MC", "161").milestone is Milestone.AVAILABLE_FOR_PICKUP

    def test_a_scan_under_a_returning_status_is_on_the_return_leg(self):
        event = event_of("I", "AR", "036")
        assert (event.milestone, event.leg) == (Milestone.ARRIVED_AT_FACILITY, Leg.RETURN)

    def test_the_type_returned_to_shipper_outweighs_a_delivery_code(self):
        assert event_of("RS", "FS", "011").milestone is Milestone.RETURNED

    @pytest.mark.parametrize("description_code", ["155", "011", "999"])
    @pytest.mark.parametrize("code", ["PX", "Q7"])
    def test_a_photo_of_the_delivery_is_no_delivery(self, code, description_code):
        body = alert(activityStatus=status("U", code, description_code), deliveryPhoto="aW52", receivedBy="R. EXAMPLE")
        event = only(read(body | {"actualDeliveryDate": "20250311", "actualDeliveryTime": "231502"}))
        assert (event.milestone, event.proof_of_delivery) == (Milestone.INFO_RECEIVED, None)

    def test_the_signature_and_the_time_of_a_delivery_are_its_proof(self):
        proof = only(read(sample("push_delivered_signed_v2"))).proof_of_delivery
        assert (proof.signed_by, proof.at) == ("R. EXAMPLE", "2025-03-14T14:03:11-07:00")

    def test_a_delivery_time_that_differs_from_the_scan_keeps_no_zone_it_did_not_state(self):
        body = sample("push_delivered_signed_v2") | {"actualDeliveryTime": "90000"}
        assert only(read(body)).proof_of_delivery.at == "2025-03-14T09:00:00"

    def test_an_attempt_has_no_proof_even_if_somebody_is_named(self):
        body = sample("push_receiver_not_available") | {"receivedBy": "R. EXAMPLE", "actualDeliveryDate": "20250314"}
        assert only(read(body)).proof_of_delivery is None


class TestTimes:
    def test_the_offset_is_local_time_minus_greenwich_time_across_midnight(self):
        event = only(read(alert()))
        assert event.occurred_at.isoformat() == "2025-03-11T23:15:02-05:00"
        assert (event.time_quality, event.occurred_text) == (TimeQuality.EXACT, "20250311 231502")

    def test_the_offset_is_rounded_to_a_quarter_of_an_hour(self):
        assert only(read(alert(gmtActivityTime="041730"))).occurred_at.utcoffset() == timedelta(hours=-5)

    @pytest.mark.parametrize("gmt_time", ["181502", "041502"])
    def test_an_offset_the_country_cannot_have_is_not_believed(self, gmt_time):
        event = only(read(alert(gmtActivityDate="20250311", gmtActivityTime=gmt_time)))
        assert (event.occurred_at, event.time_quality) == (datetime(2025, 3, 11, 23, 15, 2), TimeQuality.LOCAL)  # noqa: DTZ001 - local on purpose

    def test_where_the_country_has_one_zone_a_wrong_offset_gives_way_to_it(self):
        place = {"city": "Lyon", "country": "FR"}
        event = only(read(alert(activityLocation=place)))
        assert (event.occurred_at.utcoffset(), event.time_quality) == (timedelta(hours=1), TimeQuality.ASSUMED)

    def test_an_impossible_offset_is_not_believed_without_a_country_either(self):
        event = only(read(alert(activityLocation={}, gmtActivityDate="20250310")))
        assert (event.occurred_at.tzinfo, event.time_quality) == (None, TimeQuality.LOCAL)

    def test_puerto_rico_has_its_own_zone_although_ups_writes_us(self):
        place = {"city": "San Juan", "stateProvince": "PR", "country": "US"}
        event = only(read(alert(activityLocation=place, gmtActivityTime="031502")))
        assert (event.occurred_at.utcoffset(), event.time_quality) == (timedelta(hours=-4), TimeQuality.EXACT)

    @pytest.mark.parametrize("clock", ["20250309 033000", "20250309 013000"])
    def test_both_offsets_of_the_day_the_clocks_change_are_believed(self, clock):
        day, time = clock.split()
        gmt = "083000" if time == "033000" else "073000"
        body = alert(localActivityDate=day, localActivityTime=time, gmtActivityDate=day, gmtActivityTime=gmt)
        assert only(read(body)).time_quality is TimeQuality.EXACT

    @pytest.mark.parametrize("offset", ["-06:00", "-06.00", "-0600", "-6.00"])
    def test_an_offset_is_read_with_a_colon_a_dot_or_neither(self, offset):
        package = {"activity": [scan(gmtOffset=offset, location={"address": {"countryCode": "US"}})]}
        assert only(read(answer(package))).occurred_at.isoformat() == "2025-03-11T10:15:00-06:00"

    @pytest.mark.parametrize("offset", ["+06:00", "-", "06:00", "-six", "-04.50"])
    def test_an_offset_that_cannot_be_gives_way_to_greenwich_time(self, offset):
        gmt = {"gmtDate": "20250311", "gmtTime": "151500", "gmtOffset": offset}
        package = {"activity": [scan(**gmt, location={"address": {"countryCode": "US"}})]}
        assert only(read(answer(package))).occurred_at.utcoffset() == timedelta(hours=-5)

    def test_a_time_without_its_leading_zeros_is_filled_from_the_left(self):
        event = only(read(alert(localActivityTime="74700", gmtActivityDate="20250311", gmtActivityTime=124700)))
        assert event.occurred_at.isoformat() == "2025-03-11T07:47:00-05:00"
        assert event.occurred_text == "20250311 74700"

    def test_a_date_without_a_time_stays_a_date(self):
        event = only(read(alert(localActivityTime="")))
        assert (event.occurred_at, event.time_quality) == (date(2025, 3, 11), TimeQuality.DATE)

    def test_greenwich_time_alone_is_exact(self):
        event = only(read(alert(localActivityDate="", localActivityTime="")))
        assert (event.occurred_at.isoformat(), event.time_quality) == ("2025-03-12T04:15:02+00:00", TimeQuality.EXACT)
        assert event.occurred_text == "2025-03-12 04:15:02"

    @pytest.mark.parametrize("day", ["", None, "00000000", "00010101", "string"])
    def test_a_null_date_is_no_time(self, day):
        event = only(read(alert(localActivityDate=day, gmtActivityDate="")))
        assert (event.occurred_at, event.time_quality) == (None, TimeQuality.NONE)

    @pytest.mark.parametrize("damage", [{"localActivityDate": "2025-03-11"}, {"localActivityTime": "256199"}])
    def test_a_time_that_is_none_makes_the_message_unreadable(self, damage):
        with pytest.raises(Unreadable, match="YYYYMMDD"):
            read(alert(**damage))

    @pytest.mark.parametrize("field", ["gmtActivityDate", "gmtActivityTime", "scheduledDeliveryDate"])
    def test_a_damaged_side_field_does_not_cost_the_event(self, field):
        assert only(read(alert(**{field: "2025031x"}))).milestone is Milestone.ARRIVED_AT_FACILITY

    def test_the_planned_date_is_an_estimate_and_not_an_event(self):
        event = only(read(alert(scheduledDeliveryDate="20250314")))
        assert (event.estimated_delivery_at, event.milestone) == (date(2025, 3, 14), Milestone.ARRIVED_AT_FACILITY)


class TestAlerts:
    def test_blanks_around_a_tracking_number_are_not_part_of_it(self):
        assert only(read(alert(trackingNumber=" 1ZM1LE570300000017 "))).tracking_number == "1ZM1LE570300000017"

    def test_the_test_numbers_of_ups_are_marked(self):
        assert only(read(alert(trackingNumber="1ZCIETST0422222228"))).is_test
        assert not only(read(alert())).is_test

    def test_a_changed_wording_is_the_same_event(self):
        french = status(description="Balayage d'arrivée")
        assert only(read(alert())).key == only(read(alert(activityStatus=french))).key

    def test_a_mended_greenwich_time_is_the_same_event(self):
        assert only(read(alert())).key == only(read(alert(gmtActivityTime="151502"))).key

    @pytest.mark.requirement("M44")
    @pytest.mark.parametrize(
        "body",
        [[], [alert()], {}, "text", {"trackingNumber": "1ZM1LE570300000017"}, alert(trackingNumber=""),
         alert(activityStatus=None), alert(activityStatus=[]), {"trackResponse": None}, {"trackResponse": {}},
         answer("x"), answer({"activity": "x"}), answer({"activity": [{"status": {}}]})],
    )  # fmt: skip
    def test_a_message_in_neither_shape_is_unreadable(self, body):
        with pytest.raises(Unreadable):
            read(body)

    def test_what_became_of_a_subscription_is_a_notice(self):
        reading = read(sample("subscription_partly_refused"))
        assert (reading.events, reading.notice) == ((), "UPS watches 1 numbers and refuses 1")


class TestAnswers:
    def test_one_scan_pushed_and_polled_is_one_event(self):
        pushed = only(read(sample("push_origin_scan")))
        polled = [event for event in read(sample("poll_delivered_history")).events if event.code == "OR"]
        assert [event.key for event in polled] == [pushed.key]

    def test_the_current_status_is_not_a_second_event(self):
        events = read(sample("poll_delivered_history")).events
        assert [event.milestone for event in events].count(Milestone.DELIVERED) == 1
        assert len(events) == 5

    def test_the_proof_belongs_to_the_newest_delivery_and_the_plan_to_the_newest_event(self):
        package = {
            "deliveryInformation": {"receivedBy": "R. EXAMPLE"},
            "deliveryDate": [{"type": "SDD", "date": "20250312"}, {"type": "RDD", "date": "20250313"}],
            "activity": [
                scan("D", "M4", "20250311"),
                scan("I", "OT", "20250314"),
                scan("D", "M4", "20250313"),
            ],
        }
        first, newest, second = read(answer(package)).events
        assert (first.proof_of_delivery, newest.proof_of_delivery) == (None, None)
        assert second.proof_of_delivery.signed_by == "R. EXAMPLE"
        assert newest.estimated_delivery_at == date(2025, 3, 13)
        assert (first.estimated_delivery_at, second.estimated_delivery_at) == (None, None)

    def test_a_recipient_named_on_a_parcel_still_moving_is_not_kept(self):
        package = {"deliveryInformation": {"receivedBy": "R. EXAMPLE"}, "activity": [scan()]}
        assert "EXAMPLE" not in json.dumps(only(read(answer(package))).to_dict())

    def test_the_consignee_of_a_package_is_not_kept(self):
        events = read(sample("poll_delivered_history")).events
        assert "EXAMPLE LTD" not in json.dumps([event.to_dict() for event in events])

    def test_other_numbers_of_a_package_are_references(self):
        event = read(sample("poll_delivered_history")).events[0]
        assert [(r.type, r.value) for r in event.references] == [
            ("USPS_PIC", "9200190000000000000017"),
            ("SHIPMENT", "WH/OUT/00017"),
            ("PACKAGE", "S00042"),
        ]

    def test_each_package_is_a_parcel_of_its_own_and_ups_numbers_no_pieces(self):
        events = read(sample("poll_two_packages_one_returned")).events
        assert {(event.tracking_number, event.piece) for event in events} == {
            ("1ZM1LE570300000017", None),
            ("1ZM1LE570300000026", None),
        }

    def test_packages_that_ups_counts_and_does_not_list_are_noticed(self):
        reading = read(answer({"packageCount": 3, "activity": [scan()]}))
        assert (len(reading.events), reading.notice) == (1, "UPS counts 3 packages and lists 1")

    def test_the_number_asked_for_does_not_name_one_of_several_packages(self):
        reading = read(answer({"activity": [scan()]}, {"trackingNumber": "1ZM1LE570300000026", "activity": [scan()]}))
        assert [event.tracking_number for event in reading.events] == ["1ZM1LE570300000026"]
        assert [fault.where for fault in reading.faults] == ["shipment[0].package[0]"]

    def test_a_damaged_activity_costs_only_itself(self):
        reading = read(answer({"activity": [scan(), {"date": "x"}, "x", scan("I", "DP", "2025")]}))
        assert len(reading.events) == 1
        assert [fault.where for fault in reading.faults] == [
            "shipment[0].package[0].activity[1]",
            "shipment[0].package[0].activity[2]",
            "shipment[0].package[0].activity[3]",
        ]

    @pytest.mark.parametrize("extra", ["referenceNumber", "alternateTrackingNumber", "deliveryDate", "deliveryTime"])
    @pytest.mark.parametrize("damage", ["x", 7, [None, "x", {}], {"number": {}}])
    def test_damage_beside_the_activities_costs_no_event(self, extra, damage):
        assert len(read(answer({"activity": [scan()], extra: damage})).events) == 1

    def test_a_site_number_stands_in_for_a_missing_city_only(self):
        cities = [{"slic": "8566"}, {"slic": "8566", "address": {"city": "Wayne"}}]
        events = read(answer({"activity": [scan(location=place) for place in cities]})).events
        assert [(e.location.facility, e.location.city) for e in events] == [("8566", None), (None, "Wayne")]

    @pytest.mark.requirement("M32")
    @pytest.mark.parametrize(
        ("name", "notice"), [("poll_not_found", "TW0001"), ("poll_invalid_number", "TV1002")]
    )  # fmt: skip
    def test_a_number_ups_does_not_know_is_a_notice(self, name, notice):
        reading = read(sample(name))
        assert (reading.events, reading.faults) == ((), ())
        assert notice in reading.notice

    def test_a_package_without_activities_and_an_empty_answer_are_notices(self):
        assert read(answer({"activity": []})).notice == "UPS lists no activity for 1ZM1LE570300000017"
        assert read({"trackResponse": {"shipment": []}}).notice == "UPS lists no shipment"


@needs_reference
class TestReference:
    @pytest.mark.requirement("M31")
    @pytest.mark.parametrize(
        ("name", "milestone", "occurred_at"),
        [
            ("track_alert_v1_origin_scan.json", "picked_up", "2024-04-22T21:29:01-04:00"),
            ("track_alert_v1_preparing_for_delivery.json", "arrived_at_facility", "2024-04-23T00:30:52-04:00"),
            ("track_alert_v1_loaded_on_vehicle.json", "arrived_at_facility", "2024-04-23T06:39:36-04:00"),
            ("track_alert_v2_out_for_delivery.json", "out_for_delivery", "2024-04-23T09:15:19-04:00"),
            ("track_alert_v2_delivered.json", "delivered", "2024-04-23T09:50:04-04:00"),
        ],
    )
    def test_a_published_alert_is_read(self, name, milestone, occurred_at):
        event = only(reference(name)).to_dict()
        assert (event["milestone"], event["occurred_at"]) == (milestone, occurred_at)

    def test_the_published_alert_with_the_wrong_sign_is_local_time(self):
        event = only(reference("track_alert_v1_manifest_sign_flipped_gmt.json"))
        assert event.to_dict()["occurred_at"] == "2024-04-22T09:12:30"
        assert (event.time_quality, event.tracking_number) == (TimeQuality.LOCAL, "1ZABCXYZ0112346789")

    @pytest.mark.requirement("M32")
    def test_the_published_answer_is_no_delivery_and_keeps_no_placeholder(self):
        event = only(reference("track_api_v1_delivered.json"))
        assert (event.milestone, event.tracking_number) == (Milestone.CUSTOMS_RELEASED, "1Z023E2X0214323462")
        assert event.proof_of_delivery is None
        assert '"string"' not in json.dumps(event.to_dict())

    @pytest.mark.parametrize("name", ["track_api_v1_not_found.json", "track_api_v1_invalid_number.json"])
    def test_the_published_errors_are_notices(self, name):
        reading = reference(name)
        assert (reading.events, reading.faults) == ((), ())
        assert reading.notice
