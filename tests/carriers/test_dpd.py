"""DPD: the number that an answer does not repeat, stages still to come, the order of day and month."""

import pytest

from carriers.base import Message, Reading
from carriers.dpd import CARRIER
from carriers.dpd.parser import ASKED
from shipments.errors import Unreadable
from tests.carriers.own_samples import sample

ANSWER = sample(CARRIER, "poll_soap_parcelshop")


def read(body: bytes = ANSWER, **headers: str) -> Reading:
    return CARRIER.parse(Message(body, {ASKED: "09990000000077"} | headers))


def test_the_number_that_was_asked_for_is_the_parcels() -> None:
    assert {event.tracking_number for event in read().events} == {"09990000000077"}
    assert ASKED in CARRIER.kept_headers, "a replay needs it too"


def test_an_answer_without_the_number_is_not_given_to_anybody() -> None:
    with pytest.raises(Unreadable, match="no tracking number"):
        CARRIER.parse(Message(ANSWER))


def test_the_number_in_an_answer_speaks_before_the_header() -> None:
    named = ANSWER.replace(b"<shipmentInfo>", b"<shipmentInfo><parcelLabelNumber>09990000000088</parcelLabelNumber>")
    assert {event.tracking_number for event in read(named).events} == {"09990000000088"}


def test_a_stage_still_to_come_is_no_delivery() -> None:
    assert "Delivered" not in {event.code for event in read().events}
    reached = ANSWER.rpartition(b"<statusHasBeenReached>false")
    assert "Delivered" in {event.code for event in read(b"<statusHasBeenReached>true".join(reached[::2])).events}


def test_slashes_write_the_month_first_and_dots_the_day() -> None:
    assert [str(event.occurred_at) for event in read().events] == [
        "2026-04-05 19:11:26+02:00",
        "2026-04-07 12:18:00+02:00",
        "2026-04-07 16:09:00+02:00",
    ]
