"""Which delivery an event belongs to: by its number, in the form numbers are compared in, else by its references."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipments.check_digits import mod10, mod37
from shipments.event import CARRIER, CARRIER_CANDIDATE, CARRIER_GUESS
from shipments.fold import Standing

REGISTRATION_MARGIN = timedelta(days=30)
"""A label may be older than the delivery in Odoo by this much and still be its own."""

SHORTEST_REFERENCE = 4
MOST_REFERENCES = 20
"""References below that length fit by chance; of a parcel that many are looked up."""

SAME_PARCEL = frozenset(
    {
        "carrier_tracking_number",
        "first_mile_tracking_number",
        "last_mile_tracking_number",
        "local_number",
        "mail_piece_id",
        "new_tracking_number",
        "parcel_number",
        "partner_number",
        "tracking_number",
    }
)
"""Types of references that are another number of the very parcel: a partner's, the one before, the one from now on."""

WAY_BACK = frozenset({"return_parcel", "return_pin", "return_tracking_number"})
"""Types of references that are the number under which the parcel comes back."""

_NAMES_NOTHING = WAY_BACK | frozenset(
    {
        CARRIER,
        CARRIER_CANDIDATE,
        CARRIER_GUESS,
        "carrier_code",
        "carrier_of_this_event",
        "exception_code",
        "ice/ric",
        "mode",
        "original_code",
        "provider",
        "status_detail",
        "sub_code",
        "substatus",
        "subtag",
        "tag",
        "tracking_point",
        "vessel",
        "vessel_imo",
        "voyage",
    }
)
"""Types that say something else about a parcel, or name its way back, which `settle` takes over from its events."""


_LONG_FORMS: Mapping[int, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    15: (re.compile(r"(\d{14})[0-9A-Z]"), mod37),  # DPD: its check character is on the label and in few messages
    20: (re.compile(r"00(\d{18})"), mod10),  # SSCC behind its GS1 application identifier
    22: (re.compile(r"96\d{5}(\d{15})"), lambda number: mod10(number[7:])),  # FedEx Ground in its barcode
    30: (re.compile(r"420\d{5}(9[1-5]\d{20})"), lambda number: mod10(number[8:])),  # USPS behind a ZIP code
    34: (re.compile(r"420\d{9}(9[1-5]\d{20})"), lambda number: mod10(number[12:])),
}
"""What a scanner reads around a number, by its length: the form with the number itself, and what has to hold for it."""


def comparable(number: str) -> str:
    """The number as it is compared: letters and digits only, in upper case, without what a barcode has around it.

    Odoo's users type blanks and dashes into tracking references, and carriers print numbers in groups. What a scanner
    types is longer than what the carrier tells; it is cut only where a check digit says that it is that form.
    """
    if not number.isascii():
        number = unicodedata.normalize("NFKC", number)
    plain = "".join(c for c in number.upper() if c.isalnum())
    if form := _LONG_FORMS.get(len(plain)):
        pattern, holds = form
        if (found := pattern.fullmatch(plain)) and plain.isascii() and holds(plain):
            return comparable(found[1])
    return plain


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


def may_name(kind: str, value: str) -> bool:
    """Whether a reference of that type may say which delivery a parcel belongs to."""
    return kind not in _NAMES_NOTHING and len(comparable(value)) >= SHORTEST_REFERENCE


@dataclass(frozen=True, slots=True)
class Named:
    """The deliveries that a reference names, by id: as one of their numbers, by their name, or by their order's.

    order: the order's own name or the customer's reference for it.
    """

    number: frozenset[int] = frozenset()
    delivery: frozenset[int] = frozenset()
    order: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The one delivery that a parcel's references name, or all that fit alike; the references that name them.

    stands_for: the number on the delivery whose parcel this is, where the reference is that number.
    """

    deliveries: frozenset[int]
    because: str
    stands_for: str | None = None


def choose_by_reference(references: Collection[tuple[str, str]], named: Mapping[str, Named]) -> Chosen | None:
    """Which deliveries a parcel's references (type, value) name; None if none does. The closest word decides.

    A number of the delivery is closer than its name, and that closer than the order, which may have several.
    """
    for closeness in ("number", "delivery", "order"):
        found = {r: ids for r in sorted(references) if r[1] in named and (ids := getattr(named[r[1]], closeness))}
        if not found:
            continue
        deliveries = frozenset().union(*found.values())
        same = [comparable(value) for kind, value in found if closeness == "number" and kind in SAME_PARCEL]
        because = ", ".join(f"{kind} {value}" for kind, value in found)
        return Chosen(deliveries, because, same[0] if len(deliveries) == 1 and same else None)
    return None
