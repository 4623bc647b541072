"""Which delivery an event belongs to: by its number, in the form numbers are compared in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shipments.fold import Standing

REGISTRATION_MARGIN = timedelta(days=30)
"""A label may be older than the delivery in Odoo by this much and still be its own."""


def comparable(number: str) -> str:
    """The number as it is compared: letters and digits only, in upper case.

    Odoo's users type blanks and dashes into tracking references, and carriers print numbers in groups.
    """
    return "".join(c for c in number.upper() if c.isalnum())


def journey_of(journeys: Sequence[Standing], registered_at: datetime, earlier_claims: bool) -> Standing | None:
    """Which journey of a number belongs to a delivery registered in Odoo at that time; None if none does yet.

    journeys: oldest first. The first that was still going on when the delivery was made (less a margin). If all ended
    before, the number is used again and its new journey is not known yet, provided that an earlier delivery claims
    the old one; otherwise Odoo merely learned late of a parcel that was under way, and the last journey is meant.
    """
    for journey in journeys:
        if journey.last_at >= registered_at - REGISTRATION_MARGIN:
            return journey
    return None if earlier_claims or not journeys else journeys[-1]
