"""Marks: how far something has got."""

import json
from typing import Any

from sqlalchemy import Connection, text

ODOO_KEY = "odoo_key"
"""When the API key for Odoo ends (`ends`, null if it does not), and when that was looked up (`read_at`)."""

ODOO_PAUSE = "odoo_pause"
"""Odoo is left alone: until, failures, open (the circuit), reason."""

ODOO_PACE = "odoo_pace"
"""How much slower than usual Odoo is written to: level, rows and last turn by kind."""


def find_mark(connection: Connection, name: str) -> Any:
    """The mark's value, or None."""
    row = connection.execute(text("select value from marks where name = :name"), {"name": name}).first()
    return row.value if row else None


def save_mark(connection: Connection, name: str, value: Any) -> None:
    """Sets the mark."""
    connection.execute(
        text("""
            insert into marks (name, value) values (:name, cast(:value as jsonb))
            on conflict (name) do update set value = excluded.value where marks.value is distinct from excluded.value
        """),
        {"name": name, "value": json.dumps(value)},
    )


def drop_mark(connection: Connection, name: str) -> None:
    """Removes the mark."""
    connection.execute(text("delete from marks where name = :name"), {"name": name})
