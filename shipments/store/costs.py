"""The account of what Odoo was asked, by day, purpose, model and method. Days are UTC's, by the database's clock."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Self

from sqlalchemy import Connection, text

from shipments.clock import first_id
from shipments.store.rows import as_rows


@dataclass(frozen=True, slots=True)
class Cost:
    """What some calls cost: their count, how many failed, rows, bytes of the bodies, seconds until the answers."""

    calls: int = 0
    failures: int = 0
    rows: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Self) -> "Cost":
        return Cost(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


_COLUMNS = tuple(f.name for f in fields(Cost))

_ADD = text(f"""
    insert into odoo_costs (day, purpose, model, method, {", ".join(_COLUMNS)})
    select cast(now() at time zone 'UTC' as date), purpose, model, method, {", ".join(_COLUMNS)}
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (purpose text, model text, method text, calls bigint,
        failures bigint, rows bigint, sent_bytes bigint, received_bytes bigint, seconds double precision)
    order by purpose, model, method
    on conflict (day, purpose, model, method) do update set
        {", ".join(f"{c} = odoo_costs.{c} + excluded.{c}" for c in _COLUMNS)}
""")  # noqa: S608, the columns are ours


def add_costs(connection: Connection, costs: Mapping[tuple[str, str, str], Cost]) -> None:
    """Adds to today's account; the keys are purpose, model and method."""
    rows = as_rows(
        {"purpose": purpose, "model": model, "method": method} | dict(zip(_COLUMNS, astuple(cost), strict=True))
        for (purpose, model, method), cost in costs.items()
    )
    connection.execute(_ADD, {"rows": rows})


class Spent(NamedTuple):
    """A row of the account."""

    day: date
    purpose: str
    model: str
    method: str
    cost: Cost


def find_costs(connection: Connection, days: int) -> list[Spent]:
    """The account of the last so many days, today among them."""
    query = text(f"""
        select day, purpose, model, method, {", ".join(_COLUMNS)} from odoo_costs
        where day > cast(now() at time zone 'UTC' as date) - :days order by day, purpose, model, method
    """)  # noqa: S608, the columns are ours
    rows = connection.execute(query, {"days": days})
    return [Spent(day, purpose, model, method, Cost(*cost)) for day, purpose, model, method, *cost in rows]


def count_events(connection: Connection, days: Sequence[date]) -> dict[date, int]:
    """How many events the messages of those days told of, repeats too, as far as the messages are still kept."""
    query = text("select coalesce(sum(events), 0) from messages where id >= :first and id < :end")
    found = {}
    for day in days:
        start = datetime.combine(day, time(), UTC)
        values = {"first": first_id(start), "end": first_id(start + timedelta(days=1))}
        found[day] = int(connection.execute(query, values).scalar_one())
    return found
