"""The deliveries that are in trouble now, with their clocks: for people and for metrics. Clocks are the database's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from shipments.rules.exceptions import Severity

MOST_COUNTED = 100_000

# In the order of the index of what is in trouble, so that PostgreSQL reads nothing else.
_IN_TROUBLE = """
    select e.subject, e.payload, cast(e.payload ->> 'exception_due' as timestamptz) as due_at,
        cast(e.payload ->> 'exception_since' as timestamptz) as since, now() as at, exists (
            select from effects t where t.kind = 'activity' and t.subject = e.subject and t.payload -> 'open' = 'true'
                and cast(t.payload ->> 'escalate_at' as timestamptz) <= now()
                and t.state = 'done' and t.reason is null) as escalated
    from effects e where e.kind = 'delivery' and e.payload ->> 'exception_due' is not null
    order by e.payload ->> 'exception_due' limit :count
"""

_LIST = text(f"""
    select t.*, s.name, s.order_name from ({_IN_TROUBLE}) t left join shipments s on s.id = t.subject order by t.due_at
""")  # noqa: S608, put together from the constant above

_COUNT = text(f"""
    select payload ->> 'exception_category' as category, count(*) as open,
        count(*) filter (where due_at < at) as overdue, count(*) filter (where escalated) as escalated
    from ({_IN_TROUBLE}) t group by 1
""")  # noqa: S608, likewise


@dataclass(frozen=True, slots=True)
class Trouble:
    """A delivery in trouble. owner: the team. age: how long it lasts. left: until it is to be resolved, below 0 after.

    escalated: its task has moved on, and was open when it did.
    """

    picking_id: int
    name: str
    order_name: str
    carrier: str
    category: str
    severity: Severity
    owner: str
    since: datetime
    due_at: datetime
    age: timedelta
    left: timedelta
    escalated: bool


def find_trouble(connection: Connection, count: int) -> list[Trouble]:
    """The deliveries in trouble, those to be resolved first in front; up to `count`."""
    return [_trouble(row, row.payload) for row in connection.execute(_LIST, {"count": count})]


def _trouble(row: Any, payload: Mapping[str, Any]) -> Trouble:
    return Trouble(
        picking_id=row.subject,
        name=row.name or "",
        order_name=row.order_name or "",
        carrier=payload["carrier"] or "",
        category=payload["exception_category"],
        severity=Severity(payload["exception_severity"]),
        owner=payload["exception_owner"],
        since=row.since,
        due_at=row.due_at,
        age=row.at - row.since,
        left=row.due_at - row.at,
        escalated=row.escalated,
    )


@dataclass(frozen=True, slots=True)
class Troubles:
    """How many deliveries are in trouble, by category; how many of them past their time, and how many escalated."""

    open: Counter[str]
    overdue: int
    escalated: int


def count_trouble(connection: Connection) -> Troubles:
    """Counted up to MOST_COUNTED."""
    rows = connection.execute(_COUNT, {"count": MOST_COUNTED}).all()
    by_category = Counter({row.category: row.open for row in rows})
    return Troubles(by_category, sum(row.overdue for row in rows), sum(row.escalated for row in rows))
