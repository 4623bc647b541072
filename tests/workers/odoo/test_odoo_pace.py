"""The pace of writing to Odoo: what slows it down, what stays quick, and that it comes back."""

import pytest

from shipments.effects import Kind
from workers.odoo.pace import GROWS_AFTER_SECONDS, HIGHEST_LEVEL, LONGEST_REST_SECONDS, Pace, p95


def noted(pace: Pace, seconds: float, times: int) -> Pace:
    for _ in range(times):
        pace.note(seconds)
    pace.adapt()
    return pace


@pytest.mark.requirement("M133")
def test_each_time_answers_are_slow_the_pace_halves_and_it_grows_back_when_they_are_quick() -> None:
    pace = Pace(5.0)
    levels = [noted(pace, 6.0, 5).level for _ in range(6)]
    assert levels == [1, 2, 3, HIGHEST_LEVEL, HIGHEST_LEVEL, HIGHEST_LEVEL]
    assert pace.most(Kind.DELIVERY, 300) == 300 // 16
    levels = [noted(pace, 0.1, 5).level for _ in range(6)]
    assert levels == [3, 2, 1, 0, 0, 0]
    assert pace.most(Kind.DELIVERY, 300) == 300


def test_it_neither_rises_nor_falls_where_answers_are_neither_slow_nor_quick() -> None:
    assert noted(Pace(5.0, level=2), 4.0, 20).level == 2
    assert noted(Pace(5.0, level=2), 0.1, 4).level == 2, "four answers are not enough"


def test_odoo_is_left_alone_until_it_was_busy_with_us_for_half_a_quarter_an_eighth_of_the_time() -> None:
    assert [Pace(5.0, level=level).rest_seconds(1.0) for level in range(4)] == [0, 1, 3, 7]
    assert Pace(5.0, level=4).rest_seconds(60.0) == LONGEST_REST_SECONDS


def test_ninety_five_of_a_hundred_answers_are_quicker_than_the_p95() -> None:
    assert p95([]) == 0
    assert p95([3.0]) == 3.0
    assert p95([*[1.0] * 95, *[9.0] * 5]) == 1.0
    assert p95([*[1.0] * 94, *[9.0] * 6]) == 9.0


@pytest.mark.requirement("M133")
def test_while_odoo_is_slow_what_a_person_acts_on_goes_each_time_and_the_rest_seldom() -> None:
    pace = Pace(5.0, level=1)
    assert pace.turn(Kind.TIMELINE, at=100)
    for kind in Kind:
        if kind is not Kind.DOCUMENT:
            pace.had_turn(kind, at=100)
    assert pace.turn(Kind.DELIVERY, at=101)
    assert pace.turn(Kind.ACTIVITY, at=101)
    assert pace.turn(Kind.DOCUMENT, at=101), "what had no turn is not put off by the others"
    assert not pace.turn(Kind.TIMELINE, at=119)
    assert pace.turn(Kind.TIMELINE, at=120)
    assert pace.turn(Kind.TIMELINE, at=99), (
        "a clock that was fast keeps nothing back until the right one has come so far"
    )
    pace.level = 0
    assert pace.turn(Kind.TIMELINE, at=101)


def test_the_kind_whose_turn_is_longest_ago_comes_first() -> None:
    pace = Pace(5.0)
    kinds = [Kind.ORDER, Kind.TIMELINE, Kind.BILLING]
    pace.had_turn(Kind.ORDER, at=7)
    pace.had_turn(Kind.BILLING, at=6)
    assert pace.in_turn(kinds) == [Kind.TIMELINE, Kind.BILLING, Kind.ORDER]


@pytest.mark.requirement("M85")
def test_a_batch_that_timed_out_is_remembered_at_half_its_size_and_grows_back_after_a_while() -> None:
    pace = Pace(5.0)
    pace.timed_out(Kind.DELIVERY, 300, at=0)
    assert pace.most(Kind.DELIVERY, 300) == 150
    pace.timed_out(Kind.DELIVERY, 150, at=0)
    assert pace.most(Kind.DELIVERY, 300) == 75
    assert pace.most(Kind.TIMELINE, 600) == 600, "another kind has its own size"
    pace.went_through(Kind.DELIVERY, 300, at=GROWS_AFTER_SECONDS - 1)
    assert pace.most(Kind.DELIVERY, 300) == 75
    pace.went_through(Kind.DELIVERY, 300, at=GROWS_AFTER_SECONDS)
    assert pace.most(Kind.DELIVERY, 300) == 150
    pace.went_through(Kind.DELIVERY, 300, at=2 * GROWS_AFTER_SECONDS)
    assert pace.rows == {}


def test_a_batch_is_never_halved_away() -> None:
    pace = Pace(5.0, level=HIGHEST_LEVEL)
    for _ in range(20):
        pace.timed_out(Kind.DELIVERY, pace.most(Kind.DELIVERY, 300))
    assert pace.most(Kind.DELIVERY, 300) == 10
