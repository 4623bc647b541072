"""Performing effects in Odoo, many at a time.

State goes over with `load`, which updates or creates by id, is idempotent, and names the rows it cannot take: 300
deliveries are one call. Every function answers with an Outcome for each piece of work, and lets OdooAway through:
what then has no outcome is to be tried again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from shipments.errors import OdooRefused
from workers.odoo.client import Odoo, OdooLockedOut
from workers.odoo.fields import EVENT, MODEL_ID, MODULE, ORDER, PICKING, label

ROWS_A_CALL = 300
EQUAL_ROWS_WORTH_A_WRITE = 20
_TODO = "mail.mail_activity_data_todo"
# load reads a time as one in the user's own zone, unless told otherwise
_UTC = {"tz": "UTC", "lang": "en_US"}


@dataclass(frozen=True)
class Work:
    """One effect to perform. key: the effect's; subject: the id in Odoo; sent: it has reached Odoo before.

    changed: it was decided otherwise before, and that may have reached Odoo although no answer said so.
    """

    key: str
    subject: int
    payload: dict[str, Any]
    sent: bool
    changed: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of it: done; parked, for a person, with a reason; later, because nothing can be written now.

    sent: it is in Odoo, or was.
    """

    state: str
    reason: str = ""
    sent: bool = True


DONE = Outcome("done")


def write_deliveries(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Set the shipment state of deliveries. Equal states go as one write, all others as one load."""
    return _write_states(odoo, PICKING, works)


def write_orders(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Set the rolled-up shipment state of sales orders, likewise."""
    return _write_states(odoo, ORDER, works)


def write_timeline(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Add rows to the timelines of deliveries: each event once per delivery, however often it is sent."""
    return _load(odoo, EVENT, works, _event_row)


def write_activities(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Open a task for each problem, once; close it when the problem is over. Closed by a person, it stays closed."""
    outcomes = {work.key: Outcome("done", sent=work.sent) for work in works}
    to_open = [work for work in works if work.payload["open"] and not work.sent]
    to_close = [work for work in works if not work.payload["open"] and (work.sent or work.changed)]
    return outcomes | _open_activities(odoo, to_open) | _close_activities(odoo, to_close)


# ---- states


def state_values(payload: dict[str, Any]) -> dict[str, str]:
    """The fields of a delivery or order, as `load` takes them: empty text where there is nothing."""
    return {
        "x_milepost_milestone": payload["milestone"],
        "x_milepost_exception": payload["exception_category"] or "",
        "x_milepost_occurred_at": _odoo_time(payload["occurred_at"]),
        "x_milepost_occurred_text": payload["occurred_text"] or "",
        "x_milepost_location": payload["location"] or "",
        "x_milepost_estimated_delivery": payload["estimated_delivery_at"] or "",
    }


def _write_states(odoo: Odoo, model: str, works: Sequence[Work]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    rest: list[Work] = []
    for values, group in _by_values(works):
        if len(group) < EQUAL_ROWS_WORTH_A_WRITE or not _write_equal(odoo, model, values, group):
            rest += group
        else:
            outcomes |= {work.key: DONE for work in group}
    return outcomes | _load(odoo, model, rest, _state_row)


def _by_values(works: Sequence[Work]) -> Iterator[tuple[dict[str, str], list[Work]]]:
    groups: dict[tuple[tuple[str, str], ...], list[Work]] = {}
    for work in works:
        groups.setdefault(tuple(state_values(work.payload).items()), []).append(work)
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
    return {".id": str(work.subject), **state_values(work.payload)}


# ---- timeline


def _event_row(work: Work) -> dict[str, str]:
    event = work.payload
    return {
        "id": f"{MODULE}.event_{event['event_key']}_{event['picking_id']}",
        "x_picking_id/.id": str(event["picking_id"]),
        "x_name": label(event["milestone"]),
        "x_milestone": event["milestone"],
        "x_exception": event["exception_category"] or "",
        "x_occurred_at": _odoo_time(event["occurred_at"]),
        "x_occurred_text": event["occurred_text"] or "",
        "x_location": event["location"] or "",
        "x_carrier": event["carrier"] or "",
        "x_tracking_number": event["tracking_number"] or "",
        "x_code": event["code"] or "",
        "x_description": event["description"] or "",
    }


# ---- activities


def _open_activities(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """A responsible who has left, or may not see the delivery, does not stop the task: it then goes to our own user."""
    outcomes = _load(
        odoo, "mail.activity", works, lambda work: _activity_row(work, work.payload["user_id"] or odoo.uid)
    )
    unassigned = [
        w for w in works if outcomes[w.key].state == "parked" and w.payload["user_id"] not in (None, odoo.uid)
    ]
    return outcomes | _load(odoo, "mail.activity", unassigned, lambda work: _activity_row(work, odoo.uid))


def _activity_row(work: Work, user: int) -> dict[str, str]:
    task = work.payload
    return {
        "id": _activity_id(work),
        "res_model_id/id": MODEL_ID[PICKING],
        "res_id": str(task["picking_id"]),
        "activity_type_id/id": _TODO,
        "summary": task["summary"],
        "note": f"<p>{escape(task['note'])}</p>",
        "date_deadline": task["due"],
        "user_id/.id": str(user),
    }


def _activity_id(work: Work) -> str:
    return f"{MODULE}.activity_{work.payload['problem']}_{work.payload['picking_id']}"


def _close_activities(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    if not works:
        return {}
    try:
        active = _active_activities(odoo, [work.payload["picking_id"] for work in works])
        mine = {work.key: active[name] for work in works if (name := _activity_id(work)) in active}
        if mine:
            feedback = "Closed by Milepost: the parcel has moved on."
            odoo.call("mail.activity", "action_feedback", list(mine.values()), feedback=feedback)
    except OdooLockedOut as refusal:
        return {work.key: Outcome("later", str(refusal)) for work in works}
    except OdooRefused as refusal:
        return _in_halves(works, lambda part: _close_activities(odoo, part), refusal)
    return {work.key: Outcome("done", sent=work.sent or work.key in mine) for work in works}


def _active_activities(odoo: Odoo, pickings: list[int]) -> dict[str, int]:
    """The tasks nobody has closed yet, by external id. Asked of the tasks: our user may not read ir.model.data."""
    domain = [("res_model", "=", PICKING), ("res_id", "in", sorted(set(pickings)))]
    ids = [row["id"] for row in odoo.call("mail.activity", "search_read", domain=domain, fields=["id"])]
    names = odoo.call("mail.activity", "get_external_id", ids) if ids else {}
    return {name: int(record) for record, name in names.items() if name}


# ---- load, and the rows it does not take

Row = dict[str, str]


def _load(odoo: Odoo, model: str, works: Sequence[Work], row: Callable[[Work], Row]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for start in range(0, len(works), ROWS_A_CALL):
        outcomes |= _load_batch(odoo, model, works[start : start + ROWS_A_CALL], row)
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
            return outcomes | _in_halves(left, lambda part: _load_batch(odoo, model, part, row), refusal)
        for place, reason in reasons.items():
            outcomes[left[place].key] = Outcome("parked", reason, left[place].sent)
        if not reasons:
            return outcomes | {work.key: DONE for work in left}
        left = [work for place, work in enumerate(left) if place not in reasons]
    return outcomes


def _in_halves(
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
        return "This record does not exist in Odoo any more, or Milepost's user may not see it."
    if str(error.get("field", "")).startswith("x_picking_id"):
        return "The delivery does not exist in Odoo any more, or Milepost's user may not see it."
    return "Odoo says: " + " ".join(str(error["message"]).split())[:500]


def _odoo_time(iso: str | None) -> str:
    """2026-11-23T10:00:00+00:00 as Odoo wants it: 2026-11-23 10:00:00, in UTC, without saying so."""
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if iso else ""
