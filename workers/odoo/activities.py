"""Tasks in Odoo for problems: opened once, moved on when they are overdue, closed when the parcel moves on.

What a person closed stays closed. For whom a task is: the user the policy names, else the responsible of the delivery
or its order, else the user of the team, else Milepost's own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from shipments.errors import OdooRefused
from workers.odoo.client import Odoo, OdooLockedOut
from workers.odoo.project import TASK_PICKING
from workers.odoo.tasks import ESCALATED, PROJECT_TASKS, Open, Tracker, tracker_of
from workers.odoo.writes import DONE, Outcome, Row, Work, in_halves, load

_CLOSED_BEFORE = "It was closed in Odoo before it was escalated."


def write_activities(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Opens, moves on and closes tasks. One that is open and not overdue comes up again when it is."""
    outcomes: dict[str, Outcome] = {}
    groups: dict[Tracker, list[Work]] = {}
    for work in works:
        groups.setdefault(tracker_of(odoo, work), []).append(work)
    for tracker, group in groups.items():
        outcomes |= _write(odoo, tracker, group)
    return {work.key: _again(work, outcomes[work.key]) for work in works}


def find_users(odoo: Odoo, logins: Iterable[str]) -> dict[str, int]:
    """The users with these logins, by login; one call, or none if there are no logins."""
    wanted = sorted(set(logins))
    if not wanted:
        return {}
    rows = odoo.call("res.users", "search_read", domain=[("login", "in", wanted)], fields=["login"])
    return {row["login"]: row["id"] for row in rows}


def _write(odoo: Odoo, tracker: Tracker, works: Sequence[Work]) -> dict[str, Outcome]:
    outcomes = {work.key: Outcome("done", sent=work.sent) for work in works}
    to_open = [work for work in works if work.payload["open"] and not work.sent]
    to_escalate = [work for work in works if work.payload["open"] and work.sent and _is_overdue(work)]
    to_close = [work for work in works if not work.payload["open"] and (work.sent or work.changed)]
    if (to_open or to_escalate or to_close) and (reason := _lacks(odoo, tracker)):
        return outcomes | {w.key: Outcome("later", reason, w.sent) for w in (*to_open, *to_escalate, *to_close)}
    users = find_users(odoo, _logins((*to_open, *to_escalate)))
    outcomes |= _open(odoo, tracker, to_open, users)
    return outcomes | _escalate(odoo, tracker, to_escalate, users) | _close(odoo, tracker, to_close)


def _lacks(odoo: Odoo, tracker: Tracker) -> str:
    """What has to be done before such tasks can be written; nothing if they can."""
    if tracker is not PROJECT_TASKS or TASK_PICKING in odoo.field_names(tracker.model):
        return ""
    odoo.forget_fields()
    return "The policy wants project tasks: install Project in Odoo and run `milepost odoo setup`."


def _again(work: Work, outcome: Outcome) -> Outcome:
    at = _escalate_at(work)
    if outcome.state != "done" or not work.payload["open"] or at is None or _is_overdue(work):
        return outcome
    return replace(outcome, again_at=at)


def _escalate_at(work: Work) -> datetime | None:
    at = work.payload.get("escalate_at")
    return datetime.fromisoformat(at) if at else None


def _is_overdue(work: Work) -> bool:
    at = _escalate_at(work)
    return at is not None and work.at is not None and work.at >= at


# ---- opening


def _open(odoo: Odoo, tracker: Tracker, works: Sequence[Work], users: dict[str, int]) -> dict[str, Outcome]:
    """A user who has left, or may not see the delivery, does not stop the task: it then goes to our own user.

    What is overdue by now, because Odoo was away or history was read in, is opened and moved on at once. It may have
    been although no answer said so; then it is not set back.
    """
    if not works:
        return {}
    overdue = [work for work in works if _is_overdue(work)]
    try:
        there = _find(odoo, tracker, overdue)
    except OdooLockedOut as refusal:
        return {work.key: Outcome("later", str(refusal), work.sent) for work in works}
    missing = [work for work in works if work.key not in there]
    chosen = {work.key: _user(work, users) or odoo.uid for work in missing}
    outcomes = dict.fromkeys(there, DONE) | _load_for(
        odoo, tracker, missing, lambda work, own: tracker.row(odoo, work, odoo.uid if own else chosen[work.key])
    )
    opened = [work for work in overdue if outcomes[work.key].state == "done"]
    return outcomes | _escalate(odoo, tracker, opened, users)


def _find(odoo: Odoo, tracker: Tracker, works: Sequence[Work]) -> dict[str, Open]:
    """The tasks that are open in Odoo, by the keys of their works."""
    found = tracker.find_open(odoo, [work.payload["picking_id"] for work in works]) if works else {}
    return {work.key: found[name] for work in works if (name := tracker.external_id(work)) in found}


def _logins(works: Iterable[Work]) -> set[str]:
    fields = ("login", "team_login", "escalate_login")
    return {login for work in works for field in fields if (login := work.payload.get(field))}


def _user(work: Work, users: dict[str, int]) -> int | None:
    task = work.payload
    named, team = users.get(task.get("login") or ""), users.get(task.get("team_login") or "")
    return named or task["user_id"] or team


def _load_for(
    odoo: Odoo, tracker: Tracker, works: Sequence[Work], row: Callable[[Work, bool], Row]
) -> dict[str, Outcome]:
    """Loads a row for each; what Odoo does not take for the user it is meant for, once more for another."""
    outcomes = load(odoo, tracker.model, works, lambda work: row(work, False))
    refused = [work for work in works if outcomes[work.key].state == "parked"]
    rest = [work for work in refused if row(work, False) != row(work, True)]
    return outcomes | load(odoo, tracker.model, rest, lambda work: row(work, True))


# ---- moving on


def _escalate(odoo: Odoo, tracker: Tracker, works: Sequence[Work], users: dict[str, int]) -> dict[str, Outcome]:
    """Open tasks go to whom the policy names, or stay with whom they are, and say so; those that do already stay."""
    if not works:
        return {}
    try:
        tasks = _find(odoo, tracker, works)
    except OdooLockedOut as refusal:
        return {work.key: Outcome("later", str(refusal), work.sent) for work in works}
    left = {key: task for key, task in tasks.items() if not task.title.startswith(ESCALATED)}
    outcomes = {work.key: Outcome("done", "" if work.key in tasks else _CLOSED_BEFORE) for work in works}

    def row(work: Work, stays: bool) -> Row:
        task: Open = left[work.key]
        to = users.get(work.payload.get("escalate_login") or "")
        return tracker.escalated_row(work, task, task.users if stays or to is None else (to,))

    return outcomes | _load_for(odoo, tracker, [work for work in works if work.key in left], row)


# ---- closing


def _close(odoo: Odoo, tracker: Tracker, works: Sequence[Work]) -> dict[str, Outcome]:
    if not works:
        return {}
    try:
        mine = {key: task.id for key, task in _find(odoo, tracker, works).items()}
        if mine:
            tracker.close(odoo, list(mine.values()))
    except OdooLockedOut as refusal:
        return {work.key: Outcome("later", str(refusal), work.sent) for work in works}
    except OdooRefused as refusal:
        return in_halves(works, lambda part: _close(odoo, tracker, part), refusal)
    return {work.key: Outcome("done", sent=work.sent or work.key in mine) for work in works}
