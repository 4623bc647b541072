"""Performing effects in Odoo, many at a time.

State goes over with `load`, which updates or creates by id, is idempotent, and names the rows it cannot take: 300
deliveries are one call. Every function answers with an Outcome for each piece of work, and lets OdooAway through:
what then has no outcome is to be tried again.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shipments.errors import OdooRefused
from shipments.keep import Keep
from workers.odoo.badges import SEVERITY
from workers.odoo.client import Odoo, OdooConflict, OdooLockedOut, is_conflict
from workers.odoo.fields import EVENT, MODULE, ORDER, PICKING
from workers.odoo.ownership import KEPT, LOCKED, is_settled, kept_row, stamped
from workers.odoo.wording import carrier_label, label, team_label, time_label

ROWS_A_CALL = 300
EVENTS_A_CALL = 600
"""Rows of the timeline, which nobody else writes and nothing follows from: Odoo takes four of them for one delivery."""

EQUAL_ROWS_WORTH_A_WRITE = 200
"""Odoo writes equal rows ten times as fast as it loads them, but the call is one more, where there are others."""

GONE = "does not exist in Odoo any more, or Milepost's user may not see it: is it allowed in that company?"
# load reads a time as one in the user's own zone, unless told otherwise
_UTC = {"tz": "UTC", "lang": "en_US"}


@dataclass(frozen=True)
class Work:
    """One effect to perform. key: the effect's; subject: the id in Odoo; sent: it has reached Odoo before.

    changed: it was decided otherwise before, and that may have reached Odoo although no answer said so.
    at: the time by the database's clock, aware; None where the performer does not go by it.
    keep: who keeps the delivery or order as it is in Odoo; None where nobody does.
    trace: the correlation id of the message that told of it, where it is known.
    """

    key: str
    subject: int
    payload: dict[str, Any]
    sent: bool
    changed: bool = False
    at: datetime | None = None
    keep: Keep | None = None
    trace: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of it: done; parked, for a person, with a reason; later, because nothing can be written now.

    sent: it is in Odoo, or was. again_at: when the clock alone makes more of it to do, such as an escalation.
    wakes: the key of an effect that may have waited for this one.
    """

    state: str
    reason: str = ""
    sent: bool = True
    again_at: datetime | None = None
    wakes: str | None = None


DONE = Outcome("done")


def write_deliveries(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Set the shipment state of deliveries. Equal states go as one write, all others as one load."""
    return _write_states(odoo, PICKING, works)


def write_orders(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Set the rolled-up shipment state of sales orders, likewise."""
    return _write_states(odoo, ORDER, works)


def write_timeline(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Add rows to the timelines of deliveries: each event once per delivery, however often it is sent."""
    return load(odoo, EVENT, works, _event_row, EVENTS_A_CALL)


# ---- states


def state_values(payload: dict[str, Any]) -> dict[str, str]:
    """The fields of a delivery or order, as `load` takes them: empty text where there is nothing."""
    return {
        "x_milepost_milestone": payload["milestone"],
        "x_milepost_exception": payload["exception_category"] or "",
        "x_milepost_exception_severity": SEVERITY.get(payload.get("exception_severity") or "", ""),
        "x_milepost_exception_owner": team_label(payload.get("exception_owner")),
        "x_milepost_exception_since": odoo_time(payload.get("exception_since")),
        "x_milepost_exception_due": odoo_time(payload.get("exception_due")),
        "x_milepost_occurred_at": odoo_time(payload["occurred_at"]),
        "x_milepost_occurred_text": time_label(payload["occurred_text"]),
        "x_milepost_location": payload["location"] or "",
        "x_milepost_estimated_delivery": time_label(payload["estimated_delivery_at"]),
        "x_milepost_eta_history": payload.get("estimate_history") or "",
        "x_milepost_estimated_on": (payload["estimated_delivery_at"] or "")[:10],
        "x_milepost_heard_at": odoo_time(payload.get("heard_at")),
        "x_milepost_carrier": carrier_label(payload.get("carrier")),
        "x_milepost_parcels": str(payload.get("parcels") or 0),
        "x_milepost_arrived": str(payload.get("arrived") or 0),
        "x_milepost_proof": "1" if payload.get("proven") else "",
        "x_milepost_proof_link": payload.get("proof_link") or "",
    }


def _write_states(odoo: Odoo, model: str, works: Sequence[Work]) -> dict[str, Outcome]:
    outcomes = _write_kept(odoo, model, [(work, work.keep) for work in works if work.keep])
    rest: list[Work] = []
    groups = list(_by_values([work for work in works if not work.keep]))
    worth_it = EQUAL_ROWS_WORTH_A_WRITE if len(groups) > 1 else 2
    for values, group in groups:
        if len(group) < worth_it or not _write_equal(odoo, model, values, group):
            rest += group
        else:
            outcomes |= {work.key: DONE for work in group}
    return outcomes | load(odoo, model, rest, _state_row)


def _by_values(works: Sequence[Work]) -> Iterator[tuple[dict[str, str], list[Work]]]:
    groups: dict[tuple[tuple[str, str], ...], list[Work]] = {}
    for work in works:
        groups.setdefault(tuple(stamped(state_values(work.payload)).items()), []).append(work)
    for key, group in groups.items():
        yield dict(key), group


def _write_equal(odoo: Odoo, model: str, values: dict[str, str], group: list[Work]) -> bool:
    """Whether one write did for all of them. One that was deleted makes Odoo refuse it for all."""
    try:
        odoo.call(model, "write", [work.subject for work in group], vals={k: v or False for k, v in values.items()})
    except OdooRefused:
        return False
    return True


def _state_row(work: Work) -> dict[str, str]:
    return {".id": str(work.subject), **stamped(state_values(work.payload))}


def _write_kept(odoo: Odoo, model: str, kept: Sequence[tuple[Work, Keep]]) -> dict[str, Outcome]:
    """Not the state, but the sentence that a person keeps another one, where Odoo does not show it yet."""
    if not kept:
        return {}
    rows = {work.key: kept_row(keep, *_in_words(work.payload)) for work, keep in kept}
    domain = [("id", "in", [work.subject for work, _ in kept])]
    try:
        found = odoo.call(model, "search_read", domain=domain, fields=[LOCKED, KEPT])
    except OdooRefused as refusal:
        return {work.key: Outcome("later", str(refusal), work.sent) for work, _ in kept}
    shown = {row["id"]: row for row in found}
    left = [work for work, keep in kept if not is_settled(keep, shown.get(work.subject), rows[work.key])]
    settled = {work.key: Outcome("done", sent=work.sent) for work, _ in kept}
    return settled | load(odoo, model, left, lambda work: {".id": str(work.subject), **rows[work.key]})


def _in_words(payload: dict[str, Any]) -> tuple[str, str]:
    return label(payload["milestone"] or "nothing"), label(payload["exception_category"] or "")


# ---- timeline


def event_id(event: Mapping[str, Any]) -> str:
    """The external id of a row of the timeline, by its payload."""
    return f"{MODULE}.event_{event['event_key']}_{event['picking_id']}"


def _event_row(work: Work) -> dict[str, str]:
    event = work.payload
    return {
        "id": event_id(event),
        "x_picking_id/.id": str(event["picking_id"]),
        "x_name": label(event["milestone"]),
        "x_milestone": event["milestone"],
        "x_exception": event["exception_category"] or "",
        "x_occurred_at": odoo_time(event["occurred_at"]),
        "x_occurred_text": time_label(event["occurred_text"]),
        "x_location": event["location"] or "",
        "x_carrier": carrier_label(event["carrier"]),
        "x_tracking_number": event["tracking_number"] or "",
        "x_code": event["code"] or "",
        "x_description": event["description"] or "",
        "x_trace": work.trace,
    }


# ---- load, and the rows it does not take

Row = dict[str, str]

# how Odoo words it that a rule hides a record: companies are kept apart so. It names neither rule nor company.
_HIDDEN = re.compile(r"top-secret records|security restrictions")


def load(
    odoo: Odoo, model: str, works: Sequence[Work], row: Callable[[Work], Row], most: int = ROWS_A_CALL
) -> dict[str, Outcome]:
    """Loads a row for each piece of work, up to `most` in a call. All rows need the same columns."""
    outcomes: dict[str, Outcome] = {}
    for start in range(0, len(works), most):
        outcomes |= _load_batch(odoo, model, works[start : start + most], row)
    return outcomes


def _load_batch(odoo: Odoo, model: str, works: Sequence[Work], row: Callable[[Work], Row]) -> dict[str, Outcome]:
    """Load all rows; without the bad ones again, until Odoo takes the rest."""
    outcomes: dict[str, Outcome] = {}
    left = list(works)
    while left:
        try:
            reasons = _load_once(odoo, model, [row(work) for work in left])
        except OdooLockedOut as refusal:
            return outcomes | {work.key: Outcome("later", str(refusal), work.sent) for work in left}
        except OdooRefused as refusal:
            return outcomes | in_halves(left, lambda part: _load_batch(odoo, model, part, row), refusal)
        for place, reason in reasons.items():
            outcomes[left[place].key] = Outcome("parked", reason, left[place].sent)
        if not reasons:
            return outcomes | {work.key: DONE for work in left}
        left = [work for place, work in enumerate(left) if place not in reasons]
    return outcomes


def in_halves(
    works: Sequence[Work], write: Callable[[Sequence[Work]], dict[str, Outcome]], refusal: OdooRefused
) -> dict[str, Outcome]:
    """Odoo refused all of it without saying which: look for the one in ever smaller parts."""
    if len(works) == 1:
        return {works[0].key: Outcome("parked", str(refusal), works[0].sent)}
    middle = len(works) // 2
    return write(works[:middle]) | write(works[middle:])


def _load_once(odoo: Odoo, model: str, rows: list[Row]) -> dict[int, str]:
    """Load rows that have the same columns. Returns why not, by place of the row; nothing is loaded if any is bad."""
    data = [list(row.values()) for row in rows]
    answer = odoo.call(model, "load", fields=list(rows[0]), data=data, context=_UTC)
    if answer["ids"]:
        return {}
    if any(is_conflict(str(message["message"])) for message in answer["messages"]):
        # load catches the conflict, so Odoo's own five tries never begin, and blames the row for it
        raise OdooConflict("Somebody else wrote the same records in Odoo at the same moment.")
    errors = [message for message in answer["messages"] if message["type"] == "error" and "record" in message]
    operation = "write" if ".id" in rows[0] else "create"
    if any("field" not in error for error in errors) and not odoo.may(model, operation):
        raise OdooLockedOut(
            f"Milepost's user may not {operation} {model} in Odoo: put it into the group Milepost / Integration."
        )
    if not errors:
        said = "; ".join(str(message["message"]) for message in answer["messages"])
        raise OdooRefused(f"Odoo took none of the rows and named no bad one: {said or 'no reason given'}")
    return _first_reasons(errors)


def _first_reasons(errors: list[dict[str, Any]]) -> dict[int, str]:
    """The first message of each row: an unknown id is followed by complaints about fields that a new record needs.

    When Odoo fails on all rows together and then finds the bad ones by trying each, it puts the first failure in front
    and blames it on the first row of the batch, whichever row it was. Such a row is not blamed here: it is loaded
    again with the rest, and if it is bad, Odoo says so then.
    """
    reasons: dict[int, str] = {}
    for error in errors:
        reasons.setdefault(error["record"], _reason(error))
    first, others = errors[0], {error["record"] for error in errors[1:]}
    if "field" not in first and others and first["record"] not in others:
        del reasons[first["record"]]
    return reasons


def _reason(error: dict[str, Any]) -> str:
    if error.get("field") == ".id":
        return f"This record {GONE}"
    if str(error.get("field", "")).startswith("x_picking_id"):
        return f"The delivery {GONE}"
    said = " ".join(str(error["message"]).split())[:500]
    hint = " Is Milepost's user allowed in the company of that record?" if _HIDDEN.search(said) else ""
    return f"Odoo says: {said}{hint}"


def odoo_time(iso: str | None) -> str:
    """2026-11-23T10:00:00+00:00 as Odoo wants it: 2026-11-23 10:00:00, in UTC, without saying so."""
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if iso else ""
