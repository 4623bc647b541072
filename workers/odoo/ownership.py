"""Whose word a field of ours in Odoo is: Milepost's, or that of a person who changed or locked it.

Each state that is written carries a fingerprint of its fields, in the same row and the same call. Where the fields do
not fit it any more, somebody else has changed them; no further call and no memory of ours is needed to see that, and a
restored or lost write, whose fingerprint fits, is told apart from a change by hand.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from shipments.keep import Keep, Why
from workers.odoo.client import Odoo

LOCKED, KEPT, SENT = "x_milepost_locked", "x_milepost_kept", "x_milepost_sent"

_SOMEBODY = "somebody"
_VERBS = {Why.CHANGED: "Kept as changed", Why.LOCKED: "Locked"}


def stamped(values: Mapping[str, str]) -> dict[str, str]:
    """A state as it is written: with its fingerprint, and without a sentence about who keeps it."""
    return {**values, KEPT: "", SENT: fingerprint(values)}


def fingerprint(values: Mapping[str, Any]) -> str:
    """A short text by which a changed field is found: `name=crc32` for each. values: as `load` or `read` has them."""
    return " ".join(f"{name}={crc32(plain(value).encode()):08x}" for name, value in sorted(values.items()))


def plain(value: Any) -> str:
    """A field as text, the same as `load` takes it and as `read` answers. No is the same as nothing."""
    if value is None or value == 0 or value in ("0", "False"):
        return ""
    return "1" if value is True or value == "True" else str(value)


def changed_fields(row: Mapping[str, Any]) -> list[str]:
    """The fields of a row of Odoo's that somebody else changed since Milepost wrote them."""
    sent = dict(part.split("=", 1) for part in str(row.get(SENT) or "").split() if "=" in part)
    shown = {name: row[name] for name in sent if name in row}
    now = dict(part.split("=", 1) for part in fingerprint(shown).split())
    return sorted(name for name in shown if now[name] != sent[name])


def find_keep(odoo: Odoo, row: Mapping[str, Any]) -> Keep | None:
    """Who keeps this delivery or order as it is. row: as Odoo reads it, with the fields that `fields.OWNED` names.

    What has a sentence about it and is not locked any more was unlocked, whatever its fields are.
    """
    if row.get(LOCKED):
        why = Why.LOCKED
    elif not row.get(KEPT) and changed_fields(row):
        why = Why.CHANGED
    else:
        return None
    writer = row["write_uid"]
    by = writer[1] if writer and writer[0] != odoo.uid else _SOMEBODY
    at = datetime.strptime(row["write_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return Keep(why, by, at)


def sentence(keep: Keep, milestone: str, exception: str) -> str:
    """What a person reads beside a state that Milepost leaves alone. milestone, exception: as Odoo shows them."""
    ours = f"{milestone} ({exception})" if exception else milestone
    return f"{_VERBS[keep.why]} by {keep.by} on {keep.at:%Y-%m-%d}; Milepost's own value is: {ours}."


def kept_row(keep: Keep, milestone: str, exception: str) -> dict[str, str]:
    """What is written instead of the state."""
    return {LOCKED: "1", KEPT: sentence(keep, milestone, exception)}


def is_settled(keep: Keep, shown: Mapping[str, Any] | None, wanted: Mapping[str, str]) -> bool:
    """Whether nothing has to be written: Odoo shows it already, or was unlocked, which the next pull hears of."""
    if shown is None:
        return False
    was_locked = bool(shown[KEPT]) or keep.why is Why.LOCKED
    return (was_locked and not shown[LOCKED]) or shown[KEPT] == wanted[KEPT]
