"""What is remembered of a journey beyond where it stands: that it was handed over, and what was estimated."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct


class HandOver(Struct, frozen=True):
    """That something was told to be delivered to the recipient, whatever was told afterwards. It is never forgotten.

    at: the moment of the delivery, of the last one if they are several (UTC); told: the same as the carrier means it.
    signed_by: who signed, as the carrier names them. proven: there is a signatory or a document for each part.
    complete: every part was. taken_back: where a part stands that was and is not delivered any more, such as "returned"
    or "delivery_attempted: refused".
    """

    at: datetime
    told: str | None
    signed_by: str | None
    proven: bool
    complete: bool = True
    taken_back: str | None = None


class Estimate(NamedTuple):
    """A change of the estimated delivery: when it was told (UTC), as the carrier means it, and for which parcel."""

    told_at: datetime
    at: str
    carrier: str
    tracking_number: str


MOST_ESTIMATES = 20
"""Some carriers tell another minute with every scan; the newest revisions are kept."""


def merge_hand_overs(parts: Sequence[HandOver | None], *, missing: bool) -> HandOver | None:
    """The hand-over of several parts, in any order; None if there is none. missing: there are parts beside these."""
    known = sorted(filter(None, parts), key=lambda part: (part.at, part.told or "", part.signed_by or ""))
    if not known:
        return None
    return HandOver(
        at=known[-1].at,
        told=known[-1].told,
        signed_by=", ".join(dict.fromkeys(part.signed_by for part in known if part.signed_by)) or None,
        proven=all(part.proven for part in known),
        complete=not missing and len(known) == len(parts) and all(part.complete for part in known),
        taken_back="; ".join(sorted({part.taken_back for part in known if part.taken_back})) or None,
    )


def merge_estimates(parts: Iterable[Iterable[Estimate]]) -> tuple[Estimate, ...]:
    """The revisions of several parcels or pieces, oldest first. Those of a parcel told with each piece are one."""
    last: dict[tuple[str, str], str] = {}
    merged = []
    for estimate in sorted({estimate for part in parts for estimate in part}):
        parcel = (estimate.carrier, estimate.tracking_number)
        if last.get(parcel) != estimate.at:
            last[parcel] = estimate.at
            merged.append(estimate)
    return tuple(merged[-MOST_ESTIMATES:])
