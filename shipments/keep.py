"""Keeping: a person, or another integration, holds on to what Odoo shows of a delivery or an order.

Milepost goes on deciding where it stands, and does not write it there until it is unlocked.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Why(StrEnum):
    """What makes Milepost keep its hands off."""

    CHANGED = "changed"  # a field of Milepost's was changed in Odoo by somebody else
    LOCKED = "locked"  # somebody ticked "Locked for Milepost"


@dataclass(frozen=True, slots=True)
class Keep:
    """Who keeps it, since when (UTC), and why. by: the name Odoo shows of the user who wrote the record last."""

    why: Why
    by: str
    at: datetime
