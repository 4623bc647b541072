"""Texts, numbers and containers, as they come out of JSON, XML or a file."""

import html
import re
from collections.abc import Iterable
from typing import Any

from shipments.errors import Unreadable
from shipments.event import Reference

LONGEST_TEXT = 1000
LONGEST_NUMBER = 64

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MARKUP = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|\w+);")


def as_object(value: Any, where: str) -> dict[str, Any]:
    """The value as a JSON object, or Unreadable naming where it should have been."""
    if not isinstance(value, dict):
        raise Unreadable(f"{where} is {_kind(value)}, not an object")
    return value


def as_list(value: Any, where: str) -> list[Any]:
    """The value as a list; a missing one is empty, a lone object is a list of one (several carriers unwrap these)."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    raise Unreadable(f"{where} is {_kind(value)}, not a list")


def dig(value: Any, *path: str) -> Any:
    """The value under the names of the path; None as soon as one is missing or not an object."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: Any) -> str | None:
    """The value as one line of text, or None where it says nothing.

    Missing, null, "", blanks, false, {} and [] are all "nothing" (each is in use); numbers become their digits;
    character references are resolved and control characters are blanked. At most LONGEST_TEXT characters.
    """
    if isinstance(value, str):
        if "&" in value or not value.isprintable():
            value = _cleaned(value)
        said = value.strip()
        return (said if len(said) <= LONGEST_TEXT else said[:LONGEST_TEXT]) or None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def _cleaned(value: str) -> str:
    value = _UNPRINTABLE.sub(" ", value)
    return _UNPRINTABLE.sub(" ", html.unescape(value)) if _MARKUP.search(value) else value


def first_text(*values: Any) -> str | None:
    """The first of the values that says something, as text."""
    for value in values:
        if said := text(value):
            return said
    return None


def tracking_number(value: Any) -> str:
    """A tracking number as the carrier prints it, without blanks around it; Unreadable if it cannot be one."""
    number = text(value)
    if not number:
        raise Unreadable("there is no tracking number")
    if len(number) > LONGEST_NUMBER:
        raise Unreadable(f"a tracking number of {len(number)} characters cannot be one")
    return number


def as_references(named: Iterable[tuple[str, Any]]) -> tuple[Reference, ...]:
    """References of (type, value): those whose value says something, in their order."""
    return tuple(Reference(kind, said) for kind, value in named if (said := text(value)))


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "missing"}
    return names.get(type(value), "a number")
