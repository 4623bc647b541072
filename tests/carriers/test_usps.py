"""USPS: the envelope that is signed, and the delivery that is a return."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.usps import CARRIER
from shipments.errors import SignatureMismatch
from shipments.event import Event, Leg, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read

NOW = datetime(2026, 7, 23, 15, tzinfo=UTC)
SECRET = "a-secret-of-thirty-two-characters"
STAMP, PAYLOAD = "2026-07-23T14:32:00Z", '{"trackingNumber":"9200000000000000000017","city":"Cañon"}'


def signature() -> str:
    """As the document of Subscriptions says: timestamp and payload, one after the other, as text."""
    return base64.b64encode(hmac.new(SECRET.encode(), (STAMP + PAYLOAD).encode(), hashlib.sha256).digest()).decode()


def check(payload: str = PAYLOAD, stamp: str = STAMP, **written: Any) -> None:
    body = json.dumps({"subscriptionId": "1", "timestamp": stamp, "payload": payload}, **written).encode()
    CARRIER.proof.verify({"x-hmac": signature()}, body, [SECRET], NOW)


@pytest.mark.requirement("M43")
def test_the_decoded_payload_is_what_is_signed_however_the_envelope_is_written() -> None:
    check()
    check(ensure_ascii=False, indent=4)


@pytest.mark.requirement("M43")
def test_another_payload_or_time_is_refused() -> None:
    for payload, stamp in ((PAYLOAD.replace("17", "18"), STAMP), (PAYLOAD, "2026-07-24T14:32:00Z")):
        with pytest.raises(SignatureMismatch):
            check(payload, stamp)


def first(**fields: Any) -> Event:
    return read(
        CARRIER, "poll_returned_to_sender", lambda body: body["trackingEvents"][0].update(eventCode="01", **fields)
    ).events[0]


@pytest.mark.requirement("M28")
def test_a_delivery_to_the_sender_is_the_end_of_a_return() -> None:
    event = first(eventType="Delivered, To Original Sender", name="T SENDER")
    assert (event.milestone, event.leg, event.proof_of_delivery) == (Milestone.RETURNED, Leg.RETURN, None)


def test_any_other_delivery_is_one() -> None:
    event = first(eventType="Delivered, Left with Individual", name="T SAMPLE")
    assert (event.milestone, event.leg) == (Milestone.DELIVERED, Leg.OUTBOUND)
    assert event.proof_of_delivery is not None


def test_the_local_clock_stands_with_its_offset_and_alone_it_stays_local() -> None:
    assert first(GMTOffset="-04:00").time_quality is TimeQuality.EXACT
    alone = first(GMTOffset=None)
    assert (alone.time_quality, str(alone.occurred_at)) == (TimeQuality.LOCAL, "2026-06-09 10:10:00")


def test_a_code_that_lost_its_zero_gets_it_back() -> None:
    def shorten(body: Any) -> None:
        body["trackingEvents"][0].update(eventCode=7)

    assert read(CARRIER, "poll_returned_to_sender", shorten).events[0].code == "07"
