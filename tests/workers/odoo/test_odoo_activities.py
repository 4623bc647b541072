"""Tasks in Odoo: for the right person, moved on when they are overdue, and never against what a person did."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shipments.errors import OdooAway, SetupFault
from shipments.milestone import ExceptionCategory
from shipments.rules.exceptions import Task
from tests.fakes.odoo import FakeOdoo
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import Shop
from tests.workers.odoo.effects import task
from workers.odoo import activities, setup
from workers.odoo import check as checking
from workers.odoo.activities import write_activities
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import PICKING
from workers.odoo.project import PROJECT_TASK, TASK_PICKING
from workers.odoo.writes import DONE, Outcome, Work

BEFORE, AT, AFTER = (datetime(2026, 12, day, 9, tzinfo=UTC) for day in (1, 2, 3))
CUSTOMS = ExceptionCategory.CUSTOMS_HOLD
WANTS_PROJECT = replace(
    POLICY, exceptions={**POLICY.exceptions, CUSTOMS: replace(POLICY.exceptions[CUSTOMS], task=Task.PROJECT)}
)
KINDS = ["activity", "project"]


@pytest.fixture(autouse=True)
def only_where_there_are_project_tasks(request: pytest.FixtureRequest) -> None:
    """Those of an Odoo older than 17 are closed in another way, and get activities instead."""
    if "project" in request.node.name and "odoo" in request.fixturenames:
        odoo = request.getfixturevalue("odoo")
        if odoo.version < (17, 0):
            pytest.skip("project tasks want Odoo 17 or later")


@pytest.fixture
def tracked(odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> Odoo:
    """That Odoo, set up for both kinds of task."""
    monkeypatch.setattr(setup, "policy", lambda: WANTS_PROJECT)
    setup.apply(odoo)
    return odoo


@pytest.fixture
def person(odoo: Odoo) -> tuple[str, int]:
    """A user of Odoo: login and id."""
    login = f"{uuid4().hex}@example.com"
    [user] = odoo.call("res.users", "create", vals_list=[{"name": "Kari Example", "login": login}])
    stock = odoo.call("ir.model.data", "search_read", domain=[("name", "=", "group_stock_user")], fields=["res_id"])
    groups = "group_ids" if odoo.version >= (19, 0) else "groups_id"
    if stock and groups in odoo.field_names("res.users"):
        odoo.call("res.users", "write", [user], vals={groups: [(4, stock[0]["res_id"])]})
    return login, user


def trouble(picking: int, kind: str, problem: str | None = None, at: datetime = BEFORE, **changed: Any) -> Work:
    """A task that moves on at AT."""
    more = {
        "task": kind,
        "picking": f"WH/OUT/{picking:05d}",
        "severity": "critical",
        "due_at": "2026-12-01T17:00:00+00:00",
        "login": None,
        "team_login": None,
        "escalate_at": AT.isoformat(),
        "escalate_login": None,
    }
    work = task(picking, problem or uuid4().hex)
    return replace(work, at=at, payload=work.payload | more | changed)


def later(work: Work, **changed: Any) -> Work:
    """The same task after it went over, at AFTER."""
    return replace(work, sent=True, changed=True, at=AFTER, payload=work.payload | changed)


def shown(odoo: Odoo, picking: int, kind: str) -> list[dict[str, Any]]:
    """The open tasks of that kind about the delivery, in the same words for both kinds."""
    if kind == "activity":
        domain, fields = (
            [("res_model", "=", PICKING), ("res_id", "=", picking)],
            ["summary", "user_id", "date_deadline"],
        )
        rows = odoo.call("mail.activity", "search_read", domain=domain, fields=fields)
        return [
            {"id": r["id"], "title": r["summary"], "users": [r["user_id"][0]], "due": r["date_deadline"]} for r in rows
        ]
    domain = [(TASK_PICKING, "=", picking), ("state", "not in", ["1_done", "1_canceled"])]
    fields = ["name", "user_ids", "date_deadline", "priority", "description", "project_id"]
    rows = odoo.call(PROJECT_TASK, "search_read", domain=domain, fields=fields)
    return [{"id": r["id"], "title": r["name"], "users": r["user_ids"], "due": r["date_deadline"][:10]} for r in rows]


def close_by_hand(odoo: Odoo, kind: str, id_: int) -> None:
    if kind == "activity":
        odoo.call("mail.activity", "action_feedback", [id_], feedback="Done")
    else:
        odoo.call(PROJECT_TASK, "write", [id_], vals={"state": "1_done"})


def calls_of(odoo: Odoo, work: Work) -> tuple[int, Outcome]:
    before = odoo.calls
    [outcome] = write_activities(odoo, [work]).values()
    return odoo.calls - before, outcome


def away(*_: object) -> None:
    raise OdooAway("hung up")


# ---- opened


@pytest.mark.requirement("M18", "M19")
def test_a_project_task_names_the_delivery_links_to_it_and_says_what_to_do(tracked: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    work = trouble(picking, "project")
    for _ in range(2):
        assert write_activities(tracked, [work])[work.key].state == "done"
    domain, fields = [(TASK_PICKING, "=", picking)], ["name", "description", "project_id", "priority", "date_deadline"]
    [made] = tracked.call(PROJECT_TASK, "search_read", domain=domain, fields=fields)
    assert made["name"] == f"WH/OUT/{picking:05d}: Address issue"
    assert made["project_id"][1] == "Shipment exceptions"
    assert "&lt;number&gt; &amp; floor" in made["description"]
    assert f"res_id={picking}" in made["description"]
    assert (made["priority"], made["date_deadline"]) == ("1", "2026-12-01 17:00:00")


@pytest.mark.requirement("M18")
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_goes_to_whom_the_policy_names_else_to_the_responsible_else_to_the_team(
    tracked: Odoo, shop: Shop, person: tuple[str, int], kind: str
) -> None:
    login, user = person
    named, responsible, team, nobody = shop.deliver(4)
    write_activities(
        tracked,
        [
            trouble(named, kind, login=login, user_id=tracked.uid),
            trouble(responsible, kind, user_id=user, team_login="admin"),
            trouble(team, kind, team_login=login),
            trouble(nobody, kind, login=f"{uuid4().hex}@example.com"),
        ],
    )
    owners = [shown(tracked, picking, kind)[0]["users"] for picking in (named, responsible, team, nobody)]
    assert owners == [[user], [user], [user], [tracked.uid]]


# ---- moved on


@pytest.mark.requirement("M21")
@pytest.mark.parametrize("kind", KINDS)
def test_an_overdue_task_moves_on_once_and_its_title_and_deadline_say_so(
    tracked: Odoo, shop: Shop, person: tuple[str, int], kind: str
) -> None:
    login, user = person
    [picking] = shop.deliver(1)
    work = trouble(picking, kind, escalate_login=login)
    [outcome] = write_activities(tracked, [work]).values()
    assert outcome == replace(DONE, again_at=AT)
    assert shown(tracked, picking, kind)[0]["users"] == [tracked.uid]
    assert write_activities(tracked, [later(work)]) == {work.key: DONE}
    [moved] = shown(tracked, picking, kind)
    assert moved["title"].startswith("Escalated: ")
    assert (moved["users"], moved["due"]) == ([user], "2026-12-02")
    write_activities(tracked, [later(work)])
    assert shown(tracked, picking, kind) == [moved]


@pytest.mark.requirement("M21")
@pytest.mark.parametrize("kind", KINDS)
def test_without_anybody_to_move_on_to_a_task_stays_with_whom_it_is_and_says_so(
    tracked: Odoo, shop: Shop, person: tuple[str, int], kind: str
) -> None:
    [picking] = shop.deliver(1)
    work = trouble(picking, kind, login=person[0])
    write_activities(tracked, [work])
    write_activities(tracked, [later(work)])
    [moved] = shown(tracked, picking, kind)
    assert (moved["title"][:11], moved["users"]) == ("Escalated: ", [person[1]])


@pytest.mark.requirement("M21")
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_odoo_hears_of_when_it_is_overdue_is_opened_and_moved_on(
    tracked: Odoo, shop: Shop, person: tuple[str, int], kind: str
) -> None:
    [picking] = shop.deliver(1)
    work = trouble(picking, kind, at=AFTER, escalate_login=person[0])
    assert write_activities(tracked, [work]) == {work.key: DONE}
    [moved] = shown(tracked, picking, kind)
    assert (moved["title"][:11], moved["users"]) == ("Escalated: ", [person[1]])


@pytest.mark.requirement("M21", "M132")
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_moved_on_without_our_hearing_of_it_is_not_set_back_to_move_on_again(
    tracked: Odoo, shop: Shop, person: tuple[str, int], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [picking] = shop.deliver(1)
    work = trouble(picking, kind, at=AFTER, escalate_login=person[0])
    write_activities(tracked, [work])  # and the answer was lost
    moved = shown(tracked, picking, kind)
    with monkeypatch.context() as patch:
        patch.setattr(activities, "_escalate", away)
        with pytest.raises(OdooAway):
            write_activities(tracked, [work])
    assert shown(tracked, picking, kind) == moved
    assert write_activities(tracked, [work]) == {work.key: DONE}
    assert shown(tracked, picking, kind) == moved


@pytest.mark.requirement("M19", "M21")
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_closed_by_hand_is_neither_moved_on_nor_opened_again(tracked: Odoo, shop: Shop, kind: str) -> None:
    [picking] = shop.deliver(1)
    work = trouble(picking, kind)
    write_activities(tracked, [work])
    close_by_hand(tracked, kind, shown(tracked, picking, kind)[0]["id"])
    for again in (later(work), later(work), replace(later(work), at=BEFORE)):
        assert write_activities(tracked, [again])[work.key].state == "done"
        assert shown(tracked, picking, kind) == []
    assert "closed in Odoo before" in write_activities(tracked, [later(work)])[work.key].reason


@pytest.mark.requirement("M19", "M58")
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_is_open_and_in_time_costs_no_call(tracked: Odoo, shop: Shop, kind: str) -> None:
    [picking] = shop.deliver(1)
    work = trouble(picking, kind)
    write_activities(tracked, [work])
    write_activities(tracked, [replace(work, sent=True)])
    calls, outcome = calls_of(tracked, replace(work, sent=True))
    assert (calls, outcome) == (0, replace(DONE, again_at=AT))


@pytest.mark.requirement("M19")
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_moved_on_is_closed_when_the_parcel_moves_on(tracked: Odoo, shop: Shop, kind: str) -> None:
    first, second = shop.deliver(2)
    works = [trouble(first, kind), trouble(second, kind)]
    write_activities(tracked, works)
    write_activities(tracked, [later(work) for work in works])
    for _ in range(2):
        assert write_activities(tracked, [later(works[0], open=False)]) == {works[0].key: DONE}
    assert shown(tracked, first, kind) == []
    assert len(shown(tracked, second, kind)) == 1


@pytest.mark.requirement("M75")
def test_twenty_tasks_move_on_in_a_handful_of_calls(tracked: Odoo, shop: Shop, person: tuple[str, int]) -> None:
    works = [trouble(picking, "activity", escalate_login=person[0]) for picking in shop.deliver(20)]
    write_activities(tracked, works)
    calls = tracked.calls
    assert set(write_activities(tracked, [later(work) for work in works]).values()) == {DONE}
    assert tracked.calls - calls <= 4


# ---- the project


def test_before_setup_a_project_task_waits_with_what_to_do_and_goes_over_afterwards(
    odoo: Odoo, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.apply(odoo)
    for field in odoo.call("ir.model.fields", "search_read", domain=[("name", "=", TASK_PICKING)], fields=["id"]):
        odoo.call("ir.model.fields", "unlink", [field["id"]])
    odoo.forget_fields()
    [picking] = shop.deliver(1)
    work = trouble(picking, "project")
    [outcome] = write_activities(odoo, [work]).values()
    assert (outcome.state, outcome.sent) == ("later", False)
    assert "milepost odoo setup" in outcome.reason
    monkeypatch.setattr(setup, "policy", lambda: WANTS_PROJECT)
    setup.apply(odoo)
    assert write_activities(odoo, [work])[work.key].state == "done"


def test_setup_makes_the_project_once_and_says_so_before(odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "policy", lambda: WANTS_PROJECT)
    setup.apply(odoo)
    assert [change for change in (*setup.plan(odoo), *setup.apply(odoo)) if "project" in change.what] == []
    domain = [("name", "=", "Shipment exceptions")]
    assert len(odoo.call("project.project", "search_read", domain=domain, fields=["id"])) == 1


def test_without_projects_in_odoo_setup_says_what_to_do(fake: FakeOdoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "policy", lambda: WANTS_PROJECT)
    del fake.store.models[PROJECT_TASK]
    with pytest.raises(SetupFault, match="install Project"):
        setup.plan(connect(fake.settings()))


def test_before_odoo_17_every_task_is_an_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "policy", lambda: WANTS_PROJECT)
    with FakeOdoo(version=(16, 0)) as fake:
        odoo = connect(fake.settings())
        setup.apply(odoo)
        picking = fake.seed(1)[0]["picking_id"]
        write_activities(odoo, [trouble(picking, "project")])
        assert len(fake.records("mail.activity")) == 1
        assert fake.records(PROJECT_TASK) == []


def test_the_time_of_a_day_without_a_wake_up_changes_nothing_but_the_delay(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings())
    setup.apply(odoo)
    work = trouble(fake.seed(1)[0]["picking_id"], "activity")
    write_activities(odoo, [work])
    write_activities(odoo, [replace(later(work), at=AFTER + timedelta(days=1))])
    assert [row["date_deadline"] for row in fake.records("mail.activity")] == ["2026-12-02"]


def test_the_check_names_logins_of_the_policy_that_odoo_does_not_know_and_a_project_that_is_missing(
    fake: FakeOdoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = replace(WANTS_PROJECT.exceptions[CUSTOMS], login="admin", escalate_login="gone@example.com")
    policy = replace(WANTS_PROJECT, exceptions={**WANTS_PROJECT.exceptions, CUSTOMS: rule})
    monkeypatch.setattr(checking, "policy", lambda: policy)
    setup.apply(connect(fake.settings()))
    told = [finding.sentence for finding in checking.check(fake.settings())]
    assert any("does not know: gone@example.com;" in sentence for sentence in told)
    assert any("wants project tasks" in sentence for sentence in told)
    monkeypatch.setattr(setup, "policy", lambda: policy)
    setup.apply(connect(fake.settings()))
    told = [finding.sentence for finding in checking.check(fake.settings())]
    assert "Project tasks can be written." in told
