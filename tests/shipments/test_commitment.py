"""What a changed estimate leads to: its history, and by policy a later promise."""

import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.errors import SetupFault
from shipments.event import Leg
from shipments.fold import fold, roll_up
from shipments.handover import MOST_ESTIMATES
from shipments.rules.commitment import Commitment, day_of, decide_commitment, estimate_history, later_promise
from shipments.rules.decide import decide_delivery
from shipments.rules.policy import load_policy
from tests.shipments.telling import entries, told
from tests.shipments.test_finance import DELIVERY
from workers.resources import SHIPPED_POLICY

MOVES = Commitment(move_promise=True)
POLICY = load_policy(SHIPPED_POLICY)


def expected(hours, day, milestone="in_transit", **fields):
    return told(milestone, hours, estimated_delivery_at=date.fromisoformat(day), **fields)


def standing(*events):
    return fold(entries(*events))[-1]


def awaited(*standings, commitment=MOVES):
    return [e.payload["day"] for e in decide_commitment(3, list(standings), commitment)]


@pytest.mark.requirement("X11")
def test_each_revision_of_an_estimate_is_kept_with_its_source_the_newest_first():
    story = [expected(1, "2026-03-04"), expected(3, "2026-03-04"), expected(9, "2026-03-06")]
    assert estimate_history(standing(*story)).splitlines() == [
        "2026-03-06 (T1, told 2026-03-01 17:00 UTC)",
        "2026-03-04 (T1, told 2026-03-01 09:00 UTC)",
    ]
    assert estimate_history(standing(told("in_transit", 1))) == ""


@pytest.mark.requirement("X11")
def test_the_history_goes_to_odoo_with_the_state_of_the_delivery():
    state = decide_delivery(DELIVERY, standing(expected(1, "2026-03-04")), POLICY)[0]
    assert state.payload["estimate_history"] == "2026-03-04 (T1, told 2026-03-01 09:00 UTC)"


def test_of_a_carrier_that_tells_another_minute_with_every_scan_the_newest_revisions_are_kept():
    minutes = [told("in_transit", n, estimated_delivery_at=datetime(2026, 3, 4, 9, n, tzinfo=UTC)) for n in range(50)]
    lines = estimate_history(standing(*minutes)).splitlines()
    assert len(lines) == MOST_ESTIMATES
    assert lines[0].startswith("2026-03-04T09:49")


def test_the_histories_of_several_parcels_are_told_together():
    parts = [standing(expected(n, f"2026-03-0{n}", tracking_number=f"T{n}")) for n in (5, 4)]
    assert [line.split(",")[0] for line in estimate_history(roll_up(parts, 2)).splitlines()] == [
        "2026-03-05 (T5",
        "2026-03-04 (T4",
    ]


@pytest.mark.requirement("M20")
def test_an_order_is_expected_on_the_day_of_the_delivery_that_comes_last():
    early, late = standing(expected(1, "2026-03-04")), standing(expected(1, "2026-03-06"))
    assert awaited(early, late) == ["2026-03-06"]
    assert awaited(early, late, commitment=Commitment()) == [], "only where the policy says so"
    assert awaited(standing(told("in_transit", 1))) == []


def test_what_is_delivered_or_comes_back_is_not_awaited():
    arrived = standing(expected(1, "2026-03-06"), told("delivered", 5))
    assert awaited(arrived, standing(expected(1, "2026-03-04"))) == ["2026-03-04"]
    assert awaited(arrived) == [None]
    assert awaited(standing(expected(1, "2026-03-06"), told("return_in_transit", 5, leg=Leg.RETURN))) == [None]


def test_days_are_those_of_the_zone_the_policy_names():
    assert day_of("2026-03-04T23:30:00+00:00", ZoneInfo("Europe/Berlin")) == date(2026, 3, 5)
    assert day_of("2026-03-04T23:30:00", ZoneInfo("Europe/Berlin")) == date(2026, 3, 4), "a local time stays its day"
    assert day_of("2026-03-04", ZoneInfo("Asia/Tokyo")) == date(2026, 3, 4)


@pytest.mark.requirement("M20")
def test_a_promise_is_moved_to_a_later_day_at_its_own_time_of_day_and_never_to_an_earlier_one():
    berlin = ZoneInfo("Europe/Berlin")
    promised = datetime(2026, 3, 27, 11, 0, tzinfo=UTC)  # noon in Berlin, before summer time
    assert later_promise(promised, date(2026, 3, 30), berlin) == datetime(2026, 3, 30, 10, 0, tzinfo=UTC)
    assert later_promise(promised, date(2026, 3, 27), berlin) is None
    assert later_promise(promised, date(2026, 3, 26), berlin) is None
    midnight = datetime(2026, 3, 26, 23, 30, tzinfo=UTC)  # the 27th in Berlin
    assert later_promise(midnight, date(2026, 3, 27), berlin) is None


@pytest.mark.requirement("M51", "M20")
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 28)), min_size=1, max_size=30), st.integers())
def test_history_and_promise_depend_on_the_set_of_events_alone(revisions, seed):
    events = [expected(hours, f"2026-03-{day:02d}", code=f"{hours}:{day}") for hours, day in revisions]
    shuffled = [*events, *events[:5]]
    random.Random(seed).shuffle(shuffled)
    assert estimate_history(standing(*shuffled)) == estimate_history(standing(*events))
    assert awaited(standing(*shuffled)) == awaited(standing(*events))


def test_a_time_zone_that_does_not_exist_is_a_fault_of_the_policy(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(SHIPPED_POLICY.read_text().replace('time_zone = "UTC"', 'time_zone = "Mars/Olympus"'))
    with pytest.raises(SetupFault, match="'Mars/Olympus' is no time zone"):
        load_policy(path)
