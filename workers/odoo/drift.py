"""Comparing a page of Odoo's deliveries with the store: what differs, and what would mend it. Changes nothing."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, text

from shipments.correlation import comparable
from shipments.delivery import Delivery
from shipments.effects import Kind
from shipments.keep import Keep
from shipments.store.drift import Known, Stored, find_known, find_rows_and_tasks, find_states, find_unseen
from workers.odoo.client import Odoo
from workers.odoo.fields import EVENT, ORDER, PICKING
from workers.odoo.index import deliveries_of, read_pickings
from workers.odoo.ownership import KEPT, SENT, find_keep, plain, stamped
from workers.odoo.project import TASK_PICKING
from workers.odoo.states import count_events, find_deleted, find_external_ids, has_orders, read_states
from workers.odoo.tasks import PROJECT_TASKS, Tracker, tracker_of
from workers.odoo.writes import Work, event_id, state_values

Row = dict[str, Any]


class Drift(NamedTuple):
    """One difference. kind: state, order, timeline, task, number, deleted, unrecorded (Odoo has it, we did not know).

    record: such as delivery:7. theirs: what Odoo has; ours: what the store has.
    """

    kind: str
    record: str
    name: str
    theirs: str
    ours: str


@dataclass
class Findings:
    """What a page showed. repeat: keys of effects to perform again; renew: likewise, although they were sent once.

    take_over: deliveries whose numbers differ; gone: those Odoo does not have any more; hidden: how many our user may
    not see; keeps: who keeps what in Odoo.
    """

    drift: list[Drift] = field(default_factory=list)
    repeat: set[str] = field(default_factory=set)
    renew: set[str] = field(default_factory=set)
    take_over: list[Delivery] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    hidden: int = 0
    keeps: dict[str, Keep | None] = field(default_factory=dict)
    deliveries: int = 0
    last: int | None = None

    def add(self, kind: str, record: str, name: str, theirs: str, ours: str) -> None:
        self.drift.append(Drift(kind, record, name, theirs, ours))


def compare(engine: Engine, odoo: Odoo, after: int, since: datetime, limit: int) -> Findings:
    """The deliveries with ids above `after` that carry a number or a state of ours and were written since then, and
    whatever else is open in the store among them. `last` of the findings is where to go on; None at the end.

    Raises OdooAway and OdooRefused. No transaction is open while Odoo is asked.
    """
    found = Findings()
    with engine.connect() as connection:
        before: datetime = connection.execute(text("select now()")).scalar_one()
    rows = read_pickings(odoo, _domain(odoo, after, since), "id", limit)
    found.last = rows[-1]["id"] if len(rows) == limit else None
    with engine.connect() as connection:
        unseen = find_unseen(connection, after, found.last, [row["id"] for row in rows], since)
    for start in range(0, len(unseen), limit):
        part = unseen[start : start + limit]
        rows += read_pickings(odoo, [("id", "in", part)], "id", limit)
    deliveries = deliveries_of(odoo, rows)
    names = {row["id"]: row["name"] or "" for row in rows}
    found.deliveries = len(rows)
    absent = set(unseen) - names.keys()
    found.gone = sorted(find_deleted(odoo, absent))
    found.hidden = len(absent) - len(found.gone)
    with engine.connect() as connection:
        known = find_known(connection, [*names, *found.gone])
        states = find_states(connection, [f"delivery:{id_}" for id_ in names], before)
        rows_and_tasks = list(find_rows_and_tasks(connection, names, before))
    for id_ in found.gone:
        found.add("deleted", f"delivery:{id_}", known[id_].name, "nothing", "a delivery")
    found.keeps = {f"delivery:{delivery.picking_id}": delivery.keep for delivery in deliveries}
    _compare_numbers(deliveries, known, found)
    _compare_states("state", rows, states, found)
    lost = _compare_timelines(odoo, [s for s in rows_and_tasks if s.kind == Kind.TIMELINE], names, found)
    _compare_tasks(odoo, [s for s in rows_and_tasks if s.kind == Kind.ACTIVITY], names, lost, found)
    _compare_orders(engine, odoo, {k.order_id for k in known.values() if k.order_id}, before, found)
    return found


def _domain(odoo: Odoo, after: int, since: datetime) -> list[Any]:
    carries: list[Any] = [("carrier_tracking_ref", "!=", False)]
    if SENT in odoo.field_names(PICKING):
        carries = ["|", *carries, (SENT, "!=", False)]
    return [("id", ">", after), ("write_date", ">=", since.strftime("%Y-%m-%d %H:%M:%S")), *carries]


def _compare_numbers(deliveries: Iterable[Delivery], known: Mapping[int, Known], found: Findings) -> None:
    """What the pull has read since is left to it, and what was pruned takes no numbers any more."""
    for delivery in deliveries:
        theirs = {comparable(number) for number in delivery.numbers} - {""}
        here = known.get(delivery.picking_id)
        if here and (here.closed or here.written_at > delivery.written_at):
            continue
        ours = here.numbers if here else frozenset()
        if theirs != ours:
            record = f"delivery:{delivery.picking_id}"
            found.add("number", record, delivery.name, _listed(theirs), _listed(ours))
            found.take_over.append(delivery)


def _compare_states(kind: str, rows: Iterable[Row], states: Mapping[str, Stored], found: Findings) -> None:
    """What a person keeps is no drift. What is about to be written is none either."""
    word = "delivery" if kind == "state" else "order"
    for row in rows:
        effect = states.get(f"{word}:{row['id']}")
        if effect is None or not effect.settled or SENT not in row or found.keeps.get(effect.key):
            continue
        wanted = stamped(state_values(dict(effect.payload)))
        wrong = sorted(name for name, value in wanted.items() if name in row and plain(row[name]) != plain(value))
        if wrong and effect.state == "done":
            shown = [name for name in wrong if name not in (KEPT, SENT)] or wrong
            theirs, ours = (", ".join(f"{n}={plain(v[n])}" for n in shown) for v in (row, wanted))
            found.add(kind, effect.key, row["name"], theirs, ours)
            found.repeat.add(effect.key)
        elif not wrong and effect.state == "parked":
            found.add("unrecorded", effect.key, row["name"], "there", "parked")
            found.repeat.add(effect.key)


def _compare_timelines(
    odoo: Odoo, effects: Collection[Stored], names: Mapping[int, str], found: Findings
) -> dict[int, int]:
    """By counts first; the rows themselves are looked at where a count does not fit. How many rows which have lost."""
    done = _by_delivery(e for e in effects if e.state == "done" and e.settled)
    parked = _by_delivery(e for e in effects if e.state == "parked")
    lost: dict[int, int] = {}
    if not (done or parked):
        return lost
    counts = count_events(odoo, done.keys() | parked.keys())
    doubtful = [id_ for id_, rows in done.items() if counts.get(id_, 0) < len(rows)]
    doubtful += [id_ for id_ in parked if counts.get(id_, 0) > len(done.get(id_, ()))]
    if not doubtful:
        return lost
    there = find_external_ids(odoo, EVENT, [("x_picking_id", "in", sorted(set(doubtful)))])
    for id_ in sorted(set(doubtful)):
        missing = [e.key for e in done.get(id_, ()) if event_id(e.payload) not in there]
        unrecorded = [e.key for e in parked.get(id_, ()) if event_id(e.payload) in there]
        if missing:
            ours = len(done[id_])
            found.add("timeline", f"delivery:{id_}", names[id_], f"{ours - len(missing)} rows", f"{ours} rows")
            lost[id_] = len(missing)
        if unrecorded:
            found.add("unrecorded", f"delivery:{id_}", names[id_], f"{len(unrecorded)} rows", "parked")
        found.repeat.update(missing, unrecorded)
    return lost


def _compare_tasks(
    odoo: Odoo, effects: Iterable[Stored], names: Mapping[int, str], lost: Collection[int], found: Findings
) -> None:
    """A task that is over and still open in Odoo is closed. One that is not there is taken for closed by a person,
    unless the delivery has lost rows of its timeline, too: then Odoo was set back to an earlier day.
    """
    by_tracker: dict[Tracker, list[Work]] = {}
    for effect in effects:
        if effect.state == "done" and effect.settled and effect.sent:
            work = Work(effect.key, effect.subject, dict(effect.payload), sent=True)
            if not effect.payload["open"] or effect.subject in lost:
                by_tracker.setdefault(tracker_of(odoo, work), []).append(work)
    for tracker, works in by_tracker.items():
        if tracker is PROJECT_TASKS and TASK_PICKING not in odoo.field_names(tracker.model):
            continue  # act says what is missing
        there = find_external_ids(odoo, tracker.model, _about(tracker, {work.subject for work in works}))
        still_open = tracker.find_open(odoo, [work.subject for work in works]) if there else {}
        for work in works:
            name, record = tracker.external_id(work), f"delivery:{work.subject}"
            if name in still_open and not work.payload["open"]:
                found.add("task", record, names[work.subject], "open", "closed")
                found.repeat.add(work.key)
            elif name not in there and work.payload["open"]:
                found.add("task", record, names[work.subject], "nothing", "open")
                found.renew.add(work.key)


def _about(tracker: Tracker, pickings: Collection[int]) -> list[Any]:
    """The tasks about those deliveries, whether open or not."""
    if tracker is PROJECT_TASKS:
        return [(TASK_PICKING, "in", sorted(pickings))]
    return [("res_model", "=", PICKING), ("res_id", "in", sorted(pickings))]


def _compare_orders(engine: Engine, odoo: Odoo, ids: Collection[int], before: datetime, found: Findings) -> None:
    if not ids or not has_orders(odoo):
        return
    with engine.connect() as connection:
        states = find_states(connection, [f"order:{id_}" for id_ in ids], before)
    if states:
        rows = read_states(odoo, ORDER, [("id", "in", sorted(effect.subject for effect in states.values()))])
        found.keeps |= {f"order:{row['id']}": find_keep(odoo, row) for row in rows}
        _compare_states("order", rows, states, found)


def _by_delivery(effects: Iterable[Stored]) -> dict[int, list[Stored]]:
    groups: dict[int, list[Stored]] = {}
    for effect in effects:
        groups.setdefault(effect.subject, []).append(effect)
    return groups


def _listed(numbers: Iterable[str]) -> str:
    return ", ".join(sorted(numbers)) or "none"
