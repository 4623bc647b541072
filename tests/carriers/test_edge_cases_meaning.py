"""Traps of real carriers, 28 to 51: what codes and texts mean, whose number it is, and what takes something back.

Each test is named by the number of its trap; see test_edge_cases.py for the others.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from carriers.base import Message
from carriers.detect import detect
from carriers.reading import as_text
from carriers.reading import text as say
from carriers.registry import find_carrier
from carriers.sources import load_source
from shipments.clock import new_id, now
from shipments.correlation import journey_of
from shipments.delivery import Delivery
from shipments.event import Event, Leg, Location, ProofOfDelivery
from shipments.fold import fold, roll_up
from shipments.milestone import ExceptionCategory, Milestone
from shipments.rules.polling import Known, load_polling, plan
from shipments.store.database import make_engine
from shipments.store.events import Told
from shipments.store.intake import Intaken
from shipments.store.messages import MessageState
from shipments.store.seal import Seal
from tests.carriers.test_edge_cases import (
    canadapost,
    canadapost_scan,
    dcsa,
    dhl,
    dhl_event,
    easypost,
    easypost_detail,
    fedex,
    fedex_scan,
    ingest,
    kept,
    landmark,
    only,
    purolator,
    read,
    royalmail,
    seko,
    seventeen,
    shippo,
    shippo_status,
    tnt,
    tnt_consignment,
    ups_alert,
    where_it_stands,
)
from tests.shipments.telling import START, entries, told
from tests.workers.conftest import POLICY, understood
from workers.correlate import Correlated, store_deliveries
from workers.ingest import ingest_batch
from workers.resources import SHIPPED_POLLING
from workers.understand import understand


@pytest.fixture
def engine(database_url: str, clean: None) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


def register(engine: Engine, picking_id: int, *numbers: str) -> None:
    """Tells the store of a delivery in Odoo with these numbers."""
    delivery = Delivery(picking_id, f"WH/OUT/{picking_id}", numbers, None, None, 1, START, now(), None)
    store_deliveries(engine, [delivery], POLICY, Correlated())


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def ups_scan(kind: str, code: str, status: Any = "", **fields: Any) -> Event:
    activity = {"type": kind, "code": code, "descriptionCode": status, "description": "A scan"}
    return only(read("ups", ups_alert(activityStatus=activity, **fields)))


def usps(*events: dict[str, Any]) -> dict[str, Any]:
    at = {"eventTimestamp": "2026-03-02T18:15:00", "GMTOffset": "-05:00", "eventCity": "GARY", "eventState": "IN"}
    return {"trackingNumber": "94001", "trackingEvents": [at | event for event in events]}


def sendcloud(status: int, **parcel: Any) -> dict[str, Any]:
    about = {"id": 7, "tracking_number": "SC70000017", "status": {"id": status, "message": "A status"}} | parcel
    return {"action": "parcel_status_changed", "timestamp": 1772446500000, "parcel": about}


# ---- 4. codes and texts


@pytest.mark.requirement("M30")
def test_trap_28_a_code_is_read_in_its_own_list() -> None:
    moving, held = ups_scan("I", "OT"), ups_scan("X", "OT")
    assert (moving.milestone, held.milestone) == (Milestone.OUT_FOR_DELIVERY, Milestone.CUSTOMS_CLEARANCE)
    assert moving.key != held.key
    codes = find_carrier("fedex").codes  # type: ignore[union-attr]
    assert codes.find("", "CA") != codes.find("exception", "CA")
    assert codes.find("", "RC") != codes.find("exception", "RC")
    assert codes.find("", "08") is None
    reason = only(read("fedex", fedex(fedex_scan("08", "2026-03-02T10:00:00-06:00"))))
    assert reason.milestone is Milestone.UNKNOWN


@pytest.mark.requirement("M45")
def test_trap_29_codes_and_numbers_keep_or_get_back_their_leading_zeros() -> None:
    lost, kept_zero = (only(read("usps", usps({"eventCode": code, "eventZIP": "02101"}))) for code in (1, "01"))
    assert (lost.code, lost.milestone, lost.key) == ("01", Milestone.DELIVERED, kept_zero.key)
    assert lost.location.postcode == "02101"
    assert ups_scan("I", "", 6).code == ups_scan("I", "", "006").code == "006"
    padded, plain = (
        only(read("canadapost", canadapost(canadapost_scan(code, "2026-03-02 10:15:00")))) for code in ("0174", "174")
    )
    assert padded.key == plain.key
    scan = {"date": "2026-03-02T10:15:00", "scanData": {"scanType": {"code": "3"}, "location": "Puurs (BE)"}}
    cycle = {"shipmentInfo": {"parcelLabelNumber": "05220000000017"}, "scanInfo": {"scan": [scan]}}
    dpd = only(read("dpd", {"parcellifecycleResponse": {"parcelLifeCycleData": cycle}}))
    assert (dpd.code, dpd.milestone, dpd.tracking_number) == ("03", Milestone.OUT_FOR_DELIVERY, "05220000000017")
    as_a_number = dhl(dhl_event("2026-03-02T10:15:00", "transit"), id=700000000017)
    assert only(read("dhl_unified", as_a_number)).tracking_number == "700000000017"


@pytest.mark.requirement("M30")
@pytest.mark.parametrize(
    "words", ["Not delivered", "The parcel could not be delivered", "Delivered?", "Will be delivered tomorrow"]
)
def test_trap_30_a_text_that_is_not_in_the_table_is_unknown(words: str) -> None:
    event = {"description": words, "date": "2026-03-02T10:15:00+11:00", "location": "KEW VIC"}
    item = {"article_id": "AP70000017", "events": [event]}
    body = {"tracking_results": [{"tracking_id": "AP70000017", "trackable_items": [item]}]}
    assert only(read("australiapost", body)).milestone is Milestone.UNKNOWN
    german = {"description": words, "occurrenceDateTime": "2026-03-02T10:15:00"}
    said = only(read("gls", {"trackingReference": "GLS70000017", "deliveryEvents": [german]}))
    assert (said.milestone, said.code) == (Milestone.UNKNOWN, words)
    dhl_says = dhl(dhl_event("2026-03-02T10:15:00", "unknown", words, description=words))
    assert only(read("dhl_unified", dhl_says)).milestone is Milestone.UNKNOWN


@pytest.mark.requirement("M30")
def test_trap_30_an_exact_text_is_read_with_its_typing_errors() -> None:
    typo = {"code": "INTIAL.PREADVICE", "eventDateTime": "2026-03-02T10:15:00+0100", "description": "Data sent"}
    gls = only(read("gls", {"parcels": [{"unitno": "GLS70000017", "events": [typo]}]}))
    assert gls.milestone is Milestone.LABEL_CREATED


@pytest.mark.requirement("M28")
def test_trap_31_the_finest_field_speaks_before_the_coarse_status() -> None:
    at = "2026-03-02T10:15:00"
    customs = only(read("dhl_unified", dhl(dhl_event(at, "transit", "443"))))
    by_text = only(read("dhl_unified", dhl(dhl_event(at, "transit", description="Held at customs"))))
    assert customs.milestone is by_text.milestone is Milestone.CUSTOMS_CLEARANCE
    back = only(read("dhl_unified", dhl(dhl_event(at, "delivered", "RETURNED TO SENDER"))))
    assert (back.milestone, back.leg) == (Milestone.RETURNED, Leg.RETURN)
    fine = shippo_status("a1", f"{at}Z", substatus={"code": "out_for_delivery", "text": "On the vehicle"})
    assert only(read("shippo", shippo(None, fine))).milestone is Milestone.OUT_FOR_DELIVERY
    detail = easypost_detail("departed_facility", f"{at}Z")
    assert only(read("easypost", easypost(detail))).milestone is Milestone.DEPARTED_FACILITY
    only_coarse = only(read("dhl_unified", dhl(dhl_event(at, "transit"))))
    assert only_coarse.milestone is Milestone.IN_TRANSIT


@pytest.mark.requirement("M16", "M51")
def test_trap_32_events_speak_before_a_status_and_flags_only_say_which_way() -> None:
    at = "2026-03-02T10:15:00"
    arrived = only(read("easypost", easypost(easypost_detail("arrived_at_facility", f"{at}Z"), status="pre_transit")))
    assert arrived.milestone is Milestone.ARRIVED_AT_FACILITY
    on_its_way = read("dhl_unified", dhl(dhl_event(at, "transit"), returnFlag=True))
    handed_back = read("dhl_unified", dhl(dhl_event(at, "delivered"), returnFlag=True))
    assert where_it_stands(*on_its_way.events) is Milestone.RETURN_IN_TRANSIT
    assert where_it_stands(*handed_back.events) is Milestone.RETURNED
    bar = {"statusInfo": "INTRANSIT", "statusText": "In transit", "retourFlag": True}
    gls = only(read("gls", {"tuStatus": [{"tuNo": "GLS70000017", "progressBar": bar}]}))
    assert gls.leg is Leg.RETURN
    assert where_it_stands(told("picked_up", 0), replace(gls, occurred_at=START + timedelta(hours=5))) is (
        Milestone.RETURN_IN_TRANSIT
    )


@pytest.mark.requirement("M26")
def test_trap_33_a_reason_gives_the_category_only_beside_an_exception() -> None:
    at = "2026-03-02T10:00:00-06:00"
    normal = only(read("fedex", fedex(fedex_scan("OD", at, exceptionCode="08", exceptionDescription="Not available"))))
    failed = only(read("fedex", fedex(fedex_scan("DE", at, exceptionCode="08", exceptionDescription="Not available"))))
    assert (normal.milestone, normal.exception_category) == (Milestone.OUT_FOR_DELIVERY, None)
    assert (failed.milestone, failed.exception_category) == (
        Milestone.DELIVERY_ATTEMPTED,
        ExceptionCategory.MISSED_RECIPIENT,
    )


@pytest.mark.requirement("M82")
def test_trap_34_a_private_code_means_what_that_partner_says(tmp_path: Path) -> None:
    source = (
        'format = "generic_csv"\n[parcel]\ntracking_number = "No"\n[event]\ncode = "Code"\noccurred_at = "At"\n'
        '[time]\nshapes = ["iso"]\n[codes]\nZ1 = "{}"\n'
    )
    told_by = []
    for partner, milestone in (("north", "customs_released"), ("south", "out_for_delivery")):
        path = tmp_path / f"{partner}.toml"
        path.write_text(source.format(milestone), encoding="utf-8")
        told_by.append(only(load_source(path).parse(Message(b"No;Code;At\nP1;Z1;2026-03-02T10:15:00Z\n"))))
    assert [event.milestone for event in told_by] == [Milestone.CUSTOMS_RELEASED, Milestone.OUT_FOR_DELIVERY]
    assert told_by[0].key != told_by[1].key


@pytest.mark.requirement("M22")
def test_trap_35_text_is_decoded_once_whatever_its_encoding_and_markup() -> None:
    assert say("Livr&#233; &#206;n tranzit") == "Livré În tranzit"
    assert say("&lt;SUP&gt;&#174;") == "<SUP>®"
    assert say("&amp;#233;") == "&#233;"
    body = json.dumps(dhl(dhl_event("2026-03-02T10:15:00", "transit", description="Köln")), ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert only(read("dhl_unified", body.encode(encoding))).description == "Köln"
    page = canadapost(canadapost_scan("1496", "2026-03-02 10:15:00", words="Article livré"))
    for declared, encoding in (
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ("", "utf-8"),
        ("", "cp1252"),
    ):
        assert only(read("canadapost", (declared + page).encode(encoding))).description == "Article livré"
    assert as_text("Հայաստան, În tranzit".encode()) == "Հայաստան, În tranzit"


@pytest.mark.requirement("M22")
@pytest.mark.parametrize("nothing", [None, "", "  ", {}, [], False, "\t\n"])
def test_trap_36_empty_is_one_thing_however_it_is_written(nothing: Any) -> None:
    assert say(nothing) is None
    number = read("sendcloud", sendcloud(3, tracking_number=nothing))
    assert (number.events, number.faults) == ((), ())
    place = dhl_event("2026-03-02T10:15:00", "transit", description=nothing, location=nothing)
    event = only(read("dhl_unified", dhl(place)))
    assert (event.location, event.description) == (Location(), None)


@pytest.mark.requirement("M22")
def test_trap_36_the_word_string_in_place_of_a_value_is_nothing() -> None:
    alert = only(read("ups", ups_alert(activityLocation={"city": "string", "country": "string"})))
    assert alert.location == Location()
    assert only(read("shippo", shippo(None, shippo_status("string", "2026-03-02T10:15:00Z")))).provider_event_id is None


@pytest.mark.requirement("M45")
def test_trap_37_the_key_does_not_depend_on_the_language() -> None:
    english, french = (
        only(read("canadapost", canadapost(canadapost_scan("170", "2026-03-02 10:15:00", words=words))))
        for words in ("Item processed", "Article traité")
    )
    assert english.description != french.description
    assert (english.key, english.milestone) == (french.key, french.milestone)


# ---- 5. numbers and shipments


@pytest.mark.requirement("M47")
def test_trap_38_a_number_that_is_used_again_is_another_parcel() -> None:
    scan = fedex_scan("PU", "2026-03-02T10:00:00-06:00")
    first = only(read("fedex", fedex(scan, journey="2460000~700000000017~FX")))
    second = only(read("fedex", fedex(scan, journey="2461000~700000000017~FX")))
    assert first.key != second.key
    old = [told("picked_up", 0), told("delivered", 48)]
    new = [told("label_created", 24 * 200), told("picked_up", 24 * 201)]
    before, after = fold(entries(*old, *new))
    assert (before.milestone, after.milestone) == (Milestone.DELIVERED, Milestone.PICKED_UP)
    registered_at = START + timedelta(days=199)
    assert journey_of((before, after), registered_at, earlier_claims=True) is after
    assert journey_of((before,), registered_at, earlier_claims=True) is None
    assert journey_of((before, after), START, earlier_claims=False) is before


@pytest.mark.requirement("X3")
def test_trap_39_a_number_is_a_hint_of_its_carrier_and_no_more() -> None:
    events = read("landmark", landmark(("225", "2026-03-02 10:15:00", "Paris, FR"))).events
    assert [event.carrier for event in events] == ["landmark"]
    guess, *_ = detect("1Z999AA10123456784")
    assert (guess.carrier, guess.confidence < 1, bool(guess.because)) == ("ups", True, True)
    listed = {"time_iso": "2026-03-02T10:00:00+01:00", "sub_status": "InTransit_Other"}
    event = only(read("17track", seventeen([listed], listed, "InTransit_Other")))
    assert ("carrier", "100005") in [(reference.type, reference.value) for reference in event.references]


def test_trap_40_the_other_numbers_of_a_parcel_are_kept_with_it() -> None:
    renumbered = ("Other", "New Tracking Number Assigned - 700000000099", "2026-03-02", "081500", "CALGARY, AB")
    purolator_event = only(read("purolator", purolator(renumbered)))
    landmark_event = only(read("landmark", landmark(("225", "2026-03-02 10:15:00", "Paris, FR"))))
    sent_back = canadapost(canadapost_scan("1496", "2026-03-02 10:15:00")).replace(
        "<significant-events>", "<return-pin>7000000000000099</return-pin><significant-events>"
    )
    canadapost_event = only(read("canadapost", sent_back))
    found = [
        {(reference.type, reference.value) for reference in event.references}
        for event in (purolator_event, landmark_event, canadapost_event)
    ]
    assert ("new_tracking_number", "700000000099") in found[0]
    assert {("carrier_tracking_number", "1Z9999999999999999"), ("package_reference", "R-1")} <= found[1]
    assert ("return_pin", "7000000000000099") in found[2]


@pytest.mark.requirement("M15")
def test_trap_41_several_pieces_are_delivered_when_all_are() -> None:
    one, other = told("delivered", 5, piece="1"), told("out_for_delivery", 5, piece="2")
    assert where_it_stands(one, other) is Milestone.PARTIALLY_DELIVERED
    assert where_it_stands(one, other, told("delivered", 9, piece="2")) is Milestone.DELIVERED
    (delivered,) = fold(entries(one))
    assert roll_up([delivered], expected=2).milestone is Milestone.PARTIALLY_DELIVERED
    package = {
        "trackingNumber": "1ZM1LE570300000017",
        "packageCount": 3,
        "activity": [{"date": "20260311", "time": "101500", "status": {"type": "I", "code": "AR"}}],
    }
    reading = read("ups", {"trackResponse": {"shipment": [{"package": [package]}]}})
    assert reading.notice == "UPS counts 3 packages and lists 1"
    two = read(
        "tnt",
        tnt(
            tnt_consignment("700000017", ("OD", "20260302", "1815")),
            tnt_consignment("700000018", ("OK", "20260302", "1815")),
        ),
    )
    assert [event.tracking_number for event in two.events] == ["700000017", "700000018"]
    colli = [only(read("sendcloud", sendcloud(11, collo_nr=n, collo_count=2))).piece for n in (1, 2)]
    assert colli == ["1", "2"]


TWO_OF_THREE = [
    ("dhl_unified", {"shipments": [dhl(dhl_event("2026-03-02T10:15:00", "transit"))["shipments"][0], {}, 7]}),
    (
        "fedex",
        {
            "output": {
                "completeTrackResults": [
                    *fedex(fedex_scan("IT", "2026-03-02T10:00:00-06:00"))["output"]["completeTrackResults"],
                    {"trackResults": [7]},
                ]
            }
        },
    ),
    ("usps", [usps({"eventCode": "10"}), {"trackingEvents": []}, 7]),
    ("usps", [usps({"eventCode": "10"}, {"eventCode": ""})]),
    ("tnt", tnt(tnt_consignment("700000017", ("OD", "20260302", "1815")), "<Consignment/>")),
    ("seko", [*seko({"EventDT": "2026-03-02T18:15:00", "OmniCode": "OP-5"}), {"Events": [{}]}, 7]),
    ("dcsa", [dcsa("ACT"), {}, 7]),
    ("easypost", {"trackers": [easypost(easypost_detail("in_transit", "2026-03-02T10:15:00Z"))["result"], {}]}),
]


@pytest.mark.requirement("M44")
@pytest.mark.parametrize(("carrier", "body"), TWO_OF_THREE)
def test_trap_42_a_bad_item_in_a_batch_costs_only_itself(carrier: str, body: Any) -> None:
    reading = read(carrier, body)
    assert len(reading.events) == 1
    assert reading.faults


@pytest.mark.requirement("M38", "M50")
def test_trap_43_without_a_tracking_number_another_key_is_used_or_the_message_is_kept() -> None:
    event = {"id": 1, "fulfillment_id": 70017, "status": "in_transit", "happened_at": "2026-03-02T10:15:00Z"}
    shopify = only(read("shopify", {**event, "order_id": 5}))
    assert shopify.tracking_number == "70017"
    assert {"fulfillment_id", "order_id"} <= {reference.type for reference in shopify.references}
    waiting = read("sendcloud", sendcloud(999, tracking_number=False))
    assert waiting.events == ()
    assert "7" in (waiting.notice or "")
    seal = Seal([("test", b"k" * 32)])
    message_id = new_id()
    body = json.dumps({"shipments": [{"service": "express"}]}).encode()
    kept_message = Intaken(message_id, "dhl_unified", "", "live", now(), "0" * 32, seal.close(message_id, body, {}))
    assert understand(kept_message, seal).verdict.state is MessageState.PARKED
    assert seal.open(message_id, kept_message.sealed)[0] == body


@pytest.mark.requirement("M50")
def test_trap_44_a_parcel_nobody_registered_is_kept_and_matched_later(engine: Engine) -> None:
    ingest(engine, read("fedex", fedex(fedex_scan("DL", "2026-03-02T12:00:00-06:00"), number="700000000017")))
    assert kept(engine) == ["delivered"]
    assert rows(engine, "select count(*) from effects") == [(0,)]
    assert rows(engine, "select count(*) from parcels where unmatched_since is not null") == [(1,)]
    register(engine, 1, "7000 0000 0017")
    assert rows(engine, "select payload ->> 'milestone' from effects where kind = 'delivery'") == [("delivered",)]


@pytest.mark.requirement("M32")
@pytest.mark.parametrize(
    ("carrier", "body"),
    [
        ("ups", {"response": {"errors": [{"code": "TW0001", "message": "Tracking Information Not Found"}]}}),
        ("dhl_unified", {"title": "No result found", "status": 404, "detail": "No shipment with given number found."}),
        ("fedex", fedex(error={"code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": "Not found"})),
        ("17track", {"data": {"accepted": [], "rejected": [{"number": "X1", "error": {"code": -18019909}}]}}),
        ("usps", {"error": {"code": "-2147219302", "message": "The number was not found"}}),
        ("tnt", tnt(tnt_consignment("700000017").replace("INT", "CNF"))),
    ],
)
def test_trap_45_not_found_is_a_notice_and_no_trouble(carrier: str, body: Any) -> None:
    reading = read(carrier, body)
    assert (reading.events, reading.faults, reading.needs_a_person) == ((), (), False)
    assert reading.notice


@pytest.mark.requirement("M32")
def test_trap_45_what_is_not_found_is_asked_about_with_growing_gaps() -> None:
    table = load_polling(SHIPPED_POLLING, ["dhl_unified", "fedex", "ups"])
    gaps = []
    for days in (0, 2, 6, 12):
        asked_at = START + timedelta(days=days)
        due_at = plan(Known(START, asked_at), table, asked_at).due_at
        assert due_at is not None
        gaps.append(due_at - asked_at)
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0]


# ---- 6. corrections, returns, voids


@pytest.mark.requirement("M51")
@pytest.mark.parametrize("first", [0, 1], ids=["event-first", "retraction-first"])
def test_trap_46_a_retraction_takes_its_event_back_whichever_comes_first(first: int) -> None:
    before = read("dcsa", [dcsa("ACT", "ARRI", "E0")]).events
    departed = read("dcsa", [dcsa("ACT", "DEPA", "E1")]).events
    withdrawn = read("dcsa", [dcsa("ACT", "DEPA", "E2", retractedEventID="E1")]).events[:1]
    assert [event.retracts for event in withdrawn] == ["E1"]
    assert where_it_stands(*before, *departed) is Milestone.DEPARTED_FACILITY
    messages = [departed, withdrawn] if first == 0 else [withdrawn, departed]
    assert where_it_stands(*before, *messages[0], *messages[1]) is Milestone.ARRIVED_AT_FACILITY


@pytest.mark.requirement("M51")
def test_trap_46_a_bare_retraction_waits_for_a_person() -> None:
    body = {"metadata": {"eventID": "E9", "retractedEventID": "E1", "eventType": "TRANSPORT"}, "payload": {}}
    reading = read("dcsa", [body])
    assert reading.needs_a_person
    assert "E1" in (reading.notice or "")


@pytest.mark.requirement("M51")
def test_trap_47_cancelled_holds_until_a_physical_scan() -> None:
    voided = [
        ups_scan("MV", "MP", "003"),
        only(read("sendcloud", sendcloud(2000) | {"carrier_status_change_timestamp": "2026-03-02T10:15:00Z"})),
        only(read("sendcloud", sendcloud(1998) | {"carrier_status_change_timestamp": "2026-03-02T10:15:00Z"})),
        only(read("easypost", easypost(easypost_detail("cancelled", "2026-03-02T10:15:00Z", "cancelled")))),
    ]
    for event in voided:
        at = event.instant()
        assert at is not None
        hours = (at - START) / timedelta(hours=1)
        assert event.milestone is Milestone.CANCELLED
        assert where_it_stands(told("label_created", 0), event) is Milestone.CANCELLED
        assert where_it_stands(event, told("label_created", hours + 5)) is Milestone.CANCELLED
        assert where_it_stands(event, told("picked_up", hours + 5)) is Milestone.PICKED_UP


@pytest.mark.requirement("M45")
def test_trap_48_the_same_scan_with_other_words_stays_one_event(engine: Engine) -> None:
    scan = fedex_scan("IT", "2026-03-02T10:00:00-06:00")
    first = read("fedex", fedex(scan))
    reworded = read("fedex", fedex(scan | {"eventDescription": "Umgeladen"}))
    ingest(engine, first)
    ingest(engine, reworded)
    assert kept(engine, "event ->> 'description'") == ["A scan"]
    unmapped, mapped = told("unknown", 1, code="X9"), told("delivered", 1, code="X9")
    ingest_batch(engine, [understood(unmapped)], POLICY)
    ingest_batch(engine, [understood(mapped)], POLICY)
    assert rows(engine, "select milestone from events where event ->> 'code' = 'X9'") == [("delivered",)]


@pytest.mark.requirement("M45")
def test_trap_48_the_same_message_read_anew_mends_the_event(engine: Engine) -> None:
    one = understood(told("in_transit", 1, code="X9"))
    better = replace(one.told[0].event, description="In better words")
    ingest_batch(engine, [one], POLICY)
    ingest_batch(engine, [replace(one, told=(Told(better, one.told[0].message_id, one.told[0].received_at),))], POLICY)
    assert kept(engine, "event ->> 'description'") == ["In better words"]


@pytest.mark.requirement("M45")
def test_trap_49_a_scan_that_a_later_answer_leaves_out_is_kept(engine: Engine) -> None:
    scans = (fedex_scan("PU", "2026-03-01T15:00:00-06:00"), fedex_scan("OD", "2026-03-02T08:00:00-06:00"))
    ingest(engine, read("fedex", fedex(*scans)))
    ingest(engine, read("fedex", fedex(scans[1])))
    ingest(engine, read("fedex", fedex(error={"code": "TRACKING.TRACKINGNUMBER.NOTFOUND"})))
    assert kept(engine) == ["picked_up", "out_for_delivery"]


@pytest.mark.requirement("M16")
def test_trap_50_on_the_way_back_ordinary_scans_are_the_return_and_delivered_is_returned() -> None:
    way_back = [told("picked_up", 0), told("return_in_transit", 5, "refused")]
    for scan in ("in_transit", "arrived_at_facility", "out_for_delivery", "available_for_pickup"):
        assert where_it_stands(*way_back, told(scan, 9)) is Milestone.RETURN_IN_TRANSIT
    (end,) = fold(entries(*way_back, told("in_transit", 9), told("delivered", 20)))
    assert (end.milestone, end.leg) == (Milestone.RETURNED, Leg.RETURN)
    event = [
        {"code": code, "label": "x", "date": f"2026-03-0{day}T10:00:00+01:00"}
        for day, code in enumerate(("PC1", "RE1", "ET1", "DI1"), 1)
    ]
    laposte = read("laposte", {"returnCode": 200, "shipment": {"idShip": "6A00000000017", "event": event[::-1]}}).events
    assert [e.leg for e in laposte] == [Leg.RETURN, Leg.RETURN, Leg.RETURN, Leg.OUTBOUND]
    assert where_it_stands(*laposte) is Milestone.RETURNED
    assert where_it_stands(*laposte[1:]) is Milestone.RETURN_IN_TRANSIT
    assert ups_scan("D", "FS", "034").milestone is Milestone.RETURNED
    assert ups_scan("I", "AR", "036").leg is Leg.RETURN


@pytest.mark.requirement("M28")
def test_trap_51_a_signature_makes_no_delivery() -> None:
    signed = only(read("canadapost", canadapost(canadapost_scan("20", "2026-03-02 10:15:00", signed="A. Person"))))
    assert (signed.milestone, signed.proof_of_delivery) == (Milestone.INFO_RECEIVED, None)
    on_its_way = read(
        "royalmail", royalmail(("EVGPD", "2026-03-02T08:00:00+00:00"), signature={"recipientName": "Simon"})
    )
    assert where_it_stands(*on_its_way.events) is Milestone.OUT_FOR_DELIVERY
    assert only(on_its_way).proof_of_delivery is None
    alone = read("royalmail", {"mailPieces": {"mailPieceId": "RM700000017GB", "signature": {"recipientName": "Simon"}}})
    assert alone.events == ()
    proven = told("info_received", 5, proof_of_delivery=ProofOfDelivery("A. Person"))
    (standing,) = fold(entries(told("out_for_delivery", 1), proven))
    assert (standing.milestone, standing.proof_of_delivery) == (Milestone.OUT_FOR_DELIVERY, None)
