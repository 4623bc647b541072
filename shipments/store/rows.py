"""Many rows, or many values to look up, as one parameter.

A batch travels as one JSON document that PostgreSQL unfolds with jsonb_to_recordset: psycopg would otherwise escape
every quote of every element of an array in Python, which cost more than all the rest of a batch together.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def as_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows for `jsonb_to_recordset(cast(:rows as jsonb))`; moments become ISO 8601, with a Z for those in UTC."""
    return msgspec.json.encode(list(rows)).decode()


def with_number(table: str) -> str:
    """For `from`: the rows of the table with one of `:numbers`, a list without repeats.

    For `number = any(:numbers)` PostgreSQL reads a table whole until that is large, and more of it with each event.
    `offset 0` leaves it nothing but a look into the index for each number.
    """
    return (
        "unnest(cast(:numbers as text[])) as wanted (number) cross join lateral "  # noqa: S608, of names of ours
        f"(select * from {table} where number = wanted.number offset 0) as {table}"
    )
