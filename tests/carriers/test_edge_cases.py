"""Traps of real carriers, 1 to 27: what makes two reports one event, in which order things happened, and when.

Each test is named by the number of its trap. Traps 28 to 51 (codes, numbers, corrections) are in
test_edge_cases_meaning.py, 52 to 72 (webhooks, polling, data protection) in test_edge_cases_door.py.
"""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from carriers.base import Message, Reading
from carriers.reading import date_if_midnight, iso_moment, moment, offset_of, with_offset
from carriers.registry import find_carrier
from shipments.errors import Unreadable
from shipments.event import Event, Location, TimeQuality
from shipments.fold import CLOCK_SKEW, dated, fold
from shipments.milestone import Milestone
from shipments.store.database import make_engine
from tests.shipments.telling import START, entries, told
from tests.workers.conftest import POLICY, understood
from workers.ingest import Tally, ingest_batch


def read(name: str, body: Any, **headers: str) -> Reading:
    """What that carrier's parser makes of bytes, of a text such as XML, or of anything else as JSON."""
    carrier = find_carrier(name)
    assert carrier is not None
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return carrier.parse(Message(raw, headers))


def only(reading: Reading) -> Event:
    (event,) = reading.events
    return event


def where_it_stands(*events: Event) -> Milestone:
    """Of the last journey, all events having arrived long after they happened."""
    return fold(entries(*events))[-1].milestone


def local(written: str) -> datetime:
    """A local time, as the carriers without a zone mean it."""
    at = datetime.fromisoformat(written)
    assert at.tzinfo is None
    return at


# ---- small bodies in the documented shapes


def fedex(*scans: dict[str, Any], number: str = "700000000017", journey: str = "", **rest: Any) -> dict[str, Any]:
    """An answer or a push about one number, with its scans as they are given."""
    info = {"trackingNumber": number, "trackingNumberUniqueId": journey}
    result = {"trackingNumberInfo": info, "scanEvents": list(scans)} | rest
    return {"output": {"completeTrackResults": [{"trackingNumber": number, "trackResults": [result]}]}}


def fedex_scan(code: str, at: str, city: str = "MEMPHIS", **rest: Any) -> dict[str, Any]:
    place = {"city": city, "stateOrProvinceCode": "TN", "countryCode": "US"}
    return {"date": at, "eventType": code, "eventDescription": "A scan", "scanLocation": place} | rest


FEDEX_WAY = (
    fedex_scan("OC", "2026-03-01T08:00:00-06:00"),
    fedex_scan("PU", "2026-03-01T15:00:00-06:00"),
    fedex_scan("OD", "2026-03-02T08:00:00-06:00"),
    fedex_scan("DL", "2026-03-02T12:00:00-06:00"),
)


def ups_alert(**fields: Any) -> dict[str, Any]:
    return {
        "trackingNumber": "1ZM1LE570300000017",
        "localActivityDate": "20260311",
        "localActivityTime": "101500",
        "activityLocation": {"city": "Memphis", "stateProvince": "TN", "country": "US"},
        "activityStatus": {"type": "I", "code": "AR", "descriptionCode": "005", "description": "A scan"},
    } | fields


def easypost(*details: dict[str, Any], message_id: str = "evt_1", **fields: Any) -> dict[str, Any]:
    tracker = {
        "object": "Tracker",
        "id": "trk_1",
        "tracking_code": "94001",
        "status": "in_transit",
        "mode": "production",
    }
    result = tracker | {"tracking_details": list(details)} | fields
    return {"id": message_id, "description": "tracker.updated", "result": result}


def easypost_detail(detail: str, at: str, status: str = "in_transit") -> dict[str, Any]:
    place = {"city": "Edison", "state": "NJ", "country": "US", "zip": "08817"}
    return {"status": status, "status_detail": detail, "datetime": at, "message": "A scan", "tracking_location": place}


def shippo_status(object_id: str, at: str, status: str = "TRANSIT", **fields: Any) -> dict[str, Any]:
    place = {"city": "Oakland", "state": "CA", "zip": "94610", "country": "US"}
    return {"object_id": object_id, "status": status, "status_date": at, "location": place} | fields


def shippo(current: Any, *history: Any, **fields: Any) -> dict[str, Any]:
    data = {
        "carrier": "usps",
        "tracking_number": "94001",
        "tracking_status": current,
        "tracking_history": list(history),
    }
    return {"event": "track_updated", "data": data | fields}


def landmark(*events: tuple[str, str, str]) -> str:
    """Code, time and place of each event."""
    rows = "".join(
        f"<Event><Status>A scan</Status><DateTime>{at}</DateTime><Location>{place}</Location>"
        f"<EventCode>{code}</EventCode></Event>"
        for code, at, place in events
    )
    return (
        "<TrackResponse><Result><Success>true</Success><Packages><Package>"
        "<TrackingNumber>1Z9999999999999999</TrackingNumber><LandmarkTrackingNumber>LTN70000017</LandmarkTrackingNumber>"
        f"<PackageReference>R-1</PackageReference><Events>{rows}</Events></Package></Packages></Result></TrackResponse>"
    )


def canadapost(*scans: str) -> str:
    listed = f"<significant-events>{''.join(scans)}</significant-events>"
    return f"<tracking-detail><pin>7000000000000017</pin>{listed}</tracking-detail>"


def canadapost_scan(code: str, at: str, zone: str = "EST", words: str = "A scan", signed: str = "") -> str:
    day, clock = at.split()
    return (
        f"<occurrence><event-identifier>{code}</event-identifier><event-date>{day}</event-date>"
        f"<event-time>{clock}</event-time><event-time-zone>{zone}</event-time-zone>"
        f"<event-description>{words}</event-description><signatory-name>{signed}</signatory-name>"
        "<event-site>OTTAWA</event-site><event-province>ON</event-province></occurrence>"
    )


def purolator(*scans: tuple[str, str, str, str, str]) -> str:
    """Type, words, day, clock and depot of each scan."""
    rows = "".join(
        f"<Scan><ScanType>{kind}</ScanType><PIN><Value>700000000017</Value></PIN><Depot><Name>{depot}</Name></Depot>"
        f"<ScanDate>{day}</ScanDate><ScanTime>{clock}</ScanTime><Description>{words}</Description></Scan>"
        for kind, words, day, clock, depot in scans
    )
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><TrackPackagesByPinResponse>'
        "<TrackingInformationList><TrackingInformation><PIN><Value>700000000017</Value></PIN>"
        f"<Scans>{rows}</Scans></TrackingInformation></TrackingInformationList></TrackPackagesByPinResponse></s:Body>"
        "</s:Envelope>"
    )


def tnt(*consignments: str) -> str:
    return f"<TrackResponse>{''.join(consignments)}</TrackResponse>"


def tnt_consignment(number: str, *statuses: tuple[str, str, str], words: str = "A scan") -> str:
    """Code, day and clock of each status."""
    rows = "".join(
        f"<StatusData><StatusCode>{code}</StatusCode><StatusDescription><![CDATA[{words}]]></StatusDescription>"
        f'<LocalEventDate format="YYYYMMDD">{day}</LocalEventDate>'
        f'<LocalEventTime format="HHMM">{clock}</LocalEventTime>'
        "<Depot>QAR</Depot><DepotName>Arnhem</DepotName></StatusData>"
        for code, day, clock in statuses
    )
    summary = f"<ConsignmentNumber>{number}</ConsignmentNumber><SummaryCode>INT</SummaryCode>"
    return f"<Consignment>{summary}{rows}</Consignment>"


def seko(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"ConsignmentNo": "SK70000017", "Events": list(events)}]


def seventeen(events: list[dict[str, Any]], latest: dict[str, Any], sub_status: str) -> dict[str, Any]:
    status = {"status": sub_status.partition("_")[0], "sub_status": sub_status}
    tracking = {"providers": [{"provider": {"name": "GLS"}, "events": events}]}
    info = {"latest_status": status, "latest_event": latest, "tracking": tracking}
    return {"event": "TRACKING_UPDATED", "data": {"number": "GLS70000017", "carrier": 100005, "track_info": info}}


def dcsa(classifier: str, code: str = "ARRI", event_id: str = "E1", **fields: Any) -> dict[str, Any]:
    """An event of version 3 about a booking."""
    at = {"eventClassifierCode": classifier, "eventDateTime": "2026-03-08T10:00:00+01:00"}
    payload = {
        "transportEventTypeCode": code,
        "documentReferences": [{"type": "BKG", "value": "BKG70000017"}],
        "transportCall": {"UNLocationCode": "DEHAM", "modeOfTransport": "VESSEL"},
    }
    head = {"eventID": event_id, "eventType": "TRANSPORT", "eventCreatedDateTime": "2026-03-01T09:00:00Z"}
    return {"metadata": head | fields, "payload": payload | at}


def dhl(*events: dict[str, Any], status: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "shipments": [{"id": "700000000017", "service": "ecommerce", "status": status, "events": list(events)} | fields]
    }


def dhl_event(at: str | None, status_code: str, status: str = "", place: str = "Bonn", **fields: Any) -> dict[str, Any]:
    address = {"countryCode": "DE", "addressLocality": place}
    return {"timestamp": at, "statusCode": status_code, "status": status, "location": {"address": address}} | fields


def royalmail(*events: tuple[str, str], **fields: Any) -> dict[str, Any]:
    listed = [
        {"eventCode": code, "eventName": "A scan", "eventDateTime": at, "locationName": "Leeds DO"}
        for code, at in events
    ]
    return {"mailPieces": {"mailPieceId": "RM700000017GB", "events": listed} | fields}


# ---- the store


@pytest.fixture
def engine(database_url: str, clean: None) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


def ingest(engine: Engine, *messages: Reading) -> Tally:
    """Each reading as a message of its own, all in one batch."""
    return ingest_batch(engine, [understood(*reading.events) for reading in messages], POLICY)


def kept(engine: Engine, column: str = "milestone") -> list[Any]:
    """That column of the events in the store, in their order."""
    with engine.connect() as connection:
        return [row[0] for row in connection.execute(text(f"select {column} from events order by instant, milestone"))]


# ---- 1. identity and duplicates


@pytest.mark.requirement("M45")
def test_trap_01_the_same_event_arriving_more_than_once_is_kept_once(engine: Engine) -> None:
    history = read("fedex", fedex(*FEDEX_WAY))
    ingest(engine, read("fedex", fedex(*FEDEX_WAY[:2])), history)
    again = ingest(engine, history, history)
    assert kept(engine) == ["label_created", "picked_up", "out_for_delivery", "delivered"]
    assert again.repeats == 8


@pytest.mark.requirement("M45")
def test_trap_02_the_id_of_a_message_is_not_the_id_of_an_event() -> None:
    details = [
        easypost_detail("picked_up", "2026-03-01T08:00:00Z"),
        easypost_detail("departed_facility", "2026-03-01T20:00:00Z"),
    ]
    first = read("easypost", easypost(*details[:1], message_id="evt_1"))
    anew = read("easypost", easypost(*details, message_id="evt_2"))
    reused = read("easypost", easypost(details[1], message_id="evt_1"))
    assert first.events[0].key == anew.events[0].key
    assert reused.events[0].key == anew.events[1].key != first.events[0].key


@pytest.mark.requirement("M45")
def test_trap_03_without_an_event_id_the_key_is_the_content_with_the_time_as_it_was_written() -> None:
    event = told("in_transit", 1, location=Location(city="Lyon", country="FR"))
    mended = replace(event, occurred_at=START, time_quality=TimeQuality.ASSUMED, milestone=Milestone.DELIVERED)
    assert mended.key == event.key
    others = (
        {"carrier": "another"},
        {"tracking_number": "T2"},
        {"journey": "20260301"},
        {"piece": "2"},
        {"code": "X"},
        {"code_list": "x"},
        {"occurred_text": "another"},
        {"location": Location(city="Nice", country="FR")},
    )
    assert len({event.key, *(replace(event, **other).key for other in others)}) == 1 + len(others)


@pytest.mark.requirement("M45")
def test_trap_04_a_current_status_that_repeats_a_listed_event_is_not_told_twice() -> None:
    newest = shippo_status("a1", "2026-03-02T10:00:00Z")
    repeated = shippo_status("other", "2026-03-02T10:00:30Z", location=None, status_details="In transit")
    later = shippo_status("other", "2026-03-02T12:00:00Z")
    assert [e.provider_event_id for e in read("shippo", shippo(repeated, newest)).events] == ["a1"]
    assert [e.provider_event_id for e in read("shippo", shippo(later, newest)).events] == ["a1", "other"]
    listed = {"time_iso": "2026-03-02T10:00:00+01:00", "sub_status": "InTransit_Other", "location": "Lille"}
    fuller = listed | {"address": {"city": "Lille", "postal_code": "59000", "country": "FR"}}
    assert len(read("17track", seventeen([listed], fuller, "InTransit_Other")).events) == 1
    with_zone, without = dhl_event("2026-03-02T10:00:00+01:00", "transit"), dhl_event("2026-03-02T10:00:40", "transit")
    assert len(read("dhl_unified", dhl(without, status=with_zone)).events) == 1


@pytest.mark.requirement("M45")
def test_trap_05_an_exact_duplicate_inside_one_answer_is_one_event(engine: Engine) -> None:
    scan = ("Other", "Arrived at sort facility", "2026-03-02", "081500", "CALGARY, AB")
    answer = read("purolator", purolator(scan, scan, scan))
    assert len({event.key for event in answer.events}) == 1
    ingest(engine, answer)
    assert kept(engine) == ["arrived_at_facility"]


@pytest.mark.requirement("M45")
def test_trap_06_two_events_at_one_time_are_two() -> None:
    at = "2026-03-02 10:15:00"
    both = read("canadapost", canadapost(canadapost_scan("1496", at), canadapost_scan("20", at, signed="A. Person")))
    assert len({event.key for event in both.events}) == 2
    pair = read(
        "landmark",
        landmark(("155", "2026-03-02 10:15:00", "Romulus, MI"), ("225", "2026-03-02 10:15:00", "Romulus, MI")),
    )
    assert len({event.key for event in pair.events}) == 2


@pytest.mark.requirement("M45")
@pytest.mark.parametrize(
    ("carrier", "body"),
    [
        ("landmark", landmark(*(("225", f"2026-03-0{day} 10:15:00", "Paris, FR") for day in (2, 3)))),
        ("fedex", fedex(fedex_scan("IT", "2026-03-02T10:00:00-06:00"), fedex_scan("IT", "2026-03-02T19:00:00-06:00"))),
        (
            "usps",
            {
                "trackingNumber": "94001",
                "trackingEvents": [
                    {"eventCode": "10", "eventTimestamp": f"2026-03-0{day}T10:00:00", "eventCity": "GARY"}
                    for day in (2, 3)
                ],
            },
        ),
    ],
)
def test_trap_07_one_code_that_repeats_is_told_each_time(carrier: str, body: Any) -> None:
    one, other = read(carrier, body).events
    assert one.code == other.code
    assert one.key != other.key


@pytest.mark.requirement("M45", "X1")
def test_trap_08_a_scan_of_shipment_and_pieces_is_told_once_for_each_piece() -> None:
    scan = {
        "date": "2026-03-02",
        "time": "10:15:00",
        "typeCode": "PU",
        "description": "Picked up",
        "serviceArea": [{"code": "BON", "description": "Bonn-DE"}],
    }
    pieces = [{"number": n, "trackingNumber": f"JD00000000000000000{n}", "events": [scan]} for n in (1, 2)]
    reading = read(
        "dhl_express", {"shipments": [{"shipmentTrackingNumber": "7000000017", "events": [scan], "pieces": pieces}]}
    )
    assert [event.piece for event in reading.events] == ["JD000000000000000001", "JD000000000000000002"]
    assert len({event.key for event in reading.events}) == 2


@pytest.mark.requirement("M45")
def test_trap_09_a_number_registered_twice_tells_everything_twice_and_changes_nothing(engine: Engine) -> None:
    first = read(
        "shippo", shippo(shippo_status("c1", "2026-03-02T10:00:00Z"), shippo_status("a1", "2026-03-02T10:00:00Z"))
    )
    second = read(
        "shippo", shippo(shippo_status("c2", "2026-03-02T10:00:00Z"), shippo_status("a2", "2026-03-02T10:00:00Z"))
    )
    ingest(engine, first)
    ingest(engine, second)
    assert kept(engine) == ["in_transit"]
    tracker = only(read("easypost", easypost(easypost_detail("picked_up", "2026-03-01T08:00:00Z"))))
    assert tracker.journey == "trk_1"


# ---- 2. order


@pytest.mark.requirement("M51")
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_trap_10_the_position_in_a_list_is_no_order(order: tuple[int, ...]) -> None:
    usual = fold(entries(*read("fedex", fedex(*FEDEX_WAY)).events))
    assert fold(entries(*read("fedex", fedex(*(FEDEX_WAY[n] for n in order))).events)) == usual


@pytest.mark.requirement("M51")
def test_trap_11_the_last_message_to_arrive_is_not_where_it_stands() -> None:
    messages = [only(read("fedex", fedex(scan))) for scan in FEDEX_WAY]
    for count in range(1, 5):
        arrived = [messages[3], *messages[: count - 1]]
        assert where_it_stands(*arrived) is Milestone.DELIVERED


@pytest.mark.requirement("M51")
def test_trap_12_delivered_holds_against_scans_filled_in_later_and_not_against_a_correction_or_a_return() -> None:
    delivered = told("delivered", 10)
    for scan in ("arrived_at_facility", "in_transit", "out_for_delivery", "customs_clearance", "label_created"):
        assert where_it_stands(delivered, told(scan, 12)) is Milestone.DELIVERED
    assert where_it_stands(delivered, told("delivery_attempted", 12, "address_issue")) is Milestone.DELIVERY_ATTEMPTED
    assert where_it_stands(delivered, told("return_in_transit", 12)) is Milestone.RETURN_IN_TRANSIT


@pytest.mark.requirement("M51")
def test_trap_13_delivered_is_not_the_end() -> None:
    twice = read(
        "canadapost",
        canadapost(
            canadapost_scan("1496", "2026-03-02 10:15:00"),
            canadapost_scan("118", "2026-03-02 15:00:00"),
            canadapost_scan("1496", "2026-03-04 09:30:00"),
        ),
    ).events
    (standing,) = fold(entries(*twice))
    assert standing.milestone is Milestone.DELIVERED
    assert standing.occurred == "2026-03-04T09:30:00-05:00"
    assert where_it_stands(*twice[:2]) is Milestone.EXCEPTION
    assert (
        where_it_stands(told("delivered", 1), told("out_for_delivery", 2, "failed_delivery"))
        is Milestone.OUT_FOR_DELIVERY
    )
    assert where_it_stands(told("available_for_pickup", 1), told("delivered", 9)) is Milestone.DELIVERED
    assert where_it_stands(told("delivered", 1), told("returned", 90)) is Milestone.RETURNED
    assert where_it_stands(told("label_created", 0), told("cancelled", 1)) is Milestone.CANCELLED


@pytest.mark.requirement("M51")
def test_trap_14_label_data_after_the_pickup_is_a_fact_and_no_step_back() -> None:
    picked_up, data = fedex_scan("PU", "2026-03-01T15:00:00-06:00"), fedex_scan("OC", "2026-03-01T18:00:00-06:00")
    events = read("fedex", fedex(data, picked_up)).events
    assert [event.milestone for event in events] == [Milestone.LABEL_CREATED, Milestone.PICKED_UP]
    assert where_it_stands(*events) is Milestone.PICKED_UP


@pytest.mark.requirement("M51")
def test_trap_15_a_stage_that_has_not_happened_is_no_event() -> None:
    steps = [{"id": n, "shortLabel": "A step", "status": n < 3, "type": 1} for n in range(1, 6)]
    shipment = {
        "idShip": "6A00000000017",
        "timeline": steps,
        "event": [{"code": "PC1", "label": "Pris en charge", "date": "2026-03-02T10:00:00+01:00"}],
    }
    assert [e.code for e in read("laposte", {"returnCode": 200, "shipment": shipment}).events] == ["PC1"]
    assert read("laposte", {"returnCode": 200, "shipment": shipment | {"event": []}}).events == ()
    stages = [
        {"status": name, "statusHasBeenReached": reached, "isCurrentStatus": name == "ON_THE_ROAD", "label": "A step"}
        for name, reached in (
            ("ACCEPTED", True),
            ("ON_THE_ROAD", True),
            ("OUT_FOR_DELIVERY", False),
            ("DELIVERED", False),
        )
    ]
    cycle = {"shipmentInfo": {"parcelLabelNumber": "05220000000017"}, "statusInfo": stages}
    dpd = read("dpd", {"parcellifecycleResponse": {"parcelLifeCycleData": cycle}})
    assert [event.code for event in dpd.events] == ["ON_THE_ROAD"]


@pytest.mark.requirement("M51", "X11")
def test_trap_16_a_forecast_moves_nothing() -> None:
    planned, estimated, actual = (only(read("dcsa", [dcsa(kind)])) for kind in ("PLN", "EST", "ACT"))
    assert planned.milestone is estimated.milestone is Milestone.INFO_RECEIVED
    assert (actual.milestone, where_it_stands(told("picked_up", -500), planned, estimated)) == (
        Milestone.ARRIVED_AT_FACILITY,
        Milestone.PICKED_UP,
    )
    planned_day = only(read("ups", ups_alert(scheduledDeliveryDate="20260313")))
    assert planned_day.estimated_delivery_at == date(2026, 3, 13)
    assert planned_day.milestone is Milestone.ARRIVED_AT_FACILITY


# ---- 3. time

LOCAL = "2026-03-02T18:15:00"


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("carrier", "body", "written"),
    [
        ("landmark", landmark(("225", "03/02/2026 6:15 PM", "North Shields")), "03/02/2026 6:15 PM"),
        ("seko", seko({"EventDT": LOCAL, "OmniCode": "OP-5"}), LOCAL),
        ("tnt", tnt(tnt_consignment("700000017", ("OD", "20260302", "1815"))), "20260302 1815"),
        (
            "purolator",
            purolator(("Other", "Arrived at sort facility", "2026-03-02", "181500", "THUNDER BAY, ON")),
            "2026-03-02 181500",
        ),
        (
            "aftership",
            {"msg": {"tracking_number": "T1", "checkpoints": [{"tag": "InTransit", "checkpoint_time": LOCAL}]}},
            LOCAL,
        ),
        ("usps", {"trackingNumber": "94001", "trackingEvents": [{"eventCode": "10", "eventTimestamp": LOCAL}]}, LOCAL),
    ],
)
def test_trap_17_a_time_without_a_zone_stays_local_and_is_never_called_utc(
    carrier: str, body: Any, written: str
) -> None:
    event = only(read(carrier, body))
    assert (event.occurred_at, event.time_quality, event.occurred_text) == (local(LOCAL), TimeQuality.LOCAL, written)
    assert event.to_dict()["occurred_at"] == LOCAL


@pytest.mark.requirement("M24")
def test_trap_17_a_zone_is_added_from_the_place_or_the_carriers_rule_and_marked() -> None:
    in_germany = only(read("dhl_unified", dhl(dhl_event("2026-07-02T18:15:00", "transit"))))
    assert in_germany.to_dict()["occurred_at"] == "2026-07-02T18:15:00+02:00"
    assert in_germany.time_quality is TimeQuality.ASSUMED
    shipment = {"Barcode": "3SABCD0000017", "Event": [{"Code": "01B", "TimeStamp": "05-04-2026 10:00:00"}]}
    by_rule = only(read("postnl", {"CompleteStatus": {"Shipment": shipment}}))
    assert by_rule.to_dict()["occurred_at"] == "2026-04-05T10:00:00+02:00"
    assert by_rule.time_quality is TimeQuality.ASSUMED


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("carrier", "body", "at"),
    [
        (
            "usps",
            {
                "trackingNumber": "94001",
                "trackingEvents": [{"eventCode": "10", "eventTimestamp": "2026-03-02T18:15:00", "GMTOffset": "-05:00"}],
            },
            "2026-03-02T18:15:00-05:00",
        ),
        ("canadapost", canadapost(canadapost_scan("1496", "2026-03-02 18:15:00", "EST")), "2026-03-02T18:15:00-05:00"),
        ("canadapost", canadapost(canadapost_scan("1496", "2026-07-02 18:15:00", "EDT")), "2026-07-02T18:15:00-04:00"),
        ("canadapost", canadapost(canadapost_scan("1496", "2026-07-02 18:15:00", "EST")), "2026-07-02T18:15:00-05:00"),
        ("ups", ups_alert(gmtActivityDate="20260311", gmtActivityTime="151500"), "2026-03-11T10:15:00-05:00"),
    ],
)
def test_trap_18_the_zone_in_another_field_is_put_to_the_time(carrier: str, body: Any, at: str) -> None:
    event = only(read(carrier, body))
    assert event.to_dict()["occurred_at"] == at
    assert event.time_quality is TimeQuality.EXACT


@pytest.mark.requirement("M24")
def test_trap_18_a_zones_name_has_the_daylight_saving_of_that_day() -> None:
    summer, winter = local("2026-07-02T18:15:00"), local("2026-01-02T18:15:00")
    offsets = [with_offset(at, "Europe/Berlin")[0].utcoffset() for at in (summer, winter)]  # type: ignore[union-attr]
    assert offsets == [timedelta(hours=2), timedelta(hours=1)]


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("+0200", 120),
        ("-04.00", -240),
        ("+08:30", 510),
        ("Z", 0),
        (" UTC", 0),
        ("-05:00", -300),
        ("+5", 300),
        ("EDT", -240),
    ],
)
def test_trap_19_offsets_are_read_in_every_form_carriers_use(written: str, minutes: int) -> None:
    assert offset_of(written) == timedelta(minutes=minutes)
    at, quality = moment(f"02.03.2026 18:15{written}", "%d.%m.%Y %H:%M%z")
    assert isinstance(at, datetime)
    assert (at.utcoffset(), quality) == (timedelta(minutes=minutes), TimeQuality.EXACT)


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("local_time", "gmt", "country", "at"),
    [
        (("20260311", "231502"), ("20260312", "041502"), "US", "2026-03-11T23:15:02-05:00"),
        (("20260312", "061502"), ("20260311", "211502"), "JP", "2026-03-12T06:15:02+09:00"),
        (("20260311", "101502"), ("20260311", "044731"), "IN", "2026-03-11T10:15:02+05:30"),
        (("20260311", "101502"), ("20260310", "171502"), "", "2026-03-11T10:15:02"),
        (("20260311", "101502"), ("20260312", "041502"), "", "2026-03-11T10:15:02"),
        (("20260311", "101502"), ("20260311", "051502"), "US", "2026-03-11T10:15:02"),
    ],
    ids=["day-before", "day-after", "rounded", "too-far-east", "too-far-west", "sign-wrong"],
)
def test_trap_20_an_offset_that_is_computed_is_rounded_and_has_to_be_possible(
    local_time: tuple[str, str], gmt: tuple[str, str], country: str, at: str
) -> None:
    event = only(
        read(
            "ups",
            ups_alert(
                localActivityDate=local_time[0],
                localActivityTime=local_time[1],
                gmtActivityDate=gmt[0],
                gmtActivityTime=gmt[1],
                activityLocation={"country": country},
            ),
        )
    )
    assert event.to_dict()["occurred_at"] == at
    assert event.time_quality is (TimeQuality.LOCAL if len(at) == 19 else TimeQuality.EXACT)


@pytest.mark.requirement("M24")
def test_trap_21_midnight_that_means_no_time_is_a_date_of_that_day() -> None:
    scan = only(read("fedex", fedex(fedex_scan("OC", "2026-08-15T00:00:00"))))
    assert (scan.occurred_at, scan.time_quality) == (date(2026, 8, 15), TimeQuality.DATE)
    awaited = royalmail(("EVGPD", "2026-03-02T08:00:00+00:00"), estimatedDelivery={"date": "2026-03-03T00:00:00+00:00"})
    assert only(read("royalmail", awaited)).estimated_delivery_at == date(2026, 3, 3)
    event = {"occurred_at": "2026-03-02T16:00:00Z", "carrier_occurred_at": "2026-03-02T10:00:00", "status_code": "IT"}
    tracking = {"tracking_number": "T1", "estimated_delivery_date": "2026-03-04T00:00:00Z", "events": [event]}
    assert only(read("shipengine", tracking)).estimated_delivery_at == date(2026, 3, 4)
    assert date_if_midnight(*iso_moment("2026-03-02T00:00:00-11:00")) == (date(2026, 3, 2), TimeQuality.DATE)


@pytest.mark.requirement("M24")
def test_trap_22_each_carrier_has_one_explicit_order_of_day_and_month() -> None:
    (month_first,) = read("landmark", landmark(("225", "04/05/2026 9:01 AM", ""))).events
    assert month_first.occurred_at == local("2026-04-05T09:01:00")
    shipment = {"Barcode": "3SABCD0000017", "Event": [{"Code": "01B", "TimeStamp": "05-04-2026 10:00:00"}]}
    assert str(only(read("postnl", {"CompleteStatus": {"Shipment": shipment}})).occurred_at)[:10] == "2026-04-05"
    digits = only(read("tnt", tnt(tnt_consignment("700000017", ("OD", "20260210", "0713")))))
    assert digits.occurred_at == local("2026-02-10T07:13:00")
    spoken = ("%B %d, %Y %I:%M %p",)
    assert moment("April 28, 2026 9:01 am", *spoken)[0] == local("2026-04-28T09:01:00")
    assert moment("April 28, 2026 12:18 am", *spoken)[0] == local("2026-04-28T00:18:00")
    with pytest.raises(Unreadable):
        moment("28/04/2026", "%m/%d/%Y")


@pytest.mark.requirement("M24")
def test_trap_23_a_time_that_lost_its_leading_zeros_gets_them_back() -> None:
    alert = only(read("ups", ups_alert(localActivityTime="24700", gmtActivityDate="20260311", gmtActivityTime="74700")))
    assert alert.to_dict()["occurred_at"] == "2026-03-11T02:47:00-05:00"
    early = only(read("purolator", purolator(("Other", "Shipment created", "2026-03-02", "905", "CALGARY, AB"))))
    assert early.to_dict()["occurred_at"] == "2026-03-02T00:09:05-07:00"


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [("", 0), (".5", 500000), (".123", 123000), (".1234567", 123456), (".999999999", 999999)],
)
def test_trap_24_fractions_of_any_length_are_cut_to_microseconds(fraction: str, microseconds: int) -> None:
    written = f"2026-03-02T18:15:07{fraction}"
    event = only(read("seko", seko({"EventDT": written, "OmniCode": "OP-5"})))
    assert event.occurred_at == local("2026-03-02T18:15:07").replace(microsecond=microseconds)
    if fraction:
        assert moment(written, "%Y-%m-%dT%H:%M:%S.%f")[0] == event.occurred_at


@pytest.mark.requirement("M24")
def test_trap_25_dates_that_mean_nothing_are_no_time() -> None:
    shipment = {"Barcode": "3SABCD0000017", "Event": [{"Code": "01B", "TimeStamp": "01-01-0001 00:00:00"}]}
    empty = [
        only(read("postnl", {"CompleteStatus": {"Shipment": shipment}})),
        only(read("ups", ups_alert(localActivityDate="", localActivityTime=""))),
        only(read("ups", ups_alert(localActivityDate="0", localActivityTime="0"))),
        only(read("dhl_unified", dhl(dhl_event("1970-01-01T00:00:00Z", "transit")))),
        only(read("fedex", fedex(fedex_scan("IT", "0001-01-01T00:00:00")))),
    ]
    assert [(event.occurred_at, event.time_quality) for event in empty] == [(None, TimeQuality.NONE)] * len(empty)


@pytest.mark.requirement("M24")
def test_trap_26_when_it_was_sent_is_not_when_it_happened() -> None:
    parcel = {"id": 7, "tracking_number": "SC70000017", "status": {"id": 3, "message": "En route"}}
    push = {"action": "parcel_status_changed", "timestamp": 1772446500000, "parcel": parcel}
    sent = only(read("sendcloud", push))
    assert (sent.occurred_at, sent.reported_at) == (None, datetime(2026, 3, 2, 10, 15, tzinfo=UTC))
    known = only(read("sendcloud", push | {"carrier_status_change_timestamp": "2026-03-02T09:00:00+00:00"}))
    assert (known.occurred_at, known.reported_at) == (datetime(2026, 3, 2, 9, tzinfo=UTC), sent.reported_at)
    status = shippo_status("a1", "2026-03-02T09:00:00Z", object_created="2026-03-02T10:15:00Z")
    told_late = only(read("shippo", shippo(None, status)))
    assert (told_late.occurred_at, told_late.reported_at) == (known.occurred_at, sent.reported_at)
    timeless = only(read("dhl_unified", dhl(status=dhl_event(None, "transit"))))
    assert (timeless.occurred_at, timeless.reported_at) == (None, None)
    assert dated(timeless, START).instant == START
    checkpoint = {"tag": "InTransit", "checkpoint_time": "2026-03-02T09:00:00Z", "created_at": "2026-03-02T10:15:00Z"}
    message = {"ts": 1772450000, "msg": {"tracking_number": "T1", "checkpoints": [checkpoint]}}
    aftership = only(read("aftership", message))
    assert (aftership.occurred_at, aftership.reported_at) == (known.occurred_at, sent.reported_at)


@pytest.mark.requirement("M51")
def test_trap_27_a_time_in_the_future_is_not_the_latest_for_ever() -> None:
    near, far = told("in_transit", 20), told("arrived_at_facility", 24 * 300)
    assert dated(near, START).instant == START + timedelta(hours=20)
    assert dated(told("in_transit", 24), START).instant == START + CLOCK_SKEW == START + timedelta(hours=24)
    assert dated(far, START).instant == START
    later = dated(told("out_for_delivery", 30), START + timedelta(hours=31))
    (standing,) = fold([dated(far, START), later])
    assert standing.milestone is Milestone.OUT_FOR_DELIVERY
