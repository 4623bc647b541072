"""What the user that setup makes may do in a real Odoo: all that the policy asks for, and nothing else."""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from config.settings import Settings
from shipments.errors import OdooRefused
from shipments.milestone import ExceptionCategory
from shipments.rules.commitment import Commitment
from shipments.rules.exceptions import Task
from shipments.rules.finance import Finance
from shipments.rules.policy import Policy
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import Shop, real
from tests.workers.odoo.effects import event, state, task
from tests.workers.odoo.people import group_of, sign_in, sign_in_as_milepost
from tests.workers.odoo.test_odoo_billing import EXPECTED, SIGNED, billing, invoices, read
from workers.odoo import setup
from workers.odoo.activities import write_activities
from workers.odoo.billing import write_billing, write_invoices
from workers.odoo.check import FAULT, WARNING, check
from workers.odoo.client import Odoo
from workers.odoo.commitments import write_commitments
from workers.odoo.documents import write_documents
from workers.odoo.fields import ORDER, PICKING
from workers.odoo.index import find_numbers
from workers.odoo.packages import find_packages
from workers.odoo.references import find_named
from workers.odoo.user import apply_user
from workers.odoo.writes import Outcome, Work, write_deliveries, write_orders, write_timeline

pytestmark = real

CUSTOMS = POLICY.exceptions[ExceptionCategory.CUSTOMS_HOLD]
DRAFTS = replace(POLICY, finance=Finance(invoice="draft"))
PROMISES = replace(POLICY, commitment=Commitment(move_promise=True))
PROJECT = replace(
    POLICY, exceptions={**POLICY.exceptions, ExceptionCategory.CUSTOMS_HOLD: replace(CUSTOMS, task=Task.PROJECT)}
)
EVERYTHING = replace(PROJECT, finance=DRAFTS.finance, commitment=PROMISES.commitment)

READ, WRITE, CREATE = "read", "write", "create"
ALWAYS = {
    "stock.picking": {READ, WRITE},
    "sale.order": {READ, WRITE},
    "x_milepost_event": {READ, WRITE, CREATE},
    "mail.activity": {READ, WRITE, CREATE},
    "ir.attachment": {READ, WRITE, CREATE},
    "mail.activity.type": {READ},
    "mail.message.subtype": {READ},
    "mail.message": {READ, CREATE},
    "mail.alias.domain": {READ},
    "res.partner": {READ},
    "stock.move.line": {READ},
    "stock.package": {READ},
    "res.users": {READ},
    "res.users.apikeys": {READ},
    "res.company": {READ},
}
FOR_DRAFTS = {
    "sale.advance.payment.inv": {READ, WRITE, CREATE},
    "sale.order.line": {READ},
    "account.move.line": {READ},
    "account.tax": {READ},
    "product.product": {READ},
    "product.template": {READ},
}
FOR_PROMISES = {
    "sale.order.line": {READ},
    "stock.move": {READ, WRITE},
    "stock.location": {READ},
}
FOR_PROJECT = {
    "project.task": {READ, WRITE, CREATE},
    "project.project": {READ},
    "project.task.type": {READ},
    "project.tags": {READ},
}


@pytest.fixture
def set_up(odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets that Odoo up by a policy."""

    def set_up(policy: Policy) -> None:
        monkeypatch.setattr(setup, "policy", lambda: policy)
        setup.apply(odoo)

    return set_up


def is_done(outcomes: dict[str, Outcome]) -> bool:
    return {outcome.state for outcome in outcomes.values()} == {"done"}


# ---- all that is asked for


@pytest.mark.requirement("M93", "M10")
def test_the_user_that_setup_makes_does_all_that_any_policy_asks_for(
    odoo: Odoo, settings: Settings, shop: Shop, set_up: Any
) -> None:
    set_up(EVERYTHING)
    bot = sign_in_as_milepost(odoo, settings)
    [picking] = shop.ship(shop.number(1))
    order = shop.order_of(picking)
    odoo.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-01 09:00:00"})
    proof = {"refused": None, "digest": uuid4().hex, "picking_id": picking, "name": "proof.txt"}
    proof |= {"mimetype": "text/plain", "content": b64encode(b"signed").decode()}
    for outcomes in (
        write_deliveries(bot, [state(picking)]),
        write_orders(bot, [state(order)]),
        *(write_timeline(bot, [event(picking, "0" * 32)]) for _ in range(2)),
        *(write_documents(bot, [Work("document", picking, proof, sent=False)]) for _ in range(2)),
        write_billing(bot, [billing(picking), billing(order, "order")]),
        write_billing(bot, [replace(billing(picking, billable=False, check="Look."), changed=True)]),
        write_invoices(bot, [Work("invoice", order, {"delivered_at": SIGNED["delivered_at"]}, sent=False)]),
        *(write_commitments(bot, [Work("commitment", order, EXPECTED, sent=False)]) for _ in range(2)),
    ):
        assert is_done(outcomes), outcomes
    assert [invoice["state"] for invoice in invoices(odoo, order)] == ["draft"]
    assert read(odoo, ORDER, order, "commitment_date")["commitment_date"] == "2026-12-10 09:00:00"
    notes = [("model", "=", ORDER), ("res_id", "=", order), ("body", "ilike", "Milepost moved")]
    assert odoo.call("mail.message", "search_count", domain=notes) == 1
    assert [delivery.picking_id for delivery in find_numbers(bot, [shop.number(1)])] == [picking]
    assert [delivery.picking_id for delivery in find_named(bot, [shop.name]).deliveries] == [picking]
    assert find_packages(bot, [shop.number(1)]) == []


@pytest.mark.requirement("M93", "M18", "M19", "M21")
@pytest.mark.parametrize("kind", ["activity", "project"])
def test_the_user_that_setup_makes_opens_moves_on_and_closes_tasks_of_both_kinds(
    odoo: Odoo, settings: Settings, shop: Shop, set_up: Any, kind: str
) -> None:
    set_up(EVERYTHING)
    bot = sign_in_as_milepost(odoo, settings)
    [picking] = shop.ship(shop.number(1))
    sent = {"task": kind, "picking": "WH/OUT/00001", "severity": "high", "due_at": "2026-12-01T00:00:00+00:00"}
    problem, at = uuid4().hex, datetime(2026, 12, 3, tzinfo=UTC)

    def work(**changed: Any) -> Work:
        made = task(picking, problem, **{name: changed.pop(name) for name in ("open", "sent") if name in changed})
        return replace(made, payload={**made.payload, **sent, **changed}, at=at)

    assert is_done(write_activities(bot, [work()]))
    [(title, user)] = open_tasks(odoo, kind, picking)
    assert user == bot.uid
    late = {"escalate_at": "2026-12-02T00:00:00+00:00", "escalate_login": settings.odoo_login, "sent": True}
    assert is_done(write_activities(bot, [work(**late)]))
    assert open_tasks(odoo, kind, picking) == [(f"Escalated: {title}", odoo.uid)]
    assert is_done(write_activities(bot, [work(open=False, sent=True)]))
    assert open_tasks(odoo, kind, picking) == []


def open_tasks(odoo: Odoo, kind: str, picking: int) -> list[tuple[str, int]]:
    """Title and user of each."""
    if kind == "project":
        domain: list[Any] = [("x_milepost_picking_id", "=", picking), ("state", "not in", ["1_done", "1_canceled"])]
        rows = odoo.call("project.task", "search_read", domain=domain, fields=["name", "user_ids"])
        return [(row["name"], row["user_ids"][0]) for row in rows]
    domain = [("res_model", "=", PICKING), ("res_id", "=", picking)]
    rows = odoo.call("mail.activity", "search_read", domain=domain, fields=["summary", "user_id"])
    return [(row["summary"], row["user_id"][0]) for row in rows]


# ---- and nothing else


@pytest.mark.requirement("M93")
def test_of_all_models_of_odoo_it_may_read_and_write_those_that_are_asked_for(
    odoo: Odoo, settings: Settings, set_up: Any
) -> None:
    set_up(EVERYTHING)
    bot = sign_in_as_milepost(odoo, settings)
    models = [row["model"] for row in odoo.call("ir.model", "search_read", domain=[], fields=["model"])]
    assert len(models) > 300
    assert find_rights(bot, models) == allowed(ALWAYS, FOR_DRAFTS, FOR_PROMISES, FOR_PROJECT)


@pytest.mark.requirement("M93")
def test_what_only_one_policy_needs_comes_with_that_policy_alone(odoo: Odoo, settings: Settings, set_up: Any) -> None:
    models = allowed(ALWAYS, FOR_DRAFTS, FOR_PROMISES, FOR_PROJECT)
    bot = None
    for policy, more in ((POLICY, {}), (DRAFTS, FOR_DRAFTS), (PROMISES, FOR_PROMISES), (PROJECT, FOR_PROJECT)):
        set_up(policy)
        bot = bot or sign_in_as_milepost(odoo, settings)
        assert find_rights(bot, models) == allowed(ALWAYS, more)


def allowed(*parts: dict[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in parts:
        for model, operations in part.items():
            found[model] = found.get(model, set()) | operations
    return found


def find_rights(odoo: Odoo, models: Iterable[str]) -> dict[str, set[str]]:
    """What that user may do in each of those models, where it may do anything."""
    operations = (READ, WRITE, CREATE, "unlink")
    found = {model: {operation for operation in operations if odoo.may(model, operation)} for model in models}
    return {model: rights for model, rights in found.items() if rights}


@pytest.mark.requirement("M93")
def test_of_activities_documents_tasks_and_keys_it_sees_those_that_are_its_business(
    odoo: Odoo, settings: Settings, shop: Shop, set_up: Any
) -> None:
    set_up(PROJECT)
    bot = sign_in_as_milepost(odoo, settings)
    [picking] = shop.deliver(1)
    order = shop.order_of(picking)
    [model] = odoo.call("ir.model", "search", domain=[("model", "=", ORDER)])
    [project] = odoo.call("project.project", "create", vals_list=[{"name": shop.name}])
    others = {
        "mail.activity": {"res_model_id": model, "res_id": order, "summary": "Call them"},
        "ir.attachment": {"res_model": ORDER, "res_id": order, "name": "Contract", "raw": "between us"},
        "mail.message": {"model": PICKING, "res_id": picking, "body": "Between us"},
        "project.task": {"project_id": project, "name": "Something else"},
        "project.project": {"name": f"{shop.name} too"},
        "res.partner": {"name": "Customer of nobody's business"},
    }
    for name, values in others.items():
        [made] = odoo.call(name, "create", vals_list=[values])
        assert bot.call(name, "search_count", domain=[("id", "=", made)]) == 0, name
        with pytest.raises(OdooRefused):
            bot.call(name, "read", [made], fields=["display_name"])
    assert odoo.call("res.users.apikeys", "search_count", domain=[("user_id", "=", odoo.uid)]) > 0
    assert {row["user_id"][0] for row in bot.call("res.users.apikeys", "search_read", fields=["user_id"])} == {bot.uid}


@pytest.mark.requirement("M93")
def test_a_user_with_more_rights_than_needed_is_warned_of_and_loses_them(
    odoo: Odoo, settings: Settings, set_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(POLICY)
    login = f"milepost-{uuid4().hex[:8]}"
    groups = [group_of(odoo, name) for name in ("base.group_user", "milepost.group_integration")]
    employee = sign_in(odoo, settings, login, group_ids=[(6, 0, groups)])
    monkeypatch.setattr("workers.odoo.check.connect", lambda _: employee)
    assert any("more than Milepost needs" in f.sentence for f in check(settings) if f.level == WARNING)
    [change] = apply_user(odoo, login)
    assert "group_ids" in change.columns
    findings = check(settings)
    assert [f for f in findings if f.level == FAULT] == []
    assert not any("more than Milepost needs" in f.sentence for f in findings)
    assert apply_user(odoo, login) == []
