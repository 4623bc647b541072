"""Finance and promises in Odoo: a flag once, corrections beside it, drafts once, dates that only move later."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipments.errors import OdooAway
from tests.workers.odoo.conftest import Shop
from workers.odoo import commitments
from workers.odoo.billing import write_billing, write_invoices
from workers.odoo.client import Odoo
from workers.odoo.commitments import write_commitments
from workers.odoo.fields import ORDER, PICKING
from workers.odoo.writes import Work

SIGNED = {
    "billable": True,
    "delivered_at": "2026-11-23T10:00:00+00:00",
    "delivered_text": "2026-11-23T11:00:00+01:00",
    "signed_by": "Front desk",
    "check": None,
}
TAKEN_BACK = {"billable": False, "delivered_at": None, "delivered_text": None, "signed_by": None, "check": "Look."}
EXPECTED = {"day": "2026-12-10", "time_zone": "UTC", "carrier": "ups", "tracking_number": "1Z999AA10000000001"}


def billing(subject: int, of: str = "delivery", **changed: object) -> Work:
    return Work(f"billing:{of}:{subject}", subject, {"of": of, **SIGNED, **changed}, sent=False)


def read(odoo: Odoo, model: str, record: int, *names: str) -> dict[str, Any]:
    row = odoo.call(model, "read", [record], fields=list(names))[0]
    return {name: row[name] for name in names}


def invoices(odoo: Odoo, order: int) -> list[dict[str, Any]]:
    name = read(odoo, ORDER, order, "name")["name"]
    return odoo.call("account.move", "search_read", domain=[("invoice_origin", "=", name)], fields=["state"])


def notes(odoo: Odoo, order: int) -> list[str]:
    """What the order says of its promise, the oldest first."""
    domain = [("model", "=", ORDER), ("res_id", "=", order), ("body", "like", "moved the promised date")]
    rows = odoo.call("mail.message", "search_read", domain=domain, fields=["body"], order="id")
    return [row["body"] for row in rows]


def away(*_: object) -> None:
    raise OdooAway("hung up")


@pytest.mark.requirement("M5", "M77", "M78")
def test_a_delivery_is_flagged_with_time_and_signatory(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    assert {o.state for o in write_billing(ready, [billing(picking)]).values()} == {"done"}
    shown = {
        "x_milepost_billable": True,
        "x_milepost_delivered_at": "2026-11-23 10:00:00",
        "x_milepost_delivered_text": "2026-11-23 11:00 (UTC+01:00)",
        "x_milepost_signed_by": "Front desk",
        "x_milepost_billing_check": False,
    }
    assert read(ready, PICKING, picking, *shown) == shown


@pytest.mark.requirement("M5")
def test_an_order_is_flagged_once_all_its_deliveries_are(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    order = shop.order_of(picking)
    [early] = write_billing(ready, [billing(order, "order")]).values()
    assert early.again_at
    assert "is not delivered" in (early.reason or "")
    assert not read(ready, ORDER, order, "x_milepost_billable")["x_milepost_billable"]
    write_billing(ready, [billing(picking), billing(order, "order")])
    assert read(ready, ORDER, order, "x_milepost_billable")["x_milepost_billable"]


@pytest.mark.requirement("M5")
@pytest.mark.parametrize(("hours", "wait"), [(2, 1), (100, 10), (5000, 24)])
def test_an_order_that_waits_for_its_other_deliveries_is_looked_at_less_and_less_often(
    ready: Odoo, shop: Shop, hours: int, wait: int
) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    at = datetime.fromisoformat(billing(order, "order").payload["delivered_at"]) + timedelta(hours=hours)
    [outcome] = write_billing(ready, [replace(billing(order, "order"), at=at)]).values()
    assert outcome.again_at == at + timedelta(hours=wait)


@pytest.mark.requirement("M5")
def test_the_flag_of_a_delivery_wakes_its_order_and_that_of_an_order_its_invoice(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    order = shop.order_of(picking)
    [early] = write_billing(ready, [billing(order, "order")]).values()
    assert early.wakes is None
    [delivery] = write_billing(ready, [billing(picking, order_id=order)]).values()
    assert delivery.wakes == f"order_billing:{order}"
    [in_time] = write_billing(ready, [billing(order, "order")]).values()
    assert in_time.wakes == f"invoice:{order}"


@pytest.mark.requirement("M5", "M137")
def test_a_correction_stands_beside_the_flag_and_never_takes_it_back(ready: Odoo, shop: Shop) -> None:
    told, untold = shop.deliver(2)
    write_billing(ready, [billing(told)])
    corrections = [replace(billing(id_, **TAKEN_BACK), changed=True) for id_ in (told, untold)]
    assert {o.state for o in write_billing(ready, corrections).values()} == {"done"}
    names = ("x_milepost_billable", "x_milepost_billing_check")
    assert read(ready, PICKING, told, *names) == {"x_milepost_billable": True, "x_milepost_billing_check": "Look."}
    assert not any(read(ready, PICKING, untold, *names).values()), "what nobody was told needs no correction"


@pytest.mark.requirement("M5", "B3")
def test_a_billable_order_gets_one_draft_however_often_it_is_asked_for(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    order = shop.order_of(picking)
    write_billing(ready, [billing(picking), billing(order, "order")])
    work = Work(f"invoice:{order}", order, {"delivered_at": "2026-11-23T10:00:00+00:00"}, sent=False)
    assert write_invoices(ready, [work])[work.key].state == "done"
    [again] = write_invoices(ready, [work]).values()  # the first answer was lost
    assert (again.state, again.reason) == ("done", "Odoo has nothing left to invoice on this order.")
    assert [invoice["state"] for invoice in invoices(ready, order)] == ["draft"]


@pytest.mark.requirement("M5")
def test_an_order_that_odoo_does_not_show_as_billable_gets_no_draft(ready: Odoo, shop: Shop) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    work = Work(f"invoice:{order}", order, {"delivered_at": "2026-11-23T10:00:00+00:00"}, sent=False)
    [outcome] = write_invoices(ready, [work]).values()
    assert outcome.again_at
    assert invoices(ready, order) == []


@pytest.mark.requirement("X11", "M20")
def test_a_promise_moves_to_a_later_day_with_one_note(ready: Odoo, shop: Shop) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-01 09:00:00"})
    work = Work(f"commitment:{order}", order, EXPECTED, sent=False)
    for _ in range(2):  # the first answer was lost
        assert write_commitments(ready, [work])[work.key].state == "done"
    assert read(ready, ORDER, order, "commitment_date")["commitment_date"] == "2026-12-10 09:00:00"
    [note] = notes(ready, order)
    assert "2026-12-01 09:00:00 to 2026-12-10 09:00:00" in note


@pytest.mark.requirement("X11", "M20")
@pytest.mark.parametrize("lost", [True, False])
def test_a_note_that_got_lost_is_written_although_the_promise_has_moved_on_and_one_that_stands_stays_as_it_is(
    ready: Odoo, shop: Shop, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-01 09:00:00"})
    work = Work(f"commitment:{order}", order, EXPECTED, sent=False)
    with monkeypatch.context() as patch, pytest.raises(OdooAway) if lost else nullcontext():
        patch.setattr(commitments, "_note_row", away if lost else commitments._note_row)
        write_commitments(ready, [work])
    before = notes(ready, order)
    later = Work(f"commitment:{order}", order, EXPECTED | {"day": "2026-12-12"}, sent=False, changed=True)
    for _ in range(2):
        assert write_commitments(ready, [later])[later.key].state == "done"
    first, second = notes(ready, order)
    assert before == ([] if lost else [first])
    assert "2026-12-01 09:00:00 to 2026-12-10 09:00:00" in first
    assert "2026-12-10 09:00:00 to 2026-12-12 09:00:00" in second


@pytest.mark.requirement("X11", "M20")
@pytest.mark.parametrize("since", [{"day": None}, {"day": "2026-12-05"}], ids=["all delivered", "expected earlier"])
def test_a_note_that_got_lost_is_written_although_the_promise_stays_where_it_is(
    ready: Odoo, shop: Shop, monkeypatch: pytest.MonkeyPatch, since: dict[str, str | None]
) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-01 09:00:00"})
    work = Work(f"commitment:{order}", order, EXPECTED, sent=False)
    with monkeypatch.context() as patch:
        patch.setattr(commitments, "_note_row", away)
        with pytest.raises(OdooAway):
            write_commitments(ready, [work])
    assert notes(ready, order) == []
    for _ in range(2):
        changed = Work(f"commitment:{order}", order, EXPECTED | since, sent=False, changed=True)
        assert write_commitments(ready, [changed])[changed.key].state == "done"
    [note] = notes(ready, order)
    assert "2026-12-01 09:00:00 to 2026-12-10 09:00:00" in note
    assert read(ready, ORDER, order, "commitment_date")["commitment_date"] == "2026-12-10 09:00:00"


@pytest.mark.requirement("X11")
def test_a_promise_never_moves_earlier_nor_over_a_date_a_person_entered(ready: Odoo, shop: Shop) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    work = Work(f"commitment:{order}", order, EXPECTED, sent=False)
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-24 09:00:00"})
    write_commitments(ready, [work])
    assert read(ready, ORDER, order, "commitment_date")["commitment_date"] == "2026-12-24 09:00:00"
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-02 09:00:00"})
    write_commitments(ready, [work])
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-03 09:00:00"})
    [left] = write_commitments(ready, [work]).values()
    assert "A person has changed" in (left.reason or "")
    assert read(ready, ORDER, order, "commitment_date")["commitment_date"] == "2026-12-03 09:00:00"


@pytest.mark.requirement("X11")
def test_the_promise_of_a_locked_order_is_looked_at_until_the_expected_day_is_past(ready: Odoo, shop: Shop) -> None:
    order = shop.order_of(shop.deliver(1)[0])
    ready.call(ORDER, "write", [order], vals={"commitment_date": "2026-12-01 09:00:00", "x_milepost_locked": True})
    before, after = (datetime(2026, 12, day, 8, tzinfo=UTC) for day in (10, 11))
    for at, again_at in ((before, before + timedelta(hours=1)), (after, None)):
        [outcome] = write_commitments(ready, [Work("commitment", order, EXPECTED, sent=False, at=at)]).values()
        assert (outcome.state, outcome.again_at) == ("done", again_at)
    assert read(ready, ORDER, order, "commitment_date")["commitment_date"] == "2026-12-01 09:00:00"
