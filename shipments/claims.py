"""Which of the deliveries that carry one number speak for its parcel: pure, from what Odoo says of each of them.

A number is often on more than one delivery of a company. In a warehouse of two or three steps Odoo writes it on
picking, packing and shipping; a transfer between two warehouses leaves the one and comes into the other; a backorder
can have the number of the delivery it was split from. Only some of them are where the parcel is, and
the others shall not be written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shipments.fold import NEW_JOURNEY_AFTER_END


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that carries the number. The ids are Odoo's; leaves, is_return, company_id: see Delivery."""

    shipment_id: int
    leaves: bool
    stage: str
    registered_at: datetime
    is_return: bool = False
    backorder_of: int | None = None
    company_id: int | None = None


def stand_aside(claims: Sequence[Claim]) -> dict[int, str]:
    """The deliveries that carry the number and do not speak for it, each with the reason; never all of them.

    The way back is another matter, so returns stand beside the others; so do deliveries of different companies, which
    may not see the same parcels. Numbers are used again, so only deliveries made within NEW_JOURNEY_AFTER_END of each
    other can stand aside for one another.
    """
    outward = [claim for claim in claims if not claim.is_return]
    living = [claim for claim in outward if claim.stage != "cancel"]
    aside = {}
    for claim in outward:
        others = [c for c in living if c is not claim and c.company_id == claim.company_id and _is_near(c, claim)]
        if others and claim.stage == "cancel":
            aside[claim.shipment_id] = "canceled"
        elif not claim.leaves and any(other.leaves for other in others):
            aside[claim.shipment_id] = "a step before or after the one that leaves the house"
        elif claim.stage != "done" and _is_split_from_shipped(claim, others):
            aside[claim.shipment_id] = "a backorder that has not shipped"
    return aside


def _is_near(one: Claim, other: Claim) -> bool:
    return abs(one.registered_at - other.registered_at) < NEW_JOURNEY_AFTER_END


def _is_split_from_shipped(claim: Claim, others: Sequence[Claim]) -> bool:
    """Whether it is the backorder, at whatever remove, of a delivery with the number that has shipped."""
    by_id = {other.shipment_id: other for other in others}
    seen: set[int] = set()
    earlier = claim.backorder_of
    while earlier in by_id and earlier not in seen:
        if by_id[earlier].stage == "done":
            return True
        seen.add(earlier)
        earlier = by_id[earlier].backorder_of
    return False
