"""Two companies in one Odoo: each sees, is told of and bills its own parcels only, and so does Milepost's own user."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from config.settings import Settings
from shipments.clock import now
from shipments.errors import OdooRefused
from shipments.event import Event, Reference
from shipments.milestone import ExceptionCategory
from shipments.rules.exceptions import Task
from shipments.rules.finance import Finance
from tests.shipments.telling import told
from tests.workers.conftest import POLICY, understood
from tests.workers.odoo.conftest import Shop, one_of_each, real
from tests.workers.odoo.effects import event, state, task
from tests.workers.odoo.people import group_of, sign_in, sign_in_as_milepost
from tests.workers.odoo.test_odoo_billing import billing, invoices
from workers.correlate import Correlated, look_up_strangers, pull_changes
from workers.ingest import ingest_batch
from workers.odoo import setup
from workers.odoo.activities import write_activities
from workers.odoo.billing import write_billing
from workers.odoo.check import FAULT, check
from workers.odoo.client import Odoo
from workers.odoo.fields import EVENT, ORDER, PICKING
from workers.odoo.index import find_numbers
from workers.odoo.reconcile import Run, reconcile_page
from workers.odoo.references import find_named
from workers.odoo.writes import write_deliveries, write_orders, write_timeline

DAMAGED = POLICY.exceptions[ExceptionCategory.DAMAGED]
SECOND = "Second Company"


@dataclass
class Two:
    """Two companies, each with deliveries of its own. names: as Odoo has them."""

    north: Shop
    south: Shop
    names: list[str]


@pytest.fixture
def policy(two: Two) -> Any:
    """Draft invoices, and carriers' accounts that belong to one company each."""
    companies = {"TESTING__NORTH": two.north.company, "TESTING__SOUTH": two.south.company}
    return replace(POLICY, finance=Finance(invoice="draft"), companies=companies)


@pytest.fixture
def two(odoo: Odoo) -> Two:
    """The company of the administrator's, and a second one."""
    first = odoo.call("res.company", "search", domain=[("name", "!=", SECOND)], order="id", limit=1)
    second = odoo.call("res.company", "search", domain=[("name", "=", SECOND)])
    second = second or odoo.call("res.company", "create", vals_list=[{"name": SECOND}])
    if not odoo.call("stock.warehouse", "search", domain=[("company_id", "in", second)]):
        values = {"name": SECOND, "code": "SEC", "company_id": second[0]}
        odoo.call("stock.warehouse", "create", vals_list=[values])
    rows = odoo.call("res.company", "read", [*first, *second], fields=["name"])
    return Two(Shop(odoo, company=first[0]), Shop(odoo, company=second[0]), [row["name"] for row in rows])


@pytest.fixture
def tell(engine: Engine, policy: Any) -> Callable[..., None]:
    """Ingests what an account tells."""

    def tell(account: str, *events: Event) -> None:
        ingest_batch(engine, [understood(*events, account=account)], policy)

    return tell


def shown(odoo: Odoo, picking: int) -> dict[str, Any]:
    """All that people see of a parcel on a delivery and its order."""
    fields = ["x_milepost_milestone", "x_milepost_billable", "sale_id"]
    [row] = odoo.call(PICKING, "read", [picking], fields=fields)
    order = row["sale_id"][0]
    [above] = odoo.call(ORDER, "read", [order], fields=fields[:2])
    tasks = [("res_model", "=", PICKING), ("res_id", "=", picking)]
    return {
        "delivery": [row[name] for name in fields[:2]],
        "order": [above[name] for name in fields[:2]],
        "timeline": odoo.call(EVENT, "search_count", domain=[("x_picking_id", "=", picking)]),
        "tasks": odoo.call("mail.activity", "search_count", domain=tasks, context={"active_test": False}),
        "invoices": len(invoices(odoo, order)),
    }


NOTHING = {"delivery": [False] * 2, "order": [False] * 2, "timeline": 0, "tasks": 0, "invoices": 0}


@one_of_each
@pytest.mark.requirement("M145", "M5", "M10")
def test_a_parcel_of_one_companys_account_leaves_the_others_delivery_with_the_number_alone(
    ready: Odoo, two: Two, tell: Any, look: Any, act: Any
) -> None:
    number = two.north.number(1)
    [north], [south] = two.north.ship(number), two.south.ship(number)
    look(number)
    tell("north", told("damaged", 1, "damaged", tracking_number=number))
    act()
    assert shown(ready, south) == NOTHING
    tell("north", told("delivered", 2, tracking_number=number))
    act()
    there = {"delivery": ["delivered", True], "order": ["delivered", True], "timeline": 2, "tasks": 1, "invoices": 1}
    assert shown(ready, north) == there
    assert shown(ready, south) == NOTHING
    tell("south", told("in_transit", 1, tracking_number=number, carrier="another"))
    act()
    assert shown(ready, south)["delivery"] == ["in_transit", False]
    assert shown(ready, north) == there


@one_of_each
@pytest.mark.requirement("M145", "M46")
def test_a_reference_that_both_companies_use_means_the_order_of_the_accounts_own(
    engine: Engine, ready: Odoo, two: Two, policy: Any, tell: Any, look: Any, act: Any
) -> None:
    two.south.name = two.north.name  # the customer's reference for the order
    number = two.north.number(1)
    [north], [south] = two.north.deliver(1), two.south.deliver(1)
    reference = Reference("customer_reference", two.north.name)
    tell("south", told("in_transit", 1, tracking_number=number, references=(reference,)))
    look_up_strangers(engine, ready, policy, Correlated())
    act()
    assert [shown(ready, picking)["delivery"][0] for picking in (north, south)] == [False, "in_transit"]
    ready.call(PICKING, "write", [north], vals={"carrier_tracking_ref": number})
    look(number)
    act()
    assert [shown(ready, picking)["delivery"][0] for picking in (north, south)] == [False, "in_transit"]


@one_of_each
@pytest.mark.requirement("M145", "M46")
def test_a_number_that_the_other_company_carries_is_looked_up_by_reference_all_the_same(
    engine: Engine, ready: Odoo, two: Two, policy: Any, tell: Any, look: Any, act: Any
) -> None:
    number = two.north.number(1)
    [north], [south] = two.north.ship(number), two.south.deliver(1)
    reference = Reference("customer_reference", two.south.name)
    tell("south", told("in_transit", 1, tracking_number=number, references=(reference,)))
    look_up_strangers(engine, ready, policy, Correlated())
    act()
    assert [shown(ready, picking)["delivery"][0] for picking in (north, south)] == [False, "in_transit"]


@one_of_each
@pytest.mark.requirement("M145", "M137")
def test_reconcile_mends_each_companys_delivery_by_its_own_parcel(
    engine: Engine, ready: Odoo, two: Two, policy: Any, tell: Any, look: Any, act: Any
) -> None:
    number, since = two.north.number(1), now() - timedelta(seconds=1)
    [north], [south] = two.north.ship(number), two.south.ship(number)
    look(number)
    tell("north", told("in_transit", 1, tracking_number=number))
    act()
    ready.call(PICKING, "write", [north], vals={"x_milepost_milestone": "lost", "x_milepost_sent": False})

    def reconcile() -> dict[str, int]:
        run = Run.begin(now(), repair=True, since=since)
        reconcile_page(engine, ready, policy, run)
        act()
        return run.drift

    assert reconcile()["state"] == 1
    assert shown(ready, north)["delivery"][0] == "in_transit"
    assert shown(ready, south) == NOTHING
    assert reconcile() == {}


# ---- who sees what, in a real Odoo


@real
@pytest.mark.requirement("M145", "M93")
@pytest.mark.parametrize("group", ["stock.group_stock_user", "sales_team.group_sale_salesman_all_leads"])
def test_people_read_the_timelines_of_their_own_companies_only(
    ready: Odoo, settings: Settings, two: Two, group: str
) -> None:
    [north], [south] = two.north.deliver(1), two.south.deliver(1)
    write_timeline(ready, [event(picking, uuid4().hex) for picking in (north, south)])
    rights = {"group_ids": [(4, group_of(ready, group))], "company_id": two.north.company}
    companies = [two.north.company, two.south.company]
    both, one = (
        sign_in(ready, settings, f"{uuid4().hex}@example.com", company_ids=[(6, 0, ids)], **rights)
        for ids in (companies, companies[:1])
    )

    def sees(person: Odoo) -> set[int]:
        rows = person.call(
            EVENT, "search_read", domain=[("x_picking_id", "in", [north, south])], fields=["x_picking_id"]
        )
        return {row["x_picking_id"][0] for row in rows}

    assert sees(both) == {north, south}
    assert sees(one) == {north}
    [hidden] = ready.call(EVENT, "search", domain=[("x_picking_id", "=", south)])
    with pytest.raises(OdooRefused):
        one.call(EVENT, "read", [hidden], fields=["x_location"])


@real
@pytest.mark.requirement("M145", "M18")
def test_a_project_task_is_seen_in_the_company_of_its_delivery(
    odoo: Odoo, settings: Settings, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = replace(DAMAGED, task=Task.PROJECT)
    wanted = replace(POLICY, exceptions={**POLICY.exceptions, ExceptionCategory.DAMAGED: rule})
    monkeypatch.setattr(setup, "policy", lambda: wanted)
    setup.apply(odoo)
    bot = sign_in_as_milepost(odoo, settings)
    pickings = {shop.deliver(1)[0]: shop.company for shop in (two.north, two.south)}
    more = {"task": "project", "picking": "WH/OUT/00001", "severity": "high", "due_at": "2026-12-01T00:00:00+00:00"}
    works = [task(picking, uuid4().hex, company_id=company) for picking, company in pickings.items()]
    outcomes = write_activities(bot, [replace(work, payload={**work.payload, **more}) for work in works])
    assert {outcome.state for outcome in outcomes.values()} == {"done"}
    rights = {"group_ids": [(4, group_of(odoo, "project.group_project_user"))], "company_id": two.north.company}
    person = sign_in(odoo, settings, f"{uuid4().hex}@example.com", company_ids=[(6, 0, [two.north.company])], **rights)
    domain = [("x_milepost_picking_id", "in", list(pickings))]
    assert odoo.call("project.task", "search_count", domain=domain) == 2
    [seen] = person.call("project.task", "search_read", domain=domain, fields=["company_id"])
    assert seen["company_id"][0] == two.north.company


@real
@pytest.mark.requirement("M145", "M93")
def test_milepost_itself_neither_reads_nor_writes_in_a_company_it_is_not_allowed_in_and_says_so(
    engine: Engine, ready: Odoo, settings: Settings, two: Two
) -> None:
    number = two.north.number(1)
    since = now() - timedelta(seconds=1)
    [north], [south] = two.north.ship(number), two.south.ship(number)
    order = two.south.order_of(south)
    bot = sign_in_as_milepost(ready, settings, two.names[0])
    assert [delivery.picking_id for delivery in find_numbers(bot, [number])] == [north]
    assert find_named(bot, [two.south.name]).deliveries == []
    pull_changes(engine, bot, POLICY, Correlated())
    with engine.connect() as connection:
        pulled = connection.execute(text("select company_id, id from shipments")).all()
    assert (two.north.company, north) in pulled
    assert {company for company, _ in pulled} == {two.north.company}
    for outcomes in (
        write_deliveries(bot, [state(south)]),
        write_orders(bot, [state(order)]),
        write_timeline(bot, [event(south, uuid4().hex)]),
        write_billing(bot, [billing(south)]),
        write_activities(bot, [task(south, uuid4().hex)]),
    ):
        [outcome] = outcomes.values()
        assert outcome.state == "parked"
        assert "company" in outcome.reason, outcome.reason
    assert shown(ready, south) == NOTHING
    run = Run.begin(now(), repair=False, since=since)
    reconcile_page(engine, bot, POLICY, run)
    assert (run.hidden, run.drift) == (0, {})


@real
@pytest.mark.requirement("M145", "M137")
def test_deliveries_of_a_company_that_milepost_was_taken_out_of_are_left_as_they_are(
    engine: Engine, ready: Odoo, settings: Settings, two: Two, policy: Any, tell: Any, look: Any, act: Any
) -> None:
    number, since = two.south.number(1), now() - timedelta(seconds=1)
    [south] = two.south.ship(number)
    look(number)
    tell("south", told("in_transit", 1, tracking_number=number))
    act()
    bot = sign_in_as_milepost(ready, settings, two.names[0])
    run = Run.begin(now(), repair=True, since=since)
    reconcile_page(engine, bot, policy, run)
    assert (run.hidden, run.drift) == (1, {})
    assert shown(ready, south)["delivery"][0] == "in_transit"


@real
@pytest.mark.requirement("M145", "M93")
def test_the_check_names_the_companies_and_an_account_whose_company_is_not_among_them(
    ready: Odoo, settings: Settings, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = sign_in_as_milepost(ready, settings, two.names[0])
    monkeypatch.setattr("workers.odoo.check.connect", lambda _: bot)
    companies = {"TESTING__NORTH": two.north.company, "TESTING__SOUTH": two.south.company}
    findings = check(replace(settings, carrier_companies=companies))
    assert any(f"is allowed in {two.names[0]}, and neither" in finding.sentence for finding in findings)
    [fault] = [finding.sentence for finding in findings if finding.level == FAULT]
    assert fault.startswith(f"CARRIER_TESTING__SOUTH_COMPANY is {two.south.company},")
