"""From an expression to what finds a value: JMESPath for JSON, the name of a column for tables."""

import re
from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from carriers.reading import dig
from shipments.errors import Unreadable

Find = Callable[[Any], Any]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def path_finder(expression: str) -> Find:
    """Finds what the JMESPath expression names; None where it is missing. Raises ValueError for no expression."""
    if _PLAIN.fullmatch(expression):
        names = tuple(expression.split("."))
        return lambda value: dig(value, *names)
    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as fault:
        raise ValueError(str(fault)) from None

    def find(value: Any) -> Any:
        try:
            return compiled.search(value)
        except (JMESPathError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as fault:
            reason = str(fault).splitlines() or [type(fault).__name__]
            raise Unreadable(f"{expression!r} finds nothing: {reason[0][:200]}") from None

    return find


def column(name: str) -> Find:
    """Finds the cell of that column; None where the table has no such column."""
    return lambda row: row.get(name)
