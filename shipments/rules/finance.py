"""What finance is told: that a delivery and its order may be billed, and when what it was told is not right any more.

A flag that was set is never taken back: a correction is another fact beside it, for a person. All of it follows from
the set of events. Whether Odoo was ever told is known where it is written (workers/odoo/billing.py), and a correction
of what nobody was told is not written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from msgspec.structs import replace

from shipments.delivery import Delivery
from shipments.effects import Effect, Kind
from shipments.event import Leg
from shipments.fold import Standing
from shipments.handover import HandOver, merge_hand_overs

BILLABLE_ON = ("delivered", "proof")
INVOICE = ("none", "draft")


@dataclass(frozen=True, slots=True)
class Finance:
    """billable_on: "delivered" (the carrier says so) or "proof" (a signatory or a document for every parcel, too).

    invoice: "none", or "draft": once an order is billable, Odoo is asked for its draft invoice. Nothing is ever posted.
    """

    billable_on: str = "delivered"
    invoice: str = "none"


def finance_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with [finance]: the field and the sentence."""
    choices = {"billable_on": BILLABLE_ON, "invoice": INVOICE}
    for field in table.keys() - choices.keys():
        yield field, f"{field!r} means nothing here; known are {', '.join(choices)}"
    for field, known in choices.items():
        if field in table and table[field] not in known:
            yield field, f"{field} must be {' or '.join(map(repr, known))}"


def decide_billing(
    delivery: Delivery, standing: Standing | None, before: Standing | None, finance: Finance
) -> Iterator[Effect]:
    """What finance is told of a delivery; nothing until something of it was told to be delivered.

    before: where it stood until now. A delivery whose parcels are all gone by now (a number that was wiped in Odoo) is
    told apart by it from one that never had any. Transfers that do not go to a customer are not billed.
    """
    hand_over = standing.hand_over if standing else None
    if hand_over is None and before is not None and before.hand_over:
        hand_over = replace(before.hand_over, complete=False)
    if hand_over and delivery.leaves_the_house:
        subject = delivery.picking_id
        payload = {"of": "delivery", "order_id": delivery.order_id, **_billing(hand_over, finance)}
        yield Effect(f"billing:{subject}", Kind.BILLING, subject, payload)


def decide_order_billing(
    order_id: int, deliveries: Sequence[tuple[int, Standing | None]], finance: Finance
) -> Iterator[Effect]:
    """What finance is told of an order, and by policy its invoice.

    deliveries: those of the order that carry a number, by id, with where each stands. Odoo may have more; that all of
    them are billable is looked up when it is written. What comes back without having been delivered is left out: a
    return is a delivery of its own in Odoo, and is not billed.
    """
    known = [s.hand_over for _, s in deliveries if s and s.hand_over]
    if not known:
        return
    counted = {id_: s.hand_over if s else None for id_, s in deliveries if s is None or not _only_comes_back(s)}
    hand_over = merge_hand_overs(list(counted.values()), missing=False) or replace(known[0], complete=False)
    billing = _billing(hand_over, finance)
    payload = {"of": "order", **billing, "deliveries": sorted(counted) if billing["billable"] else []}
    yield Effect(order_key(order_id), Kind.BILLING, order_id, payload)
    if billing["billable"] and finance.invoice == "draft":
        yield Effect(invoice_key(order_id), Kind.INVOICE, order_id, {"delivered_at": billing["delivered_at"]})


def order_key(order_id: int) -> str:
    """The key of the effect that is what finance is told of the order."""
    return f"order_billing:{order_id}"


def invoice_key(order_id: int) -> str:
    """The key of the effect that is the order's draft invoice."""
    return f"invoice:{order_id}"


def withdraw_order_billing(order_id: int, before: Standing, finance: Finance) -> Iterator[Effect]:
    """What finance is told of an order that no number leads to any more. before: where a delivery of it stood."""
    if before.hand_over:
        billing = _billing(replace(before.hand_over, complete=False), finance)
        payload = {"of": "order", **billing, "deliveries": []}
        yield Effect(order_key(order_id), Kind.BILLING, order_id, payload)


def _only_comes_back(standing: Standing) -> bool:
    was_delivered = standing.hand_over is not None and standing.hand_over.complete
    return standing.leg is Leg.RETURN and not was_delivered


def _billing(hand_over: HandOver, finance: Finance) -> dict[str, Any]:
    """check: what a person who has billed must look at; None where all is well."""
    is_enough = hand_over.proven or finance.billable_on == "delivered"
    billable = hand_over.complete and is_enough and not hand_over.taken_back
    return {
        "billable": billable,
        "delivered_at": hand_over.at.astimezone(UTC).isoformat(timespec="seconds") if billable else None,
        "delivered_text": hand_over.told if billable else None,
        "signed_by": hand_over.signed_by if billable else None,
        "check": None if billable else _check(hand_over),
    }


def _check(hand_over: HandOver) -> str:
    if not hand_over.complete:
        return "It was billable, and not all of it is delivered any more."
    if not hand_over.taken_back:
        return "It was billable, and there is no proof for all of it any more."
    since = hand_over.taken_back.replace("_", " ")
    return f"It was told to be delivered on {hand_over.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, and since then: {since}."
