"""Reports of comparisons between Odoo and the store: the last few, the newest also while it is being made."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

_KEPT = 60


class Report(NamedTuple):
    """began_at, ended_at: by the database's clock; ended_at is None while it runs or waits to go on."""

    id: int
    began_at: datetime
    ended_at: datetime | None
    report: dict[str, Any]


def start_report(connection: Connection, report: dict[str, Any]) -> int:
    """A new one; its id. The oldest go."""
    query = text("insert into reports (report) values (cast(:report as jsonb)) returning id")
    id_ = int(connection.execute(query, {"report": json.dumps(report)}).scalar_one())
    connection.execute(text("delete from reports where id <= :id"), {"id": id_ - _KEPT})
    return id_


def save_report(connection: Connection, id_: int, report: dict[str, Any], *, ended: bool) -> None:
    """What it has come to."""
    query = text("""
        update reports set report = cast(:report as jsonb), ended_at = case when :ended then now() end where id = :id
    """)
    connection.execute(query, {"id": id_, "report": json.dumps(report), "ended": ended})


def find_report(connection: Connection, *, nightly: bool = False) -> Report | None:
    """The newest, or the newest of those that beat began."""
    query = text("""
        select id, began_at, ended_at, report from reports
        where not :nightly or report @> '{"nightly": true}' order by id desc limit 1
    """)
    row = connection.execute(query, {"nightly": nightly}).first()
    return Report(*row) if row else None
