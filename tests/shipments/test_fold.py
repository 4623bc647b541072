"""Where a parcel stands, from its events: each rule of shipments/fold.py, and that order and repeats do not matter."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.event import Event, Leg, Location, ProofOfDelivery
from shipments.fold import Standing, dated, fold, place, roll_up
from shipments.milestone import ExceptionCategory, Milestone
from tests.shipments.telling import START, entries, stored, told


def standing(*events):
    """Where the last journey stands after these events."""
    return fold(entries(*events))[-1]


def milestone(*events):
    return standing(*events).milestone.value


@pytest.mark.requirement("M51")
def test_a_late_scan_does_not_reopen_a_delivered_parcel():
    assert milestone(told("delivered", 10), told("in_transit", 11)) == "delivered"
    assert milestone(told("delivered", 10), told("out_for_delivery", 11)) == "delivered"


@pytest.mark.requirement("M51")
def test_an_event_that_arrives_late_is_put_where_it_belongs_in_time():
    assert milestone(told("out_for_delivery", 10), told("in_transit", 3)) == "out_for_delivery"


def test_label_data_that_comes_after_a_scan_does_not_put_the_parcel_back():
    assert milestone(told("picked_up", 1), told("label_created", 2)) == "picked_up"


def test_news_about_a_parcel_does_not_move_it():
    assert milestone(told("in_transit", 1), told("info_received", 2), told("unknown", 3)) == "in_transit"


@pytest.mark.requirement("M30")
def test_a_parcel_of_which_only_unmapped_codes_are_known_is_unknown_and_not_in_transit():
    assert milestone(told("unknown", 1)) == "unknown"


def test_delivered_is_taken_back_by_an_event_whose_reason_contradicts_it():
    story = [told("delivered", 10), told("delivery_attempted", 12, "address_issue")]
    assert milestone(*story) == "delivery_attempted"
    assert milestone(*story, told("out_for_delivery", 20), told("delivered", 25)) == "delivered"


def test_delivered_is_not_taken_back_by_trouble_that_says_nothing_about_the_delivery():
    assert milestone(told("delivered", 10), told("exception", 12, "weather")) == "delivered"


def test_delivered_twice_stands_at_the_second_time():
    assert standing(told("delivered", 10), told("delivered", 30)).instant == START + timedelta(hours=30)


@pytest.mark.requirement("M16")
def test_delivered_on_the_way_back_is_returned_and_never_delivered():
    story = [told("out_for_delivery", 10), told("return_in_transit", 12, "refused"), told("in_transit", 20)]
    assert milestone(*story) == "return_in_transit"
    assert standing(*story).exception_category is ExceptionCategory.REFUSED
    assert milestone(*story, told("delivered", 40)) == "returned"


@pytest.mark.requirement("M16")
def test_a_scan_that_the_carrier_marks_as_return_leg_starts_the_way_back():
    after = standing(told("delivered", 1), told("arrived_at_facility", 30, leg=Leg.RETURN))
    assert (after.milestone, after.leg) == (Milestone.DELIVERED, Leg.OUTBOUND), "a scan alone does not reopen"
    before = standing(told("in_transit", 1), told("arrived_at_facility", 30, leg=Leg.RETURN))
    assert (before.milestone, before.leg) == (Milestone.RETURN_IN_TRANSIT, Leg.RETURN)


def test_a_return_label_made_in_advance_does_not_start_the_way_back():
    assert milestone(told("label_created", 0, leg=Leg.RETURN), told("in_transit", 5)) == "in_transit"


def test_nothing_happens_to_a_returned_parcel_any_more():
    assert milestone(told("returned", 5), told("in_transit", 8)) == "returned"


def test_a_voided_label_that_is_scanned_after_all_is_not_cancelled():
    assert milestone(told("label_created", 0), told("cancelled", 1)) == "cancelled"
    assert milestone(told("label_created", 0), told("cancelled", 1), told("picked_up", 3)) == "picked_up"


def test_a_lost_parcel_is_found_by_the_next_scan():
    assert milestone(told("lost", 5, "lost"), told("arrived_at_facility", 9)) == "arrived_at_facility"


def test_a_number_used_again_months_later_is_another_journey():
    old = [told("picked_up", 0), told("delivered", 30)]
    new = [told("label_created", 24 * 200), told("in_transit", 24 * 201)]
    journeys = fold(entries(*old, *new))
    assert [j.milestone.value for j in journeys] == ["delivered", "in_transit"]
    assert len(fold(entries(*old, told("return_in_transit", 24 * 200)))) == 1, "a return belongs to the old journey"


def test_a_retraction_takes_an_event_back_whichever_arrives_first():
    event = told("delivered", 10, provider_event_id="e1")
    retraction = told("info_received", 11, retracts="e1")
    for story in ([event, retraction], [retraction, event]):
        assert milestone(told("in_transit", 1), *story) == "in_transit"


def test_test_events_move_nothing():
    assert fold(entries(told("delivered", 1, is_test=True))) == ()


def test_proof_of_delivery_does_not_make_a_delivery():
    signed = told("info_received", 9, proof_of_delivery=ProofOfDelivery(signed_by="Front desk"))
    assert standing(told("out_for_delivery", 8), signed).proof_of_delivery is None
    after = standing(told("delivered", 8), signed)
    assert after.proof_of_delivery["signed_by"] == "Front desk"


def test_the_latest_estimate_holds_whatever_event_brings_it():
    first = told("in_transit", 1, estimated_delivery_at=START.date())
    second = told("info_received", 2, estimated_delivery_at=START.date() + timedelta(days=3))
    assert standing(first, second).estimated_delivery_at == "2026-03-04"


def test_an_event_dated_far_ahead_is_ordered_by_when_it_arrived():
    received = START + timedelta(hours=5)
    far = dated(told("in_transit", 24 * 40), received)
    near = dated(told("in_transit", 20), received)
    assert far.instant == received
    assert near.instant == START + timedelta(hours=20), "a day's difference is a clock or a zone"


def test_trouble_of_one_kind_is_one_problem_until_the_parcel_moves_on():
    story = [
        told("exception", 1, "customs_hold"),
        told("customs_clearance", 2, "customs_hold"),
        told("customs_released", 3),
        told("exception", 4, "customs_hold"),
    ]
    problems = standing(*story).problems
    assert [(p.category.value, p.open) for p in problems] == [("customs_hold", False), ("customs_hold", True)]
    assert problems[0].key != problems[1].key


@pytest.mark.requirement("M15")
def test_pieces_of_one_number_are_delivered_when_all_are():
    story = [told("in_transit", 1, piece="1"), told("in_transit", 1, piece="2"), told("delivered", 5, piece="1")]
    assert milestone(*story) == "partially_delivered"
    assert milestone(*story, told("delivered", 6, piece="2")) == "delivered"


def test_milestones_that_do_not_count_are_as_if_never_told():
    story = entries(told("picked_up", 1), told("arrived_at_facility", 2))
    shown = fold(story, lambda e: e.milestone is not Milestone.ARRIVED_AT_FACILITY)
    assert shown[-1].milestone is Milestone.PICKED_UP


def test_a_place_is_one_line_for_people():
    assert place(told("in_transit", location=Location(city="Lyon", country="FR"))) == "Lyon, FR"
    assert place(told("in_transit")) is None


# -- rolling up


@pytest.mark.requirement("M15")
@pytest.mark.parametrize(
    ("milestones", "expected", "result"),
    [
        (["delivered", "delivered", "delivered"], 3, "delivered"),
        (["delivered", "delivered", "in_transit"], 3, "partially_delivered"),
        (["delivered", "delivered"], 3, "partially_delivered"),
        (["delivered", "cancelled"], 2, "delivered"),
        (["cancelled", "cancelled"], 2, "cancelled"),
        (["out_for_delivery", "in_transit"], 2, "in_transit"),
        (["out_for_delivery", "exception"], 2, "exception"),
        (["returned", "delivered"], 2, "delivered"),
        (["returned", "in_transit"], 2, "return_in_transit"),
        (["label_created"], 2, "label_created"),
    ],
)
def test_several_parcels_stand_together(milestones, expected, result):
    standings = [standing(told(m, n, tracking_number=f"T{n}")) for n, m in enumerate(milestones)]
    assert roll_up(standings, expected).milestone.value == result


def test_the_trouble_of_one_parcel_does_not_hide_behind_a_delivered_one():
    troubled = standing(told("exception", 1, "damaged", tracking_number="T2"))
    together = roll_up([standing(told("delivered", 9)), troubled], 2)
    assert together.milestone is Milestone.PARTIALLY_DELIVERED
    assert together.exception_category is ExceptionCategory.DAMAGED


@pytest.mark.requirement("M9", "X11")
def test_several_parcels_are_estimated_for_the_last_one_awaited_and_as_fresh_as_the_newest_word():
    days = [START.date() + timedelta(days=n) for n in range(4)]
    arrived = dated(told("delivered", 9, estimated_delivery_at=days[3]), START + timedelta(hours=9))
    soon = dated(told("in_transit", 8, tracking_number="T2", estimated_delivery_at=days[1]), START)
    later = dated(told("in_transit", 7, tracking_number="T3", estimated_delivery_at=days[2]), START + timedelta(days=1))
    together = roll_up([fold([entry])[0] for entry in (arrived, soon, later)], 3)
    assert together.milestone is Milestone.PARTIALLY_DELIVERED
    assert together.estimated_delivery_at == days[2].isoformat()
    assert together.heard_at == START + timedelta(days=1)
    assert roll_up([fold([arrived])[0]] * 2, 2).estimated_delivery_at == days[3].isoformat()


def test_a_standing_is_stored_and_read_back_equal():
    before = standing(told("in_transit", 1), told("exception", 2, "damaged", description="torn"))
    assert Standing.from_dict(stored(before)) == before


# -- order and repeats

_STORIES = st.lists(
    st.builds(
        told,
        st.sampled_from([m.value for m in Milestone]),
        st.integers(0, 24 * 400) | st.integers(0, 6),
        st.none() | st.sampled_from([c.value for c in ExceptionCategory]),
        leg=st.sampled_from(list(Leg)),
        piece=st.none() | st.sampled_from(["1", "2"]),
        is_test=st.booleans(),
        provider_event_id=st.none() | st.sampled_from(["a", "b"]),
        retracts=st.none() | st.none() | st.sampled_from(["a", "b"]),
        code=st.sampled_from(["X", "Y", "Z"]),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda e: e.key,
)


@pytest.mark.requirement("M45", "M51")
@given(_STORIES, st.randoms(use_true_random=False))
def test_any_order_and_any_number_of_repeats_give_the_same_standing(events, chance: random.Random):
    again = [*events, *chance.choices(events, k=len(events))]
    chance.shuffle(again)
    assert fold(entries(*again)) == fold(entries(*events))


@given(st.permutations([told("delivered", 9, tracking_number="A"), told("in_transit", 3, tracking_number="B")]))
def test_the_order_of_parcels_does_not_matter_when_rolling_up(events):
    assert roll_up([standing(e) for e in events], 2).milestone is Milestone.PARTIALLY_DELIVERED


# ---- pieces that are announced


def piece(milestone: str, hours: float, name: str | None, count: int | None = None) -> Event:
    return told(milestone, hours, piece=name, piece_count=count)


@pytest.mark.requirement("M15")
@given(data=st.data())
def test_trap_41_all_announced_pieces_have_to_arrive_in_whatever_order_they_are_told_of(data):
    story = [
        piece("label_created", 0, None, 3),
        piece("in_transit", 1, "A", 3),
        piece("in_transit", 1, "B", 3),
        piece("delivered", 5, "A", 3),
        piece("delivered", 6, "B", 3),
    ]
    third = [piece("in_transit", 3, "C", 3), piece("delivered", 7, "C", 3)]
    assert fold(entries(*data.draw(st.permutations(story))))[0].milestone is Milestone.PARTIALLY_DELIVERED
    told_twice = [*story, *third, *data.draw(st.lists(st.sampled_from(story)))]
    assert fold(entries(*data.draw(st.permutations(told_twice))))[0].milestone is Milestone.DELIVERED


@pytest.mark.requirement("M15")
@pytest.mark.parametrize(
    "story",
    [
        [piece("delivered", 5, "A"), piece("delivered", 6, "B")],
        [piece("in_transit", 1, None, 3), piece("delivered", 5, None, 3)],
        [piece("in_transit", 1, "A", 3), piece("delivered", 5, None, 3)],
        [piece("delivered", 5, "A", 3), piece("delivered", 6, "B", 2)],
    ],
    ids=["no count", "no piece told apart", "delivered is told of all", "the count was mended"],
)
def test_a_count_never_holds_back_what_is_told_of_the_whole(story):
    assert fold(entries(*story))[0].milestone is Milestone.DELIVERED


@pytest.mark.requirement("M15")
def test_a_piece_nobody_heard_of_is_waited_for():
    assert fold(entries(piece("delivered", 5, "A", 2)))[0].milestone is Milestone.PARTIALLY_DELIVERED
    assert fold(entries(piece("returned", 5, "A", 2)))[0].milestone is Milestone.RETURN_IN_TRANSIT
