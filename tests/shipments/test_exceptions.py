"""Trouble: who resolves it and by when, which task it becomes, and that one stretch of it is one task."""

import random
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shipments.delivery import Delivery
from shipments.effects import Effect, Kind
from shipments.errors import SetupFault
from shipments.fold import fold, roll_up
from shipments.milestone import ExceptionCategory
from shipments.rules.decide import decide_delivery, decide_order
from shipments.rules.exceptions import Severity, Task, withdraw_tasks
from shipments.rules.policy import Policy, load_policy
from tests.shipments.telling import START, entries, told
from workers.resources import SHIPPED_POLICY

POLICY = load_policy(SHIPPED_POLICY)
DELIVERY = Delivery(7, "WH/OUT/00007", ("T1",), 3, "S00003", 1, START, START, 2)
CUSTOMS = ExceptionCategory.CUSTOMS_HOLD


def written(tmp_path, *changes: tuple[str, str]) -> Policy:
    """The shipped policy with some lines changed."""
    source = SHIPPED_POLICY.read_text()
    for before, after in changes:
        assert before in source
        source = source.replace(before, after, 1)
    path = tmp_path / "policy.toml"
    path.write_text(source)
    return load_policy(path)


def tasks(policy: Policy, *events, delivery: Delivery = DELIVERY) -> list[Effect]:
    (standing,) = fold(entries(*events))
    return [e for e in decide_delivery(delivery, standing, policy) if e.kind is Kind.ACTIVITY]


# ---- the policy


@pytest.mark.requirement("M64", "M18")
def test_the_policy_says_who_gets_a_task_and_who_is_asked_next(tmp_path):
    policy = written(
        tmp_path,
        ("[team]\n", '[team]\ncustoms = "kari@example.com"\nclaims = "claims@example.com"\n'),
        (
            '[exception.customs_hold]\nowner = "customs"\ntask = "activity"\n',
            '[exception.customs_hold]\nowner = "customs"\ntask = "project"\nassign_to = "customs"\n'
            'escalate_to = "boss@example.com"\n',
        ),
    )
    rule = policy.exceptions[CUSTOMS]
    assert (rule.task, rule.login, rule.escalate_login) == (Task.PROJECT, "kari@example.com", "boss@example.com")
    assert rule.escalate_after == timedelta(hours=24)
    assert policy.exceptions[ExceptionCategory.DAMAGED].login is None
    assert policy.exceptions[ExceptionCategory.DAMAGED].team_login == "claims@example.com"
    assert policy.wants_project
    assert policy.logins() == {"kari@example.com", "claims@example.com", "boss@example.com"}
    assert policy.project == "Shipment exceptions"


def test_a_policy_from_before_with_true_and_false_means_what_it_meant(tmp_path):
    source = SHIPPED_POLICY.read_text().replace('task = "activity"', "task = true").replace('"none"\nsev', "false\nsev")
    lines = [line for line in source.splitlines() if not line.startswith(("severity", "escalate", "project ="))]
    path = tmp_path / "policy.toml"
    path.write_text("\n".join(line for line in lines if line not in ("[tasks]", "[team]")))
    policy = load_policy(path)
    assert policy.exceptions[CUSTOMS].task is Task.ACTIVITY
    assert policy.exceptions[ExceptionCategory.WEATHER].task is Task.NONE
    assert policy.exceptions[CUSTOMS].severity is Severity.MEDIUM
    assert policy.exceptions[CUSTOMS].escalate_after is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('task = "email"', "task must be"),
        ("task = 1", "task must be"),
        ('task = "activity"\nseverity = "awful"', "severity must be one of low, medium, high, critical"),
        ('task = "activity"\nassign_to = "claims"', "the team 'claims' has no user"),
        ('task = "activity"\nescalate_to = 7', "escalate_to must be a text"),
        ('task = "activity"\nescalate_to = "responsible"', "the responsible had it already"),
        ('task = "activity"\nescalate_after_hours = -1', "escalate_after_hours must be a whole number"),
        ('task = "activity"\nescalate_after_hours = true', "escalate_after_hours must be a whole number"),
    ],
)
def test_what_is_wrong_with_a_task_is_named_with_its_line(tmp_path, line, sentence):
    section = (
        f"[exception.customs_hold]\nowner = 'customs'\n{line}\nresolve_within_hours = 24\nsummary = '-'\nadvice = '-'\n"
    )
    source = re.sub(r"\[exception\.customs_hold\]\n(?:\w.*\n)+", lambda _: section, SHIPPED_POLICY.read_text())
    path = tmp_path / "policy.toml"
    path.write_text(source)
    with pytest.raises(SetupFault) as fault:
        load_policy(path)
    [named] = fault.value.faults
    place = source[: source.index(line.splitlines()[-1])].count("\n") + 1
    assert named.startswith(f"policy.toml:{place}: ")
    assert sentence in named


def test_a_team_without_a_login_and_a_strange_table_are_faults(tmp_path):
    with pytest.raises(SetupFault, match=r"\[team\] must name a login"):
        written(tmp_path, ("[team]\n", "[team]\nclaims = 7\n"))
    with pytest.raises(SetupFault, match=r"\[tasks\] may name the project"):
        written(tmp_path, ("[tasks]\n", "[tasks]\ncolor = 7\n"))


# ---- what a delivery shows


@pytest.mark.requirement("M17")
def test_a_delivery_in_trouble_says_how_bad_it_is_whose_it_is_and_by_when():
    (standing,) = fold(entries(told("exception", 1, "customs_hold"), told("exception", 5, "customs_hold")))
    state = decide_delivery(DELIVERY, standing, POLICY)[0].payload
    assert state["exception_severity"] == "high"
    assert state["exception_owner"] == "customs"
    assert state["exception_since"] == "2026-03-01T09:00:00+00:00", "not the later report of the same trouble"
    assert state["exception_due"] == "2026-03-02T09:00:00+00:00"
    assert decide_order(3, standing, POLICY).payload["exception_due"] == state["exception_due"]


@pytest.mark.requirement("M17")
def test_a_delivery_out_of_trouble_says_none_of_it():
    (standing,) = fold(entries(told("exception", 1, "customs_hold"), told("customs_released", 5)))
    state = decide_delivery(DELIVERY, standing, POLICY)[0].payload
    names = ("exception_severity", "exception_owner", "exception_since", "exception_due")
    assert [state[name] for name in names] == [None] * 4


@pytest.mark.requirement("M17", "X1")
def test_of_two_parcels_in_the_same_trouble_the_clock_of_the_longer_one_counts():
    (one,) = fold(entries(told("exception", 1, "damaged", tracking_number="A")))
    (other,) = fold(entries(told("exception", 9, "damaged", tracking_number="B")))
    for both in ([one, other], [other, one]):
        state = decide_delivery(DELIVERY, roll_up(both, 2), POLICY)[0].payload
        assert state["exception_due"] == "2026-03-02T09:00:00+00:00"


# ---- tasks


@pytest.mark.requirement("M18", "M19", "M21")
def test_a_task_says_what_to_do_by_when_for_whom_and_when_it_moves_on():
    [task] = tasks(POLICY, told("exception", 1, "customs_hold", description="Duty unpaid"))
    assert task.payload["note"] == (
        "Ask the carrier or broker what customs needs. The carrier says: Duty unpaid. Owner: customs."
    )
    assert (task.payload["due"], task.payload["user_id"], task.payload["login"]) == ("2026-03-02", 2, None)
    assert task.payload["escalate_at"] == "2026-03-03T09:00:00+00:00"


@pytest.mark.requirement("M19")
def test_another_stretch_of_the_same_trouble_is_another_task():
    story = [told("exception", 1, "damaged"), told("in_transit", 2), told("exception", 3, "damaged")]
    first, second = tasks(POLICY, *story)
    assert first.key != second.key
    assert (first.payload["open"], second.payload["open"]) == (False, True)


@pytest.mark.requirement("M19")
def test_a_report_that_comes_late_and_is_of_the_same_trouble_makes_no_other_task():
    [before] = tasks(POLICY, told("exception", 3, "damaged"))
    [after] = tasks(POLICY, told("exception", 3, "damaged"), told("exception", 1, "damaged"))
    assert after.key == before.key


def test_what_is_told_of_all_pieces_is_one_task_until_all_have_moved_on():
    held = told("exception", 1, "customs_hold", piece_count=2)
    story = [told("in_transit", 0, piece="1"), told("in_transit", 0.5, piece="2"), held]
    [task] = tasks(POLICY, *story)
    [half] = tasks(POLICY, *story, told("customs_released", 2, piece="1"))
    [whole] = tasks(POLICY, *story, *(told("customs_released", 2 + n, piece=str(n)) for n in (1, 2)))
    assert task.key == half.key == whole.key
    assert [t.payload["open"] for t in (task, half, whole)] == [True, True, False]


def test_another_kind_of_task_has_another_key_and_none_has_no_task():
    project, nothing = (
        replace(POLICY, exceptions={**POLICY.exceptions, CUSTOMS: replace(POLICY.exceptions[CUSTOMS], task=task)})
        for task in (Task.PROJECT, Task.NONE)
    )
    story = told("exception", 1, "customs_hold")
    [as_activity], [as_project] = tasks(POLICY, story), tasks(project, story)
    assert as_project.key == f"{as_activity.key}:project"
    assert tasks(nothing, story) == []


def test_tasks_that_are_decided_no_more_are_closed_and_the_others_left_alone():
    kept, gone = (
        tasks(POLICY, told("exception", 1, "damaged", tracking_number="A")),
        tasks(POLICY, told("exception", 1, "damaged", tracking_number="B")),
    )
    assert withdraw_tasks([*kept, *gone], kept) == [structs.replace(gone[0], payload=gone[0].payload | {"open": False})]


@pytest.mark.requirement("M19", "M51")
@given(chance=st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same_tasks(chance: random.Random):
    story = [
        told(
            chance.choice(["exception", "in_transit", "out_for_delivery"]),
            hours,
            chance.choice([None, "damaged", "lost"]),
        )
        for hours in range(6)
    ]
    shuffled = [*story, *chance.choices(story, k=3)]
    chance.shuffle(shuffled)
    assert tasks(POLICY, *shuffled) == tasks(POLICY, *story)
