"""Many rows as one parameter.

A batch travels as one JSON document that PostgreSQL unfolds with jsonb_to_recordset: psycopg would otherwise escape
every quote of every element of an array in Python, which cost more than all the rest of a batch together.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import orjson


def as_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows for `jsonb_to_recordset(cast(:rows as jsonb))`; bytes become Base64, for `decode(x, 'base64')`.

    Moments become what `datetime.isoformat` makes of them.
    """
    return orjson.dumps(list(rows), default=_plain).decode()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in a row")
