"""Which deliveries speak for a number, which numbers are one parcel, and what of a journey is a return's."""

from datetime import timedelta
from itertools import permutations

import pytest

from shipments.claims import Claim, stand_aside
from shipments.correlation import comparable
from shipments.fold import Standing, fold
from shipments.parcels import Carried, stand_together
from shipments.return_leg import after_turn, as_return
from tests.shipments.telling import START, entries, stored, told


def claim(id_: int, leaves: bool = True, stage: str = "done", days: int = 0, **more: object) -> Claim:
    return Claim(id_, leaves, stage, START + timedelta(days=days), **more)  # type: ignore[arg-type]


OUT, PICK, PACK = claim(1), claim(2, leaves=False), claim(3, leaves=False)
BACKORDER = claim(4, stage="assigned", backorder_of=1)
SECOND_BACKORDER = claim(5, stage="assigned", backorder_of=4)
BACK = claim(6, leaves=False, is_return=True)


@pytest.mark.requirement("M47", "M48")
@pytest.mark.parametrize(
    ("claims", "aside"),
    [
        pytest.param([OUT], set(), id="one alone"),
        pytest.param([PICK], set(), id="a transfer alone"),
        pytest.param([PICK, PACK], set(), id="two transfers"),
        pytest.param([OUT, PICK, PACK], {2, 3}, id="steps stand aside"),
        pytest.param([OUT, claim(7)], set(), id="one parcel with two deliveries"),
        pytest.param([OUT, BACKORDER, SECOND_BACKORDER], {4, 5}, id="backorders that wait"),
        pytest.param([OUT, claim(4, backorder_of=1)], set(), id="a backorder that has shipped"),
        pytest.param([claim(1, stage="assigned"), BACKORDER], set(), id="nothing has shipped"),
        pytest.param([OUT, claim(8, stage="cancel")], {8}, id="a canceled one"),
        pytest.param([claim(8, stage="cancel")], set(), id="a canceled one alone"),
        pytest.param([OUT, claim(2, leaves=False, days=90)], set(), id="a number used again"),
        pytest.param([OUT, BACK], set(), id="a return stands beside"),
        pytest.param([PICK, BACK], set(), id="a return sets nobody aside"),
    ],
)
def test_of_the_deliveries_with_a_number_some_stand_aside_in_whatever_order_they_are_told_of(
    claims: list[Claim], aside: set[int]
) -> None:
    for order in permutations(claims):
        assert set(stand_aside(order)) == aside


def standing(*events: object) -> Standing:
    [found] = fold(entries(*events))  # type: ignore[arg-type]
    return found


MOVING = standing(told("in_transit", 1))
ARRIVED = standing(told("in_transit", 1), told("delivered", 9))


@pytest.mark.requirement("M15", "X1")
def test_what_is_told_of_a_consignment_is_told_of_each_of_its_packages() -> None:
    packages = {"P1": Carried("P1", is_package=True), "P2": Carried("P2", is_package=True)}
    carried = packages | {"M": Carried("M")}
    assert stand_together(carried, {"P1": None, "P2": None, "M": None}) is None
    for first, second, master, milestone in (
        (ARRIVED, None, None, "partially_delivered"),
        (ARRIVED, ARRIVED, None, "delivered"),
        (ARRIVED, None, ARRIVED, "delivered"),
        (ARRIVED, MOVING, MOVING, "partially_delivered"),
        (None, None, MOVING, "in_transit"),
    ):
        together = stand_together(carried, {"P1": first, "P2": second, "M": master})
        assert together is not None
        assert together.milestone == milestone


@pytest.mark.requirement("M15")
def test_of_several_other_numbers_beside_packages_none_is_the_consignments() -> None:
    carried = {"A": Carried("A"), "B": Carried("B"), "P": Carried("P", is_package=True)}
    together = stand_together(carried, {"A": ARRIVED, "B": MOVING, "P": ARRIVED})
    assert together is not None
    assert together.milestone == "partially_delivered"


@pytest.mark.requirement("M49", "M80")
def test_only_what_came_after_the_turn_is_a_returns() -> None:
    assert after_turn(ARRIVED) is None
    back = standing(
        told("exception", 2, "address_issue"), told("return_in_transit", 5, "return_to_sender"), told("delivered", 9)
    )
    part = after_turn(back)
    assert part is not None
    assert part.milestone == "returned"
    assert part.started_at == START + timedelta(hours=5)
    assert [problem.category for problem in part.problems] == ["return_to_sender"]


@pytest.mark.requirement("X16")
def test_all_of_a_journey_under_the_returns_own_number_is_the_way_back() -> None:
    assert as_return(MOVING).milestone == "return_in_transit"
    assert as_return(ARRIVED).milestone == "returned"
    assert as_return(ARRIVED).hand_over is None, "nothing to bill"
    assert as_return(standing(told("label_created", 1))).milestone == "label_created"
    assert as_return(as_return(ARRIVED)) == as_return(ARRIVED)


def test_where_a_parcel_turned_is_stored_and_read_again() -> None:
    back = standing(told("in_transit", 1), told("return_in_transit", 5))
    assert back.turned_at == START + timedelta(hours=5)
    assert Standing.from_dict(stored(back)) == back
    assert "turned_at" not in stored(ARRIVED)


@pytest.mark.requirement("M46")
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1z 999 aa1-01 2345 6784", "1Z999AA10123456784"),
        ("(00) 3 4043416 109401590 2", "340434161094015902"),
        ("00340434161094015902", "340434161094015902"),
        ("00340434161094015903", "00340434161094015903"),  # not its check digit
        ("420100019400100000000000000006", "9400100000000000000006"),
        ("\uff11\uff12\uff13\uff14", "1234"),  # digits of full width
    ],
)
def test_a_number_is_compared_without_what_a_scanner_or_a_person_adds(written: str, number: str) -> None:
    assert comparable(written) == number
    assert comparable(number) == number
