"""The canonical event: its key, its printed form, its moment."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from shipments.clock import new_id
from shipments.correlation import comparable, journey_of
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality
from shipments.fold import fold
from tests.shipments.telling import START, entries, told


@pytest.mark.requirement("M45")
def test_the_key_is_made_of_what_happened_and_not_of_how_it_was_told():
    event = told("in_transit", 1, description="On its way")
    for same in (
        {"description": "En route"},
        {"milestone": told("unknown").milestone},
        {"occurred_at": START + timedelta(hours=9)},
        {"provider_event_id": "retry-2"},
    ):
        assert replace(event, **same).key == event.key
    for other in (
        {"code": "other"},
        {"code_list": "other"},
        {"occurred_text": "other"},
        {"location": Location(city="Lyon")},
        {"journey": "2"},
        {"piece": "2"},
        {"tracking_number": "T2"},
        {"carrier": "another"},
    ):
        assert replace(event, **other).key != event.key


@pytest.mark.parametrize(
    "occurred_at",
    [
        datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2026, 3, 1, 9, 30, 0, 123456),  # noqa: DTZ001, a local time without zone
        date(2026, 3, 1),
        None,
    ],
)
def test_an_event_is_printed_and_read_back_equal(occurred_at):
    event = replace(
        told("delivered", 1),
        occurred_at=occurred_at,
        proof_of_delivery=ProofOfDelivery("Front desk", "2026-03-01T09:30:00-05:00", None),
        references=(Reference("order", "S00012"),),
        reported_at=START,
    )
    back = Event.from_dict(json.loads(json.dumps(event.to_dict())))
    assert back == event
    assert back.key == event.key


@pytest.mark.requirement("M24")
def test_a_time_without_zone_is_printed_without_one():
    local = replace(told("delivered"), occurred_at=datetime(2026, 3, 1, 9, 30), time_quality=TimeQuality.LOCAL)  # noqa: DTZ001
    assert local.to_dict()["occurred_at"] == "2026-03-01T09:30:00"
    assert local.instant() == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    day = replace(local, occurred_at=date(2026, 3, 1))
    assert day.to_dict()["occurred_at"] == "2026-03-01"
    assert day.instant() == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_ids_are_version_7_and_sort_by_time():
    ids = [new_id() for _ in range(50)]
    assert {i.version for i in ids} == {7}
    assert {i.variant for i in ids} == {"specified in RFC 4122"}
    milliseconds = [i.int >> 80 for i in ids]
    assert milliseconds == sorted(milliseconds)


def test_numbers_are_compared_without_blanks_dashes_and_case():
    assert comparable(" 1z 999-aa1 ") == "1Z999AA1"


def test_a_delivery_gets_the_journey_that_was_going_on_when_it_was_made():
    old, new = fold(entries(told("delivered", 0), told("in_transit", 24 * 200)))
    assert journey_of([old, new], START, earlier_claims=False) is old
    assert journey_of([old, new], START + timedelta(days=199), earlier_claims=True) is new


def test_a_delivery_with_a_number_used_again_waits_for_the_new_journey():
    (old,) = fold(entries(told("delivered", 0)))
    late = START + timedelta(days=200)
    assert journey_of([old], late, earlier_claims=True) is None
    assert journey_of([old], late, earlier_claims=False) is old, "Odoo learned late of a parcel"
