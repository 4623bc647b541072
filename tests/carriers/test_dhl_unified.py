"""What is particular about DHL's Shipment Tracking Unified."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from carriers.base import Message, Reading, Request
from carriers.dhl_unified import CARRIER
from shipments.errors import SignatureMismatch, Unreadable
from shipments.event import Event, Leg, TimeQuality
from shipments.milestone import ExceptionCategory, Milestone

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "carriers" / "samples"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CET = timezone(timedelta(hours=1))

with_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="the reference samples are not on this machine")


def read(body: Any) -> Reading:
    return CARRIER.parse(Message(json.dumps(body).encode()))


def shipment(**fields: Any) -> dict[str, Any]:
    return {"id": "4711220035", "service": "express"} | fields


def push(*shipments: Any) -> dict[str, Any]:
    return {"scope": "subscription.push", "shipments": list(shipments)}


def status(code: str = "transit", **fields: Any) -> dict[str, Any]:
    return {"timestamp": "2026-03-04T08:12:00+01:00", "statusCode": code} | fields


def event_of(one: dict[str, Any]) -> Event:
    (event,) = read(push(one)).events
    return event


def event_with(code: str = "transit", service: str = "express", **fields: Any) -> Event:
    return event_of(shipment(service=service, status=status(code, **fields)))


def greeting(body: bytes, method: str = "POST") -> int | None:
    answer = CARRIER.greet(Request(method, {}, {}, body, NOW))
    return answer.status if answer else None


def reference(name: str) -> bytes:
    return (REFERENCE / "dhl_unified" / name).read_bytes()


# ---- the reference samples --------------------------------------------------------------------------------------


@with_reference
@pytest.mark.requirement("M31")
def test_the_reference_push_is_a_delivery() -> None:
    (event,) = CARRIER.parse(Message(reference("push_delivered.json"))).events
    assert (event.tracking_number, event.milestone) == ("JD0123", Milestone.DELIVERED)
    assert event.occurred_at == datetime(2026, 6, 30, 10, tzinfo=UTC)
    assert event.description == "Delivered to recipient"


@with_reference
def test_the_reference_handshake_is_greeted_and_waits_for_a_person() -> None:
    body = reference("push_validate_handshake.json")
    reading = CARRIER.parse(Message(body))
    assert greeting(body) == 200
    assert reading.events == ()
    assert reading.needs_a_person
    assert reading.notice is not None
    assert "sub-123" in reading.notice


@with_reference
def test_the_reference_confirmation_is_only_a_notice() -> None:
    reading = CARRIER.parse(Message(reference("push_ready.json")))
    assert reading == Reading(notice="The DHL subscription sub-r is active.")


@with_reference
@pytest.mark.requirement("M24")
def test_the_reference_answer_contradicts_itself_and_is_no_delivery() -> None:
    """Its statusCode is pre-transit, its status text DELIVERED, its time once with Z and once without."""
    (event,) = CARRIER.parse(Message(reference("tracking_unified_delivered.json"))).events
    assert event.tracking_number == "7777777770"
    assert event.milestone is Milestone.LABEL_CREATED
    assert (event.occurred_text, event.time_quality) == ("2018-03-02T07:53:47", TimeQuality.ASSUMED)
    assert event.occurred_at == datetime(2018, 3, 2, 7, 53, 47, tzinfo=CET)
    assert event.estimated_delivery_at == date(2018, 8, 3)
    assert event.proof_of_delivery is None
    assert [(r.type, r.value) for r in event.references] == [("customer-reference", "YZ3892406173")]


@with_reference
def test_the_reference_not_found_is_neither_an_event_nor_an_error() -> None:
    reading = CARRIER.parse(Message(reference("tracking_unified_error.json")))
    assert (reading.events, reading.faults, reading.needs_a_person) == ((), (), False)
    assert reading.notice == "DHL answered: No result found (status 404)."


# ---- the door ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("M43")
def test_the_token_is_the_whole_proof_and_does_not_cover_the_body() -> None:
    assert not CARRIER.proof.covers_body
    CARRIER.proof.verify({"dhl-hook-token": "a-secret"}, b"anything", ["a-secret"], NOW)
    with pytest.raises(SignatureMismatch):
        CARRIER.proof.verify({"dhl-hook-token": "another"}, b"anything", ["a-secret"], NOW)


@pytest.mark.parametrize("scope", ["validate", "ready", "failure", "expired"])
def test_a_message_about_the_subscription_is_answered_with_200(scope: str) -> None:
    assert greeting(b'{"secret": "s", "self": "https://x/y", "scope" : "subscription.%s"}' % scope.encode()) == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"scope":"subscription.push","shipments":[]}',
        b'{"scope":"subscription.push","shipments":[{"id":"subscription.validate"}]}',
        b'{"shipments":[' + b" " * 5000 + b'],"scope":"subscription.push"}',
        b'{"scope":7}',
        b'{"scope',
        b"",
    ],
)
def test_every_other_message_gets_the_usual_answer(body: bytes) -> None:
    assert CARRIER.accepted_status == 202
    assert greeting(body) is None


def test_only_a_post_is_greeted() -> None:
    assert greeting(b'{"scope":"subscription.validate"}', "GET") is None


def test_the_secret_of_a_handshake_never_stands_in_the_notice() -> None:
    secret = "hush-hush"
    told = {"title": f"bad {secret}", "detail": secret}
    for scope in ("validate", "ready", "failure", "removed"):
        body = {"scope": f"subscription.{scope}", "self": f"x/{secret}", "secret": secret, "failure": told}
        assert secret not in (read(body).notice or secret)


def test_a_failed_or_ended_subscription_waits_for_a_person() -> None:
    reading = read({"scope": "subscription.failure", "self": "x/sub-9", "failure": {"title": "Hook failed"}})
    assert reading.needs_a_person
    assert "sub-9: Hook failed" in (reading.notice or "")
    assert read({"scope": "subscription.expired", "self": "x/sub-9"}).needs_a_person


@pytest.mark.requirement("M44")
@pytest.mark.parametrize(
    "body", [{"scope": "order.created"}, push(), {"shipments": "none"}, push(7), push(shipment()), {"status": 404}]
)
def test_a_body_without_a_shipment_to_read_is_unreadable_or_a_notice(body: Any) -> None:
    if body == push():
        assert read(body).notice == "DHL lists no shipment in this message."
    else:
        with pytest.raises(Unreadable):
            read(body)


# ---- codes ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("M27", "M28")
def test_the_code_of_the_unit_decides_before_the_coarse_status() -> None:
    event = event_with("transit", status="WC")
    assert (event.milestone, event.code_list, event.code) == (Milestone.OUT_FOR_DELIVERY, "express", "WC")


def test_the_same_code_is_another_one_in_another_unit() -> None:
    assert event_with("transit", service="express", status="DD").milestone is Milestone.DELIVERED
    assert event_with("transit", service="parcel-de", status="DD").milestone is Milestone.INFO_RECEIVED


def test_the_detailed_status_decides_before_the_status() -> None:
    event = event_with("failure", service="ecommerce-europe", status="302", statusDetailed="207")
    assert (event.code, event.exception_category) == ("207", ExceptionCategory.REFUSED)


def test_without_a_known_code_the_coarse_status_decides() -> None:
    event = event_with("Transit", status="ZZ", description="Somewhere")
    assert (event.milestone, event.code_list, event.code) == (Milestone.IN_TRANSIT, "statusCode", "transit")


@pytest.mark.requirement("M30")
def test_a_status_outside_the_five_is_unknown_and_keeps_its_words() -> None:
    event = event_with("Locker-Audit", status="ZZ", description="The locker is being counted")
    assert (event.milestone, event.code) == (Milestone.UNKNOWN, "Locker-Audit")
    assert event.description == "The locker is being counted"


@pytest.mark.requirement("M28")
def test_a_published_text_stands_for_its_code_whatever_its_case() -> None:
    event = event_with("transit", status="with DELIVERING courier")
    assert (event.milestone, event.code) == (Milestone.OUT_FOR_DELIVERY, "WC")


@pytest.mark.parametrize("words", ["Out for delivery soon", "not delivered yet", "Customs", "With delivering courier."])
def test_words_that_are_no_published_text_are_not_searched_for_meaning(words: str) -> None:
    assert event_with("transit", status=words).milestone is Milestone.IN_TRANSIT


def test_a_text_alone_never_makes_a_delivery() -> None:
    assert event_with("pre-transit", status="DELIVERED").milestone is Milestone.LABEL_CREATED
    assert event_of(shipment(status={"status": "Delivered"})).milestone is Milestone.UNKNOWN


def test_a_text_that_says_no_more_than_the_status_leaves_the_code_alone() -> None:
    assert event_with("delivered", status="Delivered").code == "delivered"


def test_a_text_published_with_several_meanings_means_none_of_them() -> None:
    event = event_with("transit", service="parcel-nl", status="Delivery interrupted")
    assert (event.milestone, event.code) == (Milestone.IN_TRANSIT, "transit")


@pytest.mark.parametrize("service", ["express", "svb", "parcel-de", ""])
@pytest.mark.parametrize("words", ["RETURNED TO SENDER", "Returned to sender", "RETURNED_TO_SENDER"])
def test_returned_to_sender_is_not_delivered_although_the_status_says_so(service: str, words: str) -> None:
    event = event_with("delivered", service=service, status=words)
    assert (event.milestone, event.leg) == (Milestone.RETURNED, Leg.RETURN)
    assert event.exception_category is ExceptionCategory.RETURN_TO_SENDER


def test_delivered_on_a_return_leg_is_returned() -> None:
    event = event_of(shipment(returnFlag=True, status=status("delivered")))
    assert (event.milestone, event.leg) == (Milestone.RETURNED, Leg.RETURN)
    assert event_of(shipment(returnFlag=False, status=status("delivered"))).milestone is Milestone.DELIVERED


@pytest.mark.parametrize(
    ("code", "milestone"), [("IN_DELIVERY", "out_for_delivery"), ("SENT_BACK", "return_in_transit")]
)
def test_a_letter_code_says_more_than_the_text_published_with_it(code: str, milestone: str) -> None:
    assert event_with("transit", service="svb", status=code).milestone == milestone


# ---- the status and the list ------------------------------------------------------------------------------------


def times_of(one: dict[str, Any]) -> list[str]:
    return [event.occurred_text for event in read({"shipments": [one]}).events]


@pytest.mark.parametrize("again", ["2026-03-04T08:12:00Z", "2026-03-04T08:12:40", "2026-03-04T08:12:00.5+01:00", None])
def test_a_status_that_repeats_a_listed_event_is_no_second_event(again: str | None) -> None:
    listed = status(timestamp="2026-03-04T08:12:00")
    assert times_of(shipment(status=status(timestamp=again), events=[listed])) == ["2026-03-04T08:12:00"]


def test_a_status_that_is_not_in_the_list_is_an_event() -> None:
    listed = status(timestamp="2026-03-04T08:12:00")
    later, other = status(timestamp="2026-03-04T08:14:00"), status("delivered", timestamp="2026-03-04T08:12:00")
    assert len(times_of(shipment(status=later, events=[listed]))) == 2
    assert len(times_of(shipment(status=other, events=[listed]))) == 2


@pytest.mark.requirement("M26")
def test_push_and_poll_tell_of_one_event() -> None:
    item = status(status="WC", location={"address": {"countryCode": "DE", "addressLocality": "COLOGNE"}})
    (pushed,) = read(push(shipment(id=4711220035, status=item))).events
    (polled,) = read({"shipments": [shipment(status=item | {"timestamp": None}, events=[item])]}).events
    assert pushed.key == polled.key


@pytest.mark.requirement("M44")
def test_one_damaged_event_costs_that_event_alone() -> None:
    events = [status(timestamp="2026-03-04T08:12:00"), status(timestamp="yesterday"), 7]
    reading = read({"shipments": [shipment(events=events), {"id": None}]})
    assert len(reading.events) == 1
    assert [f.where for f in reading.faults] == ["shipments[0].events[1]", "shipments[0].events[2]", "shipments[1]"]


# ---- time, place, proof -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "quality"), [("NL", TimeQuality.ASSUMED), ("US", TimeQuality.LOCAL), (None, TimeQuality.LOCAL)]
)
def test_a_local_time_is_placed_by_the_country_if_that_has_one_offset(country: str, quality: TimeQuality) -> None:
    place = {"address": {"countryCode": country, "addressLocality": "X"}}
    assert event_with(timestamp="2026-03-05T14:20:31", location=place).time_quality is quality


def test_an_event_without_a_time_stays_without_one() -> None:
    event = event_with(timestamp=None)
    assert (event.occurred_at, event.occurred_text, event.time_quality) == (None, "", TimeQuality.NONE)


@pytest.mark.parametrize("place", ["LEIPZIG - GERMANY", {"address": "LEIPZIG - GERMANY"}])
def test_a_place_in_one_text_is_kept_as_it_is(place: Any) -> None:
    location = event_with(location=place).location
    assert (location.city, location.country) == ("LEIPZIG - GERMANY", None)


def test_an_estimate_is_no_event_and_a_broken_one_costs_only_itself() -> None:
    exact = event_of(shipment(status=status(), estimatedTimeOfDelivery="2026-03-05T18:00:00+01:00"))
    assert exact.estimated_delivery_at == datetime(2026, 3, 5, 18, tzinfo=CET)
    reading = read(push(shipment(status=status(), estimatedTimeOfDelivery="soon")))
    assert [event.estimated_delivery_at for event in reading.events] == [None]
    assert [fault.where for fault in reading.faults] == ["shipments[0].estimatedTimeOfDelivery"]


@pytest.mark.requirement("M28")
def test_proof_of_delivery_stands_on_the_delivery_and_makes_none() -> None:
    proof = {
        "timestamp": "2026-03-04T11:47:00",
        "signed": {"name": "M Muster"},
        "documentUrl": "https://webpod.dhl.com/x",
    }
    events = read(push(shipment(events=[status("delivered"), status()], details={"proofOfDelivery": proof}))).events
    assert [event.milestone for event in events] == [Milestone.DELIVERED, Milestone.IN_TRANSIT]
    assert events[0].proof_of_delivery is not None
    assert (events[0].proof_of_delivery.signed_by, events[0].proof_of_delivery.at) == ("M Muster", proof["timestamp"])
    assert events[1].proof_of_delivery is None


def test_a_person_is_named_nowhere_but_as_the_one_who_signed() -> None:
    details = {"receiver": {"name": "Erika Muster"}, "proofOfDelivery": {"signed": {"familyName": "Muster"}}}
    item = status("delivered", status="OK", description="Signed for by E. MUSTER")
    printed = event_of(shipment(status=item, details=details)).to_dict()
    assert printed.pop("proof_of_delivery")["signed_by"] == "Muster"
    assert "muster" not in json.dumps(printed).lower()


def test_references_come_as_one_object_or_as_a_list() -> None:
    one = {"number": 815, "type": "customer-reference"}
    for given in (one, [one, {"type": "housebill"}, None]):
        references = event_of(shipment(status=status(), details={"references": given})).references
        assert [(r.type, r.value) for r in references] == [("customer-reference", "815")]


def test_piece_ids_make_no_pieces() -> None:
    event = event_of(shipment(status=status(pieceIds=["JD01"]), details={"pieceIds": ["JD01", "JD02"]}))
    assert event.piece is None
