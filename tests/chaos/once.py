"""What stands in Odoo twice although it was decided once, kind by kind."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.chaos.odoo_state import DELIVERY, FLAG, ORDER, PROMISE, TITLES, documents, fields_of, invoices, timeline
from tests.chaos.site import Site
from tests.fakes.odoo import Change, FakeOdoo
from workers.odoo.tasks import ESCALATED

_DECIDED = """
    select subject, count(*) from effects
    where kind = 'activity' and (payload ->> 'task' = 'project') = :project group by subject
"""


def rows(site: Site) -> list[str]:
    return _several(timeline(site.odoo), "timeline")


def tasks(site: Site) -> Iterator[str]:
    """Tasks nobody decided, tasks that were escalated more than once, and notes of more tasks closed than there are."""
    for model, link, project in (("mail.activity", "res_id", False), ("project.task", "x_milepost_picking_id", True)):
        decided = dict(site.rows(_DECIDED, project=project))
        held = Counter(_id(task[link]) for task in site.odoo.records(model))
        yield from (f"delivery {id_} has {n} of {model}" for id_, n in held.items() if n > decided.get(id_, 0))
    titles = [change for change in site.odoo.store.changes if change.name == TITLES.get(change.model)]
    moved = Counter((c.model, c.id) for c in titles if str(c.after).startswith(ESCALATED))
    yield from (f"{model} {id_} was escalated {n} times" for (model, id_), n in moved.items() if n > 1)
    closed = Counter(task["res_id"] for task in site.odoo.records("mail.activity") if not task["active"])
    said = Counter(m["res_id"] for m in site.odoo.records("mail.message") if m["model"] == DELIVERY)
    yield from (f"delivery {id_} has {n} notes of closed tasks" for id_, n in said.items() if n > closed[id_])


def attachments(site: Site) -> list[str]:
    return _several(documents(site.odoo), "document")


def flags(site: Site) -> Iterator[str]:
    """Flags that were set more than once, or taken back."""
    changes = [change for change in site.odoo.store.changes if change.name == FLAG]
    for (model, id_), n in Counter((c.model, c.id) for c in changes).items():
        if n > 1:
            yield f"the flag of {model} {id_} changed {n} times"


def drafts(site: Site) -> list[str]:
    return _several(Counter(order for order, _ in invoices(site.odoo).elements()), "invoice of")


def notes(site: Site) -> Iterator[str]:
    """Moves of a promise without their one note, notes without a move, and moves to an earlier date."""
    said = [(m["res_id"], m["body"]) for m in site.odoo.records("mail.message") if m["model"] == ORDER]
    made = moves(site.odoo)
    for move in made:
        about = f"order {move.id}, moved from {move.before} to {move.after}"
        count = sum(_words(move) in body for order, body in said if order == move.id)
        if count != 1:
            yield f"{about}: {count} notes"
        if move.after <= move.before:
            yield f"{about}: that is no later"
    if len(said) != len(made):
        yield f"{len(said)} notes of {len(made)} moves"


def moves(odoo: FakeOdoo) -> list[Change]:
    """Every time an order's promised date was moved."""
    return [change for change in odoo.store.changes if (change.model, change.name) == (ORDER, PROMISE)]


def _words(move: Change) -> str:
    return f"from {move.before:%Y-%m-%d %H:%M:%S} to {move.after:%Y-%m-%d %H:%M:%S} (UTC)"


KINDS: Mapping[str, Callable[[Site], Any]] = {
    "rows of a timeline": rows,
    "tasks": tasks,
    "documents": attachments,
    "billing flags": flags,
    "draft invoices": drafts,
    "notes of moved promises": notes,
}


def brought_about(odoo: FakeOdoo) -> dict[str, int]:
    """How many there are of what the run must bring about, or it would show nothing."""
    flagged = fields_of(odoo, [FLAG, "x_milepost_billing_check"])
    return {
        "documents": documents(odoo).total(),
        "billing flags": sum(name.endswith(FLAG) for name in flagged),
        "corrections beside a flag": sum(not name.endswith(FLAG) for name in flagged),
        "draft invoices": invoices(odoo).total(),
        "moved promises": len(moves(odoo)),
        "project tasks": len(odoo.records("project.task")),
        "escalated tasks": sum(
            str(c.after).startswith(ESCALATED) for c in odoo.store.changes if c.name in TITLES.values()
        ),
    }


def duplicates(site: Site) -> dict[str, list[str]]:
    """A line for each thing that is there too often, by kind."""
    return {kind: list(look(site)) for kind, look in KINDS.items()}


def _several(counted: Counter[Any], what: str) -> list[str]:
    return [f"{what} {about} stands there {count} times" for about, count in counted.items() if count > 1]


def _id(link: Any) -> int:
    return link[0] if isinstance(link, list) else link
