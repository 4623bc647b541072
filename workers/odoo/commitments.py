"""Moving the promised date of orders in Odoo (`commitment_date`) to a later estimate, with a note for every move.

What was promised before and what Milepost made of it are kept on the order, in the same write as the date. So a date
that a person changed afterwards is seen and left alone, and a note that got lost is written later, although the promise
may have to move on by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from config import metrics
from shipments.clock import now
from shipments.errors import OdooRefused
from shipments.rules.commitment import later_promise
from workers.odoo.client import Odoo
from workers.odoo.fields import MODULE, ORDER
from workers.odoo.ownership import LOCKED
from workers.odoo.writes import GONE, Outcome, Work, load

_FROM, _TO = "x_milepost_promise_from", "x_milepost_promise_to"
_LOOK_AGAIN = timedelta(hours=1)
_MESSAGE = "mail.message"
_SINCE_CHANGED = "the carrier's estimate of that time, which has changed since."


@dataclass(frozen=True)
class _Move:
    """From one promised moment to another, as Odoo writes moments in UTC. is_made: Odoo shows it already.

    made_from: what was promised before the move that made it what it is, where that was ours, too; else empty.
    """

    work: Work
    before: str
    after: str
    is_made: bool
    made_from: str = ""

    @property
    def note_id(self) -> str:
        """The external id of its note."""
        return f"{MODULE}.promise_{self.work.subject}_{_moment(self.after):%Y%m%d%H%M%S}"


def write_commitments(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Move promised dates that are earlier than the day an order is expected; never to an earlier day.

    An order without a promised date has none to move, and one a person has dated since stays as it is.
    """
    fields = ["commitment_date", _FROM, _TO, LOCKED]
    domain = [("id", "in", [work.subject for work in works])]
    try:
        found = odoo.call(ORDER, "search_read", domain=domain, fields=fields) if works else []
        orders = {row["id"]: row for row in found}
        decided = {work.key: _decide(work, orders.get(work.subject)) for work in works}
        _write_lost_notes(odoo, _earlier_moves(works, orders, decided))
    except OdooRefused as refusal:
        return {work.key: Outcome("later", str(refusal), work.sent) for work in works}
    outcomes = {key: outcome for key, outcome in decided.items() if isinstance(outcome, Outcome)}
    return outcomes | _perform(odoo, [move for move in decided.values() if isinstance(move, _Move)])


def _earlier_moves(
    works: Sequence[Work], orders: Mapping[int, dict[str, Any]], decided: Mapping[str, Outcome | _Move]
) -> list[_Move]:
    """The moves that stand in Odoo and whose notes nothing else writes: the promise moves on, or is left as it is."""
    earlier: list[_Move] = []
    for work in works:
        move, order = decided[work.key], orders.get(work.subject)
        if isinstance(move, _Move):
            if move.made_from:
                earlier.append(replace(move, before=move.made_from, after=move.before, is_made=True))
        elif order and not order[LOCKED] and order[_TO] and order[_TO] == order["commitment_date"]:
            earlier.append(_Move(work, order[_FROM], order[_TO], is_made=True))
    return earlier


def _decide(work: Work, order: dict[str, Any] | None) -> Outcome | _Move:
    if not work.payload["day"]:
        return Outcome("done", sent=work.sent)
    if order is None:
        return Outcome("parked", f"This order {GONE}", sent=work.sent)
    promised, moved_to = order["commitment_date"], order[_TO]
    if order[LOCKED]:
        at = work.at or now()
        is_ahead = date.fromisoformat(work.payload["day"]) >= at.date()
        reason = "The order is locked for Milepost."
        return Outcome("done", reason, work.sent, again_at=at + _LOOK_AGAIN if is_ahead else None)
    if not promised:
        return Outcome("done", "The order has no promised date.", sent=work.sent)
    if moved_to and moved_to != promised:
        metrics.PROMISES.labels("left").inc()
        return Outcome("done", "A person has changed the promised date since Milepost moved it.", sent=work.sent)
    day, zone = date.fromisoformat(work.payload["day"]), ZoneInfo(work.payload["time_zone"])
    later = later_promise(_moment(promised), day, zone)
    if later:
        made_from = order[_FROM] if moved_to else ""
        return _Move(work, promised, later.strftime("%Y-%m-%d %H:%M:%S"), is_made=False, made_from=made_from)
    if moved_to and _moment(moved_to).astimezone(zone).date() == day:
        return _Move(work, order[_FROM], moved_to, is_made=True)
    return Outcome("done", sent=work.sent)


def _write_lost_notes(odoo: Odoo, made: Sequence[_Move]) -> None:
    """The notes of moves that an answer lost on the way kept from being written; those that stand stay."""
    if not made:
        return
    domain = [("model", "=", ORDER), ("res_id", "in", [move.work.subject for move in made])]
    ids = [row["id"] for row in odoo.call(_MESSAGE, "search_read", domain=domain, fields=["id"])]
    written = set(odoo.call(_MESSAGE, "get_external_id", ids).values()) if ids else set()
    lost = {move.work.key: move for move in made if move.note_id not in written}
    load(odoo, _MESSAGE, [move.work for move in lost.values()], lambda work: _note_row(lost[work.key], _SINCE_CHANGED))


def _perform(odoo: Odoo, moves: Sequence[_Move]) -> dict[str, Outcome]:
    """Dates first, all at once; then the notes of those that Odoo took, and of those it had taken before."""
    by_key = {move.work.key: move for move in moves}
    dates = load(odoo, ORDER, [m.work for m in moves if not m.is_made], lambda work: _date_row(by_key[work.key]))
    metrics.PROMISES.labels("moved").inc(sum(outcome.state == "done" for outcome in dates.values()))
    made = [m.work for m in moves if m.is_made or dates[m.work.key].state == "done"]
    notes = load(odoo, _MESSAGE, made, lambda work: _note_row(by_key[work.key]))
    return dates | {key: _noted(by_key[key], outcome) for key, outcome in notes.items()}


def _noted(move: _Move, outcome: Outcome) -> Outcome:
    """A note that is there already may be loaded again by an administrator only; others cannot even see it."""
    if outcome.state != "parked" or not move.is_made:
        return outcome
    return Outcome("done", f"The note was not written again. {outcome.reason}")


def _date_row(move: _Move) -> dict[str, str]:
    return {".id": str(move.work.subject), "commitment_date": move.after, _FROM: move.before, _TO: move.after}


def _expected(awaited: Mapping[str, Any]) -> str:
    return f"{awaited['carrier']} {awaited['tracking_number']} is expected on {awaited['day']}."


def _note_row(move: _Move, because: str = "") -> dict[str, str]:
    """Loaded under an external id, since a message that is posted is posted again with every attempt."""
    because = because or _expected(move.work.payload)
    text = f"Milepost moved the promised date from {move.before} to {move.after} (UTC): {because}"
    return {
        "id": move.note_id,
        "model": ORDER,
        "res_id": str(move.work.subject),
        "message_type": "notification",
        "subtype_id/id": "mail.mt_note",
        "is_internal": "1",
        "body": f"<p>{escape(text)}</p>",
    }


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
