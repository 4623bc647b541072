"""The policy table and what is decided from it."""

import pytest

from shipments.delivery import Delivery
from shipments.effects import Kind
from shipments.errors import SetupFault
from shipments.fold import fold
from shipments.milestone import ExceptionCategory, Milestone
from shipments.rules.decide import decide_delivery, decide_timeline
from shipments.rules.policy import load_policy
from tests.shipments.telling import START, entries, told
from workers.resources import SHIPPED_POLICY

POLICY = load_policy(SHIPPED_POLICY)
DELIVERY = Delivery(7, "WH/OUT/00007", ("T1",), 3, "S00003", 1, START, START, 2)


@pytest.mark.requirement("M26", "M28", "M100")
def test_the_shipped_policy_has_a_rule_with_an_owner_for_every_milestone_and_category():
    assert set(POLICY.milestones) == set(Milestone)
    assert set(POLICY.exceptions) == set(ExceptionCategory)
    assert all(rule.owner for rule in [*POLICY.milestones.values(), *POLICY.exceptions.values()])


def test_every_fault_of_the_table_is_named_with_its_line(tmp_path):
    lines = SHIPPED_POLICY.read_text().splitlines()
    place = lines.index("[milestone.delivered]")
    lines[place + 2] = 'odoo = "yes"'
    lines += ["[milestone.teleported]", 'owner = "nobody"', "odoo = true", "[colors]"]
    path = tmp_path / "policy.toml"
    path.write_text("\n".join(lines))
    with pytest.raises(SetupFault) as fault:
        load_policy(path)
    told_faults = "\n".join(fault.value.faults)
    assert f"policy.toml:{place + 3}: odoo must be true or false" in told_faults
    assert "'teleported' is no milestone" in told_faults
    assert "'colors' is no part of the policy" in told_faults


def test_a_missing_rule_is_a_fault(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(SHIPPED_POLICY.read_text().replace("[milestone.delivered]", "[milestone.lost_and_found]"))
    with pytest.raises(SetupFault, match=r"\[milestone.delivered\] is missing"):
        load_policy(path)


@pytest.mark.requirement("M57", "M58")
def test_milestones_the_policy_keeps_back_are_no_rows_of_the_timeline():
    story = entries(told("in_transit", 1), told("info_received", 2), told("delivered", 3, is_test=True))
    rows = decide_timeline(7, story, POLICY)
    assert [row.payload["milestone"] for row in rows] == ["in_transit"]


@pytest.mark.requirement("M17", "M19")
def test_trouble_becomes_one_activity_that_is_closed_when_the_parcel_moves_on():
    (troubled,) = fold(entries(told("exception", 1, "customs_hold", description="Duty unpaid")))
    (activity,) = [e for e in decide_delivery(DELIVERY, troubled, POLICY) if e.kind is Kind.ACTIVITY]
    assert activity.payload["open"] is True
    assert "Duty unpaid" in activity.payload["note"]
    assert activity.payload["due"] == "2026-03-02"
    (solved,) = fold(entries(told("exception", 1, "customs_hold", description="Duty unpaid"), told("in_transit", 9)))
    (closed,) = [e for e in decide_delivery(DELIVERY, solved, POLICY) if e.kind is Kind.ACTIVITY]
    assert closed.key == activity.key
    assert closed.payload["open"] is False


def test_trouble_that_the_policy_makes_no_task_shows_and_makes_none():
    (late,) = fold(entries(told("delayed", 1, "carrier_delay")))
    effects = decide_delivery(DELIVERY, late, POLICY)
    assert [e.kind for e in effects] == [Kind.DELIVERY]
    assert effects[0].payload["exception_category"] == "carrier_delay"


def test_deciding_the_same_twice_gives_the_same_effects():
    (standing,) = fold(entries(told("exception", 1, "damaged")))
    assert decide_delivery(DELIVERY, standing, POLICY) == decide_delivery(DELIVERY, standing, POLICY)
