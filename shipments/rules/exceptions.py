"""What the policy says of each kind of trouble: who resolves it and by when, what task Odoo gets, who is asked next."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from shipments.delivery import Delivery
from shipments.effects import Effect, Kind
from shipments.fold import Problem, Standing
from shipments.milestone import ExceptionCategory

RESPONSIBLE = "responsible"
"""In the policy, for `assign_to`: whoever is responsible for the delivery or its order in Odoo."""


class Task(StrEnum):
    """What Odoo gets for a stretch of trouble."""

    ACTIVITY = "activity"
    PROJECT = "project"
    NONE = "none"


class Severity(StrEnum):
    """How bad it is, mildest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """owner: the team that resolves it. summary, advice: what the task says.

    login: who gets the task; None for the responsible of the delivery or order. team_login: who gets it if nobody is
    responsible. escalate_after: how long after it should have been resolved the task moves on, None for never;
    escalate_login: to whom, None to stay where it is and say so. Logins are those of Odoo's users.
    """

    owner: str
    task: Task
    resolve_within: timedelta
    summary: str
    advice: str
    severity: Severity = Severity.MEDIUM
    login: str | None = None
    team_login: str | None = None
    escalate_after: timedelta | None = None
    escalate_login: str | None = None

    def logins(self) -> set[str]:
        """All the users it names."""
        return {login for login in (self.login, self.team_login, self.escalate_login) if login}


Rules = Mapping[ExceptionCategory, ExceptionRule]


def decide_task(delivery: Delivery, problem: Problem, rule: ExceptionRule) -> Effect | None:
    """The task for a stretch of trouble, open as long as it lasts; None if the policy wants none.

    The kind of task is part of the key: when the policy changes it, the task that was is closed.
    """
    if rule.task is Task.NONE:
        return None
    suffix = ":project" if rule.task is Task.PROJECT else ""
    due_at = problem.opened_at + rule.resolve_within
    escalate_at = None if rule.escalate_after is None else due_at + rule.escalate_after
    words = f" The carrier says: {problem.description}." if problem.description else ""
    return Effect(
        f"activity:{problem.key}:{delivery.picking_id}{suffix}",
        Kind.ACTIVITY,
        delivery.picking_id,
        {
            "picking_id": delivery.picking_id,
            "picking": delivery.name,
            "company_id": delivery.company_id,
            "problem": problem.key,
            "task": rule.task.value,
            "milestone": problem.milestone.value,
            "exception_category": problem.category.value,
            "severity": rule.severity.value,
            "summary": rule.summary,
            "note": f"{rule.advice}{words} Owner: {rule.owner}.",
            "due": due_at.date().isoformat(),
            "due_at": _iso(due_at),
            "user_id": delivery.user_id,
            "login": rule.login,
            "team_login": rule.team_login,
            "escalate_at": _iso(escalate_at) if escalate_at else None,
            "escalate_login": rule.escalate_login,
            "open": problem.open,
        },
    )


def withdraw_tasks(were_open: Iterable[Effect], decided: Iterable[Effect]) -> list[Effect]:
    """What closes the tasks that were open and are decided no more: their events were taken back, or the delivery has
    another number now.
    """
    keys = {effect.key for effect in decided}
    return [replace(task, payload=task.payload | {"open": False}) for task in were_open if task.key not in keys]


def describe_trouble(standing: Standing, rules: Rules) -> dict[str, str | None]:
    """The trouble a delivery or order is in, as fields of its state: how bad, whose, since when, and until when.

    Where several parcels are in the same trouble, the one that has been longest counts. Times are ISO 8601, in UTC.
    """
    category = standing.exception_category
    if category is None:
        return {"exception_severity": None, "exception_owner": None, "exception_since": None, "exception_due": None}
    rule = rules[category]
    since = min((p.opened_at for p in standing.problems if p.open and p.category is category), default=standing.instant)
    return {
        "exception_severity": rule.severity.value,
        "exception_owner": rule.owner,
        "exception_since": _iso(since),
        "exception_due": _iso(since + rule.resolve_within),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


# ---- reading the policy

REQUIRED: Mapping[str, type] = {"owner": str, "resolve_within_hours": int, "summary": str, "advice": str}
OPTIONAL = ("task", "severity", "assign_to", "escalate_to", "escalate_after_hours")

_TASKS: Mapping[Any, Task] = {True: Task.ACTIVITY, False: Task.NONE, **{task.value: task for task in Task}}


def read_rule(rule: Mapping[str, Any], teams: Mapping[str, str]) -> ExceptionRule:
    """The rule that a table without faults makes. teams: the login of who gets the tasks of a team, by its name."""
    assign_to, hours = rule.get("assign_to", RESPONSIBLE), rule.get("escalate_after_hours")
    escalate_to = rule.get("escalate_to", "")
    return ExceptionRule(
        owner=rule["owner"],
        task=_TASKS[rule["task"]],
        resolve_within=timedelta(hours=rule["resolve_within_hours"]),
        summary=rule["summary"],
        advice=rule["advice"],
        severity=Severity(rule.get("severity", Severity.MEDIUM)),
        login=None if assign_to == RESPONSIBLE else teams.get(assign_to, assign_to),
        team_login=teams.get(rule["owner"]),
        escalate_after=None if hours is None and not escalate_to else timedelta(hours=hours or 0),
        escalate_login=teams.get(escalate_to, escalate_to) or None,
    )


def find_faults(
    rule: Mapping[str, Any], teams: Mapping[str, str], owners: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields that are not required: field and sentence. owners: the names of all teams."""
    if not _is_known(rule.get("task"), _TASKS):
        yield "task", 'task must be "activity", "project" or "none" (true and false are "activity" and "none")'
    if not _is_known(rule.get("severity", "medium"), tuple(Severity)):
        yield "severity", f"severity must be one of {', '.join(Severity)}"
    for field in ("assign_to", "escalate_to"):
        value = rule.get(field, RESPONSIBLE)
        if not isinstance(value, str):
            yield field, f"{field} must be a text: a login in Odoo, or a team"
        elif value in owners and value not in teams:
            yield field, f"the team {value!r} has no user: name one in [team]"
    if rule.get("escalate_to") == RESPONSIBLE:
        yield "escalate_to", "escalate_to must be a login in Odoo or a team: the responsible had it already"
    hours = rule.get("escalate_after_hours", 0)
    if type(hours) is not int or hours < 0:
        yield "escalate_after_hours", "escalate_after_hours must be a whole number, 0 or more"


def _is_known(value: Any, known: Collection[Any]) -> bool:
    return isinstance(value, (str, bool)) and value in known
