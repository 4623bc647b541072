"""Effects: what was decided, each under a key that makes it happen once however often it is decided."""

from enum import StrEnum
from typing import Any

from msgspec import Struct


class Kind(StrEnum):
    """What is to be done. Performed in this order: what a person waits for comes first."""

    DELIVERY = "delivery"  # the state of one delivery in Odoo: an upsert, done again when the payload changes
    ORDER = "order"  # the rolled-up state of one sale order in Odoo: likewise
    ACTIVITY = "activity"  # a task for an exception: opened once, closed when the parcel moves on
    TIMELINE = "timeline"  # one row of the event model in Odoo
    DOCUMENT = "document"  # a document that proves a delivery, attached to it in Odoo
    BILLING = "billing"  # what finance is told of a delivery or an order: a flag, and later corrections beside it
    INVOICE = "invoice"  # the draft invoice of an order: asked for once, where the policy says so
    COMMITMENT = "commitment"  # the promised date of an order, where the policy lets it follow a later estimate


class Effect(Struct, frozen=True):
    """Something decided. The same key with the same payload is the same decision and changes nothing.

    subject: the id in Odoo of the delivery or order it is about. payload: plain values, ready for JSON.
    """

    key: str
    kind: Kind
    subject: int
    payload: dict[str, Any] = {}
