"""The two kinds of task that Odoo can be given for a problem: an activity on the delivery, or a task of a project."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from workers.odoo.client import Odoo
from workers.odoo.fields import MODEL_ID, MODULE, PICKING
from workers.odoo.project import PROJECT, PROJECT_TASK, TASK_PICKING
from workers.odoo.writes import Row, Work, odoo_time

ESCALATED = "Escalated: "
_TODO = "mail.mail_activity_data_todo"
_FEEDBACK = "Closed by Milepost: the parcel has moved on."
_CLOSED = ["1_done", "1_canceled"]
_PRIORITY = {"high": "1", "critical": "1"}


class Open(NamedTuple):
    """A task in Odoo that nobody has closed: its id, its title, the users it is for."""

    id: int
    title: str
    users: tuple[int, ...]


class Tracker(Protocol):
    """One kind of task. Rows are for `load`, under an external id that says which problem of which delivery it is."""

    model: str

    def external_id(self, work: Work) -> str:
        """The task's external id."""

    def row(self, odoo: Odoo, work: Work, user: int) -> Row:
        """A new task for that user."""

    def escalated_row(self, work: Work, task: Open, users: Sequence[int]) -> Row:
        """What changes when the task moves on to those users."""

    def find_open(self, odoo: Odoo, pickings: Iterable[int]) -> dict[str, Open]:
        """The open tasks about those deliveries, by external id."""

    def close(self, odoo: Odoo, ids: list[int]) -> None:
        """Closes open tasks."""


class Activities:
    """mail.activity. Closed, it is archived from Odoo 19 on, and deleted before."""

    model = "mail.activity"

    def external_id(self, work: Work) -> str:
        return f"{MODULE}.activity_{work.payload['problem']}_{work.payload['picking_id']}"

    def row(self, odoo: Odoo, work: Work, user: int) -> Row:
        task = work.payload
        return {
            "id": self.external_id(work),
            "res_model_id/id": MODEL_ID[PICKING],
            "res_id": str(task["picking_id"]),
            "activity_type_id/id": _TODO,
            "summary": task["summary"],
            "note": f"<p>{escape(task['note'])}</p>",
            "date_deadline": task["due"],
            "user_id/.id": str(user),
        }

    def escalated_row(self, work: Work, task: Open, users: Sequence[int]) -> Row:
        return {
            "id": self.external_id(work),
            "summary": ESCALATED + task.title,
            "date_deadline": work.payload["escalate_at"][:10],
            "user_id/.id": str(users[0]) if users else "",
        }

    def find_open(self, odoo: Odoo, pickings: Iterable[int]) -> dict[str, Open]:
        domain = [("res_model", "=", PICKING), ("res_id", "in", sorted(set(pickings)))]
        fields = ["summary", "user_id"]
        rows = odoo.call(self.model, "search_read", domain=domain, fields=fields)
        return _by_name(odoo, self.model, rows, "summary", "user_id")

    def close(self, odoo: Odoo, ids: list[int]) -> None:
        odoo.call(self.model, "action_feedback", ids, feedback=_FEEDBACK)


class ProjectTasks:
    """project.task, in Odoo 17 and later: before, whether a task is closed was a matter of each project's stages."""

    model = PROJECT_TASK

    def external_id(self, work: Work) -> str:
        return f"{MODULE}.task_{work.payload['problem']}_{work.payload['picking_id']}"

    def row(self, odoo: Odoo, work: Work, user: int) -> Row:
        task = work.payload
        link = f"{odoo.url}/mail/view?{urlencode({'model': PICKING, 'res_id': task['picking_id']})}"
        picking = escape(task["picking"])
        return {
            "id": self.external_id(work),
            "project_id/id": f"{MODULE}.{PROJECT}",
            # the project is everybody's, and Odoo shows a task to the users of its own company
            "company_id/.id": str(task.get("company_id") or ""),
            f"{TASK_PICKING}/.id": str(task["picking_id"]),
            "name": f"{task['picking']}: {task['summary']}",
            "description": f'<p>{escape(task["note"])}</p><p><a href="{escape(link)}">{picking}</a></p>',
            "date_deadline": odoo_time(task["due_at"]),
            "priority": _PRIORITY.get(task["severity"], "0"),
            "user_ids/.id": str(user),
        }

    def escalated_row(self, work: Work, task: Open, users: Sequence[int]) -> Row:
        return {
            "id": self.external_id(work),
            "name": ESCALATED + task.title,
            "date_deadline": odoo_time(work.payload["escalate_at"]),
            "priority": "1",
            "user_ids/.id": ",".join(map(str, users)),
        }

    def find_open(self, odoo: Odoo, pickings: Iterable[int]) -> dict[str, Open]:
        domain = [(TASK_PICKING, "in", sorted(set(pickings))), ("state", "not in", _CLOSED)]
        rows = odoo.call(self.model, "search_read", domain=domain, fields=["name", "user_ids"])
        return _by_name(odoo, self.model, rows, "name", "user_ids")

    def close(self, odoo: Odoo, ids: list[int]) -> None:
        odoo.call(self.model, "write", ids, vals={"state": _CLOSED[0]})


def tracker_of(odoo: Odoo, work: Work) -> Tracker:
    """The kind of task that this one is."""
    return PROJECT_TASKS if work.payload.get("task") == "project" and odoo.version >= (17, 0) else ACTIVITIES


ACTIVITIES, PROJECT_TASKS = Activities(), ProjectTasks()


def _by_name(odoo: Odoo, model: str, rows: list[dict[str, Any]], title: str, users: str) -> dict[str, Open]:
    """Asked of the tasks: our user may not read ir.model.data."""
    names = odoo.call(model, "get_external_id", [row["id"] for row in rows]) if rows else {}
    found = {names.get(str(row["id"])): Open(row["id"], row[title] or "", _ids(row[users])) for row in rows}
    return {name: task for name, task in found.items() if name}


def _ids(link: Any) -> tuple[int, ...]:
    """The ids in a link as Odoo reads it: False, [id, name] or a list of ids."""
    if not link:
        return ()
    return (link[0],) if isinstance(link[-1], str) else tuple(link)
