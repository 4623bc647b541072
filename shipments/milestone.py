"""Where a parcel or a shipment can stand, and what kinds of trouble there are: two closed lists.

The names are part of the published event schema. A finer milestone may be added if it names the one it refines.
"""

from dataclasses import dataclass
from enum import StrEnum


class Milestone(StrEnum):
    """Where a parcel stands. The value is what is published, stored and written to Odoo."""

    LABEL_CREATED = "label_created"
    PICKUP_SCHEDULED = "pickup_scheduled"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    ARRIVED_AT_FACILITY = "arrived_at_facility"
    DEPARTED_FACILITY = "departed_facility"
    CUSTOMS_CLEARANCE = "customs_clearance"
    CUSTOMS_RELEASED = "customs_released"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERY_ATTEMPTED = "delivery_attempted"
    DELIVERED = "delivered"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELAYED = "delayed"
    EXCEPTION = "exception"
    RETURN_IN_TRANSIT = "return_in_transit"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    LOST = "lost"
    DAMAGED = "damaged"
    INFO_RECEIVED = "info_received"
    UNKNOWN = "unknown"


class ExceptionCategory(StrEnum):
    """The kind of trouble an event speaks of. Allowed beside any milestone."""

    ADDRESS_ISSUE = "address_issue"
    CARRIER_DELAY = "carrier_delay"
    CUSTOMS_HOLD = "customs_hold"
    DAMAGED = "damaged"
    DOCUMENTATION = "documentation"
    FAILED_DELIVERY = "failed_delivery"
    FAILED_PICKUP = "failed_pickup"
    LOST = "lost"
    MISSED_RECIPIENT = "missed_recipient"
    OTHER = "other"
    PARTIAL_DELIVERY = "partial_delivery"
    PAYMENT_REQUIRED = "payment_required"
    REFUSED = "refused"
    RETURN_TO_SENDER = "return_to_sender"
    SECURITY = "security"
    WEATHER = "weather"


class Phase(StrEnum):
    """How a milestone takes part in the fold (see shipments/fold.py)."""

    NEWS = "news"  # says something about the parcel without moving it: never changes where the parcel stands
    BEFORE = "before"  # the carrier knows of the parcel and does not have it
    MOVING = "moving"  # the carrier has it
    END = "end"  # nothing more is expected


@dataclass(frozen=True, slots=True)
class Definition:
    """What a milestone means, who owns the meaning, and its rank: progress on the way, larger is further."""

    rank: int
    phase: Phase
    owner: str
    meaning: str


_M, _P = Milestone, Phase

DEFINITIONS: dict[Milestone, Definition] = {
    _M.UNKNOWN: Definition(0, _P.NEWS, "integration", "The carrier used a code that has no mapping yet."),
    _M.INFO_RECEIVED: Definition(5, _P.NEWS, "integration", "A message about the parcel, not a movement of it."),
    _M.LABEL_CREATED: Definition(10, _P.BEFORE, "warehouse", "The carrier has the data and not yet the parcel."),
    _M.PICKUP_SCHEDULED: Definition(20, _P.BEFORE, "warehouse", "The carrier has agreed to come for the parcel."),
    _M.PICKED_UP: Definition(30, _P.MOVING, "warehouse", "The carrier has the parcel."),
    _M.IN_TRANSIT: Definition(40, _P.MOVING, "logistics", "The parcel moves through the carrier's network."),
    _M.ARRIVED_AT_FACILITY: Definition(41, _P.MOVING, "logistics", "The parcel reached a depot, hub or port."),
    _M.DEPARTED_FACILITY: Definition(42, _P.MOVING, "logistics", "The parcel left a depot, hub or port."),
    _M.CUSTOMS_CLEARANCE: Definition(50, _P.MOVING, "customs", "Customs has the parcel or its papers."),
    _M.CUSTOMS_RELEASED: Definition(51, _P.MOVING, "customs", "Customs has let the parcel go."),
    _M.DELAYED: Definition(55, _P.MOVING, "customer service", "The carrier says it will be later than planned."),
    _M.EXCEPTION: Definition(56, _P.MOVING, "customer service", "Something is wrong; the category says what."),
    _M.OUT_FOR_DELIVERY: Definition(60, _P.MOVING, "logistics", "The parcel is on the vehicle that delivers it."),
    _M.DELIVERY_ATTEMPTED: Definition(65, _P.MOVING, "customer service", "A delivery was tried and failed."),
    _M.AVAILABLE_FOR_PICKUP: Definition(70, _P.MOVING, "customer service", "The recipient can collect the parcel."),
    _M.PARTIALLY_DELIVERED: Definition(75, _P.MOVING, "customer service", "Some pieces are delivered, not all."),
    _M.RETURN_IN_TRANSIT: Definition(80, _P.MOVING, "returns", "The parcel is on its way back to the sender."),
    _M.DAMAGED: Definition(85, _P.MOVING, "claims", "The carrier reports damage."),
    _M.LOST: Definition(90, _P.MOVING, "claims", "The carrier cannot find the parcel; a later scan finds it again."),
    _M.CANCELLED: Definition(95, _P.END, "warehouse", "The label was voided before the carrier had the parcel."),
    _M.DELIVERED: Definition(100, _P.END, "finance", "The recipient, or a place the recipient accepts, has it."),
    _M.RETURNED: Definition(110, _P.END, "returns", "The sender has the parcel again."),
}


class Party(StrEnum):
    """Who can do something about a kind of trouble."""

    CARRIER = "carrier"
    SHIPPER = "shipper"
    CONSIGNEE = "consignee"
    CUSTOMS = "customs"
    FORCE_MAJEURE = "force_majeure"


_C = ExceptionCategory

PARTY: dict[ExceptionCategory, Party] = {
    _C.ADDRESS_ISSUE: Party.SHIPPER,
    _C.CARRIER_DELAY: Party.CARRIER,
    _C.CUSTOMS_HOLD: Party.CUSTOMS,
    _C.DAMAGED: Party.CARRIER,
    _C.DOCUMENTATION: Party.SHIPPER,
    _C.FAILED_DELIVERY: Party.CARRIER,
    _C.FAILED_PICKUP: Party.CARRIER,
    _C.LOST: Party.CARRIER,
    _C.MISSED_RECIPIENT: Party.CONSIGNEE,
    _C.OTHER: Party.CARRIER,
    _C.PARTIAL_DELIVERY: Party.CARRIER,
    _C.PAYMENT_REQUIRED: Party.CONSIGNEE,
    _C.REFUSED: Party.CONSIGNEE,
    _C.RETURN_TO_SENDER: Party.SHIPPER,
    _C.SECURITY: Party.CARRIER,
    _C.WEATHER: Party.FORCE_MAJEURE,
}
